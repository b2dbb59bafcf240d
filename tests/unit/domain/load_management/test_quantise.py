"""Steps of the hardware."""

from __future__ import annotations

import pytest

from borne.domain.load_management.participant import Participant
from borne.domain.load_management.quantise import floor_to_step, quantise
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.foundation.units import PerPhase


@pytest.mark.parametrize(
    ("amps", "step_a", "floored"),
    [(10.6667, 0.1, 10.6), (16.0 - 1e-9, 0.1, 16.0), (7.99, 1.0, 7.0), (0.3, 0.1, 0.3)],
)
def test_currents_are_rounded_down(amps: float, step_a: float, floored: float) -> None:
    assert floor_to_step(amps, step_a) == floored


def snapshot(limit_a: float, cars: list[Participant]) -> Snapshot:
    return Snapshot(SharedSupply(PerPhase.same(limit_a)), cars)


def rounded(limit_a: float, step_a: float, **amps: float) -> dict[str, float]:
    cars = [Participant(id=name) for name in amps]
    return quantise(snapshot(limit_a, cars), amps, step_a)


def test_tenths_are_rounded_down() -> None:
    assert rounded(32, 0.1, A=32 / 3, B=32 / 3, C=32 / 3) == {"A": 10.6, "B": 10.6, "C": 10.6}


def test_the_rest_goes_to_the_largest_remainder() -> None:
    assert rounded(32, 1.0, A=10.8, B=10.7, C=10.5) == {"A": 11, "B": 11, "C": 10}


def test_equal_remainders_go_by_name() -> None:
    assert rounded(32, 1.0, A=32 / 3, B=32 / 3, C=32 / 3) == {"A": 11, "B": 11, "C": 10}


def test_paused_ones_stay_paused() -> None:
    assert rounded(31.5, 1.0, A=0.0, B=31.5) == {"A": 0, "B": 31}


def test_own_limits_hold() -> None:
    cars = [Participant(id="A", maximum_a=10.5), Participant(id="B")]
    amps = quantise(snapshot(32, cars), {"A": 10.5, "B": 21.5}, 1.0)
    assert amps == {"A": 10, "B": 22}


def test_a_minimum_between_two_steps_is_lifted_or_paused() -> None:
    cars = [Participant(id=name, minimum_a=6.5) for name in "AB"]
    amps = quantise(snapshot(13, cars), {"A": 6.5, "B": 6.5}, 1.0)
    assert amps == {"A": 7, "B": 0}


def test_reservations_are_not_rounded() -> None:
    cars = [Participant(id="A", reserved_a=7.77), Participant(id="B")]
    amps = quantise(snapshot(32, cars), {"A": 7.77, "B": 24.23}, 1.0)
    assert amps == {"A": 7.77, "B": 24}
