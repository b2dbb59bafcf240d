"""A simulated socket on a test bench: the board, its meter, and every report with its time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from borne.adapters.simulation.board import CAPABILITIES, SimulatedBoard
from borne.adapters.simulation.meter import SimulatedMeter
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.vehicle import Vehicle
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import MeterSilent
from borne.domain.station.board import (
    BoardCapabilities,
    BoardReport,
    ContactorReport,
    PilotNominal,
    PilotReport,
    PilotState,
)
from borne.domain.station.reading import MeterReading


class Bench:
    """Connector 1 of a world on the running loop. `keeps_alive` can be set to False."""

    def __init__(self, seed: int = 1, capabilities: BoardCapabilities = CAPABILITIES) -> None:
        self.world = World(2, random.Random(seed))
        self.simulator = Simulator(self.world)
        self.reports: list[tuple[float, BoardReport]] = []
        self.readings: list[MeterReading | MeterSilent] = []
        self.keeps_alive = True
        self._capabilities = capabilities
        self._began_s = self.world.loop.time()
        self._pulse: asyncio.TimerHandle | None = None

    async def start(self) -> Bench:
        """Power up: build board and meter, start both."""
        self.board = SimulatedBoard(self.world, self.socket, self._capabilities)
        self.meter = SimulatedMeter(self.world, self.socket)
        self.board.subscribe(lambda report: self.reports.append((self.now_s, report)))
        self.meter.subscribe(self.readings.append)
        await self.board.start()
        await self.meter.start()
        self._keep_alive()
        await asyncio.sleep(0)
        return self

    @property
    def socket(self) -> Socket:
        return self.world.sockets[1]

    @property
    def now_s(self) -> float:
        """Seconds since the bench was built, to the microsecond."""
        return round(self.world.loop.time() - self._began_s, 6)

    def offer(self, current_a: float) -> None:
        self.board.set_pilot(PilotNominal(current_a))
        self.board.allow_contactor(True)

    async def charging(self, current_a: float = 16.0, **vehicle: Any) -> Bench:
        """Start, plug in, offer, and wait until current flows; then forget the reports."""
        await self.start()
        self.socket.plug(Vehicle(**vehicle))
        self.offer(current_a)
        await asyncio.sleep(6)
        self.forget()
        return self

    async def cause(self, name: str, active: bool = True, **extent: Any) -> None:
        await self.simulator.set_fault(name, active=active, connector=1, extent=extent or None)

    async def cause_with(self, name: str, value: Any) -> None:
        await self.simulator.set_fault(name, active=True, connector=1, value=value)

    async def plug(self, **vehicle: Any) -> None:
        await self.simulator.plug(1, vehicle)

    def forget(self) -> None:
        """Clear reports and readings; times count from now."""
        self.reports.clear()
        self.readings.clear()
        self._began_s = self.world.loop.time()

    def reports_of(self, kind: type[BoardReport]) -> list[BoardReport]:
        return [report for _, report in self.reports if isinstance(report, kind)]

    def when_pilot(self, state: PilotState) -> float | None:
        """When that state was first reported."""
        for at_s, report in self.reports:
            if isinstance(report, PilotReport) and report.state is state:
                return at_s
        return None

    def when_contactor(self, closed: bool) -> float | None:
        """When that feedback was first reported."""
        for at_s, report in self.reports:
            if report == ContactorReport(closed):
                return at_s
        return None

    @property
    def soc(self) -> float:
        assert self.socket.vehicle is not None
        return self.socket.vehicle.soc

    def view(self) -> Mapping[str, Any]:
        """Socket 1 as the page sees it."""
        found: Mapping[str, Any] = self.simulator.view()["sockets"][0]
        return found

    def _keep_alive(self) -> None:
        if self.keeps_alive:
            self.board.keep_alive()
        self._pulse = self.world.loop.call_later(1.0, self._keep_alive)
