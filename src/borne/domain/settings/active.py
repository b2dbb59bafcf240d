"""Settings that are obeyed, each with the test that fails when it is ignored.

A setting that is not listed here is "planned": shown, but nobody can change it. Whoever makes a
setting work adds its line, with the test's file and name: `"Key": "tests/...py::test_name"`.
"""

from __future__ import annotations

_TESTS = "tests/integration/test_settings_obeyed.py::test_"

_OBEYED = (
    "ConnectionType",
    "ChargePointID",
    "WebSocketsBackendURL",
    "WebSocketPingInterval",
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
    "VentilationAvailable",
)

ACTIVE: dict[str, str] = {key: _TESTS + key for key in _OBEYED}
