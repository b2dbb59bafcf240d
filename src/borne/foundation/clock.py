"""The station's clock: UTC with a level of trust, and monotonic time.

Durations are measured on a monotonic source (that of the event loop), events are ordered by
sequence numbers, and dates come from this clock. Without a battery-backed clock the date is unknown
until a backend or a time server sets it. Until then a `Moment` has no date; it gets one later, once
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
"""Corrections up to this size are slewed; larger ones are steps, which are reported."""
SLEW_RATE = 0.1
"""Seconds of correction per second. Below 1, so the date never runs backwards."""


class ClockTrust(StrEnum):
    """Where the date comes from, weakest first."""

    NONE = "none"
    RTC = "rtc"
    BACKEND = "backend"
    NTP = "ntp"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time; `wall` (UTC) is None if the date was unknown."""

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
    """A step of the clock, and the source that caused it."""

    before: datetime
    after: datetime
    trust: ClockTrust
    dated: bool
    """True if the date was unknown before: undated moments of this boot can be dated now."""


def format_utc(when: datetime) -> str:
    """`2026-11-22T10:00:00.123Z`: UTC, at most milliseconds, no trailing zeros."""
    utc = when.astimezone(UTC)
    millis = utc.microsecond // 1000
    base = utc.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{base}.{millis:03d}Z" if millis else f"{base}Z"


def parse_utc(text: str) -> datetime:
    """Parse an ISO 8601 date to UTC; a date without offset counts as UTC."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


class Clock:
    """UTC derived from a monotonic source, with a level of trust."""

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
        """Sum of all steps of this boot, without the first date. `now() - stepped_by` grows with
        monotonic time, regardless of steps."""
        return self._stepped_by

    @property
    def trust(self) -> ClockTrust:
        """The source of the current date."""
        return self._trust

    def monotonic(self) -> float:
        """Seconds that never jump; only comparable within one boot."""
        return self._monotonic()

    def now(self) -> datetime:
        """The best known UTC; the epoch plus uptime while the date is unknown."""
        elapsed_s = self._monotonic() - self._base_s
        max_correction_s = elapsed_s * SLEW_RATE
        slewed_s = min(max(self._slew_s, -max_correction_s), max_correction_s)
        return self._wall_at_base + timedelta(seconds=elapsed_s + slewed_s)

    def moment(self) -> Moment:
        """The present, with a date if it is known."""
        wall = None if self._trust is ClockTrust.NONE else self.now()
        return Moment(self.boot_id, self._monotonic(), wall)

    def date(self, moment: Moment) -> datetime | None:
        """The date of a moment, or None while it is unknown."""
        if moment.wall is not None:
            return moment.wall
        if moment.boot_id != self.boot_id or self._trust is ClockTrust.NONE:
            return None
        return self.now() - timedelta(seconds=self._monotonic() - moment.monotonic_s)

    def observe(self, wall: datetime, trust: ClockTrust) -> None:
        """Set the date from a source; a weaker source never corrects a stronger one."""
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
