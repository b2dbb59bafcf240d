"""Reduction of the current when the board is hot: from 60 degrees Celsius linearly down to 6 A at
75, off at 80, on again 5 K below. A rising temperature counts at once, a falling one only after 5
K, to avoid oscillation."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.station.pilot import LOWEST_OFFER_A

DERATE_FROM_C = 60.0
DERATE_TO_C = 75.0
OFF_C = 80.0
HYSTERESIS_K = 5.0


@dataclass(frozen=True, slots=True)
class Heat:
    """`effective_c` is the temperature used for the limit."""

    effective_c: float = float("-inf")

    @property
    def too_hot(self) -> bool:
        """True if no current is allowed."""
        return self.effective_c >= OFF_C

    def update(self, board_c: float) -> Heat:
        return Heat(max(board_c, min(self.effective_c, board_c + HYSTERESIS_K)))

    def limit_a(self, full_a: float) -> float | None:
        """The highest permitted offer; None if the temperature does not limit it."""
        if self.effective_c < DERATE_FROM_C:
            return None
        share = (DERATE_TO_C - self.effective_c) / (DERATE_TO_C - DERATE_FROM_C)
        return LOWEST_OFFER_A + max(0.0, share) * max(0.0, full_a - LOWEST_OFFER_A)
