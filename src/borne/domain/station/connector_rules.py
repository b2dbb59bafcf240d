"""The rules of the state machine: expired times, signals of the vehicle, its absence, and what ends
a session.

See `connector`.
"""

from __future__ import annotations

from dataclasses import replace

from borne.domain.station import timing
from borne.domain.station.board import (
    NO_PLUG,
    DiodeCheck,
    PilotState,
    PilotStateE,
    PilotStateF,
    PlugKind,
)
from borne.domain.station.connector_events import (
    AuthorizationExpired,
    Effect,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_intake import out_of_service, stopping, without_pending
from borne.domain.station.connector_state import (
    ASKING,
    CONNECTED,
    NO_VEHICLE,
    ConnectorConfig,
    ConnectorState,
    Phase,
    Stop,
)
from borne.domain.station.faults import Fault, blocking
from borne.domain.station.faults import stopping as stopping_faults
from borne.domain.station.modes import StopMode
from borne.domain.station.session import StopReason

OUTLIVES_VEHICLE = frozenset({Fault.CONTACTOR_WELDED})
DISTURBED = (PilotState.E, PilotState.F)


def expire(
    state: ConnectorState, now_s: float, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    """Apply all times that have expired."""
    due = state.pending_deadline_s
    if state.pending is not None and due is not None and now_s >= due and state.session is None:
        effects.append(AuthorizationExpired(state.pending))
        state = without_pending(state)
    if state.finished_until_s is not None and now_s >= state.finished_until_s:
        state = replace(state, finished_until_s=None)
    if state.state_f_until_s is not None and now_s >= state.state_f_until_s:
        state = replace(state, state_f_until_s=None)
    if state.wake_ends_s is not None and now_s >= state.wake_ends_s:
        state = replace(state, wake_ends_s=None)
    session = state.session
    due = session.may_ask_until_s if session is not None else None
    if session is not None and due is not None and now_s >= due:
        state = replace(state, session=replace(session, may_ask_until_s=None))
    rests_s = rests_from_s(state)
    if rests_s is not None and now_s >= rests_s:
        state = replace(state, rests=True)
    if state.ignore_pilot_until_s is not None and now_s >= state.ignore_pilot_until_s:
        pilot = state.ignored_pilot or state.pilot
        state = replace(state, ignore_pilot_until_s=None, ignored_pilot=None, pilot=pilot)
    return _expire_contactor(state, now_s, config)


def rests_from_s(state: ConnectorState) -> float | None:
    """When an open contactor counts as a pause; None if it does already, or never will."""
    session = state.session
    if state.rests or state.sent_allow or session is None or not session.energised:
        return None
    return state.opened_at_s + timing.REST_REPORT_DELAY_S


def _expire_contactor(
    state: ConnectorState, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    if state.open_deadline_s is not None and now_s >= state.open_deadline_s:
        state = replace(state, open_deadline_s=None)
        if state.contactor_closed and config.weld_check and state.board_alive:
            state = replace(state, latched=state.latched | {Fault.CONTACTOR_WELDED})
        else:
            state = replace(state, contactor_closed=False)
    if state.close_deadline_s is not None and now_s >= state.close_deadline_s:
        found = state.latched | {Fault.CONTACTOR_OPEN}
        state = replace(state, close_deadline_s=None, latched=found)
    return state


def judge_vehicle(
    before: ConnectorState,
    state: ConnectorState,
    now_s: float,
    config: ConnectorConfig,
    effects: list[Effect],
) -> ConnectorState:
    """Evaluate the vehicle at the cable."""
    if not state.known:
        if not (state.seen_pilot and (state.seen_plug or config.tethered)):
            return state
        state = replace(state, known=True)
    state = _judge_presence(state, config)
    if before.connected and not state.connected:
        effects.append(VehicleLeft())
        if state.pending is not None and not state.pending.expires:
            state = without_pending(state)
    if state.connected and not before.connected:
        state = replace(state, finished=False, finished_until_s=None)
        if state.session is None and state.pending is None and state.cable_held_for is None:
            effects.append(VehicleArrived())
    state = _judge_signals(state, now_s, config)
    if not state.connected:
        state = _judge_absence(state, config)
    return _judge_availability(_judge_disconnect(state, now_s, config), now_s)


def _judge_availability(state: ConnectorState, now_s: float) -> ConnectorState:
    """Go out of service once no user prepares to charge, or has had the time for it."""
    if not state.inoperative_later or state.session is not None:
        return state
    due_s = state.inoperative_due_s
    if state.preparing and due_s is not None and now_s < due_s:
        return state
    return out_of_service(state)


def _judge_presence(state: ConnectorState, config: ConnectorConfig) -> ConnectorState:
    pulled = not config.tethered and not state.plugged
    if pulled and state.ignore_pilot_until_s is not None:
        return replace(
            state, ignore_pilot_until_s=None, ignored_pilot=None, pilot=NO_VEHICLE, connected=False
        )
    if state.pilot.state in CONNECTED:
        connected = True
    elif state.pilot.state is PilotState.A:
        connected = False
    else:
        connected = state.connected and not pulled
    return state if connected is state.connected else replace(state, connected=connected)


def _judge_absence(state: ConnectorState, config: ConnectorConfig) -> ConnectorState:
    """End what depends on a connected vehicle or a user."""
    empty = config.tethered or not state.plugged
    if state.session is None and not state.latched <= OUTLIVES_VEHICLE:
        state = replace(state, latched=state.latched & OUTLIVES_VEHICLE)
    if not empty:
        return state
    if state.reservation_id is not None and not state.reserved_first and state.pending is None:
        state = replace(state, reserved_first=True)
    if state.session_plug != NO_PLUG and not config.tethered:
        state = replace(state, session_plug=NO_PLUG)
    if state.session is None and (state.finished or state.cable_held_for is not None):
        state = replace(state, finished=False, finished_until_s=None, cable_held_for=None)
    return state


def _judge_signals(state: ConnectorState, now_s: float, config: ConnectorConfig) -> ConnectorState:
    raised, latched = state.raised, state.latched
    state, bad_plug = _judge_plug(state, now_s)
    state, diode = _judge_diode(state, now_s)
    raised = raised | {Fault.CABLE_INVALID} if bad_plug else raised - {Fault.CABLE_INVALID}
    if diode:
        latched = latched | {Fault.DIODE_CHECK}
    ours = isinstance(state.sent_pilot, PilotStateE | PilotStateF)
    settling = now_s < state.sent_pilot_at_s + timing.SIGNAL_SETTLE_S
    if state.pilot.state not in DISTURBED:
        raised = raised - {Fault.VEHICLE_SIGNAL}
    elif not ours and not settling:
        raised = raised | {Fault.VEHICLE_SIGNAL}
    needs_air = state.pilot.state is PilotState.D and not config.ventilation
    raised = raised | {Fault.VENTILATION} if needs_air else raised - {Fault.VENTILATION}
    if raised == state.raised and latched == state.latched:
        return state
    return replace(state, raised=raised, latched=latched)


def _judge_plug(state: ConnectorState, now_s: float) -> tuple[ConnectorState, bool]:
    """A short circuit counts at once; a half inserted plug only if it stays so."""
    if not state.connected or state.plug.kind in (PlugKind.NONE, PlugKind.VALID):
        if state.bad_plug_due_s is not None:
            state = replace(state, bad_plug_due_s=None)
        return state, False
    if state.plug.kind is PlugKind.SHORT:
        return state, True
    if state.bad_plug_due_s is None:
        state = replace(state, bad_plug_due_s=now_s + timing.BAD_PLUG_S)
    return state, state.bad_plug_due_s is not None and now_s >= state.bad_plug_due_s


def _judge_diode(state: ConnectorState, now_s: float) -> tuple[ConnectorState, bool]:
    failed = state.pilot.diode is DiodeCheck.FAILED and state.pilot.state in CONNECTED
    if not failed:
        if state.diode_due_s is not None:
            state = replace(state, diode_due_s=None)
        return state, False
    if state.pilot.state is PilotState.B:
        return state, True
    if state.diode_due_s is None:
        state = replace(state, diode_due_s=now_s + timing.DIODE_EVIDENCE_S)
    return state, state.diode_due_s is not None and now_s >= state.diode_due_s


def _judge_disconnect(
    state: ConnectorState, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    """Whether unplugging ends the session (manual 5.1, Stop Transaction Mode)."""
    session = state.session
    if session is None or session.stop is not None or state.connected:
        return state
    match config.stop_mode:
        case StopMode.ONLY_RFID_REMOTE:
            return state
        case StopMode.ONLY_DISCONNECT if state.plugged and not config.tethered:
            return state
        case _:
            stop = Stop(StopReason.EV_DISCONNECTED)
            return replace(state, session=stopping(session, stop, now_s))


def judge_causes(
    before: ConnectorState, state: ConnectorState, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    """Effects of a fault (manual 9) or of state D (manual 5.1) on vehicle and session."""
    newly = blocking(state.faults) and not blocking(before.faults)
    if newly and state.pilot.state in ASKING and state.board_alive and config.has_state_f:
        state = replace(state, state_f_until_s=now_s + timing.STATE_F_S)
    session = state.session
    if session is None or session.stop is not None:
        return state
    in_mode_d = (
        config.stop_mode is StopMode.NORMAL_MODE_D_RCD
        and state.pilot.state is PilotState.D
        and session.phase is Phase.RUNNING
    )
    if in_mode_d or stopping_faults(state.faults):
        return replace(state, session=stopping(session, Stop(StopReason.OTHER), now_s))
    return state
