"""When a setting is shown (interface 4.9)."""

from __future__ import annotations

from typing import Any

import pytest

from borne.domain.settings import CATALOGUE, Feature, HardwareFacts, Settings
from borne.domain.settings.choices import (
    Connection,
    DlmRole,
    FreeChargingMode,
    HighLevelCommunication,
    OcppMode,
)
from borne.domain.settings.visibility import visible

SOAP = {"ConnectionType": Connection.ETHERNET, "OCPPMode": OcppMode.SOAP_1_6}
NO_MODEM = HardwareFacts(features=frozenset(Feature) - {Feature.MODEM})


@pytest.mark.parametrize(
    ("key", "stored", "shown"),
    [
        ("APN", {}, True),
        ("ChargePointID", {}, False),
        ("ChargePointID", {"ConnectionType": Connection.GSM}, True),
        ("SOAPServerPort", {"ConnectionType": Connection.GSM}, False),
        ("SOAPServerPort", SOAP, True),
        ("FreeChargingMode", {}, False),
        ("FreeChargingMode", {"FreeCharging": True}, True),
        ("FreeChargingRfidTag", {"FreeCharging": True}, False),
        (
            "FreeChargingRfidTag",
            {"FreeCharging": True, "FreeChargingMode": FreeChargingMode.FULL_FIXED_WITH_AUTH},
            True,
        ),
        ("IfInDoubtAllowCharging", {"FreeCharging": True}, False),
        ("DLMMinimumCurrentLimit", {}, False),
        ("DLMMinimumCurrentLimit", {"DLMRole": DlmRole.SLAVE_AUTO}, True),
        ("DLMMinimumCurrentLimit", {"SingleSupplyLine": True}, True),
        ("DLMEVSESubDistributionLimit", {"DLMRole": DlmRole.SLAVE_AUTO}, False),
        ("DLMEVSESubDistributionLimit", {"DLMRole": DlmRole.STANDALONE_MASTER}, True),
        ("DLMMainDistributionLimit", {"DLMExternalMeterSupport": True}, False),
        ("SecondMeterIP", {"DLMRole": DlmRole.MASTER, "DLMExternalMeterSupport": True}, True),
        (
            "SecondMeterIP",
            {
                "DLMRole": DlmRole.MASTER,
                "DLMExternalMeterSupport": True,
                "SecondMeterConfig": "saia_ale3",
            },
            False,
        ),
        ("InstallationCurrentLimit", {}, True),
        ("InstallationCurrentLimit", {"SingleSupplyLine": True}, False),
        ("SupplyLineCurrentCapacity", {"SingleSupplyLine": True}, True),
    ],
)
def test_shown(key: str, stored: dict[str, Any], shown: bool) -> None:
    assert visible(CATALOGUE.settings[key], Settings(stored=stored)) is shown


def test_a_part_that_is_missing() -> None:
    assert not visible(CATALOGUE.settings["APN"], Settings(NO_MODEM))


def test_each_socket_for_itself() -> None:
    settings = Settings(stored={"MeterConfig_2": "tq_em300"})
    entry = CATALOGUE.settings["MeterIP"]
    assert [visible(entry, settings, connector) for connector in (1, 2)] == [False, True]


def test_a_station_setting_follows_the_first_socket() -> None:
    settings = Settings(stored={"HLC15118Mode": HighLevelCommunication.OFFER})
    assert visible(CATALOGUE.settings["Autocharge"], settings)
