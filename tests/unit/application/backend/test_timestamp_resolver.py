"""What happened before the date was known gets one, once, in the true order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from borne.application.backend.timestamp_resolver import TimestampResolver
from borne.application.ports.storage import Storage
from borne.application.state.kept_state import mapping, sequence
from borne.domain.station.session import SessionEnd, SessionRecord, SessionStart, StopReason
from borne.domain.station.transaction_messages import StartMessage
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust
from tests.unit.adapters.storage.builders import NOON, opened


class _Board:
    """A board whose clock has no battery, through its power-ups; seconds never jump."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.now_s = 5000.0
        self.boots = 0
        self.clock = Clock(self._monotonic)
        self.resolver = self._new_resolver()

    def _monotonic(self) -> float:
        return self.now_s

    def _new_resolver(self) -> TimestampResolver:
        return TimestampResolver(self.storage.journal, self.storage.state, self.clock)

    async def boot(self, *, dated: bool = False) -> None:
        self.boots += 1
        trust = ClockTrust.RTC if dated else ClockTrust.NONE
        self.clock = Clock(self._monotonic, NOON, trust, f"boot-{self.boots}")
        self.resolver = self._new_resolver()
        await self.resolver.begin()

    async def learn_the_date(self) -> None:
        self.clock.observe(NOON, ClockTrust.BACKEND)
        await self.resolver.date_all()

    async def start(self, session_id: str) -> None:
        at = self.clock.moment()
        start = SessionStart(session_id, 1, Identity(IdentityKind.RFID, "A"), at, 1000, True)
        await self.storage.journal.open(start, StartMessage(session_id, 1, "A", 1000, at))

    async def end(self, session_id: str) -> None:
        end = SessionEnd(self.clock.moment(), 2000, StopReason.LOCAL)
        await self.storage.journal.close(session_id, end, None)

    async def record(self, session_id: str) -> SessionRecord:
        found = await self.storage.journal.get(session_id)
        assert found is not None
        return found

    async def offsets(self, *sessions: str) -> list[float | None]:
        """Start and end of each session in seconds from noon, which is when the date came."""
        found: list[float | None] = []
        for session_id in sessions:
            record = await self.record(session_id)
            for moment in (record.start.at, record.end.at if record.end else None):
                wall = moment.wall if moment else None
                found.append(None if wall is None else (wall - NOON).total_seconds())
        return found


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[_Board]:
    storage = await opened(tmp_path)
    yield _Board(storage)
    await storage.close()


async def test_a_boot_that_gets_the_date_dates_its_own_moments(board: _Board) -> None:
    await board.boot()
    await board.start("s1")
    board.now_s += 60
    await board.end("s1")
    board.now_s += 40
    await board.learn_the_date()
    assert await board.offsets("s1") == [-100, -40]


async def test_a_boot_without_a_date_ends_when_the_next_one_begins(board: _Board) -> None:
    await board.boot()
    board.now_s += 10
    await board.start("s1")
    board.now_s += 60
    await board.end("s1")
    board.now_s += 3600
    await board.boot()
    board.now_s += 30
    await board.learn_the_date()
    assert await board.offsets("s1") == pytest.approx([-90, -30], abs=0.1)


async def test_several_such_boots_keep_their_order(board: _Board) -> None:
    for session_id in ("s1", "s2", "s3"):
        await board.boot()
        await board.start(session_id)
        board.now_s += 60
        await board.end(session_id)
        board.now_s += 600
    await board.boot(dated=True)
    offsets = await board.offsets("s1", "s2", "s3")
    assert offsets == pytest.approx([-180, -120, -120, -60, -60, 0], abs=0.1)
    times = [offset for offset in offsets if offset is not None]
    assert times == sorted(times)
    assert len(set(times)) == 6


async def test_a_session_that_went_on_over_a_power_cut_keeps_its_order(board: _Board) -> None:
    await board.boot()
    await board.start("s1")
    board.now_s += 600
    await board.boot()
    await board.end("s1")
    await board.boot(dated=True)
    began, ended = await board.offsets("s1")
    assert began is not None
    assert ended is not None
    assert began < ended < 0


async def test_moments_are_dated_once(board: _Board) -> None:
    await board.boot()
    await board.start("s1")
    await board.boot()
    await board.learn_the_date()
    first = [queued.message for queued in await board.storage.outbox.content()]
    board.now_s += 100
    board.clock.observe(board.clock.now() + timedelta(seconds=30), ClockTrust.BACKEND)
    await board.resolver.date_all()
    assert [queued.message for queued in await board.storage.outbox.content()] == first
    assert all(moment.wall for message in first for moment in message.moments)


async def test_without_a_date_nothing_is_dated(board: _Board) -> None:
    await board.boot()
    await board.start("s1")
    await board.resolver.date_all()
    assert await board.offsets("s1") == [None, None]


async def test_a_boot_with_a_date_stores_nothing_about_itself(board: _Board) -> None:
    await board.boot(dated=True)
    await board.start("s1")
    assert await board.storage.journal.undated() == {}
    assert not await board.storage.state.get("undated_boots")


async def test_boots_of_form_1_are_dated_too(board: _Board) -> None:
    """0.1.0 stored a list of id and time for each boot."""
    await board.boot()
    await board.start("s1")
    state = board.storage.state
    assert await state.get("undated_boots") == [{"form": 2, "boot_id": "boot-1", "began_s": 5000.0}]
    await state.put("undated_boots", [["boot-1", 5000.0]])
    board.now_s = 10.0
    await board.boot()
    boots = sequence(await state.get("undated_boots"))
    assert [mapping(entry)["form"] for entry in boots] == [2, 2]
    await board.learn_the_date()
    (began, _) = await board.offsets("s1")
    assert began is not None
    assert began < 0
