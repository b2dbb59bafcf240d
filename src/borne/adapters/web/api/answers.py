"""What the API answers, as models: for the OpenAPI document and the tests that hold the shapes.

The running program does not import this module; answers are plain data made by the flows.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from borne.application.commands import Removed
from borne.application.ports.storage import WhitelistEntry

ConnectorState = Literal[
    "available",
    "reserved",
    "preparing",
    "authorized",
    "charging",
    "suspended_ev",
    "suspended_evse",
    "finishing",
    "unavailable",
    "faulted",
]
PerPhase = tuple[float, float, float]


class Answer(BaseModel):
    """Members may be added; none of these goes away."""

    model_config = ConfigDict(extra="allow")


class Error(Answer):
    """Every error: a stable code and a sentence for people."""

    error: str
    message: str


class Identity(Answer):
    """Who charges; card numbers are masked."""

    kind: str
    masked: str


class RunningSession(Answer):
    """The session at a connector."""

    id: str
    started_at: str | None
    energy_wh: int
    transaction_id: int | None
    identity: Identity
    billable: bool
    flags: list[str]


class LimitRow(Answer):
    """One limit of a connector, in A per phase."""

    source: str
    scope: Literal["connector", "station", "group"]
    amps: PerPhase
    reason: str
    since: str
    until: str | None
    effective: bool


class ActiveFault(Answer):
    """A fault and since when."""

    id: str
    since: str


class Connector(Answer):
    """State of one connector."""

    id: int
    state: ConnectorState
    pilot: str
    offered_a: PerPhase
    phases: int
    """Wired to the socket: 1 or 3."""
    measured_a: PerPhase
    power_w: float
    register_wh: int | None
    cable_a: int | None
    locked: bool
    led: str
    display: list[list[str]]
    """Screens of the two-line display; several are languages that take turns."""
    session: RunningSession | None
    limits: list[LimitRow]
    faults: list[ActiveFault]


class BackendLink(Answer):
    """The backend in short."""

    link: Literal["off", "connecting", "connected", "waiting"]
    boot: str
    queue: int


class LoadManagement(Answer):
    """The part of the station in its group."""

    role: str


class LastCard(Answer):
    """What became of a card."""

    at: str
    connectors: list[int]
    accepted: bool
    reason: str
    why: str
    masked: str


class Status(Answer):
    """The whole state."""

    revision: int
    time: str
    clock_trust: Literal["none", "rtc", "backend", "ntp"]
    power: Literal["on", "off"]
    connectors: list[Connector]
    backend: BackendLink
    load_management: LoadManagement
    limits: list[LimitRow]
    """What all sockets share, in the frame of the grid: supply line, limit of the station."""
    faults: list[ActiveFault]
    last_card: LastCard | None
    """The last card that was shown, and what became of it."""
    notices: list[str]
    """What people must know of the stored data: damaged, foreign, missing, put aside."""


class Session(Answer):
    """A charging session."""

    id: str
    connector: int
    started_at: str
    ended_at: str | None
    energy_wh: int
    meter_start_wh: int
    meter_stop_wh: int | None
    max_power_w: float
    stop_reason: str | None
    transaction_id: int | None
    identity: Identity
    billable: bool
    flags: list[str]


class CurvePoint(Answer):
    """A sample of a session."""

    at: str
    register_wh: int
    power_w: float
    current_a: PerPhase
    offered_a: float


class SessionWithCurve(Session):
    """A session and its samples."""

    curve: list[CurvePoint]


class Sessions(Answer):
    """A page of sessions."""

    sessions: list[Session]
    total: int
    offset: int
    limit: int


class Whitelist(Answer):
    """A page of the whitelist."""

    entries: list[WhitelistEntry]
    total: int


class Backend(BackendLink):
    """The backend link with its steps."""

    next_heartbeat_s: float | None = None
    next_attempt_s: float | None = None
    last_error: str = ""
    ladder: list[dict[str, Any]]
    failing_step: str | None = None


class Messages(Answer):
    """Messages of the backend link, newest last."""

    messages: list[dict[str, Any]]


class Queue(Answer):
    """Transaction messages that wait for the backend."""

    waiting: int
    kinds: dict[str, int]
    oldest_at: str | None
    messages: list[dict[str, Any]]
    lost: list[dict[str, Any]]


class SettingsChanged(Answer):
    """What a change did."""

    applied: list[str]
    restart_required: list[str]
    revision: int


class Revision(Answer):
    """The state after the command has at least this revision."""

    revision: int


class PowerAnswer(Answer):
    """The mains switch."""

    power: Literal["on", "off"]
    revision: int | None = None


class Health(Answer):
    """Alive."""

    status: Literal["ok"]


class Ready(Answer):
    """Ready, or why not."""

    ready: bool
    reasons: list[str]


class Faults(Answer):
    """Causes that can be set."""

    faults: list[dict[str, Any]]


ANSWERS: dict[str, type] = {
    "GET /healthz": Health,
    "GET /readyz": Ready,
    "GET /api/v1/status": Status,
    "PATCH /api/v1/settings": SettingsChanged,
    "GET /api/v1/sessions": Sessions,
    "GET /api/v1/sessions/{session_id}": SessionWithCurve,
    "GET /api/v1/whitelist": Whitelist,
    "DELETE /api/v1/whitelist": Removed,
    "GET /api/v1/backend": Backend,
    "GET /api/v1/backend/messages": Messages,
    "GET /api/v1/backend/queue": Queue,
    "GET /api/v1/simulator/faults": Faults,
    "POST /api/v1/simulator/power": PowerAnswer,
}
"""Answers by route; those of commands stand in their methods."""
