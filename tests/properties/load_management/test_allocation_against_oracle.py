"""The allocator against brute force over admission and lexicographic linear programs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from borne.domain.load_management.allocation import allocate
from tests.properties.load_management.instances import Instance, instances
from tests.properties.load_management.oracle import expected
from tests.properties.load_management.test_invariance import assert_balanced, assert_kept
from tests.support.examples import examples

pytestmark = pytest.mark.timeout(1800)
"""Thousands of examples in the campaign."""


def given_amps(instance: Instance) -> dict[str, float]:
    return dict(allocate(instance.snapshot()).amps)


def wanted_amps(instance: Instance) -> dict[str, float]:
    return dict(
        expected(
            instance.topology,
            instance.root_limit_a,
            instance.participants,
            instance.imbalance,
            it_network=instance.it_network,
        )
    )


@settings(max_examples=examples(150, 2000))
@given(instances())
def test_admission_and_levels_of_a_tree(instance: Instance) -> None:
    assert given_amps(instance) == pytest.approx(wanted_amps(instance), abs=1e-4)


@settings(max_examples=examples(150, 2000))
@given(instances(balanced=True))
def test_admission_and_levels_with_current_imbalance(instance: Instance) -> None:
    assert given_amps(instance) == pytest.approx(wanted_amps(instance), abs=0.01)


@settings(max_examples=examples(50, 2000))
@given(instances(needs=True))
def test_claims_of_cars_whose_need_is_known(instance: Instance) -> None:
    assert given_amps(instance) == pytest.approx(wanted_amps(instance), abs=1e-4)


@settings(max_examples=examples(30, 1000))
@given(instances(balanced=True, needs=True))
def test_known_needs_with_current_imbalance_exceed_nothing(instance: Instance) -> None:
    assert_kept(instance, given_amps(instance), 1e-6)
    assert_balanced(instance, given_amps(instance))
