"""Moments in columns, and how they get dates: the undated moments of a boot are dated once, as soon
as the date of another moment of that boot is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from borne.adapters.storage.connection import DatabaseConnection
from borne.foundation.clock import EPOCH, Moment

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class BootDate:
    """The date of one moment of a boot."""

    wall_us: int
    monotonic_s: float

    def at(self, monotonic_s: float) -> int:
        """Return UTC microseconds of another moment of that boot, rounded to the millisecond that
        `to_text` keeps, so that a payload and its session agree."""
        return self.wall_us - round((self.monotonic_s - round(monotonic_s, 3)) * 1_000_000)


BootDates = Mapping[str, BootDate]


def to_us(wall: datetime) -> int:
    """Convert to UTC microseconds since 1970."""
    return (wall - EPOCH) // _MICROSECOND


def from_us(wall_us: int) -> datetime:
    """The inverse of `to_us`."""
    return EPOCH + wall_us * _MICROSECOND


def columns(moment: Moment, boot_dates: BootDates) -> tuple[str, float, int | None]:
    """Return boot, monotonic seconds, and UTC microseconds if the date is known."""
    boot, monotonic_s = moment.boot_id, float(moment.monotonic_s)
    if moment.wall is not None:
        return boot, monotonic_s, to_us(moment.wall)
    boot_date = boot_dates.get(boot)
    return boot, monotonic_s, boot_date.at(monotonic_s) if boot_date else None


def moment(boot: str, monotonic_s: float, wall_us: int | None) -> Moment:
    """The inverse of `columns`."""
    return Moment(boot, monotonic_s, None if wall_us is None else from_us(wall_us))


def dated(moment: Moment, boot_dates: BootDates) -> Moment:
    """Return the moment with its date, if that is known."""
    if moment.wall is not None or moment.boot_id not in boot_dates:
        return moment
    wall_us = boot_dates[moment.boot_id].at(moment.monotonic_s)
    return Moment(moment.boot_id, moment.monotonic_s, from_us(wall_us))


def read_boot_dates(connection: DatabaseConnection) -> dict[str, BootDate]:
    """Read all boots whose date became known late."""
    rows = connection.execute("SELECT boot, wall_us, monotonic_s FROM dating").fetchall()
    return {boot: BootDate(wall_us, monotonic_s) for boot, wall_us, monotonic_s in rows}
