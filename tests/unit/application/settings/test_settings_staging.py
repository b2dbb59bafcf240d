"""Unsaved changes of a login session (interface 4.9)."""

from __future__ import annotations

import pytest

from borne.application.settings.settings_service import (
    SettingsConflict,
    SettingsRejected,
    SettingsService,
)
from borne.application.settings.settings_staging import EXPIRES_S, SettingsStaging, StagedItem
from tests.unit.application.settings_doubles import (
    INSTALLER,
    OPERATOR,
    MemoryRepository,
    open_service,
)


class Desk:
    """A staging area with a clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.repository = MemoryRepository()
        self.service: SettingsService = open_service(self.repository)
        self.staging = SettingsStaging(self.service, lambda: self.now_s, max_sessions=3)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def brief(item: StagedItem) -> tuple[object, ...]:
    return item.name, item.old, item.new


async def test_nothing_is_stored_before_save(desk: Desk) -> None:
    saved = len(desk.repository.saved)
    draft = desk.staging.stage("s", {"OperatorCurrentLimit": "16", "DLMRole": "master"}, OPERATOR)
    assert [brief(item) for item in draft.items] == [
        ("OperatorCurrentLimit", 32, 16),
        ("DLMRole", "disabled", "master"),
    ]
    assert draft.restart_required
    assert len(desk.repository.saved) == saved
    assert desk.service.settings.changed == frozenset()

    result = await desk.staging.save("s", OPERATOR, "web")
    assert result.applied == ("OperatorCurrentLimit", "DLMRole")
    assert desk.service.settings["OperatorCurrentLimit"] == 16
    assert desk.staging.draft("s", OPERATOR).items == ()


def test_changes_are_collected_over_pages(desk: Desk) -> None:
    desk.staging.stage("s", {"OperatorCurrentLimit": "16"}, OPERATOR)
    desk.staging.stage("s", {"FreeCharging": "on"}, OPERATOR)
    draft = desk.staging.stage("s", {"OperatorCurrentLimit": "10"}, OPERATOR)
    assert [brief(item) for item in draft.items] == [
        ("OperatorCurrentLimit", 32, 10),
        ("FreeCharging", False, True),
    ]


def test_the_old_value_again_is_no_change(desk: Desk) -> None:
    desk.staging.stage("s", {"OperatorCurrentLimit": "16"}, OPERATOR)
    assert desk.staging.stage("s", {"OperatorCurrentLimit": "32"}, OPERATOR).items == ()


def test_undo_and_reset(desk: Desk) -> None:
    desk.staging.stage("s", {"OperatorCurrentLimit": "16", "FreeCharging": "on"}, OPERATOR)
    assert len(desk.staging.undo("s", "FreeCharging", OPERATOR).items) == 1
    desk.staging.reset("s")
    assert desk.staging.draft("s", OPERATOR).items == ()


async def test_what_is_not_valid_stays_with_its_error(desk: Desk) -> None:
    draft = desk.staging.stage("s", {"OperatorCurrentLimit": "99", "FreeCharging": "on"}, OPERATOR)
    bad, good = draft.items
    assert (bad.new, str(bad.error)[:12]) == ("99", "At most 32 A")
    assert good.error is None
    assert draft.errors == 1
    with pytest.raises(SettingsRejected):
        await desk.staging.save("s", OPERATOR, "web")
    assert len(desk.staging.draft("s", OPERATOR).items) == 2
    assert desk.service.settings.changed == frozenset()


def test_an_error_goes_when_its_cause_is_corrected(desk: Desk) -> None:
    desk.staging.stage("s", {"StaticGateway": "10.0.0.1"}, OPERATOR)
    assert desk.staging.stage("s", {"EthernetConfigMode": "manual"}, OPERATOR).errors == 1
    assert desk.staging.stage("s", {"StaticIP": "10.0.0.2"}, OPERATOR).errors == 0


def test_names_that_do_not_exist_are_refused_at_once(desk: Desk) -> None:
    with pytest.raises(SettingsRejected):
        desk.staging.stage("s", {"FreeCharging": "on", "Nothing": "1"}, OPERATOR)
    assert desk.staging.draft("s", OPERATOR).items == ()


def test_secrets_are_not_shown(desk: Desk) -> None:
    draft = desk.staging.stage("s", {"APNPassword": "sesame", "SIMPin": "1"}, OPERATOR)
    assert "sesame" not in repr(draft)
    assert all(item.secret and item.new is None for item in draft.items)
    assert draft.errors == 1


class TestConflict:
    @pytest.fixture
    async def crossed(self, desk: Desk) -> Desk:
        desk.staging.stage("mine", {"OperatorCurrentLimit": "10"}, OPERATOR)
        await desk.service.change({"OperatorCurrentLimit": 16}, INSTALLER, "web")
        return desk

    async def test_is_noticed(self, crossed: Desk) -> None:
        (item,) = crossed.staging.draft("mine", OPERATOR).items
        assert (item.conflict, item.current, item.new) == (True, 16, 10)
        with pytest.raises(SettingsConflict):
            await crossed.staging.save("mine", OPERATOR, "web")
        assert crossed.service.settings["OperatorCurrentLimit"] == 16

    async def test_use_mine(self, crossed: Desk) -> None:
        draft = crossed.staging.keep_mine("mine", "OperatorCurrentLimit", OPERATOR)
        assert draft.conflicts == ()
        await crossed.staging.save("mine", OPERATOR, "web")
        assert crossed.service.settings["OperatorCurrentLimit"] == 10

    async def test_use_theirs(self, crossed: Desk) -> None:
        draft = crossed.staging.undo("mine", "OperatorCurrentLimit", OPERATOR)
        assert draft.items == ()

    async def test_editing_once_more_does_not_hide_it(self, crossed: Desk) -> None:
        draft = crossed.staging.stage("mine", {"OperatorCurrentLimit": "12"}, OPERATOR)
        assert draft.conflicts == ("OperatorCurrentLimit",)

    async def test_other_settings_are_no_conflict(self, desk: Desk) -> None:
        desk.staging.stage("mine", {"OperatorCurrentLimit": "10"}, OPERATOR)
        await desk.service.change({"FreeCharging": True}, INSTALLER, "web")
        assert desk.staging.draft("mine", OPERATOR).conflicts == ()
        await desk.staging.save("mine", OPERATOR, "web")


class TestSessions:
    def test_are_apart(self, desk: Desk) -> None:
        desk.staging.stage("a", {"FreeCharging": "on"}, OPERATOR)
        assert desk.staging.draft("b", OPERATOR).items == ()

    def test_end_a_day_after_the_last_change(self, desk: Desk) -> None:
        desk.staging.stage("a", {"FreeCharging": "on"}, OPERATOR)
        desk.now_s = EXPIRES_S - 1
        desk.staging.stage("a", {"OperatorCurrentLimit": "16"}, OPERATOR)
        desk.now_s += EXPIRES_S - 1
        assert len(desk.staging.draft("a", OPERATOR).items) == 2
        desk.now_s += 1
        assert desk.staging.draft("a", OPERATOR).items == ()

    def test_are_bounded(self, desk: Desk) -> None:
        for session in ("a", "b", "c", "d"):
            desk.staging.stage(session, {"FreeCharging": "on"}, OPERATOR)
        assert [len(desk.staging.draft(s, OPERATOR).items) for s in "abcd"] == [0, 1, 1, 1]
