"""A meter that is lost, slow, half-open or answers wrongly, seen at the door of its driver: on a
real bus and a wire in memory."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from borne.adapters.meters.modbus_meter import POLL_TIMEOUT_S, ModbusMeter
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.connection import LONGEST_RECONNECT_S
from borne.protocols.modbus.endpoint import Endpoint, Framing, TcpEndpoint
from borne.protocols.modbus.failures import ModbusFailure
from tests.support.fake_buses import HOUSE, meter
from tests.support.modbus_line import MemoryLine, Pieces, rtu
from tests.support.virtual_time import virtual_time

TCP = TcpEndpoint("192.0.2.7")
GATEWAY = TcpEndpoint("192.0.2.7", framing=Framing.RTU)
SLUG = "siemens_7km2200"
BANK = meter(SLUG)
FAULT_S = 20.0
RECOVERY_S = LONGEST_RECONNECT_S + POLL_TIMEOUT_S + 1.0
EACH_S = POLL_TIMEOUT_S + 1.0
"""A poll takes no longer, and the next one begins a second after it at the latest."""


def body_for(body: bytes) -> bytes:
    """Unit, function and data of the answer of a healthy meter."""
    unit, function, address, count = struct.unpack(">BBHH", body)
    try:
        words = BANK.read(function, address, count)
    except ModbusFailure:
        return struct.pack(">BBB", unit, function | 0x80, 2)
    return struct.pack(f">BBB{count}H", unit, function, 2 * count, *words)


class Wire:
    """A meter on a line; `change` damages the unit, function and data of each answer, `delay_s` is
    the time until the answer, None for none."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.is_rtu = endpoint == GATEWAY
        self.line = MemoryLine(self.respond)
        self.change: Callable[[bytes], bytes] = lambda body: body
        self.delay_s: float | None = 0.02
        self.hangs_up = False

    def respond(self, request: bytes) -> Pieces:
        if self.hangs_up:
            self.line.links[-1].close()
        if self.delay_s is None:
            return []
        body = self.change(body_for(request[:-2] if self.is_rtu else request[6:]))
        if self.is_rtu:
            return [(self.delay_s, rtu(body))]
        return [(self.delay_s, struct.pack(">HHH", *head(request, body)) + body)]

    def heal(self) -> None:
        self.change = lambda body: body
        self.delay_s, self.hangs_up, self.line.unreachable = 0.02, False, ""


def head(request: bytes, body: bytes) -> tuple[int, int, int]:
    return int.from_bytes(request[:2]), 0, len(body)


def unreachable(wire: Wire) -> None:
    wire.line.unreachable = "refused"
    for link in wire.line.links:
        link.close()


def half_open(wire: Wire) -> None:
    wire.delay_s = None


def hangs_up(wire: Wire) -> None:
    wire.hangs_up = True


def slow(wire: Wire) -> None:
    wire.delay_s = 0.9


def too_late(wire: Wire) -> None:
    wire.delay_s = 1.5


def other_unit(wire: Wire) -> None:
    wire.change = lambda body: bytes([body[0] + 1]) + body[1:]


def other_function(wire: Wire) -> None:
    wire.change = lambda body: body[:1] + bytes([body[1] ^ 7]) + body[2:]


def refuses(wire: Wire) -> None:
    wire.change = lambda body: bytes([body[0], body[1] | 0x80, 6])


def too_short(wire: Wire) -> None:
    wire.change = lambda body: body[:2] + bytes([body[2] - 2]) + body[3:-2]


FAULTS = [
    unreachable, half_open, hangs_up, slow, too_late, other_unit, other_function, refuses, too_short
]  # fmt: skip


@pytest.mark.parametrize("endpoint", [TCP, GATEWAY], ids=["tcp", "rtu"])
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
@virtual_time
async def test_a_fault_is_silence_and_then_it_goes_on(
    fault: Callable[[Wire], None], endpoint: Endpoint
) -> None:
    loop = asyncio.get_running_loop()
    wire = Wire(endpoint)
    buses = Buses(wire.line.open)
    driver = ModbusMeter(load_profile(SLUG), 1, endpoint, buses)
    answers: list[tuple[float, Measurement | MeterSilent]] = []
    driver.subscribe(lambda answer: answers.append((loop.time(), answer)))
    await driver.start()
    await driver.read()
    began_s = loop.time()
    fault(wire)
    await asyncio.sleep(FAULT_S)
    times = [at_s for at_s, _ in answers if at_s > began_s]
    assert all(isinstance(each, MeterSilent) for at_s, each in answers if at_s > began_s + EACH_S)
    assert max(b - a for a, b in zip([began_s, *times], times, strict=False)) <= EACH_S
    wire.heal()
    recovered = asyncio.Event()
    driver.subscribe(lambda answer: recovered.set() if isinstance(answer, Measurement) else None)
    async with asyncio.timeout(RECOVERY_S):
        await recovered.wait()
    good = [each for _, each in answers if isinstance(each, Measurement)]
    plain = {replace(each, at_s=0.0, digital_input=None) for each in good}
    assert plain == {HOUSE}, "no value of a fault passes"
    await driver.stop()
    await buses.close()
