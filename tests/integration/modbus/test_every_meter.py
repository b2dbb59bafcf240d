"""Every type of meter over a real TCP socket and a pseudo-terminal: a device that is written from
the description of the meter alone, read by the driver.

The TCP server is pymodbus, which shares no code with the product.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
from borne.protocols.meter_profiles.register_types import WordOrder
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.server import ModbusServer
from tests.support.fake_buses import HOUSE, meter, shown_by
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


# Random values, orders of words and sizes of requests.

amounts = st.floats(-40_000, 40_000)


@st.composite
def houses(draw: st.DrawFn) -> Measurement:
    powers = (draw(amounts), draw(amounts), draw(amounts))
    return Measurement(
        at_s=0.0,
        voltage_v=(draw(st.floats(90, 290)), 230.0, 230.0),
        current_a=(powers[0] / 230, powers[1] / 230, powers[2] / 230),
        power_w=powers,
        power_total_w=sum(powers),
        import_wh=draw(st.integers(0, 90_000_000)),
        export_wh=draw(st.integers(0, 90_000_000)),
        frequency_hz=draw(st.floats(45, 65)),
    )


Served = Callable[[MeterBank], contextlib.AbstractAsyncContextManager[MeterAddress]]


@contextlib.asynccontextmanager
async def in_own_network(bank: MeterBank) -> AsyncIterator[MeterAddress]:
    server = ModbusServer(TcpEndpoint("127.0.0.1", 0), strict_device(bank.words))
    yield MeterAddress(bank.slug, host="127.0.0.1", port=await server.start())
    await server.close()


def over_the_wire_as_in_memory(
    slug: str, house: Measurement, order: str, max_words: int, served: Served
) -> None:
    """What the driver reads is what the profile makes of the registers themselves."""
    profile = load_profile(slug)
    cut = replace(
        profile,
        word_order=WordOrder(order),
        max_words=min(max_words, profile.max_words),
        pause_s=0.0,
    )
    bank = MeterBank(slug, shown_by(house), word_order=order)

    async def run() -> Measurement:
        buses = Buses()
        async with served(bank) as address:
            reader = build_meter(address, buses, profile=cut)
            await reader.start()
            measured = await reader.read()
            await reader.stop()
        await buses.close()
        return measured

    assert replace(asyncio.run(run()), at_s=0.0) == cut.measurement(bank.words, 0.0)


VALUES = {
    "slug": st.sampled_from(MODBUS),
    "house": houses(),
    "order": st.sampled_from(["big", "little"]),
    "max_words": st.integers(4, 120),
}


@settings(max_examples=30)
@given(**VALUES)
def test_random_values_over_tcp(slug: str, house: Measurement, order: str, max_words: int) -> None:
    over_the_wire_as_in_memory(slug, house, order, max_words, in_own_network)


@settings(max_examples=8)
@given(**VALUES)
def test_random_values_on_a_line(slug: str, house: Measurement, order: str, max_words: int) -> None:
    over_the_wire_as_in_memory(slug, house, order, max_words, on_line)


@pytest.mark.campaign
@pytest.mark.parametrize("served", [in_own_network, on_line])
@pytest.mark.parametrize("slug", MODBUS)
def test_many_random_values(slug: str, served: Served) -> None:
    @settings(max_examples=40)
    @given(**{name: value for name, value in VALUES.items() if name != "slug"})
    def examples(house: Measurement, order: str, max_words: int) -> None:
        over_the_wire_as_in_memory(slug, house, order, max_words, served)

    examples()
