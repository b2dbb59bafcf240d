"""Registers: nothing invented, nothing negative."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.domain.station.metering import RegisterPoint, Verdict, judge, judge_after_gap

MAX_W = 22_000.0


@pytest.mark.parametrize(
    ("gained_wh", "elapsed_s", "verdict"),
    [
        (0, 60, Verdict.GOOD),
        (183, 30, Verdict.GOOD),
        (-1, 60, Verdict.BACKWARDS),
        (-5_000_000, 60, Verdict.BACKWARDS),
        (20, 0, Verdict.GOOD),
        (21, 0, Verdict.JUMP),
        (22_000, 3600, Verdict.GOOD),
        (55_020, 3600, Verdict.GOOD),
        (55_021, 3600, Verdict.JUMP),
        (1000, 10, Verdict.JUMP),
        (0, -5, Verdict.GOOD),
    ],
)
def test_what_a_new_value_means(gained_wh: int, elapsed_s: float, verdict: Verdict) -> None:
    before = RegisterPoint(1_000_000, 100.0)
    now = RegisterPoint(before.register_wh + gained_wh, before.at_s + elapsed_s)
    assert judge(before, now, MAX_W) is verdict


@pytest.mark.parametrize(
    ("last_wh", "now_wh", "counted_on", "stop_wh", "estimated"),
    [
        (100, 150, True, 150, False),
        (100, 100, True, 100, False),
        (100, 90, True, 100, True),
        (100, 150, False, 100, True),
    ],
)
def test_stop_value_after_a_power_cut(
    last_wh: int, now_wh: int, counted_on: bool, stop_wh: int, estimated: bool
) -> None:
    assert judge_after_gap(last_wh, now_wh, counted_on) == (stop_wh, estimated)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.booleans())
def test_never_less_than_what_was_stored(last_wh: int, now_wh: int, counted_on: bool) -> None:
    stop_wh, _ = judge_after_gap(last_wh, now_wh, counted_on)
    assert stop_wh >= last_wh
