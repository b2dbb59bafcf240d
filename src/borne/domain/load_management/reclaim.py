"""Gives what a car leaves of its offer to others (manual 7.4).

The offer itself is lowered to the car's current and a margin: a car may at any time draw all that
is offered, so it is not enough to count less for it.
"""

from __future__ import annotations

from dataclasses import dataclass

UNUSED_A = 1.0
"""A car that stays this far below its offer does not need it."""

USED_UP_A = 0.5
"""A car within this distance of its offer wants more."""

SETTLED_S = 12.0
"""A car rises slowly to its offer; one that has been below it for this long will not draw more."""


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Detects if one car draws less than its offer."""

    settled_a: float | None = None
    """The car's current when it is less than its offer; None: no bound."""
    below_since_s: float | None = None

    def observe(
        self, now_s: float, setpoint_a: float, changed_s: float, measured_a: float | None
    ) -> Reclaim:
        """Add one sample of the strongest phase.

        `changed_s`: when the current setpoint was confirmed. A car that is paused or not measured
        has no bound.
        """
        if measured_a is None or setpoint_a <= 0 or measured_a >= setpoint_a - USED_UP_A:
            return Reclaim()
        if measured_a >= setpoint_a - UNUSED_A:
            return Reclaim(self.settled_a)
        since = max(now_s if self.below_since_s is None else self.below_since_s, changed_s)
        if now_s - since > SETTLED_S:
            return Reclaim(measured_a, since)
        return Reclaim(self.settled_a, since)
