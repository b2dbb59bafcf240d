"""A vehicle that draws more than it was offered.

It may draw (offer + 0.5 A) * 1.10 and has 5 s to follow a lower offer, so more than that for 7 s
is a fault: contactor off, state F, and another chance after a pause. The fourth time it stays
(practice of EVerest's manifest; IEC 61851-1 Table A.6 sequence 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.foundation.units import PerPhase

MARGIN_A = 0.5
MARGIN_FACTOR = 1.10
PATIENCE_S = 7.0
PAUSES_S = (30.0, 120.0, 600.0)
"""Before the second, third and fourth chance."""


def tolerated_a(offered_a: float) -> float:
    """What may be drawn without blame."""
    return (offered_a + MARGIN_A) * MARGIN_FACTOR


@dataclass(frozen=True, slots=True)
class OverCurrent:
    """What is known of the vehicle that is plugged in."""

    excess_a: PerPhase | None = None
    """What it really draws while that is more than tolerated: others must reckon with it."""
    since_s: float | None = None
    trips: int = 0
    until_s: float | None = None
    """The fault lasts until then; infinite when no chance is left."""

    @property
    def faulty(self) -> bool:
        """The fault is present."""
        return self.until_s is not None

    @property
    def latched(self) -> bool:
        """It had all its chances; only unplugging helps."""
        return self.until_s == float("inf")

    @property
    def due_s(self) -> float | None:
        """When `see` must be called again though nothing changed."""
        if self.until_s is not None:
            return None if self.latched else self.until_s
        return None if self.since_s is None else self.since_s + PATIENCE_S

    def see(
        self, drawn_a: PerPhase, offered_a: float, now_s: float, *, closed: bool
    ) -> OverCurrent:
        """What flows now through a contactor, and what is offered."""
        state = self
        if state.until_s is not None:
            if now_s < state.until_s:
                return replace(state, excess_a=None, since_s=None)
            state = replace(state, until_s=None)
        if not closed or max(drawn_a) <= tolerated_a(offered_a):
            return replace(state, excess_a=None, since_s=None)
        since_s = now_s if state.since_s is None else state.since_s
        if now_s < since_s + PATIENCE_S:
            return replace(state, excess_a=drawn_a, since_s=since_s)
        last = state.trips >= len(PAUSES_S)
        until_s = float("inf") if last else now_s + PAUSES_S[state.trips]
        return OverCurrent(trips=state.trips + 1, until_s=until_s)
