"""Against pymodbus, which shares no code with the product: its server with our bus, its client with
our server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tty
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionAnswer, ExceptionCode
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer, Reply
from borne.protocols.modbus.transports import Link, SerialLink

UNIT = 5
WORDS = [(index * 7919 + 3) % 65536 for index in range(150)]
BITS = [index % 3 == 0 for index in range(64)]
KINDS = ["tcp", "rtu-over-tcp", "serial"]


def foreign_device() -> SimDevice:
    bits = [SimData(0, values=BITS, datatype=DataType.BITS)]
    words = [SimData(0, values=WORDS, datatype=DataType.REGISTERS)]
    return SimDevice(UNIT, simdata=(bits, bits, words, words))


@contextlib.asynccontextmanager
async def foreign_tcp(framing: Framing) -> AsyncIterator[ModbusBus]:
    framer = FramerType.SOCKET if framing is Framing.TCP else FramerType.RTU
    server: Any = ModbusTcpServer(foreign_device(), framer=framer, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    bus = ModbusBus(TcpEndpoint("127.0.0.1", port, framing))
    yield bus
    await bus.close()
    await server.shutdown()


@contextlib.asynccontextmanager
async def foreign_serial() -> AsyncIterator[ModbusBus]:
    near, far = pty.openpty()
    tty.setraw(far)
    os.set_blocking(near, False)
    server: Any = ModbusSerialServer(foreign_device(), port=os.ttyname(far), baudrate=115200)
    await server.serve_forever(background=True)

    async def open_near(endpoint: Endpoint) -> Link:
        del endpoint
        return SerialLink(near, lambda: os.close(near))

    bus = ModbusBus(SerialEndpoint("near", baud=115200), open_near)
    yield bus
    await server.shutdown()
    await bus.close()
    os.close(far)


def foreign_server(kind: str) -> contextlib.AbstractAsyncContextManager[ModbusBus]:
    if kind == "serial":
        return foreign_serial()
    return foreign_tcp(Framing.TCP if kind == "tcp" else Framing.RTU)


@pytest.mark.parametrize("kind", KINDS)
async def test_our_bus_and_a_foreign_server(kind: str) -> None:
    async with foreign_server(kind) as bus:
        for function in (3, 4):
            assert await bus.read(UNIT, function, 0, 125) == tuple(WORDS[:125])
            assert await bus.read(UNIT, function, 149, 1) == (WORDS[149],)
        for function in (1, 2):
            assert await bus.read(UNIT, function, 3, 19) == tuple(map(int, BITS[3:22]))
        await bus.write(UNIT, 3, [0xABCD])
        await bus.write(UNIT, 5, [1, 2, 65535])
        expected = (0xABCD, WORDS[4], 1, 2, 65535)
        assert await bus.read(UNIT, 3, 3, 5) == expected
        await bus.write(UNIT, 1, [1], function=5)
        await bus.write(UNIT, 2, [1, 0, 1], function=15)
        assert await bus.read(UNIT, 1, 0, 6) == (1, 1, 1, 0, 1, 0)
        with pytest.raises(ExceptionAnswer) as refusal:
            await bus.read(UNIT, 3, 140, 20)
        assert refusal.value.code == ExceptionCode.ILLEGAL_ADDRESS


def answer(unit: int, request: Request, client: str) -> Reply:
    del client
    if unit != UNIT or request.address >= 200:
        return ExceptionCode.ILLEGAL_ADDRESS
    if not isinstance(request, Read):
        WRITTEN.append(request.values)
        return ()
    values = WORDS if request.function > 2 else [int(bit) for bit in BITS]
    return values[request.address : request.address + request.count]


WRITTEN: list[tuple[int, ...]] = []


@contextlib.asynccontextmanager
async def foreign_client(kind: str) -> AsyncIterator[ModbusBaseClient]:
    framing = Framing.TCP if kind == "tcp" else Framing.RTU
    endpoint: Endpoint = TcpEndpoint("127.0.0.1", 0, framing)
    if kind == "serial":
        endpoint = SerialEndpoint("", baud=115200)
    server = ModbusServer(endpoint, answer, pty=kind == "serial")
    port = await server.start()
    client: ModbusBaseClient
    if kind == "serial":
        client = AsyncModbusSerialClient(server.device, baudrate=115200)
    else:
        framer = FramerType.SOCKET if kind == "tcp" else FramerType.RTU
        client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer)
    assert await client.connect()
    yield client
    client.close()
    await server.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_foreign_client_and_our_server(kind: str) -> None:
    WRITTEN.clear()
    async with foreign_client(kind) as client:
        for read in (client.read_holding_registers, client.read_input_registers):
            assert (await read(0, count=125, device_id=UNIT)).registers == WORDS[:125]
        for read_bits in (client.read_coils, client.read_discrete_inputs):
            bits = await read_bits(3, count=19, device_id=UNIT)
            assert bits.bits[:19] == BITS[3:22]
        assert not (await client.write_register(1, 7, device_id=UNIT)).isError()
        assert not (await client.write_registers(1, [8, 9], device_id=UNIT)).isError()
        assert not (await client.write_coil(1, True, device_id=UNIT)).isError()
        assert not (await client.write_coils(1, [True, False], device_id=UNIT)).isError()
        assert WRITTEN == [(7,), (8, 9), (1,), (1, 0)]
        refusal = await client.read_holding_registers(200, count=1, device_id=UNIT)
        assert refusal.exception_code == ExceptionCode.ILLEGAL_ADDRESS
        unknown = await client.read_exception_status(device_id=UNIT)
        assert unknown.exception_code == ExceptionCode.ILLEGAL_FUNCTION
