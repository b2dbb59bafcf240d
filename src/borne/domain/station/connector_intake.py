"""The part of the state machine that records one event in the state, before the rules are applied.

See `connector`.
"""

from __future__ import annotations

from dataclasses import replace

from borne.domain.station import lock as locks
from borne.domain.station import timing
from borne.domain.station.board import (
    NO_PLUG,
    BoardLinkReport,
    BrownOutReport,
    ContactorReport,
    LockReport,
    PilotReport,
    Plug,
    PlugKind,
    PlugReport,
)
from borne.domain.station.connector_events import (
    AuthorizationWithdrawn,
    Authorized,
    AvailabilityAsked,
    CardChecking,
    Event,
    FaultCleared,
    FaultRaised,
    GroupReported,
    HoldAsked,
    Offered,
    Reserved,
    SessionClosed,
    SessionNotOpened,
    SessionOpened,
    SessionResumed,
    StopAsked,
    UnlockAsked,
)
from borne.domain.station.connector_outputs import keeps_cable
from borne.domain.station.connector_state import (
    CONNECTED,
    PILOT_OFF,
    Authorization,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
    Stop,
)
from borne.domain.station.faults import Fault, blocking


def apply_event(
    state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    """The state after `event`, before the rules are applied."""
    match event:
        case PilotReport():
            return _on_pilot(state, event)
        case PlugReport(plug):
            return _on_plug(state, plug)
        case LockReport(position):
            return replace(state, lock=replace(state.lock, position=position))
        case ContactorReport(closed):
            return _on_contactor(state, closed=closed, now_s=now_s)
        case BoardLinkReport(alive):
            return _on_board_link(state, now_s, config, alive=alive)
        case BrownOutReport():
            return _on_brown_out(state, now_s)
        case Offered(current_a):
            return replace(state, offer_a=current_a)
        case FaultRaised(fault):
            return replace(state, raised=state.raised | {fault})
        case FaultCleared(fault):
            return replace(state, raised=state.raised - {fault})
        case _:
            return _on_request(state, event, now_s, config)


def _on_request(
    state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    match event:
        case Authorized(authorization):
            return _on_authorization(state, authorization, now_s, config)
        case AuthorizationWithdrawn():
            return without_pending(state)
        case CardChecking(active):
            return replace(state, checking=active)
        case StopAsked(stop):
            return _on_stop(state, stop, now_s)
        case HoldAsked(held):
            session = state.session
            return replace(state, session=replace(session, held=held) if session else None)
        case GroupReported(group_id):
            return _on_group(state, group_id)
        case UnlockAsked():
            return _on_unlock(state)
        case AvailabilityAsked():
            return _on_availability(state, event, now_s, config)
        case Reserved(reservation_id):
            return _on_reservation(state, reservation_id)
        case _:
            return _on_journal(state, event, now_s, config)


def _on_journal(
    state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    match event:
        case SessionOpened(session_id):
            return _on_opened(state, session_id, now_s)
        case SessionNotOpened() if state.session and state.session.phase is Phase.OPENING:
            return _without_session(without_pending(state))
        case SessionClosed() if state.session and state.session.phase is Phase.CLOSING:
            return _on_closed(state, state.session, now_s, config)
        case SessionResumed(session) if state.session is None:
            return _on_resumed(state, session, now_s)
        case _:
            return state


def without_pending(state: ConnectorState) -> ConnectorState:
    """The state without a pending authorization."""
    return replace(state, pending=None, pending_deadline_s=None)


def stopping(session: LiveSession, stop: Stop, now_s: float) -> LiveSession:
    """The session with its stop begun; a session that is being opened ends after that."""
    if session.phase is Phase.OPENING:
        return replace(session, stop=stop)
    deadline_s = now_s + timing.FORCED_OPEN_S
    return replace(session, stop=stop, phase=Phase.STOPPING, stop_deadline_s=deadline_s)


# Reports of the board -----------------------------------------------------------------------


def _on_pilot(state: ConnectorState, report: PilotReport) -> ConnectorState:
    if state.ignore_pilot_until_s is not None and report.state not in CONNECTED:
        return replace(state, ignored_pilot=report)
    return replace(state, pilot=report, seen_pilot=True, ignored_pilot=None)


def _on_plug(state: ConnectorState, plug: Plug) -> ConnectorState:
    state = replace(state, plug=plug, seen_plug=True)
    session, first = state.session, state.session_plug
    if session is None or plug.kind is PlugKind.NONE:
        return state
    if first.kind is not PlugKind.VALID:
        return replace(state, session_plug=plug) if plug.kind is PlugKind.VALID else state
    runs = session.phase in (Phase.OPENING, Phase.RUNNING)
    if runs and state.connected and plug != first:
        return replace(state, latched=state.latched | {Fault.CABLE_CHANGED})
    return state


def _on_contactor(state: ConnectorState, *, closed: bool, now_s: float) -> ConnectorState:
    if closed:
        due_s = state.open_deadline_s
        if due_s is None:
            due_s = now_s + timing.CONTACTOR_OPEN_FEEDBACK_S
        return replace(
            state,
            contactor_closed=True,
            close_deadline_s=None,
            open_deadline_s=None if state.sent_allow else due_s,
        )
    opened = state.contactor_closed
    close_by_s = state.close_deadline_s
    if opened and state.sent_allow:
        close_by_s = now_s + timing.CONTACTOR_CLOSE_FEEDBACK_S
    return replace(
        state,
        contactor_closed=False,
        opened_at_s=now_s if opened else state.opened_at_s,
        open_deadline_s=None if opened else state.open_deadline_s,
        close_deadline_s=close_by_s,
        latched=state.latched - {Fault.CONTACTOR_WELDED},
    )


def _on_board_link(
    state: ConnectorState, now_s: float, config: ConnectorConfig, *, alive: bool
) -> ConnectorState:
    if not alive:
        # The board may have missed the last command too.
        awaited = state.open_deadline_s is not None
        due_s = now_s + config.watchdog_s + timing.CONTACTOR_OPEN_FEEDBACK_S
        return replace(
            state,
            board_alive=False,
            raised=state.raised | {Fault.BOARD_LOST},
            open_deadline_s=due_s if awaited else None,
        )
    return _unknown(replace(state, board_alive=True, raised=state.raised - {Fault.BOARD_LOST}))


def _on_brown_out(state: ConnectorState, now_s: float) -> ConnectorState:
    opened = state.contactor_closed or state.sent_allow
    return _unknown(
        replace(
            state,
            sent_pilot=PILOT_OFF,
            sent_pilot_at_s=now_s,
            sent_allow=False,
            contactor_closed=False,
            opened_at_s=now_s if opened else state.opened_at_s,
            open_deadline_s=None,
            close_deadline_s=None,
            state_f_until_s=None,
        )
    )


def _unknown(state: ConnectorState) -> ConnectorState:
    """The state of an unknown connector: no commands until the board has reported."""
    return replace(
        state,
        known=False,
        seen_pilot=False,
        seen_plug=False,
        resend=True,
        wake_ends_s=None,
        ignore_pilot_until_s=None,
        ignored_pilot=None,
        lock=locks.retry(state.lock),
    )


# Wishes -------------------------------------------------------------------------------------


def _on_authorization(
    state: ConnectorState, authorization: Authorization, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    if state.session is not None or not state.operative:
        return state
    kept = state.cable_held_for
    if kept is not None and kept.owned_by(authorization.card or authorization.identity.id_token):
        return replace(state, cable_held_for=None)
    if not (authorization.expires or state.connected):
        return state
    deadline_s = now_s + config.connection_timeout_s if authorization.expires else None
    return replace(
        state,
        checking=False,
        cable_held_for=None,
        pending=authorization,
        pending_deadline_s=deadline_s,
    )


def _on_stop(state: ConnectorState, stop: Stop, now_s: float) -> ConnectorState:
    session = state.session
    if session is None:
        return replace(without_pending(state), cable_held_for=None)
    if session.stop is not None:
        return state
    return replace(state, session=stopping(session, stop, now_s))


def _on_group(state: ConnectorState, group_id: str) -> ConnectorState:
    session = state.session
    if session is None:
        return state
    permit = session.authorization
    permit = replace(permit, identity=replace(permit.identity, group_id=group_id))
    return replace(state, session=replace(session, authorization=permit))


def _on_unlock(state: ConnectorState) -> ConnectorState:
    session = replace(state.session, released=True) if state.session else None
    return replace(
        without_pending(state),
        session=session,
        cable_held_for=None,
        finished=state.plugged or state.connected,
        lock=locks.retry(state.lock),
    )


def _on_availability(
    state: ConnectorState, asked: AvailabilityAsked, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    """Going out of service waits for a session or for its preparation (decision 0137)."""
    if asked.operative:
        return replace(state, operative=True, inoperative_later=False, inoperative_due_s=None)
    if state.session is not None:
        return replace(state, inoperative_later=True)
    waits = state.preparing and state.operative and not blocking(state.faults)
    if asked.at_once or not waits:
        return out_of_service(state)
    due_s = state.inoperative_due_s or now_s + config.connection_timeout_s
    return replace(state, inoperative_later=True, inoperative_due_s=due_s)


def out_of_service(state: ConnectorState) -> ConnectorState:
    """The state out of service: charging is not possible from now on."""
    return replace(
        without_pending(state), operative=False, inoperative_later=False, inoperative_due_s=None
    )


def _on_reservation(state: ConnectorState, reservation_id: int | None) -> ConnectorState:
    vacant = not (state.connected or state.finished or state.pending is not None)
    stood = state.reservation_id is not None and state.reserved_first
    first = reservation_id is not None and (vacant or stood)
    return replace(state, reservation_id=reservation_id, reserved_first=first)


# Answers of the journal ---------------------------------------------------------------------


def _on_opened(state: ConnectorState, session_id: str, now_s: float) -> ConnectorState:
    session = state.session
    if session is None or session.phase is not Phase.OPENING:
        return state
    opened = replace(
        session,
        session_id=session_id,
        phase=Phase.RUNNING,
        may_ask_until_s=now_s + timing.ASK_S,
    )
    if session.stop is not None:
        opened = stopping(opened, session.stop, now_s)
    return replace(state, session=opened)


def _on_resumed(state: ConnectorState, session: LiveSession, now_s: float) -> ConnectorState:
    """Continue a session: the vehicle gets its time to react again, and the connector does not
    count as preparing."""
    session = replace(session, asked=True, may_ask_until_s=now_s + timing.ASK_S)
    return replace(without_pending(state), session=session, session_plug=state.plug)


def _on_closed(
    state: ConnectorState, session: LiveSession, now_s: float, config: ConnectorConfig
) -> ConnectorState:
    left = state.plugged or state.connected
    kept = left and config.has_lock and not config.tethered and keeps_cable(session, config)
    return replace(
        _without_session(state),
        finished=left,
        finished_until_s=now_s + timing.FINISHING_LED_S if left else None,
        cable_held_for=session.authorization if kept else None,
    )


def _without_session(state: ConnectorState) -> ConnectorState:
    return replace(
        state,
        session=None,
        session_plug=NO_PLUG,
        rests=False,
        operative=state.operative and not state.inoperative_later,
        inoperative_later=False,
        inoperative_due_s=None,
    )
