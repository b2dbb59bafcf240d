"""Levels on links, in plain Python and with NumPy; whole groups are in the vectors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from borne.domain.load_management import filling_method
from borne.domain.load_management.filling import Bottleneck, Filled, Wanting
from borne.domain.load_management.topology import NUMBER_OF_PHASES, GridPhase, Group, Topology
from borne.foundation.units import PerPhase

ONE_PHASE = NUMBER_OF_PHASES[frozenset({GridPhase.N1})]


@pytest.fixture(params=[sys.maxsize, 0], ids=["plain", "numpy"], autouse=True)
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling_method, "ARRAYS_FROM", request.param)


def filled(
    capacity: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    crossed: Sequence[tuple[int, ...]],
    priority: Sequence[int] = (),
) -> Filled:
    classes = priority or [0] * len(lower)
    return filling_method.filler(len(capacity), lower, upper, crossed, classes)(capacity)


def test_a_link_over_its_limit_lets_nobody_rise_and_others_do_not_get_the_excess() -> None:
    found = filled([5, 25], [10, 6], [32, 32], [(0, 1), (1,)])
    assert found.amps == pytest.approx([10, 15])
    assert found.bottleneck == [Bottleneck(0, 0), Bottleneck(1, 1)]


def test_cars_start_at_their_own_lower_bounds() -> None:
    found = filled([30], [6, 8, 12], [32, 32, 32], [(0,), (0,), (0,)])
    assert found.amps == pytest.approx([9, 9, 12])
    found = filled([26.5], [6, 8, 12], [32, 32, 32], [(0,), (0,), (0,)])
    assert found.amps == pytest.approx([6.5, 8, 12])


def test_what_a_car_leaves_on_one_link_goes_to_others() -> None:
    found = filled([40, 12], [6, 6, 6], [32, 10, 32], [(0,), (0,), (1, 0)])
    assert found.amps == pytest.approx([18, 10, 12])
    assert found.bottleneck == [Bottleneck(0, 1), None, Bottleneck(1, 1)]


def test_the_link_that_is_full_is_named() -> None:
    found = filled([20, 18], [6, 6], [32, 32], [(1, 0), (1, 0)])
    assert found.bottleneck == [Bottleneck(1, 2)] * 2


def test_a_car_without_links_gets_its_upper_bound() -> None:
    assert filled([20], [6, 6], [16, 32], [(), (0,)]).amps == [16, 20]


def test_nobody() -> None:
    assert filled([20], [], [], []) == Filled([], [])


def test_an_upper_bound_below_the_lower_counts_as_the_lower() -> None:
    cars = Wanting([0, 1], [10.0, 6.0], [8.0, float("nan")], [], [ONE_PHASE, ONE_PHASE])
    capacity = Topology().capacities(PerPhase.same(32.0))
    found = filling_method.solve(Topology(), capacity, cars)
    assert found.filled.amps == [10, 6]


def test_the_places_of_refused_and_admitted_cars() -> None:
    topology = Topology([Group("leaf", PerPhase.same(10.0))])
    leaf = topology.cell("leaf", ONE_PHASE)
    cars = Wanting([1, 3, 4], [6.0] * 5, [16.0] * 5, [], [ONE_PHASE, leaf, 0, leaf, ONE_PHASE])
    found = filling_method.solve(topology, topology.capacities(PerPhase.same(32.0)), cars)
    (refused,) = found.refused.items()
    assert (refused[0], refused[1].left_a) == (3, 4)
    assert topology.links[refused[1].link].group == "leaf"
    assert (list(found.admitted), found.filled.amps) == ([1, 4], [10, 16])


def test_a_higher_class_takes_what_the_minima_of_lower_ones_leave() -> None:
    found = filled([30], [6, 6, 6], [32, 10, 32], [(0,), (0,), (0,)], [0, 1, 2])
    assert found.amps == pytest.approx([6, 6, 18])
    found = filled([40], [6, 6, 6], [32, 10, 20], [(0,), (0,), (0,)], [0, 1, 2])
    assert found.amps == pytest.approx([10, 10, 20])
