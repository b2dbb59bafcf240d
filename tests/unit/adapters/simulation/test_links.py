"""Routes through links of the world, on real sockets."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from borne.adapters.simulation.links import LOCAL, MAX_ROUTES, Route, Routes
from borne.adapters.simulation.world import LinkMode, SimulatedLink, World

TEST_TIMEOUT_S = 10.0


class EchoServer:
    """Echoes until the end of file, then closes; knows who left."""

    def __init__(self) -> None:
        self.left: asyncio.Queue[str] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        how = "closed"
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            how = "reset"
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.left.put_nowait(how)


class Client:
    """One connection of a station."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hear(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def end(self) -> bytes:
        """Close the sending side; the bytes that still arrive."""
        self._writer.write_eof()
        return await self._reader.read()

    async def is_torn(self) -> bool:
        """Wait for the end of the connection; True when it was a reset."""
        try:
            return not await self._reader.read() and False
        except ConnectionResetError:
            return True

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class LinkBench:
    """An echo server behind a link."""

    def __init__(self) -> None:
        self.link = SimulatedLink("backend")
        self.server = EchoServer()
        self._clients: list[Client] = []

    async def open(self) -> None:
        self.route = Route(self.link, "127.0.0.1", await self.server.start())
        await self.route.open()

    async def dial(self) -> Client:
        client = Client(*await asyncio.open_connection(*self.route.address))
        self._clients.append(client)
        return client

    async def dial_until_open(self) -> None:
        while True:
            try:
                await self.dial()
                return
            except ConnectionRefusedError:
                await asyncio.sleep(0)

    async def talk(self) -> Client:
        client = await self.dial()
        await client.say(b"hello")
        assert await client.hear(5) == b"hello"
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        await self.route.close()
        await self.server.stop()


@asynccontextmanager
async def opened() -> AsyncIterator[LinkBench]:
    bench = LinkBench()
    await bench.open()
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            yield bench
    finally:
        await bench.close()


async def test_an_open_link_carries_bytes_and_the_end() -> None:
    async with opened() as bench:
        client = await bench.talk()
        assert await client.end() == b""
        assert await bench.server.left.get() == "closed"


async def test_much_data_passes_with_back_pressure() -> None:
    async with opened() as bench:
        client = await bench.talk()
        data = bytes(range(256)) * 20_000
        sent, received = await asyncio.gather(client.say(data), client.hear(len(data)))
        assert sent is None
        assert received == data


async def test_reset_breaks_old_and_new_connections() -> None:
    async with opened() as bench:
        client = await bench.talk()
        await bench.link.switch(False, LinkMode.RESET)
        assert await client.is_torn()
        assert await bench.server.left.get() in {"reset", "closed"}
        assert await (await bench.dial()).is_torn()
        await bench.link.switch(True)
        await bench.talk()


async def test_refuse_closes_the_listener_and_reopens_it_at_the_same_address() -> None:
    async with opened() as bench:
        client = await bench.talk()
        address = bench.route.address
        await bench.link.switch(False, LinkMode.REFUSE)
        assert await client.is_torn()
        with pytest.raises(ConnectionRefusedError):
            await bench.dial()
        await bench.link.switch(True)
        assert bench.route.address == address
        await bench.talk()


async def test_a_refused_link_that_is_restored_at_once_opens_soon() -> None:
    async with opened() as bench:
        await bench.link.switch(False, LinkMode.REFUSE)
        bench.link.set(True)
        await bench.dial_until_open()


async def test_a_black_hole_delays_until_it_ends() -> None:
    async with opened() as bench:
        old = await bench.talk()
        await bench.link.switch(False, LinkMode.BLACKHOLE)
        await old.say(b"one")
        new = await bench.dial()
        await new.say(b"two")
        await bench.link.switch(True)
        assert await old.hear(3) == b"one"
        assert await new.hear(3) == b"two"


async def test_a_client_that_left_in_a_black_hole_is_noticed_afterwards() -> None:
    async with opened() as bench:
        client = await bench.talk()
        await bench.link.switch(False, LinkMode.BLACKHOLE)
        await client.close()
        assert bench.server.left.empty()
        await bench.link.switch(True)
        assert await bench.server.left.get() == "closed"


async def test_a_black_hole_turned_into_reset_breaks_connections() -> None:
    async with opened() as bench:
        client = await bench.talk()
        await bench.link.switch(False, LinkMode.BLACKHOLE)
        await bench.link.switch(False, LinkMode.RESET)
        assert await client.is_torn()


async def test_a_dead_target_closes_the_client() -> None:
    async with opened() as bench:
        await bench.server.stop()
        assert await (await bench.dial()).is_torn()


async def test_a_route_that_is_opened_while_refused_opens_later() -> None:
    link = SimulatedLink("backend")
    await link.switch(False, LinkMode.REFUSE)
    server = EchoServer()
    route = Route(link, "127.0.0.1", await server.start())
    await route.open()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*route.address)
    await link.switch(True)
    client = Client(*await asyncio.open_connection(*route.address))
    await client.say(b"late")
    assert await client.hear(4) == b"late"
    await client.close()
    await route.close()
    await server.stop()


async def test_routes_are_made_once_for_each_target() -> None:
    server = EchoServer()
    port = await server.start()
    routes = Routes(World(1))
    address = await routes.through("backend", "127.0.0.1", port)
    assert await routes.through("backend", "127.0.0.1", port) == address
    assert await routes.through("master", "127.0.0.1", port) != address
    client = Client(*await asyncio.open_connection(*address))
    await routes.close()
    assert await client.is_torn()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    await client.close()
    await server.stop()


async def test_dialling_through_a_route_behaves_like_the_target() -> None:
    server = EchoServer()
    port = await server.start()
    world = World(1)
    routes = Routes(world)
    client = Client(*await asyncio.open_connection(*await routes.dial("backend", LOCAL, port)))
    await client.say(b"hello")
    assert await client.hear(5) == b"hello"
    await client.close()
    assert await server.left.get() == "closed"
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await routes.dial("backend", LOCAL, port)
    await routes.close()


async def test_dialling_into_a_black_hole_waits_until_it_ends() -> None:
    server = EchoServer()
    port = await server.start()
    world = World(1)
    routes = Routes(world)
    link = world.links["backend"]
    await link.switch(False, LinkMode.BLACKHOLE)
    dialling = asyncio.create_task(routes.dial("backend", LOCAL, port))
    await link.switch(False, LinkMode.BLACKHOLE)
    assert not dialling.done()
    await link.switch(True)
    client = Client(*await asyncio.open_connection(*await dialling))
    await client.say(b"late")
    assert await client.hear(4) == b"late"
    await client.close()
    await routes.close()
    await server.stop()


async def test_a_connection_made_in_advance_breaks_with_the_link() -> None:
    server = EchoServer()
    port = await server.start()
    world = World(1)
    routes = Routes(world)
    await routes.dial("backend", LOCAL, port)
    await world.links["backend"].switch(False, LinkMode.RESET)
    assert await asyncio.wait_for(server.left.get(), TEST_TIMEOUT_S) == "reset"
    await routes.close()
    await server.stop()


async def test_the_number_of_routes_is_limited() -> None:
    routes = Routes(World(1))
    addresses = [await routes.through("backend", LOCAL, port) for port in range(1, 100)]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*addresses[0])
    assert await routes.through("backend", LOCAL, 99) == addresses[-1]
    assert len(routes._routes) <= MAX_ROUTES
    await routes.close()


def open_sockets() -> int:
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(each.readlink()).startswith("socket:")
    return found


async def test_a_route_cancelled_while_opening_is_opened_again() -> None:
    before = open_sockets()
    for steps in itertools.count():
        routes = Routes(World(1))
        opening = asyncio.ensure_future(routes.through("backend", "127.0.0.1", 9))
        for _ in range(steps):
            await asyncio.sleep(0)
        listening = opening.done()
        opening.cancel()
        await asyncio.wait([opening])
        await routes.through("backend", "127.0.0.1", 9)
        assert open_sockets() == before + 1, steps
        await routes.close()
        await asyncio.sleep(0)
        assert open_sockets() == before, steps
        if listening:
            break
