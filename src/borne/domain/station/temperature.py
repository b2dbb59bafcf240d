"""Less current when the board gets hot: from 60 degrees Celsius linearly down to 6 A at 75, off at
80, on again 5 K below. Rising temperature counts at once, falling only after 5 K, so that nothing
hunts."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.station.pilot import LOWEST_OFFER_A

DERATE_FROM_C = 60.0
DERATE_TO_C = 75.0
OFF_C = 80.0
HYSTERESIS_K = 5.0


@dataclass(frozen=True, slots=True)
class Heat:
    """`counts_c` is the temperature that counts."""

    counts_c: float = float("-inf")

    @property
    def too_hot(self) -> bool:
        """No current at all."""
        return self.counts_c >= OFF_C

    def see(self, board_c: float) -> Heat:
        return Heat(max(board_c, min(self.counts_c, board_c + HYSTERESIS_K)))

    def limit_a(self, full_a: float) -> float | None:
        """What may be offered at most; None: heat is no reason for less."""
        if self.counts_c < DERATE_FROM_C:
            return None
        share = (DERATE_TO_C - self.counts_c) / (DERATE_TO_C - DERATE_FROM_C)
        return LOWEST_OFFER_A + max(0.0, share) * max(0.0, full_a - LOWEST_OFFER_A)
