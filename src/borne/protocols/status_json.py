"""The status as JSON, in the stable shape of `GET /api/v1/status`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, cast

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads that of the library from Python 3.12 on

from borne.domain.limits.sources import LimitScope
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.station import station_status as domain
from borne.domain.station.status import ConnectorStatus
from borne.foundation.clock import ClockTrust, format_utc
from borne.foundation.units import PerPhase

Amps = Annotated[list[float], Field(min_length=3, max_length=3)]
"""Per phase."""
BackendLinkState = Literal["off", "connecting", "connected", "waiting"]


class Identity(TypedDict):
    """Who charges; card numbers are masked."""

    kind: str
    masked: str


class RunningSession(TypedDict):
    """The session at a connector."""

    id: str
    started_at: str | None
    energy_wh: int
    transaction_id: int | None
    identity: Identity
    billable: bool
    flags: list[str]


class LimitRow(TypedDict):
    """One limit of a connector, in A per phase."""

    source: str
    scope: LimitScope
    amps: Amps
    reason: str
    since: str
    until: str | None
    effective: bool
    group: NotRequired[str]
    """The sub-distribution or line whose share it is; only where load management gave it."""
    phase: NotRequired[str]
    """The grid phase of that line that is full: N1, N2 or N3."""
    limited_by: NotRequired[str]
    """The source of the limit behind the share."""


class ActiveFault(TypedDict):
    """A fault and since when."""

    id: str
    since: str


class Connector(TypedDict):
    """State of one connector."""

    id: int
    name: str
    state: ConnectorStatus
    pilot: str
    offered_a: Amps
    phases: int
    """Wired to the socket: 1 or 3."""
    measured_a: Amps | None
    power_w: float | None
    register_wh: int | None
    cable_a: int | None
    locked: bool
    led: str
    display: list[list[str]]
    """Screens of the two-line display; several screens are languages shown in turn."""
    asks_for_card: bool
    session: RunningSession | None
    limits: list[LimitRow]
    faults: list[ActiveFault]


class BackendLink(TypedDict):
    """Summary of the backend connection."""

    link: BackendLinkState
    boot: str
    queue: int


class LoadManagement(TypedDict):
    """The role of the station in its group."""

    role: str


class LastCard(TypedDict):
    """The result of the last card."""

    at: str
    connectors: list[int]
    accepted: bool
    reason: str
    why: str
    masked: str


class SiteMeter(TypedDict):
    """The second meter, at the supply of the building; amps per phase of the grid, import
    positive."""

    state: Literal["ok", "doubted", "silent"]
    model: str
    serial_number: str | None
    accepted_serial_number: str | None
    """Null, unless another meter answers than the accepted one."""
    age_s: float | None
    """Of the last usable answer."""
    current_a: Amps | None
    """What is believed; null while it is silent."""
    fallback_a: Amps
    """The load that is assumed while it is silent."""
    power_w: float | None
    """As the meter shows it."""
    reason: str | None
    """Why the state is not "ok"."""


class Status(TypedDict):
    """The whole state."""

    revision: int
    time: str
    clock_trust: ClockTrust
    power: Literal["on", "off"]
    connectors: list[Connector]
    backend: BackendLink
    load_management: LoadManagement
    limits: list[LimitRow]
    """Shared by all sockets, in phases of the grid: supply line, limit of the station."""
    faults: list[ActiveFault]
    last_card: LastCard | None
    notices: list[str]
    """Notices about stored data: damaged, foreign, missing, put aside."""
    site_meter: SiteMeter | None
    """Null if no second meter is set."""


def status_json(status: domain.StationStatus) -> Status:
    """The whole state."""
    backend = status.backend
    return {
        "revision": status.revision,
        "time": format_utc(status.time),
        "clock_trust": status.clock_trust,
        "power": "on",
        "connectors": [_socket(socket) for socket in status.sockets],
        "backend": {
            "link": cast("BackendLinkState", backend.link),
            "boot": backend.boot,
            "queue": backend.queue,
        },
        "load_management": {"role": status.load_management_role},
        "limits": [_limit(limit) for limit in status.limits],
        "faults": [_fault(fault) for fault in status.faults],
        "last_card": _last_card(status.last_card) if status.last_card else None,
        "notices": [str(notice) for notice in status.notices],
        "site_meter": _site_meter(status.site_meter) if status.site_meter else None,
    }


def _site_meter(meter: SiteMeterStatus) -> SiteMeter:
    measured = meter.measurement
    return {
        "state": cast('Literal["ok", "doubted", "silent"]', meter.state.value),
        "model": meter.model,
        "serial_number": meter.serial_number or None,
        "accepted_serial_number": meter.accepted_serial_number or None,
        "age_s": None if meter.age_s is None else round(meter.age_s, 1),
        "current_a": None if meter.current_a is None else _amps(meter.current_a.rounded()),
        "fallback_a": _amps(meter.fallback_a),
        "power_w": None if measured is None else measured.power_total_w,
        "reason": None if meter.reason is None else str(meter.reason),
    }


def _socket(socket: domain.SocketStatus) -> Connector:
    return {
        "id": socket.id,
        "name": socket.name,
        "state": socket.state,
        "pilot": socket.pilot,
        "offered_a": _amps(socket.offered_a),
        "phases": socket.phases,
        "measured_a": None if socket.measured_a is None else _amps(socket.measured_a),
        "power_w": socket.power_w,
        "register_wh": socket.register_wh,
        "cable_a": socket.cable_a,
        "locked": socket.locked,
        "led": socket.led,
        "display": [list(screen) for screen in socket.display],
        "asks_for_card": socket.asks_for_card,
        "session": _session(socket.session) if socket.session else None,
        "limits": [_limit(limit) for limit in socket.limits],
        "faults": [_fault(fault) for fault in socket.faults],
    }


def _amps(amps: PerPhase) -> Amps:
    return list(amps)


def _session(session: domain.RunningSession) -> RunningSession:
    return {
        "id": session.session_id,
        "started_at": format_utc(session.started_at) if session.started_at else None,
        "energy_wh": session.energy_wh,
        "transaction_id": session.transaction_id,
        "identity": {"kind": session.identity.kind.value, "masked": session.identity.masked},
        "billable": session.billable,
        "flags": sorted(flag.value for flag in session.flags),
    }


def _limit(limit: domain.LimitStatus) -> LimitRow:
    row: LimitRow = {
        "source": limit.source.value,
        "scope": limit.scope,
        "amps": _amps(limit.amps),
        "reason": f"{limit.cause.value} {limit.detail}".rstrip(),
        "since": format_utc(limit.since),
        "until": format_utc(limit.until) if limit.until else None,
        "effective": limit.effective,
    }
    if limit.link is not None:
        row["group"], row["phase"] = limit.link.group, limit.link.phase.name
    if limit.limited_by is not None:
        row["limited_by"] = limit.limited_by.value
    return row


def _fault(fault: domain.FaultStatus) -> ActiveFault:
    return {"id": fault.fault.value, "since": format_utc(fault.since)}


def _last_card(card: domain.LastCard) -> LastCard:
    return {
        "at": format_utc(card.at),
        "connectors": list(card.connectors),
        "accepted": card.accepted,
        "reason": card.reason.value,
        "why": card.why,
        "masked": card.masked,
    }
