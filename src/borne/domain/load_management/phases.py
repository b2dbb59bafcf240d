"""Detects from measured currents which phases of its socket a car uses (manual 7.6).

The currents of a car's phases differ by up to 0.7 A, and a small current flows on those that it
does not use; some cars use fewer phases at the end of a charge. A phase is released only after
several equal samples; it is added at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.load_management.topology import SocketPhase
from borne.foundation.units import PerPhase

CHARGING_A = 3.0
"""Below it the phases are unknown."""

USED_A = 1.0
USED_SHARE = 0.25
"""A used phase carries at least `USED_A`, and this share of the strongest phase."""

SAMPLES = 3
"""Equal samples before a phase is released."""

SETTLED_S = 5.0
"""Samples count for a release from this time after the contactor closed."""


def detect_phases(measured_a: PerPhase) -> frozenset[SocketPhase] | None:
    """Return the phases in use in one sample; None when the car draws too little."""
    strongest = max(measured_a)
    if not strongest >= CHARGING_A:  # also not a number
        return None
    least = max(USED_A, USED_SHARE * strongest)
    return frozenset(
        phase for phase, amps in zip(SocketPhase, measured_a, strict=True) if amps >= least
    )


@dataclass(frozen=True, slots=True)
class PhaseDetection:
    """Phase detection of one plugged-in car. It restarts when a car is plugged in, when the
    connection is lost, and when phases are switched."""

    used: frozenset[SocketPhase] | None = None
    """None: unknown, all connected phases count."""
    candidate: frozenset[SocketPhase] | None = None
    seen: int = 0

    def observe(
        self,
        measured_a: PerPhase,
        since_closed_s: float,
        connected: frozenset[SocketPhase],
    ) -> PhaseDetection:
        """Add a sample, `since_closed_s` after the contactor closed."""
        sample = detect_phases(measured_a)
        if sample is None or not sample & connected:
            return self if self.candidate is None else replace(self, candidate=None, seen=0)
        sample &= connected
        known = self
        if self.used is not None and not sample <= self.used:
            known = replace(self, used=self.used | sample)
        if since_closed_s < SETTLED_S or sample == known.used:
            return known if known.candidate is None else replace(known, candidate=None, seen=0)
        seen = known.seen + 1 if sample == known.candidate else 1
        if seen >= SAMPLES:
            return PhaseDetection(used=sample)
        return replace(known, candidate=sample, seen=seen)
