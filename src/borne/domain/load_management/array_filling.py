"""Admission and max-min filling of large groups, with NumPy; the same results as `filling`.

Each round computes the level at which each link would be full if its cars crossed no other link. A
link none of whose cars is held lower by another link is a *local bottleneck*: its level is final,
so its cars are fixed, as are cars that reached their upper bound. The next round handles the other
cars with the capacity that the fixed ones leave. The lowest level is always that of a local
bottleneck, so every round fixes at least one car: some ten rounds for ten thousand cars.

The level is computed without a search. Between *marks* (a lower bound, where a car starts to rise,
and an upper bound, where it stops) the current of a link grows linearly with its level; a
cumulative sum over its sorted marks gives the two between which it is full.

`take` with indices is used instead of indexing with arrays or flags: it is two to three times as
fast, and indexing is most of the work.

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

HIGHEST_A = 1e6
"""Replaces an infinite upper bound, so that sums are finite."""


@lru_cache(maxsize=4)
def _links_of_cells(topology: Topology) -> Numbers:
    """Return the links that a car in each cell crosses, as columns."""
    crossed = [topology.links_of(cell) for cell in range(topology.cell_count)]
    return as_columns(crossed, len(topology.links))


def as_columns(crossed: Sequence[Sequence[int]], links: int) -> Numbers:
    """Convert sequences of links to columns of equal height, padded with the number `links`: a link
    that does not exist."""
    heights = np.array([len(one) for one in crossed], dtype=np.intp)
    height = max(map(len, crossed), default=0)
    columns = np.full((len(crossed), height), links, dtype=np.intp)
    filled = np.arange(height) < heights[:, np.newaxis]
    columns[filled] = np.fromiter(chain.from_iterable(crossed), np.intp, int(heights.sum()))
    return np.ascontiguousarray(columns.T)


def _amps(values: Sequence[float]) -> Amps:
    """Convert to an array; `fromiter` needs half the time of `array`, which looks for nested
    sequences."""
    return np.fromiter(values, np.float64, len(values))


def _numbers(values: Sequence[int]) -> Numbers:
    return np.fromiter(values, np.intp, len(values))


def _room(capacity: Sequence[float]) -> Amps:
    """Return the capacity of every link; the last entry belongs to the link that does not exist."""
    return _amps((*capacity, np.inf))


def totals(links: Numbers, amps: Amps, size: int) -> Amps:
    """Return the sum of all cars on each of `size` links."""
    each = amps[np.newaxis].repeat(len(links), axis=0)
    return np.bincount(links.ravel(), each.ravel(), size)


def _where(links: Numbers, flags: Flags) -> Numbers:
    """Return the flagged links, row by row."""
    return links.ravel().take(flags.ravel().nonzero()[0])


def solve(topology: Topology, capacity: Sequence[float], cars: Wanting) -> Solution:
    """See `filling_method.solve`."""
    places, room = _numbers(cars.places), _room(capacity)
    least, most = _amps(cars.lower).take(places), _amps(cars.upper).take(places)
    links = _links_of_cells(topology).take(_numbers(cars.cells).take(places), axis=1)
    classes = _numbers(cars.priority)
    classes = classes.take(places) if len(classes) else classes
    needed = _amps(cars.needed)
    needed = needed.take(places) if len(needed) else needed
    refused = admit(room, least, links)
    if refused:
        stay = np.ones(len(places), dtype=np.bool_)
        stay[list(refused)] = False
        chosen = stay.nonzero()[0]
        least, most, places = least.take(chosen), most.take(chosen), places.take(chosen)
        classes = classes.take(chosen) if len(classes) else classes
        needed = needed.take(chosen) if len(needed) else needed
        links = links.take(chosen, axis=1)
    filled = fill_by_class(room, least, _bounded(least, most), links, classes, needed)
    waiting = {cars.places[car]: refusal for car, refusal in refused.items()}
    return Solution(waiting, places.tolist(), filled)


def _bounded(least: Amps, most: Amps) -> Amps:
    """Return the upper bounds; NaN is replaced by the lower bound."""
    return np.minimum(np.fmax(least, most), np.fmax(least, HIGHEST_A))


def admit(room: Amps, least: Amps, links: Numbers) -> dict[int, Refusal]:
    """Like `filling.admit`, for cars in the order of admission. Only links that all minima together
    exceed can refuse a car; these are processed one by one."""
    tight = totals(links, least, len(room)) > room + SLACK_A
    if not tight.any():
        return {}
    concerned = tight.take(links).any(axis=0).nonzero()[0]
    crossed = links.T.take(concerned, axis=0)
    crossing = tight.take(crossed)
    numbers = _where(crossed, crossing).tolist()
    ends = crossing.sum(axis=1).cumsum().tolist()
    needs = least.take(concerned).tolist()
    left = room.tolist()
    refused: dict[int, Refusal] = {}
    start = 0
    for car, need, end in zip(concerned.tolist(), needs, ends, strict=True):
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
    room: Amps, least: Amps, most: Amps, links: Numbers, classes: Numbers, needed: Amps
) -> Filled:
    """See `filling.fill_by_class`."""
    levels = sorted(set(classes.tolist()), reverse=True)
    if len(levels) <= 1:
        amps, stops = _fill_needed_first(room, least, most, links, needed)
        return Filled(amps.tolist(), stops)
    amps = least.copy()
    found: list[Bottleneck | None] = [None] * len(least)
    left = room - totals(links, least, len(room))
    for level in levels:
        cars = (classes == level).nonzero()[0]
        own = links.take(cars, axis=1)
        left += totals(own, least[cars], len(room))
        first = needed.take(cars) if len(needed) else needed
        amps[cars], stops = _fill_needed_first(left, least[cars], most[cars], own, first)
        left -= totals(own, amps[cars], len(room))
        for car, stop in zip(cars.tolist(), stops, strict=True):
            found[car] = stop
    return Filled(amps.tolist(), found)


def _fill_needed_first(
    room: Amps, least: Amps, most: Amps, links: Numbers, needed: Amps
) -> tuple[Amps, list[Bottleneck | None]]:
    """See `filling.fill_needed_first`."""
    if len(needed):
        first = np.maximum(least, np.minimum(most, needed))
        least, _ = _Filling(room, least, first, links).run()
    return _Filling(room, least, most, links).run()


def filler(
    links: int,
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    priority: Sequence[int],
    needed: Sequence[float],
) -> Fill:
    """See `filling_method.filler`."""
    least, first = np.array(lower, dtype=float), np.array(needed, dtype=float)
    most = _bounded(least, np.array(upper, dtype=float))
    columns, classes = as_columns(crossed, links), np.array(priority, dtype=np.intp)
    return lambda capacity: fill_by_class(_room(capacity), least, most, columns, classes, first)


class _Filling:
    """State of a filling. `cars`, their bounds and links, and the marks contain only cars that are
    not fixed yet."""

    def __init__(self, room: Amps, lower: Amps, upper: Amps, links: Numbers) -> None:
        self.size = len(room)
        self.room = room.copy()
        """Capacity of each link that fixed cars leave."""
        self.lower = lower
        self.upper = upper
        self.links = links
        self.cars = np.arange(len(lower))
        self.free = np.ones(len(lower) + 1, dtype=np.bool_)
        """True for cars that are not fixed; the last entry is for the mark without a car."""
        self.amps = lower.copy()
        self.least = np.min(lower) if len(lower) else 0.0
        self.full_at = np.full(self.size, np.inf)
        """Final levels of the links that were local bottlenecks."""
        self._all = lower, upper, links

    def run(self) -> tuple[Amps, list[Bottleneck | None]]:
        """Return the amps of each car, and the link that stops it below its upper bound."""
        if not len(self.cars):
            return self.amps, []
        self._mark()
        while len(self.cars):
            self._fix(self._levels())
        return self.amps, self._bottlenecks()

    def _mark(self) -> None:
        """The marks of all links, link by link, rising. Each has a level in `marks`, a car and a
        link; passing it changes the number of cars that rise by `turns`, and the current of those
        that do not by `steps`. A car has one on each of its links, where it stops, and two more on
        those where it starts late: one below all levels, which adds its lower bound, and one at its
        lower bound, where rising replaces that.

        The very last mark belongs to no car and to the link that does not exist. It is never
        removed, so that there is a mark after those of any link that does.
        """
        lower, upper, nowhere = self.lower, self.upper, self.size - 1
        late, late_on = self._late()
        start, everybody, count = lower.take(late), len(lower), len(late)
        marks = np.concatenate((upper, start, np.full(count, self.least - 1), (self.least - 2,)))
        steps = np.concatenate((upper, -start, start, (0.0,)))
        turns = np.array((-1, 1, 0)).repeat((everybody, count, count + 1))
        cars = np.concatenate((self.cars, late, late, (everybody,)))
        last = np.full((len(self.links), 1), nowhere)
        links = np.concatenate((self.links, late_on, late_on, last), axis=1).T
        order = marks.argsort()
        narrow = np.min_scalar_type(nowhere)  # small numbers are sorted several times as quickly
        numbers = links.astype(narrow).take(order, axis=0).ravel()
        by_link = numbers.argsort(kind="stable")[: np.count_nonzero(numbers != nowhere) + 1]
        self.links_of = numbers.take(by_link)
        by_link //= len(self.links)
        order = order.take(by_link)
        self.cars_of, self.turns = cars.take(order), turns.take(order)
        self.marks, self.steps = marks.take(order), steps.take(order)

    def _late(self) -> tuple[Numbers, Numbers]:
        """Return the cars that start late, and on which links. A link that allows every car its
        highest lower bound is full above it, so its cars can rise from the beginning; on other
        links all cars start late but those with the lowest lower bound."""
        lower, links = self.lower, self.links
        highest = np.minimum(np.max(lower), self.upper)
        short = self.room <= totals(links, highest, self.size) + SLACK_A
        late = (short.take(links).any(axis=0) & (lower > self.least)).nonzero()[0]
        crossed = links.take(late, axis=1)
        return late, np.where(short.take(crossed), crossed, self.size - 1)

    def _levels(self) -> Amps:
        """Return the level at which each link would be full if its cars crossed no other. Infinite:
        never; below all lower bounds: it is over its limit. Before a mark, the current of a link
        is the sum of the passed marks plus the level for each rising car."""
        lengths = np.bincount(self.links_of)
        ends = lengths.cumsum()
        firsts = ends - lengths
        turned = self.turns.cumsum()
        rising = turned - self.turns
        rising -= turned.take(ends - 1).repeat(lengths)  # no car rises after the last mark
        passed_a = np.zeros(len(self.marks) + 1)
        self.steps.cumsum(out=passed_a[1:])
        level = passed_a.take(firsts)
        level += self.room
        current = self.marks * rising
        current += passed_a[:-1]
        below = current < level.repeat(lengths)
        full = np.add.reduceat(below, firsts, dtype=np.intp)
        full += firsts
        level -= passed_a.take(full)
        level /= np.maximum(rising.take(full, mode="clip"), 1)
        level[full >= ends] = np.inf
        return level

    def _fix(self, level: Amps) -> None:
        """Fix the cars of local bottlenecks and those at their upper bound."""
        lower, upper, links = self.lower, self.upper, self.links
        across = level.take(links)
        reached = across.min(axis=0)
        np.maximum(reached, lower, out=reached)
        np.minimum(reached, upper, out=reached)
        held_at = np.where(reached < upper - SLACK_A, reached + SLACK_A, np.inf)
        level[_where(links, across > held_at)] = np.inf
        np.minimum(self.full_at, level, out=self.full_at)
        staying = level.take(links).min(axis=0) > held_at
        self.amps[self.cars] = reached
        self.free[self.cars] = staying
        stay = staying.nonzero()[0]
        self.cars = self.cars.take(stay)
        if len(stay):
            gone = (~staying).nonzero()[0]
            self.room -= totals(links.take(gone, axis=1), reached.take(gone), self.size)
            self._keep(stay)

    def _keep(self, stay: Numbers) -> None:
        """Keep only the other cars and their marks."""
        self.lower, self.upper = self.lower.take(stay), self.upper.take(stay)
        self.links = self.links.take(stay, axis=1)
        ahead = self.free.take(self.cars_of).nonzero()[0]
        self.cars_of, self.links_of = self.cars_of.take(ahead), self.links_of.take(ahead)
        self.marks, self.steps = self.marks.take(ahead), self.steps.take(ahead)
        self.turns = self.turns.take(ahead)

    def _bottlenecks(self) -> list[Bottleneck | None]:
        """Return for each car below its upper bound the nearest link that was full at its level."""
        lower, upper, links = self._all
        stopped = (self.amps < upper - SLACK_A).nonzero()[0]
        own, amps = links.take(stopped, axis=1), self.amps.take(stopped)
        binds = self.full_at.take(own) <= amps + SLACK_A
        nowhere = self.size - 1
        stops = np.full(len(upper), nowhere)
        stops[stopped] = own[binds.argmax(axis=0), np.arange(len(stopped))]
        binds &= amps > lower.take(stopped) + SLACK_A
        sharing = np.bincount(_where(own, binds), minlength=self.size).tolist()
        found = np.full(self.size, None)
        for link in np.bincount(stops)[:nowhere].nonzero()[0].tolist():
            found[link] = Bottleneck(link, sharing[link])
        bottlenecks: list[Bottleneck | None] = found.take(stops).tolist()
        return bottlenecks
