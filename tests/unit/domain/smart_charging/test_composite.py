"""What profiles come to together: the vectors of the certification tool, and the traps of the
field (OCPP 1.6 sections 3.13 and 5.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from borne.domain.smart_charging import composite as composites
from borne.domain.smart_charging.composite import (
    CurveStep,
    Limit,
    PowerConversion,
    connector_curve,
    station_curve,
)
from borne.domain.smart_charging.profiles import (
    Installed,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    of_connector,
)
from tests.unit.domain.smart_charging.builders import (
    NOW,
    after,
    composite,
    installed,
    profile,
    situation,
    steps,
    window,
)

MAX, DEFAULT, TX = Purpose.STATION, Purpose.DEFAULT, Purpose.TRANSACTION


def tc_066() -> list[Installed]:
    return [
        installed(profile(MAX, {0: 10.0}, number=1), connector=0),
        installed(
            profile(
                DEFAULT, {0: 6.0, 60: 10.0, 120: 8.0, 180: 15.0, 260: 8.0}, number=2, duration=300
            )
        ),
        installed(
            profile(TX, {0: 8.0, 50: 11.0, 140: 16.0, 200: 6.0, 240: 12.0}, number=3, duration=260)
        ),
    ]


def test_tc_066_three_purposes() -> None:
    assert composite(*tc_066(), seconds=400) == {0: 8, 50: 10, 200: 6, 240: 10}


def test_tc_066_with_the_other_interpretation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composites, "TRANSACTION_REPLACES_DEFAULT", False)
    found = composite(*tc_066(), seconds=400)
    assert found == {0: 8, 50: 10, 200: 6, 240: 10, 260: 8, 300: 10}


def test_tc_072_stacked_profiles() -> None:
    low = profile(TX, {0: 6.0, 50: 5.0, 100: 8.0, 200: 10.0}, number=1, level=0, duration=400)
    high = profile(TX, {0: 7.0, 100: 9.0}, number=2, level=1, duration=150)
    found = composite(installed(low), installed(high), seconds=350)
    assert found == {0: 7, 100: 9, 150: 8, 200: 10}


def test_equal_neighbouring_periods_are_merged() -> None:
    entry = installed(profile(TX, {0: 10.0, 60: 10.0, 120: 12.0, 180: 12.0}))
    assert composite(entry, seconds=600) == {0: 10, 120: 12}
    assert composite(entry, seconds=600, local=10.0) == {0: 10}


def test_without_a_duration_the_highest_level_always_holds() -> None:
    """Errata 3.7."""
    entries = [
        installed(profile(TX, {0: 6.0}, number=1, level=0)),
        installed(profile(TX, {0: 9.0}, number=2, level=3)),
    ]
    assert composite(*entries, seconds=100_000) == {0: 9}


def test_without_any_profile_the_local_limit_holds() -> None:
    assert composite(seconds=600, local=16.0) == {0: 16}
    assert composite(seconds=600) == {0: None}


def test_a_window_of_zero_seconds_has_the_present_limit() -> None:
    entry = installed(profile(TX, {0: 9.0}))
    assert composite(entry, seconds=0, local=16.0) == {0: 9}


def test_a_later_period_of_an_absolute_profile_is_applied() -> None:
    """Also when it carries a recurrency that means nothing."""
    entry = installed(
        profile(DEFAULT, {0: 8.0, 3600: 12.0}, start=after(hours=-1), recurrency=Recurrency.DAILY)
    )
    assert composite(entry, seconds=60) == {0: 12}
    assert composite(entry, seconds=3600, at=after(minutes=-30)) == {0: 8, 1800: 12}


def test_a_profile_before_its_start_and_after_its_duration() -> None:
    entry = installed(profile(DEFAULT, {0: 8.0}, start=after(seconds=100), duration=50))
    assert composite(entry, seconds=300, local=16.0) == {0: 16, 100: 8, 150: 16}


def test_validity() -> None:
    entry = installed(
        profile(DEFAULT, {0: 8.0}, valid_from=after(seconds=30), valid_to=after(seconds=90))
    )
    assert composite(entry, seconds=300, local=16.0) == {0: 16, 30: 8, 90: 16}


def test_the_default_holds_until_the_profile_of_the_transaction_begins() -> None:
    entries = [
        installed(profile(DEFAULT, {0: 8.0}, number=1)),
        installed(profile(TX, {0: 12.0}, number=2, valid_from=after(seconds=60))),
    ]
    assert composite(*entries, seconds=300) == {0: 8, 60: 12}
    late = installed(profile(TX, {0: 12.0}, number=2, start=after(seconds=60)))
    assert composite(entries[0], late, seconds=300) == {0: 8, 60: 12}


def test_the_default_is_back_when_the_profile_of_the_transaction_is_not_valid_any_more() -> None:
    entries = [
        installed(profile(DEFAULT, {0: 8.0}, number=1)),
        installed(profile(TX, {0: 12.0}, number=2, valid_to=after(seconds=60))),
    ]
    assert composite(*entries, seconds=300) == {0: 12, 60: 8}


def test_a_default_of_the_connector_replaces_that_of_the_station() -> None:
    common = installed(profile(DEFAULT, {0: 8.0}, number=1), connector=0)
    own = installed(profile(DEFAULT, {0: 12.0}, number=2), connector=1)
    other = installed(profile(DEFAULT, {0: 6.0}, number=3), connector=2)
    assert composite(common, own, other, seconds=60) == {0: 12}
    assert composite(common, other, seconds=60) == {0: 8}
    assert of_connector([common, own], 2, None)[DEFAULT] == [common]


def test_relative_counts_from_the_transaction() -> None:
    entry = installed(profile(DEFAULT, {0: 16.0, 60: 8.0}, kind=ProfileKind.RELATIVE))
    assert composite(entry, seconds=100, started=after(seconds=-30)) == {0: 16, 30: 8}
    assert composite(entry, seconds=100, started=None) == {0: 16, 60: 8}


def test_absolute_without_a_start_counts_from_its_receipt() -> None:
    entry = installed(profile(DEFAULT, {0: 16.0, 60: 8.0}, start=None), received=after(seconds=-10))
    assert composite(entry, seconds=100, started=after(hours=-1)) == {0: 16, 50: 8}


@pytest.mark.parametrize(
    ("value", "unit", "phases", "conversion", "expected"),
    [
        (11_040.0, RateUnit.WATT, None, PowerConversion(), 16.0),
        (3_680.0, RateUnit.WATT, None, PowerConversion(), 5.3),
        (3_680.0, RateUnit.WATT, 1, PowerConversion(), 16.0),
        (3_680.0, RateUnit.WATT, 1, PowerConversion(measured=3), 5.3),
        (3_680.0, RateUnit.WATT, 3, PowerConversion(measured=1), 16.0),
        (3_680.0, RateUnit.WATT, None, PowerConversion(phases=1), 16.0),
        (3_680.0, RateUnit.WATT, None, PowerConversion(phases=1, voltage_v=240.0), 15.3),
        (16.0, RateUnit.AMPERE, 1, PowerConversion(), 16.0),
        (16.0, RateUnit.AMPERE, 3, PowerConversion(phases=1), 16.0),
    ],
)
def test_amps_from_watts(
    value: float, unit: RateUnit, phases: int | None, conversion: PowerConversion, expected: float
) -> None:
    entry = installed(profile(TX, {0: value}, unit=unit, phases=phases))
    assert composite(entry, seconds=60, conversion=conversion) == {0: expected}


def test_watts_from_amps() -> None:
    entry = installed(profile(TX, {0: 10.0}))
    assert composite(entry, seconds=60, unit=RateUnit.WATT) == {0: 6900}
    assert composite(
        entry, seconds=60, unit=RateUnit.WATT, conversion=PowerConversion(phases=1)
    ) == {0: 2300}


def test_amps_and_watts_mixed() -> None:
    entries = [
        installed(profile(MAX, {0: 10.0}, number=1), connector=0),
        installed(
            profile(TX, {0: 11_000.0, 600: 6_210.0, 900: 4_140.0}, number=2, unit=RateUnit.WATT)
        ),
    ]
    assert composite(*entries, seconds=1200) == {0: 10, 600: 9, 900: 6}


def at(day: int, hour: int, month: int = 3) -> datetime:
    """In Paris summer time begins on 29 March 2026 and ends on 25 October."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


NIGHT: dict[str, Any] = {"kind": ProfileKind.RECURRING, "recurrency": Recurrency.DAILY}


@pytest.mark.parametrize(
    ("start", "looked_at", "expected"),
    [
        # 07:00 in Paris is 06:00 UTC in winter and 05:00 UTC in summer.
        (at(27, 6), at(28, 0), {0: 20, 6 * 3600: 6, 7 * 3600: 20}),
        (at(27, 6), at(29, 0), {0: 20, 5 * 3600: 6, 6 * 3600: 20}),
        (at(20, 5, 10), at(25, 0, 10), {0: 20, 6 * 3600: 6, 7 * 3600: 20}),
    ],
    ids=["winter", "clocks go forward", "clocks go back"],
)
def test_a_daily_schedule_follows_the_wall_clock(
    start: datetime, looked_at: datetime, expected: dict[float, float]
) -> None:
    entry = installed(profile(DEFAULT, {0: 6.0}, start=start, duration=3600, **NIGHT))
    assert composite(entry, seconds=12 * 3600, at=looked_at, local=20.0) == expected


def test_a_daily_schedule_does_not_begin_before_its_start() -> None:
    entry = installed(profile(DEFAULT, {0: 6.0}, start=after(days=2), **NIGHT))
    assert composite(entry, seconds=3600, local=20.0) == {0: 20}


def test_a_daily_schedule_is_cut_after_a_day() -> None:
    entry = installed(
        profile(DEFAULT, {0: 6.0, 90_000: 30.0}, start=after(days=-3), duration=100_000, **NIGHT)
    )
    assert composite(entry, seconds=2 * 86_400, local=20.0) == {0: 6}


def test_a_weekly_schedule() -> None:
    entry = installed(
        profile(
            DEFAULT,
            {0: 6.0, 3600: 10.0},
            start=after(days=-6),
            duration=7200,
            kind=ProfileKind.RECURRING,
            recurrency=Recurrency.WEEKLY,
        )
    )
    day = 86_400
    found = composite(entry, seconds=3 * day, local=20.0)
    assert found == {0: 20, day: 6, day + 3600: 10, day + 7200: 20}


def test_the_station_sums_its_connectors_and_obeys_its_own_limit() -> None:
    """Two connectors with a default of 10 A under a maximum of 32 A may draw 20 A."""
    common = installed(profile(DEFAULT, {0: 10.0}, number=1), connector=0)
    most = installed(profile(MAX, {0: 32.0, 60: 15.0}, number=2), connector=0)
    view = window(120)
    idle = situation(common, most, started=None)
    lines = [connector_curve(idle, view, RateUnit.AMPERE, [DEFAULT, TX], Limit(16.0))] * 2
    station = connector_curve(idle, view, RateUnit.AMPERE, [MAX])
    assert steps(station_curve(lines, station, Limit(63.0))) == {0: 20, 60: 15}
    assert steps(station_curve(lines, station, Limit(18.0))) == {0: 18, 60: 15}


def test_the_sum_is_no_limit_while_one_connector_has_none() -> None:
    lines = [(CurveStep(0.0, Limit(10.0)),), (CurveStep(0.0, None), CurveStep(60.0, Limit(6.0)))]
    unlimited = (CurveStep(0.0, None),)
    assert steps(station_curve(lines, unlimited, None)) == {0: None, 60: 16}


def test_two_halves_equal_the_window() -> None:
    entries = tc_066()
    whole = composite(*entries, seconds=400)
    late = composite(*entries, seconds=200, at=NOW + timedelta(seconds=200))
    assert {start: value for start, value in whole.items() if start >= 200} == {
        start + 200: value for start, value in late.items()
    }


def test_a_relative_profile_of_the_station_counts_from_its_receipt() -> None:
    relative = profile(MAX, {0: 10.0, 600: 16.0}, kind=ProfileKind.RELATIVE, duration=1200)
    entry = installed(relative, 0, received=after(minutes=-5))
    assert composite(entry, seconds=3600, local=32.0) == {0: 10, 300: 16, 900: 32}


def phases_of(entry: Installed, connected: int = 3) -> list[tuple[float, int]]:
    curve = connector_curve(
        situation(entry, conversion=PowerConversion(connected)), window(600), RateUnit.WATT
    )
    return [(step.start_s, step.limit.phases) for step in curve if step.limit is not None]


def test_periods_that_differ_in_their_phases_only_stay_apart() -> None:
    """OCPP 1.6 section 7.12: without a number there are three."""
    found = profile(TX, {0: 2300.0, 60: 2300.0, 120: 2300.0, 180: 2300.0}, unit=RateUnit.WATT)
    numbers = (None, 3, 1, 2)
    periods = tuple(
        replace(period, phases=number)
        for period, number in zip(found.schedule.periods, numbers, strict=True)
    )
    entry = installed(replace(found, schedule=replace(found.schedule, periods=periods)))
    assert phases_of(entry) == [(0, 3), (120, 1), (180, 2)]
    assert phases_of(entry, connected=1) == [(0, 1)]


@pytest.mark.parametrize(
    ("own_level", "general_level", "expected"), [(0, 1, 8.0), (1, 1, 12.0), (2, 1, 12.0)]
)
def test_the_highest_level_counts_for_station_and_connector_defaults(
    own_level: int, general_level: int, expected: float
) -> None:
    entries = [
        installed(profile(DEFAULT, {0: 12.0}, number=1, level=own_level)),
        installed(profile(DEFAULT, {0: 8.0}, number=2, level=general_level), 0),
    ]
    assert composite(*entries, seconds=60) == {0: expected}


@pytest.mark.parametrize(
    ("month", "day", "begins_utc"), [(3, 29, (6, 5)), (10, 25, (5, 6))], ids=["spring", "autumn"]
)
def test_a_daily_profile_follows_the_wall_clock_over_a_change_of_summer_time(
    month: int, day: int, begins_utc: tuple[int, int]
) -> None:
    """At seven in Paris, on the day before and on the day of the change."""
    before, of_the_change = begins_utc
    first = datetime(2026, month, day, before, tzinfo=UTC) - timedelta(days=1)
    daily = profile(
        DEFAULT, {0: 8.0}, kind=ProfileKind.RECURRING, recurrency=Recurrency.DAILY, start=first,
        duration=3600,
    )  # fmt: skip
    found = composite(installed(daily), seconds=40 * 3600, at=first, local=32.0)
    second = datetime(2026, month, day, of_the_change, tzinfo=UTC)
    assert found[(second - first).total_seconds()] == 8.0
    assert [limit for limit in found.values() if limit == 8.0] == [8.0, 8.0]
