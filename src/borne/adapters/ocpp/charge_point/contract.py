"""What the client needs from the application, and the data that passes between them.

Sources: OCPP 1.6 edition 2 section 3.7 (transaction messages), errata 3.18 (undeliverable Start).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from borne.adapters.ocpp.charge_point.ladder import StepResult
from borne.application.ports.backend import BackendListener
from borne.application.ports.storage import Outbox
from borne.protocols.ocpp.messages.core import (
    BootNotificationRequest,
)
from borne.protocols.ocpp.rpc.handlers import Handlers


@dataclass(frozen=True, slots=True)
class StationSide:
    """All that stands behind the client."""

    boot_content: Callable[[], BootNotificationRequest]
    """What to say of ourselves; asked anew at each connection."""
    handlers: Handlers
    outbox: Outbox
    listener: BackendListener


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
