"""Small frames leave at once: with Nagle's algorithm the second of two waits some 40 ms for the
peer's acknowledgement of the first, each time."""

from __future__ import annotations

import asyncio
import socket

from borne.foundation.listener import bind
from tests.integration.ocpp.central import central_system
from tests.integration.ocpp.station import station


def leaves_at_once(transport: asyncio.BaseTransport) -> bool:
    own = transport.get_extra_info("socket")
    return bool(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


async def test_small_frames_to_a_backend() -> None:
    async with central_system() as central, station(f"ws://127.0.0.1:{central.port}") as made:
        await made.online()
        link = made.client._link
        opened = getattr(link, "_connection", None)
        assert opened is not None
        assert leaves_at_once(opened._opened().transport)


async def test_small_frames_of_the_listener() -> None:
    accepted: asyncio.Queue[bool] = asyncio.Queue()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(leaves_at_once(writer.transport))
        writer.close()

    bound = bind("127.0.0.1", 0, "the test")
    server = await asyncio.start_server(serve, sock=bound.socket)
    async with server:
        _, writer = await asyncio.open_connection("127.0.0.1", bound.port)
        assert await accepted.get()
        writer.close()
        await writer.wait_closed()
