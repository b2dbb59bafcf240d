"""What the stations drew in the last forty seconds."""

from __future__ import annotations

from dataclasses import dataclass

from borne.foundation.units import ZERO, PerPhase

HISTORY_S = 42.0
MERGED_S = 0.5
"""Changes closer together are one step, of which the lowest and the highest value count."""


@dataclass(frozen=True, slots=True)
class OwnStep:
    """The current from `at_s` on, in amps per grid phase, between two bounds; `low_a` and `high_a`
    include those while it settled."""

    at_s: float
    low_a: PerPhase
    high_a: PerPhase
    last_a: PerPhase
    """The lower bound."""
    last_high_a: PerPhase
    totals_a: tuple[float, float, float, float]
    """Sums of the phases of the four."""

    @classmethod
    def of(cls, at_s: float, low_a: PerPhase, high_a: PerPhase) -> OwnStep:
        totals_a = (low_a.total, high_a.total)
        return cls(at_s, low_a, high_a, low_a, high_a, totals_a * 2)

    def bounds(self, from_s: float) -> tuple[PerPhase, PerPhase]:
        """The lowest and the highest value from `from_s` on, until the next step."""
        if self.at_s > from_s - MERGED_S:
            return self.low_a, self.high_a
        return self.last_a, self.last_high_a

    def followed_by(self, amps: PerPhase, max_a: PerPhase) -> OwnStep:
        """Return the step with bounds that came soon after it."""
        total_a, total_max_a = amps.total, max_a.total
        return OwnStep(
            self.at_s,
            self.low_a.lowest(amps),
            highest(self.high_a, max_a),
            amps,
            max_a,
            (
                min(self.totals_a[0], total_a),
                max(self.totals_a[1], total_max_a),
                total_a,
                total_max_a,
            ),
        )


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """The sum of the stations' currents; the first value also counts for the time before it. It
    lies between two bounds while cars follow lower offers that they have not been measured at."""

    steps: tuple[OwnStep, ...] = ()
    since_s: float = 0.0
    """When the first value came."""

    @property
    def now_a(self) -> PerPhase:
        """The present value, at least."""
        return self.steps[-1].last_a if self.steps else ZERO

    @property
    def steady(self) -> bool:
        """True if nothing changed within the history, and the present value is certain."""
        return len(self.steps) < 2 and all(one.last_a == one.last_high_a for one in self.steps)

    def with_value(self, at_s: float, amps: PerPhase, max_a: PerPhase | None = None) -> OwnHistory:
        """Add a value, in order of time; with `max_a` it lies between the two."""
        max_a = amps if max_a is None else max_a
        if not self.steps:
            return OwnHistory((OwnStep.of(at_s, amps, max_a),), at_s)
        last = self.steps[-1]
        if (amps, max_a) == (last.last_a, last.last_high_a):
            return self
        if at_s - last.at_s < MERGED_S:
            return OwnHistory((*self.steps[:-1], last.followed_by(amps, max_a)), self.since_s)
        return OwnHistory((*self.steps, OwnStep.of(at_s, amps, max_a)), self.since_s)

    def until(self, now_s: float) -> OwnHistory:
        """Forget what is too old."""
        steps, start_s = self.steps, now_s - HISTORY_S
        old = 0
        while old + 1 < len(steps) and steps[old + 1].at_s <= start_s:
            old += 1
        return OwnHistory(steps[old:], self.since_s) if old else self

    def between(self, from_s: float, to_s: float) -> tuple[PerPhase, PerPhase]:
        """The lowest and the highest value of each phase from `from_s` to `to_s`, both included."""
        steps = self.steps
        if not steps:
            return ZERO, ZERO
        number = len(steps) - 1
        while number > 0 and steps[number].at_s > to_s:
            number -= 1
        low_a, high_a = steps[number].bounds(from_s)
        while number > 0 and steps[number].at_s > from_s:
            number -= 1
            before_low_a, before_high_a = steps[number].bounds(from_s)
            low_a, high_a = low_a.lowest(before_low_a), highest(high_a, before_high_a)
        return low_a, high_a

    def changed_between(self, from_s: float, to_s: float) -> bool:
        """True if a step came in this time, both ends included."""
        return any(from_s - MERGED_S < step.at_s <= to_s for step in self.steps[1:])


def highest(one: PerPhase, other: PerPhase) -> PerPhase:
    """Maximum of each phase."""
    return PerPhase(max(one.l1, other.l1), max(one.l2, other.l2), max(one.l3, other.l3))
