"""Selects the filling method: plain Python, or NumPy for large groups.

Both give the same currents. NumPy is optional and its import takes a tenth of a second, so it is
imported only when a group needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

from borne.domain.load_management.filling import (
    Fill,
    Solution,
    Wanting,
    admit,
    fill_by_class,
)
from borne.domain.load_management.topology import Topology

ARRAYS_FROM = 150
"""Number of cars from which NumPy is faster."""


@cache
def has_numpy() -> bool:
    """True if the extra `large-groups` is installed."""
    return find_spec("numpy") is not None


def _with_arrays(cars: int) -> bool:
    return cars >= ARRAYS_FROM and has_numpy()


def solve(topology: Topology, capacity: Sequence[float], cars: Wanting) -> Solution:
    """Admit and fill under links alone."""
    if _with_arrays(len(cars.places)):
        from borne.domain.load_management import array_filling

        return array_filling.solve(topology, capacity, cars)
    places = cars.places
    lower = [cars.lower[place] for place in places]
    crossed = [topology.links_of(cars.cells[place]) for place in places]
    refused = admit(capacity, range(len(places)), lower, crossed)
    if refused:
        admitted = [car for car in range(len(places)) if car not in refused]
        lower, crossed = [lower[car] for car in admitted], [crossed[car] for car in admitted]
        places = [places[car] for car in admitted]
    upper = [max(least, cars.upper[place]) for least, place in zip(lower, places, strict=True)]
    priority = [cars.priority[place] for place in places] if cars.priority else []
    needed = [cars.needed[place] for place in places] if cars.needed else []
    waiting = {cars.places[car]: refusal for car, refusal in refused.items()}
    filled = fill_by_class(capacity, lower, upper, crossed, priority, needed)
    return Solution(waiting, places, filled)


def filler(
    links: int,
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    priority: Sequence[int],
    needed: Sequence[float] = (),
) -> Fill:
    """Return a function for cars that are filled repeatedly, with different capacities of the
    `links`."""
    if _with_arrays(len(lower)):
        from borne.domain.load_management import array_filling

        return array_filling.filler(links, lower, upper, crossed, priority, needed)
    return lambda capacity: fill_by_class(capacity, lower, upper, crossed, priority, needed)
