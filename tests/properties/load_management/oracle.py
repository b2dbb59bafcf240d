"""What the allocator must answer, found the slow way.

Admission: every subset in lexicographic order until a linear program has a point. Levels: linear
programs, one for each level and one for each car, with HiGHS (through scipy). Nothing of the
product's algorithms is used, only its snapshots and its topology.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from scipy.optimize import linprog

from borne.domain.load_management.imbalance import DIRECTED_PAIRS, Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.topology import GridPhase, Topology
from borne.foundation.units import PerPhase

NEAR_A = 1e-7


@dataclass
class Problem:
    """The polytope of one set of wanting participants."""

    topology: Topology
    root_limit_a: PerPhase
    cars: Sequence[Participant]
    imbalance: Imbalance | None = None
    it_network: bool = False
    reserved: Sequence[Participant] = ()
    rows: list[list[float]] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        capacity = self.topology.capacities(self.root_limit_a)
        for one in self.reserved:
            assert one.reserved_a is not None
            for link in self._crossed(one):
                capacity[link] -= one.reserved_a
        self.base = [
            sum(one.reserved_a or 0.0 for one in self.reserved if phase in self.phases(one))
            for phase in GridPhase
        ]
        for link, limit in enumerate(capacity):
            self.rows.append([float(link in self._crossed(one)) for one in self.cars])
            self.limits.append(max(0.0, limit))

    def phases(self, one: Participant) -> frozenset[GridPhase]:
        return one.loads(it_network=self.it_network)

    def _crossed(self, one: Participant) -> tuple[int, ...]:
        return self.topology.crossed(one.group, self.phases(one))

    def _constraints(self, admitted: Iterable[int]) -> tuple[list[list[float]], list[float]]:
        rows, limits = list(self.rows), list(self.limits)
        if self.imbalance is None:
            return rows, limits
        chosen = [self.phases(self.cars[car]) for car in admitted]
        for high, low in DIRECTED_PAIRS:
            base = self.base[high - 1] - self.base[low - 1]
            room = self.imbalance.headroom_a(high, low) - base
            if room < 0 and not any(high in used and low not in used for used in chosen):
                continue
            rows.append(
                [float((high in self.phases(one)) - (low in self.phases(one))) for one in self.cars]
            )
            limits.append(room)
        return rows, limits

    def solve(
        self,
        admitted: Iterable[int],
        bounds: Sequence[tuple[float, float]],
        goal: Sequence[float],
        level_of: Sequence[int] = (),
    ) -> tuple[float, list[float]] | None:
        """Maximise goal x + t, where x of `level_of` is at least t; None: there is no point."""
        rows, limits = self._constraints(admitted)
        with_level = [[*row, 0.0] for row in rows]
        with_level += [
            [*(-float(car == other) for other in range(len(self.cars))), 1.0] for car in level_of
        ]
        top = max((most for _, most in bounds), default=0.0)
        level_bounds = (0.0, top) if level_of else (0.0, 0.0)
        result = linprog(
            [-factor for factor in (*goal, 1.0)],
            A_ub=with_level or None,
            b_ub=[*limits, *(0.0 for _ in level_of)] if with_level else None,
            bounds=[*bounds, level_bounds],
            method="highs",
            options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
        )
        return (-result.fun, list(result.x)) if result.status == 0 else None

    # Admission ------------------------------------------------------------------------------

    def best_set(self) -> list[int]:
        """The lexicographically best feasible set, cars being in the order of entitlement."""
        for bits in product((1, 0), repeat=len(self.cars)):
            bounds = [
                (one.lower_a, max(one.lower_a, one.upper_a)) if bit else (0.0, 0.0)
                for bit, one in zip(bits, self.cars, strict=True)
            ]
            admitted = [car for car, bit in enumerate(bits) if bit]
            if self.solve(admitted, bounds, [0.0] * len(bits)) is not None:
                return admitted
        raise AssertionError("not even the empty set is feasible")

    # Claims ---------------------------------------------------------------------------------

    def claims(self) -> dict[int, float]:
        """What each admitted car has for itself when needs are known: one after the other, by class
        and in the order of entitlement, as much of its need as fits, or of the part of the needs
        that its tightest link can carry."""
        least = {car: self.cars[car].lower_a for car in self.best_set()}
        held: dict[int, float] = {}
        for priority in sorted({one.priority for one in self.cars}, reverse=True):
            own = [car for car, one in enumerate(self.cars) if one.priority == priority]
            below = {car: amps for car, amps in least.items() if self.cars[car].priority < priority}
            needs = {
                car: min(self.cars[car].needed_a or 0.0, self.cars[car].upper_a) for car in own
            }
            room = [
                limit - sum(row[car] * amps for car, amps in {**held, **below}.items())
                for row, limit in zip(self.rows, self.limits, strict=True)
            ]
            for car in own:
                most = self._highest(car, {**held, **below})
                if most < self.cars[car].lower_a - 1e-9:
                    continue
                parts = [1.0]
                for row, left in zip(self.rows, room, strict=True):
                    total = sum(row[other] * amps for other, amps in needs.items())
                    if row[car] and total > left:
                        parts.append(left / total)
                wanted = needs[car] * min(parts)
                held[car] = max(self.cars[car].lower_a, min(wanted, most))
        return held

    def _highest(self, car: int, held: Mapping[int, float]) -> float:
        """The highest current of a car beside others with fixed ones."""
        bounds = [(held.get(other, 0.0), held.get(other, 0.0)) for other in range(len(self.cars))]
        bounds[car] = (0.0, 1000.0)
        found = self.solve(held, bounds, [float(other == car) for other in range(len(bounds))])
        return 0.0 if found is None else found[0]

    # Levels ---------------------------------------------------------------------------------

    def levels(self, least: Mapping[int, float]) -> list[float]:
        """Lexicographic max-min, class by class, and in a class first up to what is needed."""
        bounds = [
            (least[car], max(least[car], one.upper_a)) if car in least else (0.0, 0.0)
            for car, one in enumerate(self.cars)
        ]
        known = any(one.needed_a is not None for one in self.cars)
        for priority in sorted({self.cars[car].priority for car in least}, reverse=True):
            own = [car for car in least if self.cars[car].priority == priority]
            if known:
                upper = [high for _, high in bounds]
                for car in own:
                    needed_a = self.cars[car].needed_a
                    first_a = upper[car] if needed_a is None else min(upper[car], needed_a)
                    bounds[car] = bounds[car][0], max(bounds[car][0], first_a)
                self._level(least, bounds, own)
                for car in own:
                    bounds[car] = bounds[car][0], upper[car]
            self._level(least, bounds, own)
        return [low for low, _ in bounds]

    def _level(
        self, admitted: Collection[int], bounds: list[tuple[float, float]], own: Sequence[int]
    ) -> None:
        """Raise the lower bounds of some cars to their levels."""
        free = list(own)
        while free:
            found = self.solve(admitted, bounds, [0.0] * len(bounds), free)
            assert found is not None
            level = found[0]
            floor = [
                (max(low, min(level, high)), high) if car in free else (low, high)
                for car, (low, high) in enumerate(bounds)
            ]
            fixed = [car for car in free if self._max_level(admitted, floor, car) <= level + 1e-5]
            assert fixed
            for car in fixed:
                bounds[car] = (floor[car][0], floor[car][0])
            free = [car for car in free if car not in fixed]

    def _max_level(
        self, admitted: Collection[int], bounds: Sequence[tuple[float, float]], car: int
    ) -> float:
        eased = [
            (max(0.0, low - NEAR_A), high) if other != car else (low, high)
            for other, (low, high) in enumerate(bounds)
        ]
        goal = [float(other == car) for other in range(len(bounds))]
        found = self.solve(admitted, eased, goal)
        assert found is not None
        return found[0]


def expected(
    topology: Topology,
    root_limit_a: PerPhase,
    participants: Iterable[Participant],
    imbalance: Imbalance | None = None,
    *,
    it_network: bool = False,
) -> Mapping[str, float]:
    """Amps by id, without wake-ups."""
    ordered = sorted(participants, key=lambda one: (-one.priority, one.rank, one.id))
    answer = {one.id: one.reserved_a or 0.0 for one in ordered}
    cars = [
        one
        for one in ordered
        if one.reserved_a is None
        and one.demand is Demand.CHARGING
        and one.upper_a >= one.lower_a - 1e-9
    ]
    reserved = [one for one in ordered if one.reserved_a is not None]
    problem = Problem(topology, root_limit_a, cars, imbalance, it_network, reserved)
    if imbalance is None and any(one.needed_a is not None for one in cars):
        least = problem.claims()
    else:
        least = {car: cars[car].lower_a for car in problem.best_set()}
    levels = problem.levels(least)
    answer.update({one.id: amps for one, amps in zip(cars, levels, strict=True)})
    return answer
