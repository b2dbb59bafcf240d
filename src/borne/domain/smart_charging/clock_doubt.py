"""Profiles while the clock is in doubt: a clock that is set wrongly must not lift a limit.

A profile was received at a time of the clock of then. When the clock is set afterwards, the profile
is evaluated twice, on the new clock and as if it had not been set, and the lower limit holds until
the new time is confirmed: by a time server, or because it is plausible and held for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from borne.domain.smart_charging.profiles import Installed, Purpose, shifted

TOLERATED_S = 60.0
"""A clock that is set by no more than this puts no profile in doubt."""
PLAUSIBLE_S = 26 * 3600.0
"""A wrong time zone and a wrong day at midnight account for this much. More than that would have
been noticed."""
CONFIRMED_S = 3600.0
"""A plausible new time is believed when nobody set the clock again for so long."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """By how much the clock was set since the profile came, and when it was set last."""

    seconds: float
    since_s: float

    @property
    def plausible(self) -> bool:
        """Whether time alone confirms it."""
        return abs(self.seconds) <= PLAUSIBLE_S


@dataclass(frozen=True, slots=True)
class Doubts:
    """The doubts about all profiles that came before the clock was set."""

    of: Mapping[Installed, Doubt]

    @classmethod
    def none(cls) -> Doubts:
        """The clock was not set."""
        return cls({})

    def after_step(self, book: Iterable[Installed], seconds: float, now_s: float) -> Doubts:
        """The clock was set by so much."""
        found: dict[Installed, Doubt] = {}
        for entry in book:
            before = self.of.get(entry)
            total = seconds + (before.seconds if before is not None else 0.0)
            if abs(total) > TOLERATED_S:
                found[entry] = Doubt(total, now_s)
        return Doubts(found)

    def at(self, book: Iterable[Installed], now_s: float) -> Doubts:
        """What is still in doubt."""
        kept = set(book)
        return Doubts(
            {
                entry: doubt
                for entry, doubt in self.of.items()
                if entry in kept and not (doubt.plausible and now_s >= doubt.since_s + CONFIRMED_S)
            }
        )

    def next_end_s(self) -> float | None:
        """When time confirms the next one."""
        ends = [d.since_s + CONFIRMED_S for d in self.of.values() if d.plausible]
        return min(ends, default=None)

    def undisturbed(self, entry: Installed) -> Installed:
        """The profile as it would count if the clock had not been set."""
        doubt = self.of.get(entry)
        return entry if doubt is None else shifted(entry, doubt.seconds)


def from_the_future(entry: Installed, now: datetime) -> bool:
    """It came under a clock that was far ahead of this one: nobody knows which period holds."""
    return entry.received_at > now + timedelta(seconds=PLAUSIBLE_S)


def by_purpose(
    profiles: Mapping[Purpose, Sequence[Installed]], doubts: Doubts
) -> dict[Purpose, list[Installed]]:
    """The profiles of a connector as if the clock had not been set."""
    return {
        purpose: [doubts.undisturbed(entry) for entry in entries]
        for purpose, entries in profiles.items()
    }
