"""B3: current imbalance, many cars of one phase on the same phase of the grid, against brute force
over all admissions and lexicographic linear programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.imbalance import DIRECTED_PAIRS, Imbalance
from borne.domain.load_management.participant import Demand
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.topology import SocketPhase
from tests.benchmarks.load_management.timing import ROTATIONS, Instance, instance
from tests.properties.load_management.oracle import Problem

SIZES = (4, 6, 8, 12)
SEEDS = range(1000, 1060)
DIFFERENCES_A = (8.0, 12.0, 20.0)
TIGHTNESS = (0.6, 1.0, 1.0)
BRUTE_FORCE_UP_TO = 8
NEAR_A = 0.01


def groups() -> Iterator[Instance]:
    """Half of the cars use one phase, all of them the same."""
    for size in SIZES:
        for seed in SEEDS:
            group = instance(size, seed, TIGHTNESS[seed % 3])
            single = np.random.default_rng(seed).random(size) < 0.5
            cars = [
                replace(one, phases=frozenset({SocketPhase.L1}), rotation=ROTATIONS[seed % 3])
                if alone
                else one
                for one, alone in zip(group.participants, single, strict=True)
            ]
            imbalance = Imbalance(DIFFERENCES_A[seed % 3])
            yield Instance(replace(group.supply, imbalance=imbalance), cars)


@dataclass
class Figures:
    """Counts over all groups."""

    groups: int = 0
    binding: int = 0
    over: int = 0
    exact: int = 0
    compared: int = 0
    same_admission: int = 0
    worst_a: float = 0.0


def measure() -> Figures:
    """Run all groups."""
    found = Figures()
    for group in groups():
        snapshot = Snapshot(group.supply, group.participants)
        amps = allocate(snapshot).amps
        free = allocate(Snapshot(replace(group.supply, imbalance=None), group.participants)).amps
        cars = sorted(
            (one for one in group.participants if one.demand is Demand.CHARGING),
            key=lambda one: (one.rank, one.id),
        )
        imbalance = group.supply.imbalance
        assert imbalance is not None
        problem = Problem(group.supply.topology, group.supply.root_limit_a, cars, imbalance)
        admitted = [car for car, one in enumerate(cars) if amps[one.id] > 0]
        levels = problem.levels({car: cars[car].lower_a for car in admitted})
        gap_a = max(
            (abs(amps[one.id] - level) for one, level in zip(cars, levels, strict=True)),
            default=0.0,
        )
        found.groups += 1
        found.binding += any(abs(amps[name] - free[name]) > NEAR_A for name in amps)
        found.exact += gap_a < NEAR_A
        found.worst_a = max(found.worst_a, gap_a)
        found.over += _exceeds(group, amps)
        if len(group.participants) <= BRUTE_FORCE_UP_TO:
            found.compared += 1
            found.same_admission += problem.best_set() == admitted
    return found


def _exceeds(group: Instance, amps: dict[str, float] | object) -> bool:
    assert isinstance(amps, dict)
    left = group.supply.capacities()
    sums = [0.0, 0.0, 0.0]
    for one in group.participants:
        for link in group.supply.topology.crossed(one.group, one.loads()):
            left[link] -= amps[one.id]
        for phase in one.loads():
            sums[phase - 1] += amps[one.id]
    imbalance = group.supply.imbalance
    assert imbalance is not None
    return min(left) < -1e-6 or any(
        sums[high - 1] - sums[low - 1] > imbalance.limit_a + 1e-6 for high, low in DIRECTED_PAIRS
    )


def main() -> None:
    """Print the counts."""
    found = measure()
    sys.stdout.write(
        f"B3: {found.groups} groups with current imbalance, binding in {found.binding}:"
        f" {found.over} over a limit, exact max-min in {100 * found.exact / found.groups:.1f} %"
        f" (else up to {found.worst_a:.2f} A off), admission as by brute force in"
        f" {found.same_admission} of {found.compared}\n"
    )
