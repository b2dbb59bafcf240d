"""Methods of other systems, rebuilt from what is published of them, on a tree of links.

They are the ideas, not the programs: WARP's stages 6 to 8, one pass of equal shares, first come
first served with and without an eye for the phases, and equal shares where all stop on shortage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from borne.domain.load_management.filling import admit
from borne.domain.load_management.participant import Demand
from borne.domain.load_management.topology import GRID_PHASES
from tests.benchmarks.load_management.timing import Instance


@dataclass(frozen=True)
class Cars:
    """The cars that want current, in the order of entitlement, and the links."""

    names: list[str]
    lower: list[float]
    upper: list[float]
    crossed: list[tuple[int, ...]]
    groups: list[tuple[int, ...]]
    """Numbers of the groups between each car and the grid."""
    capacity: list[float]

    @classmethod
    def of(cls, group: Instance) -> Cars:
        topology = group.supply.topology
        found = sorted(
            (one for one in group.participants if one.demand is Demand.CHARGING),
            key=lambda one: (one.rank, one.id),
        )
        crossed = [topology.crossed(one.group, one.loads()) for one in found]
        return cls(
            [one.id for one in found],
            [one.lower_a for one in found],
            [one.upper_a for one in found],
            crossed,
            [tuple(sorted({link // 3 for link in own})) for own in crossed],
            group.supply.capacities(),
        )

    def room(self, amps: Sequence[float]) -> list[float]:
        """What is left of every link."""
        left = list(self.capacity)
        for own, current in zip(self.crossed, amps, strict=True):
            for link in own:
                left[link] -= current
        return left

    def admitted(self) -> list[int]:
        refused = admit(self.capacity, range(len(self.names)), self.lower, self.crossed)
        return [car for car in range(len(self.names)) if car not in refused]

    def raise_one_by_one(self, amps: list[float], cars: Sequence[int]) -> list[float]:
        """Give each car in turn all that is left for it."""
        left = self.room(amps)
        for car in cars:
            more = min(self.upper[car] - amps[car], *(left[link] for link in self.crossed[car]))
            if more > 0:
                amps[car] += more
                for link in self.crossed[car]:
                    left[link] -= more
        return amps

    def shares(self, left: Sequence[float], cars: Sequence[int]) -> dict[int, float]:
        """What each has when all cars of each link share it equally."""
        counts = [0] * len(left)
        for car in cars:
            for link in self.crossed[car]:
                counts[link] += 1
        return {car: min(left[link] / counts[link] for link in self.crossed[car]) for car in cars}

    def phase_blind(self) -> list[float]:
        """The limit of every group on its weakest phase."""
        step = len(GRID_PHASES)
        starts = range(0, len(self.capacity), step)
        return [min(self.capacity[start : start + step]) for start in starts]


def warp(cars: Cars) -> list[float]:
    """Minimum for all, then equal shares of what is left, then the rest, three phases first."""
    amps = [0.0] * len(cars.names)
    admitted = cars.admitted()
    for car in admitted:
        amps[car] = cars.lower[car]
    for car, share in cars.shares(cars.room(amps), admitted).items():
        amps[car] = min(cars.upper[car], amps[car] + max(0.0, share))
    return cars.raise_one_by_one(amps, sorted(admitted, key=lambda car: -len(cars.crossed[car])))


def equal_share(cars: Cars) -> list[float]:
    """Equal shares of every link in one pass, not below the minimum; then the rest in order."""
    amps = [0.0] * len(cars.names)
    admitted = cars.admitted()
    for car in admitted:
        amps[car] = cars.lower[car]
    left = cars.room(amps)
    for car, share in cars.shares(cars.capacity, admitted).items():
        more = max(0.0, min(cars.upper[car], share) - amps[car])
        more = min(more, *(left[link] for link in cars.crossed[car]))
        amps[car] += more
        for link in cars.crossed[car]:
            left[link] -= more
    return cars.raise_one_by_one(amps, admitted)


def first_come(cars: Cars) -> list[float]:
    """Each car in turn gets all that its phases have left."""
    amps = [0.0] * len(cars.names)
    left = list(cars.capacity)
    for car, links in enumerate(cars.crossed):
        current = min(cars.upper[car], *(left[link] for link in links))
        if current >= cars.lower[car]:
            amps[car] = current
            for link in links:
                left[link] -= current
    return amps


def first_come_phase_blind(cars: Cars) -> list[float]:
    """The same, every car counting on all three phases."""
    amps = [0.0] * len(cars.names)
    left = cars.phase_blind()
    for car, groups in enumerate(cars.groups):
        current = min(cars.upper[car], *(left[group] for group in groups))
        if current >= cars.lower[car]:
            amps[car] = current
            for group in groups:
                left[group] -= current
    return amps


def equal_phase_blind(cars: Cars) -> list[float]:
    """Equal shares of every group, every car counting on all phases; all of a group stop when the
    share is below a minimum."""
    limits = cars.phase_blind()
    counts = [0] * len(limits)
    for groups in cars.groups:
        for group in groups:
            counts[group] += 1
    shares = [limit / max(1, count) for limit, count in zip(limits, counts, strict=True)]
    stopped = {
        group
        for car, groups in enumerate(cars.groups)
        for group in groups
        if shares[group] < cars.lower[car]
    }
    return [
        0.0 if stopped.intersection(groups) else min(cars.upper[car], *(shares[g] for g in groups))
        for car, groups in enumerate(cars.groups)
    ]


METHODS: dict[str, Callable[[Cars], list[float]]] = {
    "WARP stages 6 to 8": warp,
    "one pass, equal share": equal_share,
    "first come": first_come,
    "first come, phase-blind": first_come_phase_blind,
    "equal, phase-blind, all stop": equal_phase_blind,
}
