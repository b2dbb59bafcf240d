"""Commands for board and lock actuator, derived from the state alone.

This module keeps no state: a command can be late by one step, but never lost.
"""

from __future__ import annotations

from borne.domain.station import timing
from borne.domain.station.board import (
    DiodeCheck,
    PilotCommand,
    PilotNominal,
    PilotState,
    PilotStateE,
    PilotStateF,
    PlugKind,
)
from borne.domain.station.connector_state import (
    PILOT_OFF,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
)
from borne.domain.station.faults import LOCK_FAULTS, Fault, blocking
from borne.domain.station.modes import StopMode, WakeUp
from borne.domain.station.session import StopReason

STATE_F = PilotStateF()
STATE_E = PilotStateE()
KEEPS_STATE_F = frozenset({Fault.CONTACTOR_WELDED, Fault.SELF_TEST})
"""With these faults the pilot shows state F, whatever the vehicle does."""


def contactor_allowed(state: ConnectorState, now_s: float, config: ConnectorConfig) -> bool:
    """True if the board may close the contactor: the session is committed, the plug locked, the
    vehicle asks and has shown its diode, there is an offer, and no fault. While an offer is
    withdrawn, the vehicle may switch off first."""
    session = state.session
    if session is None or not asks(state, config) or not secured(state, config):
        return False
    if not (state.board_alive and state.known) or blocking(state.faults):
        return False
    if session.phase is Phase.STOPPING or paused(state):
        closed = state.contactor_closed and state.sent_allow
        return closed and not _must_open(state, session, now_s)
    if session.phase is not Phase.RUNNING:
        return False
    return state.sent_allow or (
        checked(state, config) and now_s >= state.opened_at_s + timing.REST_S
    )


def secured(state: ConnectorState, config: ConnectorConfig) -> bool:
    """The plug is inserted and locked, and its cable is known."""
    if config.tethered:
        return True
    locked = not config.has_lock or state.lock.secure
    return locked and state.plug.kind is PlugKind.VALID


def checked(state: ConnectorState, config: ConnectorConfig) -> bool:
    """The vehicle sees the offer, and its diode was detected."""
    if not state.pilot.pwm:
        return False
    return not config.diode_check or state.pilot.diode is DiodeCheck.GOOD


def paused(state: ConnectorState) -> bool:
    """The session continues without an offer."""
    session = state.session
    return session is not None and (session.held or state.offer_a < timing.MINIMUM_A)


def offering(state: ConnectorState) -> bool:
    """The pilot signals an offer."""
    return state.running and state.connected and not paused(state) and not blocking(state.faults)


def asks(state: ConnectorState, config: ConnectorConfig) -> bool:
    """The vehicle asks for energy and may get it in this state."""
    if state.pilot.state is PilotState.D:
        return config.ventilation and state.connected
    return state.pilot.state is PilotState.C and state.connected


def _must_open(state: ConnectorState, session: LiveSession, now_s: float) -> bool:
    if session.phase is Phase.STOPPING:
        return session.stop_deadline_s is None or now_s >= session.stop_deadline_s
    return now_s >= state.sent_pilot_at_s + timing.FORCED_OPEN_S


def pilot_wanted(state: ConnectorState, now_s: float, config: ConnectorConfig) -> PilotCommand:
    """The pilot command for the state."""
    if state.state_f_until_s is not None or KEEPS_STATE_F & state.faults:
        return STATE_F if config.has_state_f else PILOT_OFF
    if not offering(state):
        return PILOT_OFF
    if state.wake_ends_s is not None:
        if config.wake_up is WakeUp.STATE_F:
            return STATE_F
        if config.wake_up is WakeUp.STATE_E:
            return STATE_E
    return PilotNominal(_paced(state, now_s))


def _paced(state: ConnectorState, now_s: float) -> float:
    if not isinstance(state.sent_pilot, PilotNominal):
        return state.offer_a
    present_a = state.sent_pilot.current_a
    change_a = state.offer_a - present_a
    if change_a > 0 and (
        change_a < timing.PACE_STEP_A or now_s < state.sent_pilot_at_s + timing.PACE_S
    ):
        return present_a
    return state.offer_a


def lock_wanted(state: ConnectorState, config: ConnectorConfig) -> bool:
    """True if the plug must be locked (manual 5.1 "Lock Actuator only if authorized")."""
    if not config.has_lock or config.tethered:
        return False
    if not state.settled:
        return state.lock.wanted
    if not state.plugged:
        return False
    if state.state_f_until_s is not None:
        return True
    if Fault.CONTACTOR_WELDED in state.faults or state.cable_held_for is not None:
        return True
    if state.session is not None:
        return _lock_wanted_in(state.session, state, config)
    if blocking(state.faults - LOCK_FAULTS) or not state.operative:
        return False
    if not state.connected or state.plug.kind is not PlugKind.VALID:
        return False
    if state.pending is not None:
        return True
    return not (state.finished or config.lock_only_if_authorized)


def _lock_wanted_in(session: LiveSession, state: ConnectorState, config: ConnectorConfig) -> bool:
    if session.held and config.stop_mode is StopMode.ONLY_DISCONNECT:
        return False
    if state.connected:
        return True
    if session.stop is not None:
        return keeps_cable(session, config)
    survives = config.stop_mode is StopMode.ONLY_RFID_REMOTE
    return survives or not config.unlock_on_vehicle_disconnect


def keeps_cable(session: LiveSession, config: ConnectorConfig) -> bool:
    """True if the cable stays locked after this session for its owner (OCPP 1.6 4.9, errata 3.17).
    Only sessions with a card hold the cable."""
    if session.stop is None or session.released or not session.authorization.card:
        return False
    if session.stop.reason is StopReason.DE_AUTHORIZED:
        return True
    disconnected = session.stop.reason is StopReason.EV_DISCONNECTED
    return disconnected and not config.unlock_on_vehicle_disconnect
