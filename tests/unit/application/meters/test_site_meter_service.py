"""The second meter on a meter of the test: silence after three misses or ten seconds, recovery with
the second good poll, the serial number that is kept, and what is believed (manual 7.4.2, 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from borne.application.meters.own_current import OwnCurrent
from borne.application.meters.site_meter_service import (
    MAX_REPORTS,
    SILENCE_S,
    SiteMeterService,
    SiteMeterSources,
)
from borne.application.ports.hardware import MeterSilent
from borne.application.refusals import Refused
from borne.application.settings.running import RunningSettings
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.settings.choices import DlmRole, MeterLocation, PhaseRotation
from borne.domain.settings.entry import Amps
from borne.domain.settings.snapshot import Settings
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import PerPhase
from tests.support.fake_stores import MemoryState
from tests.support.virtual_time import virtual_time

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR, "anna")
SETTINGS: dict[str, Any] = {
    "DLMExternalMeterSupport": True,
    "DLMRole": DlmRole.MASTER,
    "DLMMainDistributionLimit": Amps(63, 63, 63),
    "DLMExternalLoadFallback": Amps(20, 21, 22),
    "DLMExternalMeterLocation": MeterLocation.INCLUDING,
    "SecondMeterIP": "192.168.1.2",
}
STATE = SiteMeterState


class Meter:
    """A SiteMeterPort whose answers come from the test."""

    model = "test meter"

    def __init__(self, *, polls_itself: bool = True) -> None:
        self.polls_itself = polls_itself
        self.serial_number = "S1"
        self.news: Signal[Measurement | MeterSilent] = Signal()
        self.amps = PerPhase.same(10.0)
        self.reads = 0
        self.started = self.stopped = False

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        self.stopped = True

    async def read(self) -> Measurement:
        self.reads += 1
        return self.measured()

    def subscribe(self, listener: Callable[[Measurement | MeterSilent], None]) -> Unsubscribe:
        return self.news.subscribe(listener)

    def measured(self) -> Measurement:
        return Measurement(
            at_s=asyncio.get_running_loop().time(),
            voltage_v=(230.0, 230.0, 230.0),
            current_a=self.amps,
            frequency_hz=50.0,
        )


class Sockets:
    """The billing meters of the station."""

    def __init__(self) -> None:
        self.changed: Signal[int] = Signal()
        self.readings: dict[int, MeterReading] = {}
        self.blind_connectors: tuple[int, ...] = ()

    def draw(self, *amps: float) -> None:
        self.readings[1] = MeterReading(0, PerPhase(*amps), PerPhase.same(230.0), 0.0, 0.0)
        self.changed.emit(1)


class Bench:
    """The service, its meter, and what it published."""

    def __init__(
        self, state: MemoryState | None = None, *, polls_itself: bool = True, **settings: Any
    ) -> None:
        loop = asyncio.get_running_loop()
        self.meter = Meter(polls_itself=polls_itself)
        self.sockets = Sockets()
        self.state = state or MemoryState()
        self.reports: list[str] = []
        self.silences: list[bool] = []
        self.statuses: list[SiteMeterStatus] = []
        self.running = RunningSettings(Settings(stored=SETTINGS | settings))
        sources = SiteMeterSources(
            self.running,
            OwnCurrent(self.sockets, self.running),
            self.state,
            Clock(loop.time, NOW, ClockTrust.NTP),
            Supervisor("test"),
            self.reports.append,
        )
        self.service = SiteMeterService(self.meter, sources)
        self.service.silent.subscribe(self.silences.append)
        self.service.changed.subscribe(self.statuses.append)

    async def start(self) -> Bench:
        await self.service.start()
        return self

    async def poll(self, *amps: float, times: int = 1) -> SiteMeterStatus:
        """A poll each second."""
        if amps:
            self.meter.amps = PerPhase(*amps) if len(amps) == 3 else PerPhase.same(amps[0])
        for _ in range(times):
            await asyncio.sleep(1)
            self.meter.news.emit(self.meter.measured())
        await asyncio.sleep(0)
        return self.service.status

    async def miss(self, times: int = 1) -> SiteMeterStatus:
        for _ in range(times):
            await asyncio.sleep(1)
            self.meter.news.emit(MeterSilent("no answer"))
        return self.service.status

    @property
    def current_a(self) -> PerPhase | None:
        return self.service.status.current_a


@virtual_time
async def test_a_start_is_silent_until_the_second_poll_and_no_fault() -> None:
    bench = await Bench().start()
    status = bench.service.status
    assert (status.state, status.current_a) == (STATE.SILENT, None)
    assert status.fallback_a == PerPhase(20, 21, 22)
    assert (await bench.poll(10)).state is STATE.SILENT
    status = await bench.poll(10)
    assert (status.state, status.current_a) == (STATE.OK, PerPhase.same(10))
    assert (status.model, status.serial_number, status.age_s, status.reason) == (
        "test meter",
        "S1",
        0.0,
        None,
    )
    assert bench.silences == []


@pytest.mark.parametrize("seconds", [1, 3])
@virtual_time
async def test_three_misses_in_a_row_are_silence(seconds: int) -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    assert (await bench.miss(2)).state is STATE.OK
    await bench.poll(10)
    await bench.miss(2)
    assert bench.silences == []
    status = await bench.miss()
    assert (status.state, status.current_a) == (STATE.SILENT, None)
    assert str(status.reason) == "The second meter does not answer: no answer"
    assert bench.silences == [True]
    await bench.miss(seconds)
    assert bench.silences == [True]


@virtual_time
async def test_recovery_needs_two_good_polls_in_a_row() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    await bench.miss(3)
    await bench.poll(12)
    await bench.miss()
    assert (await bench.poll(12)).state is STATE.SILENT
    assert (await bench.poll(12)).state is STATE.OK
    assert bench.silences == [True, False]


@virtual_time
async def test_ten_seconds_without_a_report_are_silence() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    await asyncio.sleep(SILENCE_S - 0.1)
    assert bench.silences == []
    await asyncio.sleep(0.2)
    assert bench.silences == [True]
    assert str(bench.service.status.reason) == (
        "The second meter does not answer: no reading for 10 s"
    )
    assert bench.service.status.age_s == pytest.approx(10.1)


@virtual_time
async def test_a_meter_that_never_answers_is_silent_after_ten_seconds() -> None:
    bench = await Bench().start()
    await asyncio.sleep(SILENCE_S + 0.1)
    assert bench.silences == [True]


@virtual_time
async def test_answers_that_do_not_pass_the_door_are_misses() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    await bench.poll(5000, times=3)
    assert bench.silences == [True]
    assert str(bench.service.status.reason) == (
        "The second meter gives no usable answer: "
        "a current of 5000 A, where at most 315 A is possible"
    )


@virtual_time
async def test_less_load_counts_with_the_second_poll_and_more_at_once() -> None:
    bench = await Bench().start()
    await bench.poll(50, times=2)
    await bench.poll(10)
    assert bench.current_a == PerPhase.same(50)
    await bench.poll(10)
    assert bench.current_a == PerPhase.same(10)
    await bench.poll(40)
    assert bench.current_a == PerPhase.same(40)


@virtual_time
async def test_a_meter_that_does_not_follow_the_sockets_is_doubted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await Bench().start()
    bench.sockets.draw(0, 0, 0)
    await bench.poll(2, times=4)
    bench.sockets.draw(0, 16, 0)
    status = await bench.poll(2, times=6)
    assert status.state is STATE.DOUBTED
    assert status.current_a == PerPhase(2, 16, 2)
    assert "on L2:" in str(status.reason)
    assert caplog.messages.count(str(status.reason)) == 1
    status = await bench.poll(2, 18, 2, times=2)
    assert (status.state, status.reason) == (STATE.OK, None)


@virtual_time
async def test_a_meter_beside_the_sockets_needs_not_follow_them() -> None:
    bench = await Bench(DLMExternalMeterLocation=MeterLocation.EXCLUDING).start()
    await bench.poll(2, times=4)
    bench.sockets.draw(0, 16, 0)
    status = await bench.poll(2, times=6)
    assert (status.state, status.current_a) == (STATE.OK, PerPhase.same(2))


@virtual_time
async def test_sockets_are_compared_in_the_phases_of_the_grid() -> None:
    bench = await Bench(ConnectorPhaseRotation=PhaseRotation.STR).start()
    bench.sockets.draw(16, 0, 0)
    await bench.poll(2, times=6)
    assert bench.current_a == PerPhase(2, 16, 2)


@virtual_time
async def test_another_serial_number_does_not_count_until_it_is_accepted() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    bench.meter.serial_number = "S2"
    await bench.poll(1, times=3)
    status = bench.service.status
    assert bench.silences == [True]
    assert (status.serial_number, status.accepted_serial_number) == ("S2", "S1")
    assert "serial number S2 instead of S1" in str(status.reason)
    assert len(bench.reports) == 1
    await bench.service.accept(OPERATOR)
    status = await bench.poll(1, times=2)
    assert (status.state, status.current_a) == (STATE.OK, PerPhase.same(1))
    assert bench.silences == [True, False]
    assert bench.state.values["second_meter"]["serial_number"] == "S2"


@virtual_time
async def test_the_first_serial_number_is_kept_across_restarts() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    await bench.service.stop()
    assert bench.meter.stopped
    again = await Bench(bench.state).start()
    again.meter.serial_number = "S2"
    assert (await again.poll(10, times=3)).state is STATE.SILENT
    assert len(again.reports) == 1
    moved = await Bench(bench.state, SecondMeterIP="192.168.1.3").start()
    moved.meter.serial_number = "S2"
    assert (await moved.poll(10, times=3)).state is STATE.OK


@virtual_time
async def test_the_known_meter_ends_the_doubt_about_another_one() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    bench.meter.serial_number = "S2"
    await bench.poll(1)
    bench.meter.serial_number = "S1"
    await bench.poll(10)
    assert bench.service.status.state is STATE.OK
    with pytest.raises(Refused, match="No other meter"):
        await bench.service.accept(OPERATOR)


@virtual_time
async def test_changing_serial_numbers_do_not_flood_the_security_log() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    for _ in range(10):
        bench.meter.serial_number = ""
        await bench.poll(10)
        bench.meter.serial_number = "S1"
        await bench.poll(10)
    assert len(bench.reports) == 1, "each other meter once"
    for number in range(100):
        bench.meter.serial_number = f"X{number}"
        await bench.poll(10)
    assert len(bench.reports) == MAX_REPORTS
    await bench.service.accept(OPERATOR)
    bench.meter.serial_number = "S1"
    await bench.poll(10)
    assert len(bench.reports) == MAX_REPORTS + 1


@virtual_time
async def test_accepting_needs_an_operator() -> None:
    bench = await Bench().start()
    with pytest.raises(Refused, match="needs"):
        await bench.service.accept(Principal(PrincipalKind.PERSON, Role.USER, "eve"))


@virtual_time
async def test_an_unreadable_identity_does_not_keep_a_station_from_starting() -> None:
    bench = await Bench(MemoryState({"second_meter": {"form": 9}})).start()
    assert (await bench.poll(10, times=2)).state is STATE.OK


ABSENT: Sequence[tuple[str, dict[str, Any]]] = [
    ("off", {"DLMExternalMeterSupport": False}),
    ("slave", {"DLMRole": DlmRole.SLAVE_AUTO}),
]


@pytest.mark.parametrize("settings", [a[1] for a in ABSENT], ids=[a[0] for a in ABSENT])
@virtual_time
async def test_a_meter_that_is_not_set_is_not_started(settings: dict[str, Any]) -> None:
    bench = await Bench(**settings).start()
    await asyncio.sleep(60)
    assert not bench.meter.started
    assert bench.service.status.state is STATE.ABSENT
    assert bench.silences == []


class TestChangesOnly:
    """A meter that reports changes only, as the simulated one."""

    @virtual_time
    async def test_its_readings_hold_until_it_says_otherwise(self) -> None:
        bench = await Bench(polls_itself=False).start()
        await asyncio.sleep(1.1)
        assert bench.service.status.state is STATE.OK
        reads = bench.meter.reads
        await asyncio.sleep(3600)
        assert bench.meter.reads == reads
        assert bench.silences == []

    @virtual_time
    async def test_less_load_is_read_again_before_it_counts(self) -> None:
        bench = await Bench(polls_itself=False).start()
        await asyncio.sleep(2)
        bench.meter.amps = PerPhase.same(1)
        bench.meter.news.emit(bench.meter.measured())
        assert bench.current_a == PerPhase.same(10)
        await asyncio.sleep(1.1)
        assert bench.current_a == PerPhase.same(1)

    @virtual_time
    async def test_its_silence_is_a_fault_after_ten_seconds(self) -> None:
        bench = await Bench(polls_itself=False).start()
        await asyncio.sleep(2)
        for _ in range(4):
            bench.meter.news.emit(MeterSilent("gone"))
        await asyncio.sleep(SILENCE_S - 0.1)
        assert bench.silences == []
        await asyncio.sleep(0.2)
        assert bench.silences == [True]
        bench.meter.news.emit(bench.meter.measured())
        assert bench.silences == [True]
        await asyncio.sleep(1.1)
        assert bench.silences == [True, False]

    @virtual_time
    async def test_one_that_does_not_follow_the_sockets_is_found(self) -> None:
        bench = await Bench(polls_itself=False).start()
        await asyncio.sleep(60)
        bench.sockets.draw(16, 0, 0)
        await asyncio.sleep(30)
        assert bench.current_a == PerPhase(16, 10, 10)
        assert bench.service.status.state is STATE.DOUBTED


@virtual_time
async def test_nothing_happens_after_a_power_cut() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    bench.service.abort()
    await bench.miss(5)
    await asyncio.sleep(60)
    assert bench.silences == []


@virtual_time
async def test_listeners_hear_of_what_is_visible_only() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=5)
    states = [status.state for status in bench.statuses]
    assert states == [STATE.SILENT, STATE.OK]
    await bench.poll(12)
    assert bench.statuses[-1].current_a == PerPhase.same(12)


@virtual_time
async def test_a_change_of_the_digital_input_is_published() -> None:
    bench = await Bench().start()
    await bench.poll(10, times=2)
    before = len(bench.statuses)
    await bench.poll(times=2)
    assert len(bench.statuses) == before
    bench.meter.news.emit(replace(bench.meter.measured(), digital_input=True))
    assert len(bench.statuses) == before + 1


@virtual_time
async def test_what_is_shown_is_kept_beside_what_is_believed() -> None:
    bench = await Bench().start()
    bench.sockets.draw(16, 16, 16)
    await bench.poll(3, times=10)
    status = bench.service.status
    assert (status.current_a, status.shown_a) == (PerPhase.same(16), PerPhase.same(3))
    assert not status.changes_only
