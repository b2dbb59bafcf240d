"""What a driver still needs, by when: how much current that takes, and how urgent it is.

Energy and departure come from the driver, the backend or the energy manager. A car whose departure
has passed, or whose energy is not known, is served like one without a demand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import sqrt

from borne.domain.load_management.topology import SocketPhase
from borne.foundation.units import PerPhase

SECONDS_PER_HOUR = 3600.0

CHARGING_TIME_COUNTS = 0.5
"""How much of the charging time makes a car more urgent: with 1 the one with the least time to
spare comes first, with 0 the one that departs first. Between them most energy is delivered."""

PHASE_LEAD_S = 30 * 60.0
"""Lead of a car for each phase that it uses: a line that is full on one phase wastes the others
least with cars of three phases."""


@dataclass(frozen=True, slots=True)
class Need:
    """Energy that is still wanted, and the time left for it."""

    energy_wh: float
    left_s: float
    watts_per_amp: float
    phases: int = 1
    """Number of phases that the car uses, as far as known."""

    @property
    def average_a(self) -> float:
        """The current that is just enough if it flows until the departure."""
        return self.energy_wh * SECONDS_PER_HOUR / (self.left_s * self.watts_per_amp)

    def charging_s(self, amps: float) -> float:
        """Return how long charging takes with a current; at most the time left."""
        if amps <= 0:
            return 0.0
        needed_s = self.energy_wh * SECONDS_PER_HOUR / (amps * self.watts_per_amp)
        return min(self.left_s, needed_s)

    def urgency_s(self, upper_a: float) -> float:
        """Return a time that orders cars, the lower the more urgent; `upper_a`: its highest
        current."""
        working_s = CHARGING_TIME_COUNTS * self.charging_s(upper_a)
        return self.left_s - working_s - PHASE_LEAD_S * self.phases


def need(
    energy_wh: float | None,
    departs_s: float | None,
    now_s: float,
    watts_per_amp: float,
    phases: int = 1,
) -> Need | None:
    """Return what is needed; None without an energy or a departure that lies ahead."""
    if energy_wh is None or departs_s is None or not (energy_wh > 0 and departs_s > now_s):
        return None
    return Need(energy_wh, departs_s - now_s, watts_per_amp, phases)


def watts_per_amp(
    phases: Collection[SocketPhase] | None, voltage_v: float, *, it_network: bool = False
) -> float:
    """Return the power of one amp on the `phases` that a car uses; while they are unknown it may be
    one."""
    count = 1 if phases is None else len(phases)
    if it_network:
        return voltage_v * (sqrt(3) if count == len(PerPhase._fields) else 1.0)
    return voltage_v * count
