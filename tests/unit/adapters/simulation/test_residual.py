"""Trip times of the residual current monitor (IEC 62955, IEC 61008)."""

import pytest

from borne.adapters.simulation.residual import AC_LIMITS, DC_LIMITS, longest_s, trip_delay_s


@pytest.mark.parametrize(
    ("current_ma", "limit_s"),
    [(2.9, None), (5.99, None), (6, 10), (60, 0.3), (200, 0.1), (1000, 0.1)],
)
def test_smooth_direct_current(current_ma: float, limit_s: float | None) -> None:
    assert longest_s(current_ma, DC_LIMITS) == limit_s


@pytest.mark.parametrize(
    ("current_ma", "limit_s"), [(29, None), (30, 0.3), (60, 0.15), (150, 0.04), (900, 0.04)]
)
def test_alternating_current(current_ma: float, limit_s: float | None) -> None:
    assert longest_s(current_ma, AC_LIMITS) == limit_s


def test_time_falls_with_the_current() -> None:
    limits = [longest_s(current_ma, DC_LIMITS) or 0.0 for current_ma in range(6, 300)]
    assert limits == sorted(limits, reverse=True)


def test_the_faster_of_both_counts() -> None:
    assert trip_delay_s(6, 150) == 0.02
    assert trip_delay_s(0, 0) is None
