"""A billing meter that stops answering, and the end of the station meanwhile (manual 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from borne.application.charging.metering_service import BLIND_S, SILENCE_S, MeteringService
from borne.application.ports.hardware import EvseHardware, MeterSilent
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import ZERO, PerPhase
from tests.support.fake_stores import MemoryMeters
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import FakeBoard

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Meter:
    """A MeterPort that answers, says that it is silent, or hangs."""

    model, serial_number, billing, polls_itself = "test", "1", True, False

    def __init__(self) -> None:
        self.news: Signal[MeterReading | MeterSilent] = Signal()
        self.hangs = False

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def read(self) -> MeterReading:
        if self.hangs:
            await asyncio.Event().wait()
        now_s = asyncio.get_running_loop().time()
        return MeterReading(1000, ZERO, PerPhase.same(230.0), 0.0, now_s)

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        return self.news.subscribe(listener)


class Bench:
    """The service over one meter, and what it signalled."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.meter = Meter()
        evses = {1: EvseHardware(1, FakeBoard(), self.meter)}
        clock = Clock(loop.time, NOW, ClockTrust.NTP)
        self.service = MeteringService(evses, clock, MemoryMeters(), Supervisor("test"))
        self.signals: list[tuple[str, bool]] = []
        self.service.blind.subscribe(lambda news: self.signals.append(("blind", news[1])))
        self.service.silent.subscribe(lambda news: self.signals.append(("silent", news[1])))


@virtual_time
async def test_a_silent_meter_lowers_the_limit_then_is_a_fault() -> None:
    bench = Bench()
    await bench.service.start()
    bench.meter.news.emit(MeterSilent("no answer"))
    await asyncio.sleep(BLIND_S - 0.1)
    assert bench.signals == []
    await asyncio.sleep(0.2)
    assert bench.signals == [("blind", True)]
    await asyncio.sleep(SILENCE_S)
    assert bench.signals == [("blind", True), ("silent", True)]
    await bench.service.read(1)
    assert bench.signals[2:] == [("blind", False), ("silent", False)]


@virtual_time
async def test_a_reading_in_time_ends_the_wait() -> None:
    bench = Bench()
    await bench.service.start()
    bench.meter.news.emit(MeterSilent("no answer"))
    await asyncio.sleep(BLIND_S / 2)
    await bench.service.read(1)
    await asyncio.sleep(SILENCE_S * 2)
    assert bench.signals == []


@virtual_time
async def test_a_read_cancelled_by_the_stop_is_no_silence() -> None:
    bench = Bench()
    await bench.service.start()
    bench.meter.hangs = True
    read = asyncio.ensure_future(bench.service.read(1))
    await asyncio.sleep(0.1)
    await bench.service.stop()
    assert await read is None
    await asyncio.sleep(SILENCE_S * 2)
    assert bench.signals == []
