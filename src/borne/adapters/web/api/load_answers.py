"""The JSON answers about load management. Members may be added; none of these is removed."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic reads that of the library from Python 3.12 on

from borne.protocols.status_json import Amps

Stage = Literal["connected", "limited", "static"]


class LoadLimit(TypedDict):
    """A source of the limit of the whole group."""

    source: str
    kind: str
    amps: Amps
    frame: Literal["grid"]
    reason: str
    """One sentence with the numbers."""
    since: str | None
    until: str | None
    effective: bool
    """It is the lowest on at least one phase."""
    effective_phases: list[str]
    age_s: float | None
    """Of the reading behind it."""
    fallback_a: Amps | None
    """The row while its source is silent."""


class LoadMeter(TypedDict):
    """The external meter."""

    model: str
    age_s: float | None
    state: str


class LoadGroup(TypedDict):
    """A sub-distribution, a supply line, or the root; amps per phase of the grid."""

    id: str
    parent: str | None
    limit_a: Amps
    used_a: Amps
    """Granted or reserved below it."""
    measured_a: Amps


class LoadReason(TypedDict):
    """Why a socket gets what it gets."""

    code: str
    text: str
    """In the language of the reader."""
    group: str | None
    phase: str | None
    """The line that is full: N1, N2 or N3 of the group."""
    limited_by: str | None
    """The source of the limit behind it, as in `limits`, or the own limit of the socket."""
    until: str | None


class Participant(TypedDict):
    """A socket of the group. `granted_a`, `requested_a` and `minimum_a` count on every phase that
    the car uses."""

    id: str
    station: str
    station_name: str
    connector: int
    group: str
    address: str
    state: str
    since: str | None
    phases: list[str] | None
    """Of the socket, used by the car; null while that is not known."""
    rotation: str
    requested_a: float | None
    """Null: no car wants current."""
    granted_a: float
    measured_a: Amps | None
    """Per phase of the socket; null while it is not measured."""
    grid_a: Amps
    """Granted or reserved, per phase of the grid."""
    measured_grid_a: Amps
    minimum_a: float
    disconnected_a: float
    priority: int
    reason: LoadReason
    last_heard: str | None
    received_s: float | None
    trust: str


class DisconnectedLine(TypedDict):
    """The disconnected limits together against one line, on its worst phase."""

    group: str
    phase: str
    amps: float
    limit_a: float
    fits: bool
    main: bool
    """Against the main distribution, less the assumed load of the building."""


class SlavePart(TypedDict):
    """The station as a slave."""

    stage: Stage
    master: str
    received_s: float | None
    limited_in_s: float | None
    static_in_s: float | None
    disconnected_a: float
    granted_a: dict[str, float]
    """By connector."""


class LoadPoint(TypedDict):
    """A point of the curves, amps per phase of the grid."""

    at: str
    limit_a: Amps
    granted_a: Amps
    measured_a: Amps
    external_a: Amps | None


class Load(TypedDict):
    """Load management."""

    role: str
    network_id: int
    revision: int
    limits: list[LoadLimit]
    limit_a: Amps | None
    """The lowest of `limits`."""
    external_a: Amps | None
    """The load beside the stations that counts now; null without an external meter."""
    meter: LoadMeter | None
    groups: list[LoadGroup]
    participants: list[Participant]
    missing: list[str]
    """Known stations that do not answer."""
    problems: list[str]
    """What is wrong with stations, in sentences: refused reports, one id twice, unknown groups."""
    disconnected_sum: DisconnectedLine | None
    """The line that is worst off."""
    disconnected: list[DisconnectedLine]
    samples: list[LoadPoint]
    slave: SlavePart | None
    last_cycle: NotRequired[str | None]


class LoadDecisionJson(TypedDict):
    """What a cycle changed for one socket."""

    at: str
    cycle: int
    participant: str
    before_a: float
    after_a: float
    grid_a: Amps
    reason: LoadReason


class LoadHistory(TypedDict):
    """Decisions, oldest first."""

    decisions: list[LoadDecisionJson]
