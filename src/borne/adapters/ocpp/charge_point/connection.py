"""One WebSocket connection to a central system; used once.

Source: OCPP-J 1.6 sections 3 (URL, sub-protocol) and 5 (ping, compression); manual section 4
(proxy, TLS strictness, keep-alive). Each step is reported to a `ConnectionSteps`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from asyncio import BaseTransport
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from borne import __version__
from borne.adapters.ocpp.charge_point.config import (
    SUB_PROTOCOL,
    ConfigError,
    ConnectionConfig,
    basic_authorization,
    endpoint_url,
    proxy_url,
)
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.adapters.ocpp.charge_point.interfaces import Interfaces
from borne.adapters.ocpp.charge_point.tls import client_context
from borne.application.ports.backend import ConnectionStep
from borne.foundation.waiting import Flag
from borne.protocols.ocpp.rpc.connection import TransportClosed

CLOSE_TIMEOUT_S: Final = 5.0
"""Longest wait for the backend's part of the closing handshake."""
ADDRESS_TIMEOUT_S: Final = 10.0
"""Timeout per address of a host name, so that a dead IPv6 route does not use up all the time."""


class ConnectionState(Enum):
    """States of a connection, each entered at most once, in this order."""

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    """The sub-protocol is agreed and frames can be sent."""
    CLOSED = "closed"


DialRoute = Callable[[str, int], Awaitable[tuple[str, int]]]
"""Gives the address to connect to instead, for a simulated network. Raises OSError like the real
target; host name and TLS are unchanged."""


class BackendConnection:
    """A text transport over WebSocket. `open` comes first; the connection ends with `close` or
    `abort`."""

    def __init__(
        self,
        config: ConnectionConfig,
        *,
        ping_interval_s: float = 0.0,
        route: DialRoute | None = None,
        interfaces: Interfaces | None = None,
    ) -> None:
        self._route = route
        self._interfaces = interfaces
        self._no_interface = False
        self.state = ConnectionState.NEW
        self._config = config
        self._step = ConnectionStep.DNS
        self._socket: ClientConnection | None = None
        self._ping_interval_s = ping_interval_s
        self._ping_changed = Flag()

    async def open(self, steps: ConnectionSteps) -> None:
        """Connect up to WebSocket; raises ConnectFailed with the failing step."""
        if self.state is not ConnectionState.NEW:
            raise RuntimeError("a connection may only be used once")
        self.state = ConnectionState.CONNECTING
        timeout_s = self._config.connect_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                self._socket = await self._climb(steps)
            self.state = ConnectionState.OPEN
        except ConnectFailed:
            raise
        except TimeoutError:
            silence = ConnectFailed(self._step, f"no answer within {timeout_s:g} s")
            raise self._blamed(silence) from None
        except (OSError, WebSocketException, ConfigError) as error:
            raise self._blamed(_explain(self._step, error)) from error
        finally:
            if self.state is not ConnectionState.OPEN:
                self.state = ConnectionState.CLOSED

    async def send(self, text: str) -> None:
        """Send one text frame; raises TransportClosed."""
        try:
            await self._opened().send(text)
        except ConnectionClosed as error:
            self.state = ConnectionState.CLOSED
            raise TransportClosed(str(error)) from None

    async def recv(self) -> bytes:
        """The next frame, undecoded: invalid UTF-8 does not end the connection."""
        try:
            return await self._opened().recv(decode=False)
        except ConnectionClosed as error:
            self.state = ConnectionState.CLOSED
            raise TransportClosed(str(error)) from None

    def set_ping_interval(self, interval_s: float) -> None:
        """WebSocketPingInterval, effective at once; 0 = off."""
        if interval_s != self._ping_interval_s:
            self._ping_interval_s = interval_s
            self._ping_changed.set()

    async def keep_alive(self) -> None:
        """Ping at the interval; returns after aborting a connection without pong."""
        while self.state is ConnectionState.OPEN:
            self._ping_changed.clear()
            interval_s = self._ping_interval_s if self._ping_interval_s > 0 else None
            changed = await self._ping_changed.wait(interval_s)
            if not changed and not await self.ping():
                self.abort()

    async def ping(self) -> bool:
        """Send a ping; True if the pong arrives in time."""
        if self.state is not ConnectionState.OPEN:
            return False
        try:
            async with asyncio.timeout(self._config.pong_timeout_s):
                # Shielded, because the library completes the future even after we gave up.
                await asyncio.shield(asyncio.ensure_future(await self._opened().ping()))
            return True
        except (TimeoutError, ConnectionClosed):
            return False

    async def close(self) -> None:
        """Close with the closing handshake."""
        opened, self.state = self._socket, ConnectionState.CLOSED
        if opened is not None:
            await opened.close()

    def abort(self) -> None:
        """Close without a handshake, as in a power failure."""
        self.state = ConnectionState.CLOSED
        if self._socket is not None:
            self._socket.transport.abort()

    def _opened(self) -> ClientConnection:
        if self._socket is None:
            raise TransportClosed("not open")
        return self._socket

    async def _climb(self, steps: ConnectionSteps) -> ClientConnection:
        config = self._config
        url = endpoint_url(config.url, config.identity)
        proxy = proxy_url(config.proxy)
        parts = urlsplit(url)
        self._look_at_interfaces(steps)
        secure = parts.scheme == "wss"
        options: dict[str, Any] = {}
        if secure:
            options["ssl"] = await self._context()
        if proxy is None:
            host = parts.hostname or ""
            port = parts.port or (443 if secure else 80)
            options["sock"] = await self._dial(steps, host, port)
            if secure:
                options["server_hostname"] = host
        else:
            steps.skipped(ConnectionStep.DNS)
            self._enter(steps, ConnectionStep.TCP)

        def transport_made(transport: BaseTransport) -> None:
            if proxy is not None:
                steps.ok(ConnectionStep.TCP, f"proxy {urlsplit(proxy).hostname}")
            if secure:
                steps.ok(ConnectionStep.TLS, _tls_detail(transport))
            else:
                steps.skipped(ConnectionStep.TLS)
            self._enter(steps, ConnectionStep.WEBSOCKET)

        if proxy is None:
            self._enter(steps, ConnectionStep.TLS if secure else ConnectionStep.WEBSOCKET)
        opened = await _Connect(
            url,
            subprotocols=[Subprotocol(SUB_PROTOCOL)],
            compression="deflate" if config.compression else None,
            additional_headers=self._headers(),
            user_agent_header=f"borne/{__version__}",
            proxy=proxy,
            open_timeout=None,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=config.max_frame_bytes,
            create_connection=partial(_Observed, transport_made),  # type: ignore[arg-type]  # its documentation allows any factory
            **options,
        )
        if opened.subprotocol != SUB_PROTOCOL:
            opened.transport.abort()
            raise ConnectFailed(
                ConnectionStep.WEBSOCKET, f"the backend does not speak {SUB_PROTOCOL}", 101
            )
        steps.ok(ConnectionStep.WEBSOCKET, SUB_PROTOCOL, 101)
        # 3 kB for each connection, and the password is among them.
        for message in (opened.request, opened.response):
            if message is not None:
                message.headers.clear()
        return opened

    def _look_at_interfaces(self, steps: ConnectionSteps) -> None:
        found = self._interfaces() if self._interfaces is not None else None
        # A backend on this machine needs no interface.
        self._no_interface = found is not None and not found
        if found:
            steps.ok(ConnectionStep.INTERFACE, ", ".join(found))
        else:
            steps.skipped(ConnectionStep.INTERFACE)

    def _blamed(self, error: ConnectFailed) -> ConnectFailed:
        """If no interface is up, the failure is attributed to that step."""
        if self._no_interface and error.step in {ConnectionStep.DNS, ConnectionStep.TCP}:
            return ConnectFailed(
                ConnectionStep.INTERFACE, f"no network interface is up ({error.reason})"
            )
        return error

    def _enter(self, steps: ConnectionSteps, step: ConnectionStep) -> None:
        self._step = step
        steps.running(step)

    def _headers(self) -> dict[str, str]:
        config = self._config
        if config.password is None:
            return {}
        return {"Authorization": basic_authorization(config.identity, config.password)}

    async def _context(self) -> ssl.SSLContext:
        try:
            return await asyncio.to_thread(client_context, self._config.tls)
        except (OSError, ValueError) as error:
            raise ConnectFailed(ConnectionStep.TLS, f"own certificates: {error}") from error

    async def _dial(self, steps: ConnectionSteps, host: str, port: int) -> socket.socket:
        """Resolve the host name at each attempt, then try its addresses one after the other."""
        loop = asyncio.get_running_loop()
        self._enter(steps, ConnectionStep.DNS)
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        steps.ok(ConnectionStep.DNS, ", ".join(str(address[0]) for _, address in addresses))
        self._enter(steps, ConnectionStep.TCP)
        problem: OSError = OSError(f"{host} has no address")
        for position, (family, address) in enumerate(addresses):
            last = position == len(addresses) - 1
            try:
                async with asyncio.timeout(None if last else ADDRESS_TIMEOUT_S):
                    opened = await self._connected(family, address)
            except OSError as error:  # TimeoutError is one of them
                problem = error
            else:
                steps.ok(ConnectionStep.TCP, f"{host} at {address[0]!s} port {port}")
                return opened
        raise problem

    async def _connected(self, family: int, address: Any) -> socket.socket:
        if self._route is None:
            return await _connected_socket(family, address)
        host, port = await self._route(str(address[0]), int(address[1]))
        return await _connected_socket(socket.AF_INET, (host, port))


class _Connect(connect):
    """The library's connect, but redirects are errors, because they could leak credentials."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Observed(ClientConnection):
    """A connection that reports when TCP and TLS are established and HTTP starts."""

    def __init__(
        self, transport_made: Callable[[BaseTransport], None], *args: Any, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._transport_made: Callable[[BaseTransport], None] | None = transport_made

    def connection_made(self, transport: BaseTransport) -> None:
        if self._transport_made is not None:
            self._transport_made(transport)
            self._transport_made = None
        super().connection_made(transport)


async def _connected_socket(family: int, address: Any) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off, which would cost 40 ms for
    # each second frame.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened


def _tls_detail(transport: BaseTransport) -> str:
    tls = cast("ssl.SSLObject | None", transport.get_extra_info("ssl_object"))
    if tls is None:
        return ""
    certificate = tls.getpeercert() or {}
    until = certificate.get("notAfter")
    return f"{tls.version()}, certificate until {until}" if until else f"{tls.version()}"


def _explain(step: ConnectionStep, error: Exception) -> ConnectFailed:
    """The failing step and a message for an exception of the libraries."""
    match error:
        case ConfigError():
            return ConnectFailed(ConnectionStep.DNS, str(error))
        case socket.gaierror():
            return ConnectFailed(ConnectionStep.DNS, error.strerror or str(error))
        case ssl.SSLCertVerificationError():
            return ConnectFailed(ConnectionStep.TLS, f"certificate refused: {error.verify_message}")
        case ssl.SSLError():
            return ConnectFailed(ConnectionStep.TLS, error.reason or str(error))
        case ProxyError():
            return ConnectFailed(ConnectionStep.TCP, f"proxy: {error}")
        case InvalidStatus():
            status = error.response.status_code
            phrase = next((s.phrase for s in HTTPStatus if s == status), "")
            note = "redirect refused" if 300 <= status < 400 else phrase
            return ConnectFailed(ConnectionStep.WEBSOCKET, f"HTTP {status} {note}".strip(), status)
        case InvalidHandshake() | WebSocketException():
            return ConnectFailed(ConnectionStep.WEBSOCKET, str(error) or type(error).__name__)
        case OSError(errno=int(number)) if number > 0:
            return ConnectFailed(step, os.strerror(number))
    return ConnectFailed(step, str(error) or type(error).__name__)
