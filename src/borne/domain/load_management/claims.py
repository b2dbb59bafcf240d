"""Admission of cars whose need is known: each claims what it needs.

The order is that of urgency. A car claims the current with which it is ready in time; on a line
whose needs exceed its limit, the same part of its need as all others. Without claims every car that
fits would run at its minimum, and those that need nearly all of their time would not be ready. A
car whose minimum no longer fits waits. What is left is shared as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from borne.domain.load_management.filling import Refusal, Wanting, admit
from borne.domain.load_management.participant import SLACK_A


@dataclass(frozen=True, slots=True)
class Claims:
    """By place: the cars that must wait, and the lower bounds of all others."""

    refused: Mapping[int, Refusal]
    lower: Sequence[float]


def claim(
    capacity: Sequence[float],
    cars: Wanting,
    needed_a: Sequence[float | None],
    keeps_place: Sequence[bool],
    crossed: Callable[[int], Sequence[int]],
) -> Claims:
    """Admit `cars` in their order, each with what it needs as far as that fits.

    All columns are by place. The minima of cars that keep their place and of lower classes are
    reserved, as far as they fit without any claims.
    """
    return _Claiming(capacity, cars, needed_a, keeps_place, crossed).run()


class _Claiming:
    """The working state of one admission."""

    def __init__(
        self,
        capacity: Sequence[float],
        cars: Wanting,
        needed_a: Sequence[float | None],
        keeps_place: Sequence[bool],
        crossed: Callable[[int], Sequence[int]],
    ) -> None:
        self.left = list(capacity)
        self.cars = cars
        self.needed_a = needed_a
        self.keeps_place = keeps_place
        self.crossed = crossed
        self.lower = list(cars.lower)
        self.refused: dict[int, Refusal] = {}
        self.reserved: set[int] = set()

    def run(self) -> Claims:
        classes = self._classes()
        self._reserve(classes[0])
        for number, places in enumerate(classes):
            if number:
                self._release(place for place in places if not self.keeps_place[place])
            self._claim(places)
        return Claims(self.refused, self.lower)

    def _classes(self) -> list[list[int]]:
        """The places by class, from the highest."""
        places, priority = self.cars.places, self.cars.priority
        if not priority:
            return [list(places)]
        levels = sorted({priority[place] for place in places}, reverse=True)
        return [[place for place in places if priority[place] == level] for level in levels]

    def _reserve(self, highest: Sequence[int]) -> None:
        """Subtract the minima that no car may claim."""
        places, lower = self.cars.places, self.cars.lower
        claimable = {place for place in highest if not self.keeps_place[place]}
        if len(claimable) == len(places):
            return
        crossed = [self.crossed(place) for place in places]
        minima = [lower[place] for place in places]
        refused = admit(self.left, range(len(places)), minima, crossed)
        admitted = {place for car, place in enumerate(places) if car not in refused}
        self.reserved = admitted - claimable
        for place in self.reserved:
            self._subtract(place, lower[place])

    def _release(self, places: Iterable[int]) -> None:
        for place in self.reserved.intersection(places):
            self._subtract(place, -self.cars.lower[place])
            self.reserved.remove(place)

    def _claim(self, places: Sequence[int]) -> None:
        needed = {place: self._needed(place) for place in places}
        part = self._parts(needed)
        for place in places:
            self._release((place,))
            links, least = self.crossed(place), self.lower[place]
            full = min(links, key=self.left.__getitem__)
            if self.left[full] + SLACK_A < least:
                self.refused[place] = Refusal(full, self.left[full])
                continue
            wanted = needed[place] * min(part[link] for link in links)
            self.lower[place] = max(least, min(wanted, self.left[full]))
            self._subtract(place, self.lower[place])

    def _needed(self, place: int) -> float:
        return min(self.needed_a[place] or 0.0, self.cars.upper[place])

    def _parts(self, needed: Mapping[int, float]) -> list[float]:
        """The part of the needs that each link can carry."""
        sums = [0.0] * len(self.left)
        for place, amps in needed.items():
            for link in self.crossed(place):
                sums[link] += amps
        return [
            max(0.0, left) / amps if amps > max(0.0, left) else 1.0
            for left, amps in zip(self.left, sums, strict=True)
        ]

    def _subtract(self, place: int, amps: float) -> None:
        for link in self.crossed(place):
            self.left[link] -= amps
