"""What the station sees by itself of a step of help: done, not yet, or unknown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from borne.domain.station.faults import LOCK_FAULTS, Fault
from borne.domain.station.remedies import Check, Remedy

Status = Mapping[str, Any]
Connector = Mapping[str, Any]

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
"""Holds while none of these faults is present."""
_CONTACTS = frozenset(
    {Fault.RCD_TRIPPED, Fault.MCB_TYPE2, Fault.MCB_DOMESTIC, Fault.SURGE_PROTECTION}
)
_AT_CONNECTORS: dict[Check, Callable[[Connector], bool]] = {
    Check.UNPLUGGED: lambda item: _pilot(item) == "A" and not item.get("cable_a"),
    Check.PLUGGED: lambda item: _pilot(item) in {"B", "C", "D"} or bool(item.get("cable_a")),
    Check.PILOT_IN_ORDER: lambda item: _pilot(item) in {"A", "B", "C", "D"},
}
_NETWORK_STEPS = ("interface", "apn", "gateway", "dns", "tcp")


def _pilot(item: Connector) -> str:
    return str(item.get("pilot") or "")[:1]


def present(status: Status) -> dict[Fault, tuple[int, ...]]:
    """The faults of now and the connectors that have them; 0 is the station."""
    found: dict[Fault, tuple[int, ...]] = {}
    places = [(int(item["id"]), item.get("faults", ())) for item in status["connectors"]]
    for place, faults in [*places, (0, status.get("faults", ()))]:
        for told in faults:
            if told["id"] in list(Fault):
                fault = Fault(told["id"])
                found[fault] = (*found.get(fault, ()), place)
    return found


def concerned(remedy: Remedy, status: Status) -> list[Connector]:
    """The connectors that a page is about: those with its fault, else all."""
    places = present(status).get(remedy.fault, ()) if remedy.fault else ()
    chosen = [item for item in status["connectors"] if item["id"] in places]
    return chosen or list(status["connectors"])


def holds(
    check: Check, remedy: Remedy, status: Status, ladder: Sequence[Mapping[str, Any]] = ()
) -> bool | None:
    """Whether a check holds; None when the station cannot tell."""
    now = present(status)
    if check in _AT_CONNECTORS:
        return all(map(_AT_CONNECTORS[check], concerned(remedy, status)))
    if check in _ABSENT:
        return not _ABSENT[check] & now.keys()
    backend = status.get("backend") or {}
    match check:
        case Check.CONTACT_CLOSED:
            contacts = (_CONTACTS & {remedy.fault}) or _CONTACTS
            return not contacts & now.keys()
        case Check.BACKEND_CONNECTED:
            return backend.get("link") == "connected"
        case Check.BACKEND_ACCEPTED:
            return backend.get("link") == "connected" and backend.get("boot") == "accepted"
        case Check.NETWORK_UP:
            return backend.get("link") == "connected" or _network(ladder)
        case _:
            return None


def _network(ladder: Iterable[Mapping[str, Any]]) -> bool | None:
    """What the steps below TLS tell: one that failed, or the last that stands."""
    states = [step.get("state") for step in ladder if step.get("step") in _NETWORK_STEPS]
    if "failed" in states:
        return False
    return True if "ok" in states else None
