"""TCP routes through a simulated link, which can pass, hold, reset or refuse connections.

A route listens on this machine and forwards to its target. With `Routes.dial` the caller gets the
target's error (refused, unreachable) before it connects. While the link is up, connections pass
unchanged. `reset` resets existing and new connections; `blackhole` keeps connections but holds the
data, which arrive when the link is restored, as with TCP; `refuse` resets connections and closes
the listening socket. TLS passes through: the client keeps the server's name and only connects to
another address (`websockets.connect(uri, host=..., port=...)`).
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

from borne.adapters.simulation.world import LinkMode, SimulatedLink, World
from borne.foundation.events import Unsubscribe
from borne.foundation.waiting import Flag

LOCAL = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER value that resets the connection on close."""
CONNECT_S = 10.0
MAX_ROUTES = 32
READY_S = 10.0
"""An unused connection to the target is closed after this time."""
BIND_ATTEMPTS = 50
BIND_PAUSE_S = 0.02


def _nothing() -> None:
    pass


class _End(asyncio.Protocol):
    """One end of a forwarded connection; the other end is its peer."""

    def __init__(self, route: Route, peer: _End | None = None, *, ahead: bool = False) -> None:
        self._route = route
        self._peer = peer
        self._ahead = ahead
        """Connected to the target before a client connected."""
        self._early: list[bytes] = []
        self._early_eof = False
        self._gone: BaseException | bool | None = False
        """False while connected; then the exception, or True."""
        self.transport: asyncio.Transport | None = None
        if peer is not None:
            peer.set_peer(self)

    # asyncio.Protocol -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self._ahead:
            self._route.on_preconnected(self)
            return
        self._route.on_connected(self, first=self._peer is None)
        if self._peer is not None:
            self._peer.flush()

    def data_received(self, data: bytes) -> None:
        peer = self._peer
        if peer is None or peer.transport is None:
            self._early.append(data)
            self._pause_reading()
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
            self._peer.pause()

    def resume_writing(self) -> None:
        if self._peer is not None:
            self._peer.resume()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._gone = exc if exc is not None else True
        self._route.on_lost(self)

    # Route ----------------------------------------------------------------------------------

    def set_peer(self, peer: _End) -> None:
        """Set the other end, whose connection is being opened."""
        self._peer = peer

    def flush(self) -> None:
        """The peer is connected: send the data received so far."""
        peer = self._peer
        if peer is None or peer.transport is None:
            return
        for data in self._early:
            peer.transport.write(data)
        self._early.clear()
        if self._early_eof and peer.transport.can_write_eof():
            peer.transport.write_eof()
        self.resume()

    def pause(self) -> None:
        """Pause reading."""
        self._pause_reading()

    def resume(self) -> None:
        """Resume reading, if the link is up and the peer is connected."""
        connected = self._peer is not None and self._peer.transport is not None
        if self.transport is not None and self._route.passes and connected and not self._gone:
            self.transport.resume_reading()

    def propagate_close(self) -> None:
        """Close or reset the peer, as this end was."""
        peer = self._peer
        if self._gone is False or peer is None or peer.transport is None:
            return
        if self._gone is True:
            peer.transport.close()
        else:
            peer.reset()

    @property
    def lost(self) -> bool:
        """True if the connection is lost."""
        return self._gone is not False

    def reset(self) -> None:
        """Reset the connection; abort it where the transport has no socket."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError, AttributeError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()

    def _pause_reading(self) -> None:
        if self.transport is not None and not self._gone:
            self.transport.pause_reading()


class Route:
    """A route to one target through one link."""

    def __init__(self, link: SimulatedLink, host: str, port: int, *, listen_port: int = 0) -> None:
        self._link = link
        self._target = (host, port)
        self._address = (LOCAL, listen_port)
        self._server: asyncio.Server | None = None
        self._ends: dict[_End, None] = {}
        self._waiting: dict[_End, None] = {}
        """Client connections that are not connected to the target yet."""
        self._ready: dict[_End, asyncio.TimerHandle] = {}
        """Connections to the target for future clients."""
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Lock()
        self._open = False
        self._unsubscribe: Unsubscribe = _nothing

    @property
    def address(self) -> tuple[str, int]:
        """The address to connect to instead of the target."""
        return self._address

    @property
    def passes(self) -> bool:
        """True if the link is up."""
        return self._link.up

    @property
    def idle(self) -> bool:
        return not self._ends

    async def open(self) -> tuple[str, int]:
        """Listen and follow the link; returns the address to connect to."""
        self._open = True
        await self._listen()
        self._unsubscribe = self._link.changed.notify(self._apply_link)
        self._link.followers.append(self.follow)
        self._apply_link()
        await self.follow()
        return self._address

    async def preconnect(self) -> None:
        """Connect to the target for the next client, through the link; raises OSError."""
        await self._wait_for_link()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _End(self, ahead=True), *self._target)

    async def _wait_for_link(self) -> None:
        changed = Flag()
        unsubscribe = self._link.changed.notify(changed.set)
        try:
            while not self._link.up:
                if self._link.mode is not LinkMode.BLACKHOLE:
                    refused = self._link.mode is LinkMode.REFUSE
                    number = errno.ECONNREFUSED if refused else errno.ECONNRESET
                    raise OSError(number, os.strerror(number))
                changed.clear()
                await changed.wait()
        finally:
            unsubscribe()

    async def close(self) -> None:
        """Stop listening and reset all connections."""
        self._open = False
        self._unsubscribe()
        if self.follow in self._link.followers:
            self._link.followers.remove(self.follow)
        self._reset_all()
        self._stop_listening()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self) -> None:
        """Start or stop listening, according to the link."""
        async with self._listening:
            refused = not self._link.up and self._link.mode is LinkMode.REFUSE
            if refused:
                self._stop_listening()
            elif self._open and self._server is None:
                await self._listen()

    # Ends -----------------------------------------------------------------------------------

    def on_connected(self, end: _End, *, first: bool) -> None:
        """A connection was made: by a client (`first`), or to the target."""
        self._ends[end] = None
        if not self._link.up and self._link.mode is not LinkMode.BLACKHOLE:
            end.reset()
            return
        if first:
            end.pause()
            self._waiting[end] = None
            if not self._join(end):
                self._connect_waiting()
        else:
            end.resume()
            if not self.passes:
                end.pause()

    def on_preconnected(self, end: _End) -> None:
        """A connection to the target was made for a future client."""
        self._ends[end] = None
        if not self._link.up and self._link.mode is not LinkMode.BLACKHOLE:
            end.reset()
            return
        end.pause()
        self._ready[end] = asyncio.get_running_loop().call_later(READY_S, end.reset)

    def _join(self, client: _End) -> bool:
        """Connect a client to a waiting connection to the target, if there is one."""
        if not self._ready or not self.passes:
            return False
        target = next(iter(self._ready))
        self._ready.pop(target).cancel()
        del self._waiting[client]
        client.set_peer(target)
        target.set_peer(client)
        client.flush()
        target.flush()
        return True

    def on_lost(self, end: _End) -> None:
        """A connection was lost; a black hole hides that from the other end."""
        self._waiting.pop(end, None)
        timer = self._ready.pop(end, None)
        if timer is not None:
            timer.cancel()
        if self.passes or self._link.mode is not LinkMode.BLACKHOLE:
            self._ends.pop(end, None)
            end.propagate_close()

    def _apply_link(self) -> None:
        if self._server is None:
            self._start(self.follow())
        if self._link.up:
            self._resume_all()
        elif self._link.mode is LinkMode.BLACKHOLE:
            for end in self._ends:
                end.pause()
        else:
            self._reset_all()
            if self._link.mode is LinkMode.REFUSE:
                self._stop_listening()

    def _resume_all(self) -> None:
        for end in list(self._ends):
            if end.lost:
                self.on_lost(end)
            else:
                end.resume()
        self._connect_waiting()

    def _connect_waiting(self) -> None:
        while self.passes and self._waiting:
            end = next(iter(self._waiting))
            del self._waiting[end]
            self._start(self._connect(end))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _connect(self, end: _End) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: _End(self, end), *self._target)
        except (OSError, TimeoutError):
            end.reset()

    def _reset_all(self) -> None:
        for end in list(self._ends):
            if end.lost:
                self._ends.pop(end)
            end.reset()

    # Listening ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        port = self._address[1]
        for attempt in range(BIND_ATTEMPTS):
            try:
                # In two steps: a cancellation while the server starts would leave it unclosed.
                self._server = await loop.create_server(
                    lambda: _End(self), LOCAL, port, start_serving=False
                )
                await self._server.start_serving()
                break
            except OSError:
                self._stop_listening()
                if attempt == BIND_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(BIND_PAUSE_S)
        if self._server is not None and self._server.sockets:
            port = self._server.sockets[0].getsockname()[1]
        # The simulated network has another address for this machine.
        found = await loop.getaddrinfo(LOCAL, port, type=socket.SOCK_STREAM)
        self._address = (str(found[0][4][0]), port)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class Routes:
    """The routes of a world, opened on first use."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str, int], Route] = {}
        self._opening = asyncio.Lock()

    async def dial(self, link: str, host: str, port: int) -> tuple[str, int]:
        """Like `through`, but first connects to the target; raises its OSError, and waits while the
        link is a black hole."""
        route = await self._route(link, host, port)
        await route.preconnect()
        return route.address

    async def through(self, link: str, host: str, port: int) -> tuple[str, int]:
        """The local address that leads to `host:port` through a link."""
        return (await self._route(link, host, port)).address

    async def _route(self, link: str, host: str, port: int) -> Route:
        key = (link, host, port)
        # Under a lock, so that no caller gets the address of a route that does not listen yet.
        async with self._opening:
            route = self._routes.get(key)
            if route is None:
                await self._close_idle_route()
                route = Route(self._world.links[link], host, port)
                try:
                    await route.open()
                except BaseException:
                    await route.close()
                    raise
                self._routes[key] = route
        return route

    async def _close_idle_route(self) -> None:
        """Limit the number of listening sockets, for host names with many addresses."""
        if len(self._routes) >= MAX_ROUTES:
            idle = next((key for key, route in self._routes.items() if route.idle), None)
            if idle is not None:
                await self._routes.pop(idle).close()

    async def close(self) -> None:
        for route in self._routes.values():
            await route.close()
        self._routes.clear()
