"""The local whitelist (manual 5.5): what people may do with it, and what survives a power cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from borne.application.authorization.whitelist import UNDO_S, WHITELIST_LIMIT, Whitelist
from borne.application.commands import Removed
from borne.application.ports.storage import StorageFull, WhitelistEntry
from borne.application.refusals import Refused
from borne.domain.authorization.decision import WhitelistMatch
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from borne.domain.settings.choices import LetterCase
from borne.foundation.clock import Clock, ClockTrust

CARD, OTHER, MAC = "04567DAA5F3580", "0A0E9B83", "0018E6A1B201"
USER = Principal(PrincipalKind.PERSON, Role.USER)


class Store:
    """A WhitelistStore in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int | None], WhitelistEntry] = {}

    async def load(self) -> list[WhitelistEntry]:
        return list(self.entries.values())

    async def put(self, entries: Sequence[WhitelistEntry]) -> None:
        self.entries.update({(entry.token, entry.connector): entry for entry in entries})

    async def remove(self, keys: Sequence[tuple[str, int | None]] | None) -> int:
        gone = list(self.entries) if keys is None else list(keys)
        return len([self.entries.pop(key) for key in gone if key in self.entries])


class Bench:
    """A whitelist, its store, and a clock that the test sets."""

    def __init__(self, spelling: LetterCase = LetterCase.UPPER) -> None:
        self.now_s = 0.0
        self.spelling = spelling
        self.store = Store()
        clock = Clock(lambda: self.now_s, datetime(2026, 11, 22, 10, tzinfo=UTC), ClockTrust.NTP)
        self.list = Whitelist(self.store, clock, lambda: self.spelling)

    async def holds(self, *cards: str) -> Bench:
        for card in cards:
            await self.list.add(card, SYSTEM)
        return self

    @property
    def shown(self) -> list[tuple[str, int | None, str]]:
        entries, count = self.list.page(limit=WHITELIST_LIMIT)
        assert count == len(entries)
        return [(entry.token, entry.connector, entry.name) for entry in entries]

    async def stored(self) -> list[tuple[str, int | None, str]]:
        """What another station finds on this disk."""
        again = Bench(self.spelling)
        again.list = Whitelist(self.store, Clock(lambda: 0.0), lambda: self.spelling)
        await again.list.load()
        return again.shown


async def test_a_postfix_binds_a_card_to_a_socket() -> None:
    bench = await Bench().holds(f"{CARD}_1", f"{OTHER}#2", MAC)
    assert bench.shown == [(MAC, None, ""), (CARD, 1, ""), (OTHER, 2, "")]
    assert bench.list.match(CARD, 1) is WhitelistMatch.HERE
    assert bench.list.match(CARD, 2) is WhitelistMatch.OTHER_CONNECTOR
    assert bench.list.match(MAC, 2) is WhitelistMatch.HERE
    assert bench.list.match("FFFFFFFF", 1) is WhitelistMatch.NONE
    assert await bench.stored() == bench.shown


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("nonsense", "invalid_token"),
        ("", "invalid_token"),
        ("08AABBCC", "random_token"),
        (f"{CARD}_7", "unknown_connector"),
    ],
)
async def test_an_invalid_card_number_is_refused(card: str, code: str) -> None:
    bench = Bench()
    with pytest.raises(Refused) as refused:
        await bench.holds(card)
    assert refused.value.code == code
    assert bench.shown == []


@pytest.mark.parametrize(
    ("spelling", "shown"),
    [
        (LetterCase.LOWER, "0a0e9b83"),
        (LetterCase.UPPER, "0A0E9B83"),
        (LetterCase.LOWER_INVERTED, "839b0e0a"),
        (LetterCase.UPPER_INVERTED, "839B0E0A"),
    ],
)
@pytest.mark.parametrize("change", [str.lower, str.upper])
async def test_numbers_are_shown_in_the_letter_case_of_the_setting_and_both_are_read(
    spelling: LetterCase, shown: str, change: Callable[[str], str]
) -> None:
    bench = await Bench(spelling).holds(change(shown))
    assert bench.shown == [(shown, None, "")]
    assert bench.list.spelled(OTHER, "RFID") == shown
    assert await bench.list.export_colons() == shown
    assert shown in await bench.list.export_csv()
    assert bench.list.match(OTHER, 1) is WhitelistMatch.HERE
    assert bench.list.page(search=change(shown))[1] == 1


async def test_numbers_are_typed_and_shown_in_the_byte_order_of_the_setting() -> None:
    bench = await Bench(LetterCase.LOWER_INVERTED).holds("839b0e0a", MAC)
    assert bench.shown == [(MAC, None, ""), ("839b0e0a", None, "")]
    assert bench.list.match(OTHER, 1) is WhitelistMatch.HERE
    assert await bench.list.export_colons() == f"{MAC}:839b0e0a"
    assert bench.list.page(search="839b")[1] == 1
    assert await bench.list.remove("839b0e0a", SYSTEM) == Removed(1)


async def test_only_operators_change_the_list() -> None:
    bench = await Bench().holds(CARD)
    for attempt in (
        bench.list.add(OTHER, USER),
        bench.list.rename(CARD, None, "Eve", USER),
        bench.list.remove(CARD, USER),
        bench.list.remove_all(USER),
        bench.list.undo(USER),
        bench.list.import_text(OTHER, USER, dry_run=True),
    ):
        with pytest.raises(Refused, match="this needs operator"):
            await attempt
    assert bench.shown == [(CARD, None, "")]


async def test_a_name_finds_a_card_and_can_be_changed() -> None:
    bench = await Bench().holds(CARD, OTHER)
    assert await bench.list.rename(CARD, None, "  Anna ", SYSTEM)
    assert not await bench.list.rename(MAC, None, "Bob", SYSTEM)
    (found,), count = bench.list.page(search="ANN")
    assert (found.token, count) == (CARD, 1)
    assert bench.list.page(search="04:56:7d")[1] == 1
    assert bench.list.page(search="eve") == ([], 0)
    assert (CARD, None, "Anna") in await bench.stored()


async def test_a_removal_can_be_undone_for_half_a_minute() -> None:
    bench = await Bench().holds(CARD, OTHER)
    await bench.list.rename(CARD, None, "Anna", SYSTEM)
    assert await bench.list.remove(CARD, SYSTEM) == Removed(1)
    with pytest.raises(Refused, match="no such entry"):
        await bench.list.remove(CARD, SYSTEM)
    assert await bench.stored() == [(OTHER, None, "")]
    assert bench.list.undoable == 1
    assert await bench.list.undo(SYSTEM) == 1
    assert bench.shown == await bench.stored() == [(CARD, None, "Anna"), (OTHER, None, "")]
    assert await bench.list.undo(SYSTEM) == 0


async def test_an_undo_after_half_a_minute_is_refused() -> None:
    bench = await Bench().holds(CARD)
    await bench.list.remove_all(SYSTEM)
    bench.now_s += UNDO_S
    assert bench.list.undoable == 0
    assert await bench.list.undo(SYSTEM) == 0
    assert bench.shown == []


async def test_the_whole_list_is_removed_when_its_number_is_confirmed_and_restored() -> None:
    bench = await Bench().holds(CARD, OTHER, MAC)
    assert await bench.list.remove_all(SYSTEM) == 3
    assert await bench.stored() == []
    await bench.list.add(CARD, SYSTEM, name="new")
    assert await bench.list.undo(SYSTEM) == 2
    assert bench.shown == [(MAC, None, ""), (CARD, None, "new"), (OTHER, None, "")]


async def test_a_dry_run_reports_and_changes_nothing() -> None:
    bench = await Bench().holds(CARD, OTHER)
    text = f"{CARD},Anna\n{OTHER}\nnonsense\n{MAC}\n{MAC}\n"
    report = await bench.list.import_text(text, SYSTEM, dry_run=True)
    counts = (report.added, report.changed, report.unchanged, report.removed, report.repeated)
    assert counts == (1, 1, 1, 0, 1)
    assert not report.applied
    assert [problem.line for problem in report.problems] == [3]
    assert bench.shown == [(CARD, None, ""), (OTHER, None, "")]


async def test_an_import_adds_entries_and_keeps_names_it_does_not_contain() -> None:
    bench = await Bench().holds(CARD)
    await bench.list.rename(CARD, None, "Anna", SYSTEM)
    report = await bench.list.import_text(f"{CARD}:{OTHER}_2", SYSTEM, dry_run=False)
    assert (report.applied, report.added, report.unchanged) == (True, 1, 1)
    assert bench.shown == await bench.stored() == [(CARD, None, "Anna"), (OTHER, 2, "")]


async def test_an_import_may_replace_the_list_and_that_can_be_undone() -> None:
    bench = await Bench().holds(CARD, OTHER)
    report = await bench.list.import_text(MAC, SYSTEM, dry_run=False, replace_all=True)
    assert (report.added, report.removed) == (1, 2)
    assert bench.shown == await bench.stored() == [(MAC, None, "")]
    assert await bench.list.undo(SYSTEM) == 2


async def test_an_export_can_be_imported() -> None:
    bench = await Bench().holds(f"{CARD}_1", OTHER)
    await bench.list.rename(OTHER, None, "=Bob", SYSTEM)
    other = Bench()
    await other.list.import_text(await bench.list.export_csv(";"), SYSTEM, dry_run=False)
    assert other.shown == bench.shown


async def test_ten_thousand_entries_are_one_import_and_more_are_refused() -> None:
    bench, rng = Bench(), random.Random(1)
    tokens = {f"04{rng.getrandbits(48):012X}" for _ in range(10_000)}
    report = await bench.list.import_text("\n".join(tokens), SYSTEM, dry_run=False)
    assert report.added == len(tokens) == len(await bench.stored())
    many = "\n".join(f"05{rng.getrandbits(48):012X}" for _ in range(10_001))
    with pytest.raises(Refused, match="holds 20000 entries at most"):
        await bench.list.import_text(many, SYSTEM, dry_run=True)


async def test_the_last_use_is_stored() -> None:
    bench = await Bench().holds(f"{CARD}_1", CARD, OTHER)
    bench.now_s = 60.0
    await bench.list.used(CARD, [1])
    await bench.list.used(MAC, [1])
    used = {(e.token, e.connector): e.last_used_at for e in await bench.store.load()}
    now = "2026-11-22T10:01:00Z"
    assert used == {(CARD, 1): now, (CARD, None): now, (OTHER, None): ""}


async def test_a_use_that_cannot_be_stored_is_not_shown_and_raises_nothing() -> None:
    bench = await Bench().holds(CARD)

    async def full(_: Sequence[WhitelistEntry]) -> None:
        raise StorageFull("the disk is full")

    bench.store.put = full  # type: ignore[method-assign,assignment]
    await bench.list.used(CARD, [1])
    assert [entry.last_used_at for entry in bench.list.page(limit=1)[0]] == [""]
