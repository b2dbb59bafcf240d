"""Combines profiles and local limits into one schedule.

Source: OCPP 1.6 sections 3.13.1 to 3.13.4 and 5.7; errata 3.7, 3.8, 3.34, 3.57. At every moment the
lowest of three limits applies: the station's, the transaction's (or the default), and the local
one. Within a purpose the highest stack level that has a limit at that moment counts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from borne.domain.limits.power import NOMINAL_V, amps_of, watts_of
from borne.domain.smart_charging.profiles import Installed, Period, Purpose, RateUnit
from borne.domain.smart_charging.schedule import Stretch, begun_at, stretches

TRANSACTION_REPLACES_DEFAULT = True
"""Once the profile of a transaction has begun, the default does not count for the rest of the
transaction, even when the profile has no limit any more (as in test case TC_066 of the compliance
test tool). False: the default counts again where the profile has no limit."""
LONGEST_WINDOW_S = 7 * 86400
"""Maximum length of a composite schedule."""


@dataclass(frozen=True, slots=True)
class PowerConversion:
    """Converts watts to amperes and back, at a connector."""

    phases: int = 3
    """Connected phases."""
    measured: int | None = None
    """Phases that the vehicle is measured to use."""
    voltage_v: float = NOMINAL_V

    def in_use(self, asked: int | None) -> int:
        """Return the number of phases to count with: the measured ones, else those that the profile
        names (three if it names none), at most the connected ones."""
        return self.measured or min(asked or 3, self.phases)

    def convert(self, limit: float, period: Period, unit: RateUnit, wanted: RateUnit) -> float:
        """Convert a limit to another unit."""
        if unit is wanted:
            return limit
        convert = amps_of if wanted is RateUnit.AMPERE else watts_of
        return convert(limit, self.in_use(period.phases), self.voltage_v)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and its source; `profile_id` is None for a local one."""

    value: float
    profile_id: int | None = None
    phases: int = 3
    """Phases on which it applies (OCPP 1.6 section 7.12)."""


@dataclass(frozen=True, slots=True)
class CurveStep:
    """A limit that applies from `start_s` after the begin of the window; None: no limit."""

    start_s: float
    limit: Limit | None


Curve = tuple[CurveStep, ...]
"""Starts at 0; neighbouring steps differ."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time for which limits are computed."""

    start: datetime
    duration_s: float
    zone: tzinfo

    @property
    def end(self) -> datetime:
        """Exclusive end. A window of no duration still contains its first moment."""
        return self.start + timedelta(seconds=max(1.0, self.duration_s))

    def offset_s(self, at: datetime) -> float:
        """Return seconds since the begin."""
        return (at - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Situation:
    """A connector and its transaction."""

    profiles: Mapping[Purpose, Sequence[Installed]]
    conversion: PowerConversion = PowerConversion()
    transaction_start: datetime | None = None
    """None: no transaction; what counts from its start counts from the begin of the window."""


class _Stack:
    """The profiles of one purpose."""

    def __init__(
        self, entries: Sequence[Installed], base: datetime, window: Window, situation: Situation
    ) -> None:
        ordered = sorted(entries, key=lambda entry: -entry.profile.stack_level)
        found = [stretches(e, base, window.zone, window.start, window.end) for e in ordered]
        self._conversion = situation.conversion
        self._lines = [([s.start for s in line], line) for line in found]

    def edges(self) -> Iterable[datetime]:
        for _, line in self._lines:
            for stretch in line:
                yield stretch.start
                yield stretch.end

    def at(self, moment: datetime, unit: RateUnit) -> Limit | None:
        for starts, line in self._lines:
            index = bisect_right(starts, moment) - 1
            if index >= 0 and moment < line[index].end:
                return self._limit(line[index], unit)
        return None

    def _limit(self, stretch: Stretch, unit: RateUnit) -> Limit:
        period = stretch.period
        value = self._conversion.convert(period.limit, period, stretch.unit, unit)
        phases = min(period.phases or 3, self._conversion.phases)
        return Limit(value, stretch.profile_id, phases)


def connector_curve(
    situation: Situation,
    window: Window,
    unit: RateUnit,
    purposes: Iterable[Purpose] = Purpose,
    local: Limit | None = None,
) -> Curve:
    """Return the lowest of the given purposes and the local limit, over time."""
    wanted = set(purposes)
    base = situation.transaction_start or window.start
    stacks = {
        purpose: _Stack(entries, base, window, situation)
        for purpose, entries in situation.profiles.items()
        if purpose in wanted
    }
    own = situation.profiles.get(Purpose.TRANSACTION, ())
    blocks = [] if Purpose.TRANSACTION not in wanted else [_replaces(entry, base) for entry in own]

    def at(moment: datetime) -> Limit | None:
        found = [local]
        for purpose, stack in stacks.items():
            if purpose is not Purpose.DEFAULT:
                found.append(stack.at(moment, unit))
        ours = stacks.get(Purpose.TRANSACTION)
        replaced = any(begin <= moment and (end is None or moment < end) for begin, end in blocks)
        if not TRANSACTION_REPLACES_DEFAULT:
            replaced = ours is not None and ours.at(moment, unit) is not None
        default = stacks.get(Purpose.DEFAULT)
        if default is not None and not replaced:
            found.append(default.at(moment, unit))
        return lowest(found)

    edges = {edge for stack in stacks.values() for edge in stack.edges()}
    edges |= {edge for pair in blocks for edge in pair if edge is not None}
    return _curve(window, edges, at)


def lowest_curve(curves: Sequence[Curve]) -> Curve:
    """Return the lowest of several curves, over time."""
    if len(curves) == 1:
        return curves[0]
    starts = sorted({step.start_s for curve in curves for step in curve})
    return merged(
        CurveStep(start_s, lowest(value_at(curve, start_s) for curve in curves))
        for start_s in starts
    )


def lowest_ever(
    situation: Situation, purposes: Iterable[Purpose], unit: RateUnit = RateUnit.AMPERE
) -> Limit | None:
    """Return the lowest limit that any profile of these purposes ever has: safe while the date is
    unknown."""
    found = (
        Limit(
            situation.conversion.convert(period.limit, period, entry.profile.schedule.unit, unit),
            entry.profile.profile_id,
        )
        for purpose in purposes
        for entry in situation.profiles.get(purpose, ())
        for period in entry.profile.schedule.periods
    )
    return lowest(found)


def _replaces(entry: Installed, base: datetime) -> tuple[datetime, datetime | None]:
    """Return begin and end of the time in which the profile of a transaction replaces the
    default."""
    return begun_at(entry, base), entry.profile.valid_to


def _curve(
    window: Window, edges: Iterable[datetime], at: Callable[[datetime], Limit | None]
) -> Curve:
    inner = sorted(edge for edge in edges if window.start < edge < window.end)
    return merged(CurveStep(window.offset_s(edge), at(edge)) for edge in (window.start, *inner))


def lowest(limits: Iterable[Limit | None]) -> Limit | None:
    """Return the lowest limit, or None."""
    found = [limit for limit in limits if limit is not None]
    return min(found, key=lambda limit: (limit.value, limit.phases), default=None)


def merged(steps: Iterable[CurveStep]) -> Curve:
    """Merge steps with the same limit and phases."""
    result: list[CurveStep] = []
    for step in steps:
        if not result or not _alike(result[-1].limit, step.limit):
            result.append(step)
    return tuple(result)


def _alike(before: Limit | None, after: Limit | None) -> bool:
    if before is None or after is None:
        return before is after
    return (before.value, before.phases) == (after.value, after.phases)


def station_curve(
    connectors: Sequence[Curve],
    station: Curve,
    local: Limit | None,
) -> Curve:
    """Return the sum over all connectors, capped by the limit of the station."""
    starts = sorted({step.start_s for curve in (*connectors, station) for step in curve})

    def at(start_s: float) -> Limit | None:
        return lowest((_sum(connectors, start_s), value_at(station, start_s), local))

    return merged(CurveStep(start_s, at(start_s)) for start_s in starts)


def _sum(connectors: Sequence[Curve], start_s: float) -> Limit | None:
    found = [value_at(curve, start_s) for curve in connectors]
    known = [limit.value for limit in found if limit is not None]
    if not known or len(known) < len(found):
        return None
    return Limit(sum(known), phases=max(limit.phases for limit in found if limit is not None))


def value_at(curve: Curve, start_s: float) -> Limit | None:
    """Return the limit of a curve at a time."""
    index = bisect_right([step.start_s for step in curve], start_s) - 1
    return curve[max(0, index)].limit


def for_backend(curve: Curve) -> Curve:
    """Format a curve for the backend: whole seconds, one decimal, never above the true limit."""
    rounded: dict[int, CurveStep] = {}
    for step in curve:
        start_s = round(step.start_s)
        limit = step.limit and replace(step.limit, value=floor_1(step.limit.value))
        rounded[start_s] = CurveStep(start_s, limit)
    return merged(rounded.values())


def floor_1(value: float) -> float:
    """Round down to one decimal; a value that is short of it by a rounding error counts as it."""
    return math.floor(value * 10 + 1e-6) / 10
