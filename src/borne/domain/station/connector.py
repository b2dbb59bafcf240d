"""The state machine of one connector: from plug and card to energy, and safely back.

`step(state, event, now_s, config)` is pure. It returns the next state and effects: commands to the
board, and requests to open or close a session, which the runner executes and answers with events.
The commands are derived from the state at the end of every step, and sent if they differ from those
sent before, so no code path can omit a command. A second step at the same time without a new event
does nothing (decision 0070).

Sources: manual 5.1 and 9, IEC 61851-1 Annex A, OCPP 1.6 chapters 3 and 4, decision D29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.station import lock as locks
from borne.domain.station import timing
from borne.domain.station.board import (
    AllowContactor,
    MoveLock,
    PilotInterrupt,
    PilotNominal,
    PilotState,
    SetPilot,
)
from borne.domain.station.connector_events import (
    CloseSession,
    Effect,
    Event,
    OpenSession,
)
from borne.domain.station.connector_intake import apply_event
from borne.domain.station.connector_outputs import (
    asks,
    checked,
    contactor_allowed,
    lock_wanted,
    offering,
    paused,
    pilot_wanted,
    secured,
)
from borne.domain.station.connector_rules import (
    expire,
    judge_causes,
    judge_vehicle,
    rests_from_s,
)
from borne.domain.station.connector_state import (
    CONNECTED,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
    Stop,
)
from borne.domain.station.faults import Fault, blocking
from borne.domain.station.modes import WakeUp
from borne.domain.station.session import StopReason


@dataclass(frozen=True, slots=True)
class Transition:
    """Result of one event."""

    state: ConnectorState
    effects: tuple[Effect, ...] = ()


def step(state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig) -> Transition:
    """Process one event at monotonic time `now_s`; defined for all events and states."""
    before = state
    effects: list[Effect] = []
    state = apply_event(state, event, now_s, config)
    state = expire(state, now_s, config, effects)
    state = judge_vehicle(before, state, now_s, config, effects)
    state = _follow(before, state, now_s, config, effects)
    return Transition(replace(state, at_s=now_s), tuple(effects))


def next_deadline(state: ConnectorState, config: ConnectorConfig) -> float | None:
    """When the machine needs a Tick, always later than its last step; None if it only waits for
    events."""
    session = state.session
    due = (
        state.pending_deadline_s,
        state.inoperative_due_s if session is None else None,
        state.finished_until_s,
        state.lock.deadline_s,
        state.open_deadline_s,
        state.close_deadline_s,
        state.state_f_until_s,
        state.bad_plug_due_s,
        state.diode_due_s,
        state.wake_due_s,
        state.wake_ends_s,
        state.ignore_pilot_until_s,
        session.stop_deadline_s if session else None,
        session.may_ask_until_s if session else None,
        rests_from_s(state),
        _signal_due(state),
        _pace_due(state),
        _rest_due(state, config),
    )
    times = [time for time in due if time is not None and time > state.at_s]
    return min(times) if times else None


def _follow(
    before: ConnectorState,
    state: ConnectorState,
    now_s: float,
    config: ConnectorConfig,
    effects: list[Effect],
) -> ConnectorState:
    """Apply all rules; repeated if the lock fails or recovers."""
    faults = state.faults
    state = judge_causes(before, state, now_s, config)
    state = _command(state, now_s, config, effects)
    state = _judge_session(state, config, effects)
    if state.faults == faults:
        return state
    return _follow(replace(before, latched=faults), state, now_s, config, effects)


def _command(
    state: ConnectorState, now_s: float, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    if not state.known:
        return state
    pilot = pilot_wanted(state, now_s, config)
    changed = pilot != state.sent_pilot
    pilot_effects = [SetPilot(pilot)] if changed or state.resend else []
    if changed:
        state = replace(state, sent_pilot=pilot, sent_pilot_at_s=now_s)
    allow = contactor_allowed(state, now_s, config)
    if allow is not state.sent_allow:
        effects.append(AllowContactor(allow))
        state = _note_allow(state, now_s, config, allow=allow)
    elif state.resend:
        effects.append(AllowContactor(allow))
    effects.extend(pilot_effects)
    state = replace(state, resend=False) if state.resend else state
    state = _wake(state, now_s, config, effects)
    if not state.board_alive:
        return state
    moved = locks.advance(state.lock, lock_wanted(state, config), now_s)
    if moved.pulse is not None:
        effects.append(MoveLock(moved.pulse))
    return state if moved.drive == state.lock else replace(state, lock=moved.drive)


def _note_allow(
    state: ConnectorState, now_s: float, config: ConnectorConfig, *, allow: bool
) -> ConnectorState:
    if allow:
        close_by_s = now_s + timing.CONTACTOR_CLOSE_FEEDBACK_S
        return replace(
            state, sent_allow=True, rests=False, close_deadline_s=close_by_s, open_deadline_s=None
        )
    limit_s = timing.CONTACTOR_OPEN_FEEDBACK_S
    if not state.board_alive:
        # The board does not receive commands either: it is off once its own watchdog has expired.
        limit_s += config.watchdog_s
    moving = state.contactor_closed or state.close_deadline_s is not None
    return replace(
        state,
        sent_allow=False,
        close_deadline_s=None,
        open_deadline_s=now_s + limit_s if moving else None,
        opened_at_s=now_s,
    )


def _wake(
    state: ConnectorState, now_s: float, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    """Wake up a vehicle that does not react to an offer (Annex A.5.3, decision D7)."""
    if config.wake_up is None or not offering(state):
        if not (state.woken or state.wake_due_s is not None):
            return state
        return replace(state, woken=False, wake_due_s=None, wake_ends_s=None)
    if state.pilot.state is not PilotState.B:
        reacted = state.pilot.state in CONNECTED
        if state.wake_due_s is None and state.woken is reacted:
            return state
        return replace(state, woken=state.woken or reacted, wake_due_s=None)
    if state.woken:
        return state
    if state.wake_due_s is None:
        return replace(state, wake_due_s=now_s + timing.WAKE_AFTER_S)
    if now_s < state.wake_due_s:
        return state
    ends_s = now_s + timing.WAKE_S
    state = replace(
        state,
        woken=True,
        wake_due_s=None,
        wake_ends_s=ends_s,
        ignore_pilot_until_s=ends_s + timing.WAKE_SETTLE_S,
        ignored_pilot=None,
    )
    if config.wake_up is WakeUp.PILOT_INTERRUPTION:
        effects.append(SetPilot(PilotInterrupt(timing.WAKE_S)))
        return state
    shown = pilot_wanted(state, now_s, config)
    effects.append(SetPilot(shown))
    return replace(state, sent_pilot=shown, sent_pilot_at_s=now_s)


def _judge_session(
    state: ConnectorState, config: ConnectorConfig, effects: list[Effect]
) -> ConnectorState:
    session = state.session
    if session is None:
        if state.pending is None or not _may_open(state, config):
            return state
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
    if session.phase is Phase.STOPPING and state.settled:
        effects.append(CloseSession(session.session_id, session.stop or Stop(StopReason.OTHER)))
        closing = replace(session, phase=Phase.CLOSING, stop_deadline_s=None)
        return replace(state, session=closing)
    if session.phase is not Phase.RUNNING:
        return state
    asked = session.asked or asks(state, config)
    energised = session.energised or (state.contactor_closed and state.sent_allow)
    if asked is session.asked and energised is session.energised:
        return state
    until_s = None if asked else session.may_ask_until_s
    session = replace(session, asked=asked, energised=energised, may_ask_until_s=until_s)
    return replace(state, session=session)


def _may_open(state: ConnectorState, config: ConnectorConfig) -> bool:
    return (
        state.known
        and state.connected
        and state.pilot.state in CONNECTED
        and state.operative
        and secured(state, config)
        and not blocking(state.faults)
        and Fault.STORAGE_FULL not in state.faults
    )


def _signal_due(state: ConnectorState) -> float | None:
    if state.pilot.state in (PilotState.E, PilotState.F):
        return state.sent_pilot_at_s + timing.SIGNAL_SETTLE_S
    return None


def _pace_due(state: ConnectorState) -> float | None:
    if not isinstance(state.sent_pilot, PilotNominal):
        waiting = state.sent_allow and paused(state)
        return state.sent_pilot_at_s + timing.FORCED_OPEN_S if waiting else None
    raising = state.offer_a - state.sent_pilot.current_a >= timing.PACE_STEP_A
    return state.sent_pilot_at_s + timing.PACE_S if raising else None


def _rest_due(state: ConnectorState, config: ConnectorConfig) -> float | None:
    if not state.running or state.sent_allow or paused(state):
        return None
    if not (asks(state, config) and checked(state, config)):
        return None
    return state.opened_at_s + timing.REST_S
