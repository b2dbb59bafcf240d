"""Settings of a running station: all or nothing, committed before acknowledged, published."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from borne.application.ports.settings import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
)
from borne.application.settings.settings_service import (
    MayNotConfirm,
    SettingsChange,
    SettingsConflict,
    SettingsRejected,
    SettingsService,
)
from borne.domain.principals import BACKEND, SYSTEM
from borne.domain.settings.choices import DlmRole
from borne.foundation.messages import Message
from tests.unit.application.settings_doubles import (
    INSTALLER,
    OPERATOR,
    USER,
    MemoryRepository,
    open_service,
)


async def test_a_change_is_stored_before_it_is_in_force() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    seen: list[int] = []

    async def watched(work: Callable[[], None]) -> None:
        seen.append(service.settings.integer("OperatorCurrentLimit"))
        work()

    service = open_service(repository, run_blocking=watched)
    result = await service.change({"OperatorCurrentLimit": 16}, OPERATOR, "api")
    assert seen == [32]
    assert repository.saved[-1].values == {"OperatorCurrentLimit": 16}
    assert service.settings["OperatorCurrentLimit"] == 16
    assert result.to_json() == {"applied": ["OperatorCurrentLimit"], "restart_required": []}
    assert result.revision == service.settings.revision == 1


async def test_a_restart_finds_the_same_settings() -> None:
    repository = MemoryRepository()
    first = open_service(repository)
    await first.change({"OperatorCurrentLimit_2": 10, "DLMRole": "master"}, OPERATOR, "api")
    second = open_service(repository, token_hex=lambda size: "cd" * size)
    assert second.settings.stored == first.settings.stored
    assert second.settings.revision == 1
    assert second.settings["ChargePointID"] == "borne-" + "ab" * 6
    assert second.settings["DLMSiteKey"] == "ab" * 32


async def test_with_one_error_nothing_is_applied() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    saved = len(repository.saved)
    request = {"OperatorCurrentLimit": 16, "OperatorCurrentLimit_2": 99, "MaximumCurrent": 16}
    with pytest.raises(SettingsRejected) as rejected:
        await service.change(request, OPERATOR, "api")
    assert set(rejected.value.errors) == {"OperatorCurrentLimit_2", "MaximumCurrent"}
    assert service.settings.changed == frozenset()
    assert len(repository.saved) == saved


async def test_a_full_disk_changes_nothing() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    repository.full = True
    with pytest.raises(SettingsNotSaved, match="No space left"):
        await service.change({"OperatorCurrentLimit": 16}, OPERATOR, "api")
    assert service.settings["OperatorCurrentLimit"] == 32
    repository.full = False
    await service.change({"OperatorCurrentLimit": 10}, OPERATOR, "api")
    assert service.settings["OperatorCurrentLimit"] == 10


async def test_unchanged_values_are_not_written() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    saved = len(repository.saved)
    result = await service.change({"OperatorCurrentLimit": 32}, OPERATOR, "api")
    assert (result.applied, result.revision) == (("OperatorCurrentLimit",), 0)
    assert len(repository.saved) == saved


class TestRestart:
    async def test_a_restart_is_required_until_the_old_value_is_back(self) -> None:
        service = open_service()
        changed = await service.change({"DLMRole": "master"}, OPERATOR, "api")
        assert changed.restart_required == ("DLMRole",)
        assert list(service.pending_restart) == ["DLMRole"]
        back = await service.change({"DLMRole": "disabled"}, OPERATOR, "api")
        assert back.restart_required == ()
        assert list(service.pending_restart) == []

    async def test_settings_before_the_start_need_no_restart(self) -> None:
        service = open_service()
        service.change_now({"DLMRole": "master"}, SYSTEM, "cli")
        service.mark_started()
        assert service.pending_restart == ()
        assert service.settings.choice("DLMRole", DlmRole) is DlmRole.MASTER


class TestSubscribers:
    async def test_subscribers_get_committed_changes_only(self) -> None:
        repository = MemoryRepository()
        service = open_service(repository)
        changes: list[SettingsChange] = []
        service.subscribe(changes.append)
        repository.full = True
        with pytest.raises(SettingsNotSaved):
            await service.change({"FreeCharging": True}, OPERATOR, "api")
        repository.full = False
        await service.change({"FreeCharging": True, "MeterIP_2": "10.0.0.9"}, OPERATOR, "api")
        (change,) = changes
        assert set(change.names) == {"FreeCharging", "MeterIP_2"}
        assert (change.before["FreeCharging"], change.after["FreeCharging"]) == (False, True)
        assert (change.principal, change.source) == (OPERATOR, "api")

    async def test_an_ended_subscriber_gets_nothing(self) -> None:
        service = open_service()
        changes: list[SettingsChange] = []
        leave = service.subscribe(changes.append)
        leave()
        await service.change({"FreeCharging": True}, OPERATOR, "api")
        assert changes == []

    async def test_a_failing_subscriber_does_not_undo_the_change(self) -> None:
        service = open_service()

        def fail(_: SettingsChange) -> None:
            raise RuntimeError

        service.subscribe(fail)
        await service.change({"FreeCharging": True}, OPERATOR, "api")
        assert service.settings["FreeCharging"] is True


async def test_concurrent_changes_are_all_kept() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    await asyncio.gather(
        service.change({"OperatorCurrentLimit": 16}, OPERATOR, "api"),
        service.change({"OperatorCurrentLimit_2": 10}, BACKEND, "ocpp"),
        service.change({"FreeCharging": True}, OPERATOR, "api"),
    )
    assert service.settings.changed == {
        "OperatorCurrentLimit",
        "OperatorCurrentLimit_2",
        "FreeCharging",
    }
    assert set(repository.saved[-1].values) == service.settings.changed
    assert service.settings.revision == 3


async def test_a_change_against_an_old_revision_is_a_conflict() -> None:
    service = open_service()
    await service.change({"FreeCharging": True}, OPERATOR, "api")
    with pytest.raises(SettingsConflict):
        await service.change({"FreeCharging": False}, OPERATOR, "api", if_revision=0)
    await service.change({"FreeCharging": False}, OPERATOR, "api", if_revision=1)


async def test_a_cancelled_change_keeps_disk_and_memory_equal() -> None:
    repository = MemoryRepository()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(work: Callable[[], None]) -> None:
        inside.set()
        await go_on.wait()
        work()

    service = open_service(repository, run_blocking=slow)
    asking = asyncio.create_task(service.change({"FreeCharging": True}, OPERATOR, "api"))
    await inside.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    await service.close()
    assert repository.saved[-1].values == {"FreeCharging": True}
    assert service.settings["FreeCharging"] is True


async def test_a_closed_station_takes_no_changes() -> None:
    service = open_service()
    await service.close()
    with pytest.raises(SettingsNotSaved):
        await service.change({"FreeCharging": True}, OPERATOR, "api")


async def test_storing_does_not_block_the_loop() -> None:
    threads: list[int] = []

    class Watched(MemoryRepository):
        def save(self, document: SettingsDocument) -> None:
            threads.append(threading.get_ident())
            super().save(document)

    service = open_service(Watched())
    await service.change({"FreeCharging": True}, OPERATOR, "api")
    assert threads[-1] != threading.get_ident()


@pytest.mark.parametrize(
    ("zone", "known"),
    [("Europe/Brussels", True), ("UTC", True), ("Europe/Atlantis", False), ("Etc", False)],
)
async def test_time_zones_must_exist(zone: str, known: bool) -> None:
    service = open_service()
    if known:
        await service.change({"TimeZone": zone}, OPERATOR, "api")
        assert service.settings["TimeZone"] == zone
        return
    with pytest.raises(SettingsRejected, match="There is no time zone"):
        await service.change({"TimeZone": zone}, OPERATOR, "api")


class TestListing:
    async def test_secrets_are_listed_as_set_or_not_set(self) -> None:
        service = open_service()
        await service.change({"APNPassword": "sesame", "AuthorizationKey": "k" * 16}, SYSTEM, "x")
        listed = service.list(OPERATOR)
        assert "sesame" not in repr(listed)
        assert "kkkk" not in repr(listed)
        views = {view.name: view for view in listed}
        assert (views["APNPassword"].value, views["APNPassword"].is_set) == (None, True)
        assert (views["SIMPin"].value, views["SIMPin"].is_set) == (None, False)
        assert views["AuthorizationKey"].is_set

    async def test_values_are_listed_with_the_reason_of_a_lock(self) -> None:
        service = open_service(active={"OperatorCurrentLimit"})
        await service.change({"OperatorCurrentLimit_2": 16}, OPERATOR, "api")
        views = {view.name: view for view in service.list(OPERATOR)}
        second = views["OperatorCurrentLimit_2"]
        assert (second.value, second.default, second.changed) == (16, 32, True)
        assert second.highest == (32,)
        assert str(second.label) == "Operator Current Limit [A] (Connector 2)"
        assert (second.active, second.locked) == (True, None)
        assert not views["FreeCharging"].active
        assert str(views["MaximumCurrent"].locked).startswith("Set by the manufacturer")

    async def test_users_see_settings_of_their_role(self) -> None:
        assert [view.name for view in open_service().list(USER)] == ["WebUILanguage"]


class TestLostSettings:
    """No settings can be read: lowest limits, and no charging until a person has confirmed."""

    lost = LoadedSettings(
        SettingsDocument(revision=7), SettingsHealth.DAMAGED, (Message("Nothing can be read."),)
    )

    def lost_service(self) -> tuple[SettingsService, MemoryRepository]:
        repository = MemoryRepository(self.lost)
        return open_service(repository), repository

    def test_lost_settings_give_lowest_limits_and_no_charging(self) -> None:
        service, _ = self.lost_service()
        assert not service.charging_allowed
        assert service.settings.integer("OperatorCurrentLimit") == 6
        assert service.settings.integer("MaximumCurrent", 2) == 6
        assert [str(report) for report in service.reports] == ["Nothing can be read."]

    async def test_other_changes_and_restarts_do_not_confirm(self) -> None:
        service, repository = self.lost_service()
        await service.change({"WebUILanguage": "fr"}, OPERATOR, "api")
        again = open_service(repository)
        assert not again.charging_allowed
        assert again.settings.integer("OperatorCurrentLimit") == 6

    async def test_a_person_confirms_the_limits(self) -> None:
        service, repository = self.lost_service()
        for other in (BACKEND, USER):
            with pytest.raises(MayNotConfirm):
                await service.confirm_limits(other)
        assert service.health is SettingsHealth.DAMAGED
        await service.confirm_limits(OPERATOR)
        assert service.charging_allowed
        assert open_service(repository).charging_allowed

    async def test_a_confirmation_that_is_not_stored_does_not_count(self) -> None:
        service, repository = self.lost_service()
        repository.full = True
        with pytest.raises(SettingsNotSaved):
            await service.confirm_limits(OPERATOR)
        assert not service.charging_allowed

    async def test_only_the_shown_revision_can_be_confirmed(self) -> None:
        service, _ = self.lost_service()
        seen = service.settings.revision
        await service.change({"OperatorCurrentLimit": 0}, BACKEND, "ocpp")
        with pytest.raises(SettingsConflict):
            await service.confirm_limits(OPERATOR, seen)
        assert not service.charging_allowed
        await service.confirm_limits(OPERATOR, service.settings.revision)
        assert service.charging_allowed

    async def test_the_installer_confirms_when_the_operator_may_not_install(self) -> None:
        service, _ = self.lost_service()
        await service.on_installer_password_set()
        with pytest.raises(MayNotConfirm, match="installer"):
            await service.confirm_limits(OPERATOR)
        await service.confirm_limits(INSTALLER)
        assert service.charging_allowed

    def test_the_limits_are_shown_to_be_compared(self) -> None:
        service, _ = self.lost_service()
        shown = {view.name: view.value for view in service.limits_to_confirm(OPERATOR)}
        limits = ("MaximumCurrent", "InstallationCurrentLimit", "OperatorCurrentLimit_2")
        assert {name: shown[name] for name in limits} == dict.fromkeys(limits, 6)
        assert shown["SingleSupplyLine"] is False
        assert "FreeCharging" not in shown


class TestLostNewestRevision:
    """The newest revision is lost: it may have held lower limits than any that can be read."""

    older = (
        SettingsDocument({"OperatorCurrentLimit": 16, "InstallationCurrentLimit_2": 10}),
        SettingsDocument({"SinglePhaseLimit": 20, "DLMExternalLoadFallback": [16, 9999, 16]}),
    )
    newest = SettingsDocument(
        {
            "InstallationCurrentLimit": 20,
            "OperatorCurrentLimit": 20,
            "DLMExternalLoadFallback": [32, 32, 32],
            "DLMOperatorEVSESubDistributionLimit": [10, 16, 8],
        },
        {"serial_number": "x", "site_key": "y"},
        9,
    )
    found = LoadedSettings(newest, SettingsHealth.RECOVERED, (Message("Lost."),), older)

    def test_a_lost_revision_gives_lowest_limits_and_no_charging(self) -> None:
        service = open_service(MemoryRepository(self.found))
        assert not service.charging_allowed
        settings = service.settings
        assert settings["InstallationCurrentLimit"] == 20
        assert settings["InstallationCurrentLimit_2"] == 10
        assert settings["OperatorCurrentLimit"] == 16
        assert settings["OperatorCurrentLimit_2"] == 10
        assert settings["SinglePhaseLimit"] == 20
        assert settings["DLMExternalLoadFallback"] == (9999, 9999, 9999)
        assert settings["DLMOperatorEVSESubDistributionLimit"] == (10, 16, 8)

    async def test_the_lowest_limits_hold_until_a_person_confirms(self) -> None:
        repository = MemoryRepository(self.found)
        open_service(repository)
        again = open_service(repository)
        assert not again.charging_allowed
        assert again.settings["InstallationCurrentLimit_2"] == 10
        changes: list[Any] = []
        again.confirmed.subscribe(changes.append)
        await again.confirm_limits(OPERATOR)
        assert changes == [OPERATOR]
        assert open_service(repository).charging_allowed

    def test_with_a_full_disk_the_station_starts_all_the_same(self) -> None:
        service = open_service(MemoryRepository(self.found, full=True))
        assert not service.charging_allowed


class TestUntilTheRestart:
    """Settings that take effect at a restart leave the old values in force until then."""

    async def test_a_supply_line_takes_effect_at_the_restart(self) -> None:
        service = open_service()
        await service.change({"InstallationCurrentLimit": 10}, INSTALLER, "api")
        answer = await service.change({"SingleSupplyLine": True}, INSTALLER, "api")
        assert answer.restart_required == ("SingleSupplyLine",)
        lines = (service.settings.single_supply_line, service.in_force.single_supply_line)
        assert lines == (True, False)
        # The limits of the sockets hold, and can be lowered.
        await service.change({"InstallationCurrentLimit": 8}, INSTALLER, "api")
        assert service.in_force["InstallationCurrentLimit"] == 8
        views = {view.name: view for view in service.list(INSTALLER)}
        assert views["InstallationCurrentLimit"].held
        assert views["InstallationCurrentLimit"].locked is None
        assert views["OperatorCurrentLimit"].highest == (8,)
        request = {"SupplyLineCurrentCapacity": 32, "OperatorCurrentLimit": 20}
        with pytest.raises(SettingsRejected, match="At most 8 A"):
            await service.change(request, INSTALLER, "api")
        service.mark_started()
        assert service.in_force.single_supply_line
        assert service.settings["SupplyLineCurrentCapacity"] == 8
        views = {view.name: view for view in service.list(INSTALLER)}
        assert not views["InstallationCurrentLimit"].held
        assert "SupplyLineCurrentCapacity" in str(views["InstallationCurrentLimit"].locked)

    async def test_the_installation_limit_is_refused_while_a_line_is_set(self) -> None:
        service = open_service()
        await service.change({"SingleSupplyLine": True}, INSTALLER, "api")
        service.mark_started()
        for value in (8, None):
            with pytest.raises(SettingsRejected) as rejected:
                await service.change({"InstallationCurrentLimit_2": value}, INSTALLER, "api")
            assert "SupplyLineCurrentCapacity" in str(rejected.value)
        await service.change({"SingleSupplyLine": False}, INSTALLER, "api")
        with pytest.raises(SettingsRejected, match="SupplyLineCurrentCapacity"):
            await service.change({"InstallationCurrentLimit": 16}, INSTALLER, "api")
        service.mark_started()
        await service.change({"InstallationCurrentLimit": 16}, INSTALLER, "api")

    async def test_switching_the_line_off_restores_the_limits_of_the_sockets(self) -> None:
        service = open_service()
        await service.change({"InstallationCurrentLimit_2": 16}, INSTALLER, "api")
        await service.change({"SingleSupplyLine": True}, INSTALLER, "api")
        service.mark_started()
        await service.change({"SupplyLineCurrentCapacity": 25}, INSTALLER, "api")
        await service.change({"SingleSupplyLine": False}, INSTALLER, "api")
        assert service.in_force.single_supply_line
        service.mark_started()
        assert service.in_force["InstallationCurrentLimit"] == 32
        assert service.in_force["InstallationCurrentLimit_2"] == 16

    async def test_the_number_of_phases_takes_effect_at_the_restart(self) -> None:
        service = open_service()
        await service.change({"PhasesConnected_2": "single"}, INSTALLER, "api")
        assert service.settings["PhasesConnected_2"] == "single"
        assert service.in_force["PhasesConnected_2"] == "three"


class TestInstaller:
    """Decision D35: the installation is the installer's as soon as he has a password."""

    async def test_the_operator_may_install_until_the_installer_has_a_password(self) -> None:
        repository = MemoryRepository()
        service = open_service(repository)
        assert service.settings["OperatorMayInstall"] is True
        changes: list[SettingsChange] = []
        service.subscribe(changes.append)
        await service.on_installer_password_set()
        await service.on_installer_password_set()
        assert [change.names for change in changes] == [("OperatorMayInstall",)]
        for switched in ({"InstallationCurrentLimit": 16}, {"OperatorMayInstall": True}):
            with pytest.raises(SettingsRejected, match="log in as installer"):
                await service.change(switched, OPERATOR, "api")
        assert open_service(repository).settings["OperatorMayInstall"] is False

    async def test_the_installer_may_allow_the_operator_again(self) -> None:
        repository = MemoryRepository()
        service = open_service(repository)
        await service.change({"OperatorMayInstall": True}, OPERATOR, "api")
        await service.on_installer_password_set()
        assert service.settings["OperatorMayInstall"] is False
        await service.change({"OperatorMayInstall": True}, INSTALLER, "api")
        again = open_service(repository)
        await again.change({"InstallationCurrentLimit": 16}, OPERATOR, "api")
        await again.change({"OperatorMayInstall": None}, INSTALLER, "api")
        assert again.settings["OperatorMayInstall"] is False

    async def test_with_a_full_disk_the_installation_still_belongs_to_the_installer(self) -> None:
        repository = MemoryRepository()
        service = open_service(repository)
        repository.full = True
        await service.on_installer_password_set()
        assert service.settings["OperatorMayInstall"] is False


async def test_unknown_stored_settings_survive_a_change() -> None:
    values: dict[str, Any] = {"FutureSetting": 1}
    repository = MemoryRepository(LoadedSettings(SettingsDocument(values), SettingsHealth.GOOD))
    service = open_service(repository)
    assert "FutureSetting is unknown to this version" in str(service.reports[0])
    await service.change({"FreeCharging": True}, OPERATOR, "api")
    assert repository.saved[-1].values == {"FutureSetting": 1, "FreeCharging": True}


async def test_a_held_value_is_in_force_and_stored_with_the_next_change() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    stored, seen = len(repository.saved), list[SettingsChange]()
    service.subscribe(seen.append)
    await service.hold({"HeartbeatInterval": 60}, SYSTEM, "backend")
    assert service.in_force["HeartbeatInterval"] == 60
    assert [change.names for change in seen] == [("HeartbeatInterval",)]
    assert (len(repository.saved), service.settings.revision) == (stored, 0)
    await service.change({"OperatorCurrentLimit": 16}, OPERATOR, "api")
    assert repository.saved[-1].values == {"HeartbeatInterval": 60, "OperatorCurrentLimit": 16}
    with pytest.raises(SettingsRejected):
        await service.hold({"HeartbeatInterval": -1}, SYSTEM, "backend")
    assert service.settings["HeartbeatInterval"] == 60
