"""Months of a time zone, over its changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from borne.foundation.calendar import Month, zone_named

BRUSSELS = ZoneInfo("Europe/Brussels")
PARIS = ZoneInfo("Europe/Paris")
ASUNCION = ZoneInfo("America/Asuncion")
"""Its summer time of 2023 began at the midnight that begins October: there was no 0:00."""


@pytest.mark.parametrize(
    ("moment", "zone", "month"),
    [
        ("2026-10-31T22:59:59", BRUSSELS, "2026-10"),
        ("2026-10-31T23:00:00", BRUSSELS, "2026-11"),
        ("2026-12-31T23:00:00", BRUSSELS, "2027-01"),
        ("2026-03-31T21:59:59", BRUSSELS, "2026-03"),
        ("2026-03-31T22:00:00", BRUSSELS, "2026-04"),
        ("2026-11-01T03:59:59", ZoneInfo("America/New_York"), "2026-10"),
        ("2026-10-31T23:00:00", UTC, "2026-10"),
    ],
)
def test_the_month_of_a_moment(moment: str, zone: ZoneInfo, month: str) -> None:
    assert str(Month.of(datetime.fromisoformat(f"{moment}+00:00"), zone)) == month


@pytest.mark.parametrize(
    ("month", "zone", "since", "until"),
    [
        ("2026-03", BRUSSELS, "2026-02-28T23:00", "2026-03-31T22:00"),
        ("2026-10", BRUSSELS, "2026-09-30T22:00", "2026-10-31T23:00"),
        ("2026-11", BRUSSELS, "2026-10-31T23:00", "2026-11-30T23:00"),
        ("2024-02", UTC, "2024-02-01T00:00", "2024-03-01T00:00"),
        ("2026-12", PARIS, "2026-11-30T23:00", "2026-12-31T23:00"),
        ("2023-10", ASUNCION, "2023-10-01T04:00", "2023-11-01T03:00"),
    ],
)
def test_the_bounds_of_a_month(month: str, zone: ZoneInfo, since: str, until: str) -> None:
    parsed = Month.parse(month)
    assert parsed is not None
    found = [bound.astimezone(UTC).isoformat()[:16] for bound in parsed.bounds(zone)]
    assert found == [since, until]
    assert Month.of(parsed.bounds(zone)[0], zone) == parsed
    assert Month.of(parsed.bounds(zone)[1], zone) == parsed.plus(1)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "0001-01", "9999-12", "2026-1", "2026-01-01", "٢٠٢٦-01"],
)
def test_invalid_months_are_refused(text: str) -> None:
    assert Month.parse(text) is None


def test_a_month_is_written_as_it_is_read() -> None:
    assert str(Month.parse("0987-06")) == "0987-06"


def test_months_are_counted_over_the_year() -> None:
    assert [str(Month(2026, 1).plus(by)) for by in (-13, -1, 0, 11, 12)] == [
        "2024-12",
        "2025-12",
        "2026-01",
        "2026-12",
        "2027-01",
    ]


def test_a_zone_that_the_machine_does_not_know_is_utc() -> None:
    assert [zone_named(name) for name in ("Nowhere/Else", "../etc/passwd", "")] == [UTC] * 3
    assert zone_named("Europe/Brussels") == BRUSSELS
