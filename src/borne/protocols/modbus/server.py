"""The device's side of Modbus: TCP, RTU over TCP, and RTU on a serial line or pseudo-terminal.

Used by the simulated meters, and by whatever the station itself serves.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Protocol

from borne.foundation.listener import CannotListen
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.exchange import RtuExchange
from borne.protocols.modbus.failures import ExceptionCode
from borne.protocols.modbus.framing import (
    BrokenStream,
    MbapReader,
    RtuRequestReader,
    mbap_frame,
    rtu_frame,
)
from borne.protocols.modbus.pdu import (
    RefusedRequest,
    Request,
    decode_request,
    encode_answer,
    encode_exception,
)
from borne.protocols.modbus.transports import (
    Link,
    LinkLost,
    SerialLink,
    TcpLink,
    open_pty,
    open_serial,
)

MAX_CLIENTS: Final = 32
IDLE_S: Final = 300.0
"""A client that asks nothing for so long is disconnected."""
SILENCE_S: Final = 0.05
"""Ends a frame on a serial line; more than 3.5 characters, as adapters deliver in pieces."""
NETWORK_SILENCE_S: Final = 0.2
"""The same for RTU over TCP: a lost packet is sent again after some 0.2 s."""
BROADCAST: Final = 0

Reply = Sequence[int] | ExceptionCode | None
"""Values of a read, in any number for a write; a refusal; or None for no answer at all."""
Handler = Callable[[int, Request, str], Reply | Awaitable[Reply]]
"""Gets unit, request and the address of the client (empty on a serial line)."""
_log = logging.getLogger(__name__)


class _Codec(Protocol):
    """Frames of one connection."""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Transaction, unit and PDU of each request. Raises BrokenStream."""

    def silence(self) -> list[tuple[int, int, bytes]]:
        """Requests that only the end of a frame completes."""

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        """The frame of an answer."""


class _TcpCodec:
    def __init__(self) -> None:
        self._reader = MbapReader()

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        return [(each.transaction, each.unit, each.pdu) for each in self._reader.feed(data)]

    def silence(self) -> list[tuple[int, int, bytes]]:
        return []

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        return mbap_frame(transaction, unit, pdu)


class _RtuCodec:
    def __init__(self) -> None:
        self._reader = RtuRequestReader()

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        return [(0, unit, pdu) for unit, pdu in self._reader.feed(data)]

    def silence(self) -> list[tuple[int, int, bytes]]:
        return [(0, unit, pdu) for unit, pdu in self._reader.silence()]

    def frame(self, transaction: int, unit: int, pdu: bytes) -> bytes:
        del transaction
        return rtu_frame(unit, pdu)


class _ClientLink(TcpLink):
    """A connection of a client, served from when it is made."""

    def __init__(self, on_client: Callable[[TcpLink, str], None]) -> None:
        super().__init__()
        self._on_client = on_client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._on_client(self, str(peer[0]) if peer else "")


class ModbusServer:
    """Answers requests at one port or line. Port 0 chooses a free one; `pty=True` serves a new
    pseudo-terminal, whose other end is `device`. Requests to units outside `units` get no answer.
    `spoil` changes each frame before it is sent, for simulated faults.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        handler: Handler,
        *,
        units: Collection[int] | None = None,
        max_clients: int = MAX_CLIENTS,
        idle_s: float = IDLE_S,
        listening: socket.socket | None = None,
        pty: bool = False,
        spoil: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.device = endpoint.device if isinstance(endpoint, SerialEndpoint) else ""
        self._handler = handler
        self._units = units
        self._max_clients = max_clients
        self._idle_s = math.inf if self.device or pty else idle_s
        self._listening = listening
        self._pty = pty
        self._spoil = spoil
        self._mbap = isinstance(endpoint, TcpEndpoint) and endpoint.framing is Framing.TCP
        self._pause_s = 0.0
        on_line = isinstance(endpoint, SerialEndpoint)
        self._silence_s = SILENCE_S if on_line else NETWORK_SILENCE_S
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], Link] = {}
        self._closed = False

    @property
    def clients(self) -> int:
        """Connections that are open."""
        return len(self._clients)

    async def start(self) -> int:
        """Returns the port; 0 for a serial line. Raises CannotListen, Unreachable."""
        if isinstance(self.endpoint, TcpEndpoint):
            return await self._listen(self.endpoint)
        await self._open_line(self.endpoint)
        return 0

    async def _listen(self, endpoint: TcpEndpoint) -> int:
        loop = asyncio.get_running_loop()
        try:
            if self._listening is not None:
                self._server = await loop.create_server(self._accept, sock=self._listening)
            else:
                self._server = await loop.create_server(self._accept, endpoint.host, endpoint.port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CannotListen(f"{endpoint} cannot be used for Modbus: {reason}.") from None
        sockets = self._server.sockets
        return int(sockets[0].getsockname()[1]) if sockets else endpoint.port

    async def _open_line(self, endpoint: SerialEndpoint) -> None:
        if self._pty:
            link, self.device = open_pty()
        else:
            link = await open_serial(endpoint)
            self._pause_s = RtuExchange.gap_s(endpoint.baud, endpoint.character_s)
        self._serve(link, "")

    async def close(self) -> None:
        """Close the port and every connection."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        tasks = list(self._clients)
        for task, link in tuple(self._clients.items()):
            link.close()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def disconnect_clients(self) -> None:
        """Close every connection; new ones are accepted."""
        for link in tuple(self._clients.values()):
            link.close()

    def _accept(self) -> _ClientLink:
        return _ClientLink(self._serve)

    def _serve(self, link: TcpLink | SerialLink, client: str) -> None:
        if self._closed or len(self._clients) >= self._max_clients:
            link.close()
            return
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._converse(link, client), name=f"modbus server {client}")
        self._clients[task] = link
        task.add_done_callback(lambda ended: self._clients.pop(ended, None))

    async def _converse(self, link: Link, client: str) -> None:
        codec: _Codec = _TcpCodec() if self._mbap else _RtuCodec()
        try:
            while requests := await self._requests(link, codec):
                for transaction, unit, pdu in requests:
                    answer = await self._answer(unit, pdu, client)
                    if answer is not None:
                        await self._send(link, codec.frame(transaction, unit, answer))
        except (LinkLost, BrokenStream):
            pass
        finally:
            link.close()

    async def _send(self, link: Link, frame: bytes) -> None:
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        link.send(frame if self._spoil is None else self._spoil(frame))

    async def _requests(self, link: Link, codec: _Codec) -> list[tuple[int, int, bytes]]:
        """The next requests; none when the client was idle for too long."""
        loop = asyncio.get_running_loop()
        idle_until_s = until_s = loop.time() + self._idle_s
        while True:
            data = await link.receive(until_s)
            requests = codec.feed(data) if data else codec.silence()
            if requests or loop.time() >= idle_until_s:
                return requests
            until_s = min(idle_until_s, loop.time() + self._silence_s) if data else idle_until_s

    async def _answer(self, unit: int, pdu: bytes, client: str) -> bytes | None:
        if self._units is not None and unit not in self._units:
            return None
        try:
            request = decode_request(pdu)
        except RefusedRequest as refused:
            answer: bytes | None = encode_exception(refused.function, refused.code)
        else:
            answer = await self._handle(unit, request, client)
        return None if unit == BROADCAST and not self._mbap else answer

    async def _handle(self, unit: int, request: Request, client: str) -> bytes | None:
        try:
            reply = self._handler(unit, request, client)
            if inspect.isawaitable(reply):
                reply = await reply
            if reply is None:
                return None
            if isinstance(reply, ExceptionCode):
                return encode_exception(request.function, reply)
            return encode_answer(request, reply)
        except Exception:
            _log.exception("a Modbus request of %s failed", client or "a serial line")
            return encode_exception(request.function, ExceptionCode.DEVICE_FAILURE)
