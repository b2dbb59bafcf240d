"""Time as the station knows it.

Durations come from a monotonic source (the event loop's), order from sequence numbers, dates from
this clock. A station without a battery-backed clock does not know the date until a backend or a
time server tells it; what happens before is a `Moment` without a date and is dated once, later
(OCPP 1.6 errata 3.10, field complaint "1970 after power loss").
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from borne.foundation.events import Signal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLEW_LIMIT_S = 2.0
"""A correction up to this size is made gradually; a larger one is a step that is reported."""
SLEW_RATE = 0.1
"""Seconds of correction in a second: the date never goes back for it."""


class ClockTrust(StrEnum):
    """Where the date comes from, weakest first."""

    NONE = "none"
    RTC = "rtc"
    BACKEND = "backend"
    NTP = "ntp"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time; `wall` (UTC) is missing while nobody knew the date."""

    boot_id: str
    monotonic_s: float
    wall: datetime | None

    def to_text(self) -> str:
        """ISO 8601 in UTC, or `moment:<boot>:<seconds>` while undated."""
        if self.wall is None:
            return f"moment:{self.boot_id}:{self.monotonic_s:.3f}"
        return format_utc(self.wall)

    @classmethod
    def from_text(cls, text: str) -> Moment:
        """The inverse of `to_text`; raises ValueError."""
        if text.startswith("moment:"):
            _, boot_id, seconds = text.split(":")
            return cls(boot_id, float(seconds), None)
        return cls("", 0.0, parse_utc(text))


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock was set: by how much, and who said so."""

    before: datetime
    after: datetime
    trust: ClockTrust
    dated: bool
    """True when the clock had no trust before: undated moments of this boot can be dated now."""


def format_utc(when: datetime) -> str:
    """`2026-11-22T10:00:00.123Z`: UTC, at most milliseconds, no trailing zeros."""
    utc = when.astimezone(UTC)
    millis = utc.microsecond // 1000
    base = utc.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{base}.{millis:03d}Z" if millis else f"{base}Z"


def parse_utc(text: str) -> datetime:
    """An ISO 8601 date with offset, as UTC; a date without offset is taken as UTC."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


class Clock:
    """UTC on top of a monotonic source, with the trust it deserves."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        wall: datetime = EPOCH,
        trust: ClockTrust = ClockTrust.NONE,
        boot_id: str | None = None,
    ) -> None:
        self.boot_id = boot_id or uuid.uuid4().hex[:12]
        self.stepped: Signal[ClockStep] = Signal()
        self._monotonic = monotonic
        self._base_s = monotonic()
        self._wall_at_base = wall
        self._slew_s = 0.0
        self._trust = trust
        self._stepped_by = timedelta()

    @property
    def stepped_by(self) -> timedelta:
        """All steps of this boot together, but the first date. A date less this grows as the
        monotonic time does, whatever the clock is set to."""
        return self._stepped_by

    @property
    def trust(self) -> ClockTrust:
        """Who vouches for the date."""
        return self._trust

    def monotonic(self) -> float:
        """Seconds that never jump; comparable within this boot only."""
        return self._monotonic()

    def now(self) -> datetime:
        """The best known UTC; 1970 plus uptime while there is no trust."""
        elapsed_s = self._monotonic() - self._base_s
        most_s = elapsed_s * SLEW_RATE
        slewed_s = min(max(self._slew_s, -most_s), most_s)
        return self._wall_at_base + timedelta(seconds=elapsed_s + slewed_s)

    def moment(self) -> Moment:
        """Now, with a date if it is known."""
        wall = None if self._trust is ClockTrust.NONE else self.now()
        return Moment(self.boot_id, self._monotonic(), wall)

    def date(self, moment: Moment) -> datetime | None:
        """When that was, or None while it cannot be known."""
        if moment.wall is not None:
            return moment.wall
        if moment.boot_id != self.boot_id or self._trust is ClockTrust.NONE:
            return None
        return self.now() - timedelta(seconds=self._monotonic() - moment.monotonic_s)

    def observe(self, wall: datetime, trust: ClockTrust) -> None:
        """Take over a date from `trust`; a weaker source never corrects a stronger one."""
        ranks = list(ClockTrust)
        if ranks.index(trust) < ranks.index(self._trust):
            return
        before, dated = self.now(), self._trust is ClockTrust.NONE
        after = wall.astimezone(UTC)
        error_s = (after - before).total_seconds()
        slews = not dated and abs(error_s) <= SLEW_LIMIT_S
        self._trust = trust
        self._base_s = self._monotonic()
        self._wall_at_base = before if slews else after
        self._slew_s = error_s if slews else 0.0
        if not slews:
            self._stepped_by += timedelta() if dated else after - before
            self.stepped.emit(ClockStep(before, after, trust, dated))
