"""A connector machine on a table: an obedient board and journal answer it at once, unless set
not to. Times count from the start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    ContactorReport,
    DiodeCheck,
    LockPosition,
    LockReport,
    MoveLock,
    PilotInterrupt,
    PilotNominal,
    PilotReport,
    PilotState,
    PilotStateE,
    PilotStateF,
    Plug,
    PlugKind,
    PlugReport,
    SetPilot,
)
from borne.domain.station.connector import next_deadline, step
from borne.domain.station.connector_events import (
    Authorized,
    CloseSession,
    Effect,
    Event,
    Offered,
    OpenSession,
    SessionClosed,
    SessionOpened,
    StopAsked,
    Tick,
)
from borne.domain.station.connector_snapshot import snapshot_of
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Stop,
)
from borne.domain.station.indication import pattern_for
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus, connector_status
from borne.domain.vehicle import Identity, IdentityKind

A, B, C, D, E, F = (
    PilotState.A,
    PilotState.B,
    PilotState.C,
    PilotState.D,
    PilotState.E,
    PilotState.F,
)
CARD = Authorization(Identity(IdentityKind.RFID, "A1"), card="A1")
OTHER_CARD = Authorization(Identity(IdentityKind.RFID, "B2"), card="B2")
FREE = Authorization(Identity(IdentityKind.FREE, ""), reported=False, expires=False)
OWN_STOP = StopAsked(Stop(StopReason.LOCAL, "A1"))
REMOTE_STOP = StopAsked(Stop(StopReason.REMOTE))


class Machine:
    """One connector with its obedient surroundings."""

    def __init__(self, offer_a: float = 16.0, **config: Any) -> None:
        self.config = ConnectorConfig(**config)
        self.state = ConnectorState()
        self.now_s = 0.0
        self.log: list[tuple[float, Effect]] = []
        self.lock_obeys = True
        self.contactor_obeys = True
        self.journal_obeys = True
        self.car_follows = True
        """It closes and opens S2 as the offer says."""
        self.wants = True
        self.disturbed = False
        self.sessions = 0
        self.feed(Offered(offer_a), self._pilot(A), PlugReport(NO_PLUG))
        self.feed(LockReport(LockPosition.UNLOCKED), ContactorReport(closed=False))
        self.log.clear()

    # What happens ---------------------------------------------------------------------------

    def feed(self, *events: Event) -> Machine:
        """Take events now."""
        for event in events:
            result = step(self.state, event, self.now_s, self.config)
            self.state = result.state
            self.log += [(self.now_s, effect) for effect in result.effects]
            for effect in result.effects:
                self._answer(effect)
        return self

    def wait(self, seconds: float) -> Machine:
        """Let time pass; every deadline gets its tick."""
        until_s = self.now_s + seconds
        while (due_s := next_deadline(self.state, self.config)) is not None and due_s <= until_s:
            self.now_s = due_s
            self.feed(Tick())
        self.now_s = until_s
        return self

    def plug(self, state: PilotState = B, cable_a: int = 32) -> Machine:
        """A cable with a vehicle is put in; a second passes, in which the bolt moves."""
        self.feed(self._pilot(state), PlugReport(Plug(PlugKind.VALID, cable_a)))
        return self.wait(1.0)

    def unplug(self) -> Machine:
        """The cable is pulled out of the station."""
        return self.feed(self._pilot(A), PlugReport(NO_PLUG))

    def leave(self) -> Machine:
        """The cable is pulled out of the vehicle and stays in the station."""
        return self.feed(self._pilot(A))

    def pilot(self, state: PilotState, diode: DiodeCheck | None = None) -> Machine:
        """The pilot changes, whatever we command."""
        self.disturbed = state in (E, F)
        report = self._pilot(state)
        return self.feed(report if diode is None else replace(report, diode=diode))

    def authorize(self, authorization: Authorization = CARD) -> Machine:
        return self.feed(Authorized(authorization))

    def charge(self) -> Machine:
        """From nothing to energy."""
        self.plug().authorize()
        assert self.charging
        return self

    def _pilot(self, state: PilotState) -> PilotReport:
        pwm = isinstance(self.state.sent_pilot, PilotNominal)
        seen = state in (B, C, D)
        return PilotReport(state, pwm, DiodeCheck.GOOD if pwm and seen else DiodeCheck.UNKNOWN)

    def _answer(self, effect: Effect) -> None:
        match effect:
            case MoveLock(locked) if self.lock_obeys:
                position = LockPosition.LOCKED if locked else LockPosition.UNLOCKED
                self.feed(LockReport(position))
            case AllowContactor(allowed) if self.contactor_obeys:
                if allowed is not self.state.contactor_closed:
                    self.feed(ContactorReport(allowed))
            case SetPilot(command) if not isinstance(command, PilotInterrupt):
                self._see(command)
            case OpenSession() if self.journal_obeys:
                self.sessions += 1
                self.feed(SessionOpened(f"s{self.sessions}"))
            case CloseSession() if self.journal_obeys:
                self.feed(SessionClosed())

    def _see(self, command: object) -> None:
        present = self.state.pilot.state
        if self.disturbed:
            return
        if isinstance(command, PilotStateE):
            present = E
        elif isinstance(command, PilotStateF):
            present = F
        elif self.state.connected and self.car_follows:
            present = C if isinstance(command, PilotNominal) and self.wants else B
        elif present in (E, F):
            present = B if self.state.connected else A
        self.feed(self._pilot(present))

    # What is ---------------------------------------------------------------------------------

    @property
    def status(self) -> ConnectorStatus:
        return connector_status(self.state)

    @property
    def led(self) -> str:
        return pattern_for(snapshot_of(self.state))

    @property
    def charging(self) -> bool:
        """Energy flows."""
        return self.state.contactor_closed and self.status is ConnectorStatus.CHARGING

    @property
    def locked(self) -> bool:
        return self.state.lock.is_locked

    @property
    def session(self) -> LiveSession | None:
        return self.state.session

    @property
    def offered_a(self) -> float:
        """What the pilot shows; 0 without PWM."""
        sent = self.state.sent_pilot
        return sent.current_a if isinstance(sent, PilotNominal) else 0.0

    def when(self, effect: Effect) -> list[float]:
        """When that effect came."""
        return [at_s for at_s, found in self.log if found == effect]

    def effects(self, kind: type[Effect]) -> list[Effect]:
        """Effects of that kind, in order."""
        return [effect for _, effect in self.log if isinstance(effect, kind)]

    @property
    def stops(self) -> list[Stop]:
        """How the sessions ended."""
        return [effect.stop for _, effect in self.log if isinstance(effect, CloseSession)]
