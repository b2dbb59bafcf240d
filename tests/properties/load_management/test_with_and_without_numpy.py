"""NumPy is optional: a group gets the same currents, limits and causes with it as without it."""

from __future__ import annotations

import sys
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management import allocation, filling_method
from borne.domain.load_management.allocation import Allocation, allocate
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.redistribution import Setpoints, safe_step
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    SocketPhase,
    Topology,
    connected_phases,
)
from borne.foundation.units import PerPhase
from tests.properties.load_management.instances import Instance, instances
from tests.properties.load_management.test_invariance import assert_balanced, assert_kept

NEAR_A = 1e-6


def both(snapshot: Snapshot) -> tuple[Allocation, Allocation]:
    """Plain, and with NumPy."""
    found = []
    for arrays_from in (sys.maxsize, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filling_method, "ARRAYS_FROM", arrays_from)
            fresh = Snapshot(snapshot.supply, snapshot.participants)
            one = allocate(fresh)
            found.append(one)
    return found[0], found[1]


def assert_same(plain: Allocation, arrays: Allocation) -> None:
    assert list(plain.amps) == list(arrays.amps)
    assert arrays.amps == pytest.approx(plain.amps, abs=NEAR_A)
    assert arrays.scarce == plain.scarce
    assert causes(arrays) == causes(plain)


def causes(found: Allocation) -> dict[str, LimitCause]:
    """Who is alone on a link and who shares it depends on rounding when a car reaches its own limit
    just when the link is full."""
    alone = {LimitCause.GROUP_LIMIT: LimitCause.FAIR_SHARE}
    return {name: alone.get(reason.cause, reason.cause) for name, reason in found.reasons.items()}


@settings(max_examples=150)
@given(instances(most=14))
def test_small_trees(instance: Instance) -> None:
    plain, arrays = both(instance.snapshot())
    assert_same(plain, arrays)
    assert_kept(instance, dict(arrays.amps), NEAR_A)


@settings(max_examples=60)
@given(instances(balanced=True, most=14, root=(20, 120)))
def test_current_imbalance(instance: Instance) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(allocation, "EXACT_SIZE", 0)
        plain, arrays = both(instance.snapshot())
    assert arrays.amps == pytest.approx(plain.amps, abs=1e-4)
    assert_kept(instance, dict(arrays.amps), 1e-4)
    assert_balanced(instance, dict(arrays.amps))


@settings(max_examples=100)
@given(instances(most=14), st.randoms(use_true_random=False))
def test_safe_steps(instance: Instance, dice: Random) -> None:
    """Any envelopes, as they are in the middle of a change."""
    cars = [
        replace(one, envelope_a=dice.choice((0.0, 6.0, 10.0, round(dice.uniform(0, 32), 1))))
        for one in instance.participants
    ]
    targets = {one.id: one.upper_a * dice.random() for one in cars}
    found: list[Setpoints] = []
    for arrays_from in (sys.maxsize, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filling_method, "ARRAYS_FROM", arrays_from)
            found.append(safe_step(instance.snapshot(cars), targets))
    plain, arrays = found
    assert arrays.amps == pytest.approx(plain.amps, abs=NEAR_A)
    assert arrays.held.keys() == plain.held.keys()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(300, 700))
def test_large_groups(seed: int, size: int) -> None:
    """Leaves of 20 below groups of 100, with classes, wake-ups, lost ones and equal ranks."""
    instance = large(Random(seed), size)
    plain, arrays = both(instance.snapshot())
    assert_same(plain, arrays)
    assert_kept(instance, dict(arrays.amps), NEAR_A)


def large(dice: Random, size: int) -> Instance:
    leaves = -(-size // 20)
    limit_a = dice.choice((10.0, 14.0, 20.0))
    leaf_groups = [
        Group(f"leaf {leaf}", some(dice, 20 * limit_a * 0.6), f"mid {leaf // 5}")
        for leaf in range(leaves)
    ]
    mids = [Group(f"mid {mid}", some(dice, 100 * limit_a * 0.5)) for mid in range(-(-leaves // 5))]
    cars = tuple(participant(dice, number) for number in range(size))
    return Instance(Topology([*mids, *leaf_groups]), some(dice, size * limit_a * 0.5), cars)


def some(dice: Random, amps: float) -> PerPhase:
    return PerPhase(*(round(amps * dice.uniform(0.4, 1.3)) for _ in range(3)))


def participant(dice: Random, number: int) -> Participant:
    lower = dice.choice((6.0, 6.0, 7.0, 8.0, round(dice.uniform(6, 12), 1)))
    return Participant(
        id=f"car {number}",
        group=dice.choice((f"leaf {number // 20}",) * 20 + (ROOT,)),
        rotation=dice.choice(tuple(Rotation)),
        connected=connected_phases(dice.choice((3, 3, 3, 1))),
        phases=dice.choice(
            (None, frozenset({SocketPhase.L1}), frozenset({SocketPhase.L1, SocketPhase.L2}))
        ),
        demand=dice.choice((Demand.CHARGING,) * 8 + (Demand.NONE, Demand.WAKE_UP)),
        minimum_a=lower,
        maximum_a=dice.choice((5.0, 10.0, 16.0, 16.0, 32.0, round(dice.uniform(6, 32), 1))),
        priority=dice.choice((0,) * 8 + (1, 2)),
        rank=float(dice.randrange(4)),
        settled_a=dice.choice((None, None, None, round(dice.uniform(0, 20), 1))),
        reserved_a=dice.choice((None,) * 30 + (7.0,)),
    )


def test_without_numpy_a_large_group_is_filled_in_plain_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = large(Random(1), filling_method.ARRAYS_FROM + 100).snapshot()
    with_numpy = allocate(snapshot).amps
    monkeypatch.setattr(filling_method, "has_numpy", lambda: False)
    monkeypatch.setitem(sys.modules, "borne.domain.load_management.array_filling", None)
    assert allocate(snapshot).amps == pytest.approx(with_numpy, abs=NEAR_A)


def test_balance_of_a_large_group() -> None:
    instance = large(Random(2), 400)
    supply = SharedSupply(instance.root_limit_a, instance.topology, imbalance=Imbalance(20.0))
    plain, arrays = both(Snapshot(supply, instance.participants))
    assert arrays.amps == pytest.approx(plain.amps, abs=1e-4)
    assert_balanced(replace(instance, imbalance=supply.imbalance), dict(arrays.amps))


@pytest.mark.parametrize("odd_a", [float("nan"), float("inf"), -5.0, 0.0])
def test_unusual_limits(odd_a: float) -> None:
    cars = [Participant(id="a", maximum_a=odd_a), Participant(id="b"), Participant(id="c")]
    plain, arrays = both(Snapshot(SharedSupply(PerPhase.same(63.0)), cars))
    assert_same(plain, arrays)
    assert sum(arrays.amps.values()) <= 63.0 + NEAR_A


@pytest.mark.parametrize("cars", [3, 300])
def test_a_limit_that_is_not_a_number_allows_nothing(cars: int) -> None:
    people = [Participant(id=f"car {number}") for number in range(cars)]
    limit_a = PerPhase(float("nan"), 5000.0, 5000.0)
    for arrays_from in (sys.maxsize, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filling_method, "ARRAYS_FROM", arrays_from)
            found = allocate(Snapshot(SharedSupply(limit_a), people)).amps
        assert set(found.values()) == {0.0}
