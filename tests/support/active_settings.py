"""For each active setting the test that fails when it is ignored."""

from __future__ import annotations

_TESTS = "tests/integration/test_settings_obeyed.py::test_"

_OBEYED = (
    "ConnectionType",
    "ChargePointID",
    "WebSocketsBackendURL",
    "WebSocketPingInterval",
    "BlinkRepeat",
    "LightIntensity",
    "AuthorizationKey",
    "WebSocketsProxy",
    "SSLStrictnessClient",
    "BackendConnectionTimeout",
    "ForceHeartbeat",
    "SendErrorStatusNotifications",
    "PreparingUntilStateC",
    "AllowLongGetConfigurationKeys",
    "RestartTransactionAfterPowerLoss",
    "HeartbeatInterval",
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
    "StopTxnSampledData",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "StopTransactionOnInvalidId",
    "StopTransactionOnEVSideDisconnect",
    "UnlockConnectorOnEVSideDisconnect",
    "AllowOfflineTxForUnknownId",
    "FreeCharging",
    "FreeChargingMode",
    "FreeChargingRfidTag",
    "IfInDoubtAllowCharging",
    "ConnectionTimeOut",
    "AuthorizeRemoteTxRequests",
    "StopTransactionMode",
    "LockActuatorOnlyIfAuthorized",
    "RFIDTagLetterCase",
    "EnforceSecureRFID",
    "FLLEnable",
    "AuthorizationCacheEnabled",
    "CacheExpiryMode",
    "LocalPreAuthorize",
    "LocalAuthorizeOffline",
    "OperatorCurrentLimit",
    "InstallationCurrentLimit",
    "MaximumCurrent",
    "ChargePointVendor",
    "ChargePointModel",
    "ChargePointSerialNumber",
    "StationName",
    "ConnectorName",
    "TimeZone",
    "LogLevel",
    "OperatorMayInstall",
    "EnforceStrongPasswords",
    "EnforcePasswordChange",
    "EnforceMasterRFID",
    "VentilationAvailable",
    "WeldCheck",
    "RFIDEnable",
    "WebUILanguage",
    "SendAuthorizeForStop",
    "DisplayType",
    "DisplayLanguage",
    "WebHostNames",
    "RestStateOpen",
)

_CARDS = "tests/integration/test_cards.py::"
_SESSIONS = "tests/integration/test_sessions.py::"
_LINE = "tests/integration/test_supply_line.py::"
_FAULTS = "tests/integration/test_every_fault.py::"
_MANUAL = "tests/integration/test_backend_menu.py::test_"
_SECURITY = "tests/conformance/ocpp16/test_security.py::test_"
_OFFLINE = "tests/conformance/ocpp16/test_core_offline.py::test_"
_COMMANDS = "tests/unit/application/backend/test_backend_commands.py::test_"
_LISTS = "tests/conformance/ocpp16/test_local_list.py::test_"
_OCPP = "tests/conformance/ocpp16/test_core_values.py::test_"

PROVED_BY: dict[str, str] = {key: _TESTS + key for key in _OBEYED} | {
    "ClockAlignedDataInterval": _OCPP + "TC_071_CS_clock_aligned_meter_values",
    "MeterValuesAlignedData": _OCPP + "TC_071_CS_clock_aligned_meter_values",
    "StopTxnAlignedData": _OCPP + "StopTxnAlignedData",
    "SecurityProfile": _SECURITY + "TC_083_CS_raise_the_profile",
    "CpoName": _SECURITY + "CpoName",
    "TCPWatchdogTimeout": _MANUAL + "TCPWatchdogTimeout",
    "SendInformativeStatusNotifications": _MANUAL + "SendInformativeStatusNotifications",
    "MaxEnergyOnInvalidId": _OFFLINE + "MaxEnergyOnInvalidId",
    "ResetRetries": _COMMANDS + "ResetRetries",
    "MinimumStatusDuration": _OCPP + "MinimumStatusDuration",
    "LocalAuthListEnabled": _LISTS + "TC_042_1_CS_no_list_in_use",
    "RCDInput": _FAULTS + "test_contacts_at_the_digital_inputs",
    "MCBType2Input": _FAULTS + "test_contacts_at_the_digital_inputs",
    "MCBDomesticInput": _FAULTS + "test_contacts_at_the_digital_inputs",
    "SPDInput": _FAULTS + "test_contacts_at_the_digital_inputs",
    "ShowBackendDisconnectAsError": _FAULTS + "test_a_backend_that_cannot_be_reached",
    "DLMAllowEVWakeup": _FAULTS + "test_a_sleeping_car_is_woken",
    "EVWakeupMethod": _FAULTS + "test_the_method_of_waking_is_obeyed",
    "MasterRFID": _CARDS + "test_MasterRFID",
    "SessionRetentionDays": _SESSIONS + "test_SessionRetentionDays",
    "SingleSupplyLineInstallerAccess": _LINE + "test_SingleSupplyLineInstallerAccess",
    "SingleSupplyLine": _LINE + "test_SingleSupplyLine",
    "SupplyLineCurrentCapacity": _LINE + "test_SupplyLineCurrentCapacity",
    "StationCurrentCapacity": _LINE + "test_StationCurrentCapacity",
    "PhasesConnected": _LINE + "test_PhasesConnected",
    "ConnectorPhaseRotation": _LINE + "test_ConnectorPhaseRotation",
    "DLMMinimumCurrentLimit": _LINE + "test_DLMMinimumCurrentLimit",
}
