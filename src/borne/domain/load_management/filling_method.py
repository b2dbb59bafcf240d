"""Chooses how a group is filled: in plain Python, or with NumPy when it is large.

Both give the same currents. NumPy is optional and takes a tenth of a second to import, so that it
is looked for only when a group needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from borne.domain.load_management.filling import Filled, Refusal, admit, fill_by_class
from borne.domain.load_management.topology import Topology

ARRAYS_FROM = 300
"""Cars from which NumPy is quicker."""

Fill = Callable[[Sequence[float]], Filled]
"""Fills cars that do not change, from the capacities of the links."""


@cache
def has_numpy() -> bool:
    """The extra `large-groups` is installed."""
    return find_spec("numpy") is not None


def _with_arrays(cars: int) -> bool:
    return cars >= ARRAYS_FROM and has_numpy()


@dataclass(frozen=True, slots=True)
class Wanting:
    """Cars that want current, in the order of admission."""

    lower: Sequence[float]
    upper: Sequence[float]
    priority: Sequence[int]
    cells: Sequence[int]
    """`Topology.cells`."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Who is refused, by place, and the currents of the admitted."""

    refused: dict[int, Refusal]
    admitted: Sequence[int]
    filled: Filled


def solve(topology: Topology, capacity: Sequence[float], cars: Wanting) -> Solution:
    """Admission and filling under links alone."""
    everybody = range(len(cars.lower))
    if _with_arrays(len(everybody)):
        from borne.domain.load_management import array_filling as arrays

        links = arrays.links_of(topology, cars.cells)
        refused = arrays.admit(capacity, cars.lower, links)
        admitted = [car for car in everybody if car not in refused] if refused else everybody
        lower, upper, priority = _chosen(cars, admitted)
        own = arrays.chosen(links, admitted) if refused else links
        filled = arrays.fill_by_class(capacity, lower, upper, own, priority)
        return Solution(refused, admitted, filled)
    crossed = [topology.links_of(cell) for cell in cars.cells]
    refused = admit(capacity, everybody, cars.lower, crossed)
    admitted = [car for car in everybody if car not in refused] if refused else everybody
    lower, upper, priority = _chosen(cars, admitted)
    crossed = [crossed[car] for car in admitted]
    return Solution(refused, admitted, fill_by_class(capacity, lower, upper, crossed, priority))


def _chosen(
    cars: Wanting, admitted: Sequence[int]
) -> tuple[Sequence[float], Sequence[float], Sequence[int]]:
    if len(admitted) == len(cars.lower):
        return cars.lower, cars.upper, cars.priority
    return (
        [cars.lower[car] for car in admitted],
        [cars.upper[car] for car in admitted],
        [cars.priority[car] for car in admitted],
    )


def filler(
    links: int,
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[Sequence[int]],
    priority: Sequence[int],
) -> Fill:
    """For cars that are filled again and again, under other capacities of the `links`."""
    if _with_arrays(len(lower)):
        from borne.domain.load_management import array_filling as arrays

        columns = arrays.as_columns(crossed, links)
        return lambda capacity: arrays.fill_by_class(capacity, lower, upper, columns, priority)
    return lambda capacity: fill_by_class(capacity, lower, upper, crossed, priority)
