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
from tests.simulation.mishaps import AnswerModes, Mishaps
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
class StationUnderTest:
    """A station with its people, faults and records."""

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
        """Run, repair everything, wait until it is quiet, check."""
        modes = AnswerModes(self._rng("manners"))
        late = self._rng("late")
        central = CentralModel(loop, modes, judge, modes.greet)
        central.late_s = lambda: late.choice((1, 20, 59, 70, 300)) * late.random()
        await central.start()
        all_tested = [self._build(loop, central, n) for n in range(self.stations)]
        for tested in all_tested:
            await self._at(tested, lambda r: r.simulated.host.start())
        for tested in all_tested:
            await self._at(tested, self._begin)
        await asyncio.sleep(self.days * DAY_S)
        for tested in all_tested:
            await self._at(tested, self._end)
        modes.healed = True
        for tested in all_tested:
            await self._at(tested, lambda r: self._end_disturbances(r, central))
        for tested in all_tested:
            await self._check(tested, central)
            await self._at(tested, lambda r: r.simulated.host.stop())
        await central.stop()
        self._count(modes, central, all_tested)

    def _build(self, loop: SimLoop, central: CentralModel, number: int) -> StationUnderTest:
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
        return StationUnderTest(simulated, truth, mishaps, drivers)

    def _draw_settings(self, name: str) -> dict[str, Any]:
        rng = self._rng(f"{name}:settings")
        drawn = {key: rng.choice(values) for key, values in VARIED.items()}
        return {**SETTINGS, **drawn, **self.settings}

    async def _at(self, tested: StationUnderTest, work: Callable[[StationUnderTest], Any]) -> None:
        await tested.simulated.machine.create_task(work(tested))

    async def _begin(self, tested: StationUnderTest) -> None:
        lives = [*tested.mishaps.all(), *(d.come_and_go() for d in tested.drivers)]
        tested.tasks = [asyncio.ensure_future(life) for life in lives]

    async def _end(self, tested: StationUnderTest) -> None:
        failed = [task.exception() for task in tested.tasks if task.done()]
        for task in tested.tasks:
            task.cancel()
        await asyncio.gather(*tested.tasks, return_exceptions=True)
        for error in failed:
            assert error is not None
            raise error

    async def _end_disturbances(self, tested: StationUnderTest, central: CentralModel) -> None:
        await tested.mishaps.heal()
        await self._until_quiet(tested)
        book = central.book(tested.simulated.name)
        self.wrong += checks.wrong_with_statuses(book, tested.simulated)
        for driver in tested.drivers:
            await driver.leave_for_good()
        station = tested.simulated.station
        assert station is not None
        for runner in station.connectors.values():
            if runner.state.session is not None:
                await station.control.stop(runner.id, SYSTEM)
        await self._until_quiet(tested)

    async def _until_quiet(self, tested: StationUnderTest) -> None:
        for _ in range(int(CALM_S / 60)):
            await asyncio.sleep(60)
            station, storage = tested.simulated.station, tested.truth.storage
            assert station is not None
            assert storage is not None
            assert station.link.backend is not None
            if station.link.backend.online and not await storage.outbox.length():
                break
        else:
            self.wrong.append(f"{tested.simulated.name}: the queue is not empty")
        await asyncio.sleep(60)

    async def _check(self, tested: StationUnderTest, central: CentralModel) -> None:
        truth, simulated = tested.truth, tested.simulated
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

    def _count(
        self, modes: AnswerModes, central: CentralModel, all_tested: list[StationUnderTest]
    ) -> None:
        self.counts.update({str(mode): n for mode, n in modes.drawn.items()})
        self.counts.update(central.calls)
        for tested in all_tested:
            for counts in (tested.mishaps.counts, *(d.counts for d in tested.drivers)):
                for what, n in counts.items():
                    self.counts[what] = self.counts.get(what, 0) + n

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}:{what}")
