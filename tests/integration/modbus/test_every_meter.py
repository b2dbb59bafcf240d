"""Every type of meter over a real TCP socket and a pseudo-terminal: a device that is written from
the description of the meter alone, read by the driver.

The TCP server is pymodbus, which shares no code with the product.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from borne.adapters.meters.factory import build_meter
from borne.adapters.meters.polls import findings_capabilities
from borne.adapters.simulation import sunspec
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import Surroundings, findings
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Transport, load_profile, slugs
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.server import ModbusServer
from tests.support.fake_buses import HOUSE, meter
from tests.support.meter_bank import MeterBank
from tests.support.modbus_thread import strict_device

MODBUS = [
    slug
    for slug in slugs()
    if load_profile(slug).transport is not Transport.SPEEDWIRE and load_profile(slug).registers
]
UNIT = 7


def runs(bank: MeterBank, function: int) -> Iterator[SimData]:
    """The registers of a function, a run of neighbours each."""
    addresses = sorted(address for own, address in bank.words if own == function)
    for _, run in groupby(enumerate(addresses), lambda pair: pair[1] - pair[0]):
        places = [address for _, address in run]
        values = [bank.words[function, place] for place in places]
        yield SimData(places[0], values=values, datatype=DataType.REGISTERS)


def foreign_meter(bank: MeterBank) -> SimDevice:
    none = SimData(0, values=[0], datatype=DataType.REGISTERS)
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    holding, inputs = (list(runs(bank, function)) or [none] for function in (3, 4))
    return SimDevice(UNIT, simdata=(bits, bits, holding, inputs))


@contextlib.asynccontextmanager
async def in_network(bank: MeterBank) -> AsyncIterator[MeterAddress]:
    server: Any = ModbusTcpServer(
        foreign_meter(bank), framer=FramerType.SOCKET, address=("127.0.0.1", 0)
    )
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    yield MeterAddress(bank.slug, host="127.0.0.1", port=port, unit=UNIT)
    await server.shutdown()


@contextlib.asynccontextmanager
async def on_line(bank: MeterBank) -> AsyncIterator[MeterAddress]:
    server = ModbusServer(
        SerialEndpoint("", 115200), strict_device(bank.words), units={UNIT}, pty=True
    )
    await server.start()
    yield MeterAddress(bank.slug, device=server.device, baud=115200, unit=UNIT)
    await server.close()


async def read(address: MeterAddress) -> Measurement:
    buses = Buses()
    # The pauses that real meters need are for real meters.
    profile = replace(load_profile(address.slug), pause_s=0.0)
    reader = build_meter(address, buses, profile=profile)
    await reader.start()
    try:
        return await reader.read()
    finally:
        await reader.stop()
        await buses.close()


def shows_house(slug: str, measured: Measurement) -> None:
    """What the type measures is what the device shows; the rest is unknown."""
    has = load_profile(slug).capabilities
    names = load_profile(slug).registers
    for phase in range(3):
        if f"voltage_l{phase + 1}" in names:
            assert measured.voltage_v[phase] == pytest.approx(HOUSE.voltage_v[phase], abs=0.5)
        else:
            assert measured.voltage_v[phase] is None
        expected_a = HOUSE.current_a[phase]
        assert expected_a is not None
        if f"current_l{phase + 1}" in names:
            measured_a = measured.current_a[phase]
            assert measured_a is not None
            assert abs(measured_a) == pytest.approx(abs(expected_a), abs=0.06)
            if has.has_phase_power:
                assert measured_a * expected_a >= 0, "signed as the power"
        else:
            assert measured.current_a[phase] is None
    assert measured.power_total_w == (
        pytest.approx(HOUSE.power_total_w, abs=10) if has.has_power else None
    )
    assert measured.import_wh == (
        pytest.approx(HOUSE.import_wh, abs=1000) if has.has_energy else None
    )
    assert measured.frequency_hz == (
        pytest.approx(HOUSE.frequency_hz, abs=0.1) if has.has_frequency else None
    )
    found = findings(
        [measured], Surroundings(capabilities=findings_capabilities(load_profile(slug)))
    )
    assert [finding.code for finding in found if finding.code != "sign-unsure"] == []


@pytest.mark.parametrize("slug", MODBUS)
async def test_over_tcp_from_a_foreign_server(slug: str) -> None:
    async with in_network(meter(slug)) as address:
        shows_house(slug, await read(address))


@pytest.mark.parametrize("slug", MODBUS)
async def test_on_a_pseudo_terminal(slug: str) -> None:
    async with on_line(meter(slug)) as address:
        shows_house(slug, await read(address))


async def test_a_sunspec_meter_is_found_by_its_models() -> None:
    words = sunspec.registers(HOUSE)
    server = ModbusServer(TcpEndpoint("127.0.0.1", 0), strict_device(words))
    port = await server.start()
    measured = await read(MeterAddress("sunspec_meter", host="127.0.0.1", port=port))
    assert replace(measured, at_s=0.0, serial_number="") == HOUSE
    await server.close()
