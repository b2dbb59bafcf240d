"""The status as JSON, in the stable shape of `GET /api/v1/status`."""

from __future__ import annotations

from typing import Any

from borne.domain.station.station_status import (
    FaultStatus,
    LastCard,
    LimitStatus,
    RunningSession,
    SocketStatus,
    StationStatus,
)
from borne.foundation.clock import format_utc
from borne.foundation.units import PerPhase

Json = dict[str, Any]


def status_json(status: StationStatus) -> Json:
    """The whole state."""
    backend = status.backend
    return {
        "revision": status.revision,
        "time": format_utc(status.time),
        "clock_trust": status.clock_trust.value,
        "power": "on",
        "connectors": [_socket(socket) for socket in status.sockets],
        "backend": {"link": backend.link, "boot": backend.boot, "queue": backend.queue},
        "load_management": {"role": status.load_management_role},
        "limits": [_limit(limit) for limit in status.limits],
        "faults": [_fault(fault) for fault in status.faults],
        "last_card": _last_card(status.last_card) if status.last_card else None,
        "notices": [str(notice) for notice in status.notices],
    }


def _socket(socket: SocketStatus) -> Json:
    return {
        "id": socket.id,
        "name": socket.name,
        "state": socket.state.value,
        "pilot": socket.pilot,
        "offered_a": _amps(socket.offered_a),
        "phases": socket.phases,
        "measured_a": _amps(socket.measured_a),
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


def _amps(amps: PerPhase) -> list[float]:
    return list(amps)


def _session(session: RunningSession) -> Json:
    return {
        "id": session.session_id,
        "started_at": format_utc(session.started_at) if session.started_at else None,
        "energy_wh": session.energy_wh,
        "transaction_id": session.transaction_id,
        "identity": {"kind": session.identity.kind.value, "masked": session.identity.masked},
        "billable": session.billable,
        "flags": sorted(flag.value for flag in session.flags),
    }


def _limit(limit: LimitStatus) -> Json:
    return {
        "source": limit.source.value,
        "scope": limit.scope.value,
        "amps": _amps(limit.amps),
        "reason": f"{limit.cause.value} {limit.detail}".rstrip(),
        "since": format_utc(limit.since),
        "until": format_utc(limit.until) if limit.until else None,
        "effective": limit.effective,
    }


def _fault(fault: FaultStatus) -> Json:
    return {"id": fault.fault.value, "since": format_utc(fault.since)}


def _last_card(card: LastCard) -> Json:
    return {
        "at": format_utc(card.at),
        "connectors": list(card.connectors),
        "accepted": card.accepted,
        "reason": card.reason.value,
        "why": card.why,
        "masked": card.masked,
    }
