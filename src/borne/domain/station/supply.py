"""The supply as measured by the billing meter: missing or low phases, too high voltage, no voltage.

A phase below 0.8 or above 1.1 times the nominal voltage for 3 s is a fault (EN 50160 allows 0.85 to
1.1). If all phases are without voltage and no contact shows why, the residual current device may
have tripped (manual 9, "RCD may be triggered").
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from borne.domain.station.persistence import Persisting
from borne.foundation.units import PerPhase

NOMINAL_V = 230.0
LOW_FACTOR = 0.8
HIGH_FACTOR = 1.1
HYSTERESIS_FACTOR = 0.02
DARK_V = 50.0
FAULT_DELAY_S = 3.0
RECOVERY_S = 3.0


def _watch() -> Persisting:
    return Persisting(FAULT_DELAY_S, RECOVERY_S)


@dataclass(frozen=True, slots=True)
class Supply:
    """The state of the phases of one socket."""

    measured: bool = False
    """The meter has measured a voltage; one that never does has no voltage input."""
    low: Persisting = field(default_factory=_watch)
    high: Persisting = field(default_factory=_watch)
    dark: Persisting = field(default_factory=lambda: Persisting(FAULT_DELAY_S, 0.0))

    @property
    def due_s(self) -> float | None:
        """When `update` must be called again even without a change."""
        times = [w.due_s for w in (self.low, self.high, self.dark) if w.due_s is not None]
        return min(times) if times else None

    def update(self, voltage_v: PerPhase, now_s: float, phases: int = 3) -> Supply:
        """Process the voltages of the connected phases."""
        volts = voltage_v[:phases]
        if not self.measured and max(volts) < DARK_V:
            return self
        margin_v = HYSTERESIS_FACTOR * NOMINAL_V
        low_v = LOW_FACTOR * NOMINAL_V + (margin_v if self.low.present else 0.0)
        high_v = HIGH_FACTOR * NOMINAL_V - (margin_v if self.high.present else 0.0)
        dark = max(volts) < DARK_V
        return replace(
            self,
            measured=True,
            dark=self.dark.update(dark, now_s),
            low=self.low.update(not dark and min(volts) < low_v, now_s),
            high=self.high.update(max(volts) > high_v, now_s),
        )
