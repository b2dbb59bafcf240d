"""A board and a keeper of sessions that do what a test says, and record their commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from borne.application.charging.connector_runner import ConnectorRunner
from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    BoardCapabilities,
    BoardCommand,
    BoardReport,
    ContactorReport,
    DiodeCheck,
    KeepAlive,
    LockPosition,
    LockReport,
    MoveLock,
    PilotCommand,
    PilotNominal,
    PilotReport,
    PilotState,
    Plug,
    PlugKind,
    PlugReport,
    Rearm,
    SelfTest,
    SetPilot,
)
from borne.domain.station.connector_events import Offered
from borne.domain.station.connector_state import Authorization, ConnectorConfig, Stop
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor

CARD = Authorization(Identity(IdentityKind.RFID, "A1"), card="A1")


class FakeBoard:
    """An EvsePort whose reports come from the test; locks and contactor follow at once."""

    def __init__(self, capabilities: BoardCapabilities | None = None) -> None:
        self.capabilities = capabilities or BoardCapabilities()
        self.commands: list[Any] = []
        self.alive: list[float] = []
        self.rearmed = 0
        self.tested = 0
        self.stopped = False
        self._reports: Signal[BoardReport] = Signal()

    async def start(self) -> None:
        self.report(PilotReport(PilotState.A, pwm=False), PlugReport(NO_PLUG))
        self.report(LockReport(LockPosition.UNLOCKED), ContactorReport(closed=False))

    async def stop(self) -> None:
        self.stopped = True

    def subscribe(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        return self._reports.subscribe(listener)

    def report(self, *reports: BoardReport) -> None:
        for report in reports:
            self._reports.emit(report)

    def plug(self, state: PilotState = PilotState.B) -> None:
        self.report(PilotReport(state, pwm=False), PlugReport(Plug(PlugKind.VALID, 32)))

    def unplug(self) -> None:
        self.report(PilotReport(PilotState.A, pwm=False), PlugReport(NO_PLUG))

    def send(self, command: BoardCommand) -> None:
        match command:
            case SetPilot(pilot_command):
                self.set_pilot(pilot_command)
            case AllowContactor(allowed):
                self.allow_contactor(allowed)
            case MoveLock(locked):
                self.set_lock(locked)
            case KeepAlive():
                self.alive.append(asyncio.get_running_loop().time())
            case SelfTest():
                self.tested += 1
            case Rearm():
                self.rearmed += 1

    def set_pilot(self, command: PilotCommand) -> None:
        self.commands.append(command)
        if isinstance(command, PilotNominal):
            self.report(PilotReport(PilotState.C, pwm=True, diode=DiodeCheck.GOOD))

    def allow_contactor(self, allowed: bool) -> None:
        self.commands.append(allowed)
        self.report(ContactorReport(allowed))

    def set_lock(self, locked: bool) -> None:
        position = LockPosition.LOCKED if locked else LockPosition.UNLOCKED
        self.report(LockReport(position))


class FakeKeeper:
    """Commits when `gate` is open; `begin_error` and `finish_error` are raised while set."""

    def __init__(self) -> None:
        self.begun: list[Authorization] = []
        self.finished: list[tuple[str, Stop]] = []
        self.begin_error: Exception | None = None
        self.finish_error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def begin(self, connector: int, authorization: Authorization) -> str:
        await self.gate.wait()
        if self.begin_error is not None:
            raise self.begin_error
        self.begun.append(authorization)
        return f"s{len(self.begun)}"

    async def finish(self, connector: int, session_id: str, stop: Stop) -> None:
        await self.gate.wait()
        if self.finish_error is not None:
            raise self.finish_error
        self.finished.append((session_id, stop))


class RunnerBench:
    """A runner with its doubles."""

    def __init__(
        self, connector: int = 1, capabilities: BoardCapabilities | None = None, **config: Any
    ) -> None:
        self.board = FakeBoard(capabilities)
        self.keeper = FakeKeeper()
        self.supervisor = Supervisor("test")
        self.config = ConnectorConfig(**config)
        self.runner = ConnectorRunner(
            connector, self.board, self.keeper, lambda: self.config, self.supervisor
        )

    async def start(self) -> RunnerBench:
        await self.runner.start()
        self.runner.post(Offered(16.0))
        self.board.commands.clear()
        return self
