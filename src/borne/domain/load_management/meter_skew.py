"""How late the meter of the building shows what the stations draw (decision 0216).

Every skew is a hypothesis. If it is right, the rest of the building moved only as far as the
building itself moved; if it is wrong, each step of the stations is missing at one time and too much
at another. So the right one is the one with which the building moved least. A single step of the
building may look like one of the stations, so a later skew is given up only when more than one step
is against it: until then the stations count as not shown yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from borne.domain.load_management.own_history import OwnHistory

MAX_SKEW_S = 31
"""30 s, and the second until the next poll."""
EARLY_S = -5
"""A station may report a change after the meter has shown it: it measures, and the network is
slow."""
SKEWS_S = tuple(range(EARLY_S, MAX_SKEW_S + 1))
TOLERANCE_S = 1.0
LATER_S = TOLERANCE_S - EARLY_S
"""A reading is judged when the stations have reported this much more."""
FIRST_REPORTS_S = 10.0
"""After the start the sum grows with each station that reports, though none draws more."""

NOISE_A = 0.5
STEP_A = 24.0
"""Highest amount, in amps of all phases, with which one reading counts."""
PLAUSIBLE_A = 6.0
ONE_STEP = 1.1
"""A later skew stays plausible while no more than this share of the largest step is against it."""
REMEMBERED_A = 30.0
"""What is against all other skews when one is remembered: more than one step."""
KNOWN_WITHIN_S = 3.0
DENIED_A = 40.0
FORGOTTEN_A = 90.0
"""A difference of more than this is not kept, so that a few steps can prove the contrary."""
SLOT_S = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter showed, as the sum of the phases."""

    at_s: float
    total_a: float


@dataclass(frozen=True, slots=True)
class MeterSkew:
    """How far the building must have moved, for each skew of `SKEWS_S`, and as the last one for a
    meter that does not show the stations at all."""

    moved_a: tuple[float, ...] = (0.0,) * (len(SKEWS_S) + 1)
    rest_a: tuple[float, ...] | None = None
    """The rest of the building, for each hypothesis."""
    waiting: tuple[Reading, ...] = ()
    plausible: tuple[int, int] = field(default=(EARLY_S, MAX_SKEW_S))
    """The smallest and the largest skew that is not disproved, in seconds."""
    denied: bool = False
    """True if the meter does not show what the stations draw."""
    step_a: float = 0.0
    """The largest step that told skews apart."""

    @classmethod
    def remembered(cls, first_s: int, last_s: int) -> MeterSkew:
        """Return what was learnt before a restart: a skew within these seconds. Raises
        ValueError."""
        if not EARLY_S <= first_s <= last_s <= min(MAX_SKEW_S, first_s + KNOWN_WITHIN_S):
            raise ValueError(f"a skew of {first_s} to {last_s} s")
        against_a = (0.0 if first_s <= skew <= last_s else REMEMBERED_A for skew in SKEWS_S)
        return cls((*against_a, 0.0), plausible=(first_s, last_s))

    @property
    def known(self) -> bool:
        """True if the steps of the stations have shown how late the meter is."""
        first_s, last_s = self.plausible
        return not self.denied and last_s - first_s <= KNOWN_WITHIN_S

    def after_restart(self) -> MeterSkew:
        """Return what a master knows after its restart."""
        return MeterSkew.remembered(*self.plausible) if self.known else MeterSkew()

    def after(self, reading: Reading, own: OwnHistory) -> MeterSkew:
        """Add a reading; it is judged as soon as the stations have reported."""
        waiting = (*self.waiting, reading)
        ripe = [one for one in waiting if one.at_s <= reading.at_s - LATER_S]
        found = self
        for one in ripe:
            found = found._judged(one, own)
        return replace(found, waiting=waiting[len(ripe) :])

    def silent(self) -> MeterSkew:
        """The meter does not answer: what it shows next is compared with nothing."""
        return replace(self, rest_a=None, waiting=())

    def _judged(self, reading: Reading, own: OwnHistory) -> MeterSkew:
        if own.steady or reading.at_s < own.since_s + FIRST_REPORTS_S:
            same = (reading.total_a - own.now_a.total,) * len(SKEWS_S)
            return replace(self, rest_a=(*same, reading.total_a))
        shown_a = reading.total_a
        ranges = [(shown_a - high, shown_a - low) for low, high in _totals(own, reading.at_s)]
        ranges.append((shown_a, shown_a))
        if self.rest_a is None:
            return replace(self, rest_a=tuple(high for _, high in ranges))
        rest_a = [
            min(max(rest, low), high) for rest, (low, high) in zip(self.rest_a, ranges, strict=True)
        ]
        costs = [
            min(max(0.0, abs(new - old) - NOISE_A), STEP_A)
            for new, old in zip(rest_a, self.rest_a, strict=True)
        ]
        return self._moved(rest_a, costs)

    def _moved(self, rest_a: Sequence[float], costs: Sequence[float]) -> MeterSkew:
        if max(costs) == min(costs):
            return replace(self, rest_a=tuple(rest_a))
        step_a = max(self.step_a, max(costs) - min(costs))
        moved_a = [old + new for old, new in zip(self.moved_a, costs, strict=True)]
        min_a = min(moved_a)
        moved_a = [min(one - min_a, FORGOTTEN_A) for one in moved_a]
        best_a = min(moved_a[:-1])
        best_s = SKEWS_S[moved_a.index(best_a)]
        later_a = max(PLAUSIBLE_A, ONE_STEP * step_a)
        good = [
            skew
            for skew, one in zip(SKEWS_S, moved_a, strict=False)
            if one <= best_a + (later_a if skew > best_s else PLAUSIBLE_A)
        ]
        return replace(
            self,
            moved_a=tuple(moved_a),
            rest_a=tuple(rest_a),
            plausible=(good[0], good[-1]),
            denied=best_a > moved_a[-1] + DENIED_A,
            step_a=step_a,
        )


def _totals(own: OwnHistory, at_s: float) -> list[tuple[float, float]]:
    """Return the lowest and highest sum of the stations around `at_s` less each skew."""
    lows, highs = _slots(own, at_s)
    width = round(2 * TOLERANCE_S / SLOT_S) + 1
    starts = [round((MAX_SKEW_S - skew) / SLOT_S) for skew in SKEWS_S]
    return [(min(lows[n : n + width]), max(highs[n : n + width])) for n in starts]


def _slots(own: OwnHistory, at_s: float) -> tuple[list[float], list[float]]:
    """Return the lowest and highest sum of each half second, from the oldest that matters to the
    newest."""
    start_s = at_s - MAX_SKEW_S - TOLERANCE_S
    count = round((MAX_SKEW_S - EARLY_S + 2 * TOLERANCE_S) / SLOT_S) + 1
    lows: list[float] = []
    highs: list[float] = []
    last_low, last_high = own.steps[0].totals_a[2:]
    for step in own.steps:
        low, high, next_low, next_high = step.totals_a
        slot = int((step.at_s - start_s) / SLOT_S)
        if step.at_s >= start_s and slot < count:
            lows += [last_low] * (slot + 1 - len(lows))
            highs += [last_high] * (slot + 1 - len(highs))
            lows[slot], highs[slot] = min(lows[slot], low), max(highs[slot], high)
        elif slot >= count:
            break
        last_low, last_high = next_low, next_high
    return lows + [last_low] * (count - len(lows)), highs + [last_high] * (count - len(highs))
