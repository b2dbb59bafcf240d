"""What the client needs from the application, and the data that passes between them.

Sources: OCPP 1.6 edition 2 section 3.7 (transaction messages), errata 3.18 (undeliverable Start).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from borne.adapters.ocpp.charge_point.ladder import StepResult
from borne.foundation.clock import Moment
from borne.protocols.ocpp.messages import Action, Message
from borne.protocols.ocpp.messages.core import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
)
from borne.protocols.ocpp.rpc.handlers import Handlers


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """The oldest transaction message without a committed answer."""

    seq: int
    message_id: str
    """Persisted: a repeat carries the same one."""
    action: Action
    """StartTransaction, StopTransaction or MeterValues."""
    session_id: str | None
    payload: Mapping[str, Any]
    """JSON data by field name of the request model, without transaction_id; timestamps are
    ISO 8601 or `Moment.to_text()`."""
    transaction_id: int | None
    """Resolved: the backend's, -1 after an undeliverable Start, None outside transactions."""
    attempts: int = 0
    """Failed ones so far."""


class Outbox(Protocol):
    """The durable, ordered queue of transaction messages; owned by the application's storage.

    A method returns after the commit. The client awaits one message at a time.
    """

    async def next_message(self) -> OutboxMessage | None:
        """The oldest one, None when the queue is empty."""

    async def end_waits(self, connector: int) -> bool:
        """Whether a StopTransaction of that connector waits to be sent for the first time."""

    async def answered(self, seq: int, answer: Message) -> None:
        """Commit the answer; a StartTransactionResponse gives its session the transaction id."""

    async def failed(self, seq: int) -> int:
        """Count a failed attempt; the attempts so far."""

    async def discard(self, seq: int, reason: str) -> None:
        """Give a message up. A Start given up makes the rest of its session use -1."""

    async def wait_for_work(self) -> None:
        """Return when `next_message` may have something."""


class StationEvents(Protocol):
    """What the application wants to hear. Calls return at once."""

    def backend_time(self, at: datetime, round_trip_s: float) -> None:
        """The backend's clock, from a BootNotification or Heartbeat answer."""

    def heartbeat_interval(self, interval_s: int) -> None:
        """The backend set HeartbeatInterval by its BootNotification answer."""

    def transaction_message_lost(self, message: OutboxMessage, reason: str) -> None:
        """A transaction message was given up: money may be missing."""


@dataclass(frozen=True, slots=True)
class StationSide:
    """All that stands behind the client."""

    boot_content: Callable[[], BootNotificationRequest]
    """What to say of ourselves; asked anew at each connection."""
    handlers: Handlers
    outbox: Outbox
    events: StationEvents


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The status of a connector (0 = the charge point) and when it became so."""

    connector_id: int
    status: ChargePointStatus
    at: Moment
    error_code: ChargePointErrorCode = ChargePointErrorCode.NO_ERROR
    info: str = ""
    vendor_error_code: str = ""
    vendor_id: str = ""
    info_is_news: bool = False
    """The text says what happened, not what is: it is told once, now or never."""

    @property
    def lasting(self) -> StatusReport:
        """What is still true when the news is old."""
        return replace(self, info="", info_is_news=False) if self.info_is_news else self

    def same_as(self, other: StatusReport | None) -> bool:
        """Equal but for the time."""
        return other is not None and self.content == other.content

    @property
    def content(self) -> tuple[object, ...]:
        """All but the time."""
        return (
            self.connector_id,
            self.status,
            self.error_code,
            self.info,
            self.vendor_error_code,
            self.vendor_id,
        )


class LinkState(StrEnum):
    """Of the connection."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """For the next attempt."""


class BootState(StrEnum):
    """What the central system last said; it holds across connections of one process."""

    NONE = "none"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class BackendView:
    """The link, for people, API and metrics."""

    link: LinkState
    boot: BootState
    ladder: tuple[StepResult, ...]
    last_error: str
    """Of the lowest step that fails now; empty when none does."""
    next_heartbeat_s: float | None
    next_attempt_s: float | None
    offline_for_s: float
    """Since the backend last was connected (for the TCP watchdog, manual 4); 0 when it is."""
    connections: int
    """Made by this process."""
