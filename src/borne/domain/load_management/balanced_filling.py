"""Exact max-min levels under links and phase differences.

The algorithm searches the highest common level for which a point exists, fixes the cells that no
point lifts above it, and continues with the others. Cars of lower classes may be anywhere within
their bounds meanwhile, so that they can balance a car of a higher class. The search comes from
above: the conflict that proves that a level is too high also gives the highest level that it
allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from borne.domain.load_management.feasibility import Conflict
from borne.domain.load_management.filling import Bottleneck
from borne.domain.load_management.imbalance import Car, Constraints

PROBE_A = 1e-3
"""A cell that cannot gain this much is blocked."""


@dataclass(frozen=True, slots=True)
class BalancedFill:
    """Amps of every admitted car, and the constraint that blocks each car below its upper bound."""

    amps: dict[int, float]
    causes: dict[int, Bottleneck]


def fill_balanced(constraints: Constraints, admitted: Iterable[int]) -> BalancedFill:
    """Max-min amps of the admitted cars, class by class from the highest priority."""
    cars = constraints.cars
    chosen = sorted(admitted)
    bounds = {car: (cars[car].lower_a, cars[car].upper_a) for car in chosen}
    causes: dict[int, Bottleneck] = {}
    for priority in sorted({cars[car].priority for car in chosen}, reverse=True):
        own = [car for car in chosen if cars[car].priority == priority]
        if any(cars[car].needed_a is not None for car in own):
            for car in own:
                bounds[car] = cars[car].lower_a, _clip(cars[car], _needed_a(cars[car]))
            _Rise(constraints, bounds, own, {}).run()
            for car in own:
                bounds[car] = bounds[car][0], cars[car].upper_a
        _Rise(constraints, bounds, own, causes).run()
    return BalancedFill({car: bounds[car][0] for car in chosen}, causes)


def _needed_a(car: Car) -> float:
    return car.upper_a if car.needed_a is None else car.needed_a


def _clip(car: Car, level: float) -> float:
    return max(car.lower_a, min(level, car.upper_a))


class _Rise:
    """State while one class rises. The bounds of a car become equal when its current is known."""

    def __init__(
        self,
        constraints: Constraints,
        bounds: dict[int, tuple[float, float]],
        rising: Sequence[int],
        causes: dict[int, Bottleneck],
    ) -> None:
        self.constraints = constraints
        self.cars = constraints.cars
        self.bounds = bounds
        self.causes = causes
        self.free: dict[int, list[int]] = {}
        for car in rising:
            self.free.setdefault(constraints.cell_of[car], []).append(car)
        self.upper = [0.0] * len(constraints.cells)
        self.rest = [0.0] * len(constraints.cells)
        """Sum of the lower bounds of the cars in a cell that do not rise."""
        for car, (least, most) in bounds.items():
            self.upper[constraints.cell_of[car]] += most
            self.rest[constraints.cell_of[car]] += least
        for cell, own in self.free.items():
            self.rest[cell] -= sum(bounds[car][0] for car in own)
        self.level = min(self.cars[car].lower_a for car in rising)

    def run(self) -> None:
        while self.free:
            conflict = self._highest_level()
            if conflict is None:
                self._fix(dict.fromkeys(self.free, Bottleneck()))
                return
            blocked = self._blocked() or self._named_in(conflict)
            self._fix(blocked or dict.fromkeys(self.free, Bottleneck()))

    def _top(self) -> float:
        return max(self.cars[car].upper_a for own in self.free.values() for car in own)

    def _lower(self, level: float) -> list[float]:
        lower = list(self.rest)
        for cell, own in self.free.items():
            lower[cell] += sum(_clip(self.cars[car], level) for car in own)
        return lower

    def _check(self, lower: Sequence[float]) -> Conflict | None:
        return self.constraints.check(lower, self.upper, self.bounds)

    def _highest_level(self) -> Conflict | None:
        """Raise `level` as far as a point exists; return the conflict that stopped it, if any."""
        level, last = self._top(), None
        while (conflict := self._check(self._lower(level))) is not None:
            last = conflict
            level = self._root(conflict, level)
            if level <= self.level:
                return last
        self.level = level
        return last

    def _root(self, conflict: Conflict, above: float) -> float:
        """Return the highest level below `above` that the conflict allows. Its excess grows with
        the level, linearly between the bounds of the cars concerned."""
        count = len(self.constraints.cells)
        factors = {n: f for n, f in conflict.terms if n < count and f > 0 and n in self.free}
        marks = {
            mark
            for cell in factors
            for car in self.free[cell]
            for mark in (self.cars[car].lower_a, self.cars[car].upper_a)
            if self.level < mark < above
        }
        known = self.constraints.excess(conflict, self._lower(above), self.upper)

        def excess(level: float) -> float:
            return known - sum(
                factor * (_clip(self.cars[car], above) - _clip(self.cars[car], level))
                for cell, factor in factors.items()
                for car in self.free[cell]
            )

        low, high = self.level, above
        for mark in sorted(marks):
            if excess(mark) > 0:
                high = mark
                break
            low = mark
        at_low, at_high = excess(low), excess(high)
        if at_high - at_low <= 0 or at_low >= 0:
            return low
        return low + (high - low) * -at_low / (at_high - at_low)

    def _blocked(self) -> dict[int, Bottleneck]:
        """Return the cells that no point lifts above the level, and why."""
        lower = self._lower(self.level)
        conflict = self._check(lower)
        if conflict is not None:
            return self._named_in(conflict)
        liftable = self._lifted(lower)
        blocked: dict[int, Bottleneck] = {}
        for cell, own in self.free.items():
            if cell in liftable:
                continue
            room = sum(self.cars[car].upper_a - _clip(self.cars[car], self.level) for car in own)
            if room <= 0:
                blocked[cell] = Bottleneck()
                continue
            raised = list(lower)
            raised[cell] += min(PROBE_A, room)
            conflict = self._check(raised)
            if conflict is None:
                liftable |= self._lifted(lower)
            else:
                blocked[cell] = self.constraints.cause(conflict, cell)
        return blocked

    def _lifted(self, lower: Sequence[float]) -> set[int]:
        point = self.constraints.point()
        return {cell for cell in self.free if point[cell] >= lower[cell] + PROBE_A}

    def _named_in(self, conflict: Conflict) -> dict[int, Bottleneck]:
        return {
            cell: self.constraints.cause(conflict, cell)
            for cell, factor in conflict.terms
            if cell in self.free and factor > 0
        }

    def _fix(self, cells: dict[int, Bottleneck]) -> None:
        for cell, cause in cells.items():
            for car in self.free.pop(cell):
                amps = _clip(self.cars[car], self.level)
                most = self.bounds[car][1]
                self.bounds[car] = (amps, amps)
                self.rest[cell] += amps
                self.upper[cell] += amps - most
                if amps < most and cause != Bottleneck():
                    self.causes[car] = cause
