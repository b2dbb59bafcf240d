"""B2: how good one allocation is, on 240 random groups.

Exact: every current within 0.01 A of the lexicographic max-min of the admitted cars, found by
linear programs (6 and 20 cars) or checked by the bottleneck condition (60 cars).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.snapshot import Snapshot
from tests.benchmarks.load_management.other_methods import METHODS, Cars
from tests.benchmarks.load_management.timing import Instance, instance
from tests.properties.load_management.oracle import Problem

SIZES = (6, 20, 60)
SEEDS = range(5000, 5100)
SEEDS_OF_LARGE = range(5000, 5040)
TIGHTNESS = (0.35, 0.6, 1.0)
NEAR_A = 0.01
OURS = "ours"


def groups() -> Iterator[Instance]:
    for size in SIZES:
        for seed in SEEDS_OF_LARGE if size == max(SIZES) else SEEDS:
            yield instance(size, seed, TIGHTNESS[seed % 3])


@dataclass
class Figures:
    """Sums over all groups of one method."""

    over: int = 0
    exact: list[bool] = field(default_factory=list)
    gaps_a: list[float] = field(default_factory=list)
    power: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    of_possible: list[float] = field(default_factory=list)
    fairness: list[float] = field(default_factory=list)

    def row(self) -> tuple[float, ...]:
        gaps = np.array(self.gaps_a)
        return (
            float(self.over),
            100 * float(np.mean(self.exact)),
            float(gaps.mean()),
            float(np.quantile(gaps, 0.95)),
            float(gaps.max()),
            *(
                float(np.mean(values))
                for values in (self.power, self.served, self.of_possible, self.fairness)
            ),
        )


def ours(group: Instance, cars: Cars) -> list[float]:
    amps = allocate(Snapshot(group.supply, group.participants)).amps
    return [amps[name] for name in cars.names]


def levels(group: Instance, cars: Cars, amps: Sequence[float]) -> list[float]:
    """The max-min currents of the admitted cars."""
    by_id = {one.id: one for one in group.participants}
    problem = Problem(
        group.supply.topology, group.supply.root_limit_a, [by_id[name] for name in cars.names]
    )
    return problem.levels({car: cars.lower[car] for car, current in enumerate(amps) if current > 0})


def is_bottlenecked(cars: Cars, amps: Sequence[float]) -> bool:
    """Bertsekas and Gallager: every car is at its own limit, or on a full link where no car above
    its minimum has more."""
    left = cars.room(amps)
    members: dict[int, list[int]] = {}
    for car, links in enumerate(cars.crossed):
        if amps[car] > 0:
            for link in links:
                members.setdefault(link, []).append(car)
    return all(
        current == 0
        or current >= cars.upper[car] - 1e-6
        or any(
            left[link] < 1e-6
            and all(
                amps[other] <= max(current, cars.lower[other]) + 1e-6 for other in members[link]
            )
            for link in cars.crossed[car]
        )
        for car, current in enumerate(amps)
    )


def bounds(group: Instance, cars: Cars) -> tuple[float, float]:
    """The highest sum of phase currents without minima, and the highest number of cars."""
    matrix = np.zeros((len(cars.capacity), len(cars.names)))
    for car, links in enumerate(cars.crossed):
        matrix[list(links), car] = 1.0
    phases = phases_of(group, cars)
    power = linprog(
        [-count for count in phases],
        A_ub=matrix,
        b_ub=cars.capacity,
        bounds=[(0, high) for high in cars.upper],
        method="highs",
    )
    count = milp(
        -np.ones(len(cars.names)),
        constraints=LinearConstraint(matrix * np.array(cars.lower), ub=cars.capacity),
        integrality=np.ones(len(cars.names)),
        bounds=Bounds(0, 1),
    )
    return float(-power.fun), float(-count.fun)


def phases_of(group: Instance, cars: Cars) -> list[int]:
    by_id = {one.id: one for one in group.participants}
    return [len(by_id[name].loads()) for name in cars.names]


def measure() -> Mapping[str, Figures]:
    """Run all methods on all groups."""
    found = {name: Figures() for name in (OURS, *METHODS)}
    for group in groups():
        cars = Cars.of(group)
        if not cars.names:
            continue
        own = ours(group, cars)
        exact = levels(group, cars, own) if len(group.participants) < max(SIZES) else None
        power, possible = bounds(group, cars)
        phases = phases_of(group, cars)
        for name, figures in found.items():
            amps = own if name == OURS else METHODS[name](cars)
            reference = own if exact is None else exact
            gaps = [abs(a - b) for a, b in zip(amps, reference, strict=True)]
            same = max(gaps) < NEAR_A
            figures.exact.append(same and (exact is not None or is_bottlenecked(cars, amps)))
            figures.gaps_a += gaps
            figures.over += min(cars.room(amps)) < -1e-6
            figures.power.append(sum(a * p for a, p in zip(amps, phases, strict=True)) / power)
            served = sum(current > 0 for current in amps)
            figures.served.append(served / len(amps))
            figures.of_possible.append(served / possible if possible else 1.0)
            squares = sum(current**2 for current in amps)
            figures.fairness.append(sum(amps) ** 2 / (len(amps) * squares) if squares else 1.0)
    return found


def main() -> None:
    """Print a line for each method."""
    say = sys.stdout.write
    names = ("over", "exact, %", "gap, A", "p95", "max", "of LP", "served", "of MILP", "Jain")
    say("B2: one allocation of 240 random groups, against the exact max-min of the same cars.\n")
    say(f"{'':30}" + "".join(f"{name:>9}" for name in names) + "\n")
    for name, figures in measure().items():
        say(f"{name:30}" + "".join(f"{value:>9.3f}" for value in figures.row()) + "\n")
