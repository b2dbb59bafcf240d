"""What board and actuator shall do, derived from the state alone.

Nothing here remembers: a command can be late by one step, but never forgotten.
"""

from __future__ import annotations

from borne.domain.settings.choices import StopMode
from borne.domain.station import timing
from borne.domain.station.board import (
    PilotCommand,
    PilotNominal,
    PilotOff,
    PilotState,
    PilotStateF,
    PlugKind,
)
from borne.domain.station.connector_state import (
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
)
from borne.domain.station.faults import Fault, blocking


def contactor_allowed(state: ConnectorState, now_s: float, config: ConnectorConfig) -> bool:
    """Whether the board may close: a committed session, a locked plug, a vehicle that asks, an
    offer, and no fault. While a session is being stopped the vehicle may switch off first."""
    session = state.session
    if session is None or not state.board_alive or blocking(state.faults):
        return False
    if not (config.tethered or not config.has_lock or state.lock.is_locked):
        return False
    if not asks(state, config):
        return False
    if session.phase is Phase.STOPPING or paused(state):
        return state.contactor_closed and not _must_open(state, session, now_s)
    if session.phase is not Phase.RUNNING:
        return False
    return state.contactor_closed or now_s >= state.opened_at_s + timing.REST_S


def paused(state: ConnectorState) -> bool:
    """The session goes on without an offer."""
    session = state.session
    return session is not None and (session.held or state.offer_a < timing.MINIMUM_A)


def asks(state: ConnectorState, config: ConnectorConfig) -> bool:
    """The vehicle wants energy and may have it in this state."""
    if state.pilot.state is PilotState.D:
        return config.ventilation
    return state.pilot.state is PilotState.C


def _must_open(state: ConnectorState, session: LiveSession, now_s: float) -> bool:
    if not state.sent_allow:
        return True
    if session.phase is Phase.STOPPING:
        return session.stop_deadline_s is None or now_s >= session.stop_deadline_s
    return now_s >= state.sent_pilot_at_s + timing.FORCED_OPEN_S


def pilot_wanted(state: ConnectorState, now_s: float) -> PilotCommand:
    """What the pilot shall show."""
    if {Fault.CONTACTOR_WELDED, Fault.SELF_TEST} & state.faults:
        return PilotStateF()
    if blocking(state.faults) or not state.running or paused(state):
        return PilotOff()
    return PilotNominal(_paced(state, now_s))


def _paced(state: ConnectorState, now_s: float) -> float:
    if not isinstance(state.sent_pilot, PilotNominal):
        return state.offer_a
    present_a = state.sent_pilot.current_a
    change_a = state.offer_a - present_a
    if abs(change_a) < timing.PACE_STEP_A:
        return present_a
    if change_a > 0 and now_s < state.sent_pilot_at_s + timing.PACE_S:
        return present_a
    return state.offer_a


def lock_wanted(state: ConnectorState, config: ConnectorConfig) -> bool:
    """Whether the plug shall be locked (manual 5.1 "Lock Actuator only if authorized")."""
    if not config.has_lock or config.tethered or state.plug.kind is PlugKind.NONE:
        return False
    if state.contactor_closed or Fault.CONTACTOR_WELDED in state.faults:
        return True
    session = state.session
    if session is not None:
        return _lock_wanted_in(session, state, config)
    if state.finished or not state.operative:
        return False
    if state.pending is not None and state.connected:
        return True
    return state.connected and not config.lock_only_if_authorized


def _lock_wanted_in(session: LiveSession, state: ConnectorState, config: ConnectorConfig) -> bool:
    if state.pilot.state is not PilotState.A:
        return not (session.held and config.stop_mode is StopMode.ONLY_DISCONNECT)
    if config.stop_mode is StopMode.ONLY_RFID_REMOTE:
        return True
    return not config.unlock_on_vehicle_disconnect
