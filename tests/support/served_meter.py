"""A Modbus server that shows a measurement in the registers of a meter type."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Profile, load_profile
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionCode
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer
from tests.support.timeouts import TEST_TIMEOUT_S

THREE_PHASES = Measurement(
    at_s=0.0,
    voltage_v=(230.0, 231.0, 229.0),
    current_a=(10.0, 5.0, 2.0),
    power_w=(2300.0, 1155.0, 458.0),
    power_total_w=3913.0,
    import_wh=123_000,
    export_wh=7_000,
    frequency_hz=50.0,
)


class ServedMeter:
    """One meter; `measure` may change, `silent` makes it answer nothing."""

    def __init__(self, profile: Profile, measurement: Measurement, unit: int) -> None:
        self.measure: Callable[[], Measurement] = lambda: measurement
        self.silent = False
        self.requests = 0
        self._asked = asyncio.Event()
        self.port = 0
        self.device = ""
        self._profile = profile
        self._unit = unit

    async def until_asked(self, times: int) -> None:
        """Wait for so many more requests."""
        wanted = self.requests + times
        while self.requests < wanted:
            self._asked.clear()
            await asyncio.wait_for(self._asked.wait(), TEST_TIMEOUT_S)

    def answer(self, unit: int, request: Request, client: str) -> list[int] | ExceptionCode | None:
        """The handler of a Modbus server."""
        del client
        self.requests += 1
        self._asked.set()
        if self.silent or unit != self._unit:
            return None
        bank = self._profile.encode(self.measure())
        assert isinstance(request, Read), "somebody writes to a meter"
        addresses = range(request.address, request.address + request.count)
        try:
            return [bank[request.function, address] for address in addresses]
        except KeyError:
            return ExceptionCode.ILLEGAL_ADDRESS


@asynccontextmanager
async def served_meter(
    slug: str,
    measurement: Measurement = THREE_PHASES,
    *,
    host: str = "127.0.0.1",
    unit: int = 1,
    framing: Framing = Framing.TCP,
    pty: bool = False,
) -> AsyncIterator[ServedMeter]:
    """A meter of a type at a free port, or at a new pseudo-terminal."""
    meter = ServedMeter(load_profile(slug), measurement, unit)
    endpoint: Endpoint = SerialEndpoint("") if pty else TcpEndpoint(host, 0, framing)
    server = ModbusServer(endpoint, meter.answer, pty=pty)
    meter.port = await server.start()
    meter.device = server.device
    try:
        yield meter
    finally:
        await server.close()
