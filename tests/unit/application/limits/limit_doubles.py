"""Sockets with doubles of their ports, under a real limit service; meters and settings from the
test."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from borne.application.limits.limit_service import STATION, LimitService
from borne.application.limits.socket_sharing import SocketSharing
from borne.application.settings.running import RunningSettings
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow, Offer
from borne.domain.limits.sources import LimitScope, Source
from borne.domain.settings.entry import HardwareFacts, Value
from borne.domain.settings.snapshot import Settings
from borne.domain.station.connector_events import Authorized
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal
from borne.foundation.units import PerPhase
from tests.unit.application.station_doubles import CARD, RunnerBench

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FakeMeters:
    """Billing meters whose readings come from the test; none at first."""

    def __init__(self) -> None:
        self.readings: dict[int, MeterReading] = {}
        self.changed: Signal[int] = Signal()
        self.silent: Signal[tuple[int, bool]] = Signal()
        self.asked: list[int] = []

    def show(self, connector: int, *amps: float) -> None:
        current_a = PerPhase(*amps) if len(amps) == 3 else PerPhase.same(*amps)
        now_s = asyncio.get_running_loop().time()
        reading = MeterReading(0, current_a, PerPhase.same(230.0), 0.0, now_s)
        self.readings[connector] = reading
        self.changed.emit(connector)

    def present_reading(self, connector: int) -> MeterReading | None:
        return self.readings.get(connector)

    async def read(self, connector: int) -> MeterReading | None:
        self.asked.append(connector)
        return self.readings.get(connector)


class Sockets:
    """Connectors and their limit service."""

    def __init__(self, connectors: int = 2, **how: Any) -> None:
        self.clock = Clock(asyncio.get_running_loop().time, NOON, ClockTrust.NTP)
        self.benches = {number: RunnerBench(number) for number in range(1, connectors + 1)}
        self.settings = RunningSettings(Settings(HardwareFacts(connectors=connectors)))
        self.meters = FakeMeters()
        runners = {number: bench.runner for number, bench in self.benches.items()}
        self.sharing = SocketSharing(runners, self.meters, self.benches[1].supervisor)
        self.service = LimitService(runners, self.settings, self.clock, self.sharing, **how)

    @property
    def offers(self) -> list[tuple[int, float]]:
        """Connector and amps of every change since the history was cleared, in its order."""
        return [(change.connector, change.after_a) for change in self.service.history]

    async def start(self, **settings: Value) -> Sockets:
        self.set(**settings)
        for bench in self.benches.values():
            await bench.start()
        self.service.start()
        return self

    async def charge(self, *connectors: int) -> None:
        """Plug cars in that take their offers, one after the other, and let all settle."""
        for connector in connectors:
            self.benches[connector].board.plug()
            await asyncio.sleep(1.0)
            self.benches[connector].runner.post(Authorized(CARD))
            await asyncio.sleep(30.0)

    def set(self, **settings: Value) -> None:
        """A committed change of settings."""
        self.settings.replace(self.settings().with_values(settings))

    def put(
        self,
        source: Source,
        *amps: float,
        connector: int = 1,
        for_s: float | None = None,
        owner: str = "",
    ) -> None:
        until_s = None if for_s is None else asyncio.get_running_loop().time() + for_s
        three = PerPhase(*amps) if len(amps) == 3 else PerPhase.same(*amps)
        row = LimitRow(source, three, LimitCause.PROFILE, self.clock.now(), until_s, owner)
        self.service.put(where(source, connector), row)

    def withdraw(self, source: Source, connector: int = 1, owner: str = "") -> None:
        self.service.withdraw(where(source, connector), source, owner)

    def offer(self, connector: int = 1) -> Offer:
        return self.service.offer(connector)

    def amps(self) -> list[float]:
        """What each connector offers, and what its machine was offered: the same."""
        offers = [bench.runner.state.offer_a for bench in self.benches.values()]
        assert offers == [self.service.offered_a(number) for number in self.benches]
        return offers

    def reason(self, connector: int, source: Source) -> str:
        """The reason of the row of a source in an offer."""
        return next(row.reason for row in self.offer(connector).rows if row.source == source)


def where(source: Source, connector: int = 1) -> int:
    """The book that holds rows of a source."""
    return STATION if source.scope is LimitScope.STATION else connector


async def turn() -> None:
    """Let the loop finish its turn and the cycle after it."""
    for _ in range(3):
        await asyncio.sleep(0)
