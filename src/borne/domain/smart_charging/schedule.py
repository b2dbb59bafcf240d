"""When each limit of a profile applies: the stretches of one profile within a window of time.

Source: OCPP 1.6 sections 7.9, 7.13, 7.37; errata 3.7. A recurring schedule begins at the same local
time each day or week, so that some days have 23 or 25 hours. It never begins before its start, and
a schedule longer than its period is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from borne.domain.smart_charging.profiles import (
    Installed,
    Period,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A limit from `start` until `end` (exclusive)."""

    start: datetime
    end: datetime
    period: Period
    unit: RateUnit
    profile_id: int


def stretches(
    installed: Installed,
    transaction_start: datetime,
    zone: tzinfo,
    start: datetime,
    end: datetime,
) -> list[Stretch]:
    """Return the limits of a profile within [start, end), in order, with gaps where it has no
    limit."""
    profile = installed.profile
    lower = max(start, profile.valid_from) if profile.valid_from else start
    upper = min(end, profile.valid_to) if profile.valid_to else end
    found: list[Stretch] = []
    for begin, stop in _runs(installed, transaction_start, zone, lower, upper):
        found.extend(_run(installed, begin, max(lower, begin), min(upper, stop)))
    return found


def begun_at(installed: Installed, transaction_start: datetime) -> datetime:
    """Return when the schedule of a valid profile begins to count for the first time."""
    profile = installed.profile
    first = first_start(installed, transaction_start)
    return max(first, profile.valid_from) if profile.valid_from else first


def first_start(installed: Installed, transaction_start: datetime) -> datetime:
    """Return the start of its first period. A relative profile of the station has no transaction:
    it counts from its receipt, like an absolute one without a start."""
    profile = installed.profile
    if profile.kind is ProfileKind.RELATIVE and profile.purpose is not Purpose.STATION:
        return transaction_start
    return installed.profile.schedule.start or installed.received_at


def _runs(
    installed: Installed,
    transaction_start: datetime,
    zone: tzinfo,
    lower: datetime,
    upper: datetime,
) -> Iterator[tuple[datetime, datetime]]:
    """Return begin and end of each run of the schedule that overlaps [lower, upper)."""
    profile = installed.profile
    first = first_start(installed, transaction_start)
    if lower >= upper:
        return
    if profile.kind is not ProfileKind.RECURRING or profile.recurrency is None:
        yield first, upper
        return
    days = 1 if profile.recurrency is Recurrency.DAILY else 7
    count = max(0, (lower - first) // timedelta(days=days) - 1)
    while (begin := _occurrence(first, zone, days * count)) < upper:
        following = _occurrence(first, zone, days * (count + 1))
        if following > lower:
            yield begin, following
        count += 1


def _occurrence(first: datetime, zone: tzinfo, days: int) -> datetime:
    """Return the same local time a number of days later."""
    if days == 0:
        return first
    return (first.astimezone(zone) + timedelta(days=days)).astimezone(UTC)


def _run(
    installed: Installed, begin: datetime, lower: datetime, upper: datetime
) -> Iterator[Stretch]:
    schedule = installed.profile.schedule
    if schedule.duration_s is not None:
        upper = min(upper, begin + timedelta(seconds=schedule.duration_s))
    starts = [begin + timedelta(seconds=period.start_s) for period in schedule.periods]
    for period, start, end in zip(schedule.periods, starts, [*starts[1:], upper], strict=True):
        if max(start, lower) < min(end, upper):
            yield Stretch(
                max(start, lower),
                min(end, upper),
                period,
                schedule.unit,
                installed.profile.profile_id,
            )
