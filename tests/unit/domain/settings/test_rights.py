"""Who may see and change what (decisions D20, D35)."""

from __future__ import annotations

import pytest

from borne.domain.principals import BACKEND, SYSTEM, Principal, PrincipalKind, Role
from borne.domain.settings import CATALOGUE, Settings
from borne.domain.settings.entry import OcppAccess, SettingKind
from borne.domain.settings.rights import ENERGY_MANAGER_KEYS, may_read, refusal, writer_of

SETTINGS = CATALOGUE.settings.values()
CHANGEABLE = [entry for entry in SETTINGS if not entry.constant]
INSTALLER_ALONE = Settings(stored={"OperatorMayInstall": False})


def person(role: Role) -> Principal:
    return Principal(PrincipalKind.PERSON, role)


def machine(kind: PrincipalKind) -> Principal:
    return Principal(kind, Role.OPERATOR)


def may(principal: Principal, key: str, settings: Settings | None = None) -> bool:
    return refusal(principal, CATALOGUE.settings[key], settings or Settings()) is None


@pytest.mark.parametrize(
    ("key", "user", "operator", "installer", "manufacturer"),
    [
        ("WebUILanguage", True, True, True, True),
        ("OperatorCurrentLimit", False, True, True, True),
        ("DLMEVSESubDistributionLimit", False, True, True, True),
        ("SSLStrictnessClient", False, True, True, True),
        ("InstallationCurrentLimit", False, False, True, True),
        ("SupplyLineCurrentCapacity", False, False, True, True),
        ("PhasesConnected", False, False, True, True),
        ("OperatorMayInstall", False, False, True, True),
        ("MaximumCurrent", False, False, False, True),
        ("StationCurrentCapacity", False, False, False, True),
        ("RCDInput", False, False, False, True),
        ("ChargePointVendor", False, False, False, True),
        ("SingleSupplyLineInstallerAccess", False, False, False, True),
        ("NumberOfConnectors", False, False, False, False),
    ],
)
def test_matrix(key: str, user: bool, operator: bool, installer: bool, manufacturer: bool) -> None:
    expected = dict(zip(Role, (user, operator, installer, manufacturer), strict=True))
    assert {role: may(person(role), key, INSTALLER_ALONE) for role in Role} == expected


def test_the_operator_may_install_until_that_is_turned_off() -> None:
    """Decision D35: the manual's workflows log in as operator."""
    operator = person(Role.OPERATOR)
    for entry in CHANGEABLE:
        if entry.role is Role.INSTALLER:
            assert may(operator, entry.key)
            assert not may(operator, entry.key, INSTALLER_ALONE)
        elif entry.role is Role.MANUFACTURER:
            assert not may(operator, entry.key)


def test_a_stronger_role_may_all_that_a_weaker_one_may() -> None:
    for settings in (Settings(), INSTALLER_ALONE):
        for entry in CHANGEABLE:
            allowed = [may(person(role), entry.key, settings) for role in Role]
            assert allowed == sorted(allowed)


def test_the_manufacturer_may_reserve_the_supply_line() -> None:
    """Manual 7.3."""
    kept = Settings(stored={"SingleSupplyLineInstallerAccess": False})
    for key in ("SingleSupplyLine", "SupplyLineCurrentCapacity"):
        entry = CATALOGUE.settings[key]
        assert not may(person(Role.INSTALLER), key, kept)
        assert not may_read(person(Role.INSTALLER), entry, kept)
        assert may(person(Role.MANUFACTURER), key, kept)
        assert may_read(person(Role.MANUFACTURER), entry, kept)


def test_settings_of_stronger_roles_are_visible_but_locked() -> None:
    operator = person(Role.OPERATOR)
    for entry in SETTINGS:
        assert may_read(operator, entry, INSTALLER_ALONE)
    locked = refusal(operator, CATALOGUE.settings["MaximumCurrent"], Settings())
    assert str(locked) == "Set by the manufacturer: log in as manufacturer."


def test_a_user_sees_only_what_is_for_users() -> None:
    seen = {e.key for e in SETTINGS if may_read(person(Role.USER), e, Settings())}
    assert seen == {"WebUILanguage"}


class TestBackend:
    """An operator's rights at most, and only where the key is open (decision D35)."""

    def test_a_backend_changes_what_the_catalogue_allows(self) -> None:
        for entry in CHANGEABLE:
            assert may(BACKEND, entry.key) == entry.ocpp.writable

    @pytest.mark.parametrize(
        "key",
        [
            "InstallationCurrentLimit",
            "SupplyLineCurrentCapacity",
            "MaximumCurrent",
            "SSLStrictnessClient",
            "SSLModeServer",
            "SOAPBackendWhitelist",
            "MasterRFID",
            "APNPassword",
            "OperatorMayInstall",
            "WebOnMobileNetwork",
            "DLMSiteKey",
        ],
    )
    def test_a_backend_never_changes(self, key: str) -> None:
        assert not may(BACKEND, key)

    def test_a_backend_never_reads_a_secret(self) -> None:
        for entry in SETTINGS:
            if entry.type.is_secret or entry.ocpp in {OcppAccess.NONE, OcppAccess.WRITE}:
                assert not may_read(BACKEND, entry, Settings())


def test_an_energy_manager_moves_the_operators_limits_alone() -> None:
    manager = machine(PrincipalKind.ENERGY_MANAGER)
    assert {e.key for e in SETTINGS if may(manager, e.key)} == ENERGY_MANAGER_KEYS
    assert {e.key for e in SETTINGS if may_read(manager, e, Settings())} == ENERGY_MANAGER_KEYS


@pytest.mark.parametrize("kind", [PrincipalKind.SLAVE, PrincipalKind.CARD_READER])
def test_other_machines_have_no_rights_on_settings(kind: PrincipalKind) -> None:
    assert not any(may(machine(kind), entry.key) for entry in SETTINGS)
    assert not any(may_read(machine(kind), entry, Settings()) for entry in SETTINGS)


@pytest.mark.parametrize("kind", [PrincipalKind.USB_STICK, PrincipalKind.API_TOKEN])
def test_a_stick_or_token_has_the_rights_of_its_role(kind: PrincipalKind) -> None:
    for entry in CHANGEABLE:
        assert may(Principal(kind, Role.OPERATOR), entry.key) == may(
            person(Role.OPERATOR), entry.key
        )


def test_the_system_may_change_everything_changeable() -> None:
    assert all(may(SYSTEM, entry.key) for entry in CHANGEABLE)


def test_readings_and_actions_cannot_be_changed() -> None:
    for entry in CATALOGUE:
        if entry.kind is not SettingKind.SETTING:
            assert refusal(SYSTEM, entry, Settings()) is not None


def test_writer_of_names_the_weakest_role() -> None:
    entry = CATALOGUE.settings["InstallationCurrentLimit"]
    assert writer_of(entry, Settings()) is Role.OPERATOR
    assert writer_of(entry, INSTALLER_ALONE) is Role.INSTALLER
