"""An independent central system: the `ocpp` package over a real WebSocket, recording everything.

It shares no code with the station and checks every message against the official schemas.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as OcppChargePoint
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, GenericStatus, RegistrationStatus

from tests.support.conversation_checker import ConversationChecker
from tests.support.frame_checker import CheckedConnection, FrameChecker
from tests.support.timeouts import TEST_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Seen:
    """A request of the station, in the package's snake_case."""

    action: str
    payload: dict[str, Any]
    message_id: str = ""


async def _nothing(_action: str, _charge_point: Any) -> None:
    """Do nothing between request and answer."""


@dataclass
class Ledger:
    """What a central system has recorded over all connections."""

    seen: list[Seen] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    transaction_ids: Any = field(default_factory=lambda: itertools.count(1001))
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)
    judge: Callable[[str], str] = lambda _: "Accepted"
    parents: dict[str, str] = field(default_factory=dict)
    at_start: dict[str, dict[str, str]] = field(default_factory=dict)
    """What answers to StartTransaction say of ids instead: status, parent_id_tag."""
    boot_status: str = "Accepted"
    interval_s: int = 300
    conversations: dict[str, ConversationChecker] = field(default_factory=dict)
    """What each station sent, by its identity."""
    meanwhile: Callable[[str, Any], Awaitable[None]] = _nothing
    """Between a request and its answer; what it raises is answered as CALLERROR."""

    async def note(self, action: str, payload: dict[str, Any]) -> None:
        """Record one request."""
        async with self.changed:
            self.seen.append(Seen(action, payload))
            self.changed.notify_all()

    def conversation(self, identity: str) -> ConversationChecker:
        """What a station sent so far."""
        return self.conversations.setdefault(identity, ConversationChecker(identity))

    def of(self, action: str, **wanted: Any) -> list[dict[str, Any]]:
        """Payloads of the requests of one kind that have these values."""
        return [
            seen.payload
            for seen in self.seen
            if seen.action == action
            and all(seen.payload.get(key) == value for key, value in wanted.items())
        ]

    async def wait_for(self, action: str, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """Wait until so many were seen."""
        async with self.changed:
            await asyncio.wait_for(
                self.changed.wait_for(lambda: len(self.of(action, **wanted)) >= count),
                TEST_TIMEOUT_S,
            )
        return self.of(action, **wanted)

    def statuses(self, connector: int) -> list[str]:
        """The statuses sent for a connector, in order."""
        return [p["status"] for p in self.of("StatusNotification", connector_id=connector)]


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a station connected."""

    path: str
    sub_protocol: str | None
    authorization: str
    tls: str
    certificate: dict[str, Any]
    """Of the station, when it was asked for one."""


class RecordingChargePoint(OcppChargePoint):
    """The central system's side of one connection."""

    def __init__(self, identity: str, connection: Any, ledger: Ledger) -> None:
        super().__init__(identity, connection)
        self.ledger = ledger

    @on(Action.boot_notification)
    async def on_boot(self, **payload: Any) -> call_result.BootNotification:
        await self._note("BootNotification", payload)
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(),
            interval=self.ledger.interval_s,
            status=RegistrationStatus(self.ledger.boot_status),
        )

    @on(Action.heartbeat)
    async def on_heartbeat(self, **payload: Any) -> call_result.Heartbeat:
        await self._note("Heartbeat", payload)
        return call_result.Heartbeat(current_time=datetime.now(UTC).isoformat())

    @on(Action.status_notification)
    async def on_status(self, **payload: Any) -> call_result.StatusNotification:
        await self._note("StatusNotification", payload)
        return call_result.StatusNotification()

    @on(Action.authorize)
    async def on_authorize(self, **payload: Any) -> call_result.Authorize:
        await self._note("Authorize", payload)
        return call_result.Authorize(id_tag_info=self._info(payload["id_tag"]))

    @on(Action.start_transaction)
    async def on_start(self, **payload: Any) -> call_result.StartTransaction:
        await self._note("StartTransaction", payload)
        key = tuple(
            payload[name] for name in ("connector_id", "id_tag", "timestamp", "meter_start")
        )
        number = self.ledger.known.setdefault(key, next(self.ledger.transaction_ids))
        info = self._info(payload["id_tag"])
        override = self.ledger.at_start.get(payload["id_tag"])
        if override is not None:
            status = AuthorizationStatus(override.get("status", info.status))
            info = IdTagInfo(status=status, parent_id_tag=override.get("parent_id_tag"))
        return call_result.StartTransaction(number, info)

    @on(Action.stop_transaction)
    async def on_stop(self, **payload: Any) -> call_result.StopTransaction:
        await self._note("StopTransaction", payload)
        return call_result.StopTransaction()

    @on(Action.firmware_status_notification)
    async def on_firmware(self, **payload: Any) -> call_result.FirmwareStatusNotification:
        await self._note("FirmwareStatusNotification", payload)
        return call_result.FirmwareStatusNotification()

    @on(Action.diagnostics_status_notification)
    async def on_diagnostics(self, **payload: Any) -> call_result.DiagnosticsStatusNotification:
        await self._note("DiagnosticsStatusNotification", payload)
        return call_result.DiagnosticsStatusNotification()

    @on(Action.security_event_notification)
    async def on_security_event(self, **payload: Any) -> call_result.SecurityEventNotification:
        await self._note("SecurityEventNotification", payload)
        return call_result.SecurityEventNotification()

    @on(Action.log_status_notification)
    async def on_log_status(self, **payload: Any) -> call_result.LogStatusNotification:
        await self._note("LogStatusNotification", payload)
        return call_result.LogStatusNotification()

    @on(Action.signed_firmware_status_notification)
    async def on_signed(self, **payload: Any) -> call_result.SignedFirmwareStatusNotification:
        await self._note("SignedFirmwareStatusNotification", payload)
        return call_result.SignedFirmwareStatusNotification()

    @on(Action.sign_certificate)
    async def on_sign_certificate(self, **payload: Any) -> call_result.SignCertificate:
        await self._note("SignCertificate", payload)
        return call_result.SignCertificate(GenericStatus.accepted)

    @on(Action.meter_values)
    async def on_meter_values(self, **payload: Any) -> call_result.MeterValues:
        await self._note("MeterValues", payload)
        return call_result.MeterValues()

    async def _note(self, action: str, payload: dict[str, Any]) -> None:
        await self.ledger.note(action, payload)
        await self.ledger.meanwhile(action, self)

    def _info(self, id_tag: str) -> IdTagInfo:
        status = AuthorizationStatus(self.ledger.judge(id_tag))
        return IdTagInfo(status=status, parent_id_tag=self.ledger.parents.get(id_tag))


class CentralSystem:
    """A listening central system; `charge_points` are those that are connected now."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.frames = FrameChecker()
        self.handshakes: list[Handshake] = []
        """Of all connections, newest last."""
        self.joined = asyncio.Condition()
        self.charge_points: dict[str, RecordingChargePoint] = {}
        self.connected = asyncio.Event()
        self._server: Any = None
        self.port = 0
        self.refuse: HTTPStatus | None = None
        """What HTTP says instead of letting a station in."""

    @property
    def url(self) -> str:
        """For the station's setting; the identity is appended by the station."""
        return f"ws://127.0.0.1:{self.port}/ocpp"

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen."""
        self._server = await websockets.serve(
            self._serve,
            "127.0.0.1",
            port or self.port,
            ssl=tls,
            process_request=self._admit,
            subprotocols=["ocpp1.6"],  # type: ignore[list-item]  # the library's NewType
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def wait_for_handshake(self, count: int) -> Handshake:
        """Wait for so many connections; the last of them."""
        async with self.joined:
            await asyncio.wait_for(
                self.joined.wait_for(lambda: len(self.handshakes) >= count), TEST_TIMEOUT_S
            )
        return self.handshakes[-1]

    async def stop(self) -> None:
        """Close everything; raises AssertionError when the station sent a frame that is wrong."""
        self._server.close()
        await self._server.wait_closed()
        self.connected.clear()
        self.frames.check()

    async def call(self, request: Any, *, validated: bool = True) -> Any:
        """Send a request to the only station."""
        await asyncio.wait_for(self.connected.wait(), TEST_TIMEOUT_S)
        (charge_point,) = self.charge_points.values()
        message_id = str(uuid.uuid4())
        if not validated:
            self.frames.allowed.add(message_id)
        return await charge_point.call(
            request,
            suppress=False,
            unique_id=message_id,
            skip_schema_validation=not validated,
        )

    def _admit(self, connection: Any, _: Any) -> Any:
        return connection.respond(self.refuse, "") if self.refuse is not None else None

    async def _serve(self, connection: Any) -> None:
        path = connection.request.path
        identity = path.rsplit("/", 1)[-1]
        conversation = self.ledger.conversation(identity)
        conversation.connected()
        charge_point = RecordingChargePoint(
            identity, CheckedConnection(connection, self.frames, conversation), self.ledger
        )
        self.charge_points[identity] = charge_point
        self.connected.set()
        tls = connection.transport.get_extra_info("ssl_object")
        header = connection.request.headers.get("Authorization", "")
        async with self.joined:
            certificate = tls.getpeercert() if tls is not None else None
            version = tls.version() if tls is not None else ""
            self.handshakes.append(
                Handshake(path, connection.subprotocol, header, version, certificate or {})
            )
            self.joined.notify_all()
        try:
            await charge_point.start()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.connected.clear()


@asynccontextmanager
async def central_system(ledger: Ledger | None = None) -> AsyncIterator[CentralSystem]:
    """A central system while the block runs."""
    central = CentralSystem(ledger)
    await central.start()
    try:
        yield central
    finally:
        await central.stop()
