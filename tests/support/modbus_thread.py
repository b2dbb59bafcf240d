"""Modbus devices in a thread, for commands that run a loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from borne.protocols.modbus.endpoint import Framing, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionCode
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import Handler, ModbusServer, Reply
from tests.support.timeouts import TEST_TIMEOUT_S

Registers = Mapping[tuple[int, int], int]


def strict_device(words: Registers) -> Handler:
    """A device that refuses registers that it does not have."""

    def answer(unit: int, request: Request, client: str) -> Reply:
        if not isinstance(request, Read):
            return ExceptionCode.ILLEGAL_FUNCTION
        places = range(request.address, request.address + request.count)
        found = [words.get((request.function, place)) for place in places]
        if None in found:
            return ExceptionCode.ILLEGAL_ADDRESS
        return [word for word in found if word is not None]

    return answer


@contextmanager
def modbus_device(handler: Handler, framing: Framing = Framing.TCP) -> Iterator[int]:
    """Serves a device on a free port of the loopback interface; yields the port."""
    ready = threading.Event()
    ports: list[int] = []
    ended: list[asyncio.Event] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = ModbusServer(TcpEndpoint("127.0.0.1", 0, framing), handler)
        ended.append(asyncio.Event())
        ports.append(await server.start())
        ready.set()
        await ended[0].wait()
        await server.close()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(TEST_TIMEOUT_S)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(ended[0].set)
        thread.join(TEST_TIMEOUT_S)
