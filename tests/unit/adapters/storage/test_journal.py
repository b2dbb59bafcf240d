"""Sessions as the contract `ports.SessionJournal` has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from borne.application.ports.storage import (
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
    Storage,
)
from borne.domain.station.session import (
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.vehicle import Identity, IdentityKind
from tests.unit.adapters.storage.builders import (
    NOON,
    TOKEN,
    as_stored,
    at,
    end,
    meter_value,
    opened,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


async def test_a_session_is_read_as_it_was_stored(storage: Storage) -> None:
    begin = SessionStart(
        "s1",
        2,
        Identity(IdentityKind.EMAID, "DE-ABC-C123", "family"),
        at(1.5),
        7,
        reported=False,
        reservation_id=9,
        flags=frozenset({SessionFlag.NOT_BILLABLE, SessionFlag.METER_SILENT_AT_START}),
    )
    finish = SessionEnd(
        at(99.25), 107, StopReason.POWER_LOSS, None, frozenset({SessionFlag.ESTIMATED_STOP})
    )
    await storage.journal.open(begin, None)
    assert await storage.journal.get("s1") == SessionRecord(begin, None, None, 7, 0.0)
    await storage.journal.close("s1", finish, None)
    assert await storage.journal.get("s1") == SessionRecord(begin, finish, None, 107, 0.0)


async def test_an_unknown_session_is_none(storage: Storage) -> None:
    assert await storage.journal.get("nobody") is None
    with pytest.raises(KeyError):
        await storage.journal.close("nobody", end(), stop_message("nobody"))
    assert await storage.outbox.length() == 0


async def test_a_session_id_is_used_once(storage: Storage) -> None:
    await storage.journal.open(start("s1"), start_message("s1"))
    with pytest.raises(ValueError, match="s1"):
        await storage.journal.open(start("s1", wh=5), start_message("s1"))
    assert await storage.outbox.length() == 1


async def test_a_second_end_changes_nothing(storage: Storage) -> None:
    await storage.journal.open(start(), start_message())
    await storage.journal.close("s1", end(wh=3500), stop_message())
    await storage.journal.close("s1", end(at(9999), wh=9000), stop_message())
    record = await storage.journal.get("s1")
    assert record is not None
    assert record.end == end(wh=3500)
    assert record.energy_wh == 2500
    assert await storage.outbox.length() == 2


async def test_open_sessions_come_oldest_first(storage: Storage) -> None:
    for name in ("b", "a", "c"):
        await storage.journal.open(start(name), None)
    await storage.journal.close("a", end(), None)
    assert [s.session_id for s in await storage.journal.open_sessions()] == ["b", "c"]


async def test_samples_make_the_curve_the_last_value_and_the_highest_power(
    storage: Storage,
) -> None:
    points = [sample(10, 1100, 7000.0), sample(20, 1300, 11000.5), sample(30, 1250, 9000.0)]
    await storage.journal.open(start(), None)
    for point in points:
        await storage.journal.sample("s1", point, None)
    record = await storage.journal.get("s1")
    assert record is not None
    assert (record.last_wh, record.max_power_w, record.energy_wh) == (1300, 11000.5, 300)
    assert await storage.journal.curve("s1") == points
    assert await storage.journal.curve("s2") == []


async def test_a_late_sample_does_not_change_an_ended_session(storage: Storage) -> None:
    await storage.journal.open(start(), None)
    await storage.journal.close("s1", end(wh=2000), None)
    await storage.journal.sample("s1", sample(4000, 2500, 9.0), None)
    record = await storage.journal.get("s1")
    assert record is not None
    assert (record.last_wh, record.max_power_w) == (2000, 0.0)


async def test_a_sample_with_a_message_queues_it(storage: Storage) -> None:
    await storage.journal.open(start(), start_message())
    await storage.journal.sample("s1", sample(10, 1100), values_message())
    assert [m.message.kind for m in await storage.outbox.content()] == [
        "StartTransaction",
        "MeterValues",
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["e", "d", "c", "b", "a"]),
        ({"offset": 1, "limit": 2}, ["d", "c"]),
        ({"limit": 0}, []),
        ({"connector": 2}, ["d", "b"]),
        ({"id_token": "CAFE"}, ["c"]),
        ({"since": NOON + timedelta(hours=1)}, ["d", "c", "b"]),
        ({"until": NOON + timedelta(hours=1)}, ["a"]),
        ({"since": NOON, "until": NOON + timedelta(hours=2)}, ["b", "a"]),
        ({"connector": 2, "since": NOON + timedelta(hours=2)}, ["d"]),
    ],
)
async def test_pages_are_newest_first_and_filtered(
    storage: Storage, filters: dict[str, Any], found: list[str]
) -> None:
    for hour, name in enumerate("abcd"):
        token = "CAFE" if name == "c" else TOKEN
        moment = at(3600.0 * hour)
        await storage.journal.open(
            start(name, connector=hour % 2 + 1, when=moment, token=token), None
        )
    await storage.journal.open(start("e", when=at(5, dated=False)), None)
    cut = {key: filters[key] for key in ("offset", "limit") if key in filters}
    query = SessionQuery(**{key: filters[key] for key in filters if key not in cut})
    records, count = await storage.journal.page(query, **cut)
    assert [record.session_id for record in records] == found
    assert count == len((await storage.journal.page(query))[0])


async def test_a_transaction_is_found_by_the_backends_number(storage: Storage) -> None:
    await storage.journal.open(start("old"), start_message("old"))
    await storage.journal.open(start("new"), start_message("new"))
    for seq in (1, 2):
        await storage.outbox.answered(seq, transaction_id=7)
    await storage.journal.close("new", end(), None)
    running = await storage.journal.find_transaction(7)
    assert running is not None
    assert running.session_id == "old"
    await storage.journal.close("old", end(), None)
    newest = await storage.journal.find_transaction(7)
    assert newest is not None
    assert newest.session_id == "new"
    assert await storage.journal.find_transaction(8) is None


async def test_sessions_without_a_start_at_the_backend_have_no_transaction(
    storage: Storage,
) -> None:
    await storage.journal.open(start(), start_message())
    await storage.outbox.discard(1, "refused")
    assert await storage.journal.find_transaction(-1) is None


class TestDating:
    async def test_undated_moments_get_the_date_of_their_boot(self, storage: Storage) -> None:
        begin, finish, other = (
            at(10.5, dated=False),
            at(70, dated=False),
            at(5, dated=False, boot="x"),
        )
        await storage.journal.open(start(when=begin), start_message(when=begin))
        await storage.journal.sample("s1", sample(20, 1100, dated=False), None)
        await storage.journal.close(
            "s1", end(finish), stop_message(when=finish, values=(meter_value("1", begin),))
        )
        await storage.journal.open(start("s2", when=other), start_message("s2", when=other))

        dated = await storage.journal.date("boot-1", NOON + timedelta(seconds=100), 100.0)

        assert dated == 4
        record = await storage.journal.get("s1")
        assert record is not None
        assert record.end is not None
        assert (record.start.at, record.end.at) == (at(10.5), at(70))
        assert [point.at for point in await storage.journal.curve("s1")] == [at(20)]
        messages = [queued.message for queued in await storage.outbox.content()]
        assert messages == [
            as_stored(start_message(when=at(10.5))),
            as_stored(stop_message(when=at(70), values=(meter_value("1", at(10.5)),))),
            start_message("s2", when=other),
        ]
        assert await storage.journal.undated() == {"x": 5.0}

    async def test_a_date_is_not_overwritten(self, storage: Storage) -> None:
        await storage.journal.open(start(when=at(10, dated=False)), None)
        assert await storage.journal.date("boot-1", NOON, 0.0) == 1
        assert await storage.journal.date("boot-1", NOON + timedelta(days=9), 0.0) == 0
        record = await storage.journal.get("s1")
        assert record is not None
        assert record.start.at == at(10)

    async def test_moments_stored_after_the_dating_are_dated_too(self, storage: Storage) -> None:
        await storage.journal.date("boot-1", NOON, 0.0)
        begin = at(10, dated=False)
        await storage.journal.open(start(when=begin), start_message(when=begin))
        record = await storage.journal.get("s1")
        queued = await storage.outbox.next()
        assert record is not None
        assert queued is not None
        assert record.start.at == at(10)
        assert queued.message == as_stored(start_message(when=at(10)))

    async def test_the_latest_undated_moment_of_each_boot_is_known(self, storage: Storage) -> None:
        await storage.journal.open(start(when=at(10, dated=False)), None)
        await storage.journal.close(
            "s1", end(at(30, dated=False)), stop_message(when=at(9.5, dated=False, boot="b"))
        )
        await storage.journal.open(start("s2"), None)
        assert await storage.journal.undated() == {"boot-1": 30.0, "b": 9.5}


class TestTotals:
    async def test_totals_without_sessions_are_zero(self, storage: Storage) -> None:
        totals = await storage.journal.totals()
        assert totals == SessionTotals()
        assert (totals.mean_energy_wh, totals.mean_duration_s) == (0.0, 0.0)

    async def test_ended_sessions_count(self, storage: Storage) -> None:
        for hour, seconds in ((0, 1800), (24, 3600)):
            name = str(hour)
            await storage.journal.open(start(name, when=at(hour * 3600.0), wh=0), None)
            await storage.journal.close(name, end(at(hour * 3600.0 + seconds), wh=seconds), None)
        await storage.journal.open(start("running"), None)
        totals = await storage.journal.totals()
        assert totals == SessionTotals(2, 5400, 5400.0, 2)
        assert (totals.mean_energy_wh, totals.mean_duration_s) == (2700.0, 2700.0)
        first_day = await storage.journal.totals(SessionQuery(until=NOON + timedelta(hours=1)))
        assert first_day == SessionTotals(1, 1800, 1800.0, 1)
        assert (
            await storage.journal.totals(SessionQuery(since=NOON + timedelta(days=2)))
            == SessionTotals()
        )

    async def test_a_session_over_an_undated_boot_has_no_duration(self, storage: Storage) -> None:
        await storage.journal.open(start(when=at(10, dated=False), wh=0), None)
        await storage.journal.close("s1", end(at(4, boot="boot-2"), wh=50), None)
        assert await storage.journal.totals() == SessionTotals(1, 50, 0.0, 0)

    async def test_a_register_that_went_backwards_adds_no_energy(self, storage: Storage) -> None:
        await storage.journal.open(start(wh=1000), None)
        await storage.journal.close("s1", end(wh=900), None)
        assert (await storage.journal.totals()).energy_wh == 0


class TestStatistics:
    async def test_sums_per_socket_and_card_most_energy_first(self, storage: Storage) -> None:
        journal = storage.journal
        for number, (connector, token, wh) in enumerate(
            [(1, TOKEN, 100), (2, "OTHER", 50), (2, TOKEN, 500)]
        ):
            begin = start(str(number), connector=connector, token=token, wh=0)
            await journal.open(begin, None)
            await journal.close(str(number), end(wh=wh), None)
        await journal.open(start("running"), None)
        by_socket = await journal.statistics(SessionGrouping.CONNECTOR)
        assert [(group.connector, group.totals.energy_wh) for group in by_socket] == [
            (2, 550),
            (1, 100),
        ]
        by_card = await journal.statistics(SessionGrouping.CARD)
        assert by_card == [
            SessionGroup(
                None, Identity(IdentityKind.RFID, TOKEN), SessionTotals(2, 600, 7200.0, 2)
            ),
            SessionGroup(
                None, Identity(IdentityKind.RFID, "OTHER"), SessionTotals(1, 50, 3600.0, 1)
            ),
        ]
        tomorrow = SessionQuery(since=NOON + timedelta(1))
        assert await journal.statistics(SessionGrouping.CARD, limit=1) == by_card[:1]
        assert await journal.statistics(SessionGrouping.CARD, tomorrow) == []


def holders(folder: Path, secret: bytes) -> list[str]:
    """The files that hold these bytes."""
    return [path.name for path in folder.iterdir() if secret in path.read_bytes()]


class TestPrivacy:
    async def test_old_sessions_are_forgotten_with_their_curves(self, storage: Storage) -> None:
        for hour, name in enumerate(("old", "undated", "new")):
            moment = at(3600.0 * hour, dated=name != "undated")
            await storage.journal.open(start(name, when=moment), None)
            await storage.journal.sample(name, sample(1, 1100), None)
            await storage.journal.close(name, end(), None)
        assert await storage.journal.forget(NOON) == 0
        assert await storage.journal.forget(NOON + timedelta(hours=1)) == 1
        assert await storage.journal.forget(NOON + timedelta(hours=3)) == 2
        assert (await storage.journal.page())[1] == 0
        assert await storage.journal.curve("old") == []

    async def test_running_and_queued_sessions_are_kept(self, storage: Storage) -> None:
        await storage.journal.open(start("running"), None)
        await storage.journal.open(start("waiting"), start_message("waiting"))
        await storage.journal.close("waiting", end(), None)
        assert await storage.journal.forget(NOON + timedelta(days=1)) == 0
        await storage.outbox.answered(1, transaction_id=5)
        assert await storage.journal.forget(NOON + timedelta(days=1)) == 1

    async def test_tokens_are_erased_from_ended_sessions(
        self, storage: Storage, tmp_path: Path
    ) -> None:
        secret = "DEADBEEF01"
        for name in ("a", "running"):
            await storage.journal.open(start(name, token=secret), start_message(name, token=secret))
        await storage.journal.open(start("b", token="OTHER"), None)
        await storage.outbox.discard(1, "refused")
        await storage.journal.close("a", end(), None)
        assert await storage.journal.anonymise(id_token=secret) == 1
        assert await storage.journal.anonymise(sessions=["b", "nobody"]) == 0
        records = {r.session_id: r for r in (await storage.journal.page())[0]}
        assert records["a"].start.identity == Identity(IdentityKind.RFID, "")
        assert records["a"].end is not None
        assert records["a"].end.id_token == ""
        assert records["running"].start.identity.id_token == secret
        (lost,) = await storage.outbox.lost()
        assert lost.message.message == as_stored(start_message("a", token=""))

    async def test_an_erased_token_is_nowhere_in_the_files(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(token="DEADBEEF01"), None)
        await storage.journal.close("s1", end(), None)
        await storage.journal.anonymise(sessions=["s1"])
        await storage.close()
        assert holders(tmp_path, b"DEADBEEF01") == []


async def test_sessions_survive_a_restart(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), start_message())
    await storage.journal.sample("s1", sample(10, 1100), None)
    before = await storage.journal.get("s1"), await storage.outbox.content()
    await storage.close()
    again = await opened(tmp_path)
    assert (await again.journal.get("s1"), await again.outbox.content()) == before
    assert await again.journal.curve("s1") == [sample(10, 1100)]
    assert again.notices == ()
    await again.close()
