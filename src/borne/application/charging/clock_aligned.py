"""Meter values at multiples of the clock-aligned interval, at the same moments in every station.

Source: OCPP 1.6 section 3.16 and 9.1.4 (ClockAlignedDataInterval counts from midnight UTC), errata
3.13 to 3.16. Without a date no values are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from borne.application.charging.transaction_journal import TransactionJournal
from borne.foundation.clock import Clock, ClockTrust, Moment
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.foundation.waiting import Flag

EARLY_S = 0.002
"""A timer may fire this much before its time."""


def next_mark(now: datetime, interval_s: float) -> datetime:
    """The first multiple of the interval after `now`, counted from midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight) // timedelta(seconds=interval_s)
    mark = midnight + (passed + 1) * timedelta(seconds=interval_s)
    return min(mark, midnight + timedelta(days=1))


class ClockAlignedValues:
    """Records the values of all connectors at each multiple of the interval."""

    def __init__(
        self,
        connectors: Iterable[int],
        journal: TransactionJournal,
        clock: Clock,
        interval_s: Callable[[], float],
        supervisor: Supervisor,
    ) -> None:
        self._connectors = tuple(connectors)
        self._journal = journal
        self._clock = clock
        self._interval_s = interval_s
        self._changed = Flag()
        self._last_mark: datetime | None = None
        """The last mark."""
        self._marking = OnDemandTask(supervisor, "clock aligned values", self._mark)

    def start(self) -> None:
        self._clock.stepped.notify(self.reconsider)
        self._marking.request()

    def reconsider(self) -> None:
        """Call when the interval or the clock changed."""
        self._changed.set()
        self._marking.request()

    async def _mark(self) -> None:
        """Record mark after mark, until the interval is 0 or the date is unknown."""
        while (interval_s := self._interval_s()) > 0 and self._clock.trust is not ClockTrust.NONE:
            self._changed.clear()
            mark = next_mark(self._clock.now(), interval_s)
            if mark == self._last_mark:
                # The timer fired early: the same mark must not be recorded twice.
                mark = next_mark(mark, interval_s)
            if await self._wait_until(mark):
                self._last_mark = mark
                await self._record(mark)

    async def _wait_until(self, mark: datetime) -> bool:
        """True at the mark, False if interval or clock changed before."""
        while (left_s := (mark - self._clock.now()).total_seconds()) > EARLY_S:
            if await self._changed.wait(left_s):
                return False
        return True

    async def _record(self, mark: datetime) -> None:
        at = Moment(self._clock.boot_id, self._clock.monotonic(), mark)
        for connector in self._connectors:
            await self._journal.record_aligned(connector, at)
