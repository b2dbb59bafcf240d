"""Two limits of single sockets: the station's external input, and unbalanced load (manual 7.1).

A car counts as unbalanced until it draws on three phases; it does so at a reduced current, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from borne.application.charging.connector import Connector
from borne.application.ports.hardware import InputPort
from borne.application.settings.running import RunningSettings
from borne.application.settings.station_settings import phases_connected
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import Source
from borne.domain.load_management.phases import PhaseDetection, detect_phases
from borne.domain.load_management.topology import ALL_SOCKET_PHASES
from borne.domain.settings.choices import ExternalInput
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

SOCKET_LIMIT_KEYS = frozenset(
    {
        "EnergyManExternalInput",
        "EnergyManExternalInputLimit",
        "OperatorCurrentLimit",
        "PhasesConnected",
        "SinglePhaseLimit",
    }
)
SAMPLE_S = 2.0
"""Between readings while the phases of a car are not certain."""
SAMPLE_GAP_S = 1.0
"""Readings that follow faster count as one."""
INPUTS = {ExternalInput.OPTO_1: 1, ExternalInput.OPTO_2: 2, ExternalInput.MAINS_230V: 3}
_log = logging.getLogger(__name__)


class LimitBooks(Protocol):
    """Where rows are set; the limit service."""

    def put(self, connector: int, row: LimitRow) -> None: ...

    def withdraw(self, connector: int, source: Source, owner: str = "") -> None: ...


class SocketMeters(Protocol):
    """The part of the billing meters that this needs."""

    changed: Signal[int]

    def present_reading(self, connector: int) -> MeterReading | None:
        """What flows now; None while the meter is silent."""

    def read(self, connector: int) -> Awaitable[MeterReading | None]:
        """Request a new reading."""


@dataclass(slots=True)
class _Car:
    """What is known of the car at a socket."""

    detection: PhaseDetection = field(default_factory=PhaseDetection)
    closed_since_s: float | None = None
    sampled_at_s: float | None = None

    @property
    def balanced(self) -> bool:
        """True if it draws on all three phases."""
        return self.detection.used == ALL_SOCKET_PHASES


class SocketLimits:
    """Sets and withdraws the rows; start it before the limit service, so that its first offers
    respect them."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        limits: LimitBooks,
        meters: SocketMeters,
        inputs: InputPort | None,
        settings: RunningSettings,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self._connectors = connectors
        self._limits = limits
        self._meters = meters
        self._inputs = inputs
        self._settings = settings
        self._clock = clock
        self._supervisor = supervisor
        self._cars = {number: _Car() for number in connectors}
        self._amps: dict[tuple[int, Source], float] = {}
        """The rows that are set."""
        self._timers = Timers()
        self._unsubscribe: list[Unsubscribe] = []

    def start(self) -> None:
        """Set the first rows, and subscribe to their sources."""
        self._unsubscribe.append(self._settings.on_change(SOCKET_LIMIT_KEYS, self._update))
        if self._inputs is not None:
            self._unsubscribe.append(self._inputs.subscribe(lambda *_: self._update()))
        for connector in self._connectors.values():
            self._unsubscribe.append(connector.changed.subscribe(self._on_connector))
        self._unsubscribe.append(self._meters.changed.subscribe(self._on_reading))
        self._update()

    def abort(self) -> None:
        self._timers.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def _update(self) -> None:
        for number in self._connectors:
            self._update_input(number)
            self._update_balance(number)

    # External input -----------------------------------------------------------------------------

    def _update_input(self, connector: int) -> None:
        settings = self._settings()
        kind = settings.choice("EnergyManExternalInput", ExternalInput)
        if kind is ExternalInput.DISABLE:
            self._set(connector, sources.EXTERNAL_INPUT, None, LimitCause.SETTING)
            return
        level = self._level(INPUTS[kind])
        limit_a = float(settings.integer("EnergyManExternalInputLimit"))
        cause = LimitCause.SETTING if level is not None else LimitCause.FALLBACK
        self._set(connector, sources.EXTERNAL_INPUT, None if level is False else limit_a, cause)

    def _level(self, number: int) -> bool | None:
        """None if the input cannot be read: it counts as active then."""
        if self._inputs is None:
            return None
        try:
            return self._inputs.active(number)
        except Exception:
            _log.exception("input %d could not be read", number)
            return None

    # Unbalanced load ----------------------------------------------------------------------------

    @property
    def _unbalanced_a(self) -> float:
        """0: no limit."""
        return float(self._settings().integer("SinglePhaseLimit"))

    def _update_balance(self, connector: int) -> None:
        limit_a = self._unbalanced_a
        car, three = self._cars[connector], self._has_three_phases(connector)
        free = limit_a == 0 or (three and car.balanced)
        self._set(connector, sources.UNBALANCED_LOAD, None if free else limit_a)
        if not free and three and car.closed_since_s is not None and car.detection.used is None:
            self._plan_sample(connector)

    def _has_three_phases(self, connector: int) -> bool:
        return phases_connected(self._settings(), connector) == len(ALL_SOCKET_PHASES)

    def _on_connector(self, connector: Connector) -> None:
        status, car = connector.status, self._cars[connector.id]
        if not status.connected:
            self._cars[connector.id] = _Car()
            self._timers.cancel(connector.id)
        elif not status.contactor_closed:
            car.closed_since_s = None
        elif car.closed_since_s is None:
            car.closed_since_s = asyncio.get_running_loop().time()
        self._update_balance(connector.id)

    def _on_reading(self, connector: int) -> None:
        reading, car = self._meters.present_reading(connector), self._cars[connector]
        now_s = asyncio.get_running_loop().time()
        if reading is None or car.closed_since_s is None or self._unbalanced_a == 0:
            return
        if car.sampled_at_s is not None and now_s - car.sampled_at_s < SAMPLE_GAP_S:
            self._plan_sample(connector)
            return
        car.sampled_at_s = now_s
        since_s = now_s - car.closed_since_s
        car.detection = car.detection.observe(reading.current_a, since_s, ALL_SOCKET_PHASES)
        if detect_phases(reading.current_a) not in {None, car.detection.used}:
            self._plan_sample(connector)
        self._update_balance(connector)

    def _plan_sample(self, connector: int) -> None:
        def read() -> None:
            self._supervisor.start("phase sample", self._read(connector))

        if connector not in self._timers:
            self._timers.plan(connector, SAMPLE_S, read)

    async def _read(self, connector: int) -> None:
        before = self._cars[connector].sampled_at_s
        await self._meters.read(connector)
        if self._cars[connector].sampled_at_s == before:
            # The meter reports changes only.
            self._on_reading(connector)

    # Rows ---------------------------------------------------------------------------------------

    def _set(
        self,
        connector: int,
        source: Source,
        amps: float | None,
        cause: LimitCause = LimitCause.SETTING,
    ) -> None:
        """Set the row of a source, or withdraw it (None), if that changes anything."""
        if self._amps.get((connector, source)) == amps:
            return
        if amps is None:
            del self._amps[connector, source]
            self._limits.withdraw(connector, source)
        else:
            self._amps[connector, source] = amps
            row = LimitRow(source, PerPhase.same(amps), cause, self._clock.now())
            self._limits.put(connector, row)
