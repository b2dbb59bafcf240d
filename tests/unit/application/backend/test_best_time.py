"""What the time in an answer of the backend is worth (OCPP 1.6 section 4.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from borne.application.backend.backend_answers import best_time

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock_s", "round_trip_s", "best_s"),
    [
        pytest.param(None, 0.2, 0.1, id="no date before: the middle of the round trip"),
        pytest.param(None, 50.0, 25.0, id="no date before, and the answer was late"),
        pytest.param(50.0, 50.0, 50.0, id="a late answer does not set a good clock back"),
        pytest.param(0.0, 50.0, 0.0, id="it may have been made just before it arrived"),
        pytest.param(51.0, 50.0, 25.0, id="it cannot be so: the clock is fast"),
        pytest.param(-3600.0, 0.2, 0.1, id="the clock is slow"),
    ],
)
def test_best_time(clock_s: float | None, round_trip_s: float, best_s: float) -> None:
    now = None if clock_s is None else NOON + timedelta(seconds=clock_s)
    assert best_time(now, NOON, round_trip_s) == NOON + timedelta(seconds=best_s)
