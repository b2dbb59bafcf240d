"""Values at full marks of the clock: each mark once, also when timers fire a little early."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from borne.application.charging.clock_aligned import ClockAlignedValues, next_mark
from borne.application.charging.transaction_journal import TransactionJournal
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.supervisor import Supervisor
from tests.support.virtual_time import run_virtual

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLY = timedelta(milliseconds=1.5)


class _Journal:
    """Notes the marks."""

    def __init__(self) -> None:
        self.marks: list[datetime | None] = []

    async def record_aligned(self, _: int, at: Moment) -> None:
        self.marks.append(at.wall)


class _LateClock(Clock):
    """A clock that is a little behind: a timer set by it fires early."""

    def now(self) -> datetime:
        return super().now() - EARLY


@pytest.mark.parametrize("kind", [Clock, _LateClock])
def test_each_mark_is_emitted_once(kind: type[Clock]) -> None:
    async def scenario() -> list[datetime | None]:
        loop = asyncio.get_running_loop()
        clock = kind(loop.time, NOON + timedelta(seconds=1), ClockTrust.NTP)
        journal: Any = _Journal()
        supervisor = Supervisor("test")
        values = ClockAlignedValues(
            [1], cast(TransactionJournal, journal), clock, lambda: 900.0, supervisor
        )
        values.start()
        await asyncio.sleep(3 * 900.0)
        await supervisor.stop()
        marks: list[datetime | None] = journal.marks
        return marks

    assert run_virtual(scenario()) == [NOON + timedelta(minutes=15 * n) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("now", "interval_s", "mark"),
    [
        ((12, 0, 0), 900, (12, 15, 0)),
        ((12, 14, 59), 900, (12, 15, 0)),
        ((23, 50, 0), 900, (24, 0, 0)),
        ((23, 59, 0), 7 * 3600, (24, 0, 0)),
    ],
)
def test_marks_count_from_midnight(
    now: tuple[int, ...], interval_s: float, mark: tuple[int, ...]
) -> None:
    midnight = NOON.replace(hour=0)
    given, wanted = (midnight + timedelta(hours=h, minutes=m, seconds=s) for h, m, s in (now, mark))
    assert next_mark(given, interval_s) == wanted
