"""What must not change the answer, and what every answer must keep."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.quantise import quantise
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import GridPhase, Group, Topology
from borne.foundation.units import PerPhase
from tests.properties.load_management.instances import Instance, instances


def amps(instance: Instance) -> dict[str, float]:
    return dict(allocate(instance.snapshot()).amps)


@given(instances(balanced=True, most=12), st.randoms(use_true_random=False))
def test_the_order_of_the_participants_does_not_matter(instance: Instance, dice: Random) -> None:
    shuffled = list(instance.participants)
    dice.shuffle(shuffled)
    assert amps(instance) == amps(replace(instance, participants=tuple(shuffled)))


@given(instances(most=12), st.integers(2, 10))
def test_doubling_limits_and_demands_doubles_currents(instance: Instance, factor: int) -> None:
    def scaled(limit_a: PerPhase) -> PerPhase:
        return PerPhase(*(factor * value for value in limit_a))

    plain = tuple(replace(one, settled_a=None) for one in instance.participants)
    larger = tuple(
        replace(
            one,
            minimum_a=factor * one.minimum_a,
            maximum_a=factor * one.maximum_a,
            reserved_a=None if one.reserved_a is None else factor * one.reserved_a,
        )
        for one in plain
    )
    groups = [
        Group(group.id, scaled(group.limit_a), group.parent)
        for group in instance.topology.groups.values()
    ]
    big = replace(
        instance,
        topology=Topology(groups),
        root_limit_a=scaled(instance.root_limit_a),
        participants=larger,
    )
    once = amps(replace(instance, participants=plain))
    assert amps(big) == pytest.approx({name: factor * one for name, one in once.items()}, abs=1e-5)


def loads(instance: Instance, given_a: dict[str, float]) -> list[float]:
    totals = [0.0] * len(instance.topology.links)
    for one in instance.participants:
        phases = one.loads(it_network=instance.it_network)
        for link in instance.topology.crossed(one.group, phases):
            totals[link] += given_a[one.id]
    return totals


def reserved(instance: Instance) -> list[float]:
    kept = {one.id: one.reserved_a or 0.0 for one in instance.participants}
    return loads(instance, kept)


def assert_kept(instance: Instance, given_a: dict[str, float], tolerance_a: float) -> None:
    capacity = instance.topology.capacities(instance.root_limit_a)
    for total, fixed, limit in zip(
        loads(instance, given_a), reserved(instance), capacity, strict=True
    ):
        assert total <= max(limit, fixed) + tolerance_a
    for one in instance.participants:
        if one.reserved_a is None and given_a[one.id]:
            assert one.lower_a - 1e-6 <= given_a[one.id] <= one.upper_a + 1e-6
        if one.demand is Demand.NONE and one.reserved_a is None:
            assert given_a[one.id] == 0


def assert_balanced(instance: Instance, given_a: dict[str, float]) -> None:
    """Beside what the other loads and the reservations unbalance already."""
    assert instance.imbalance is not None
    own = [one for one in instance.participants if one.reserved_a is None]
    fixed = [one for one in instance.participants if one.reserved_a is not None]

    def total(cars: list[Participant], phase: GridPhase) -> float:
        return sum(
            given_a[one.id] for one in cars if phase in one.loads(it_network=instance.it_network)
        )

    base = [
        other_load_a + total(fixed, phase)
        for other_load_a, phase in zip(instance.imbalance.base_a, GridPhase, strict=True)
    ]
    for high in GridPhase:
        for low in GridPhase:
            used = [one for one in own if given_a[one.id]]
            adds = any(
                high in one.loads(it_network=instance.it_network)
                and low not in one.loads(it_network=instance.it_network)
                for one in used
            )
            difference = base[high - 1] + total(own, high) - base[low - 1] - total(own, low)
            if adds:
                assert difference <= instance.imbalance.limit_a + 1e-4


@given(instances(most=14))
def test_no_link_is_above_its_limit(instance: Instance) -> None:
    assert_kept(instance, amps(instance), 1e-6)


@given(instances(balanced=True, most=14))
def test_no_difference_is_above_its_limit(instance: Instance) -> None:
    given_a = amps(instance)
    assert_kept(instance, given_a, 1e-4)
    assert_balanced(instance, given_a)


@given(instances(balanced=True, most=14, root=(20, 120)))
def test_the_method_for_large_groups_keeps_all_limits(instance: Instance) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("borne.domain.load_management.allocation.EXACT_SIZE", 0)
        given_a = amps(instance)
    assert_kept(instance, given_a, 1e-4)
    assert_balanced(instance, given_a)


@given(instances(most=10), st.sampled_from((0.1, 1.0)))
def test_rounded_currents_keep_all_limits(instance: Instance, step_a: float) -> None:
    rounded = quantise(instance.snapshot(), amps(instance), step_a)
    assert_kept(instance, rounded, 1e-4)
    for one in instance.participants:
        if one.reserved_a is None:
            assert rounded[one.id] / step_a == pytest.approx(round(rounded[one.id] / step_a))


def test_a_wide_balance_limit_changes_nothing() -> None:
    cars = [Participant(id=name) for name in "AB"]
    limit_a = PerPhase.same(30)
    plain = allocate(Snapshot(SharedSupply(limit_a), cars))
    wide = allocate(Snapshot(SharedSupply(limit_a, imbalance=Imbalance(1000.0)), cars))
    assert (plain.amps, plain.reasons) == (wide.amps, wide.reasons)


@given(instances(most=8, root=(20, 90)), st.integers(1, 20))
def test_a_higher_limit_takes_nothing_from_those_with_least(
    instance: Instance, more_a: int
) -> None:
    """As long as everybody has the minimum: then who is admitted does not change."""
    plain = tuple(
        replace(one, priority=0, reserved_a=None, maximum_a=max(10.0, one.maximum_a))
        for one in instance.participants
    )
    before = replace(instance, participants=plain)
    raised = before.root_limit_a.plus(PerPhase.same(float(more_a)))
    once, again = amps(before), amps(replace(before, root_limit_a=raised))
    wanting = [one.id for one in plain if one.demand is Demand.CHARGING]
    if all(once[name] > 0 for name in wanting):
        for less_a, enough_a in zip(sorted(once.values()), sorted(again.values()), strict=True):
            assert enough_a >= less_a - 1e-6
            if enough_a > less_a + 1e-6:
                break
