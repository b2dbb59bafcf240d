"""Configuration keys as a backend sees them (OCPP 1.6, 5.8 and 9.1; D2, D3, D21)."""

from __future__ import annotations

import pytest

from borne.domain.settings import CATALOGUE, HardwareFacts, Settings
from borne.domain.settings.choices import ConnectionType, PhaseRotation
from borne.domain.settings.ocpp_view import ConfigurationKey, configuration

ALL = frozenset(CATALOGUE.settings)
REQUIRED = {
    "AuthorizeRemoteTxRequests", "ClockAlignedDataInterval", "ConnectionTimeOut",
    "ConnectorPhaseRotation", "GetConfigurationMaxKeys", "HeartbeatInterval",
    "LocalAuthorizeOffline", "LocalPreAuthorize", "MeterValuesAlignedData",
    "MeterValuesSampledData", "MeterValueSampleInterval", "NumberOfConnectors", "ResetRetries",
    "StopTransactionOnEVSideDisconnect", "StopTransactionOnInvalidId", "StopTxnAlignedData",
    "StopTxnSampledData", "SupportedFeatureProfiles", "TransactionMessageAttempts",
    "TransactionMessageRetryInterval", "UnlockConnectorOnEVSideDisconnect",
    "LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength",
    "ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods", "MaxChargingProfilesInstalled",
}  # fmt: skip


def one(name: str, settings: Settings | None = None) -> ConfigurationKey:
    found, unknown = configuration(settings or Settings(), [name], ALL)
    assert not unknown
    return found[0]


def test_all_keys_that_the_standard_requires() -> None:
    found, unknown = configuration(Settings(), (), ALL)
    assert {key.key for key in found} >= REQUIRED
    assert unknown == []


def test_no_secret_is_readable() -> None:
    found, _ = configuration(Settings(stored={"APNPassword": "sesame"}), (), ALL)
    assert not any(CATALOGUE.settings[key.key.removesuffix("_2")].type.is_secret for key in found)
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NumberOfConnectors", ConfigurationKey("NumberOfConnectors", True, "2")),
        ("localpreauthorize", ConfigurationKey("LocalPreAuthorize", False, "true")),
        ("FreeCharging", ConfigurationKey("FreeCharging", False, "Off")),
        ("FreeChargingMode", ConfigurationKey("FreeChargingMode", False, "No OCPP")),
        ("InstallationCurrentLimit_2", ConfigurationKey("InstallationCurrentLimit_2", True, "32")),
        ("AuthorizationKey", ConfigurationKey("AuthorizationKey", False, None)),
        ("ChargeBoxIdentity", ConfigurationKey("ChargePointID", False, "borne-1")),
    ],
)
def test_one_key(name: str, key: ConfigurationKey) -> None:
    assert one(name, Settings(HardwareFacts(serial_number="1"))) == key


def test_unreadable_keys_are_unknown() -> None:
    asked = ["DLMSiteKey", "Nothing", "FreeCharging", "OperatorCurrentLimit_3"]
    found, unknown = configuration(Settings(), asked, ALL)
    assert [key.key for key in found] == ["FreeCharging"]
    assert unknown == ["DLMSiteKey", "Nothing", "OperatorCurrentLimit_3"]


def test_a_key_requested_twice_is_answered_once() -> None:
    found, _ = configuration(Settings(), ["FreeCharging", "FREECHARGING"], ALL)
    assert len(found) == 1


def test_phase_rotation_covers_all_sockets() -> None:
    settings = Settings(stored={"ConnectorPhaseRotation_2": PhaseRotation.STR})
    assert one("ConnectorPhaseRotation", settings).value == "0.RST,1.RST,2.STR"


def test_long_values_are_cut_unless_the_operator_wants_them_whole() -> None:
    """Decision D21."""
    url = "wss://" + "a." * 250 + "example"
    stored = {"ConnectionType": ConnectionType.GSM, "WebSocketsBackendURL": url}
    assert len(one("WebSocketsBackendURL", Settings(stored=stored)).value or "") == 500
    whole = Settings(stored={**stored, "AllowLongGetConfigurationKeys": True})
    assert one("WebSocketsBackendURL", whole).value == url


def test_planned_keys_are_read_only() -> None:
    found, _ = configuration(Settings(), ["FreeCharging"], frozenset())
    assert found[0].readonly
