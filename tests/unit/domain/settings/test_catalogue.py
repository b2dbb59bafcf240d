"""The catalogue is whole and consistent (manual 2 to 7; decisions D24, D33, D35, D37, D39)."""

from __future__ import annotations

from collections import Counter

import pytest

from borne.domain.principals import Role
from borne.domain.settings import CATALOGUE, Amps, HardwareFacts, Settings
from borne.domain.settings.catalogue.meter_profiles import METERS, PROFILES
from borne.domain.settings.catalogue.readings import REST_FIELDS
from borne.domain.settings.choices import DlmRole, FreeChargingMode
from borne.domain.settings.entry import (
    AnyOf,
    Condition,
    Entry,
    Is,
    IsNot,
    Menu,
    MeterReach,
    MeterReachedBy,
    OcppAccess,
    SettingKind,
    SettingScope,
    Type,
)
from borne.domain.settings.values import from_file, parse, to_file
from tests.support.cases import every_case

SETTINGS = list(CATALOGUE.settings.values())


def _named(entry: Entry) -> list[Condition]:
    """Its conditions, those within others too."""
    found: list[Condition] = []
    left = list(entry.when)
    while left:
        condition = left.pop()
        found.append(condition)
        left += condition.conditions if isinstance(condition, AnyOf) else ()
    return found


def _slugs(condition: Is | IsNot) -> set[str]:
    return set(condition.slugs if isinstance(condition, Is) else (condition.slug,))


def test_the_catalogue_loses_no_entry() -> None:
    """These many had the first version; there may be more."""
    of_kind = Counter(entry.kind for entry in CATALOGUE)
    first = Counter(
        {
            SettingKind.SETTING: 238,
            SettingKind.READING: 57,
            SettingKind.ACTION: 14,
            SettingKind.ACCOUNT: 5,
            SettingKind.UI: 3,
            SettingKind.LIST: 2,
        }
    )
    assert not first - of_kind


def test_no_menu_loses_an_entry() -> None:
    in_menu = Counter(
        {menu: sum(len(group) for group in CATALOGUE.menu(menu).values()) for menu in Menu}
    )
    first = Counter(
        {
            Menu.DASHBOARD: 54,
            Menu.NETWORK: 32,
            Menu.BACKEND: 79,
            Menu.AUTHORIZATION: 21,
            Menu.WHITELISTS: 5,
            Menu.LOAD_MANAGEMENT: 59,
            Menu.INSTALLATION: 39,
            Menu.SYSTEM: 30,
        }
    )
    assert not first - in_menu


def test_the_old_state_page_has_forty_lines() -> None:
    assert len(set(REST_FIELDS)) == 40


class TestEverySetting:
    def test_accepts_its_own_default(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    if entry.default not in (None, "", b""):
                        assert parse(entry, entry.default) == entry.default

    def test_its_default_is_stored_and_read_unchanged(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    if entry.default is not None and entry.default != "" and not entry.constant:
                        assert from_file(entry, to_file(entry.default)) == entry.default

    def test_has_a_help_text(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    assert entry.label
                    assert entry.help.endswith(".")

    def test_refers_to_settings_that_exist(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    named = [c for c in _named(entry) if isinstance(c, Is | IsNot | MeterReachedBy)]
                    keys = {condition.key for condition in named}
                    keys |= {key for key in (entry.at_most, entry.derived_from) if key}
                    assert keys <= set(CATALOGUE.settings)

    def test_its_conditions_name_values_that_exist(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    for condition in _named(entry):
                        if isinstance(condition, Is | IsNot):
                            other = CATALOGUE.settings[condition.key]
                            slugs = {choice.slug for choice in other.choices} or {"on", "off"}
                            assert _slugs(condition) <= slugs

    def test_a_backend_has_an_operators_rights_at_most(self) -> None:
        """Decision D35."""
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    if entry.ocpp.writable and not entry.constant:
                        # The standard wants it writable; operators who may install may do it.
                        exception = entry.key == "ConnectorPhaseRotation"
                        assert Role.OPERATOR.includes(entry.role) or exception

    def test_secrets_cannot_be_read(self) -> None:
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    assert not (entry.type.is_secret and entry.ocpp.readable)

    def test_its_choices_are_distinct(self) -> None:
        """A slug or label never names two choices (decision D3)."""
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    for choice in entry.choices:
                        assert parse(entry, choice.slug) == choice.slug
                        assert parse(entry, choice.label.upper()) == choice.slug

    def test_the_safe_value_of_a_limit_is_at_most_its_default(self) -> None:
        """A limit that is lost never becomes more than its default."""
        with every_case() as case:
            for entry in SETTINGS:
                with case(entry.key):
                    safe, default = entry.safe, entry.default
                    if entry.at_most:
                        assert safe is not None
                    if isinstance(safe, int) and isinstance(default, int) and default:
                        assert safe <= default


def test_the_main_distribution_limit_has_no_default() -> None:
    """Decision D37."""
    assert Settings()["DLMMainDistributionLimit"] is None
    assert Settings().amps("DLMExternalLoadFallback") == Amps(9999, 9999, 9999)
    assert Settings()["DLMExternalMeterLocation"] == "excluding"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("WebSocketPingInterval", 60),
        ("MeterValueSampleInterval", 60),
        ("SSLStrictnessClient", "normal"),
        ("SendAuthorizeForStop", True),
        ("ChargePointID", "borne-4711"),
        ("ChargePointVendor", "borne"),
    ],
)
def test_defaults_where_we_leave_the_manual(key: str, value: object) -> None:
    """Decisions D23, D33, D39."""
    assert CATALOGUE.settings[key].instead_of
    assert Settings(HardwareFacts(serial_number="4711"))[key] == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ChargeProfileMaxStackLevel", 10),
        ("ChargingScheduleMaxPeriods", 24),
        ("MaxChargingProfilesInstalled", 10),
        ("SupportedFeatureProfilesMaxLength", 6),
    ],
)
def test_what_the_station_reports_about_itself(key: str, value: int) -> None:
    """Decision D24."""
    entry = CATALOGUE.settings[key]
    assert (entry.default, entry.constant, entry.ocpp) == (value, True, OcppAccess.READ)


def test_free_charging_modes_count_from_one() -> None:
    """Manual 5.2."""
    choices = CATALOGUE.settings["FreeChargingMode"].choices
    assert [(c.number, c.slug) for c in choices] == list(enumerate(FreeChargingMode, 1))


def test_dlm_roles_have_the_numbers_of_their_register() -> None:
    """Decision D12."""
    choices = CATALOGUE.settings["DLMRole"].choices
    assert [(c.number, c.slug) for c in choices] == list(enumerate(DlmRole))


def test_settings_of_each_socket() -> None:
    assert {entry.key for entry in SETTINGS if entry.scope is SettingScope.CONNECTOR} == {
        "OperatorCurrentLimit",
        "InstallationCurrentLimit",
        "MaximumCurrent",
        "PhasesConnected",
        "ConnectorPhaseRotation",
        "MeterConfig",
        "MeterIP",
        "MeterPort",
        "MeterSerialPort",
        "MeterBaudRate",
        "MeterParity",
        "MeterUnitId",
        "HLC15118Mode",
        "ConnectorName",
        "DLMPriority",
    }


def test_meters_with_an_address_are_labelled_tcp() -> None:
    """Manual 7.4.2: the types reached over the network end in (TCP)."""
    assert len({profile.label for profile in METERS}) == len(METERS)
    for profile in PROFILES.values():
        assert (profile.reach is MeterReach.NETWORK) == profile.label.endswith("(TCP)")


def test_per_phase_settings_are_eight() -> None:
    assert sum(entry.type is Type.PER_PHASE for entry in SETTINGS) == 8
