"""An independent central system: the `ocpp` package behind a `websockets` server."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import ocpp.messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.support.frame_checker import CheckedConnection, FrameChecker

ocpp.messages.ASYNC_VALIDATION = False


def now_text() -> str:
    return datetime.now(UTC).isoformat()


class Peer(ChargePoint):
    """What the central system does with one station."""

    central: Central

    def note(self, action: str, fields: dict[str, Any]) -> None:
        self.central.received.put_nowait((action, fields))

    @on("BootNotification")
    def on_boot(self, **fields: Any) -> Any:
        self.note("BootNotification", fields)
        status, interval = self.central.boots.popleft() if self.central.boots else ("Accepted", 300)
        return call_result.BootNotification(now_text(), interval, RegistrationStatus(status))

    @on("Heartbeat")
    def on_heartbeat(self, **fields: Any) -> Any:
        self.note("Heartbeat", fields)
        return call_result.Heartbeat(now_text())

    @on("StatusNotification")
    def on_status(self, **fields: Any) -> Any:
        self.note("StatusNotification", fields)
        return call_result.StatusNotification()

    @on("Authorize")
    async def on_authorize(self, **fields: Any) -> Any:
        self.note("Authorize", fields)
        await self.central.before_authorize()
        return call_result.Authorize(IdTagInfo(status=AuthorizationStatus.blocked))

    @on("StartTransaction")
    def on_start(self, **fields: Any) -> Any:
        self.note("StartTransaction", fields)
        info = IdTagInfo(status=AuthorizationStatus.accepted)
        return call_result.StartTransaction(transaction_id=7, id_tag_info=info)

    @on("StopTransaction")
    def on_stop(self, **fields: Any) -> Any:
        self.note("StopTransaction", fields)
        return call_result.StopTransaction()

    @on("MeterValues")
    def on_meter_values(self, **fields: Any) -> Any:
        self.note("MeterValues", fields)
        return call_result.MeterValues()


class Central:
    """The server. `received` has every request of the station, in order."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.frames = FrameChecker()
        self.boots: deque[tuple[str, int]] = deque()
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.closed: asyncio.Queue[int | None] = asyncio.Queue()
        self.requests: list[Request] = []
        self.refuse: HTTPStatus | None = None
        self.location = ""
        self.port = 0

    async def before_authorize(self) -> None:
        """Replaced by tests."""

    async def next(self) -> tuple[str, dict[str, Any]]:
        return await self.received.get()

    async def serve_one(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        peer = Peer(path[1:], CheckedConnection(connection, self.frames))
        peer.central = self
        self.peers.put_nowait(peer)
        try:
            await peer.start()
        except ConnectionClosed:
            self.closed.put_nowait(connection.close_code)

    def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refuse is None:
            return None
        response = connection.respond(self.refuse, "no\n")
        if self.location:
            response.headers["Location"] = self.location
        return response


@asynccontextmanager
async def central_system(
    *,
    host: str = "127.0.0.1",
    sub_protocols: tuple[str, ...] = ("ocpp1.6",),
    tls: ssl.SSLContext | None = None,
    accept: Callable[[Central], None] = lambda _: None,
) -> AsyncIterator[Central]:
    """A central system on a free port."""
    central = Central()
    accept(central)
    async with serve(
        central.serve_one,
        host,
        0,
        ssl=tls,
        subprotocols=[Subprotocol(name) for name in sub_protocols] or None,
        process_request=central.judge,
        ping_interval=None,
        close_timeout=1,
    ) as server:
        central.port = server.sockets[0].getsockname()[1]
        yield central
    central.frames.check()
