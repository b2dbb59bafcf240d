"""Admission and max-min filling of large groups, with NumPy; the same answers as `filling`.

All links are raised at once, each as far as it would go alone. A link none of whose cars is held
lower by another link is a *local bottleneck*: its level is final, so its cars are fixed, as are
cars that reached their upper bound. Then the others rise on. A level never falls, and the lowest
one is always a local bottleneck, so that every round fixes somebody: some ten rounds for ten
thousand cars.

How far a link goes alone is found without a search. Between *marks* (a lower bound, where a car
starts to rise, and an upper bound, where it stops) the current of a link grows linearly with its
level; a running sum over its sorted marks tells between which two of them it is full.

`take` with numbers is used instead of indexing with arrays or flags: it is two to three times as
quick, and indexing is most of the work.

NumPy is an optional dependency: only `filling_method` imports this module, when a group needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from borne.domain.load_management.filling import (
    Bottleneck,
    Fill,
    Filled,
    Refusal,
    Solution,
    Wanting,
)
from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.topology import Topology

Amps = NDArray[np.float64]
Numbers = NDArray[np.intp]
Flags = NDArray[np.bool_]

SHORT = np.iinfo(np.int16).max

HIGHEST_A = 1e6
"""An upper bound that is infinite counts as this, so that sums are finite."""


def links_of(topology: Topology, cells: Sequence[int] | Numbers) -> Numbers:
    """Links that each car crosses, a column for each; missing ones are `len(topology.links)`."""
    return _table(topology).take(np.asarray(cells, dtype=np.intp), axis=1)


@lru_cache(maxsize=4)
def _table(topology: Topology) -> Numbers:
    crossed = [topology.links_of(cell) for cell in range(topology.cell_count)]
    return as_columns(crossed, len(topology.links))


def as_columns(crossed: Sequence[Sequence[int]], links: int) -> Numbers:
    """Sequences of links as columns of equal height, filled up with the number `links`."""
    heights = np.array([len(one) for one in crossed], dtype=np.intp)
    height = max(map(len, crossed), default=0)
    columns = np.full((len(crossed), height), links, dtype=np.intp)
    filled = np.arange(height) < heights[:, np.newaxis]
    columns[filled] = np.fromiter(chain.from_iterable(crossed), np.intp, int(heights.sum()))
    return np.ascontiguousarray(columns.T)


def _amps(values: Sequence[float]) -> Amps:
    """As an array; `fromiter` takes half as long as `array`, which looks for nested sequences."""
    return np.fromiter(values, np.float64, len(values))


def _numbers(values: Sequence[int]) -> Numbers:
    return np.fromiter(values, np.intp, len(values))


def totals(links: Numbers, amps: Amps, size: int) -> Amps:
    """The sum on every link; the last entry belongs to the missing ones."""
    if amps.ndim == 1:
        amps = amps[np.newaxis].repeat(len(links), axis=0)
    return np.bincount(links.ravel(), amps.ravel(), size + 1)


def _where(links: Numbers, flags: Flags) -> Numbers:
    """The links that are flagged, row by row."""
    return links.ravel().take(flags.ravel().nonzero()[0])


def solve(topology: Topology, capacity: Sequence[float], cars: Wanting) -> Solution:
    """`filling_method.solve`."""
    places = _numbers(cars.places)
    least, most = _amps(cars.lower).take(places), _amps(cars.upper).take(places)
    links = links_of(topology, _numbers(cars.cells).take(places))
    classes = _numbers(cars.priority)
    classes = classes.take(places) if len(classes) else classes
    refused = admit(capacity, least, links)
    admitted: Sequence[int] = range(len(places))
    if refused:
        stay = np.ones(len(places), dtype=np.bool_)
        stay[list(refused)] = False
        chosen = stay.nonzero()[0]
        least, most = least.take(chosen), most.take(chosen)
        classes = classes.take(chosen) if len(classes) else classes
        links, admitted = links.take(chosen, axis=1), chosen.tolist()
    filled = fill_by_class(capacity, least, _bounded(least, most), links, classes)
    return Solution(refused, admitted, filled)


def _bounded(least: Amps, most: Amps) -> Amps:
    """Upper bounds; one that is no number is the lower bound."""
    return np.minimum(np.fmax(least, most), np.fmax(least, HIGHEST_A))


def admit(capacity: Sequence[float], least: Amps, links: Numbers) -> dict[int, Refusal]:
    """`filling.admit` for cars in the order of admission. Only links that all minima together
    exceed can refuse anybody; they are walked through one by one."""
    room = np.append(np.array(capacity, dtype=float), np.inf)
    tight = totals(links, least, len(capacity)) > room + SLACK_A
    if not tight.any():
        return {}
    concerned = tight.take(links).any(axis=0).nonzero()[0]
    crossed = links.T.take(concerned, axis=0)
    crossing = tight.take(crossed)
    numbers = _where(crossed, crossing).tolist()
    ends = crossing.sum(axis=1).cumsum().tolist()
    left, lower = room.tolist(), least.tolist()
    refused: dict[int, Refusal] = {}
    start = 0
    for car, end in zip(concerned.tolist(), ends, strict=True):
        need = lower[car]
        for link in numbers[start:end]:
            if left[link] + SLACK_A < need:
                refused[car] = Refusal(link, left[link])
                break
        else:
            for link in numbers[start:end]:
                left[link] -= need
        start = end
    return refused


def fill_by_class(
    capacity: Sequence[float],
    least: Amps,
    most: Amps,
    links: Numbers,
    classes: Numbers,
) -> Filled:
    """`filling.fill_by_class`."""
    room = np.append(np.array(capacity, dtype=float), np.inf)
    levels = sorted(set(classes.tolist()), reverse=True)
    if len(levels) <= 1:
        amps, stops = _Filling(room, least, most, links).run()
        return Filled(amps.tolist(), stops)
    amps = least.copy()
    found: list[Bottleneck | None] = [None] * len(least)
    size = len(capacity)
    room -= totals(links, least, size)
    for level in levels:
        cars = (classes == level).nonzero()[0]
        own = links.take(cars, axis=1)
        room += totals(own, least[cars], size)
        amps[cars], stops = _Filling(room, least[cars], most[cars], own).run()
        room -= totals(own, amps[cars], size)
        for car, stop in zip(cars.tolist(), stops, strict=True):
            found[car] = stop
    return Filled(amps.tolist(), found)


def filler(
    links: int,
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    priority: Sequence[int],
) -> Fill:
    """`filling_method.filler`."""
    least = np.array(lower, dtype=float)
    most = _bounded(least, np.array(upper, dtype=float))
    columns, classes = as_columns(crossed, links), np.array(priority, dtype=np.intp)
    return lambda capacity: fill_by_class(capacity, least, most, columns, classes)


class _Filling:
    """The working state. Arrays of links have one entry more, for missing links, which are never
    full. `lower`, `upper`, `links` and `cars` keep those only that are not fixed yet."""

    def __init__(self, room: Amps, lower: Amps, upper: Amps, links: Numbers) -> None:
        self.size = len(room) - 1
        self.lower = lower
        self.upper = upper
        self.links = links
        self.cars = np.arange(len(lower))
        self.free = np.ones(len(lower), dtype=np.bool_)
        self.amps = lower.copy()
        self.never = np.full(len(room), np.inf)
        self.full_at = self.never.copy()
        """Final levels of the links that were local bottlenecks."""
        self._all = room, lower, upper, links

    def run(self) -> tuple[Amps, list[Bottleneck | None]]:
        """Amps of each car, and the link that stops it below its upper bound."""
        if not len(self.cars):
            return self.amps, []
        self._begin()
        while len(self.cars):
            self._raise()
            self._fix()
        return self.amps, self._bottlenecks()

    def _totals(self, links: Numbers, amps: Amps) -> Amps:
        return totals(links, amps, self.size)

    def _begin(self) -> None:
        """Levels to start from: the highest lower bound where a link allows it, which leaves no
        car to start later, else the lowest. `gap` is what a link has left at its level."""
        room = self._all[0]
        top = np.max(self.lower)
        self.gap = room - self._totals(self.links, np.minimum(top, self.upper))
        late = self.gap <= SLACK_A
        self.level = np.full(self.size + 1, top)
        starters = self.cars[:0]
        if late.any():
            self.level[late] = np.min(self.lower)
            at_least = room - self._totals(self.links, self.lower)
            self.gap = np.where(late, at_least, self.gap)
            starters = late.take(self.links).any(axis=0).nonzero()[0]
        self.level[self.size] = np.inf
        self._mark(starters)

    def _mark(self, starters: Numbers) -> None:
        """The marks above the levels, by link and rising: where any car stops, and where the
        `starters` start. There is an entry for each in `marks`, `links_of`, `cars_of`, in `turns`
        by how much it changes the number of rising cars (None: all stop), and in `signed` what
        passing it adds to the current of cars that do not rise."""
        count = len(self.cars)
        bounds = np.concatenate((self.upper, self.lower[starters]))
        owners = np.concatenate((self.cars, starters))
        order = bounds.argsort()
        marks, cars = bounds.take(order), owners.take(order)
        links = np.ascontiguousarray(self.links.T).take(cars, axis=0)
        above = (marks[:, np.newaxis] > self.level.take(links)).ravel().nonzero()[0]
        links_of = links.ravel().take(above)
        short = links_of.astype(np.int16) if self.size < SHORT else links_of
        by_link = short.argsort(kind="stable")
        self.links_of = links_of.take(by_link)
        place = above.take(by_link) // links.shape[1]
        self.numbers = np.arange(len(place))
        self.marks, self.cars_of = marks.take(place), cars.take(place)
        self.turns, self.signed = None, self.marks
        if len(starters):
            self.turns = np.where(order < count, -1.0, 1.0).take(place)
            self.signed = self.marks * -self.turns

    def _raise(self) -> None:
        """Find the level at which each link is full alone; infinite: never."""
        level = self.never.copy()
        if len(self.links_of):
            self._cross(level)
        self.level = level

    def _cross(self, level: Amps) -> None:
        """Between two marks the current of the rising cars is the sum of the marks that were
        passed, less those where a car started, and the level for each that still rises. A link is
        full where that is its gap and what they had at the level before."""
        lengths = np.bincount(self.links_of)
        links = lengths.nonzero()[0]
        lengths = lengths.take(links)
        ends = lengths.cumsum()
        firsts = ends - lengths
        rising = self._rising(ends, lengths)
        passed_a = np.zeros(len(self.marks) + 1)
        self.signed.cumsum(out=passed_a[1:])
        start, gap = self.level.take(links), self.gap.take(links)
        needed = gap + start * rising.take(firsts) + passed_a.take(firsts)
        current = self.marks * rising
        current += passed_a[:-1]
        self.below = current < needed.repeat(lengths)
        passed = np.add.reduceat(self.below, firsts, dtype=np.intp)
        at = firsts + passed
        found = needed - passed_a.take(at)
        found /= np.maximum(rising.take(at, mode="clip"), 1)
        np.maximum(found, start, out=found)
        found[passed == lengths] = np.inf
        level[links] = found
        self.gap[links] = np.minimum(gap, 0.0)

    def _rising(self, ends: Numbers, lengths: Numbers) -> Amps | Numbers:
        """How many cars rise before each mark: as many as stop at it or later, less those that
        start at it or later."""
        if self.turns is None:
            return ends.repeat(lengths) - self.numbers[: len(self.marks)]
        passed = self.turns.cumsum()
        rising: Amps = passed - self.turns
        rising -= passed.take(ends - 1).repeat(lengths)
        return rising

    def _fix(self) -> None:
        """Fix the cars of local bottlenecks and those at their upper bound."""
        lower, upper, links = self.lower, self.upper, self.links
        level = self.level.take(links)
        lowest = level.min(axis=0)
        below_upper = lowest < upper - SLACK_A
        reached = np.maximum(lowest, lower)
        held_lower = level > np.where(below_upper, reached + SLACK_A, np.inf)
        np.minimum(reached, upper, out=reached)
        final = self.level.copy()
        final[_where(links, held_lower)] = np.inf
        np.minimum(self.full_at, final, out=self.full_at)
        staying = final.take(links).min(axis=0) > lowest + SLACK_A
        staying &= below_upper
        stay = staying.nonzero()[0]
        self.amps[self.cars] = reached
        if len(stay):
            gone = (~staying).nonzero()[0]
            alone = np.maximum(level.take(gone, axis=1), lower.take(gone))
            np.minimum(alone, upper.take(gone), out=alone)
            alone -= reached.take(gone)
            self.gap += self._totals(links.take(gone, axis=1), alone)
            self.free[self.cars] = staying
            self._keep(stay)
        else:
            self.cars = stay

    def _keep(self, stay: Numbers) -> None:
        self.cars = self.cars.take(stay)
        self.lower, self.upper = self.lower.take(stay), self.upper.take(stay)
        self.links = self.links.take(stay, axis=1)
        if len(self.links_of):
            ahead = (self.free.take(self.cars_of) & ~self.below).nonzero()[0]
            self.marks, self.cars_of = self.marks.take(ahead), self.cars_of.take(ahead)
            self.links_of = self.links_of.take(ahead)
            if self.turns is None:
                self.signed = self.marks
            else:
                self.turns, self.signed = self.turns.take(ahead), self.signed.take(ahead)

    def _bottlenecks(self) -> list[Bottleneck | None]:
        """For each car below its upper bound the nearest link that was full at its level."""
        _, lower, upper, links = self._all
        stopped = (self.amps < upper - SLACK_A).nonzero()[0]
        own, amps = links.take(stopped, axis=1), self.amps.take(stopped)
        binds = self.full_at.take(own) <= amps + SLACK_A
        stops = np.full(len(upper), self.size)
        stops[stopped] = own[binds.argmax(axis=0), np.arange(len(stopped))]
        binds &= amps > lower.take(stopped) + SLACK_A
        sharing = np.bincount(_where(own, binds), minlength=self.size + 1).tolist()
        known: list[Bottleneck | None] = [None] * (self.size + 1)
        for link in set(stops[stopped].tolist()):
            known[link] = Bottleneck(link, sharing[link])
        return list(map(known.__getitem__, stops.tolist()))
