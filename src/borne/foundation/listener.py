"""HTTP listeners: binding with readable errors, allow-list, limits, graceful and abrupt stop.

Ports below 1024 need privileges. Without them the listener uses a higher port and reports it.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from borne.foundation.connections import ConnectionLimits, ConnectionTable

if TYPE_CHECKING:
    import uvicorn

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

FIRST_FREE_PORT = 1024
FALLBACK_OFFSET = 8000
"""An unprivileged run serves port 80 at 8080 (80 + 8000), 443 at 8443."""
BACKLOG = 64
GRACE_S = 2.0
KEEP_ALIVE_S = 15
HEADERS_S = 10.0
BODY_S = 150.0
"""Longer than the application's own time limit, which answers with an explanation."""
READING_S = 30.0
CLOSING_S = 10.0
MAX_HEADER_BYTES = 16 * 1024


class CannotListen(Exception):
    """The port cannot be used; the message is a sentence for users."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound socket. `note` is set if the port differs from the requested one."""

    socket: socket.socket
    host: str
    port: int
    note: str = ""


def bind(host: str, port: int, what: str, *, fallback: bool = True) -> Bound:
    """Bind a listening TCP socket for `what` (shown to users); port 0 chooses any free port.

    Raises CannotListen.
    """
    try:
        return _bound(host, port)
    except PermissionError:
        if not (fallback and 0 < port < FIRST_FREE_PORT):
            raise CannotListen(_sentence(what, host, port, "it needs privileges")) from None
    except OSError as error:
        raise CannotListen(_sentence(what, host, port, _reason(error))) from None
    high = port + FALLBACK_OFFSET
    try:
        bound = _bound(host, high)
    except OSError as error:
        raise CannotListen(_sentence(what, host, high, _reason(error))) from None
    note = f"Port {port} needs privileges: {what} is on port {high}."
    return Bound(bound.socket, bound.host, bound.port, note)


def _bound(host: str, port: int) -> Bound:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off for accepted connections.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6 and host == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return Bound(sock, host, int(sock.getsockname()[1]))


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such address"
    match error.errno:
        case errno.EADDRINUSE:
            return "another program uses it"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address"
        case errno.EACCES | errno.EPERM:
            return "it needs privileges"
        case _:
            return error.strerror or str(error)


def _sentence(what: str, host: str, port: int, reason: str) -> str:
    return f"Port {port} on {host} cannot be used for {what}: {reason}."


class AllowList:
    """Networks that may connect; empty allows all. Raises ValueError for an invalid network."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(text.strip(), strict=False) for text in networks]

    def permits(self, address: str) -> bool:
        if not self._networks:
            return True
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._networks)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of one listener."""

    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    always: frozenset[str] = frozenset()
    """Paths that are served even when all connections are in use."""
    headers_bytes: int = MAX_HEADER_BYTES
    headers_s: float = HEADERS_S
    body_s: float = BODY_S
    keep_alive_s: int = KEEP_ALIVE_S
    reading_s: float = READING_S
    """A client that does not read is cut off after this time; one that reads may stay."""
    closing_s: float = CLOSING_S
    grace_s: float = GRACE_S


class HttpServer:
    """An ASGI application on a bound socket and the running loop. Can be started once."""

    def __init__(
        self,
        app: AsgiApp,
        bound: Bound,
        *,
        limits: HttpLimits | None = None,
        allowed: AllowList | None = None,
        tls: ssl.SSLContext | None = None,
        before_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.bound = bound
        self._app = app
        self._limits = limits or HttpLimits()
        self._allowed = allowed or AllowList()
        self._tls = tls
        self._before_stop = before_stop
        self.connections = ConnectionTable(self._limits.connections)
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        host = f"[{self.bound.host}]" if ":" in self.bound.host else self.bound.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.bound.port}"

    async def start(self) -> None:
        import uvicorn

        from borne.foundation.http_protocol import TimeLimits, guarded

        limits = self._limits
        times = TimeLimits(
            limits.headers_s,
            limits.body_s,
            limits.keep_alive_s,
            limits.reading_s,
            limits.closing_s,
        )
        config = uvicorn.Config(
            self._filter,
            http=guarded(self.connections, times, limits.always),
            interface="asgi3",
            log_config=None,
            # At a lower level, any client could fill the log with malformed requests.
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws="none",
            h11_max_incomplete_event_size=limits.headers_bytes,
            timeout_keep_alive=limits.keep_alive_s,
            timeout_graceful_shutdown=max(1, round(limits.grace_s)),
        )
        config.load()
        if self._tls is not None:
            config.ssl = self._tls
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[self.bound.socket])
        self._server = server

    async def stop(self) -> None:
        """Accept no more connections, let running responses finish for `grace_s`, then close."""
        server, self._server = self._server, None
        if server is None:
            self.bound.socket.close()
            return
        self._before_stop()
        server.should_exit = True
        await server.shutdown(sockets=[self.bound.socket])

    def abort(self) -> None:
        """Close all connections immediately."""
        server, self._server = self._server, None
        if server is not None:
            for listener in server.servers:
                listener.close()
            for connection in tuple(server.server_state.connections):
                transport = getattr(connection, "transport", None)
                if transport is not None:
                    transport.abort()
        with contextlib.suppress(OSError):
            self.bound.socket.close()

    async def _filter(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if not self._allowed.permits(client[0] if client else ""):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"this address is not allowed\n"})
            return
        await self._app(scope, receive, send)
