"""The status of a connector as one value, for users and for the backend.

Pages and API use ten values; the nine of OCPP 1.6 (chapter 4.9) are derived from them.
"""

from __future__ import annotations

from enum import StrEnum

from borne.domain.station.board import LockPosition, PilotNominal, PilotState, PlugKind
from borne.domain.station.connector_outputs import paused
from borne.domain.station.connector_state import ASKING, ConnectorState, LiveSession, Phase
from borne.domain.station.faults import Fault, blocking
from borne.foundation.messages import N_


class ConnectorStatus(StrEnum):
    """The status of a connector."""

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
    """The first matching status, most serious first."""
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
    # The contactor rests between two closings; before the first closing the vehicle does not wait.
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
"""Status names for use within a sentence."""


class BackendStatus(StrEnum):
    """The status of a connector for the backend: the nine values of OCPP 1.6."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


BACKEND_STATUS = {
    ConnectorStatus.AVAILABLE: BackendStatus.AVAILABLE,
    ConnectorStatus.RESERVED: BackendStatus.RESERVED,
    ConnectorStatus.PREPARING: BackendStatus.PREPARING,
    ConnectorStatus.AUTHORIZED: BackendStatus.PREPARING,
    ConnectorStatus.CHARGING: BackendStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV: BackendStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE: BackendStatus.SUSPENDED_EVSE,
    ConnectorStatus.FINISHING: BackendStatus.FINISHING,
    ConnectorStatus.UNAVAILABLE: BackendStatus.UNAVAILABLE,
    ConnectorStatus.FAULTED: BackendStatus.FAULTED,
}

IN_TRANSACTION = frozenset(
    {BackendStatus.CHARGING, BackendStatus.SUSPENDED_EV, BackendStatus.SUSPENDED_EVSE}
)
_AVAILABLE, _PREPARING = BackendStatus.AVAILABLE, BackendStatus.PREPARING
_FINISHING, _RESERVED = BackendStatus.FINISHING, BackendStatus.RESERVED
_OUT = frozenset({BackendStatus.UNAVAILABLE, BackendStatus.FAULTED})
ALLOWED_NEXT = {
    _AVAILABLE: frozenset({_PREPARING, _RESERVED}) | _OUT | IN_TRANSACTION,
    _PREPARING: frozenset({_AVAILABLE, _FINISHING, BackendStatus.FAULTED}) | IN_TRANSACTION,
    **{
        used: (IN_TRANSACTION - {used}) | {_AVAILABLE, _FINISHING} | _OUT
        for used in sorted(IN_TRANSACTION)
    },
    _FINISHING: frozenset({_AVAILABLE, _PREPARING}) | _OUT,
    _RESERVED: frozenset({_AVAILABLE, _PREPARING}) | _OUT,
    BackendStatus.UNAVAILABLE: (
        frozenset({_AVAILABLE, _PREPARING, BackendStatus.FAULTED}) | IN_TRANSACTION
    ),
    BackendStatus.FAULTED: (
        frozenset({_AVAILABLE, _PREPARING, _FINISHING, _RESERVED, BackendStatus.UNAVAILABLE})
        | IN_TRANSACTION
    ),
}
"""Transitions of OCPP 1.6 section 4.9."""


def status_in_between(
    before: BackendStatus, after: BackendStatus, *, plugged: bool
) -> BackendStatus | None:
    """The intermediate status if the table has no direct transition."""
    if after is before or after in ALLOWED_NEXT[before]:
        return None
    first, last = (_FINISHING, _AVAILABLE) if plugged else (_AVAILABLE, _FINISHING)
    ways = (way for way in (first, _PREPARING, last) if way in ALLOWED_NEXT[before])
    return next((way for way in ways if after in ALLOWED_NEXT[way]), None)


def pilot_text(state: ConnectorState) -> str:
    """A1 to F in the notation of the standard; the digit says whether PWM runs."""
    letter = state.pilot.state
    if letter in (PilotState.E, PilotState.F):
        return letter.value
    return f"{letter.value}{2 if state.pilot.pwm else 1}"


def offered_a(state: ConnectorState) -> float:
    """Current that the vehicle may draw now, in A per phase; 0 while the contactor must not close,
    and without an offer (below 6 A there is none)."""
    if connector_status(state) not in (ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV):
        return 0.0
    if state.pilot.state in ASKING and not state.sent_allow:
        return 0.0
    return state.sent_pilot.current_a if isinstance(state.sent_pilot, PilotNominal) else 0.0


def cable_a(state: ConnectorState) -> int | None:
    """Capacity of the plugged cable; None without a plug."""
    return state.plug.cable_a if state.plug.kind is PlugKind.VALID else None


def plug_held(state: ConnectorState) -> bool:
    """True if the plug cannot be pulled: locked, or not yet released."""
    lock = state.lock
    if lock.position is LockPosition.MOVING:
        return not lock.wanted
    return lock.is_locked
