"""What a car does not use (manual 7.4)."""

from __future__ import annotations

import pytest

from borne.domain.load_management.reclaim import Reclaim


def after(*samples: tuple[float, float, float | None], changed_s: float = 0.0) -> float | None:
    """(time, setpoint, measured) one after the other."""
    state = Reclaim()
    for now_s, setpoint_a, measured_a in samples:
        state = state.observe(now_s, setpoint_a, changed_s, measured_a)
    return state.settled_a


@pytest.mark.parametrize(
    ("samples", "settled_a"),
    [
        ([(0, 16, 8), (12, 16, 8)], None),
        ([(0, 16, 8), (12.1, 16, 8.2)], 8.2),
        ([(0, 16, 8), (6, 16, 15.6), (12.1, 16, 8)], None),
        ([(0, 16, 8), (12.1, 16, 8), (20, 9, 8)], 8),
        ([(0, 16, 8), (12.1, 16, 8), (20, 9, 8.5)], None),
        ([(0, 16, 8), (12.1, 16, 8), (20, 9, 8.2)], 8),
        ([(0, 16, 8), (12.1, 16, 8), (13, 16, None)], None),
        ([(0, 0, 0), (20, 0, 0)], None),
        ([(0, 16, 15.2), (20, 16, 15.2)], None),
    ],
)
def test_the_bound_on_a_current(
    samples: list[tuple[float, float, float | None]], settled_a: float | None
) -> None:
    assert after(*samples) == settled_a


def test_the_time_counts_from_the_confirmed_setpoint() -> None:
    assert after((0, 16, 8), (13, 16, 8), changed_s=5.0) is None
    assert after((0, 16, 8), (17.1, 16, 8), changed_s=5.0) == 8
