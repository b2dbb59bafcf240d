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


@dataclass(frozen=True, slots=True)
class Need:
    """Energy that is still wanted, and the time left for it."""

    energy_wh: float
    left_s: float
    watts_per_amp: float

    @property
    def average_a(self) -> float:
        """The current that is just enough if it flows until the departure."""
        return self.energy_wh * SECONDS_PER_HOUR / (self.left_s * self.watts_per_amp)

    def laxity_s(self, upper_a: float) -> float:
        """Return how long the car can wait if it then charges with `upper_a`; negative: it cannot
        be ready in time."""
        if upper_a <= 0:
            return self.left_s
        return self.left_s - self.energy_wh * SECONDS_PER_HOUR / (upper_a * self.watts_per_amp)


def need(
    energy_wh: float | None, departs_s: float | None, now_s: float, watts_per_amp: float
) -> Need | None:
    """Return what is needed; None without an energy or a departure that lies ahead."""
    if energy_wh is None or departs_s is None or not (energy_wh > 0 and departs_s > now_s):
        return None
    return Need(energy_wh, departs_s - now_s, watts_per_amp)


def watts_per_amp(
    phases: Collection[SocketPhase] | None, voltage_v: float, *, it_network: bool = False
) -> float:
    """Return the power of one amp on the `phases` that a car uses; while they are unknown it may be
    one."""
    count = 1 if phases is None else len(phases)
    if it_network:
        return voltage_v * (sqrt(3) if count == len(PerPhase._fields) else 1.0)
    return voltage_v * count
