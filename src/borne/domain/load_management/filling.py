"""Admission and exact max-min filling of a tree of links.

Max-min fair: no car can get more unless a car with no more than it gets less. With lower and upper
bounds and links that only limit sums, the result is unique (bottleneck condition of Bertsekas and
Gallager). Cars cross every link with coefficient one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from math import inf
from typing import NamedTuple

from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.topology import GridPhase


class Refusal(NamedTuple):
    """The link on which a car's minimum does not fit, and the current left on it."""

    link: int
    left_a: float


def admit(
    capacity: Sequence[float],
    order: Sequence[int],
    lower: Sequence[float],
    crossed: Sequence[Sequence[int]],
) -> dict[int, Refusal]:
    """Return the cars whose minimum does not fit beside those admitted before them in `order`.

    A refused car leaves more on every link, so admitting one after the other gives the
    lexicographically best set.
    """
    left = list(capacity)
    refused: dict[int, Refusal] = {}
    for car in order:
        need = lower[car]
        for link in crossed[car]:
            if left[link] + SLACK_A < need:
                refused[car] = Refusal(link, left[link])
                break
        else:
            for link in crossed[car]:
                left[link] -= need
    return refused


class Bottleneck(NamedTuple):
    """What keeps a car below its upper bound: a link and the number of cars rising on it when it
    was full, or a difference between two grid phases."""

    link: int | None = None
    sharing: int | None = None
    pair: tuple[GridPhase, GridPhase] | None = None
    """The phase that is too high and the one that is too low."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Result of `fill`: amps of each car, and its bottleneck unless it reached its upper bound."""

    amps: list[float]
    bottleneck: list[Bottleneck | None]


Fill = Callable[[Sequence[float]], Filled]
"""Fills a fixed set of cars for given capacities of the links."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """Participants that want current: places in the other columns, which are in the order of
    admission."""

    places: Sequence[int]
    lower: Sequence[float]
    upper: Sequence[float]
    priority: Sequence[int]
    """Empty when all are of one class."""
    cells: Sequence[int]
    """`Topology.cell`."""
    needed: Sequence[float] = ()
    """What each needs to be ready in time, which comes first; empty: not known."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Refused and admitted participants, by place, and the currents of the admitted ones."""

    refused: Mapping[int, Refusal]
    admitted: Sequence[int]
    filled: Filled


def fill(
    capacity: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
) -> Filled:
    """Compute exact max-min levels between `lower` and `upper`; the lower bounds should fit.

    On a link that already exceeds its limit no car rises, and no car is lowered below `lower`.
    O((cars x links of a car + links) log).
    """
    return _WaterFilling(capacity, lower, upper, crossed).run()


def fill_by_class(
    capacity: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    priority: Sequence[int],
    needed: Sequence[float] = (),
) -> Filled:
    """Apply `fill` class by class, the highest first; the minima of lower classes are reserved.
    Within a class, what is needed comes before what is only useful."""
    classes = sorted(set(priority), reverse=True)
    if len(classes) <= 1:
        return fill_needed_first(capacity, lower, upper, crossed, needed)
    left = list(capacity)
    amps = list(lower)
    bottleneck: list[Bottleneck | None] = [None] * len(amps)
    subtract(left, lower, crossed)
    for level in classes:
        cars = [car for car, own in enumerate(priority) if own == level]
        links = [crossed[car] for car in cars]
        floor = [lower[car] for car in cars]
        subtract(left, [-least for least in floor], links)
        first = [needed[car] for car in cars] if needed else ()
        filled = fill_needed_first(left, floor, [upper[car] for car in cars], links, first)
        subtract(left, filled.amps, links)
        for car, current, cause in zip(cars, filled.amps, filled.bottleneck, strict=True):
            amps[car], bottleneck[car] = current, cause
    return Filled(amps, bottleneck)


def fill_needed_first(
    capacity: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    needed: Sequence[float],
) -> Filled:
    """Apply `fill` up to what the cars need, then up to their upper bounds."""
    if needed:
        most = [max(low, min(*pair)) for low, *pair in zip(lower, upper, needed, strict=True)]
        lower = fill(capacity, lower, most, crossed).amps
    return fill(capacity, lower, upper, crossed)


def subtract(left: list[float], amps: Iterable[float], crossed: Iterable[Sequence[int]]) -> None:
    """Subtract the current of each car from all its links."""
    for current, links in zip(amps, crossed, strict=True):
        for link in links:
            left[link] -= current


class _WaterFilling:
    """A common level rises; a car starts to rise with it at its lower bound and stops at its upper
    bound or when one of its links is full. A link is full at the level (capacity - fixed current) /
    (number of rising cars). That key only falls when a car starts, so the heap then gets a new
    entry, and only grows when one stops, so outdated entries are refreshed when they reach the
    top."""

    def __init__(
        self,
        capacity: Sequence[float],
        lower: Sequence[float],
        upper: Sequence[float],
        crossed: Sequence[Sequence[int]],
    ) -> None:
        self.capacity = capacity
        self.lower = lower
        self.upper = upper
        self.crossed = crossed
        self.fixed = [0.0] * len(capacity)
        self.rising = [0] * len(capacity)
        self.members: list[list[int]] = [[] for _ in capacity]
        self.full_at: list[tuple[float, int]] = []
        self.amps = list(lower)
        self.is_rising = [False] * len(lower)
        self.bottleneck: list[Bottleneck | None] = [None] * len(lower)
        fixed, members = self.fixed, self.members
        for car, (least, links) in enumerate(zip(lower, crossed, strict=True)):
            for link in links:
                fixed[link] += least
                members[link].append(car)

    def run(self) -> Filled:
        starts = sorted(range(len(self.lower)), key=self.lower.__getitem__)
        stops = sorted(range(len(self.upper)), key=self.upper.__getitem__)
        started = stopped = 0
        while stopped < len(stops):
            next_start = self.lower[starts[started]] if started < len(starts) else inf
            car = stops[stopped]
            if not self.is_rising[car] and self.lower[car] < next_start:
                stopped += 1
                continue
            next_stop = self.upper[car]
            level, link = self._next_full()
            if level < min(next_start, next_stop):
                self._saturate(link, level)
            elif next_start <= next_stop:
                first = started
                while started < len(starts) and self.lower[starts[started]] == next_start:
                    started += 1
                self._start(next_start, starts[first:started])
            else:
                stopped += 1
                self._freeze(car, next_stop)
        return Filled(self.amps, self.bottleneck)

    def _next_full(self) -> tuple[float, int]:
        heap = self.full_at
        while heap:
            level, link = heap[0]
            if not self.rising[link]:
                heappop(heap)
                continue
            now = (self.capacity[link] - self.fixed[link]) / self.rising[link]
            if now <= level:
                return level, link
            heapreplace(heap, (now, link))
        return inf, -1

    def _start(self, level: float, cars: Sequence[int]) -> None:
        """Start the cars whose lower bound is the level, unless one of their links is full."""
        capacity, fixed, rising = self.capacity, self.fixed, self.rising
        touched: set[int] = set()
        for car in cars:
            if self.upper[car] <= level:
                continue
            links = self.crossed[car]
            for link in links:
                count = rising[link]
                if capacity[link] - fixed[link] - count * level <= SLACK_A * (count + 1):
                    self.bottleneck[car] = Bottleneck(link, count)
                    break
            else:
                self.is_rising[car] = True
                touched.update(links)
                for link in links:
                    fixed[link] -= level
                    rising[link] += 1
        for link in touched:
            key = (self.capacity[link] - self.fixed[link]) / self.rising[link]
            heappush(self.full_at, (key, link))

    def _saturate(self, link: int, level: float) -> None:
        cause = Bottleneck(link, self.rising[link])
        for car in self.members[link]:
            if self.is_rising[car]:
                if self.upper[car] > level + SLACK_A:
                    self.bottleneck[car] = cause
                self._freeze(car, level)

    def _freeze(self, car: int, level: float) -> None:
        self.amps[car] = max(self.lower[car], min(level, self.upper[car]))
        self.is_rising[car] = False
        fixed, rising = self.fixed, self.rising
        for link in self.crossed[car]:
            fixed[link] += level
            rising[link] -= 1
