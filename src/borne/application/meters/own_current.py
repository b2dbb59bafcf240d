"""What the own sockets draw, in the phases of the grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from borne.domain.load_management.topology import Rotation, certain_grid_currents
from borne.domain.settings.choices import PhaseRotation
from borne.domain.settings.snapshot import Settings
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Signal
from borne.foundation.units import ZERO, PerPhase


class BillingMeters(Protocol):
    """The part of the billing meters that this needs."""

    @property
    def changed(self) -> Signal[int]: ...

    @property
    def readings(self) -> Mapping[int, MeterReading]: ...

    @property
    def blind_connectors(self) -> tuple[int, ...]: ...


class OwnCurrent:
    """Call it for the sum of all sockets, in A per grid phase. A socket whose meter is silent
    counts as zero: the sum is what certainly flows."""

    def __init__(self, metering: BillingMeters, settings: Callable[[], Settings]) -> None:
        self.changed = metering.changed
        self._metering = metering
        self._settings = settings

    def __call__(self) -> PerPhase:
        settings, blind = self._settings(), self._metering.blind_connectors
        total = ZERO
        for connector, reading in self._metering.readings.items():
            if connector not in blind:
                rotation = settings.choice("ConnectorPhaseRotation", PhaseRotation, connector)
                total = total.plus(
                    certain_grid_currents(reading.current_a, Rotation(rotation.upper()))
                )
        return total
