"""The connection to a backend, independent of its protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from borne.application.ports.storage import QueuedMessage
from borne.domain.frames import FrameRecord
from borne.domain.station.status import BackendStatus
from borne.domain.station.transaction_messages import StartMessage, StopMessage
from borne.foundation.clock import Moment

NO_ERROR: Final = "NoError"
"""The error code of OCPP 1.6 (section 7.6) for a connector without a fault."""


class BackendUnreachable(Exception):
    """The backend cannot answer now."""


class NoVerdict(Exception):
    """The backend's answer has no usable status of the card, so nothing is authorized."""


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """The backend's information about a token."""

    status: str
    """Accepted, Blocked, Expired, Invalid, ConcurrentTx."""
    parent: str | None = None
    expires_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """True only for Accepted."""
        return self.status == "Accepted"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The status of a connector (0 = the station), with the time of its change."""

    connector: int
    status: BackendStatus
    at: Moment
    error_code: str = NO_ERROR
    info: str = ""
    vendor_error_code: str = ""
    info_is_news: bool = False
    """The text reports an event instead of a state: it is sent once, now or never."""

    @property
    def lasting(self) -> StatusReport:
        """The report without the part that is only true once."""
        return replace(self, info="", info_is_news=False) if self.info_is_news else self

    def same_as(self, other: StatusReport | None) -> bool:
        """Equal apart from the time."""
        return other is not None and replace(self, at=other.at, info_is_news=False) == replace(
            other, info_is_news=False
        )


class BackendListener(Protocol):
    """Receives the backend's answers. Methods must be idempotent, because a power failure may
    precede the commit of an answer."""

    def on_time(self, at: datetime, round_trip_s: float) -> None:
        """The backend sent its time, in an answer with this round trip time."""

    def on_heartbeat_interval(self, interval_s: int) -> None:
        """The backend set the heartbeat interval."""

    async def date_moments(self) -> None:
        """Called before a message without date is sent: commit the dates known now, so that a
        repetition is identical."""

    async def on_start_answered(
        self, message: StartMessage, transaction_id: int, info: IdTagInfo | None
    ) -> None:
        """A StartTransaction was answered with a transaction id; `info` is None without information
        about the card. Called before the commit."""

    async def on_stop_answered(self, message: StopMessage, info: IdTagInfo) -> None:
        """A StopTransaction was answered with information about its card. Called before the
        commit."""

    def on_message_lost(self, message: QueuedMessage, reason: str) -> None:
        """A message was given up: the backend may lack energy."""


class LinkState(StrEnum):
    """State of the connection."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Waiting for the next attempt."""


class BootState(StrEnum):
    """The backend's last answer to BootNotification; stays across the connections of one
    process."""

    NONE = "none"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class ConnectionStep(StrEnum):
    """Steps of the connection, from the station outwards (manual 4 and 10, rows "no backend")."""

    INTERFACE = "interface"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    WEBSOCKET = "websocket"
    BOOT = "boot"
    HEARTBEAT = "heartbeat"


class StepState(StrEnum):
    """State of a step."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not needed, or unknown: no TLS with ws://, no DNS behind a proxy."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step. `last_error` stays after a later success."""

    step: ConnectionStep
    state: StepState = StepState.UNKNOWN
    detail: str = ""
    http_status: int | None = None
    at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BackendView:
    """The state of the connection for pages, API and metrics."""

    link: LinkState
    boot: BootState
    queue: int
    next_heartbeat_s: float | None = None
    next_attempt_s: float | None = None
    last_error: str = ""
    """Error of the first failing step; empty if none fails."""
    connections: int = 0
    """Number of connections since the start."""
    steps: tuple[StepResult, ...] = ()


class BackendPort(Protocol):
    """The central system as the application sees it."""

    async def authorize(self, id_token: str) -> IdTagInfo:
        """Send Authorize; raises BackendUnreachable without an answer within the timeout, NoVerdict
        for an answer without a status."""

    def report_status(self, report: StatusReport) -> None:
        """Report the present status of a connector; while offline only the newest counts."""

    def ask_statuses(self, settle: Callable[[int | None], None]) -> None:
        """Set a function that reports statuses that were held back, for one connector or all,
        before the present ones are sent."""

    @property
    def online(self) -> bool:
        """Connected and accepted."""

    def view(self) -> BackendView:
        """The state of the connection, for users."""

    def message_log(self) -> Sequence[FrameRecord]:
        """The last 500 messages, newest last, secrets redacted."""

    async def message_history(self) -> Sequence[FrameRecord]:
        """All stored messages."""
