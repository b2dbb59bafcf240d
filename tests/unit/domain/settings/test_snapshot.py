"""Settings as the services of the station read them."""

from __future__ import annotations

import pytest

from borne.domain.settings import Amps, Feature, HardwareFacts, Settings, UnknownSetting
from borne.domain.settings.choices import DlmRole
from borne.domain.station.modes import StopMode

ONE = HardwareFacts(connectors=1)


def test_names_of_the_second_connector() -> None:
    settings = Settings(stored={"OperatorCurrentLimit_2": 10})
    assert settings["OperatorCurrentLimit"] == 32
    assert settings["OperatorCurrentLimit_1"] == 32
    assert settings["OperatorCurrentLimit_2"] == 10
    assert settings["OperatorCurrentLimit", 2] == 10
    assert settings.integer("OperatorCurrentLimit", 2) == 10


@pytest.mark.parametrize(
    "name", ["Nothing", "FreeCharging_2", "OperatorCurrentLimit_3", "OperatorCurrentLimit_0", "_2"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownSetting):
        Settings()[name]


def test_a_station_with_one_socket_has_no_second_value() -> None:
    settings = Settings(ONE)
    with pytest.raises(UnknownSetting):
        settings["OperatorCurrentLimit_2"]
    with pytest.raises(UnknownSetting):
        settings.get("OperatorCurrentLimit", 2)


def test_typed_access() -> None:
    settings = Settings(stored={"DLMRole": DlmRole.MASTER, "AuthorizationKey": b"0123456789abcdef"})
    assert settings.flag("LocalPreAuthorize") is True
    assert settings.text("TimeZone") == "UTC"
    assert settings.choice("DLMRole", DlmRole) is DlmRole.MASTER
    assert settings.text("DLMRole") == "master"
    assert settings.amps("DLMEVSESubDistributionLimit") == Amps(16, 16, 16)
    assert settings.amps_or_none("DLMMainDistributionLimit") is None
    assert settings.items("MeterValuesAlignedData") == ("Energy.Active.Import.Register",)
    assert settings.key_bytes("AuthorizationKey") == b"0123456789abcdef"


def test_reading_with_the_wrong_type_is_an_error() -> None:
    settings = Settings()
    for wrong in (
        lambda: settings.flag("TimeZone"),
        lambda: settings.integer("FreeCharging"),
        lambda: settings.integer("MTU"),
        lambda: settings.text("FreeCharging"),
        lambda: settings.choice("DLMRole", StopMode),
        lambda: settings.amps("DLMMainDistributionLimit"),
        lambda: settings.items("DLMEVSESubDistributionLimit"),
        lambda: settings.key_bytes("APNPassword"),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_facts_of_the_hardware_are_settings_too() -> None:
    assert Settings(ONE)["NumberOfConnectors"] == 1
    assert Settings()["ConnectorSwitch3to1PhaseSupported"] is True
    fixed = HardwareFacts(features=frozenset(Feature) - {Feature.PHASE_SWITCHING})
    assert Settings(fixed)["ConnectorSwitch3to1PhaseSupported"] is False


def test_identity_comes_from_the_serial_number() -> None:
    """Decision D33."""
    settings = Settings(HardwareFacts(serial_number="a1b2"))
    assert settings["ChargePointID"] == "borne-a1b2"
    assert settings["ChargePointSerialNumber"] == "a1b2"


def test_a_master_has_a_site_key_and_a_slave_must_be_given_one() -> None:
    facts = HardwareFacts(site_key="secret")
    assert Settings(facts)["DLMSiteKey"] == ""
    assert Settings(facts, {"DLMRole": DlmRole.SLAVE_AUTO})["DLMSiteKey"] == ""
    assert Settings(facts, {"DLMRole": DlmRole.MASTER})["DLMSiteKey"] == "secret"


class TestDefaultsFollowTheLimitAbove:
    """A default never exceeds what was lowered above it; a value that was set stays."""

    def test_the_chain_of_current_limits(self) -> None:
        settings = Settings(stored={"MaximumCurrent": 20, "InstallationCurrentLimit_2": 10})
        assert settings["InstallationCurrentLimit"] == 20
        assert settings["OperatorCurrentLimit"] == 20
        assert settings["OperatorCurrentLimit_2"] == 10

    def test_a_single_supply_line_takes_the_place_of_the_installation_limit(self) -> None:
        """Decision D34, manual 7.2 case 3."""
        settings = Settings(
            stored={
                "SingleSupplyLine": True,
                "SupplyLineCurrentCapacity": 25,
                "InstallationCurrentLimit": 10,
            }
        )
        assert settings["OperatorCurrentLimit"] == 25

    def test_the_sub_distribution(self) -> None:
        settings = Settings(stored={"DLMEVSESubDistributionLimit": Amps(10, 63, 12)})
        assert settings["DLMOperatorEVSESubDistributionLimit"] == Amps(10, 16, 12)

    def test_the_external_input_of_a_paused_station(self) -> None:
        paused = {"OperatorCurrentLimit": 0, "OperatorCurrentLimit_2": 0}
        assert Settings(stored=paused)["EnergyManExternalInputLimit"] == 0


def test_a_snapshot_is_immutable() -> None:
    settings = Settings()
    with pytest.raises(TypeError):
        settings.stored["FreeCharging"] = True  # type: ignore[index]  # that is the point
    later = settings.with_values({"FreeCharging": True}, revision=7)
    assert (settings["FreeCharging"], settings.revision) == (False, 0)
    assert (later["FreeCharging"], later.revision) == (True, 7)
    assert later.changed == {"FreeCharging"}
    assert later.with_values({"FreeCharging": None}).changed == frozenset()


def test_a_printed_snapshot_contains_no_secrets() -> None:
    settings = Settings(HardwareFacts(site_key="sesame"), {"APNPassword": "open sesame"})
    assert "sesame" not in f"{settings!r} {settings.facts!r}"
