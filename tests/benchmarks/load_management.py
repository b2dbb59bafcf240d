"""B1: time of one allocation against one linear program of HiGHS on the same group.

The program is the cheapest that HiGHS can be asked: highest total current, no minimum, no
fairness. Absolute figures depend on the machine, the ratio less so.

    python -m tests.benchmarks.load_management [N ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import highspy
import numpy as np

from borne.domain.load_management.allocation import allocate, entitlement
from borne.domain.load_management.filling import admit, fill
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    SocketPhase,
    Topology,
)
from borne.foundation.units import PerPhase

SIZES = (2, 10, 100, 1000, 10_000)
SEED = 7
TIGHTNESS = 0.6
LEAF_SOCKETS = 20
MID_LEAVES = 10
PHASES = {
    1: frozenset({SocketPhase.L1}),
    2: frozenset({SocketPhase.L1, SocketPhase.L2}),
    3: frozenset(SocketPhase),
}
ROTATIONS = (Rotation.RST, Rotation.STR, Rotation.TRS)


@dataclass(frozen=True)
class Instance:
    """A group of sockets with the limits of its tree."""

    topology: Topology
    root_limit_a: PerPhase
    participants: list[Participant]


def instance(size: int, seed: int = SEED, tightness: float = TIGHTNESS) -> Instance:
    """Leaves of 20 sockets, groups of 10 leaves, one root; cars of one, two and three phases."""
    dice = np.random.default_rng([seed, size])
    kinds = dice.choice([1, 2, 3], size, p=[0.35, 0.10, 0.55])
    rotations = dice.integers(0, 3, size)
    lower = dice.choice((6, 6, 6, 7, 8), size).astype(float)
    upper = dice.choice([10, 13, 16, 20, 25, 32], size, p=[0.05, 0.1, 0.45, 0.05, 0.05, 0.3])
    upper = upper.astype(float)
    settled = dice.random(size) < 0.4
    for car in np.flatnonzero(settled):
        upper[car] = round(float(dice.uniform(lower[car], upper[car])), 1)
    upper = np.maximum(upper, lower)
    wanting = dice.random(size) < 0.85
    ranks = dice.permutation(size)
    leaves = -(-size // LEAF_SOCKETS)
    mids = -(-leaves // MID_LEAVES)
    parents = {f"leaf {leaf}": f"mid {leaf // MID_LEAVES}" for leaf in range(leaves)}
    parents |= {f"mid {mid}": ROOT for mid in range(mids)}
    participants = [
        Participant(
            id=f"{car:05}",
            group=f"leaf {car // LEAF_SOCKETS}",
            rotation=ROTATIONS[rotations[car]],
            phases=PHASES[int(kinds[car])],
            demand=Demand.CHARGING if wanting[car] else Demand.NONE,
            minimum_a=float(lower[car]),
            maximum_a=float(upper[car]),
            rank=float(ranks[car]),
        )
        for car in range(size)
    ]
    names = [ROOT, *parents]
    wanted = dict.fromkeys(names, np.zeros(3))
    for one in participants:
        if one.demand is Demand.CHARGING:
            loaded = np.zeros(3)
            loaded[[phase - 1 for phase in one.loads()]] = one.maximum_a
            for name in _upwards(one.group, parents):
                wanted[name] = wanted[name] + loaded
    factors = tightness * np.exp(dice.normal(0, 0.35, (len(names), 3)))
    factors[0] = 0.8 * tightness * np.exp(dice.normal(0, 0.1, 3))
    limits = {
        name: PerPhase(*np.maximum(10.0, np.round(wanted[name] * np.minimum(row, 1.2))).tolist())
        for name, row in zip(names, factors, strict=True)
    }
    groups = [Group(name, limits[name], parent) for name, parent in parents.items()]
    return Instance(Topology(groups), limits[ROOT], participants)


def _upwards(group: str, parents: dict[str, str]) -> list[str]:
    line = [group]
    while line[-1] != ROOT:
        line.append(parents[line[-1]])
    return line


def linear_program(group: Instance) -> Callable[[], None]:
    """The program, built anew and solved at each call: maximise the sum of phase currents."""
    cars = [one for one in group.participants if one.demand is Demand.CHARGING]
    crossed = [group.topology.crossed(one.group, one.loads()) for one in cars]
    capacity = group.topology.capacities(group.root_limit_a)
    starts = np.cumsum([0, *(len(links) for links in crossed[:-1])]).astype(np.int32)
    index = np.concatenate([np.asarray(links, dtype=np.int32) for links in crossed])
    program = highspy.HighsLp()
    program.num_col_ = len(cars)
    program.num_row_ = len(capacity)
    program.col_cost_ = np.array([-float(len(one.loads())) for one in cars])
    program.col_lower_ = np.zeros(len(cars))
    program.col_upper_ = np.array([one.upper_a for one in cars])
    program.row_lower_ = np.full(len(capacity), -highspy.kHighsInf)
    program.row_upper_ = np.array(capacity)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.append(starts, len(index)).astype(np.int32)
    program.a_matrix_.index_ = index
    program.a_matrix_.value_ = np.ones(len(index))

    def solve() -> None:
        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # the library has no types
        solver.setOptionValue("output_flag", False)
        solver.passModel(program)
        solver.run()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal

    return solve


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1000 * min(times)


def core(group: Instance) -> Callable[[], None]:
    """Admission and filling alone, on lists made beforehand."""
    cars = [one for one in group.participants if one.demand is Demand.CHARGING]
    cars.sort(key=entitlement)
    lower = [one.lower_a for one in cars]
    upper = [one.upper_a for one in cars]
    crossed = [group.topology.crossed(one.group, one.loads()) for one in cars]
    capacity = group.topology.capacities(group.root_limit_a)

    def run() -> None:
        refused = admit(capacity, range(len(cars)), lower, crossed)
        left = [car for car in range(len(cars)) if car not in refused]
        fill(
            capacity,
            [lower[car] for car in left],
            [upper[car] for car in left],
            [crossed[car] for car in left],
        )

    return run


def whole(group: Instance, imbalance: Imbalance | None = None) -> Callable[[], object]:
    """Snapshots in, grants with reasons out."""
    return lambda: allocate(
        group.topology, group.root_limit_a, group.participants, imbalance=imbalance
    )


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print a line for each size."""
    say = sys.stdout.write
    say("B1: one allocation in ms, pure Python. core: admission and filling; whole: snapshots to\n")
    say("grants with reasons; 20 A: with current imbalance; LP: HiGHS, highest total only\n")
    say(f"{'N':>6} {'links':>6} {'core':>9} {'whole':>9} {'LP':>9} {'core/LP':>8} {'20 A':>9}\n")
    for size in sizes:
        group = instance(size)
        repeats = 5 if size >= 10_000 else 20
        core_ms = best_ms(core(group), repeats)
        whole_ms = best_ms(whole(group), repeats)
        program_ms = best_ms(linear_program(group), repeats)
        balanced_ms = best_ms(whole(group, Imbalance(20.0)), 1 if size >= 1000 else 3)
        say(
            f"{size:>6} {len(group.topology.links):>6} {core_ms:>9.3f} {whole_ms:>9.3f}"
            f" {program_ms:>9.3f} {core_ms / program_ms:>8.2f} {balanced_ms:>9.1f}\n"
        )


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
