"""A billing meter that stops answering, and the end of the station meanwhile (manual 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

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

    model, serial_number, billing = "test", "1", True

    def __init__(self, *, polls_itself: bool = False) -> None:
        self.polls_itself = polls_itself
        self.reads = 0
        self.news: Signal[MeterReading | MeterSilent] = Signal()
        self.hangs = False
        self.register_wh = 1000
        self.answers_after_s = 0.0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def read(self) -> MeterReading:
        self.reads += 1
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.answers_after_s)
        return self.reading()

    def reading(self) -> MeterReading:
        now_s = asyncio.get_running_loop().time()
        return MeterReading(self.register_wh, ZERO, PerPhase.same(230.0), 0.0, now_s)

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        return self.news.subscribe(listener)


class Bench:
    """The service over one meter, and what it signalled."""

    def __init__(self, *, polls_itself: bool = False, live_poll_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.meter = Meter(polls_itself=polls_itself)
        evses = {1: EvseHardware(1, FakeBoard(), self.meter)}
        clock = Clock(loop.time, NOW, ClockTrust.NTP)
        self.service = MeteringService(
            evses, clock, MemoryMeters(), Supervisor("test"), live_poll_s
        )
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
async def test_a_register_that_jumps_each_second_does_not_flood_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(polls_itself=True)
    await bench.service.start()
    for second in range(130):
        await asyncio.sleep(1)
        bench.meter.register_wh = 1000 if second % 2 else 0
        bench.meter.news.emit(bench.meter.reading())
    assert sum("is not believed" in record.message for record in caplog.records) == 3


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


class TestMetersThatPoll:
    """A meter that polls by itself: three misses in a row, or ten seconds; two good polls."""

    @staticmethod
    async def _bench() -> Bench:
        bench = Bench(polls_itself=True, live_poll_s=1.0)
        await bench.service.start()
        return bench

    @staticmethod
    async def _poll(bench: Bench, *, good: bool, times: int = 1) -> None:
        for _ in range(times):
            await asyncio.sleep(1)
            bench.meter.news.emit(bench.meter.reading() if good else MeterSilent("no answer"))

    @virtual_time
    async def test_three_misses_in_a_row_are_a_fault(self) -> None:
        bench = await self._bench()
        await self._poll(bench, good=False, times=2)
        await self._poll(bench, good=True)
        await self._poll(bench, good=False, times=2)
        assert bench.signals == []
        await self._poll(bench, good=False)
        assert bench.signals == [("silent", True)]
        await self._poll(bench, good=False, times=10)
        assert bench.signals == [("silent", True), ("blind", True)]

    @virtual_time
    async def test_the_fault_ends_with_the_second_good_poll_in_a_row(self) -> None:
        bench = await self._bench()
        await self._poll(bench, good=False, times=3)
        await self._poll(bench, good=True)
        await self._poll(bench, good=False)
        await self._poll(bench, good=True)
        assert bench.signals == [("silent", True)]
        assert bench.service.readings[1].at_s == asyncio.get_running_loop().time()
        await self._poll(bench, good=True)
        assert bench.signals == [("silent", True), ("silent", False)]

    @virtual_time
    async def test_a_poll_that_answers_a_read_is_one_poll(self) -> None:
        bench = await self._bench()
        await self._poll(bench, good=False, times=3)
        await self._poll(bench, good=True)
        await bench.service.read(1)
        assert bench.signals == [("silent", True)]

    @virtual_time
    async def test_a_read_waits_for_the_next_poll_of_a_slow_meter(self) -> None:
        bench = await self._bench()
        bench.meter.answers_after_s = 4.5
        assert await bench.service.read(1) is not None
        assert bench.signals == []

    @virtual_time
    async def test_a_meter_that_reports_nothing_at_all_is_silent_after_ten_seconds(self) -> None:
        bench = await self._bench()
        await self._poll(bench, good=True)
        await asyncio.sleep(BLIND_S - 0.1)
        assert bench.signals == []
        await asyncio.sleep(0.2)
        assert bench.signals == [("blind", True)]
        await asyncio.sleep(SILENCE_S - BLIND_S)
        assert bench.signals == [("blind", True), ("silent", True)]

    @virtual_time
    async def test_it_is_not_polled_by_the_service(self) -> None:
        bench = await self._bench()
        bench.service.watch(1, active=True)
        reads = bench.meter.reads
        await self._poll(bench, good=True, times=5)
        assert bench.meter.reads == reads
