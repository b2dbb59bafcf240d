"""What of a meter's answers can be used at all."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.station.reading import MeterReading, UnusableReading, usable
from borne.foundation.units import ZERO, PerPhase

NOW_S = 1000.0
V230 = PerPhase.same(230.0)
GOOD = MeterReading(1_000_000, PerPhase.same(16.0), V230, 11_040.0, NOW_S, "SIM1")
NAN, INF = math.nan, math.inf


def test_a_good_reading_is_unchanged() -> None:
    assert usable(GOOD, NOW_S) == GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"register_wh": NAN},
        {"register_wh": INF},
        {"register_wh": 1000.5},
        {"register_wh": "1000"},
        {"register_wh": None},
        {"register_wh": True},
        {"register_wh": -1},
        {"register_wh": 10**12},
        {"current_a": PerPhase(NAN, 16, 16)},
        {"current_a": PerPhase(16, INF, 16)},
        {"current_a": PerPhase(16, 16, 70_000)},
        {"current_a": (16.0, 16.0)},
        {"current_a": None},
        {"current_a": PerPhase("16", 16, 16)},  # type: ignore[arg-type]  # that is the test
        {"voltage_v": PerPhase(230, 230, NAN)},
        {"voltage_v": PerPhase(230, 230, 23_000)},
        {"power_w": INF},
        {"power_w": -INF},
        {"power_w": 4.29e9},
        {"power_w": None},
        {"power_w": 11_040.0 * 10},
        {"at_s": NAN},
        {"at_s": NOW_S - 11},
        {"at_s": NOW_S + 60},
        {"serial_number": 7},
    ],
    ids=str,
)
def test_an_impossible_reading_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnusableReading):
        usable(replace(GOOD, **change), NOW_S)


@pytest.mark.parametrize("answer", [None, 12, "reading", {"register_wh": 1}, object()])
def test_other_objects_are_refused(answer: object) -> None:
    with pytest.raises(UnusableReading):
        usable(answer, NOW_S)


def test_a_power_that_the_meter_does_not_give_follows_from_the_rest() -> None:
    assert usable(replace(GOOD, power_w=NAN), NOW_S).power_w == 11_040.0


def test_negative_currents_of_a_reversed_transformer_count() -> None:
    turned = replace(GOOD, current_a=PerPhase(-30, 6, 6), power_w=-1000.0)
    assert usable(turned, NOW_S).current_a == PerPhase(30, 6, 6)


def test_a_meter_without_voltages_may_report_power() -> None:
    bare = replace(GOOD, voltage_v=ZERO)
    assert usable(bare, NOW_S) == bare


anything = st.one_of(
    st.floats(),
    st.integers(),
    st.none(),
    st.text(max_size=3),
    st.booleans(),
    st.builds(PerPhase, *[st.one_of(st.floats(), st.none())] * 3),
)


@given(st.tuples(*[anything] * 6))
def test_accepted_readings_are_finite_and_in_range(values: tuple[Any, ...]) -> None:
    try:
        passed = usable(MeterReading(*values), NOW_S)
    except UnusableReading:
        return
    assert type(passed.register_wh) is int
    assert passed.register_wh >= 0
    numbers = (*passed.current_a, *passed.voltage_v, passed.power_w, passed.at_s)
    assert all(type(number) is float and math.isfinite(number) for number in numbers)
    assert min(passed.current_a) >= 0
