"""The load of the building: constant, in steps or from a curve, repeated every day."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from borne.adapters.site.toml_table import seconds_of
from borne.foundation.units import ZERO, PerPhase

DAY_S = 86400.0
COLUMNS = ("time", "l1_a", "l2_a", "l3_a")
MAX_CURVE_BYTES = 8 * 1024 * 1024
MAX_BUILDING_A = 10_000.0


@dataclass(frozen=True, slots=True)
class Building:
    """Amps per grid phase. A step holds until the next one; times are seconds of a day."""

    base_a: PerPhase = ZERO
    steps: tuple[tuple[float, PerPhase], ...] = ()
    period_s: float = DAY_S
    times: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", tuple(at for at, _ in self.steps))

    def load_a(self, at_s: float) -> PerPhase:
        """The load at a moment."""
        place = bisect_right(self.times, at_s % self.period_s)
        return self.steps[place - 1][1] if place else self.base_a

    def next_change_s(self, after_s: float) -> float | None:
        """The next moment at which the load may change."""
        if not self.steps:
            return None
        begun_s = after_s - after_s % self.period_s
        place = bisect_right(self.times, after_s - begun_s)
        if place < len(self.times):
            return begun_s + self.times[place]
        return begun_s + self.period_s

    @property
    def highest_a(self) -> PerPhase:
        """The highest load of each phase."""
        every = [self.base_a, *(amps for _, amps in self.steps)]
        return PerPhase(*map(max, zip(*every, strict=True)))


class CurveError(Exception):
    """The CSV file of a curve cannot be used."""


def read_curve(path: Path) -> Building:
    """Read a CSV file with the columns time, l1_a, l2_a, l3_a; raises CurveError.

    A curve of more than a day repeats after the days that it covers.
    """
    try:
        if path.stat().st_size > MAX_CURVE_BYTES:
            raise CurveError(f"{path.name} is larger than {MAX_CURVE_BYTES // 1024**2} MB")
        with path.open(encoding="utf-8-sig", newline="") as file:
            steps = tuple(_steps(path.name, csv.reader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CurveError(f"{path.name} cannot be read: {reason}") from None
    if not steps:
        raise CurveError(f"{path.name} has no values")
    days = int(steps[-1][0] // DAY_S) + 1
    # Before its first value the curve has its last one: it repeats.
    return Building(steps[-1][1], steps, days * DAY_S)


def _steps(name: str, rows: Iterable[list[str]]) -> Iterable[tuple[float, PerPhase]]:
    last_s = -1.0
    for number, row in enumerate(rows, start=1):
        place = f"{name}, line {number}"
        if number == 1:
            if [cell.strip().lower() for cell in row] != list(COLUMNS):
                raise CurveError(f"{place}: the columns must be {', '.join(COLUMNS)}")
            continue
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(COLUMNS):
            raise CurveError(f"{place}: {len(COLUMNS)} columns are needed")
        at_s = _time(row[0])
        if at_s is None or at_s <= last_s:
            raise CurveError(f"{place}: the times must rise, as seconds or such as 07:30")
        last_s = at_s
        yield at_s, PerPhase(*(_amps(place, cell) for cell in row[1:]))


def _time(cell: str) -> float | None:
    try:
        return float(cell) if float(cell) < 400 * DAY_S else None
    except ValueError:
        return seconds_of(cell)


def _amps(place: str, cell: str) -> float:
    try:
        amps = float(cell)
    except ValueError:
        amps = MAX_BUILDING_A * 2
    if not -MAX_BUILDING_A <= amps <= MAX_BUILDING_A:
        raise CurveError(f"{place}: {cell.strip()!r} is no current in amps")
    return amps
