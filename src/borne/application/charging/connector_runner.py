"""Runs the state machine of one connector on the event loop.

Every event is processed at once and completely: a report of the board is answered by commands
within the same callback, without an await, so that nothing can happen between unplugging and the
command to open the contactor. Only the commits of the journal are asynchronous; their result comes
back as an event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from borne.application.charging.connector import Connector
from borne.application.charging.decided import Decided
from borne.application.charging.machine_commands import MachineCommands
from borne.application.ports.hardware import EvsePort, MeterSilent
from borne.application.ports.storage import StorageFailed
from borne.domain.station.board import (
    AllowContactor,
    BoardCapabilities,
    BoardReport,
    ContactReport,
    KeepAlive,
    MoveLock,
    OtherFaultReport,
    PilotOff,
    Rearm,
    ResidualCurrentReport,
    SelfTest,
    SetPilot,
    SupplyReport,
    TemperatureReport,
)
from borne.domain.station.connector import next_deadline, step
from borne.domain.station.connector_events import (
    AuthorizationExpired,
    CloseSession,
    Effect,
    Event,
    OpenSession,
    SessionClosed,
    SessionNotOpened,
    SessionOpened,
    Tick,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_snapshot import ConnectorSnapshot, snapshot_of
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorConfig,
    ConnectorState,
    Stop,
)
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

KEEP_ALIVES_PER_WATCHDOG = 3
CLOSE_RETRY_S = 5.0
FAILURE_PAUSE_S = 1.0
"""After an internal error the next deadline may lie in the past; without a pause it would repeat
endlessly."""
NOT_FOR_THE_MACHINE = (
    ContactReport,
    OtherFaultReport,
    ResidualCurrentReport,
    SupplyReport,
    TemperatureReport,
)
"""Reports that `FaultWatch` judges; what follows comes back as faults."""
_log = logging.getLogger(__name__)


class SessionKeeper(Protocol):
    """Commits starts and ends of sessions; implemented by the transaction journal."""

    async def begin(self, connector: int, authorization: Authorization) -> str:
        """Commit a start and return the id of the session. Raises StorageFailed."""

    async def finish(self, connector: int, session_id: str, stop: Stop) -> None:
        """Commit an end. Raises StorageFailed."""


class ConnectorRunner(MachineCommands):
    """The `Connector` of a local board: its state machine and timers."""

    def __init__(
        self,
        connector: int,
        board: EvsePort,
        keeper: SessionKeeper,
        config: Callable[[], ConnectorConfig],
        supervisor: Supervisor,
    ) -> None:
        self.id = connector
        self.board = board
        self.state = ConnectorState()
        self.changed: Signal[Connector] = Signal()
        self.arrived: Signal[Connector] = Signal()
        self.left: Signal[Connector] = Signal()
        self.expired: Signal[Authorization] = Signal()
        self.storage_failed: Signal[bool] = Signal()
        self.decided: Signal[Decided] = Signal()
        self.contactor_cycles = 0
        """Closings since the start."""
        self._keeper = keeper
        self._config = config
        self._obeyed: ConnectorConfig | None = None
        """The configuration that the last step used."""
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Event] = []
        self._busy = False
        self._failed = False
        self._snapshot: tuple[ConnectorState, ConnectorSnapshot] | None = None
        self._timers = Timers(self._loop)
        self._unsubscribe: Unsubscribe | None = None

    async def start(self) -> None:
        """Subscribe to the board and start it."""
        self._unsubscribe = self.board.subscribe(self._on_board_report)
        await self.board.start()

    async def stop(self) -> None:
        """Stop the board; it is left in a safe state."""
        self.abort()
        await self.board.stop()

    def abort(self) -> None:
        """Power cut: process no more events, send no more commands."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._timers.stop()
        self._waiting.clear()
        self._busy = True

    # Connector -------------------------------------------------------------------------------

    @property
    def capabilities(self) -> BoardCapabilities:
        return self.board.capabilities

    @property
    def status(self) -> ConnectorSnapshot:
        if self._snapshot is None or self._snapshot[0] is not self.state:
            self._snapshot = (self.state, snapshot_of(self.state))
        return self._snapshot[1]

    def subscribe_reports(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        return self.board.subscribe(listener)

    def self_test(self) -> None:
        self.board.send(SelfTest())

    def rearm(self) -> None:
        self.board.send(Rearm())

    async def wait_for(
        self, reached: Callable[[ConnectorSnapshot], bool], timeout_s: float
    ) -> bool:
        done = self._loop.create_future()

        def check(_: Connector) -> None:
            if not done.done() and reached(self.status):
                done.set_result(None)

        unsubscribe = self.changed.subscribe(check)
        try:
            check(self)
            await asyncio.wait_for(done, timeout_s)
        except TimeoutError:
            return False
        finally:
            unsubscribe()
        return True

    # The machine -----------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Process an event now, or right after the one that is being processed."""
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        before = self.state
        try:
            while self._waiting:
                self._step(self._waiting.pop(0))
        finally:
            self._busy = False
        self._arm_timer()
        if self.state != before:
            self.changed.emit(self)

    def on_config_changed(self) -> None:
        """Step the machine if a setting that it obeys has changed."""
        if self._obeyed is not None and self._config() != self._obeyed:
            self.post(Tick())

    def _on_board_report(self, report: BoardReport) -> None:
        if not isinstance(report, NOT_FOR_THE_MACHINE):
            self.post(report)

    def _step(self, event: Event) -> None:
        before, now_s = self.state, self._loop.time()
        config = self._obeyed = self._config()
        try:
            result = step(before, event, now_s, config)
        except Exception:
            self._failed = True
            self._fail_safe(event)
            return
        self._failed = False
        self.contactor_cycles += result.state.contactor_closed and not before.contactor_closed
        self.state = result.state
        for effect in result.effects:
            self._carry_out(effect)
        decided = Decided(self.id, now_s, config, before, event, result.effects, result.state)
        self.decided.emit(decided)

    def _fail_safe(self, event: Event) -> None:
        """On an internal error, open the contactor and switch the pilot off."""
        _log.exception("connector %d: the decision on %s failed", self.id, type(event).__name__)
        self.board.send(AllowContactor(allowed=False))
        self.board.send(SetPilot(PilotOff()))
        self.state = replace(self.state, sent_allow=False, sent_pilot=PilotOff(), resend=True)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case AllowContactor() | SetPilot():
                self.board.send(effect)
                self._keep_board_alive()
            case MoveLock():
                self.board.send(effect)
            case OpenSession(authorization):
                self._supervisor.start("open session", self._open(authorization))
            case CloseSession(session_id, stop):
                self._supervisor.start("close session", self._close(session_id, stop))
            case AuthorizationExpired(authorization):
                self.expired.emit(authorization)
            case VehicleArrived():
                self._loop.call_soon(self.arrived.emit, self)
            case VehicleLeft():
                self._loop.call_soon(self.left.emit, self)

    async def _open(self, authorization: Authorization) -> None:
        try:
            session_id = await self._keeper.begin(self.id, authorization)
        except StorageFailed:
            self.storage_failed.emit(True)
            self.post(SessionNotOpened())
        except MeterSilent as error:
            _log.warning("connector %d: no session is opened: %s", self.id, error)
            self.post(SessionNotOpened())
        except Exception:
            _log.exception("connector %d: a session could not be opened", self.id)
            self.post(SessionNotOpened())
        else:
            self.post(SessionOpened(session_id))

    async def _close(self, session_id: str, stop: Stop) -> None:
        while True:
            try:
                await self._keeper.finish(self.id, session_id, stop)
            except StorageFailed:
                self.storage_failed.emit(True)
            except Exception:
                _log.exception("connector %d: a session could not be closed", self.id)
            else:
                self.storage_failed.emit(False)
                self.post(SessionClosed())
                return
            await asyncio.sleep(CLOSE_RETRY_S)

    def _arm_timer(self) -> None:
        config = self._obeyed or self._config()
        due_s = next_deadline(self.state, config)
        if due_s is not None and self._failed:
            due_s = max(due_s, self._loop.time() + FAILURE_PAUSE_S)
        self._timers.plan_at("deadline", due_s, self._on_deadline)

    def _on_deadline(self) -> None:
        self.post(Tick())

    def _keep_board_alive(self) -> None:
        self._timers.cancel("keep alive")
        self.board.send(KeepAlive())
        if self.state.sent_allow or not isinstance(self.state.sent_pilot, PilotOff):
            pause_s = self.board.capabilities.watchdog_s / KEEP_ALIVES_PER_WATCHDOG
            self._timers.plan("keep alive", pause_s, self._keep_board_alive)
