"""The settings that concern limits, as one value: equal values need no new offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from borne.application.settings.station_settings import phases_connected
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import Source
from borne.domain.load_management.topology import Rotation
from borne.domain.settings.choices import PhaseRotation, PhasesConnected
from borne.domain.settings.snapshot import Settings
from borne.foundation.units import PerPhase

LIMIT_KEYS = frozenset(
    {
        "ConnectorPhaseRotation",
        "DLMITNetwork",
        "DLMMinimumCurrentLimit",
        "InstallationCurrentLimit",
        "MaximumCurrent",
        "OperatorCurrentLimit",
        "PhasesConnected",
        "SingleSupplyLine",
        "StationCurrentCapacity",
        "SupplyLineCurrentCapacity",
    }
)


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """The settings of one connector that concern limits."""

    maximum_a: int
    operator_a: int
    installation_a: int | None
    """None: the single supply line is used instead."""
    phases: int
    rotation: Rotation

    def rows(self, now: datetime) -> Iterable[LimitRow]:
        """Return the rows that these settings define."""
        yield _row(sources.MAXIMUM, self.maximum_a, now)
        yield _row(sources.OPERATOR, self.operator_a, now)
        if self.installation_a is not None:
            yield _row(sources.INSTALLATION, self.installation_a, now)


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """The settings of the station that concern limits."""

    sockets: Mapping[int, SocketSettings]
    supply_line_a: int | None
    """None: each socket has its own line."""
    minimum_a: int
    """A car gets at least this share, or waits."""
    it_network: bool

    @classmethod
    def of(cls, settings: Settings, connectors: Iterable[int]) -> LimitSettings:
        sockets = {number: _socket(settings, number) for number in connectors}
        wired = (settings.choice("PhasesConnected", PhasesConnected, n) for n in sockets)
        return cls(
            sockets,
            _supply_line_a(settings),
            settings.integer("DLMMinimumCurrentLimit"),
            settings.flag("DLMITNetwork") or PhasesConnected.SINGLE_IT in wired,
        )

    def rows(self, now: datetime) -> Iterable[LimitRow]:
        """Return the rows of the station that these settings define."""
        yield _row(sources.MINIMUM, self.minimum_a, now)
        if self.supply_line_a is not None:
            yield _row(sources.SUPPLY_LINE, self.supply_line_a, now)


def _socket(settings: Settings, connector: int) -> SocketSettings:
    line = settings.single_supply_line
    rotation = settings.choice("ConnectorPhaseRotation", PhaseRotation, connector)
    return SocketSettings(
        maximum_a=settings.integer("MaximumCurrent", connector),
        operator_a=settings.integer("OperatorCurrentLimit", connector),
        installation_a=None if line else settings.integer("InstallationCurrentLimit", connector),
        phases=phases_connected(settings, connector),
        rotation=Rotation(rotation.value.upper()),
    )


def _supply_line_a(settings: Settings) -> int | None:
    if not settings.single_supply_line:
        return None
    return min(
        settings.integer("SupplyLineCurrentCapacity"), settings.integer("StationCurrentCapacity")
    )


def _row(source: Source, amps: int, now: datetime) -> LimitRow:
    return LimitRow(source, PerPhase.same(float(amps)), LimitCause.SETTING, now)
