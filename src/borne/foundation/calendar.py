"""Calendar months of a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TEXT = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_MONTHS = range(1, 13)
_YEARS = range(2, 9999)
"""The bounds of their months are dates in every zone."""


def zone_named(name: str) -> tzinfo:
    """A time zone of the IANA database; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime, zone: tzinfo) -> Month:
        """The month that a calendar in that zone shows."""
        local = moment.astimezone(zone)
        return cls(local.year, local.month)

    @classmethod
    def parse(cls, text: str) -> Month | None:
        """The inverse of `str`; None for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None or int(match[1]) not in _YEARS or int(match[2]) not in _MONTHS:
            return None
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def plus(self, months: int) -> Month:
        """So many months later, or earlier."""
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, index + 1)

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The first moment of the month there, and that of the next month."""
        later = self.plus(1)
        return (
            datetime(self.year, self.number, 1, tzinfo=zone),
            datetime(later.year, later.number, 1, tzinfo=zone),
        )
