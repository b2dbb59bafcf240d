"""The list of faults, and what feeds it besides the machines (manual 9, decision 0072).

Each fault from its physical cause is in `tests/integration/test_every_fault.py`; here are the
doors that a simulated world does not have, and the books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from borne.application.charging.fault_service import (
    ROOM_BYTES,
    FaultChange,
    FaultService,
    FaultSources,
)
from borne.application.charging.metering_service import MeteringService
from borne.application.ports.hardware import EvseHardware, MeterSilent
from borne.application.ports.settings import SettingsDocument
from borne.application.ports.storage import StorageFull
from borne.application.settings.settings_service import SettingsService
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import (
    BoardCapabilities,
    BoardLinkReport,
    BrownOutReport,
    Contact,
    ContactReport,
    PilotReport,
    PilotState,
    ResidualCurrentReport,
    SupplyReport,
)
from borne.domain.station.connector_events import Authorized
from borne.domain.station.faults import Fault
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.units import PerPhase
from tests.support.fake_stores import MemoryMeters, MemorySettings
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import CARD, RunnerBench

NOW = datetime(2026, 3, 1, tzinfo=UTC)
V230 = PerPhase.same(230.0)
WIRED = dict.fromkeys(("RCDInput", "MCBType2Input", "MCBDomesticInput", "SPDInput"), "opto_1")
"""Contacts of protective devices are connected."""


class FakeMeter:
    """A MeterPort whose readings come from the test."""

    model, serial_number, billing, polls_itself = "test", "1", True, False

    def __init__(self) -> None:
        self._news: Signal[MeterReading | MeterSilent] = Signal()
        self.latest: MeterReading | MeterSilent = self._reading(1000)

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def read(self) -> MeterReading:
        if isinstance(self.latest, MeterSilent):
            raise self.latest
        return self.latest

    def subscribe(self, listener: Callable[[MeterReading | MeterSilent], None]) -> Unsubscribe:
        return self._news.subscribe(listener)

    def show(self, register_wh: int, voltage_v: PerPhase = V230, current_a: float = 0.0) -> None:
        self.latest = self._reading(register_wh, voltage_v, current_a)
        self._news.emit(self.latest)

    def fall_silent(self) -> None:
        self.latest = MeterSilent("silent")
        self._news.emit(self.latest)

    def _reading(
        self, register_wh: int, voltage_v: PerPhase = V230, current_a: float = 0.0
    ) -> MeterReading:
        current = PerPhase.same(current_a)
        power_w = current.times(voltage_v).total
        now_s = asyncio.get_running_loop().time()
        return MeterReading(register_wh, current, voltage_v, power_w, now_s)


class Station:
    """Two connectors and the fault service over them."""

    def __init__(self, capabilities: BoardCapabilities | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.benches = {number: RunnerBench(number, capabilities) for number in (1, 2)}
        self.meters = {number: FakeMeter() for number in (1, 2)}
        runners = {number: bench.runner for number, bench in self.benches.items()}
        evses = {
            number: EvseHardware(number, bench.board, self.meters[number])
            for number, bench in self.benches.items()
        }
        supervisor = self.benches[1].supervisor
        clock = Clock(loop.time, NOW, ClockTrust.NTP)
        self.metering = MeteringService(evses, clock, MemoryMeters(), supervisor)
        settings = SettingsService.open(MemorySettings(SettingsDocument(WIRED)))
        self.free_bytes = ROOM_BYTES
        sources = FaultSources(lambda: _settings(settings), free_bytes=lambda: self.free_bytes)
        self.faults = FaultService(runners, self.metering, clock, sources)
        self.changes: list[FaultChange] = []

    async def start(self) -> Station:
        await self.metering.start()
        self.faults.changed.subscribe(self.changes.append)
        self.faults.start()
        for bench in self.benches.values():
            await bench.start()
        return self

    def active(self, connector: int | None = None) -> list[Fault]:
        return [found.fault for found in self.faults.active(connector)]


def _settings(service: SettingsService) -> Settings:
    return service.settings


async def _station(capabilities: BoardCapabilities | None = None) -> Station:
    return await Station(capabilities).start()


class TestList:
    @virtual_time
    async def test_a_station_fault_concerns_every_connector_and_is_listed_once(self) -> None:
        station = await _station()
        station.faults.set(Fault.RCD_TRIPPED, active=True)
        assert station.active() == [Fault.RCD_TRIPPED]
        assert [found.connector for found in station.faults.active()] == [0]
        for bench in station.benches.values():
            assert Fault.RCD_TRIPPED in bench.runner.state.faults
        station.faults.set(Fault.RCD_TRIPPED, active=False)
        assert station.active() == []
        assert [change.active for change in station.changes] == [True, False]

    @virtual_time
    async def test_a_fault_of_a_connector_leaves_the_other_alone(self) -> None:
        station = await _station()
        station.faults.set(Fault.OTHER, 2, active=True)
        assert station.active(1) == []
        assert station.active(2) == [Fault.OTHER]
        assert station.benches[1].runner.state.faults == frozenset()

    @virtual_time
    async def test_faults_found_by_the_machine_are_listed(self) -> None:
        station = await _station()
        board = station.benches[1].board
        board.plug()
        await asyncio.sleep(1)
        board.report(PilotReport(PilotState.E, pwm=False))
        assert station.active(1) == [Fault.VEHICLE_SIGNAL]
        board.report(PilotReport(PilotState.B, pwm=False))
        assert station.active() == []

    @virtual_time
    async def test_setting_a_fault_twice_is_one_change(self) -> None:
        station = await _station()
        for _ in range(3):
            station.faults.set(Fault.SURGE_PROTECTION, active=True)
        assert len(station.changes) == 1

    @virtual_time
    async def test_faults_are_sorted_by_connector_then_by_catalogue(self) -> None:
        station = await _station()
        for fault, connector in (
            (Fault.OTHER, 1),
            (Fault.CARD_READER, 0),
            (Fault.MCB_TYPE2, 1),
            (Fault.SURGE_PROTECTION, 0),
        ):
            station.faults.set(fault, connector, active=True)
        assert station.active() == [
            Fault.SURGE_PROTECTION,
            Fault.CARD_READER,
            Fault.MCB_TYPE2,
            Fault.OTHER,
        ]


@virtual_time
async def test_when_a_fault_ends_by_itself() -> None:
    station = await _station()
    board = station.benches[1].board
    board.report(ContactReport(Contact.RCD, tripped=True))
    await asyncio.sleep(60)
    board.report(ContactReport(Contact.RCD, tripped=False))
    await asyncio.sleep(4.9)
    assert station.active() == [Fault.RCD_TRIPPED]
    await asyncio.sleep(0.2)
    assert station.active() == []
    board.plug()
    await asyncio.sleep(10)
    station.benches[1].runner.post(Authorized(CARD))
    await asyncio.sleep(1)
    station.meters[1].show(1000, current_a=40.0)
    await asyncio.sleep(8)
    assert station.active(1) == [Fault.OVER_CURRENT]
    await asyncio.sleep(28)
    assert station.active(1) == [Fault.OVER_CURRENT]
    await asyncio.sleep(2)
    assert station.active(1) == []


class TestFullDisk:
    async def _full(self) -> Station:
        station = await _station()
        bench = station.benches[1]
        bench.keeper.begin_error = StorageFull("no space")
        bench.board.plug()
        await asyncio.sleep(1)
        bench.runner.post(Authorized(CARD))
        await asyncio.sleep(1)
        assert station.active() == [Fault.STORAGE_FULL]
        return station

    @virtual_time
    async def test_a_full_disk_is_a_fault_and_no_socket_starts(self) -> None:
        station = await self._full()
        board = station.benches[2].board
        board.plug()
        station.benches[2].runner.post(Authorized(CARD))
        await asyncio.sleep(10)
        assert station.benches[2].runner.state.session is None

    @virtual_time
    async def test_a_full_disk_is_found_before_a_session_needs_it(self) -> None:
        station = await _station()
        station.free_bytes = 0
        await asyncio.sleep(31)
        assert station.active() == [Fault.STORAGE_FULL]

    @virtual_time
    async def test_the_fault_clears_when_there_is_enough_space(self) -> None:
        station = await self._full()
        station.free_bytes = ROOM_BYTES - 1
        await asyncio.sleep(600)
        assert station.active() == [Fault.STORAGE_FULL]
        station.free_bytes = ROOM_BYTES
        await asyncio.sleep(61)
        assert station.active() == []

    @virtual_time
    async def test_an_end_stored_in_the_reserve_does_not_clear_the_fault(self) -> None:
        station = await self._full()
        station.free_bytes = 0
        station.benches[2].runner.storage_failed.emit(False)
        assert station.active() == [Fault.STORAGE_FULL]
        station.free_bytes = ROOM_BYTES
        station.benches[2].runner.storage_failed.emit(False)
        assert station.active() == []


class TestDelays:
    @virtual_time
    async def test_a_short_loss_of_the_backend_is_no_fault(self) -> None:
        station = await _station()
        for online in (False, True, False, False, True):
            station.faults.on_backend_online(online)
            await asyncio.sleep(9)
        assert station.changes == [
            FaultChange(Fault.BACKEND_OFFLINE, 0, active=True),
            FaultChange(Fault.BACKEND_OFFLINE, 0, active=False),
        ]

    @virtual_time
    async def test_nothing_is_reported_after_a_power_cut(self) -> None:
        station = await _station()
        station.faults.on_backend_online(online=False)
        station.faults.abort()
        await asyncio.sleep(60)
        assert station.changes == []


class TestBillingMeter:
    @virtual_time
    async def test_a_meter_without_supply_is_reported_as_lost_supply(self) -> None:
        station = await _station()
        station.benches[1].board.report(SupplyReport(present=False))
        station.meters[1].fall_silent()
        await asyncio.sleep(30)
        assert station.active() == [Fault.RCD_METER_LOSS]

    @pytest.mark.parametrize("contact", [Contact.RCD, Contact.MCB_TYPE2])
    @virtual_time
    async def test_a_tripped_contact_explains_a_lost_supply(self, contact: Contact) -> None:
        station = await _station()
        board, meter = station.benches[1].board, station.meters[1]
        board.report(SupplyReport(present=False))
        await asyncio.sleep(0.5)
        board.report(ContactReport(contact, tripped=True))
        meter.show(1000, PerPhase.same(0.0))
        await asyncio.sleep(30)
        explained = {Contact.RCD: Fault.RCD_TRIPPED, Contact.MCB_TYPE2: Fault.MCB_TYPE2}
        assert station.active() == [explained[contact]]
        board.report(ContactReport(contact, tripped=False))
        await asyncio.sleep(0.5)
        board.report(SupplyReport(present=True))
        meter.show(1000)
        await asyncio.sleep(30)
        assert [change.fault for change in station.changes] == [explained[contact]] * 2

    @virtual_time
    async def test_no_voltage_on_an_answering_meter_is_lost_supply(self) -> None:
        station = await _station()
        station.meters[1].show(1000)
        station.meters[1].show(1000, PerPhase.same(0.0))
        await asyncio.sleep(4)
        assert station.active() == [Fault.RCD_METER_LOSS]

    @virtual_time
    async def test_an_impossible_register_is_a_fault_until_unplugged(self) -> None:
        station = await _station()
        station.benches[1].board.plug()
        station.meters[1].show(900)
        assert station.active(1) == [Fault.METER_IMPLAUSIBLE]
        station.meters[1].show(900)
        assert station.active(1) == [Fault.METER_IMPLAUSIBLE]
        station.benches[1].board.unplug()
        await asyncio.sleep(1)
        assert station.active() == []

    @virtual_time
    async def test_without_a_vehicle_the_next_good_register_clears_the_fault(self) -> None:
        station = await _station()
        station.meters[1].show(900)
        assert station.active(1) == [Fault.METER_IMPLAUSIBLE]
        station.meters[1].show(900)
        assert station.active() == []


class TestResidualCurrentMonitor:
    @virtual_time
    async def test_the_monitor_is_tested_at_the_start_and_after_each_unplugging(self) -> None:
        station = await _station()
        board = station.benches[1].board
        assert board.tested == 1
        for number in (2, 3):
            board.plug()
            await asyncio.sleep(60)
            assert board.tested == number - 1
            board.unplug()
            await asyncio.sleep(1)
            assert board.tested == number

    @virtual_time
    async def test_a_board_without_a_monitor_is_not_tested(self) -> None:
        station = await _station(BoardCapabilities(has_residual_current_monitor=False))
        assert station.benches[1].board.tested == 0

    @pytest.mark.parametrize("reset_s", [10.0, 900.0])
    def test_the_monitor_is_rearmed_after_its_reset_time(self, reset_s: float) -> None:
        @virtual_time
        async def scenario() -> None:
            station = await _station(BoardCapabilities(residual_reset_s=reset_s))
            board = station.benches[1].board
            board.plug()
            board.report(ResidualCurrentReport(tripped=True, rms_ma=40.0))
            assert station.active(1) == [Fault.RESIDUAL_CURRENT]
            await asyncio.sleep(60)
            board.report(PilotReport(PilotState.A, pwm=False))
            await asyncio.sleep(reset_s - 0.1)
            assert board.rearmed == 0
            await asyncio.sleep(0.2)
            assert board.rearmed == 1
            board.report(ResidualCurrentReport(tripped=False))
            assert station.active() == []

        scenario()

    @pytest.mark.parametrize("report", [BrownOutReport(), BoardLinkReport(alive=True)])
    @virtual_time
    async def test_a_trip_ends_when_the_board_was_off(
        self, report: BrownOutReport | BoardLinkReport
    ) -> None:
        station = await _station()
        board = station.benches[1].board
        board.plug()
        board.report(ResidualCurrentReport(tripped=True))
        board.report(report)
        await asyncio.sleep(1)
        assert Fault.RESIDUAL_CURRENT not in station.active(1)

    @virtual_time
    async def test_a_failed_self_test_stays_until_a_good_one(self) -> None:
        station = await _station()
        board = station.benches[1].board
        board.report(ResidualCurrentReport(tripped=False, self_test_passed=False))
        await asyncio.sleep(3600)
        board.report(ResidualCurrentReport(tripped=False))
        assert station.active(1) == [Fault.SELF_TEST]
        station.faults.self_test(1)
        board.report(ResidualCurrentReport(tripped=False, self_test_passed=True))
        assert station.active() == []
