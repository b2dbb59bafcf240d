"""Days of one or more stations with people, mishaps and a backend; then calm, then the bill."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from simloop import SimLoop

from borne.domain.principals import SYSTEM
from tests.simulation import checks
from tests.simulation.central_model import URL, CentralModel
from tests.simulation.mishaps import Manners, Mishaps
from tests.simulation.people import Driver, judge
from tests.simulation.truth import Truth
from tests.support.simulated_network import SimulatedStation, prepare, wall

DAY_S = 86400.0
MAX_LOST = 100_000
CALM_S = 7200.0
"""Longest time to deliver everything when nothing is in the way any more."""
SETTINGS: dict[str, Any] = {
    "MeterValueSampleInterval": 600,
    "TransactionMessageAttempts": 100,
    "TransactionMessageRetryInterval": 5,
    "WebSocketPingInterval": 240,
    "LocalPreAuthorize": "on",
}
_OFTEN_OFF = ("off", "off", "off", "on")
_OFTEN_ON = ("on", "on", "on", "off")
VARIED: dict[str, tuple[Any, ...]] = {
    "RestartTransactionAfterPowerLoss": _OFTEN_ON,
    "StopTransactionMode": (
        *("normal", "normal", "normal"),
        *("only_disconnect", "only_rfid_remote", "normal_mode_d_rcd"),
    ),
    "LocalPreAuthorize": _OFTEN_ON,
    "LocalAuthorizeOffline": _OFTEN_ON,
    "IfInDoubtAllowCharging": ("off", "off", "on", "immediately"),
    "StopTransactionOnInvalidId": _OFTEN_ON,
    "UnlockConnectorOnEVSideDisconnect": _OFTEN_ON,
    "PreparingUntilStateC": ("off", "on"),
    "LockActuatorOnlyIfAuthorized": ("off", "on"),
    "AuthorizeRemoteTxRequests": ("off", "on"),
    "ForceHeartbeat": _OFTEN_OFF,
    "VentilationAvailable": ("off", "on"),
    "MeterValueSampleInterval": (0, 300, 600, 900),
    "StopTxnSampledData": ("", "Energy.Active.Import.Register", "Current.Import,Voltage"),
    "RFIDTagLetterCase": ("lower", "upper"),
    "ClockAlignedDataInterval": (0, 0, 900, 3600),
    "StopTxnAlignedData": ("", "", "Energy.Active.Import.Register"),
    "MinimumStatusDuration": (0, 0, 5),
    "FreeCharging": (*_OFTEN_OFF, *_OFTEN_OFF),
    "FreeChargingMode": (
        *("status_without_auth", "status_with_auth", "full_fixed_with_auth"),
        *("full_fixed_without_auth", "full_any_rfid"),
    ),
    "OperatorCurrentLimit": (32, 16, 6),
}
"""Settings of a house, drawn by the seed; what is listed several times is likelier."""


@dataclass
class Resident:
    """A station with everything around it."""

    simulated: SimulatedStation
    truth: Truth
    mishaps: Mishaps
    drivers: list[Driver]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


@dataclass
class Days:
    """One scenario, drawn from a seed."""

    seed: int
    folder: Path
    days: float = 3.0
    stations: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    sessions: int = 0
    may_lose: bool = False
    """So few attempts that messages are given up."""
    lost: int = 0

    async def play(self, loop: SimLoop) -> None:
        """Live, heal, calm down, check."""
        manners = Manners(self._rng("manners"))
        late = self._rng("late")
        central = CentralModel(loop, manners, judge, manners.greet)
        central.late_s = lambda: late.choice((1, 20, 59, 70, 300)) * late.random()
        await central.start()
        residents = [self._move_in(loop, central, n) for n in range(self.stations)]
        for resident in residents:
            await self._at(resident, lambda r: r.simulated.host.start())
        for resident in residents:
            await self._at(resident, self._begin)
        await asyncio.sleep(self.days * DAY_S)
        for resident in residents:
            await self._at(resident, self._end)
        manners.healed = True
        for resident in residents:
            await self._at(resident, lambda r: self._calm_down(r, central))
        for resident in residents:
            await self._check(resident, central)
            await self._at(resident, lambda r: r.simulated.host.stop())
        await central.stop()
        self._count(manners, central, residents)

    def _move_in(self, loop: SimLoop, central: CentralModel, number: int) -> Resident:
        name = f"station-{number + 1}"
        data = self.folder / name
        prepare(data, URL, ChargePointID=name, **self._draw_settings(name))
        truth = Truth()
        simulated = SimulatedStation(loop, name, data, self.seed, truth.wrap)
        truth.follow(simulated)
        simulated.host.station_changed.subscribe(lambda _: central.power_cycled(name))
        mishaps = Mishaps(simulated, central, truth, self._rng(f"{name}:mishaps"))
        drivers = [
            Driver(simulated, connector, self._rng(f"{name}:{connector}"))
            for connector in simulated.world.sockets
        ]
        return Resident(simulated, truth, mishaps, drivers)

    def _draw_settings(self, name: str) -> dict[str, Any]:
        rng = self._rng(f"{name}:settings")
        drawn = {key: rng.choice(values) for key, values in VARIED.items()}
        return {**SETTINGS, **drawn, **self.settings}

    async def _at(self, resident: Resident, work: Callable[[Resident], Any]) -> None:
        await resident.simulated.machine.create_task(work(resident))

    async def _begin(self, resident: Resident) -> None:
        lives = [*resident.mishaps.all(), *(d.come_and_go() for d in resident.drivers)]
        resident.tasks = [asyncio.ensure_future(life) for life in lives]

    async def _end(self, resident: Resident) -> None:
        failed = [task.exception() for task in resident.tasks if task.done()]
        for task in resident.tasks:
            task.cancel()
        await asyncio.gather(*resident.tasks, return_exceptions=True)
        for error in failed:
            assert error is not None
            raise error

    async def _calm_down(self, resident: Resident, central: CentralModel) -> None:
        await resident.mishaps.heal()
        await self._until_quiet(resident)
        book = central.book(resident.simulated.name)
        self.wrong += checks.wrong_with_statuses(book, resident.simulated)
        for driver in resident.drivers:
            await driver.leave_for_good()
        station = resident.simulated.station
        assert station is not None
        for runner in station.connectors.values():
            if runner.state.session is not None:
                await station.control.stop(runner.id, SYSTEM)
        await self._until_quiet(resident)

    async def _until_quiet(self, resident: Resident) -> None:
        for _ in range(int(CALM_S / 60)):
            await asyncio.sleep(60)
            station, storage = resident.simulated.station, resident.truth.storage
            assert station is not None
            assert storage is not None
            assert station.link.backend is not None
            if station.link.backend.online and not await storage.outbox.length():
                break
        else:
            self.wrong.append(f"{resident.simulated.name}: the queue is not empty")
        await asyncio.sleep(60)

    async def _check(self, resident: Resident, central: CentralModel) -> None:
        truth, simulated = resident.truth, resident.simulated
        book = central.book(simulated.name)
        journal = await checks.journal_of(truth)
        assert truth.storage is not None
        self.sessions += len(journal)
        self.wrong += truth.violations
        self.wrong += checks.wrong_with_frames(book, truth)
        lost = await truth.storage.outbox.lost(MAX_LOST)
        self.lost += len(lost)
        self.wrong += checks.wrong_with_money(book, journal, lost)
        self.wrong += checks.wrong_with_numbers(book, lost)
        until = wall(simulated.loop) + timedelta(seconds=5)
        self.wrong += checks.wrong_with_times(book, until)
        self.wrong += checks.wrong_with_dates(journal, truth)
        self.wrong += checks.wrong_with_energy(journal, truth, simulated)
        self.wrong += checks.wrong_with_statuses(book, simulated)
        self.wrong += [] if self.may_lose else [f"lost: {message}" for message in lost]

    def _count(self, manners: Manners, central: CentralModel, residents: list[Resident]) -> None:
        self.counts.update({str(manner): n for manner, n in manners.drawn.items()})
        self.counts.update(central.calls)
        for resident in residents:
            for counts in (resident.mishaps.counts, *(d.counts for d in resident.drivers)):
                for what, n in counts.items():
                    self.counts[what] = self.counts.get(what, 0) + n

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}:{what}")
