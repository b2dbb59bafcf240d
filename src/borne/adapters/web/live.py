"""Distributes changes of the station: one task reads the status, every stream gets the newest.

A slow reader skips intermediate states but always gets the last one; nothing is queued. A stream
ends with its station (power cut, restart), or with its login or token.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from borne.application.services import StationServices
from borne.domain.station.station_status import StationStatus
from borne.foundation.events import Signal

MAX_STREAMS = 32
MAX_STREAMS_PER_ADDRESS = 8
CHECK_S = 1.0
"""Interval of the check that the station still exists."""
KEEP_ALIVE_S = 15.0


class TooManyStreams(Exception):
    """The maximum number of streams is open."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The next item of a stream. `snapshot` None: no change, send a keep-alive."""

    snapshot: StationStatus | None


class _Mailbox:
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.newest: StationStatus | None = None
        self._ended = False
        self.news = asyncio.Event()

    def put(self, snapshot: StationStatus) -> None:
        self.newest = snapshot
        self.news.set()

    def is_over(self) -> bool:
        return self._ended

    def end(self) -> None:
        self._ended = True
        self.news.set()


class EventHub:
    """All open streams of an application."""

    def __init__(self, services: Callable[[], StationServices | None]) -> None:
        self._services = services
        self._boxes: set[_Mailbox] = set()
        self._pump: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._boxes)

    def check_room(self, owner: str) -> None:
        """Raise TooManyStreams if the owner may not open another stream."""
        own = sum(1 for box in self._boxes if box.owner == owner)
        if len(self._boxes) >= MAX_STREAMS or own >= MAX_STREAMS_PER_ADDRESS:
            raise TooManyStreams

    async def follow(
        self, owner: str, valid: Callable[[], bool], also: Sequence[Signal[Any]] = ()
    ) -> AsyncIterator[Tick]:
        """The current state, then the newest after each change, and keep-alives in between: also
        when one of `also` emits. Ends with the station, or when `valid()` is false."""
        services = self._services()
        if services is None:
            return
        box = _Mailbox(owner)
        self._boxes.add(box)
        self._start_pump(services)
        unsubscribes = [signal.notify(box.news.set) for signal in also]
        try:
            box.put(services.status.snapshot())
            while not box.is_over() and valid():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await box.news.wait()
                box.news.clear()
                snapshot, box.newest = box.newest, None
                if self._services() is not services or not valid():
                    return
                if snapshot is not None or not box.is_over():
                    yield Tick(snapshot)
        finally:
            for unsubscribe in unsubscribes:
                unsubscribe()
            self._boxes.discard(box)
            if not self._boxes and self._pump is not None:
                self._pump.cancel()
                self._pump = None

    def end_of(self, owner: str) -> None:
        """End the streams of one owner."""
        for box in self._boxes:
            if box.owner == owner:
                box.end()

    def close(self) -> None:
        for box in self._boxes:
            box.end()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _start_pump(self, services: StationServices) -> None:
        if self._pump is None or self._pump.done():
            loop = asyncio.get_running_loop()
            self._pump = loop.create_task(self._run(services), name="web/events")

    async def _run(self, services: StationServices) -> None:
        changes = services.status.changes()
        upcoming: asyncio.Task[StationStatus] | None = None
        try:
            while self._services() is services:
                if upcoming is None:
                    upcoming = asyncio.ensure_future(_next(changes))
                done, _ = await asyncio.wait({upcoming}, timeout=CHECK_S)
                if not done:
                    continue
                snapshot = upcoming.result()
                upcoming = None
                for box in self._boxes:
                    box.put(snapshot)
        except StopAsyncIteration:
            pass
        finally:
            if upcoming is not None:
                upcoming.cancel()
            for box in self._boxes:
                box.end()


async def _next(changes: AsyncIterator[StationStatus]) -> StationStatus:
    return await anext(changes)
