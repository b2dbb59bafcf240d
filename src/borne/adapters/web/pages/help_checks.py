"""Automatic checks of help steps: done, not yet, or unknown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from borne.application.ports.backend import StepResult, StepState
from borne.domain.help.remedies import Check, Remedy
from borne.domain.station.faults import LOCK_FAULTS, Fault
from borne.domain.station.station_status import SocketStatus, StationStatus

_ABSENT: dict[Check, frozenset[Fault]] = {
    Check.CABLE_READABLE: frozenset({Fault.CABLE_INVALID, Fault.CABLE_CHANGED}),
    Check.LOCK_MOVES: LOCK_FAULTS,
    Check.CONTACTOR_OPEN: frozenset({Fault.CONTACTOR_WELDED}),
    Check.MONITOR_ARMED: frozenset({Fault.RESIDUAL_CURRENT, Fault.SELF_TEST}),
    Check.METER_ANSWERS: frozenset({Fault.METER_BILLING}),
    Check.EXTERNAL_METER_ANSWERS: frozenset({Fault.METER_EXTERNAL}),
    Check.READER_ANSWERS: frozenset({Fault.CARD_READER}),
    Check.TEMPERATURE_LOW: frozenset({Fault.OVER_TEMPERATURE}),
    Check.VOLTAGE_IN_ORDER: frozenset(
        {Fault.PHASE_LOSS, Fault.OVER_VOLTAGE, Fault.RCD_METER_LOSS, Fault.RCD_TRIPPED}
    ),
    Check.BOARD_ANSWERS: frozenset({Fault.BOARD_LOST}),
    Check.ROOM_ON_DISK: frozenset({Fault.STORAGE_FULL}),
}
"""Passes while none of these faults is present."""
_CONTACTS = frozenset(
    {Fault.RCD_TRIPPED, Fault.MCB_TYPE2, Fault.MCB_DOMESTIC, Fault.SURGE_PROTECTION}
)
_AT_CONNECTORS: dict[Check, Callable[[SocketStatus], bool]] = {
    Check.UNPLUGGED: lambda socket: _pilot(socket) == "A" and not socket.cable_a,
    Check.PLUGGED: lambda socket: _pilot(socket) in {"B", "C", "D"} or bool(socket.cable_a),
    Check.PILOT_IN_ORDER: lambda socket: _pilot(socket) in {"A", "B", "C", "D"},
}
_NETWORK_STEPS = ("interface", "apn", "gateway", "dns", "tcp")


def _pilot(socket: SocketStatus) -> str:
    return socket.pilot[:1]


def present_faults(status: StationStatus) -> dict[Fault, tuple[int, ...]]:
    """The present faults and the connectors that have them; 0 is the station."""
    found: dict[Fault, tuple[int, ...]] = {}
    places = [(socket.id, socket.faults) for socket in status.sockets]
    for place, faults in [*places, (0, status.faults)]:
        for active in faults:
            found[active.fault] = (*found.get(active.fault, ()), place)
    return found


def affected_sockets(remedy: Remedy, status: StationStatus) -> list[SocketStatus]:
    """The connectors with the fault of a page, else all."""
    places = present_faults(status).get(remedy.fault, ()) if remedy.fault else ()
    chosen = [socket for socket in status.sockets if socket.id in places]
    return chosen or list(status.sockets)


def passes(
    check: Check, remedy: Remedy, status: StationStatus, steps: Sequence[StepResult] = ()
) -> bool | None:
    """True if a check passes; None if the station cannot know."""
    now = present_faults(status)
    if check in _AT_CONNECTORS:
        return all(map(_AT_CONNECTORS[check], affected_sockets(remedy, status)))
    if check in _ABSENT:
        return not _ABSENT[check] & now.keys()
    backend = status.backend
    match check:
        case Check.CONTACT_CLOSED:
            contacts = (_CONTACTS & {remedy.fault}) or _CONTACTS
            return not contacts & now.keys()
        case Check.BACKEND_CONNECTED:
            return backend.link == "connected"
        case Check.BACKEND_ACCEPTED:
            return backend.link == "connected" and backend.boot == "accepted"
        case Check.NETWORK_UP:
            return backend.link == "connected" or _network(steps)
        case _:
            return None


def _network(steps: Iterable[StepResult]) -> bool | None:
    """The result of the steps below TLS: the failed one, or the last known."""
    states = [each.state for each in steps if each.step in _NETWORK_STEPS]
    if StepState.FAILED in states:
        return False
    return True if StepState.OK in states else None
