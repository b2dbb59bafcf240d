"""Answers of the backend that the station keeps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from borne.application.token_lists import in_one_year


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ((2026, 11, 30), (2027, 11, 30)),
        ((2026, 12, 31), (2027, 12, 31)),
        ((2026, 2, 28), (2027, 2, 28)),
        ((2027, 2, 28), (2028, 2, 28)),
        ((2028, 2, 29), (2029, 2, 28)),
        ((2027, 3, 1), (2028, 3, 1)),
    ],
)
def test_in_one_year_is_the_same_day_of_the_next_year(
    now: tuple[int, int, int], then: tuple[int, int, int]
) -> None:
    noon = datetime(*now, 12, 30, tzinfo=UTC)
    assert in_one_year(noon) == datetime(*then, 12, 30, tzinfo=UTC)
