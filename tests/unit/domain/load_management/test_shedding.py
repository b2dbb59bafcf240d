"""Lowering at once when a shared limit falls (decision 0181)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.shedding import shed
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import Group, Rotation, SocketPhase, Topology
from borne.foundation.units import PerPhase

ONE = frozenset({SocketPhase.L1})


def car(name: str, **more: Any) -> Participant:
    return Participant(id=name, **more)


@pytest.mark.parametrize(
    ("limit_a", "offers_a", "kept_a"),
    [
        (32, [16, 16], [16, 16]),
        (20, [16, 16], [10, 10]),
        (20, [32, 8], [12, 8]),
        (10, [16, 16], [10, 0]),
        (5, [16, 16], [0, 0]),
        (0, [16, 16], [0, 0]),
        (-5, [16, 16], [0, 0]),
        (20, [16, 0], [16, 0]),
        (31, [16, 16, 16], [10.3, 10.3, 10.3]),
    ],
)
def test_the_highest_currents_are_lowered_and_the_last_cars_pause(
    limit_a: float, offers_a: list[float], kept_a: list[float]
) -> None:
    cars = [car(str(number)) for number in range(len(offers_a))]
    offers = {one.id: amps for one, amps in zip(cars, offers_a, strict=True)}
    assert (
        list(shed(Snapshot(SharedSupply(PerPhase.same(limit_a)), cars), offers).values()) == kept_a
    )


def test_cars_served_first_go_on() -> None:
    cars = [car("a"), car("b", priority=1)]
    kept = shed(Snapshot(SharedSupply(PerPhase.same(10.0)), cars), {"a": 16.0, "b": 16.0})
    assert kept == {"a": 0.0, "b": 10.0}


def test_reserved_currents_stay_and_cars_without_demand_get_nothing() -> None:
    cars = [car("a"), car("b", reserved_a=8.0), car("c", demand=Demand.NONE)]
    kept = shed(
        Snapshot(SharedSupply(PerPhase.same(20.0)), cars), {"a": 16.0, "b": 32.0, "c": 32.0}
    )
    assert kept == {"a": 12.0, "b": 8.0, "c": 0.0}


def test_only_the_phases_and_groups_that_are_overloaded_come_down() -> None:
    cars = [
        car("a", connected=ONE),
        car("b", connected=ONE, rotation=Rotation.STR),
        car("c", connected=ONE, group="hall"),
    ]
    topology = Topology([Group("hall", PerPhase.same(8.0))])
    offers = dict.fromkeys("abc", 16.0)
    kept = shed(Snapshot(SharedSupply(PerPhase(20.0, 10.0, 0.0), topology), cars), offers)
    assert kept == {"a": 12.0, "b": 10.0, "c": 8.0}


amps = st.sampled_from([0.0, 6.0, 7.5, 10.0, 16.0, 32.0])
cars = st.lists(
    st.builds(
        lambda rotation, phases, group, minimum_a: (rotation, phases, group, minimum_a),
        st.sampled_from(Rotation),
        st.sampled_from([ONE, frozenset(SocketPhase)]),
        st.sampled_from(["root", "hall"]),
        st.sampled_from([6.0, 8.0, 13.0]),
    ),
    max_size=12,
)


@given(cars, st.lists(amps, min_size=12, max_size=12), st.tuples(amps, amps, amps), st.booleans())
def test_shedding_keeps_links_raises_none_and_leaves_none_below_the_minimum(
    found: list[Any], offers_a: list[float], limit: tuple[float, float, float], it_network: bool
) -> None:
    people = [
        car(f"{number:02}", rotation=rotation, connected=phases, group=group, minimum_a=least)
        for number, (rotation, phases, group, least) in enumerate(found)
    ]
    topology = Topology([Group("hall", PerPhase.same(20.0))])
    offers = {one.id: offer for one, offer in zip(people, offers_a, strict=False)}
    kept = shed(Snapshot(SharedSupply(PerPhase(*limit), topology, it_network), people), offers)
    left = topology.capacities(PerPhase(*limit))
    for one in people:
        assert kept[one.id] <= offers[one.id]
        assert kept[one.id] == 0 or kept[one.id] >= min(one.lower_a, offers[one.id])
        for link in topology.crossed(one.group, one.loads(it_network=it_network)):
            left[link] -= kept[one.id]
    assert min(left) >= -1e-6
