"""The JSON answers of the API. Members may be added; none of these is removed.

Each is the return type of its endpoint, from which the API description takes it. Answers of
commands are declared with the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic reads that of the library from Python 3.12 on

from borne.application.ports.backend import BootState, ConnectionStep, LinkState, StepState
from borne.application.ports.simulator import CauseView
from borne.application.ports.storage import WhitelistEntry
from borne.domain.meters.site_status import SiteMeterState
from borne.protocols.status_json import Amps, Identity


class Error(TypedDict):
    """Every error: a stable code and a message for people."""

    error: str
    message: str


class Session(TypedDict):
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


class CurvePoint(TypedDict):
    """A sample of a session."""

    at: str
    register_wh: int
    power_w: float
    current_a: Amps
    offered_a: float


class SessionWithCurve(Session):
    """A session and its samples."""

    curve: list[CurvePoint]


class Sessions(TypedDict):
    """A page of sessions."""

    sessions: list[Session]
    total: int
    offset: int
    limit: int
    next: str | None
    """`before` of the next page."""


class MeterMeasurement(TypedDict):
    """What a meter gave; per phase L1, L2, L3."""

    voltage_v: list[float | None]
    current_a: list[float | None]
    power_w: list[float | None]
    power_total_w: float | None
    import_wh: int | None
    export_wh: int | None
    frequency_hz: float | None


class SecondMeter(TypedDict):
    """The meter at the supply of the building."""

    state: SiteMeterState
    model: str
    serial_number: str | None
    accepted_serial_number: str | None
    """Set while another meter answers: the one that is believed."""
    reason: str | None
    current_a: list[float] | None
    fallback_a: list[float]
    """Load to assume while `current_a` is null."""
    age_s: float | None
    measured: MeterMeasurement | None


class Whitelist(TypedDict):
    """A page of the whitelist."""

    entries: Sequence[WhitelistEntry]
    total: int


class BackendStep(TypedDict):
    """A step of the connection to the backend."""

    step: ConnectionStep
    state: StepState
    detail: str
    http_status: int | None
    at: datetime | None
    last_error: str
    last_error_at: datetime | None
    remedy: NotRequired[str]


class Backend(TypedDict):
    """The backend link with its steps."""

    link: LinkState
    boot: BootState
    queue: int
    next_heartbeat_s: NotRequired[float | None]
    next_attempt_s: NotRequired[float | None]
    last_error: NotRequired[str]
    connections: NotRequired[int]
    ladder: list[BackendStep]
    failing_step: str | None


class Messages(TypedDict):
    """Messages of the backend link, newest last."""

    messages: list[dict[str, Any]]


class WaitingMessage(TypedDict):
    """A message that waits for the backend."""

    seq: int
    message_id: str
    action: str
    connector: int
    session_id: str | None
    transaction_id: int | None
    attempts: int
    queued_at: str | None
    may_be_thinned: bool


class LostMessage(WaitingMessage):
    """A message that was given up."""

    reason: str
    lost_at: str | None


class Queue(TypedDict):
    """Transaction messages that wait for the backend."""

    waiting: int
    kinds: dict[str, int]
    oldest_at: str | None
    messages: list[WaitingMessage]
    lost: list[LostMessage]


class Period(TypedDict):
    """A period of a charging schedule."""

    start_s: int
    limit: float
    phases: int | None


class ChargingProfile(TypedDict):
    """A charging profile in the terms of OCPP 1.6."""

    id: int
    connector: int
    purpose: str
    kind: str
    recurrency: str | None
    stack_level: int
    session: str | None
    received_at: str
    valid_from: str | None
    valid_to: str | None
    start: str | None
    duration_s: int | None
    unit: str
    periods: list[Period]


class ChargingProfiles(TypedDict):
    """The charging profiles of the backend."""

    profiles: list[ChargingProfile]


class SettingsChanged(TypedDict):
    """The result of a change."""

    applied: list[str]
    restart_required: list[str]
    revision: int


class Revision(TypedDict):
    """The state after the command has at least this revision."""

    revision: int


class PowerAnswer(TypedDict):
    """The mains switch."""

    power: Literal["on", "off"]
    revision: NotRequired[int | None]


class Health(TypedDict):
    """The program runs."""

    status: Literal["ok"]


class Ready(TypedDict):
    """Ready, or the reasons why not."""

    ready: bool
    reasons: list[str]


class Faults(TypedDict):
    """Causes that can be set."""

    faults: Sequence[CauseView]
