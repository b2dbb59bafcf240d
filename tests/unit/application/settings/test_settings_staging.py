"""Unsaved changes of a login session."""

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


class Bench:
    """A staging area with a clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.repository = MemoryRepository()
        self.service: SettingsService = open_service(self.repository)
        self.staging = SettingsStaging(self.service, lambda: self.now_s, max_sessions=3)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def brief(item: StagedItem) -> tuple[object, ...]:
    return item.name, item.old, item.new


async def test_nothing_is_stored_before_save(bench: Bench) -> None:
    saved = len(bench.repository.saved)
    draft = bench.staging.stage("s", {"OperatorCurrentLimit": "16", "DLMRole": "master"}, OPERATOR)
    assert [brief(item) for item in draft.items] == [
        ("OperatorCurrentLimit", 32, 16),
        ("DLMRole", "disabled", "master"),
    ]
    assert draft.restart_required
    assert len(bench.repository.saved) == saved
    assert bench.service.settings.changed == frozenset()

    result = await bench.staging.save("s", OPERATOR, "web")
    assert result.applied == ("OperatorCurrentLimit", "DLMRole")
    assert bench.service.settings["OperatorCurrentLimit"] == 16
    assert bench.staging.draft("s", OPERATOR).items == ()


def test_changes_are_collected_over_pages(bench: Bench) -> None:
    bench.staging.stage("s", {"OperatorCurrentLimit": "16"}, OPERATOR)
    bench.staging.stage("s", {"FreeCharging": "on"}, OPERATOR)
    draft = bench.staging.stage("s", {"OperatorCurrentLimit": "10"}, OPERATOR)
    assert [brief(item) for item in draft.items] == [
        ("OperatorCurrentLimit", 32, 10),
        ("FreeCharging", False, True),
    ]


def test_staging_the_old_value_is_no_change(bench: Bench) -> None:
    bench.staging.stage("s", {"OperatorCurrentLimit": "16"}, OPERATOR)
    assert bench.staging.stage("s", {"OperatorCurrentLimit": "32"}, OPERATOR).items == ()


def test_undo_and_reset(bench: Bench) -> None:
    bench.staging.stage("s", {"OperatorCurrentLimit": "16", "FreeCharging": "on"}, OPERATOR)
    assert len(bench.staging.undo("s", "FreeCharging", OPERATOR).items) == 1
    bench.staging.reset("s")
    assert bench.staging.draft("s", OPERATOR).items == ()


async def test_an_invalid_value_stays_staged_with_its_error(bench: Bench) -> None:
    draft = bench.staging.stage("s", {"OperatorCurrentLimit": "99", "FreeCharging": "on"}, OPERATOR)
    bad, good = draft.items
    assert (bad.new, str(bad.error)[:12]) == ("99", "At most 32 A")
    assert good.error is None
    assert draft.errors == 1
    with pytest.raises(SettingsRejected):
        await bench.staging.save("s", OPERATOR, "web")
    assert len(bench.staging.draft("s", OPERATOR).items) == 2
    assert bench.service.settings.changed == frozenset()


def test_what_is_typed_counts_before_it_fits_together(bench: Bench) -> None:
    changes = {"DLMExternalMeterSupport": "on", "SecondMeterConfig": "abb_b23"}
    draft = bench.staging.stage("s", changes | {"SecondMeterBaudRate": "fast"}, OPERATOR)
    assert [item.name for item in draft.items if item.error], "the serial port is missing"
    typed = bench.staging.typed("s", OPERATOR)
    assert typed["SecondMeterConfig"] == "abb_b23"
    assert typed["SecondMeterBaudRate"] == 9600
    assert bench.staging.malformed("s") == ("SecondMeterBaudRate",)
    assert bench.service.settings["SecondMeterConfig"] != "abb_b23"


def test_an_error_ends_when_its_cause_is_corrected(bench: Bench) -> None:
    bench.staging.stage("s", {"StaticGateway": "10.0.0.1"}, OPERATOR)
    assert bench.staging.stage("s", {"EthernetConfigMode": "manual"}, OPERATOR).errors == 1
    assert bench.staging.stage("s", {"StaticIP": "10.0.0.2"}, OPERATOR).errors == 0


def test_names_that_do_not_exist_are_refused_at_once(bench: Bench) -> None:
    with pytest.raises(SettingsRejected):
        bench.staging.stage("s", {"FreeCharging": "on", "Nothing": "1"}, OPERATOR)
    assert bench.staging.draft("s", OPERATOR).items == ()


def test_secrets_are_not_shown(bench: Bench) -> None:
    draft = bench.staging.stage("s", {"APNPassword": "sesame", "SIMPin": "1"}, OPERATOR)
    assert "sesame" not in repr(draft)
    assert all(item.secret and item.new is None for item in draft.items)
    assert draft.errors == 1


class TestConflict:
    @pytest.fixture
    async def crossed(self, bench: Bench) -> Bench:
        bench.staging.stage("mine", {"OperatorCurrentLimit": "10"}, OPERATOR)
        await bench.service.change({"OperatorCurrentLimit": 16}, INSTALLER, "web")
        return bench

    async def test_a_conflict_is_noticed(self, crossed: Bench) -> None:
        (item,) = crossed.staging.draft("mine", OPERATOR).items
        assert (item.conflict, item.current, item.new) == (True, 16, 10)
        with pytest.raises(SettingsConflict):
            await crossed.staging.save("mine", OPERATOR, "web")
        assert crossed.service.settings["OperatorCurrentLimit"] == 16

    async def test_a_conflict_is_resolved_with_the_own_value(self, crossed: Bench) -> None:
        draft = crossed.staging.keep_mine("mine", "OperatorCurrentLimit", OPERATOR)
        assert draft.conflicts == ()
        await crossed.staging.save("mine", OPERATOR, "web")
        assert crossed.service.settings["OperatorCurrentLimit"] == 10

    async def test_a_conflict_is_resolved_with_the_stored_value(self, crossed: Bench) -> None:
        draft = crossed.staging.undo("mine", "OperatorCurrentLimit", OPERATOR)
        assert draft.items == ()

    async def test_editing_again_does_not_hide_a_conflict(self, crossed: Bench) -> None:
        draft = crossed.staging.stage("mine", {"OperatorCurrentLimit": "12"}, OPERATOR)
        assert draft.conflicts == ("OperatorCurrentLimit",)

    async def test_other_settings_are_no_conflict(self, bench: Bench) -> None:
        bench.staging.stage("mine", {"OperatorCurrentLimit": "10"}, OPERATOR)
        await bench.service.change({"FreeCharging": True}, INSTALLER, "web")
        assert bench.staging.draft("mine", OPERATOR).conflicts == ()
        await bench.staging.save("mine", OPERATOR, "web")


class TestSessions:
    def test_drafts_of_two_logins_are_separate(self, bench: Bench) -> None:
        bench.staging.stage("a", {"FreeCharging": "on"}, OPERATOR)
        assert bench.staging.draft("b", OPERATOR).items == ()

    def test_drafts_expire_a_day_after_the_last_change(self, bench: Bench) -> None:
        bench.staging.stage("a", {"FreeCharging": "on"}, OPERATOR)
        bench.now_s = EXPIRES_S - 1
        bench.staging.stage("a", {"OperatorCurrentLimit": "16"}, OPERATOR)
        bench.now_s += EXPIRES_S - 1
        assert len(bench.staging.draft("a", OPERATOR).items) == 2
        bench.now_s += 1
        assert bench.staging.draft("a", OPERATOR).items == ()

    def test_the_number_of_drafts_is_limited(self, bench: Bench) -> None:
        for session in ("a", "b", "c", "d"):
            bench.staging.stage(session, {"FreeCharging": "on"}, OPERATOR)
        assert [len(bench.staging.draft(s, OPERATOR).items) for s in "abcd"] == [0, 1, 1, 1]
