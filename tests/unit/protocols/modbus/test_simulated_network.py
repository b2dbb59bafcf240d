"""Bus and server on a simulated network with latency, and virtual time."""

from __future__ import annotations

import asyncio

import pytest

from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.endpoint import Framing, TcpEndpoint
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer, Reply

METER = "192.0.2.7"
simloop = pytest.importorskip("simloop", reason="needs Python 3.12")


def handle(unit: int, request: Request, client: str) -> Reply:
    del client
    return [unit * 100] * request.count if isinstance(request, Read) else ()


@pytest.mark.parametrize("framing", list(Framing))
def test_an_hour_of_polls(framing: Framing) -> None:
    loop = simloop.SimLoop(seed=1)
    loop.net.set_defaults(latency=(0.01, 0.05))
    endpoint = TcpEndpoint(METER, 502, framing)
    answers: list[tuple[int, ...]] = []

    async def serve(ended: asyncio.Event) -> None:
        server = ModbusServer(endpoint, handle)
        assert await server.start() == 502
        await ended.wait()
        await server.close()

    async def poll() -> None:
        await asyncio.sleep(1)
        bus = ModbusBus(endpoint)
        for _ in range(60):
            answers.append(await bus.read(2, 3, 0, 2))
            await asyncio.sleep(60)
        await bus.close()

    async def play() -> None:
        ended = asyncio.Event()
        serving = loop.net.host(METER).create_task(serve(ended))
        await loop.net.host("station").create_task(poll())
        ended.set()
        await serving

    loop.run_until_complete(play())
    loop.close()
    assert answers == [(200, 200)] * 60
