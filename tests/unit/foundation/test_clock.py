"""The clock: dates on top of a monotonic source, corrected without going back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.foundation.clock import SLEW_LIMIT_S, Clock, ClockStep, ClockTrust

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class _Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> _Seconds:
    return _Seconds()


def _after(error_s: float) -> datetime:
    return NOON + timedelta(seconds=error_s)


@pytest.mark.parametrize("error_s", [1.0, -1.0, SLEW_LIMIT_S, -SLEW_LIMIT_S])
def test_a_small_correction_is_applied_gradually(seconds: _Seconds, error_s: float) -> None:
    clock = Clock(seconds, NOON, ClockTrust.RTC)
    steps: list[ClockStep] = []
    clock.stepped.subscribe(steps.append)
    clock.observe(_after(error_s), ClockTrust.BACKEND)
    assert clock.now() == NOON
    seconds.now += 5
    assert clock.now() == NOON + timedelta(seconds=5.5 if error_s > 0 else 4.5)
    seconds.now += 60
    assert clock.now() == _after(65 + error_s)
    assert steps == []


@pytest.mark.parametrize("error_s", [2.1, -2.1, 3600.0, -3600.0])
def test_a_large_correction_is_a_step_and_signalled(seconds: _Seconds, error_s: float) -> None:
    clock = Clock(seconds, NOON, ClockTrust.RTC)
    steps: list[ClockStep] = []
    clock.stepped.subscribe(steps.append)
    clock.observe(_after(error_s), ClockTrust.BACKEND)
    assert clock.now() == _after(error_s)
    assert steps == [ClockStep(NOON, _after(error_s), ClockTrust.BACKEND, dated=False)]


def test_the_first_date_applies_at_once_and_dates_earlier_moments(seconds: _Seconds) -> None:
    clock = Clock(seconds)
    undated = clock.moment()
    assert undated.wall is None
    assert clock.date(undated) is None
    seconds.now += 60
    clock.observe(NOON, ClockTrust.BACKEND)
    assert clock.date(undated) == NOON - timedelta(seconds=60)


def test_a_weaker_source_corrects_nothing(seconds: _Seconds) -> None:
    clock = Clock(seconds, NOON, ClockTrust.NTP)
    clock.observe(_after(100), ClockTrust.BACKEND)
    assert (clock.now(), clock.trust) == (NOON, ClockTrust.NTP)


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(-SLEW_LIMIT_S / 2, SLEW_LIMIT_S / 2)), max_size=20
    )
)
def test_the_date_never_goes_back_for_a_source_that_is_about_right(
    corrections: list[tuple[float, float]],
) -> None:
    seconds = _Seconds()
    clock = Clock(seconds, NOON, ClockTrust.BACKEND)
    last = clock.now()
    for pause_s, error_s in corrections:
        seconds.now += pause_s
        clock.observe(_after(seconds.now - 1000.0 + error_s), ClockTrust.BACKEND)
        assert clock.now() >= last
        last = clock.now()
