"""When a setting is shown."""

from __future__ import annotations

from typing import Any

import pytest

from borne.adapters.web.pages.setting_fields import MENUS
from borne.data_folder import simulated_facts
from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings import CATALOGUE, Feature, HardwareFacts, Settings
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.catalogue.meter_profiles import METERS
from borne.domain.settings.changes import plan
from borne.domain.settings.choices import (
    ConnectionType,
    DlmRole,
    FreeChargingMode,
    HighLevelCommunication,
    OcppMode,
)
from borne.domain.settings.entry import AnyOf, Condition, Entry, Is, IsNot, MeterReachedBy
from borne.domain.settings.visibility import holds, visible
from tests.support.cases import every_case

SOAP = {"ConnectionType": ConnectionType.ETHERNET, "OCPPMode": OcppMode.SOAP_1_6}
MANUFACTURER = Principal(PrincipalKind.PERSON, Role.MANUFACTURER)
NO_MODEM = HardwareFacts(features=frozenset(Feature) - {Feature.MODEM})


@pytest.mark.parametrize(
    ("key", "stored", "shown"),
    [
        ("APN", {}, True),
        ("ChargePointID", {}, False),
        ("ChargePointID", {"ConnectionType": ConnectionType.GSM}, True),
        ("SOAPServerPort", {"ConnectionType": ConnectionType.GSM}, False),
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
        ("SecondMeterSerialPort", {"DLMExternalMeterSupport": True}, False),
        (
            "SecondMeterSerialPort",
            {"DLMExternalMeterSupport": True, "SecondMeterConfig": "saia_ale3"},
            True,
        ),
        ("SecondMeterIP", {"DLMExternalMeterSupport": True}, True),
        (
            "SecondMeterIP",
            {"DLMRole": DlmRole.SLAVE_AUTO, "DLMExternalMeterSupport": True},
            False,
        ),
        ("MeterIP", {}, False),
        ("MeterUnitId", {"MeterConfig": "sma_speedwire"}, False),
        ("MeterIP", {"MeterConfig": "sma_speedwire"}, True),
        ("MeterParity", {"MeterConfig": "saia_ale3"}, True),
        ("InstallationCurrentLimit", {}, True),
        ("InstallationCurrentLimit", {"SingleSupplyLine": True}, False),
        ("SupplyLineCurrentCapacity", {"SingleSupplyLine": True}, True),
    ],
)
def test_shown(key: str, stored: dict[str, Any], shown: bool) -> None:
    assert visible(CATALOGUE.settings[key], Settings(stored=stored)) is shown


NEEDS_MORE = {"DLMExternalMeterSupport"}
"""A draft with it shows what it needs as well: the main distribution limit has no default."""


def test_every_setting_that_is_obeyed_can_be_reached_on_the_pages() -> None:
    """As the station is delivered, or by switches that can be reached themselves."""
    delivered = Settings(simulated_facts())
    with_backend = plan(delivered, {"ConnectionType": "ethernet"}, MANUFACTURER).after
    with every_case() as case:
        for key in ACTIVE:
            with case(key):
                entry = CATALOGUE.settings[key]
                assert entry.menu in MENUS
                ways = (reach(entry, start, frozenset()) for start in (delivered, with_backend))
                assert any(way is not None and visible(entry, way) for way in ways)


def reach(entry: Entry, settings: Settings, on_the_way: frozenset[str]) -> Settings | None:
    """The settings of somebody who made the entry appear, by what is on the pages alone."""
    for condition in entry.when:
        if not holds(condition, settings):
            changed = meet(condition, settings, on_the_way | {entry.key})
            if changed is None:
                return None
            settings = changed
    return settings


def meet(condition: Condition, settings: Settings, on_the_way: frozenset[str]) -> Settings | None:
    match condition:
        case Is(key, slugs):
            wanted: tuple[str, ...] = slugs
        case IsNot(key, slug):
            entry = CATALOGUE.settings[key]
            others = [c.slug for c in entry.choices] or ["on", "off"]
            wanted = tuple(other for other in others if other != slug)
        case MeterReachedBy(key, ways):
            # Its address follows: an incomplete draft shows what it needs.
            slug = next(profile.slug for profile in METERS if profile.reach in ways)
            shown = reach(CATALOGUE.settings[key], settings, on_the_way)
            return None if shown is None else plan(shown, {key: slug}, MANUFACTURER).after
        case AnyOf(conditions):
            starts = (meet(each, settings, on_the_way) for each in conditions)
            return next((start for start in starts if start is not None), None)
        case _:
            return None
    if key in on_the_way or key not in ACTIVE:
        return None
    shown = reach(CATALOGUE.settings[key], settings, on_the_way)
    if shown is None:
        return None
    for slug in wanted:
        planned = plan(shown, {key: slug}, MANUFACTURER)
        if not planned.errors or key in NEEDS_MORE:
            return planned.after
    return None


def test_settings_of_a_missing_part_are_hidden() -> None:
    assert not visible(CATALOGUE.settings["APN"], Settings(NO_MODEM))


def test_visibility_is_decided_for_each_socket() -> None:
    settings = Settings(stored={"MeterConfig_2": "tq_em300"})
    entry = CATALOGUE.settings["MeterIP"]
    assert [visible(entry, settings, connector) for connector in (1, 2)] == [False, True]


def test_a_station_setting_follows_the_first_socket() -> None:
    settings = Settings(stored={"HLC15118Mode": HighLevelCommunication.OFFER})
    assert visible(CATALOGUE.settings["Autocharge"], settings)
