"""Profiles after a change of the clock: a wrongly set clock must not lift a limit.

A profile was received at a time of the previous clock. When the clock is set afterwards, the
profile is evaluated twice, on the new clock and as if it had not been set. The lower limit applies
until the new time is confirmed: by a time server, or because it is plausible and was not changed
for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from borne.domain.smart_charging.profiles import Installed, Purpose, shifted

TOLERATED_S = 60.0
"""Setting the clock by no more than this causes no doubt."""
PLAUSIBLE_S = 26 * 3600.0
"""Covers a wrong time zone and a wrong day at midnight. A larger error would have been noticed."""
CONFIRMED_S = 3600.0
"""A plausible new time is trusted if the clock was not set again for this long."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """By how much the clock was set since the profile was received, and when it was set last."""

    seconds: float
    since_s: float

    @property
    def plausible(self) -> bool:
        """True if time alone confirms the new clock."""
        return abs(self.seconds) <= PLAUSIBLE_S


@dataclass(frozen=True, slots=True)
class Doubts:
    """Doubts about all profiles that were received before the clock was set."""

    of: Mapping[Installed, Doubt]

    @classmethod
    def none(cls) -> Doubts:
        """No doubts: the clock was not set."""
        return cls({})

    def after_step(self, book: Iterable[Installed], seconds: float, now_s: float) -> Doubts:
        """Return the doubts after the clock was set by `seconds`."""
        found: dict[Installed, Doubt] = {}
        for entry in book:
            before = self.of.get(entry)
            total = seconds + (before.seconds if before is not None else 0.0)
            if abs(total) > TOLERATED_S:
                found[entry] = Doubt(total, now_s)
        return Doubts(found)

    def at(self, book: Iterable[Installed], now_s: float) -> Doubts:
        """Return the doubts that remain now."""
        kept = set(book)
        return Doubts(
            {
                entry: doubt
                for entry, doubt in self.of.items()
                if entry in kept and not (doubt.plausible and now_s >= doubt.since_s + CONFIRMED_S)
            }
        )

    def next_end_s(self) -> float | None:
        """Return when the next doubt ends by time."""
        ends = [d.since_s + CONFIRMED_S for d in self.of.values() if d.plausible]
        return min(ends, default=None)

    def undisturbed(self, entry: Installed) -> Installed:
        """Return the profile as it would count if the clock had not been set."""
        doubt = self.of.get(entry)
        return entry if doubt is None else shifted(entry, doubt.seconds)


def from_the_future(entry: Installed, now: datetime) -> bool:
    """True if it was received under a clock far ahead of the current one: the valid period is
    unknown."""
    return entry.received_at > now + timedelta(seconds=PLAUSIBLE_S)


def by_purpose(
    profiles: Mapping[Purpose, Sequence[Installed]], doubts: Doubts
) -> dict[Purpose, list[Installed]]:
    """Return the profiles of a connector as if the clock had not been set."""
    return {
        purpose: [doubts.undisturbed(entry) for entry in entries]
        for purpose, entries in profiles.items()
    }
