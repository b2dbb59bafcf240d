"""The state of a connector in one word, for people and for the backend.

One of ten words for pages and API; the nine of OCPP 1.6 (chapter 4.9) follow from them.
"""

from __future__ import annotations

from enum import StrEnum

from borne.domain.settings.messages import N_
from borne.domain.station.board import LockPosition, PilotNominal, PilotState, PlugKind
from borne.domain.station.connector_outputs import paused
from borne.domain.station.connector_state import ASKING, ConnectorState, LiveSession, Phase
from borne.domain.station.faults import Fault, blocking


class ConnectorStatus(StrEnum):
    """What a connector is doing."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    PREPARING = "preparing"
    AUTHORIZED = "authorized"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


def connector_status(state: ConnectorState) -> ConnectorStatus:
    """The first that fits, most serious first."""
    if blocking(state.faults):
        return ConnectorStatus.FAULTED
    if state.session is not None:
        return _in_session(state, state.session)
    if not state.operative:
        return ConnectorStatus.UNAVAILABLE
    if state.pending is not None:
        return ConnectorStatus.AUTHORIZED
    if state.reservation_id is not None and state.reserved_first:
        return ConnectorStatus.RESERVED
    if state.finished:
        return ConnectorStatus.FINISHING
    if state.connected:
        return ConnectorStatus.PREPARING
    if state.reservation_id is not None:
        return ConnectorStatus.RESERVED
    return ConnectorStatus.AVAILABLE


def _in_session(state: ConnectorState, session: LiveSession) -> ConnectorStatus:
    phase = session.phase
    if phase is Phase.OPENING:
        return ConnectorStatus.AUTHORIZED
    if phase in (Phase.STOPPING, Phase.CLOSING):
        return ConnectorStatus.FINISHING
    if paused(state) or Fault.VENTILATION in state.faults:
        return ConnectorStatus.SUSPENDED_EVSE
    if not state.connected:
        return ConnectorStatus.SUSPENDED_EV
    if state.pilot.state not in ASKING:
        begins = session.may_ask_until_s is not None
        return ConnectorStatus.CHARGING if begins else ConnectorStatus.SUSPENDED_EV
    # The contactor rests between two closings; before the first one the vehicle waits for nothing.
    return ConnectorStatus.SUSPENDED_EVSE if state.rests else ConnectorStatus.CHARGING


STATUS_WORDS = {
    ConnectorStatus.AVAILABLE: N_("available"),
    ConnectorStatus.RESERVED: N_("reserved"),
    ConnectorStatus.PREPARING: N_("preparing"),
    ConnectorStatus.AUTHORIZED: N_("authorized"),
    ConnectorStatus.CHARGING: N_("charging"),
    ConnectorStatus.SUSPENDED_EV: N_("suspended_ev"),
    ConnectorStatus.SUSPENDED_EVSE: N_("suspended_evse"),
    ConnectorStatus.FINISHING: N_("finishing"),
    ConnectorStatus.UNAVAILABLE: N_("unavailable"),
    ConnectorStatus.FAULTED: N_("faulted"),
}
"""Within a sentence."""
OCPP_16 = {
    ConnectorStatus.AVAILABLE: "Available",
    ConnectorStatus.RESERVED: "Reserved",
    ConnectorStatus.PREPARING: "Preparing",
    ConnectorStatus.AUTHORIZED: "Preparing",
    ConnectorStatus.CHARGING: "Charging",
    ConnectorStatus.SUSPENDED_EV: "SuspendedEV",
    ConnectorStatus.SUSPENDED_EVSE: "SuspendedEVSE",
    ConnectorStatus.FINISHING: "Finishing",
    ConnectorStatus.UNAVAILABLE: "Unavailable",
    ConnectorStatus.FAULTED: "Faulted",
}

_AVAILABLE, _PREPARING, _FINISHING = "Available", "Preparing", "Finishing"
_USED = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
NEXT_16 = {
    _AVAILABLE: frozenset({_PREPARING, "Reserved", "Unavailable", "Faulted"}) | _USED,
    _PREPARING: frozenset({_AVAILABLE, _FINISHING, "Faulted"}) | _USED,
    **{
        used: (_USED - {used}) | {_AVAILABLE, _FINISHING, "Unavailable", "Faulted"}
        for used in sorted(_USED)
    },
    _FINISHING: frozenset({_AVAILABLE, _PREPARING, "Unavailable", "Faulted"}),
    "Reserved": frozenset({_AVAILABLE, _PREPARING, "Unavailable", "Faulted"}),
    "Unavailable": frozenset({_AVAILABLE, _PREPARING, "Faulted"}) | _USED,
    "Faulted": frozenset({_AVAILABLE, _PREPARING, _FINISHING, "Reserved", "Unavailable"}) | _USED,
}
"""The table of OCPP 1.6 section 4.9: what may follow what at a connector."""


def between_16(before: str, after: str, *, plugged: bool) -> str | None:
    """The status through which a connector goes where the table has no direct way."""
    if after == before or after in NEXT_16[before]:
        return None
    first, last = (_FINISHING, _AVAILABLE) if plugged else (_AVAILABLE, _FINISHING)
    ways = (way for way in (first, _PREPARING, last) if way in NEXT_16[before])
    return next((way for way in ways if after in NEXT_16[way]), None)


def pilot_text(state: ConnectorState) -> str:
    """A1 to F as the standard writes it; the digit tells whether PWM runs."""
    letter = state.pilot.state
    if letter in (PilotState.E, PilotState.F):
        return letter.value
    return f"{letter.value}{2 if state.pilot.pwm else 1}"


def offered_a(state: ConnectorState) -> float:
    """What the vehicle may draw now, in A per phase; 0 while the contactor must not close for it,
    and while there is no offer (below 6 A is none)."""
    if connector_status(state) not in (ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV):
        return 0.0
    if state.pilot.state in ASKING and not state.sent_allow:
        return 0.0
    return state.sent_pilot.current_a if isinstance(state.sent_pilot, PilotNominal) else 0.0


def cable_a(state: ConnectorState) -> int | None:
    """Capacity of the plugged cable; None without a plug."""
    return state.plug.cable_a if state.plug.kind is PlugKind.VALID else None


def plug_held(state: ConnectorState) -> bool:
    """Whether the plug cannot be pulled: locked, or not yet released."""
    lock = state.lock
    if lock.position is LockPosition.MOVING:
        return not lock.wanted
    return lock.is_locked
