"""Finds faults that are not the connector machine's own, and keeps the list of all.

Causes come from meters, readers, inputs and the residual current monitor; a fault is posted to
the connector it concerns, station faults to every connector. Manual section 9.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from borne.application.connector_runner import ConnectorRunner
from borne.application.metering_service import MeteringService
from borne.application.transaction_journal import TransactionJournal
from borne.domain.station.board import BoardReport, ResidualCurrentReport
from borne.domain.station.connector_events import FaultCleared, FaultRaised
from borne.domain.station.faults import CATALOGUE, Fault
from borne.domain.station.metering import Verdict
from borne.foundation.clock import Clock
from borne.foundation.events import Signal

RESIDUAL_RESET_S = 10.0
"""Automatic reset after the vehicle left (manual 9)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that is present; connector 0 is the station."""

    fault: Fault
    connector: int
    since: datetime


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault came or went."""

    fault: Fault
    connector: int
    active: bool


class FaultService:
    """All faults of the station."""

    def __init__(
        self,
        runners: Mapping[int, ConnectorRunner],
        metering: MeteringService,
        journal: TransactionJournal,
        clock: Clock,
    ) -> None:
        self.changed: Signal[FaultChange] = Signal()
        self._runners = runners
        self._metering = metering
        self._journal = journal
        self._clock = clock
        self._active: dict[tuple[Fault, int], ActiveFault] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Follow boards, meters and machines."""
        for runner in self._runners.values():
            runner.changed.subscribe(self._follow)
            runner.left.subscribe(self._take_left)
            runner.full.subscribe(lambda full: self.set(Fault.STORAGE_FULL, active=full))
            runner.board.subscribe(partial(self._take_report, runner))
        self._metering.silent.subscribe(
            lambda told: self.set(Fault.METER_BILLING, told[0], active=told[1])
        )
        self._metering.implausible.subscribe(self._take_implausible)

    def abort(self) -> None:
        """Power cut."""
        for timer in self._timers.values():
            timer.cancel()

    def active(self, connector: int | None = None) -> list[ActiveFault]:
        """Faults of a connector (0: of the station), or all."""
        found = [f for f in self._active.values() if connector in (None, f.connector)]
        return sorted(found, key=lambda f: (f.connector, list(CATALOGUE).index(f.fault)))

    def set(self, fault: Fault, connector: int = 0, *, active: bool) -> None:
        """A cause was found or is gone; connector 0 concerns all."""
        event = FaultRaised(fault) if active else FaultCleared(fault)
        for number, runner in self._runners.items():
            if connector in (0, number):
                runner.post(event)
        self._note(fault, connector, active=active)

    def _follow(self, runner: ConnectorRunner) -> None:
        present = runner.state.faults
        known = {fault for fault, connector in self._active if connector == runner.connector}
        station = {fault for fault, connector in self._active if connector == 0}
        for fault in present - known - station:
            self._note(fault, runner.connector, active=True)
        for fault in known - present:
            self._note(fault, runner.connector, active=False)

    def _note(self, fault: Fault, connector: int, *, active: bool) -> None:
        key = (fault, connector)
        if active is (key in self._active):
            return
        if active:
            self._active[key] = ActiveFault(fault, connector, self._clock.now())
        else:
            del self._active[key]
        _log.warning("socket %d: %s %s", connector, fault, "raised" if active else "cleared")
        self.changed.emit(FaultChange(fault, connector, active))

    def _take_implausible(self, told: tuple[int, Verdict]) -> None:
        connector, verdict = told
        _log.error("socket %d: meter register %s", connector, verdict)
        self._journal.distrust(connector)
        self.set(Fault.METER_IMPLAUSIBLE, connector, active=True)

    def _take_report(self, runner: ConnectorRunner, report: BoardReport) -> None:
        if not isinstance(report, ResidualCurrentReport):
            return
        if report.tripped:
            self.set(Fault.RESIDUAL_CURRENT, runner.connector, active=True)
        else:
            self.set(Fault.RESIDUAL_CURRENT, runner.connector, active=False)

    def _take_left(self, runner: ConnectorRunner) -> None:
        self.set(Fault.METER_IMPLAUSIBLE, runner.connector, active=False)
        if Fault.RESIDUAL_CURRENT in runner.state.faults:
            timer = self._timers.pop(runner.connector, None)
            if timer is not None:
                timer.cancel()
            loop = asyncio.get_running_loop()
            self._timers[runner.connector] = loop.call_later(RESIDUAL_RESET_S, runner.board.rearm)
