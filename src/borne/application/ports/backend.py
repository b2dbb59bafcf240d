"""The link to a backend, whatever its protocol."""

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
    """No answer can be had from the backend now."""


class NoVerdict(Exception):
    """The backend answered, and did not say whether the card is good: nobody is authorized."""


@dataclass(frozen=True, slots=True)
class IdTagInfo:
    """The backend's word on a token."""

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
    """The status of a connector (0 = the station) and when it became so."""

    connector: int
    status: BackendStatus
    at: Moment
    error_code: str = NO_ERROR
    info: str = ""
    vendor_error_code: str = ""
    info_is_news: bool = False
    """The text says what happened, not what is: it is sent once, now or never."""

    @property
    def lasting(self) -> StatusReport:
        """What is still true when the news is old."""
        return replace(self, info="", info_is_news=False) if self.info_is_news else self

    def same_as(self, other: StatusReport | None) -> bool:
        """Equal but for the time."""
        return other is not None and replace(self, at=other.at, info_is_news=False) == replace(
            other, info_is_news=False
        )


class BackendListener(Protocol):
    """What the flows want to hear from the backend. What follows from an answer may happen twice
    and changes nothing then: a power cut may come before its commit."""

    def on_time(self, at: datetime, round_trip_s: float) -> None:
        """The backend told the time, in an answer that took so long."""

    def on_heartbeat_interval(self, interval_s: int) -> None:
        """The backend chose the interval."""

    async def date_moments(self) -> None:
        """Something without a date is to be sent: commit what dates are known now, so that a
        repeat has the same."""

    async def on_start_answered(
        self, message: StartMessage, transaction_id: int, info: IdTagInfo | None
    ) -> None:
        """A start has its number; None when nothing was said of the id. Before the commit."""

    async def on_stop_answered(self, message: StopMessage, info: IdTagInfo) -> None:
        """A word on the id that ended a transaction. Before the commit."""

    def on_message_lost(self, message: QueuedMessage, reason: str) -> None:
        """A message was given up: energy may be missing at the backend."""


class LinkState(StrEnum):
    """Of the connection."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """For the next attempt."""


class BootState(StrEnum):
    """What the backend last said of this station; it holds across connections of one process."""

    NONE = "none"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class ConnectionStep(StrEnum):
    """The way to the backend, from the station outwards (manual 4 and 10, rows "no backend")."""

    INTERFACE = "interface"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    WEBSOCKET = "websocket"
    BOOT = "boot"
    HEARTBEAT = "heartbeat"


class StepState(StrEnum):
    """Of one step."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not needed, or not known: no TLS with ws://, no DNS behind a proxy."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What is known of a step. `last_error` stays after a later success."""

    step: ConnectionStep
    state: StepState = StepState.UNKNOWN
    detail: str = ""
    http_status: int | None = None
    at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BackendView:
    """The state of the link for pages, API and metrics."""

    link: LinkState
    boot: BootState
    queue: int
    next_heartbeat_s: float | None = None
    next_attempt_s: float | None = None
    last_error: str = ""
    """Of the first step that fails now; empty when none does."""
    connections: int = 0
    """Made since the station started."""
    steps: tuple[StepResult, ...] = ()


class BackendPort(Protocol):
    """The central system as the flows see it; a station without backend has none."""

    async def authorize(self, id_token: str) -> IdTagInfo:
        """Ask; raises BackendUnreachable when there is no answer within the timeout, NoVerdict
        when there is one that says nothing."""

    def report_status(self, report: StatusReport) -> None:
        """The current status of a connector; only the newest counts while offline."""

    def ask_statuses(self, settle: Callable[[int | None], None]) -> None:
        """`settle` is called when the backend is to hear what is true now: it reports what was
        held back, of one connector or of all."""

    @property
    def online(self) -> bool:
        """Connected and accepted."""

    def view(self) -> BackendView:
        """For people."""

    def message_log(self) -> Sequence[FrameRecord]:
        """The last 500 messages, newest last, secrets redacted."""

    async def message_history(self) -> Sequence[FrameRecord]:
        """All messages that are kept on the disk."""
