"""The allocator against brute force over admission and lexicographic linear programs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from borne.domain.load_management.allocation import allocate
from tests.properties.load_management.instances import Instance, instances
from tests.properties.load_management.oracle import expected


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


@settings(max_examples=150)
@given(instances())
def test_admission_and_levels_of_a_tree(instance: Instance) -> None:
    assert given_amps(instance) == pytest.approx(wanted_amps(instance), abs=1e-4)


@settings(max_examples=150)
@given(instances(balanced=True))
def test_admission_and_levels_with_current_imbalance(instance: Instance) -> None:
    assert given_amps(instance) == pytest.approx(wanted_amps(instance), abs=0.01)
