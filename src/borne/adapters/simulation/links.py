"""A TCP route through a link of the world: what passes, stalls, is torn or refused is the link's
business.

A route listens on this machine and carries bytes to its target. Whoever dials through `Routes.dial`
learns first what the target says to a connection: refused, unreachable, or nothing. While the link
is up nothing is added; `reset` tears connections and every new one, `blackhole` keeps them and lets
nothing pass (what was sent arrives when the link is mended, as TCP would have it), `refuse` tears
them and closes the listening socket. TLS passes through untouched: the client keeps the true name
and only connects elsewhere (`websockets.connect(uri, host=..., port=...)`).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Coroutine
from typing import Any, cast

from borne.adapters.simulation.world import Link, LinkMode, World
from borne.foundation.events import Unsubscribe
from borne.foundation.waiting import Flag

LOCAL = "127.0.0.1"
LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a reset."""
CONNECT_S = 10.0
MAX_ROUTES = 32
READY_S = 10.0
"""A connection to the target that nobody takes up is ended after this."""
BIND_ATTEMPTS = 50
BIND_PAUSE_S = 0.02


def _nothing() -> None:
    pass


class _End(asyncio.Protocol):
    """One end of a carried connection; the other end is its peer."""

    def __init__(self, route: Route, peer: _End | None = None, *, ahead: bool = False) -> None:
        self._route = route
        self._peer = peer
        self._ahead = ahead
        """Connected to the target before anybody dialled."""
        self._early: list[bytes] = []
        self._early_eof = False
        self._gone: BaseException | bool | None = False
        """False while connected, else why the connection was lost."""
        self.transport: asyncio.Transport | None = None
        if peer is not None:
            peer.meet(self)

    # asyncio.Protocol -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self._ahead:
            self._route.arrived_ahead(self)
            return
        self._route.arrived(self, first=self._peer is None)
        if self._peer is not None:
            self._peer.release()

    def data_received(self, data: bytes) -> None:
        peer = self._peer
        if peer is None or peer.transport is None:
            self._early.append(data)
            self._hold()
        elif not peer.transport.is_closing():
            peer.transport.write(data)

    def eof_received(self) -> bool:
        peer = self._peer
        if peer is None or peer.transport is None:
            self._early_eof = True
        elif peer.transport.can_write_eof():
            peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self._peer is not None:
            self._peer.hold()

    def resume_writing(self) -> None:
        if self._peer is not None:
            self._peer.go_on()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._gone = exc if exc is not None else True
        self._route.left(self)

    # Route ----------------------------------------------------------------------------------

    def meet(self, peer: _End) -> None:
        """The way to the target is being opened."""
        self._peer = peer

    def release(self) -> None:
        """The way is open: send what came early."""
        peer = self._peer
        if peer is None or peer.transport is None:
            return
        for data in self._early:
            peer.transport.write(data)
        self._early.clear()
        if self._early_eof and peer.transport.can_write_eof():
            peer.transport.write_eof()
        self.go_on()

    def hold(self) -> None:
        """Read no more for now."""
        self._hold()

    def go_on(self) -> None:
        """Read again, when the link lets bytes pass and the other end is there."""
        connected = self._peer is not None and self._peer.transport is not None
        if self.transport is not None and self._route.passes and connected and not self._gone:
            self.transport.resume_reading()

    def share_fate(self) -> None:
        """Lost: the other end learns of it in the same way."""
        peer = self._peer
        if self._gone is False or peer is None or peer.transport is None:
            return
        if self._gone is True:
            peer.transport.close()
        else:
            peer.tear()

    @property
    def lost(self) -> bool:
        """The connection is gone."""
        return self._gone is not False

    def tear(self) -> None:
        """End at once, with a reset where the network knows such a thing."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError, AttributeError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.transport.abort()

    def _hold(self) -> None:
        if self.transport is not None and not self._gone:
            self.transport.pause_reading()


class Route:
    """One target behind one link."""

    def __init__(self, link: Link, host: str, port: int, *, listen_port: int = 0) -> None:
        self._link = link
        self._target = (host, port)
        self._address = (LOCAL, listen_port)
        self._server: asyncio.Server | None = None
        self._ends: dict[_End, None] = {}
        self._waiting: dict[_End, None] = {}
        """First ends whose way to the target is not open yet."""
        self._ready: dict[_End, asyncio.TimerHandle] = {}
        """Connections to the target for the next clients."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = asyncio.Lock()
        self._open = False
        self._forget: Unsubscribe = _nothing

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect instead of to the target."""
        return self._address

    @property
    def passes(self) -> bool:
        """Whether bytes pass."""
        return self._link.up

    @property
    def idle(self) -> bool:
        return not self._ends

    async def open(self) -> tuple[str, int]:
        """Listen and follow the link; the address to connect to."""
        self._open = True
        await self._listen()
        self._forget = self._link.changed.subscribe(lambda _: self._obey())
        self._link.followers.append(self.follow)
        self._obey()
        await self.follow()
        return self._address

    async def reach(self) -> None:
        """Connect to the target for the next client, as far as the link lets it; raises OSError."""
        await self._until_it_passes()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _End(self, ahead=True), *self._target)

    async def _until_it_passes(self) -> None:
        changed = Flag()
        forget = self._link.changed.subscribe(lambda _: changed.set())
        try:
            while not self._link.up:
                if self._link.mode is not LinkMode.BLACKHOLE:
                    refused = self._link.mode is LinkMode.REFUSE
                    number = errno.ECONNREFUSED if refused else errno.ECONNRESET
                    raise OSError(number, os.strerror(number))
                changed.clear()
                await changed.wait()
        finally:
            forget()

    async def close(self) -> None:
        """Stop listening and tear what is connected."""
        self._open = False
        self._forget()
        if self.follow in self._link.followers:
            self._link.followers.remove(self.follow)
        self._tear_all()
        self._hang_up()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self) -> None:
        """Listen, or not, as the link says."""
        async with self._listening:
            refused = not self._link.up and self._link.mode is LinkMode.REFUSE
            if refused:
                self._hang_up()
            elif self._open and self._server is None:
                await self._listen()

    # Ends -----------------------------------------------------------------------------------

    def arrived(self, end: _End, *, first: bool) -> None:
        """A connection was made, by the client (first) or by us to the target."""
        self._ends[end] = None
        if not self._link.up and self._link.mode is not LinkMode.BLACKHOLE:
            end.tear()
            return
        if first:
            end.hold()
            self._waiting[end] = None
            if not self._join(end):
                self._connect_waiting()
        else:
            end.go_on()
            if not self.passes:
                end.hold()

    def arrived_ahead(self, end: _End) -> None:
        """A connection to the target waits for a client."""
        self._ends[end] = None
        if not self._link.up and self._link.mode is not LinkMode.BLACKHOLE:
            end.tear()
            return
        end.hold()
        self._ready[end] = asyncio.get_running_loop().call_later(READY_S, end.tear)

    def _join(self, client: _End) -> bool:
        """Give a client the connection that was made for it, if there is one."""
        if not self._ready or not self.passes:
            return False
        target = next(iter(self._ready))
        self._ready.pop(target).cancel()
        del self._waiting[client]
        client.meet(target)
        target.meet(client)
        client.release()
        target.release()
        return True

    def left(self, end: _End) -> None:
        """A connection is gone; in a black hole the other end does not learn of it yet."""
        self._waiting.pop(end, None)
        timer = self._ready.pop(end, None)
        if timer is not None:
            timer.cancel()
        if self.passes or self._link.mode is not LinkMode.BLACKHOLE:
            self._ends.pop(end, None)
            end.share_fate()

    def _obey(self) -> None:
        if self._server is None:
            self._start(self.follow())
        if self._link.up:
            self._let_pass()
        elif self._link.mode is LinkMode.BLACKHOLE:
            for end in self._ends:
                end.hold()
        else:
            self._tear_all()
            if self._link.mode is LinkMode.REFUSE:
                self._hang_up()

    def _let_pass(self) -> None:
        for end in list(self._ends):
            if end.lost:
                self.left(end)
            else:
                end.go_on()
        self._connect_waiting()

    def _connect_waiting(self) -> None:
        while self.passes and self._waiting:
            end = next(iter(self._waiting))
            del self._waiting[end]
            self._start(self._connect(end))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, end: _End) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: _End(self, end), *self._target)
        except (OSError, TimeoutError):
            end.tear()

    def _tear_all(self) -> None:
        for end in list(self._ends):
            if end.lost:
                self._ends.pop(end)
            end.tear()

    # Listening ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        port = self._address[1]
        for attempt in range(BIND_ATTEMPTS):
            try:
                # In two steps: cancelled while it began to serve, a server would be lost unclosed.
                self._server = await loop.create_server(
                    lambda: _End(self), LOCAL, port, start_serving=False
                )
                await self._server.start_serving()
                break
            except OSError:
                self._hang_up()
                if attempt == BIND_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(BIND_PAUSE_S)
        if self._server is not None and self._server.sockets:
            port = self._server.sockets[0].getsockname()[1]
        # A simulated network knows its own machine by another address.
        found = await loop.getaddrinfo(LOCAL, port, type=socket.SOCK_STREAM)
        self._address = (str(found[0][4][0]), port)

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class Routes:
    """The routes of a world, made when first asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str, int], Route] = {}
        self._opening = asyncio.Lock()

    async def dial(self, link: str, host: str, port: int) -> tuple[str, int]:
        """The same, after the target has accepted a connection; raises OSError as it does, and
        waits as long as nothing is heard."""
        route = await self._route(link, host, port)
        await route.reach()
        return route.address

    async def through(self, link: str, host: str, port: int) -> tuple[str, int]:
        """The address that leads to `host:port` through a link of the world."""
        return (await self._route(link, host, port)).address

    async def _route(self, link: str, host: str, port: int) -> Route:
        key = (link, host, port)
        # One at a time: nobody gets the address of a route that does not listen yet.
        async with self._opening:
            route = self._routes.get(key)
            if route is None:
                await self._admit()
                route = Route(self._world.links[link], host, port)
                try:
                    await route.open()
                except BaseException:
                    await route.close()
                    raise
                self._routes[key] = route
        return route

    async def _admit(self) -> None:
        """A name with ever new addresses does not fill the machine with listening sockets."""
        if len(self._routes) >= MAX_ROUTES:
            idle = next((key for key, route in self._routes.items() if route.idle), None)
            if idle is not None:
                await self._routes.pop(idle).close()

    async def close(self) -> None:
        for route in self._routes.values():
            await route.close()
        self._routes.clear()
