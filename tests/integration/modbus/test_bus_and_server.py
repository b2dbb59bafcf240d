"""The bus and the server of one codec against each other, on every kind of port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from borne.protocols.modbus.bus import ModbusBus, RetryPolicy
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionAnswer, ExceptionCode, Unreachable
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer, Reply
from tests.support import modbus_line
from tests.support.timeouts import TEST_TIMEOUT_S

UNIT = 7
ONE_LONG_ATTEMPT = RetryPolicy(timeout_s=TEST_TIMEOUT_S, attempts=1)
TCP, RTU_OVER_TCP, SERIAL = "tcp", "rtu-over-tcp", "serial"


class Registers:
    """A device with words that grow with their address; writes are kept."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.words = {address: address * 3 % 65536 for address in range(200)}

    def handle(self, unit: int, request: Request, client: str) -> Reply:
        assert unit == UNIT
        assert client in ("", "127.0.0.1")
        self.requests.append(request)
        if request.address not in self.words:
            return ExceptionCode.ILLEGAL_ADDRESS
        if isinstance(request, Read):
            words = [self.words[request.address + index] for index in range(request.count)]
            return [word & 1 for word in words] if request.function < 3 else words
        self.words.update(enumerate(request.values, request.address))
        return ()


@contextlib.asynccontextmanager
async def bus_and_server(kind: str, device: Registers) -> AsyncIterator[ModbusBus]:
    framing = Framing.TCP if kind == TCP else Framing.RTU
    endpoint: Endpoint = TcpEndpoint("127.0.0.1", 0, framing)
    if kind == SERIAL:
        endpoint = SerialEndpoint("", baud=115200)
    server = ModbusServer(endpoint, device.handle, pty=kind == SERIAL, units={UNIT})
    port = await server.start()
    if isinstance(endpoint, TcpEndpoint):
        bus = ModbusBus(TcpEndpoint(endpoint.host, port, framing))
    else:
        bus = ModbusBus(SerialEndpoint(server.device, baud=115200))
    try:
        yield bus
    finally:
        await bus.close()
        await server.close()


KINDS = pytest.mark.parametrize("kind", [TCP, RTU_OVER_TCP, SERIAL])


@KINDS
async def test_reads_and_writes(kind: str) -> None:
    device = Registers()
    async with bus_and_server(kind, device) as bus:
        assert bus.age_s(UNIT) is None
        assert await bus.read(UNIT, 3, 10, 3) == (30, 33, 36)
        assert await bus.read(UNIT, 4, 0, 125) == tuple(range(0, 375, 3))
        assert await bus.read(UNIT, 1, 0, 11) == (0, 1) * 5 + (0,)
        await bus.write(UNIT, 10, [1])
        await bus.write(UNIT, 11, [2, 65535])
        assert await bus.read(UNIT, 3, 10, 3) == (1, 2, 65535)
        age_s = bus.age_s(UNIT)
        assert age_s is not None
        assert age_s >= 0


@KINDS
async def test_a_refusal_has_its_code(kind: str) -> None:
    async with bus_and_server(kind, Registers()) as bus:
        with pytest.raises(ExceptionAnswer, match="does not have this register") as refusal:
            await bus.read(UNIT, 3, 1000, 2)
        assert refusal.value.code == ExceptionCode.ILLEGAL_ADDRESS


async def test_a_bus_is_shared_until_its_last_lease() -> None:
    buses = Buses()
    endpoint = TcpEndpoint("127.0.0.1", 1)
    bus = buses.lease(endpoint)
    assert buses.lease(TcpEndpoint("127.0.0.1", 1)) is bus
    await buses.release(endpoint)
    assert buses.lease(endpoint) is bus
    await buses.close()
    with pytest.raises(Unreachable):
        await bus.read(UNIT, 3, 0, 1)


async def test_a_serial_line_has_one_setting() -> None:
    buses = Buses()
    buses.lease(SerialEndpoint("/dev/ttyUSB0", baud=9600))
    with pytest.raises(ValueError, match="9600 baud"):
        buses.lease(SerialEndpoint("/dev/ttyUSB0", baud=19200))
    await buses.close()


async def test_two_names_of_a_serial_port_are_one_bus(tmp_path: Path) -> None:
    name = tmp_path / "usb-RS485"
    name.symlink_to("/dev/ttyUSB0")
    buses = Buses()
    long_name, short_name = SerialEndpoint(str(name)), SerialEndpoint("/dev/ttyUSB0")
    bus = buses.lease(long_name)
    assert buses.lease(short_name) is bus
    await buses.release(long_name)
    assert buses.lease(short_name) is bus
    await buses.release(short_name)
    await buses.release(short_name)
    assert buses.lease(long_name) is not bus
    await buses.close()


@pytest.mark.parametrize("framing", list(Framing))
async def test_connections_that_the_device_closes_cost_no_reading(framing: Framing) -> None:
    device = Registers()
    server = ModbusServer(TcpEndpoint("127.0.0.1", 0, framing), device.handle)
    port = await server.start()
    bus = ModbusBus(TcpEndpoint("127.0.0.1", port, framing))
    for address in range(5):
        assert await bus.read(UNIT, 3, address, 1, retry=ONE_LONG_ATTEMPT) == (address * 3,)
        server.disconnect_clients()
    assert len(device.requests) == 5
    await bus.close()
    await server.close()


async def test_a_device_that_floods_is_disconnected() -> None:
    """It sends without end behind its first answer, while nothing is asked."""
    stopped = asyncio.get_running_loop().create_future()
    answered = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                writer.write(modbus_line.tcp_answer(await reader.readexactly(12)))
                if not stopped.done():
                    await flood(writer)
        writer.close()

    async def flood(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        try:
            for _ in range(50):
                writer.write(bytes(1_000_000))
                await writer.drain()
            stopped.set_result(False)
        except ConnectionError:
            stopped.set_result(True)
            raise

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bus = ModbusBus(TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1]))
    await bus.read(1, 3, 0, 2, retry=ONE_LONG_ATTEMPT)
    answered.set()
    assert await stopped
    assert await bus.read(1, 3, 0, 2, retry=ONE_LONG_ATTEMPT) == modbus_line.words_at(1, 0, 2)
    await bus.close()
    server.close()
    await server.wait_closed()
