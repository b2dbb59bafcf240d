"""B5: a day at a workplace, against the linear program that knows the whole day beforehand.

Sixty cars at sixty sockets, twenty below each of three sub-distributions. The plan of the product
decides at every event and every five minutes; all setpoints and cars obey at once. The program may
give any current, also below the minimum, and knows who comes later.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import inf
from time import process_time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.group import GroupSnapshot, GroupState, plan
from borne.domain.load_management.participant import Participant
from borne.domain.load_management.phases import PhaseDetection
from borne.domain.load_management.quantise import quantise
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.socket_memory import SocketFacts, SocketMemory
from borne.domain.load_management.topology import (
    Group,
    Rotation,
    SocketPhase,
    Topology,
    loaded_phases,
)
from borne.foundation.units import PerPhase

STEP_S = 300
STEPS = 288
LINE_V = 230.0
GROUP_SIZE = 20
ROTATIONS = (Rotation.RST, Rotation.STR, Rotation.TRS)
KINDS = ((1, 32.0), (1, 16.0), (2, 16.0), (3, 16.0), (3, 32.0))
KIND_SHARES = (0.2, 0.1, 0.1, 0.45, 0.15)
LIMITS_A = (25, 40, 63, 80, 100, 125)
SEEDS = (0, 1, 2, 3)
ENOUGH_WH = 0.01


@dataclass(frozen=True)
class Visit:
    """One car, from its arrival to its departure, in steps of the day."""

    name: str
    group: str
    rotation: Rotation
    phases: int
    maximum_a: float
    arrives: int
    departs: int
    energy_wh: float

    @property
    def watts_per_a(self) -> float:
        return self.phases * LINE_V


def visits(seed: int, count: int = 60) -> list[Visit]:
    """The cars of a day; the order in which they are drawn is part of the benchmark."""
    dice = np.random.default_rng([2026, seed])
    kinds = dice.choice(len(KINDS), count, p=KIND_SHARES)
    mornings = dice.random(count) < 0.75
    arrival_h = np.where(mornings, dice.normal(8.5, 1, count), dice.normal(13, 2, count))
    arrival_h = np.clip(arrival_h, 0, 22)
    stay_h = np.clip(dice.normal(6, 2.2, count), 0.75, 11)
    energy_kwh = np.clip(dice.lognormal(np.log(11), 0.6, count), 2, 55)
    found = []
    for car in range(count):
        phases, maximum_a = KINDS[kinds[car]]
        full_kw = phases * maximum_a * LINE_V / 1000
        hours = STEP_S / 3600
        found.append(
            Visit(
                name=f"car {car:03}",
                group=f"group {1 + car // GROUP_SIZE}",
                rotation=ROTATIONS[car % 3],
                phases=phases,
                maximum_a=maximum_a,
                arrives=int(np.ceil(arrival_h[car] / hours)),
                departs=min(STEPS, int((arrival_h[car] + stay_h[car]) / hours)),
                energy_wh=1000 * min(energy_kwh[car], 0.95 * full_kw * stay_h[car]),
            )
        )
    return found


def supply(cars: Iterable[Visit], limit_a: float) -> SharedSupply:
    """The root with its limit, and half of it for each sub-distribution."""
    names = sorted({car.group for car in cars})
    groups = [Group(name, PerPhase.same(limit_a / 2)) for name in names]
    return SharedSupply(PerPhase.same(limit_a), Topology(groups))


def links_of(car: Visit, topology: Topology) -> tuple[int, ...]:
    used = list(SocketPhase)[: car.phases]
    return topology.crossed(car.group, loaded_phases(car.rotation, used))


def bound_wh(cars: list[Visit], limit_a: float) -> float:
    """The energy that a planner could deliver who knows the whole day."""
    shared = supply(cars, limit_a)
    capacity = shared.capacities()
    step_h = STEP_S / 3600
    rows: list[int] = []
    columns: list[int] = []
    factors: list[float] = []
    gain: list[float] = []
    most: list[float] = []
    for number, car in enumerate(cars):
        links = links_of(car, shared.topology)
        wh_per_a = car.watts_per_a * step_h
        for step in range(car.arrives, car.departs):
            column = len(gain)
            for link in links:
                rows.append(step * len(capacity) + link)
                columns.append(column)
                factors.append(1.0)
            rows.append(STEPS * len(capacity) + number)
            columns.append(column)
            factors.append(wh_per_a)
            gain.append(-wh_per_a)
            most.append(car.maximum_a)
    limits = capacity * STEPS + [car.energy_wh for car in cars]
    matrix = coo_matrix((factors, (rows, columns)), shape=(len(limits), len(gain)))
    result = linprog(
        gain, A_ub=matrix.tocsr(), b_ub=limits, bounds=[(0, one) for one in most], method="highs"
    )
    assert result.status == 0
    return float(-result.fun)


@dataclass
class Outcome:
    """What a day gave."""

    delivered_wh: dict[str, float]
    wanted_wh: dict[str, float]
    starts: int = 0
    over_s: float = 0.0
    """Time in which some link carried more than its limit."""
    plans: int = 0

    @property
    def total_wh(self) -> float:
        return sum(self.delivered_wh.values())

    @property
    def fractions(self) -> list[float]:
        """Delivered of wanted energy, the worst first."""
        return sorted(self.delivered_wh[name] / wh for name, wh in self.wanted_wh.items())

    @property
    def tenth(self) -> float:
        """The fraction that nine of ten cars reach at least."""
        return float(np.quantile(self.fractions, 0.1))


@dataclass
class Day:
    """A simulated day of the product's plan."""

    cars: list[Visit]
    limit_a: float
    departures_known: bool
    phases_known: bool = False
    """As soon as a car is plugged in; else they are found while it charges."""
    period_s: float = STEP_S
    state: GroupState = field(default_factory=GroupState)
    offers_a: dict[str, float] = field(default_factory=dict)
    left_wh: dict[str, float] = field(default_factory=dict)
    drawing: set[str] = field(default_factory=set)

    def run(self) -> Outcome:
        self.supply = supply(self.cars, self.limit_a)
        self.links = {car.name: links_of(car, self.supply.topology) for car in self.cars}
        self.left_wh = {car.name: car.energy_wh for car in self.cars}
        self.result = Outcome({}, dict(self.left_wh))
        changes = {STEP_S * step for car in self.cars for step in (car.arrives, car.departs)}
        changes |= {int(number * self.period_s) for number in range(int(86400 / self.period_s))}
        times = sorted(changes)
        now_s, place = 0.0, 0
        while place < len(times):
            due_s = self._plan(now_s)
            while place < len(times) and times[place] <= now_s:
                place += 1
            if place == len(times):
                break
            next_s = min(times[place], due_s, self._full_s(now_s))
            self._charge(now_s, next_s)
            now_s = next_s
        for car in self.cars:
            self.result.delivered_wh[car.name] = car.energy_wh - self.left_wh[car.name]
        return self.result

    def _present(self, now_s: float) -> list[Visit]:
        return [car for car in self.cars if car.arrives * STEP_S <= now_s < car.departs * STEP_S]

    def _drawn_a(self, car: Visit) -> float:
        if self.left_wh[car.name] <= ENOUGH_WH:
            return 0.0
        return min(self.offers_a.get(car.name, 0.0), car.maximum_a)

    def _plan(self, now_s: float) -> float:
        present = self._present(now_s)
        names = {car.name for car in present}
        self.offers_a = {name: amps for name, amps in self.offers_a.items() if name in names}
        facts = tuple(self._facts(car, now_s) for car in present)
        if self.phases_known:
            self.state = replace(self.state, sockets=self._with_phases(present))
        snapshot = GroupSnapshot(sockets=facts, supply=self.supply, minimum_a=6.0, now_s=now_s)
        found = plan(self.state, snapshot)
        self.state = found.state
        self.offers_a = {name: grant.amps for name, grant in found.grants.items()}
        self.result.plans += 1
        return inf if found.due_s is None else max(found.due_s, now_s + 0.001)

    def _with_phases(self, present: list[Visit]) -> dict[str, SocketMemory]:
        return {
            car.name: replace(
                self.state.memory(car.name),
                phases=PhaseDetection(used=frozenset(list(SocketPhase)[: car.phases])),
            )
            for car in present
        }

    def _facts(self, car: Visit, now_s: float) -> SocketFacts:
        amps = self._drawn_a(car)
        asking = self.left_wh[car.name] > ENOUGH_WH
        facts = SocketFacts(
            participant=car.name,
            group=car.group,
            wants=True,
            asking=asking,
            closed=amps > 0,
            live=amps > 0,
            measured_a=PerPhase(*(amps if number < car.phases else 0.0 for number in range(3))),
            entitled_a=car.maximum_a,
            rotation=car.rotation,
        )
        if not self.departures_known:
            return facts
        return replace(facts, energy_wh=self.left_wh[car.name], departs_s=car.departs * STEP_S)

    def _full_s(self, now_s: float) -> float:
        """When the next car is full."""
        return min(
            (
                now_s + 3600 * self.left_wh[car.name] / (amps * car.watts_per_a) + 0.001
                for car in self._present(now_s)
                if (amps := self._drawn_a(car)) > 0
            ),
            default=inf,
        )

    def _charge(self, now_s: float, until_s: float) -> None:
        used_a = [0.0] * len(self.supply.topology.links)
        drawing = set()
        for car in self._present(now_s):
            amps = self._drawn_a(car)
            if amps > 0:
                drawing.add(car.name)
                wh = amps * car.watts_per_a * (until_s - now_s) / 3600
                self.left_wh[car.name] = max(0.0, self.left_wh[car.name] - wh)
                for link in self.links[car.name]:
                    used_a[link] += amps
        self.result.starts += len(drawing - self.drawing)
        self.drawing = drawing
        limits = self.supply.capacities()
        if any(amps > limit + 1e-6 for amps, limit in zip(used_a, limits, strict=True)):
            self.result.over_s += until_s - now_s


@dataclass(frozen=True)
class Mode:
    """What the plan knows of a car beforehand."""

    name: str
    departures_known: bool
    phases_known: bool


MODES = (
    Mode("departures and phases known", departures_known=True, phases_known=True),
    Mode(
        "departures known, phases found while charging", departures_known=True, phases_known=False
    ),
    Mode("fair rotation in slots of 30 min", departures_known=False, phases_known=False),
)


@dataclass(frozen=True)
class Row:
    """Means over the seeds of one limit."""

    of_bound: float
    tenth: float
    worst: float
    starts: float
    over_s: float

    def text(self) -> str:
        values = (self.of_bound, self.tenth, self.worst, self.starts, self.over_s)
        return "".join(f"{value:>10.3f}" for value in values)


def measure(mode: Mode, limit_a: float, seeds: Iterable[int] = SEEDS) -> Row:
    """Run the days of one limit."""
    found = []
    for seed in seeds:
        cars = visits(seed)
        one = Day(cars, limit_a, mode.departures_known, mode.phases_known).run()
        share = one.total_wh / bound_wh(cars, limit_a)
        found.append((share, one.tenth, one.fractions[0], one.starts / len(cars), one.over_s))
    share, tenth, worst, starts, over_s = (float(one) for one in np.mean(found, axis=0))
    return Row(share, tenth, worst, starts, over_s * len(found))


def whole_amps(cars: list[Visit], limit_a: float) -> Outcome:
    """The day in steps of 1 A, decided every five minutes by allocation and rounding alone, in the
    order of departure."""
    shared = supply(cars, limit_a)
    left_wh = {car.name: car.energy_wh for car in cars}
    for step in range(STEPS):
        present = [
            Participant(
                id=car.name,
                group=car.group,
                rotation=car.rotation,
                phases=frozenset(list(SocketPhase)[: car.phases]),
                maximum_a=car.maximum_a,
                rank=float(car.departs),
            )
            for car in cars
            if car.arrives <= step < car.departs and left_wh[car.name] > ENOUGH_WH
        ]
        snapshot = Snapshot(shared, present)
        amps = quantise(snapshot, allocate(snapshot).amps, 1.0)
        for car in cars:
            wh = amps.get(car.name, 0.0) * car.watts_per_a * STEP_S / 3600
            left_wh[car.name] = max(0.0, left_wh[car.name] - wh)
    wanted = {car.name: car.energy_wh for car in cars}
    return Outcome({name: wh - left_wh[name] for name, wh in wanted.items()}, wanted)


def beside_acn() -> None:
    """Print the day of seed 0 in whole amps, beside acnportal's algorithms."""
    from tests.benchmarks.load_management import acn  # it is installed on demand

    say = sys.stdout.write
    try:
        names = list(acn.algorithms())
    except acn.NotInstalled as error:
        say(f"acnportal could not be installed: {error}\n")
        return
    say("in steps of 1 A, seed 0, of LP\n")
    columns = ("borne EDF", *names)
    say(f"{'A':>6}" + "".join(f"{name:>10}" for name in columns) + "\n")
    cars = visits(0)
    for limit_a in (25, 40, 63):
        bound = bound_wh(cars, limit_a)
        found = [whole_amps(cars, limit_a)]
        found += [acn.day(cars, limit_a, name, whole_amps=True) for name in names]
        say(f"{limit_a:>6}" + "".join(f"{one.total_wh / bound:>10.3f}" for one in found) + "\n")
        sys.stdout.flush()


def main(*, with_acn: bool = True) -> None:
    """Print a line for each limit and mode."""
    say = sys.stdout.write
    say("B5: a day of 60 cars, mean of 4 days. of LP: delivered energy against the program that\n")
    say("knows the whole day; p10: fraction of its energy that nine of ten cars reach.\n")
    names = ("of LP", "p10", "worst", "starts", "over, s")
    for mode in MODES:
        say(f"{mode.name}\n{'A':>6}" + "".join(f"{name:>10}" for name in names) + "\n")
        for limit_a in LIMITS_A:
            say(f"{limit_a:>6}" + measure(mode, limit_a).text() + "\n")
            sys.stdout.flush()
    cars = visits(0, 100)
    began_s = process_time()
    plans = Day(cars, 100.0, departures_known=True).run().plans
    say(f"a day of 100 sockets: {process_time() - began_s:.1f} s of CPU time, {plans} plans\n")
    if with_acn:
        beside_acn()
