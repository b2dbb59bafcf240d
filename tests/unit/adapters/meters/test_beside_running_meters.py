"""A live test or scan on the line of meters that are in use: it costs them no poll."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
BANK = meter(SLUG)
UNITS = (1, 2)
ANSWER_S = 0.05


def respond(request: bytes) -> Pieces:
    """As two meters that ignore what they do not know."""
    unit, function, address, count = struct.unpack(">BBHH", request[:6])
    if unit not in UNITS:
        return []
    try:
        words = BANK.read(function, address, count)
    except ExceptionAnswer:
        return []
    return [(ANSWER_S, rtu(struct.pack(f">BBB{count}H", unit, function, 2 * count, *words)))]


@asynccontextmanager
async def billing_meters(buses: Buses) -> AsyncIterator[list[Measurement | MeterSilent]]:
    answers: list[Measurement | MeterSilent] = []
    meters = [ModbusMeter(load_profile(SLUG), unit, LINE, buses, energy_every=1) for unit in UNITS]
    for each in meters:
        each.subscribe(answers.append)
        await each.start()
    await asyncio.sleep(5)
    try:
        yield answers
    finally:
        for each in meters:
            await each.stop()


def missed(answers: list[Measurement | MeterSilent]) -> list[str]:
    return [str(each) for each in answers if isinstance(each, MeterSilent)]


@pytest.mark.parametrize("slug", [SLUG, "abb_b23", "cg_em340"])
def test_a_live_test_of_a_unit_in_use(slug: str) -> None:
    """Also with a type whose registers the meter does not answer for."""

    async def scenario() -> None:
        buses = Buses(MemoryLine(respond).open)
        async with billing_meters(buses) as answers:
            for _ in range(10):
                polls = await poll_meter(MeterAddress(slug, device=LINE.device), buses)
                assert bool(polls.measurements) is (slug == SLUG)
                assert polls.error is None or "does not answer" in str(polls.error)
            assert missed(answers) == []

    run_virtual(scenario())


def test_a_scan_of_units_in_use() -> None:
    async def scenario() -> None:
        buses = Buses(MemoryLine(respond).open)
        async with billing_meters(buses) as answers:
            async for _ in scan([ScanTarget(LINE, (*UNITS, 3))], buses):
                pass
            assert missed(answers) == []

    run_virtual(scenario())
