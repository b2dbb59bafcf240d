"""A bench of pure models around the connector machine: cars, boards, a journal, and time.

Everything that hardware does late is late here too: reports arrive 30 ms after the fact, contacts
move in 20 ms, bolts in 400 ms. After every event all promises of the machine are
checked, from facts that the bench keeps by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from borne.domain.station.board import (
    AllowContactor,
    BoardLinkReport,
    BrownOutReport,
    ContactorReport,
    DiodeCheck,
    LockPosition,
    LockReport,
    MoveLock,
    PilotCommand,
    PilotInterrupt,
    PilotNominal,
    PilotOff,
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
    AuthorizationExpired,
    CardChecking,
    CloseSession,
    Effect,
    Event,
    FaultCleared,
    Offered,
    OpenSession,
    Reserved,
    SessionClosed,
    SessionNotOpened,
    SessionOpened,
    SessionResumed,
    StopAsked,
    Tick,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_snapshot import snapshot_of
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
    Stop,
)
from borne.domain.station.faults import CATALOGUE, Fault
from borne.domain.station.indication import pattern_for
from borne.domain.station.session import StopReason

REPORT_S = 0.03
CONTACT_S = 0.02
LOCK_S = 0.4
ASKING = (PilotState.C, PilotState.D)
MANY_TICKS = 200
"""More wake-ups than any minute has reason for."""


@dataclass(slots=True)
class Car:
    """A plugged vehicle."""

    cable_a: int = 32
    wants: bool = True
    ventilation: bool = False
    diode: bool = True
    simplified: bool = False
    stubborn: bool = False
    """Does not open S2 when the offer is withdrawn."""
    s2: bool = False


@dataclass(slots=True)
class Defects:
    welded: bool = False
    broken: bool = False
    stuck: bool = False
    barred: bool = False
    silent: bool = False
    shorted: bool = False
    absent: bool = False
    half_plugged: bool = False


@dataclass(slots=True)
class Journal:
    """What is committed. Starts and ends wait for `commit`."""

    open: dict[int, tuple[str, Authorization]] = field(default_factory=dict)
    starts: dict[int, Authorization] = field(default_factory=dict)
    ends: dict[int, tuple[str, Stop]] = field(default_factory=dict)
    began: int = 0

    def begin(self, connector: int, authorization: Authorization) -> None:
        assert connector not in self.open, "a second session"
        assert connector not in self.starts, "a second start"
        self.starts[connector] = authorization

    def end(self, connector: int, session_id: str, stop: Stop) -> None:
        assert self.open[connector][0] == session_id
        assert connector not in self.ends, "a second end"
        self.ends[connector] = (session_id, stop)


class Socket:
    """Car, wire, board and machine of one connector."""

    def __init__(self, bench: Bench, number: int, config: ConnectorConfig) -> None:
        self.bench = bench
        self.number = number
        self.config = config
        self.car: Car | None = None
        self.defects = Defects()
        self.offer_a = 16.0
        self.powered = True
        # The board.
        self.command: PilotCommand = PilotOff()
        self.interrupted = False
        self.allowed = False
        self.coil = False
        self.closed = False
        self.bolt = False
        self.moving = False
        self.era = 0
        """Grows when everything that was planned at the board is void."""
        self.boots = 1
        self.measured: tuple[PilotReport, Plug, LockPosition, bool] | None = None
        # What was reported to the machine.
        self.reported_pilot = PilotReport(PilotState.A, pwm=False)
        self.reported_plug = Plug(PlugKind.NONE)
        self.reported_lock = LockPosition.UNLOCKED
        self.reported_alive = True
        self.reported_faults: set[Fault] = set()
        self.stopped_s: float | None = None
        """Since when no offer is made while the contactor is allowed."""
        self.state = ConnectorState()
        self.expired = 0
        self.arrivals = 0
        self.departures = 0

    # Physics --------------------------------------------------------------------------------

    def pilot(self) -> PilotReport:
        """What a board measures now."""
        pwm = isinstance(self.command, PilotNominal)
        if isinstance(self.command, PilotStateE) or self.defects.shorted:
            return PilotReport(PilotState.E, pwm=False)
        if isinstance(self.command, PilotStateF):
            return PilotReport(PilotState.F, pwm=False)
        car = self.car
        if car is None or self.interrupted:
            return PilotReport(PilotState.A, pwm=pwm)
        state = PilotState.B
        if car.s2 or car.simplified:
            state = PilotState.D if car.ventilation else PilotState.C
        diode = DiodeCheck.UNKNOWN
        if pwm:
            diode = DiodeCheck.GOOD if car.diode else DiodeCheck.FAILED
        return PilotReport(state, pwm=pwm, diode=diode)

    def plug(self) -> Plug:
        if self.config.tethered:
            return Plug(PlugKind.VALID, 32)
        if self.car is None:
            return Plug(PlugKind.NONE)
        if self.defects.half_plugged:
            return Plug(PlugKind.AMBIGUOUS)
        return Plug(PlugKind.VALID, self.car.cable_a)

    def lock(self) -> LockPosition:
        if self.defects.absent:
            return LockPosition.ABSENT
        if self.moving:
            return LockPosition.MOVING
        return LockPosition.LOCKED if self.bolt else LockPosition.UNLOCKED

    def settle(self) -> None:
        """Physics follow; the board protects, measures and reports."""
        if not self.powered:
            return
        wanted = self.command
        car = self.car
        if car is not None and not car.simplified:
            offered = isinstance(wanted, PilotNominal) and not self.interrupted
            if car.wants and offered and not car.s2:
                self.bench.after(1.0, self._close_s2, self)
            elif car.s2 and not car.wants:
                car.s2 = False
            elif car.s2 and not offered and not car.stubborn:
                self.bench.after(2.0, self._open_s2, self)
        seen = self.pilot()
        coil = self.allowed and seen.state in ASKING and seen.diode is not DiodeCheck.FAILED
        if coil is not self.coil and (not coil or seen.diode is DiodeCheck.GOOD):
            self.coil = coil
            self.bench.after(CONTACT_S, self._move_contact, self)
        self._report()

    def _close_s2(self) -> None:
        if self.car is not None and self.car.wants and isinstance(self.command, PilotNominal):
            self.car.s2 = True

    def _open_s2(self) -> None:
        if self.car is not None and not isinstance(self.command, PilotNominal):
            self.car.s2 = False

    def _move_contact(self) -> None:
        self.closed = self.defects.welded or (self.coil and not self.defects.broken)

    def _report(self) -> None:
        if self.defects.silent:
            return
        now = (self.pilot(), self.plug(), self.lock(), self.closed)
        before, self.measured = self.measured, now
        pilot, plug, lock, closed = now
        reports: list[Event] = []
        if before is None or pilot != before[0]:
            reports.append(pilot)
        if before is None or plug != before[1]:
            reports.append(PlugReport(plug))
        if before is None or lock is not before[2]:
            reports.append(LockReport(lock))
        if before is None or closed is not before[3]:
            reports.append(ContactorReport(closed))
        for report in reports:
            self.send(report)

    def send(self, report: Event) -> None:
        """On its way to the machine. Reports of a board are dropped with it; its driver stays."""
        own = isinstance(report, BoardLinkReport | BrownOutReport)
        self.bench.after(REPORT_S, lambda: self.feed(report), self, settles=False, lasts=own)

    # Board commands -------------------------------------------------------------------------

    def obey(self, effect: Effect) -> None:
        """Carry out an effect; an unreachable board ignores it."""
        match effect:
            case AllowContactor() | SetPilot() | MoveLock():
                if not self.defects.silent:
                    self._command(effect)
            case OpenSession(authorization):
                self.bench.journal.begin(self.number, authorization)
            case CloseSession(session_id, stop):
                assert not self.closed or self.defects.welded, "the end while energy flows"
                self.bench.journal.end(self.number, session_id, stop)
            case AuthorizationExpired():
                self.expired += 1
            case VehicleArrived():
                self.arrivals += 1
            case VehicleLeft():
                self.departures += 1

    def _command(self, command: AllowContactor | SetPilot | MoveLock) -> None:
        match command:
            case AllowContactor(allowed):
                self.allowed = allowed
            case SetPilot(PilotInterrupt(duration_s)):
                self.interrupted = True
                self.bench.after(duration_s, self._reconnect, self)
            case SetPilot(pilot):
                self.command = pilot
            case MoveLock(locked):
                self._pulse(locked)
        self.settle()

    def _reconnect(self) -> None:
        self.interrupted = False

    def _pulse(self, locked: bool) -> None:
        assert locked or not self.closed or self.defects.welded, "unlocked under current"
        if self.defects.absent or self.defects.stuck or locked is self.bolt:
            return
        self.moving = True
        self.bench.after(LOCK_S, lambda: self._arrive(locked), self)

    def _arrive(self, locked: bool) -> None:
        self.moving = False
        self.bolt = locked and not self.defects.barred

    # What happens ---------------------------------------------------------------------------

    def plug_in(self, car: Car) -> None:
        if self.car is None and not (self.bolt and not self.config.tethered):
            self.car = car
            self.settle()

    def unplug(self, *, force: bool) -> None:
        if self.car is None or (self.bolt and not force):
            return
        self.car = None
        self.bolt = False
        self.settle()

    def brown_out(self) -> None:
        """The board loses its supply briefly."""
        if self.defects.silent:
            return
        self._reset_board()
        self.send(BrownOutReport())
        self.measured = None
        self.settle()

    def set_silent(self, silent: bool) -> None:
        """The link to the board is lost or back; a silent board gets and reports nothing."""
        if silent is self.defects.silent:
            return
        self.defects.silent = silent
        self.send(BoardLinkReport(alive=not silent))
        if silent:
            self.bench.after(self.config.watchdog_s, self._watchdog, self)
        else:
            self.measured = None
            self.settle()

    def _watchdog(self) -> None:
        if self.defects.silent:
            self.command, self.allowed = PilotOff(), False

    def _reset_board(self) -> None:
        self.era += 1
        self.command, self.allowed = PilotOff(), False
        self.interrupted = self.moving = self.coil = False
        self.closed = self.defects.welded

    def lose_power(self) -> None:
        self.powered = False
        self._reset_board()
        self.bolt = False
        if self.car is not None:
            self.car.s2 = False

    def boot(self) -> None:
        """A new machine for what is found."""
        self.powered = True
        self.era += 1
        self.boots += 1
        self.state = ConnectorState()
        self.reported_pilot = PilotReport(PilotState.A, pwm=False)
        self.reported_plug = Plug(PlugKind.NONE)
        self.reported_lock = LockPosition.UNLOCKED
        self.reported_alive = True
        self.reported_faults = set()
        self.stopped_s = None
        self.measured = None

    # The machine ----------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """One step of the machine, and all checks after it."""
        if not self.powered:
            return
        bench, before, was_allowed = self.bench, self.state, self.allowed
        bench.failed = True
        self._remember(event)
        result = step(before, event, bench.now_s, self.config)
        self.state = result.state
        bench.steps += 1
        again = step(result.state, Tick(), bench.now_s, self.config)
        assert not again.effects, f"{event} left {again.effects} undone"
        assert again.state == result.state, f"{event} left something unjudged"
        if isinstance(event, PilotReport) and event.state is PilotState.A and was_allowed:
            assert AllowContactor(False) in result.effects or before.sent_allow is False
        for effect in result.effects:
            self.obey(effect)
        self.check()
        bench.failed = False

    def _remember(self, event: Event) -> None:
        match event:
            case PilotReport():
                self.reported_pilot = event
            case PlugReport(plug):
                self.reported_plug = plug
            case LockReport(position):
                self.reported_lock = position
            case BoardLinkReport(alive):
                self.reported_alive = alive

    def check(self) -> None:
        """What must hold after every step."""
        state, bench = self.state, self.bench
        due_s = next_deadline(state, self.config)
        assert due_s is None or due_s > bench.now_s, "a deadline in the past"
        blocks = {fault for fault in state.faults if CATALOGUE[fault].blocks}
        assert {f for f in self.reported_faults if CATALOGUE[f].blocks} <= blocks
        if state.sent_allow:
            self._check_allowed(blocks)
        sent = state.sent_pilot
        offers = isinstance(sent, PilotNominal)
        if isinstance(sent, PilotNominal):
            assert 6.0 <= sent.current_a <= self.offer_a, "more than the offer"
            assert not blocks
            assert self.number in bench.journal.open
        self.stopped_s = (self.stopped_s or bench.now_s) if not offers else None
        if state.sent_allow and self.stopped_s is not None:
            assert bench.now_s - self.stopped_s <= 6.0 + 1e-6, "closed long after the stop"
        assert pattern_for(snapshot_of(state)) == self._led(blocks)

    def _check_allowed(self, blocks: set[Fault]) -> None:
        assert not blocks, f"allowed in spite of {blocks}"
        assert self.reported_alive
        assert self.number in self.bench.journal.open, "energy without a committed session"
        assert self.number not in self.bench.journal.ends, "energy after the end"
        asks = PilotState.C if not self.config.ventilation else None
        assert (
            self.reported_pilot.state in ASKING
            if asks is None
            else self.reported_pilot.state is asks
        )
        if not self.config.tethered:
            assert self.reported_plug.kind is PlugKind.VALID
            assert self.reported_lock is LockPosition.LOCKED or not self.config.has_lock

    def _led(self, blocks: set[Fault]) -> str:
        """Manual 6, from the facts of the bench."""
        state, journal = self.state, self.bench.journal
        if blocks:
            return "faulted"
        if state.checking:
            return "checking"
        if self.number in journal.open:
            ends = state.session is None or state.session.stop is not None
            if ends:
                return "finishing"
            return "charging" if state.connected else "authorized"
        if self.number in journal.starts:
            return "authorized"
        if not state.operative:
            return "unavailable"
        if state.pending is not None:
            return "authorized"
        if state.reservation_id is not None and state.reserved_first:
            return "reserved"
        if state.finished:
            return "finishing" if state.finished_until_s is not None else "available"
        if state.connected:
            return "preparing"
        return "available" if state.reservation_id is None else "reserved"


class Bench:
    """Sockets, a journal and the time."""

    def __init__(self, config: ConnectorConfig, sockets: int) -> None:
        self.now_s = 1000.0
        self.steps = 0
        self.ticks = 0
        self.failed = False
        """A promise was broken; nothing after it is worth a look."""
        self.journal = Journal()
        self._agenda: list[tuple[float, int, Socket, int, bool, Callable[[], None]]] = []
        self._order = count()
        self.sockets = [Socket(self, number, config) for number in range(sockets)]
        for socket in self.sockets:
            self._start(socket)

    def after(
        self,
        delay_s: float,
        act: Callable[[], None],
        socket: Socket,
        *,
        settles: bool = True,
        lasts: bool = False,
    ) -> None:
        """Something happens at a socket later, unless its board (or, when it lasts, the whole
        station) has died meanwhile."""
        life = -socket.boots if lasts else socket.era
        entry = (self.now_s + delay_s, next(self._order), socket, life, settles, act)
        heapq.heappush(self._agenda, entry)

    def advance(self, seconds: float) -> None:
        """Let time pass and keep every deadline of the machines."""
        until_s = self.now_s + seconds
        ticks = 0
        while True:
            due = [
                (due_s, socket)
                for socket in self.sockets
                if socket.powered
                and (due_s := next_deadline(socket.state, socket.config)) is not None
            ]
            tick_s, ticker = min(due, key=lambda d: d[0]) if due else (float("inf"), None)
            agenda_s = self._agenda[0][0] if self._agenda else float("inf")
            if min(tick_s, agenda_s) > until_s:
                break
            if agenda_s <= tick_s:
                self._happen()
            elif ticker is not None:
                self.now_s = max(self.now_s, tick_s)
                ticks += 1
                self.ticks += 1
                assert ticks < MANY_TICKS * (1 + seconds / 60), "busy without progress"
                ticker.feed(Tick())
        self.now_s = until_s

    def _happen(self) -> None:
        at_s, _, socket, life, settles, act = heapq.heappop(self._agenda)
        self.now_s = max(self.now_s, at_s)
        if life in (socket.era, -socket.boots) and socket.powered:
            act()
            if settles:
                socket.settle()

    # The journal ----------------------------------------------------------------------------

    def commit(self, socket: Socket, *, well: bool = True) -> None:
        """What waits for this socket is committed, or a start is refused."""
        journal, number = self.journal, socket.number
        if number in journal.starts:
            authorization = journal.starts.pop(number)
            if well:
                session_id = f"s{journal.began}"
                journal.began += 1
                journal.open[number] = (session_id, authorization)
                socket.feed(SessionOpened(session_id))
            else:
                socket.feed(SessionNotOpened())
        elif number in journal.ends and well:
            del journal.ends[number], journal.open[number]
            socket.feed(SessionClosed())

    # Power ----------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """Everything that was not committed is forgotten."""
        for socket in self.sockets:
            socket.lose_power()
        self.journal.starts.clear()
        self.journal.ends.clear()

    def restore_power(self, *, resume: bool) -> None:
        """Boot, resume or end open sessions, arm the boards."""
        for socket in self.sockets:
            if socket.powered:
                continue
            socket.boot()
            found = self.journal.open.get(socket.number)
            if found is not None and resume:
                session_id, authorization = found
                socket.feed(SessionResumed(LiveSession(authorization, Phase.RUNNING, session_id)))
            elif found is not None:
                del self.journal.open[socket.number]
            self._start(socket)

    def _start(self, socket: Socket) -> None:
        socket.feed(Offered(socket.offer_a))
        if socket.defects.silent:
            socket.feed(BoardLinkReport(alive=False))
        socket.settle()

    # The end --------------------------------------------------------------------------------

    def clear_up(self) -> None:
        """Repair everything, unplug all cars and wait: nothing may be left over."""
        self.restore_power(resume=True)
        for socket in self.sockets:
            socket.set_silent(False)
            socket.defects = Defects()
            for fault in tuple(socket.reported_faults):
                socket.reported_faults.discard(fault)
                socket.feed(FaultCleared(fault))
            socket.feed(CardChecking(active=False))
            socket.feed(Reserved(None))
            socket._move_contact()
            socket.unplug(force=True)
            socket.settle()
        for _ in range(4):
            self.advance(20.0)
            for socket in self.sockets:
                socket.feed(StopAsked(Stop(StopReason.REMOTE)))
                self.commit(socket)
        self.advance(60.0)
        assert not self.journal.open
        assert not self.journal.starts
        assert not self.journal.ends
        for socket in self.sockets:
            self._check_empty(socket)

    def _check_empty(self, socket: Socket) -> None:
        state = socket.state
        assert state.session is None
        assert state.pending is None
        assert not state.faults, state.faults
        assert not socket.allowed
        assert not socket.closed
        assert isinstance(socket.command, PilotOff)
        assert not socket.bolt or socket.config.tethered
        assert not state.finished
        assert next_deadline(state, socket.config) is None
