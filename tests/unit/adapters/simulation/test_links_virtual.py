"""The same routes on a simulated network and virtual time, under an unmodified WebSocket."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from borne.adapters.simulation.links import Route
from borne.adapters.simulation.world import LinkMode, SimulatedLink

simloop = pytest.importorskip("simloop", reason="needs Python 3.12")
PORT = 9000
ROUTE_PORT = 40001


class Network:
    """A station and a central system that echoes, on two simulated machines."""

    def __init__(self) -> None:
        self.loop = simloop.SimLoop(seed=1)
        self.loop.net.set_defaults(latency=(0.01, 0.05))
        self.link = SimulatedLink("backend")

    def run(self, scenario: Coroutine[Any, Any, None]) -> None:
        central = self.loop.net.host("central")
        station = self.loop.net.host("station")
        # simloop has no port 0: a route gets its port from the test.
        self.route = Route(self.link, "central", PORT, listen_port=ROUTE_PORT)

        async def play() -> None:
            ended = asyncio.Event()
            serving = central.create_task(self._serve(ended))
            await station.create_task(self._open_and_play(scenario))
            ended.set()
            await serving

        self.loop.run_until_complete(play())
        self.loop.close()

    async def dial(self) -> ClientConnection:
        host, port = self.route.address
        return await connect(
            f"ws://central:{PORT}/", host=host, port=port, compression=None, proxy=None
        )

    async def _open_and_play(self, scenario: Coroutine[Any, Any, None]) -> None:
        await asyncio.sleep(1)
        await self.route.open()
        await scenario
        await self.route.close()

    async def _serve(self, ended: asyncio.Event) -> None:
        async def echo(connection: ServerConnection) -> None:
            try:
                async for message in connection:
                    await connection.send(message)
            except ConnectionClosedError:
                return

        async with serve(echo, "0.0.0.0", PORT, compression=None):
            await ended.wait()


def test_an_open_link_passes_bytes() -> None:
    network = Network()

    async def scenario() -> None:
        async with await network.dial() as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"

    network.run(scenario())


def test_a_black_hole_is_silent_until_the_keep_alive_fails() -> None:
    network = Network()

    async def scenario() -> None:
        socket = await network.dial()
        await network.link.switch(False, LinkMode.BLACKHOLE)
        began_s = network.loop.time()
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        silence_s = network.loop.time() - began_s
        assert 20 <= silence_s <= 60  # ping every 20 s, 20 s for its pong, 10 s to close
        with pytest.raises(TimeoutError):
            await network.dial()

    network.run(scenario())


def test_a_black_hole_that_ends_in_time_loses_nothing() -> None:
    network = Network()

    async def scenario() -> None:
        async with await network.dial() as socket:
            await network.link.switch(False, LinkMode.BLACKHOLE)
            await socket.send("late")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(15):
                    await socket.recv()
            await network.link.switch(True)
            assert await socket.recv() == "late"

    network.run(scenario())


def test_reset_and_refuse_end_connections() -> None:
    network = Network()

    async def scenario() -> None:
        socket = await network.dial()
        await network.link.switch(False, LinkMode.RESET)
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        await network.link.switch(False, LinkMode.REFUSE)
        with pytest.raises(ConnectionRefusedError):
            await network.dial()
        await network.link.switch(True)
        async with await network.dial() as again:
            await again.send("back")
            assert await again.recv() == "back"

    network.run(scenario())
