"""The machine of one connector: from plug and card to energy, and safely back.

`step(state, event, now_s, config)` is pure. It returns the next state and the effects: commands
to the board, and intents that the runner carries out and answers with events (open a session,
close a session). What the board is told is derived from the state at the end of every step and
sent when it differs from what was sent before, so that no path can forget a command.

Sources: manual 5.1 and 9, IEC 61851-1 Annex A, OCPP 1.6 chapters 3 and 4, decision D29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.settings.choices import StopMode
from borne.domain.station import lock as locks
from borne.domain.station import timing
from borne.domain.station.board import (
    NO_PLUG,
    BoardLinkReport,
    BrownOutReport,
    ContactorReport,
    DiodeCheck,
    LockReport,
    PilotNominal,
    PilotReport,
    PilotState,
    PilotStateF,
    Plug,
    PlugKind,
    PlugReport,
)
from borne.domain.station.connector_events import (
    AllowContactor,
    AuthorizationExpired,
    AuthorizationWithdrawn,
    Authorized,
    AvailabilityAsked,
    CardChecking,
    CloseSession,
    Effect,
    Event,
    FaultCleared,
    FaultRaised,
    HoldAsked,
    MoveLock,
    Offered,
    OpenSession,
    Reserved,
    SessionClosed,
    SessionNotOpened,
    SessionOpened,
    SessionResumed,
    SetPilot,
    StopAsked,
    Tick,
    UnlockAsked,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_outputs import (
    asks,
    contactor_allowed,
    lock_wanted,
    paused,
    pilot_wanted,
)
from borne.domain.station.connector_state import (
    PILOT_OFF,
    Authorization,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
    Stop,
)
from borne.domain.station.faults import Fault, blocking, stopping
from borne.domain.station.session import StopReason


@dataclass(frozen=True, slots=True)
class Step:
    """Result of one event."""

    state: ConnectorState
    effects: tuple[Effect, ...] = ()


def step(state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig) -> Step:
    """Take one event at monotonic time `now_s`; total over all events and states."""
    before = state
    effects: list[Effect] = []
    state = _take(state, event, now_s, config)
    state = _expire(state, now_s, config, effects)
    state = _judge_vehicle(before, state, now_s, config, effects)
    state = _stop_for_cause(state, now_s, config)
    state = _command(state, now_s, config, effects)
    state = _judge_session(state, config, effects)
    return Step(state, tuple(effects))


def next_deadline(state: ConnectorState, config: ConnectorConfig) -> float | None:
    """When the machine wants a Tick; None when it waits for events only."""
    session = state.session
    due = [
        state.pending_deadline_s,
        state.finished_until_s,
        state.lock.deadline_s,
        state.open_deadline_s,
        state.close_deadline_s,
        session.stop_deadline_s if session else None,
        _pace_due(state),
        _rest_due(state, config),
    ]
    times = [time for time in due if time is not None]
    return min(times) if times else None


def _take(
    state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    match event:
        case Tick():
            return state
        case Authorized(authorization):
            return _take_authorization(state, authorization, now_s, config)
        case StopAsked(stop):
            return _take_stop(state, stop, now_s)
        case SessionOpened(session_id):
            return _take_opened(state, session_id, now_s)
        case SessionNotOpened():
            return replace(state, session=None, pending=None, pending_deadline_s=None)
        case SessionClosed():
            return _take_closed(state, now_s)
        case SessionResumed(session):
            return replace(state, session=session, session_plug=state.plug)
        case Offered(current_a):
            return replace(state, offer_a=current_a)
        case FaultRaised(fault):
            return replace(state, raised=state.raised | {fault})
        case FaultCleared(fault):
            return replace(state, raised=state.raised - {fault}, latched=state.latched - {fault})
        case _:
            return _take_wish(state, event) or _take_report(state, event, now_s) or state


def _take_wish(state: ConnectorState, event: Event) -> ConnectorState | None:
    match event:
        case AuthorizationWithdrawn():
            return replace(state, pending=None, pending_deadline_s=None)
        case CardChecking(active):
            return replace(state, checking=active)
        case HoldAsked(held):
            session = state.session
            return replace(state, session=replace(session, held=held) if session else None)
        case UnlockAsked():
            plugged = state.plug.kind is not PlugKind.NONE
            return replace(state, lock=locks.retry(state.lock), finished=plugged)
        case AvailabilityAsked(operative):
            return _take_availability(state, operative=operative)
        case Reserved(reservation_id):
            return replace(state, reservation_id=reservation_id)
        case _:
            return None


def _take_report(state: ConnectorState, event: Event, now_s: float) -> ConnectorState | None:
    match event:
        case PilotReport():
            return replace(state, pilot=event, known=True)
        case PlugReport(plug):
            return _take_plug(state, plug)
        case LockReport(position):
            return replace(state, lock=replace(state.lock, position=position))
        case ContactorReport(closed):
            return _take_contactor(state, closed=closed, now_s=now_s)
        case BoardLinkReport(alive):
            return _take_board_link(state, alive=alive)
        case BrownOutReport():
            return _forget_commands(state)
        case _:
            return None


def _take_plug(state: ConnectorState, plug: Plug) -> ConnectorState:
    session = state.session
    changed = (
        session is not None
        and session.phase in (Phase.OPENING, Phase.RUNNING)
        and plug.kind is not PlugKind.NONE
        and state.session_plug.kind is PlugKind.VALID
        and plug != state.session_plug
    )
    latched = state.latched | {Fault.CABLE_CHANGED} if changed else state.latched
    return replace(state, plug=plug, latched=latched)


def _take_contactor(state: ConnectorState, *, closed: bool, now_s: float) -> ConnectorState:
    opened = state.contactor_closed and not closed
    return replace(
        state,
        contactor_closed=closed,
        opened_at_s=now_s if opened else state.opened_at_s,
        open_deadline_s=None if not closed else state.open_deadline_s,
        close_deadline_s=None if closed else state.close_deadline_s,
        latched=state.latched if closed else state.latched - {Fault.CONTACTOR_WELDED},
    )


def _take_board_link(state: ConnectorState, *, alive: bool) -> ConnectorState:
    if alive:
        return _forget_commands(
            replace(state, board_alive=True, raised=state.raised - {Fault.BOARD_LOST})
        )
    # A board that is not heard is off by its own watchdog: that is what the contactor is.
    return replace(
        state,
        board_alive=False,
        contactor_closed=False,
        raised=state.raised | {Fault.BOARD_LOST},
    )


def _forget_commands(state: ConnectorState) -> ConnectorState:
    return replace(
        state,
        sent_pilot=PILOT_OFF,
        sent_allow=False,
        contactor_closed=False,
        open_deadline_s=None,
        close_deadline_s=None,
        lock=locks.retry(state.lock),
    )


def _take_authorization(
    state: ConnectorState, authorization: Authorization, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    if state.session is not None:
        return state
    return replace(
        state,
        checking=False,
        pending=authorization,
        pending_deadline_s=now_s + config.connection_timeout_s if authorization.expires else None,
    )


def _take_stop(state: ConnectorState, stop: Stop, now_s: float) -> ConnectorState:
    session = state.session
    if session is None:
        return replace(state, pending=None, pending_deadline_s=None)
    if session.stop is not None:
        return state
    return replace(state, session=_stopping(session, stop, now_s))


def _stopping(session: LiveSession, stop: Stop, now_s: float) -> LiveSession:
    if session.phase is Phase.OPENING:
        return replace(session, stop=stop)
    return replace(
        session,
        stop=stop,
        phase=Phase.STOPPING,
        stop_deadline_s=now_s + timing.FORCED_OPEN_S,
    )


def _take_opened(state: ConnectorState, session_id: str, now_s: float) -> ConnectorState:
    session = state.session
    if session is None or session.phase is not Phase.OPENING:
        return state
    opened = replace(session, session_id=session_id, phase=Phase.RUNNING)
    if session.stop is not None:
        opened = _stopping(opened, session.stop, now_s)
    return replace(state, session=opened)


def _take_closed(state: ConnectorState, now_s: float) -> ConnectorState:
    if state.session is None or state.session.phase is not Phase.CLOSING:
        return state
    plugged = state.plug.kind is not PlugKind.NONE or state.connected
    return replace(
        state,
        session=None,
        session_plug=NO_PLUG,
        finished=plugged,
        finished_until_s=now_s + timing.FINISHING_LED_S if plugged else None,
        operative=state.operative and not state.inoperative_later,
        inoperative_later=False,
    )


def _take_availability(state: ConnectorState, *, operative: bool) -> ConnectorState:
    if operative:
        return replace(state, operative=True, inoperative_later=False)
    if state.session is not None:
        return replace(state, inoperative_later=True)
    return replace(state, operative=False, pending=None, pending_deadline_s=None)


def _expire(
    state: ConnectorState, now_s: float, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    due = state.pending_deadline_s
    if due is not None and now_s >= due and state.pending is not None and state.session is None:
        effects.append(AuthorizationExpired(state.pending))
        state = replace(state, pending=None, pending_deadline_s=None)
    if state.finished_until_s is not None and now_s >= state.finished_until_s:
        state = replace(state, finished_until_s=None)
    if state.open_deadline_s is not None and now_s >= state.open_deadline_s:
        welded = state.contactor_closed and config.weld_check
        found = state.latched | {Fault.CONTACTOR_WELDED} if welded else state.latched
        state = replace(state, open_deadline_s=None, latched=found)
    if state.close_deadline_s is not None and now_s >= state.close_deadline_s:
        found = state.latched | {Fault.CONTACTOR_OPEN}
        state = replace(state, close_deadline_s=None, latched=found)
    return state


def _judge_vehicle(
    before: ConnectorState,
    state: ConnectorState,
    now_s: float,
    config: ConnectorConfig,
    effects: list[Effect],
) -> ConnectorState:
    state = _judge_signals(state)
    gone = state.pilot.state is PilotState.A
    no_plug = state.plug.kind is PlugKind.NONE or config.tethered
    if gone and before.pilot.state is not PilotState.A:
        effects.append(VehicleLeft())
    if gone and state.session is None:
        kept = frozenset({Fault.CONTACTOR_WELDED})
        state = replace(state, latched=state.latched & kept)
        if no_plug:
            state = replace(state, finished=False, finished_until_s=None)
    arrived = state.connected and not before.connected
    if arrived and state.session is None and state.pending is None and not state.finished:
        effects.append(VehicleArrived())
    return _judge_disconnect(state, now_s, config) if state.known else state


def _judge_signals(state: ConnectorState) -> ConnectorState:
    latched, raised = state.latched, state.raised
    if state.pilot.diode is DiodeCheck.FAILED and state.connected:
        latched |= {Fault.DIODE_CHECK}
    foreign_f = state.pilot.state is PilotState.F and not isinstance(state.sent_pilot, PilotStateF)
    if state.pilot.state is PilotState.E or foreign_f:
        raised |= {Fault.VEHICLE_SIGNAL}
    else:
        raised -= {Fault.VEHICLE_SIGNAL}
    if state.plug.kind in (PlugKind.SHORT, PlugKind.AMBIGUOUS) and state.connected:
        raised |= {Fault.CABLE_INVALID}
    else:
        raised -= {Fault.CABLE_INVALID}
    return replace(state, latched=latched, raised=raised)


def _judge_disconnect(
    state: ConnectorState, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    session = state.session
    if session is None or session.stop is not None or state.pilot.state is not PilotState.A:
        return state
    cable_gone = state.plug.kind is PlugKind.NONE or config.tethered
    match config.stop_mode:
        case StopMode.ONLY_RFID_REMOTE:
            return state
        case StopMode.ONLY_DISCONNECT if not cable_gone:
            return state
        case _:
            stop = Stop(StopReason.EV_DISCONNECTED)
            return replace(state, session=_stopping(session, stop, now_s))


def _judge_session(
    state: ConnectorState, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    session = state.session
    if session is not None and session.phase is Phase.STOPPING:
        return _close_when_open(state, session, effects)
    if session is None and state.pending is not None and _may_open(state, config):
        effects.append(OpenSession(state.pending))
        return replace(
            state,
            session=LiveSession(state.pending),
            session_plug=state.plug,
            pending=None,
            pending_deadline_s=None,
            reservation_id=None,
            finished=False,
            finished_until_s=None,
        )
    return state


def _stop_for_cause(state: ConnectorState, now_s: float, config: ConnectorConfig) -> ConnectorState:
    session = state.session
    if session is None or session.stop is not None:
        return state
    if stopping(state.faults):
        return replace(state, session=_stopping(session, Stop(StopReason.OTHER), now_s))
    in_mode_d = config.stop_mode is StopMode.NORMAL_MODE_D_RCD and state.pilot.state is PilotState.D
    if in_mode_d and session.phase is Phase.RUNNING:
        return replace(state, session=_stopping(session, Stop(StopReason.OTHER), now_s))
    return state


def _may_open(state: ConnectorState, config: ConnectorConfig) -> bool:
    plugged = config.tethered or state.plug.kind is PlugKind.VALID
    locked = config.tethered or not config.has_lock or state.lock.is_locked
    return (
        state.connected
        and plugged
        and locked
        and state.operative
        and not blocking(state.faults)
        and Fault.STORAGE_FULL not in state.faults
    )


def _close_when_open(
    state: ConnectorState, session: LiveSession, effects: list[Effect]
) -> ConnectorState:
    welded = Fault.CONTACTOR_WELDED in state.faults
    if state.sent_allow or (state.contactor_closed and not welded):
        return state
    stop = session.stop or Stop(StopReason.OTHER)
    effects.append(CloseSession(session.session_id, stop))
    return replace(state, session=replace(session, phase=Phase.CLOSING, stop_deadline_s=None))


def _command(
    state: ConnectorState, now_s: float, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    pilot = pilot_wanted(state, now_s)
    told = [] if pilot == state.sent_pilot else [SetPilot(pilot)]
    if told:
        state = replace(state, sent_pilot=pilot, sent_pilot_at_s=now_s)
    allow = contactor_allowed(state, now_s, config)
    if allow is not state.sent_allow:
        effects.append(AllowContactor(allow))
        state = _note_allow(state, now_s, allow=allow)
    effects.extend(told)
    moved = locks.advance(state.lock, lock_wanted(state, config), now_s)
    if moved.pulse is not None and state.board_alive:
        effects.append(MoveLock(moved.pulse))
    return replace(state, lock=moved.drive)


def _note_allow(state: ConnectorState, now_s: float, *, allow: bool) -> ConnectorState:
    close_by = now_s + timing.CONTACTOR_CLOSE_FEEDBACK_S
    open_by = now_s + timing.CONTACTOR_OPEN_FEEDBACK_S
    return replace(
        state,
        sent_allow=allow,
        close_deadline_s=close_by if allow and not state.contactor_closed else None,
        open_deadline_s=open_by if not allow and state.contactor_closed else None,
    )


def _pace_due(state: ConnectorState) -> float | None:
    if not isinstance(state.sent_pilot, PilotNominal):
        waiting = state.sent_allow and paused(state)
        return state.sent_pilot_at_s + timing.FORCED_OPEN_S if waiting else None
    raising = state.offer_a - state.sent_pilot.current_a >= timing.PACE_STEP_A
    return state.sent_pilot_at_s + timing.PACE_S if raising else None


def _rest_due(state: ConnectorState, config: ConnectorConfig) -> float | None:
    if not state.running or state.sent_allow or paused(state) or not asks(state, config):
        return None
    return state.opened_at_s + timing.REST_S
