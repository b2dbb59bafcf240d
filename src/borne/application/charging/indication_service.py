"""Keeps every LED ring on the pattern that the state asks for (manual 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from borne.application.authorization.authorization_flow import CardOutcome
from borne.application.charging.connector_runner import ConnectorRunner
from borne.application.ports.hardware import IndicatorPort
from borne.domain.station.indication import PATTERNS, pattern_for
from borne.foundation.events import Signal


@dataclass(frozen=True, slots=True)
class Lights:
    """What can be set about the lights."""

    percent: int = 100
    blinks: int = 5


class IndicationService:
    """One pattern for each connector."""

    def __init__(
        self,
        runners: Mapping[int, ConnectorRunner],
        indicator: IndicatorPort,
        backend_matters: Callable[[], bool] = lambda: False,
        lights: Callable[[], Lights] = Lights,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self._runners = runners
        self._indicator = indicator
        self._backend_matters = backend_matters
        self._lights = lights
        self._updating = False
        self._shown: dict[int, str] = {}
        self._rejected: dict[int, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Follow the connectors."""
        self._indicator.dim(self._lights().percent)
        for runner in self._runners.values():
            runner.changed.subscribe(self._refresh)
            self._refresh(runner)

    def shown(self, connector: int) -> str:
        """Name of the pattern at a connector."""
        return self._shown.get(connector, "")

    def abort(self) -> None:
        """Power cut."""
        for timer in self._rejected.values():
            timer.cancel()

    def refresh(self) -> None:
        """Settings changed."""
        self._indicator.dim(self._lights().percent)
        for runner in self._runners.values():
            self._refresh(runner)

    def show_update(self, *, active: bool) -> None:
        """New software is being installed (up to 10 min), or no longer."""
        self._updating = active
        self.refresh()

    def take_outcome(self, outcome: CardOutcome) -> None:
        """A refused card is shown by so many blinks (manual 6: five)."""
        blinks = self._lights().blinks
        if outcome.accepted or blinks == 0:
            return
        duration_s = blinks * PATTERNS["rejected"].period_s
        for connector in outcome.connectors:
            self._end_rejection(connector)
            loop = asyncio.get_running_loop()
            self._rejected[connector] = loop.call_later(duration_s, self._end_rejection, connector)
            self._refresh(self._runners[connector])

    def _end_rejection(self, connector: int) -> None:
        timer = self._rejected.pop(connector, None)
        if timer is not None:
            timer.cancel()
            self._refresh(self._runners[connector])

    def _refresh(self, runner: ConnectorRunner) -> None:
        connector = runner.connector
        pattern = pattern_for(
            runner.state,
            rejected=connector in self._rejected,
            updating=self._updating,
            backend_matters=self._backend_matters(),
        )
        if pattern != self._shown.get(connector):
            self._shown[connector] = pattern
            self._indicator.show(connector, pattern)
            self.changed.emit(connector)
