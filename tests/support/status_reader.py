"""Reads a status from the JSON of `GET /api/v1/status`, as a program that uses the API would.

Members that are left out have the values of a socket with nothing plugged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from borne.domain.authorization.decision import Reason
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.sources import LimitScope
from borne.domain.load_management.topology import GridPhase, SupplyLink
from borne.domain.meters.measurement import Measurement
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.station.display import Screen
from borne.domain.station.faults import Fault
from borne.domain.station.session import SessionFlag
from borne.domain.station.station_status import (
    BackendStatus,
    FaultStatus,
    LastCard,
    LimitStatus,
    MaskedIdentity,
    RunningSession,
    SocketStatus,
    StationStatus,
)
from borne.domain.station.status import ConnectorStatus
from borne.domain.vehicle import IdentityKind
from borne.foundation.clock import ClockTrust, parse_utc
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase

Json = Mapping[str, Any]
NOTHING = [0.0, 0.0, 0.0]


def status_of(data: Json) -> StationStatus:
    """The whole state."""
    return StationStatus(
        data.get("revision", 1),
        parse_utc(data.get("time", "2026-11-22T10:00:00Z")),
        ClockTrust(data.get("clock_trust", "ntp")),
        tuple(map(_socket, data.get("connectors", ()))),
        BackendStatus(**data.get("backend", {})),
        data.get("load_management", {}).get("role", "disabled"),
        tuple(map(_limit, data.get("limits", ()))),
        tuple(map(_fault, data.get("faults", ()))),
        _card(data["last_card"]) if data.get("last_card") else None,
        tuple(map(Message, data.get("notices", ()))),
        _site_meter(data["site_meter"]) if data.get("site_meter") else None,
    )


def _site_meter(data: Json) -> SiteMeterStatus:
    return SiteMeterStatus(
        SiteMeterState(data["state"]),
        PerPhase(*data["fallback_a"]),
        data["model"],
        data["serial_number"] or "",
        PerPhase(*data["current_a"]) if data["current_a"] else None,
        Measurement(0.0, power_total_w=data["power_w"]) if data["power_w"] is not None else None,
        data["age_s"],
        Message(data["reason"]) if data["reason"] else None,
        data["accepted_serial_number"] or "",
    )


def _socket(data: Json) -> SocketStatus:
    measured_a = data.get("measured_a", NOTHING)
    return SocketStatus(
        id=data["id"],
        state=ConnectorStatus(data.get("state", "available")),
        pilot=data.get("pilot", "A1"),
        led=data.get("led", "available"),
        name=data.get("name", ""),
        offered_a=PerPhase(*data.get("offered_a", NOTHING)),
        phases=data.get("phases", 3),
        measured_a=None if measured_a is None else PerPhase(*measured_a),
        power_w=data.get("power_w", 0),
        register_wh=data.get("register_wh"),
        cable_a=data.get("cable_a"),
        locked=data.get("locked", False),
        display=tuple(Screen(*lines) for lines in data.get("display", ())),
        asks_for_card=data.get("asks_for_card", True),
        session=_session(data["session"]) if data.get("session") else None,
        limits=tuple(map(_limit, data.get("limits", ()))),
        faults=tuple(map(_fault, data.get("faults", ()))),
    )


def _session(data: Json) -> RunningSession:
    began, identity = data["started_at"], data["identity"]
    return RunningSession(
        data["id"],
        parse_utc(began) if began else None,
        data["energy_wh"],
        data["transaction_id"],
        MaskedIdentity(IdentityKind(identity["kind"]), identity["masked"]),
        data["billable"],
        frozenset(map(SessionFlag, data["flags"])),
    )


def _limit(data: Json) -> LimitStatus:
    cause, _, detail = data["reason"].partition(" ")
    return LimitStatus(
        LimitCause(data["source"]),
        LimitScope(data["scope"]),
        PerPhase(*data["amps"]),
        LimitCause(cause),
        parse_utc(data["since"]),
        parse_utc(data["until"]) if data["until"] else None,
        data["effective"],
        detail,
        SupplyLink(data["group"], GridPhase[data["phase"]]) if "group" in data else None,
    )


def _fault(data: Json) -> FaultStatus:
    return FaultStatus(Fault(data["id"]), parse_utc(data["since"]))


def _card(data: Json) -> LastCard:
    return LastCard(
        parse_utc(data["at"]),
        tuple(data["connectors"]),
        data["accepted"],
        Reason(data["reason"]),
        data.get("why", ""),
        data["masked"],
    )
