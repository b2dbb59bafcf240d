"""What a car does not take of its offer goes to others (manual 7.4).

The offer itself is lowered to what the car takes and a margin: a car may at any time take all that
is offered, so that it does not suffice to count less for it.
"""

from __future__ import annotations

from dataclasses import dataclass

UNUSED_A = 1.0
"""A car that stays this far below its offer does not need it."""

USED_UP_A = 0.5
"""A car this near to its offer wants more."""

SETTLED_S = 12.0
"""A car rises slowly to its offer; one that has been below it for this long will not take more."""


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Whether one car takes less than its offer."""

    settled_a: float | None = None
    """What the car takes when that is less than its offer; None: it may have all."""
    below_since_s: float | None = None

    def observe(
        self, now_s: float, setpoint_a: float, changed_s: float, measured_a: float | None
    ) -> Reclaim:
        """One sample of the strongest phase.

        `changed_s`: when the setpoint in force was confirmed. A car that is paused or not
        measured has no bound.
        """
        if measured_a is None or setpoint_a <= 0 or measured_a >= setpoint_a - USED_UP_A:
            return Reclaim()
        if measured_a >= setpoint_a - UNUSED_A:
            return Reclaim(self.settled_a)
        since = max(now_s if self.below_since_s is None else self.below_since_s, changed_s)
        if now_s - since > SETTLED_S:
            return Reclaim(measured_a, since)
        return Reclaim(self.settled_a, since)
