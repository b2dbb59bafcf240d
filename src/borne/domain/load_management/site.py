"""What the EVSE sub-distribution may draw now (manual 7.4; the effective limit of the root).

The lowest of: sub-distribution limit, operator's sub-distribution limit, scheduler windows, active
digital inputs, energy manager, and what the main distribution leaves after headroom and external
load. Never below zero. No failure makes it larger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from math import isfinite, isnan

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.topology import GridPhase
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase

FALLBACK_NOTHING = PerPhase.same(9999.0)
"""Default of External Load Fallback: while the meter does not report, nothing is left for cars."""


@dataclass(frozen=True, slots=True)
class ScheduleWindow:
    """A window of the Maximum Current Scheduler: local time, end exclusive, may cross midnight;
    equal ends mean the whole day."""

    start: time
    end: time
    limit_a: PerPhase

    def holds_at(self, local_time: time) -> bool:
        """True from `start` until just before `end`."""
        if self.start < self.end:
            return self.start <= local_time < self.end
        return local_time >= self.start or local_time < self.end


@dataclass(frozen=True, slots=True)
class DigitalInput:
    """A limit of the sub-distribution while the input is active."""

    active: bool
    limit_a: PerPhase


@dataclass(frozen=True, slots=True)
class ExternalMeter:
    """The main distribution and the meter in it, in amps per grid phase.

    `current_a` is None while the meter is silent. `evse_current_a` is, for a meter that includes
    the sub-distribution, the *lowest* sum of charging currents during the meter's window: a skew
    between the samples then overestimates the external load, which is the safe side.
    """

    main_limit_a: PerPhase
    current_a: PerPhase | None
    location: MeterLocation = MeterLocation.EXCLUDING
    headroom_a: PerPhase = ZERO
    fallback_a: PerPhase = FALLBACK_NOTHING
    evse_current_a: PerPhase = ZERO
    use_export: bool = False

    @property
    def silent(self) -> bool:
        """True if there is no reading, or it is not a number."""
        return self.current_a is None or not all(map(isfinite, self.current_a))

    def external_load_a(self) -> PerPhase:
        """Load of everything except the charging stations; export counts as zero unless it is
        used."""
        if self.current_a is None or self.silent:
            return self.fallback_a
        if self.location is MeterLocation.EXCLUDING:
            load = self.current_a
        else:
            load = self.current_a.minus(self.evse_current_a)
        return load if self.use_export else PerPhase(*(max(0.0, amps) for amps in load))

    def available_a(self) -> PerPhase:
        """What the main distribution leaves; negative when it is already overloaded."""
        return self.main_limit_a.minus(self.headroom_a).minus(self.external_load_a())


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All limits of the EVSE sub-distribution. None: that source sets no limit."""

    sub_distribution_a: PerPhase
    operator_sub_distribution_a: PerPhase | None = None
    schedule: tuple[ScheduleWindow, ...] = ()
    digital_inputs: tuple[DigitalInput, ...] = ()
    energy_manager_a: PerPhase | None = None
    external_meter: ExternalMeter | None = None


@dataclass(frozen=True, slots=True)
class RootLimit:
    """The effective limit of the sub-distribution and its cause on each grid phase."""

    amps: PerPhase
    causes: tuple[LimitCause, LimitCause, LimitCause]

    def cause(self, phase: GridPhase) -> LimitCause:
        """Return what sets the limit of this phase."""
        return self.causes[phase - 1]


def root_limit(site: Site, local_time: time | None = None) -> RootLimit:
    """Return the lowest of all sources, never below zero.

    `local_time` is wall time at the site; with None (the clock is not trusted) every window of the
    scheduler applies.
    """
    rows = list(_rows(site, local_time))
    (a, first), (b, second), (c, third) = (
        min((_number(amps[i]), n) for n, (_, amps) in enumerate(rows)) for i in range(3)
    )
    amps = PerPhase(max(0.0, a), max(0.0, b), max(0.0, c))
    return RootLimit(amps, (rows[first][0], rows[second][0], rows[third][0]))


def _number(amps: float) -> float:
    return 0.0 if isnan(amps) else amps


def _rows(site: Site, local_time: time | None) -> Iterator[tuple[LimitCause, PerPhase]]:
    yield LimitCause.SUB_DISTRIBUTION, site.sub_distribution_a
    if site.operator_sub_distribution_a is not None:
        yield LimitCause.OPERATOR, site.operator_sub_distribution_a
    for window in site.schedule:
        if local_time is None or window.holds_at(local_time):
            yield LimitCause.SCHEDULER, window.limit_a
    for digital_input in site.digital_inputs:
        if digital_input.active:
            yield LimitCause.EXTERNAL_INPUT, digital_input.limit_a
    if site.energy_manager_a is not None:
        yield LimitCause.ENERGY_MANAGER, site.energy_manager_a
    if (meter := site.external_meter) is not None:
        cause = LimitCause.EXTERNAL_LOAD_FALLBACK if meter.silent else LimitCause.EXTERNAL_LOAD
        yield cause, meter.available_a()


def lowest_over_window(samples_a: Iterable[PerPhase]) -> PerPhase:
    """Return the lowest value of each phase in the window of a meter; zero without samples."""
    lowest: PerPhase | None = None
    for sample in samples_a:
        lowest = sample if lowest is None else lowest.lowest(sample)
    return ZERO if lowest is None else lowest
