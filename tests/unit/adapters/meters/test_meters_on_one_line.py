"""Billing meters on one line: what happens beside a meter does not make it silent."""

from __future__ import annotations

import asyncio
import struct
from typing import Self

import pytest

from borne.adapters.meters.modbus_meter import ModbusMeter
from borne.adapters.meters.polls import poll_meter
from borne.adapters.meters.scan import ScanTarget, scan
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import SerialEndpoint
from borne.protocols.modbus.failures import ExceptionAnswer
from tests.support.fake_buses import meter
from tests.support.modbus_line import MemoryLine, Pieces, rtu
from tests.support.virtual_time import run_virtual

LINE = SerialEndpoint("/dev/ttyUSB0")
SLUG = "eastron_sdm630"
WITH_SERIAL_NUMBER = "abb_b23"
UNITS = (1, 2)
ANSWER_S = 0.05
Answer = Measurement | MeterSilent


class Line:
    """Meters of a type, which ignore what they do not know."""

    def __init__(self, slug: str = SLUG, units: int = len(UNITS)) -> None:
        self._units = range(1, units + 1)
        self.dead: set[int] = set()
        self.buses = Buses(MemoryLine(self._respond).open)
        self.answers: dict[int, list[Answer]] = {unit: [] for unit in self._units}
        self._bank = meter(slug)
        self._meters = {
            unit: ModbusMeter(load_profile(slug), unit, LINE, self.buses, energy_every=1)
            for unit in self._units
        }

    async def __aenter__(self) -> Self:
        for unit, each in self._meters.items():
            each.subscribe(self.answers[unit].append)
            await each.start()
        await asyncio.sleep(5)
        return self

    async def __aexit__(self, *error: object) -> None:
        for each in self._meters.values():
            await each.stop()

    def missed(self, unit: int) -> list[str]:
        return [str(each) for each in self.answers[unit] if isinstance(each, MeterSilent)]

    def _respond(self, request: bytes) -> Pieces:
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        if unit not in self._units or unit in self.dead:
            return []
        try:
            words = self._bank.read(function, address, count)
        except ExceptionAnswer:
            return []
        return [(ANSWER_S, rtu(struct.pack(f">BBB{count}H", unit, function, 2 * count, *words)))]


@pytest.mark.parametrize("slug", [SLUG, WITH_SERIAL_NUMBER])
def test_a_dead_meter_beside_another_one(slug: str) -> None:
    """Also of a type that is asked for its serial number after a missed poll."""

    async def scenario() -> None:
        async with Line(slug) as line:
            line.answers[1].clear()
            line.dead = {2}
            await asyncio.sleep(60)
            assert len(line.missed(2)) > 30
            assert len(line.missed(1)) <= 1, "at most when the other one dies"
            assert len(line.answers[1]) > 45
            line.dead = set()
            await asyncio.sleep(15)
            assert isinstance(line.answers[2][-1], Measurement)

    run_virtual(scenario())


def test_a_meter_that_ignores_its_serial_number_is_not_silent() -> None:
    """The bank of a test has no such register."""

    async def scenario() -> None:
        async with Line(WITH_SERIAL_NUMBER) as line:
            assert [line.missed(unit) for unit in UNITS] == [[], []]

    run_virtual(scenario())


def test_meters_that_take_all_the_time_of_their_line() -> None:
    """Also while they are asked for serial numbers that they ignore: none waits without end."""

    async def scenario() -> None:
        async with Line(WITH_SERIAL_NUMBER, units=6) as line:
            await asyncio.sleep(55)
            for unit, answers in line.answers.items():
                assert len(line.missed(unit)) <= 4
                assert len(answers) > 30
                assert isinstance(answers[-1], Measurement)

    run_virtual(scenario())


@pytest.mark.parametrize("slug", [SLUG, "abb_b23", "cg_em340"])
def test_a_live_test_of_a_unit_in_use(slug: str) -> None:
    """Also with a type whose registers the meter does not answer for."""

    async def scenario() -> None:
        async with Line() as line:
            for _ in range(10):
                polls = await poll_meter(MeterAddress(slug, device=LINE.device), line.buses)
                assert bool(polls.measurements) is (slug == SLUG)
                assert polls.error is None or "does not answer" in str(polls.error)
            assert [line.missed(unit) for unit in UNITS] == [[], []]

    run_virtual(scenario())


def test_a_scan_of_units_in_use() -> None:
    async def scenario() -> None:
        async with Line() as line:
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            async for _ in scan([ScanTarget(LINE, (*UNITS, 3))], line.buses):
                pass
            assert loop.time() - began_s < 120
            assert [line.missed(unit) for unit in UNITS] == [[], []]

    run_virtual(scenario())
