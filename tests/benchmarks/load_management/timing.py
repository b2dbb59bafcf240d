"""B1: time of one allocation against one linear program of HiGHS on the same group.

The program is the cheapest that HiGHS can be asked: highest total current, no minimum, no
fairness. Absolute figures depend on the machine, the ratio less so.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import thread_time

import highspy
import numpy as np

from borne.domain.load_management import filling_method
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.cycle import distribute
from borne.domain.load_management.filling import admit, fill
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
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

    supply: SharedSupply
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
    return Instance(SharedSupply(limits[ROOT], Topology(groups)), participants)


def _upwards(group: str, parents: dict[str, str]) -> list[str]:
    line = [group]
    while line[-1] != ROOT:
        line.append(parents[line[-1]])
    return line


def linear_program(group: Instance) -> Callable[[], None]:
    """The program, built anew and solved at each call: maximise the sum of phase currents."""
    cars = [one for one in group.participants if one.demand is Demand.CHARGING]
    crossed = [group.supply.topology.crossed(one.group, one.loads()) for one in cars]
    capacity = group.supply.capacities()
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


def best_ms(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """The least CPU time of each, in milliseconds; they take turns, so that a busy machine
    disturbs all alike. As in `timeit` no garbage is collected meanwhile."""
    best = [float("inf")] * len(works)
    gc.collect()
    gc.disable()
    for _ in range(repeats):
        for number, work in enumerate(works):
            start = thread_time()
            work()
            best[number] = min(best[number], 1000 * (thread_time() - start))
    gc.enable()
    return best


def core(group: Instance) -> Callable[[], object]:
    """Admission and filling alone, in plain Python, on lists made beforehand."""
    order = Snapshot(group.supply, group.participants).order
    wanting = [
        place for place, one in enumerate(order.participants) if one.demand is Demand.CHARGING
    ]
    cars = [order.participants[place] for place in wanting]
    crossed = [order.crossed(place) for place in wanting]
    lower, upper = [one.lower_a for one in cars], [one.upper_a for one in cars]
    capacity = group.supply.capacities()

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


def currents(group: Instance) -> Callable[[], object]:
    """A new snapshot in, everybody's current out."""
    return lambda: allocate(Snapshot(group.supply, group.participants)).amps


def reasons(group: Instance) -> Callable[[], object]:
    """A new snapshot in, everybody's current and reason out."""
    return lambda: allocate(Snapshot(group.supply, group.participants)).reasons


def cycle(group: Instance) -> Callable[[], object]:
    """A whole cycle: allocation, rounding, the safe step, reasons."""
    return lambda: distribute(Snapshot(group.supply, group.participants))


def without_numpy(work: Callable[[], object]) -> Callable[[], object]:
    """The same in plain Python."""

    def run() -> object:
        kept = filling_method.ARRAYS_FROM
        filling_method.ARRAYS_FROM = sys.maxsize
        try:
            return work()
        finally:
            filling_method.ARRAYS_FROM = kept

    return run


def balanced(group: Instance) -> Instance:
    """The same with a current imbalance of at most 20 A."""
    return replace(group, supply=replace(group.supply, imbalance=Imbalance(20.0)))


def acn_ms(size: int) -> dict[str, float]:
    """CPU time of one decision of each of acnportal's algorithms; empty where that takes hours or
    acnportal is not there."""
    from tests.benchmarks.load_management import acn  # it is installed on demand

    if size > acn.LONGEST_SIZE:
        return {}
    try:
        works = acn.schedules(instance(size))
    except acn.NotInstalled as error:
        sys.stdout.write(f"acnportal could not be installed: {error}\n")
        return {}
    return {name: best_ms([work], 1 if size >= 1000 else 3)[0] for name, work in works.items()}


def main(sizes: tuple[int, ...] = SIZES, *, with_acn: bool = True) -> None:
    """Print a line for each size."""
    say = sys.stdout.write
    say("B1: one allocation, ms of CPU time, the least of many; each from a new snapshot.\n")
    say("core: admission and filling, plain Python; amps: all currents; reasons: all currents\n")
    say("and reasons; plain: the same without NumPy; cycle: allocation, rounding, safe step;\n")
    say("20 A: reasons with current imbalance; LP: HiGHS, highest total only, no minimum;\n")
    say("acn: acnportal's algorithms on the same group.\n")
    names = ("core", "amps", "reasons", "plain", "cycle", "20 A", "LP", "amps/LP", "all/LP")
    acn_names = ("acn LLF", "acn EDF", "acn RR") if with_acn else ()
    titles = (*names, *acn_names)
    say(f"{'N':>6} {'links':>6}" + "".join(f"{name:>10}" for name in titles) + "\n")
    for size in sizes:
        group = instance(size)
        values = [*times_ms(group), *(acn_ms(size) if with_acn else {}).values()]
        say(f"{size:>6} {len(group.supply.topology.links):>6}")
        say("".join(f"{value:>10.3f}" for value in values) + "\n")
        sys.stdout.flush()


def times_ms(group: Instance) -> list[float]:
    """All columns of a group but acnportal's."""
    size = len(group.participants)
    works = [
        core(group),
        currents(group),
        reasons(group),
        without_numpy(reasons(group)),
        cycle(group),
    ]
    program = linear_program(group)
    *times, program_ms = best_ms([*works, program], 20 if size >= 10_000 else 100)
    times += best_ms([reasons(balanced(group))], 1 if size >= 1000 else 3)
    return [*times, program_ms, times[1] / program_ms, times[2] / program_ms]
