"""The interface of a transport: JSON over WebSocket here, SOAP over HTTP elsewhere."""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeVar

from borne.adapters.ocpp.charge_point.config import BackendConfig
from borne.adapters.ocpp.charge_point.connection import BackendConnection, DialRoute
from borne.adapters.ocpp.charge_point.connection_steps import ConnectionSteps
from borne.adapters.ocpp.charge_point.interfaces import Interfaces
from borne.foundation.supervisor import Supervisor
from borne.protocols.ocpp.messages import Message
from borne.protocols.ocpp.rpc.connection import RpcConnection
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import CallHandler

Res = TypeVar("Res", bound=Message)


class OcppLink(Protocol):
    """A conversation with the central system, used once: `open`, `run`, and `call` meanwhile."""

    async def open(self, steps: ConnectionSteps) -> None:
        """Connect; raises ConnectFailed."""

    async def run(self) -> None:
        """Receive until the connection is closed."""

    async def call(
        self,
        request: Message,
        response_type: type[Res],
        *,
        message_id: str | None = None,
    ) -> Res:
        """As `Session.call`."""

    async def is_alive(self, since_s: float) -> bool:
        """True if something was received since that loop time, or a probe is answered."""

    def apply(self, config: BackendConfig) -> None:
        """Apply what can change without a new connection."""

    async def close(self) -> None:
        """Close in an orderly way."""

    def abort(self) -> None:
        """Close at once, without a closing handshake."""


class LinkFactory(Protocol):
    """Creates a new link for each attempt."""

    def __call__(
        self, config: BackendConfig, handler: CallHandler, tasks: Supervisor, log: FrameLog
    ) -> OcppLink:
        """`handler` answers incoming calls; `tasks` owns what outlives the link."""


class JsonLink:
    """OCPP-J: a `Connection` with a `Session` on it."""

    def __init__(
        self,
        config: BackendConfig,
        handler: CallHandler,
        tasks: Supervisor,
        log: FrameLog,
        *,
        route: DialRoute | None = None,
        interfaces: Interfaces | None = None,
    ) -> None:
        self._connection = BackendConnection(
            config.connection,
            ping_interval_s=config.ping_interval_s,
            route=route,
            interfaces=interfaces,
        )
        self._rpc = RpcConnection(
            self._connection,
            handler,
            log=log,
            tasks=tasks,
            call_timeout_s=config.call_timeout_s,
        )

    async def open(self, steps: ConnectionSteps) -> None:
        await self._connection.open(steps)

    async def run(self) -> None:
        """Receive frames and keep the connection alive."""
        keep_alive = asyncio.create_task(self._connection.keep_alive())
        try:
            await self._rpc.run()
        finally:
            keep_alive.cancel()

    async def call(
        self,
        request: Message,
        response_type: type[Res],
        *,
        message_id: str | None = None,
    ) -> Res:
        """Send a CALL and return its answer."""
        return await self._rpc.call(request, response_type, message_id=message_id)

    async def is_alive(self, since_s: float) -> bool:
        """True after a frame since then, or a pong now."""
        received_s = self._rpc.last_received_s
        if received_s is not None and received_s >= since_s:
            return True
        return await self._connection.ping()

    def apply(self, config: BackendConfig) -> None:
        """Apply ping interval and call timeout."""
        self._connection.set_ping_interval(config.ping_interval_s)
        self._rpc.call_timeout_s = config.call_timeout_s

    async def close(self) -> None:
        await self._connection.close()

    def abort(self) -> None:
        self._connection.abort()
