"""The server against clients that misbehave: bounds, time-outs, foreign units, garbage."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable

import pytest

from borne.foundation.listener import CannotListen
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionCode
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer, Reply
from borne.protocols.modbus.transports import open_serial
from tests.support import modbus_line as device
from tests.support.timeouts import TEST_TIMEOUT_S

LOCAL = TcpEndpoint("127.0.0.1", 0)
LOCAL_RTU = TcpEndpoint("127.0.0.1", 0, Framing.RTU)
READ_TWO = bytes.fromhex("0001 0000 0006 07 03 0010 0002")
TWO = bytes.fromhex("0001 0000 0007 07 03 04 0010 0011")


def handle(unit: int, request: Request, client: str) -> Reply | Awaitable[Reply]:
    assert client == "127.0.0.1"
    if not isinstance(request, Read):
        return ()
    match request.address:
        case 0x100:
            raise RuntimeError("a fault of the handler")
        case 0x101:
            return [1] * (request.count + 1)
        case 0x102:
            return None
        case 0x103:
            return ExceptionCode.DEVICE_BUSY
        case 0x104:
            return asyncio.sleep(0, result=(unit, 99))
    return range(request.address, request.address + request.count)


class Client:
    """A plain socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, data: bytes, size: int) -> bytes:
        self.writer.write(data)
        async with asyncio.timeout(TEST_TIMEOUT_S):
            return await self.reader.readexactly(size)

    async def is_closed(self) -> bool:
        """Waits until the server closes the connection; what it sent before is ignored."""
        async with asyncio.timeout(TEST_TIMEOUT_S):
            try:
                await self.reader.read()
            except ConnectionError:
                return True
            return self.reader.at_eof()

    def close(self) -> None:
        self.writer.close()


async def test_requests_in_one_piece_and_in_single_bytes() -> None:
    server = ModbusServer(LOCAL, handle)
    client = await Client.connect(await server.start())
    assert await client.ask(READ_TWO * 3, len(TWO) * 3) == TWO * 3
    for byte in READ_TWO[:-1]:
        client.writer.write(bytes((byte,)))
        await client.writer.drain()
    assert await client.ask(READ_TWO[-1:], len(TWO)) == TWO
    client.close()
    await server.close()


REPLIES = [
    ("03 0100 0002", "83 04"),
    ("03 0101 0002", "83 04"),
    ("03 0103 0002", "83 06"),
    ("03 0104 0002", "03 04 0007 0063"),
    ("03 0000 0000", "83 03"),
    ("63 00", "E3 01"),
    ("06 0000 1234", "06 0000 1234"),
]


@pytest.mark.parametrize(("request_", "reply"), REPLIES)
async def test_what_a_handler_says(
    request_: str, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    server = ModbusServer(LOCAL, handle)
    client = await Client.connect(await server.start())
    sent, expected = bytes.fromhex(request_), bytes.fromhex(reply)
    frame = b"\x12\x34\0\0\0" + bytes((len(sent) + 1, 7)) + sent
    answered = b"\x12\x34\0\0\0" + bytes((len(expected) + 1, 7)) + expected
    assert await client.ask(frame, len(answered)) == answered
    client.close()
    await server.close()


async def test_no_answer_is_none_and_other_units_are_ignored() -> None:
    server = ModbusServer(LOCAL, handle, units={7})
    client = await Client.connect(await server.start())
    silent = bytes.fromhex("0001 0000 0006 07 03 0102 0002")
    other_unit = READ_TWO[:6] + b"\x08" + READ_TWO[7:]
    assert await client.ask(silent + other_unit + READ_TWO, len(TWO)) == TWO
    client.close()
    await server.close()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\1\0\0\xff\xff" + b"\0" * 300, b"\0" * 12]
)
async def test_garbage_ends_the_connection(garbage: bytes) -> None:
    server = ModbusServer(LOCAL, handle)
    port = await server.start()
    client = await Client.connect(port)
    client.writer.write(garbage)
    assert await client.is_closed()
    client.close()
    other = await Client.connect(port)
    assert await other.ask(READ_TWO, len(TWO)) == TWO
    other.close()
    await server.close()


async def test_clients_are_bounded() -> None:
    server = ModbusServer(LOCAL, handle, max_clients=2)
    port = await server.start()
    clients = [await Client.connect(port) for _ in range(2)]
    for client in clients:
        await client.ask(READ_TWO, len(TWO))
    refused = await Client.connect(port)
    assert await refused.is_closed()
    assert server.clients == 2
    clients[0].close()
    served = b""
    while not served:  # until the server has noticed
        third = await Client.connect(port)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            served = await third.ask(READ_TWO, len(TWO))
        third.close()
    assert served == TWO
    for client in (*clients, refused):
        client.close()
    await server.close()


@pytest.mark.parametrize("begun", [b"", READ_TWO[:5]])
async def test_an_idle_client_is_disconnected(begun: bytes) -> None:
    server = ModbusServer(LOCAL, handle, idle_s=0.02)
    client = await Client.connect(await server.start())
    client.writer.write(begun)
    assert await client.is_closed()
    client.close()
    await server.close()


async def test_a_client_that_does_not_read_is_disconnected() -> None:
    """It asks again only after its last request was handled, so that no requests heap up."""
    handled = asyncio.Event()

    def count(unit: int, request: Request, client: str) -> Reply | Awaitable[Reply]:
        handled.set()
        return handle(unit, request, client)

    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)  # a short way to the limit
    server = ModbusServer(LOCAL, count, listening=listening)
    client = await Client.connect(await server.start())
    long_read = bytes.fromhex("0001 0000 0006 07 03 0010 007D")
    await client.ask(READ_TWO, len(TWO))
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # StreamReader has no method for it
    async with asyncio.timeout(TEST_TIMEOUT_S):
        for _ in range(200):
            if server.clients == 0:
                break
            handled.clear()
            client.writer.write(long_read * 100)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(handled.wait(), 0.05)
    assert server.clients == 0
    client.close()
    await server.close()


async def test_rtu_over_tcp_finds_requests_between_noise_and_others() -> None:
    server = ModbusServer(LOCAL_RTU, handle, units={7})
    client = await Client.connect(await server.start())
    request = device.rtu(READ_TWO[6:])
    stream = b"\xff\x00" + device.rtu(b"\x08\x03\x04\0\1\0\2") + request
    assert await client.ask(stream, 9) == device.rtu(TWO[6:])
    unknown = device.rtu(b"\x07\x2b\x0e\x01\x00")
    assert await client.ask(unknown, 5) == device.rtu(b"\x07\xab\x01")
    client.close()
    await server.close()


async def test_a_broadcast_is_not_answered_on_a_line() -> None:
    server = ModbusServer(LOCAL_RTU, handle)
    client = await Client.connect(await server.start())
    broadcast = device.rtu(bytes.fromhex("00 06 0000 0001"))
    assert await client.ask(broadcast + device.rtu(READ_TWO[6:]), 9) == device.rtu(TWO[6:])
    client.close()
    await server.close()


async def test_a_line_that_is_closed_can_be_opened_by_another() -> None:
    server = ModbusServer(SerialEndpoint(""), handle, pty=True)
    assert await server.start() == 0
    link = await open_serial(SerialEndpoint(server.device))
    link.close()
    again = await open_serial(SerialEndpoint(server.device))
    again.close()
    await server.close()
    await server.close()


async def test_a_port_in_use() -> None:
    server = ModbusServer(LOCAL, handle)
    port = await server.start()
    endpoint: Endpoint = TcpEndpoint("127.0.0.1", port)
    with pytest.raises(CannotListen, match=rf"^127.0.0.1:{port} cannot be used for Modbus: "):
        await ModbusServer(endpoint, handle).start()
    await server.close()
