"""Current imbalance: the difference between two grid phases has a limit (manual 7.4).

Unlike the limit of a sum, the limit of a difference is not always respected by giving less:
refusing a car can unbalance the others. So links and differences are one set of linear constraints,
and admission looks ahead. Cars with the same links are one *cell*; whether a point exists depends
only on the sums of the cells.

When the other loads of the site alone exceed the limit, cars on the high phase get nothing unless
the others reduce the difference below it; cars on the low phases charge as usual, and no car gets
current only for balancing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from borne.domain.load_management.feasibility import BoundedRows, Conflict
from borne.domain.load_management.filling import Bottleneck
from borne.domain.load_management.topology import GridPhase
from borne.foundation.units import ZERO, PerPhase

PAIRS = (
    (GridPhase.N1, GridPhase.N2),
    (GridPhase.N1, GridPhase.N3),
    (GridPhase.N2, GridPhase.N3),
)
DIRECTED_PAIRS = (*PAIRS, *(pair[::-1] for pair in PAIRS))


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Allowed difference between two grid phases, in amps, and the present imbalance of other
    loads."""

    limit_a: float
    base_a: PerPhase = ZERO

    def headroom_a(self, high: GridPhase, low: GridPhase) -> float:
        """How far the participants may raise `high` above `low`; negative: the other loads of the
        site alone exceed the limit."""
        return self.limit_a - (self.base_a[high - 1] - self.base_a[low - 1])

    def broken(
        self, cars: Iterable[Car], amps: Iterable[float], tolerance_a: float = 1e-6
    ) -> tuple[GridPhase, GridPhase] | None:
        """Return the first pair (high, low) beyond the limit to which one of the cars adds."""
        sums = by_phases(cars, amps)
        return self.broken_by(on_each_phase(sums), sums, tolerance_a)

    def broken_by(
        self,
        added: Sequence[float],
        used: Iterable[frozenset[GridPhase]],
        tolerance_a: float = 1e-6,
    ) -> tuple[GridPhase, GridPhase] | None:
        """Like `broken`, from the cars' sums on each phase and the sets of phases that they
        load."""
        sets = list(used)
        for high, low in DIRECTED_PAIRS:
            if added[high - 1] - added[low - 1] > self.headroom_a(high, low) + tolerance_a and any(
                high in phases and low not in phases for phases in sets
            ):
                return high, low
        return None


@dataclass(frozen=True, slots=True)
class Car:
    """A participant that wants current, with the data that the constraints need."""

    lower_a: float
    upper_a: float
    crossed: tuple[int, ...]
    phases: frozenset[GridPhase]
    priority: int = 0
    needed_a: float | None = None
    """What it needs to be ready in time, which comes first."""

    def adds_to_difference(self, high: GridPhase, low: GridPhase) -> bool:
        """True if it loads `high` and not `low`."""
        return high in self.phases and low not in self.phases


def by_phases(cars: Iterable[Car], amps: Iterable[float]) -> dict[frozenset[GridPhase], float]:
    """Return the sum of the currents of all cars that load the same phases."""
    sums: dict[frozenset[GridPhase], float] = {}
    for car, current in zip(cars, amps, strict=True):
        sums[car.phases] = sums.get(car.phases, 0.0) + current
    return sums


def on_each_phase(sums: Mapping[frozenset[GridPhase], float]) -> list[float]:
    """Return the current of each grid phase."""
    return [
        sum(current for phases, current in sums.items() if phase in phases) for phase in GridPhase
    ]


class Constraints:
    """Links and phase differences as constraints on the sums of cells."""

    def __init__(
        self, capacity: Sequence[float], imbalance: Imbalance, cars: Sequence[Car]
    ) -> None:
        self.cars = cars
        self.imbalance = imbalance
        self.cells = list(dict.fromkeys(car.crossed for car in cars))
        numbers = {crossed: number for number, crossed in enumerate(self.cells)}
        self.cell_of = [numbers[car.crossed] for car in cars]
        self._phases = {car.crossed: car.phases for car in cars}
        self._links = self._links_that_can_bind(capacity)
        rows = [self._sum(link) for link in self._links]
        rows += [self._difference(*pair) for pair in PAIRS]
        self._rows = BoundedRows(len(self.cells), rows)
        for n, link in enumerate(self._links, start=len(self.cells)):
            self._rows.set_bounds(n, -inf, max(0.0, capacity[link]))

    @property
    def size(self) -> int:
        """Entries of the tableau: the work of one step of the solver."""
        return len(self.cells) * (len(self._links) + len(PAIRS))

    def _links_that_can_bind(self, capacity: Sequence[float]) -> list[int]:
        demand = [0.0] * len(capacity)
        for car in self.cars:
            for link in car.crossed:
                demand[link] += car.upper_a
        return [link for link, amps in enumerate(demand) if amps > capacity[link]]

    def _sum(self, link: int) -> dict[int, float]:
        return {n: 1.0 for n, crossed in enumerate(self.cells) if link in crossed}

    def _difference(self, one: GridPhase, other: GridPhase) -> dict[int, float]:
        sides = [self._phases[crossed] for crossed in self.cells]
        return {n: float((one in used) - (other in used)) for n, used in enumerate(sides)}

    def check(
        self, lower: Sequence[float], upper: Sequence[float], admitted: Iterable[int]
    ) -> Conflict | None:
        """Find sums within the cells' bounds that respect all constraints, or return the conflict.

        A difference that the other loads alone exceed counts only when an admitted car adds to it.
        """
        for n, (least, most) in enumerate(zip(lower, upper, strict=True)):
            self._rows.set_bounds(n, max(0.0, least), max(0.0, most))
        first = len(self.cells) + len(self._links)
        admitted_cars = [self.cars[car] for car in admitted] if self._base_exceeds() else []
        for n, (one, other) in enumerate(PAIRS, start=first):
            self._rows.set_bounds(
                n, -self._room(other, one, admitted_cars), self._room(one, other, admitted_cars)
            )
        return self._rows.solve()

    def excess(self, conflict: Conflict, lower: Sequence[float], upper: Sequence[float]) -> float:
        """Return by how much the conflict forbids these bounds of the cells; at most 0: not at
        all."""
        total = 0.0
        for variable, factor in conflict.terms:
            if variable < len(self.cells):
                total += factor * (lower if factor > 0 else upper)[variable]
            else:
                row = self._rows.lower if factor > 0 else self._rows.upper
                total += factor * row[variable]
        return total

    def point(self) -> list[float]:
        """Return the sums of the cells that the last successful check found."""
        return self._rows.value[: len(self.cells)]

    def _base_exceeds(self) -> bool:
        return any(self.imbalance.headroom_a(high, low) < 0 for high, low in DIRECTED_PAIRS)

    def _room(self, high: GridPhase, low: GridPhase, admitted: Sequence[Car]) -> float:
        room = self.imbalance.headroom_a(high, low)
        if room < 0 and not any(car.adds_to_difference(high, low) for car in admitted):
            return inf
        return room

    def cause(self, conflict: Conflict, cell: int) -> Bottleneck:
        """Return the constraint given as the reason: a difference in the conflict, else a link of
        the cell."""
        found: int | None = None
        for variable, factor in conflict.terms:
            row = variable - len(self.cells)
            if row >= len(self._links):
                one, other = PAIRS[row - len(self._links)]
                return Bottleneck(pair=(one, other) if factor < 0 else (other, one))
            if row >= 0 and (found is None or self._links[row] in self.cells[cell]):
                found = self._links[row]
        return Bottleneck(link=found)


def admit_balanced(constraints: Constraints, order: Sequence[int]) -> dict[int, Bottleneck]:
    """Return the refused cars; the others are the lexicographically best feasible set in `order`.

    Depth first with a look-ahead: undecided cars may draw anything up to their upper bound. After
    many steps it settles for a set that is feasible after every single decision.
    """
    refused = _Admission(constraints, order).best()
    return _Admission(constraints, order).greedy() if refused is None else refused


class _Admission:
    """One run through the order of entitlement."""

    def __init__(self, constraints: Constraints, order: Sequence[int]) -> None:
        self.constraints = constraints
        self.order = order
        self.lower = [0.0] * len(constraints.cells)
        self.upper = [0.0] * len(constraints.cells)
        self.admitted: set[int] = set()
        self.refused: dict[int, Bottleneck] = {}

    def best(self) -> dict[int, Bottleneck] | None:
        for car in self.order:
            self._allow(car, 1)
        position = 0
        for _ in range(200 + 4 * len(self.order)):
            if not 0 <= position < len(self.order):
                return self.refused if position >= 0 else None
            car = self.order[position]
            if car not in self.refused:
                self._admit(car)
            conflict = self._check()
            position = position + 1 if conflict is None else self._back(position, conflict)
        return None

    def greedy(self) -> dict[int, Bottleneck]:
        for car in self.order:
            self._allow(car, 1)
            self._admit(car)
            conflict = self._check()
            if conflict is not None:
                self._withdraw(car)
                self._refuse(car, conflict)
        return self.refused

    def _back(self, position: int, conflict: Conflict) -> int:
        """Undo the last admission and all refusals after it, and refuse that car."""
        while position >= 0 and (car := self.order[position]) in self.refused:
            self._allow(car, 1)
            del self.refused[car]
            position -= 1
        if position >= 0:
            self._withdraw(self.order[position])
            self._refuse(self.order[position], conflict)
        return position

    def _allow(self, car: int, sign: int) -> None:
        self.upper[self.constraints.cell_of[car]] += sign * self.constraints.cars[car].upper_a

    def _admit(self, car: int) -> None:
        self.lower[self.constraints.cell_of[car]] += self.constraints.cars[car].lower_a
        self.admitted.add(car)

    def _withdraw(self, car: int) -> None:
        self.lower[self.constraints.cell_of[car]] -= self.constraints.cars[car].lower_a
        self.admitted.discard(car)

    def _refuse(self, car: int, conflict: Conflict) -> None:
        self._allow(car, -1)
        self.refused[car] = self.constraints.cause(conflict, self.constraints.cell_of[car])

    def _check(self) -> Conflict | None:
        return self.constraints.check(self.lower, self.upper, self.admitted)
