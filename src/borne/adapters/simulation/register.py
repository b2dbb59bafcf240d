"""The energy register of a meter, in whole Wh, integrated between events.

The energy that really flowed and the counted energy are separate, because a defective meter counts
too little or too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WS_PER_WH = 3600.0
ROUNDING_WH = 1e-6
"""Tolerance for rounding errors: a sum this close below a whole Wh counts as that Wh."""
HEALTHY = 1.0


class EnergyRegister:
    """Imported active energy. Survives power failures of the station."""

    def __init__(self, start_wh: int, now_s: float) -> None:
        self._shown_from_wh = start_wh
        self._energy_ws = 0.0
        self._counted_ws = 0.0
        self._power_w = 0.0
        self._counts = HEALTHY
        self._since_s = now_s
        self.tampered = 0
        """Number of manipulations."""

    @property
    def power_w(self) -> float:
        return self._power_w

    @property
    def shown_from_wh(self) -> int:
        """The register's offset: its value without any counted energy."""
        return self._shown_from_wh

    def energy_ws(self, now_s: float) -> float:
        """Energy that really flowed, in watt seconds."""
        return self._energy_ws + self._power_w * (now_s - self._since_s)

    def counted_ws(self, now_s: float) -> float:
        """Counted energy, in watt seconds."""
        return self._counted_ws + self._power_w * self._counts * (now_s - self._since_s)

    def set_power(self, power_w: float, now_s: float) -> None:
        """Set the power from now on; negative power (export) is not counted."""
        self._advance(now_s)
        self._power_w = max(0.0, power_w)

    def set_factor(self, factor: float, now_s: float) -> None:
        """Set the counting factor from now on: 1 is correct, 0 frozen."""
        self._advance(now_s)
        self._counts = factor

    def read_wh(self, now_s: float) -> int:
        """The value that the meter shows."""
        counted_wh = math.floor(self.counted_ws(now_s) / WS_PER_WH + ROUNDING_WH)
        return max(0, self._shown_from_wh + counted_wh)

    def shift(self, by_wh: int) -> None:
        """Shift the shown value from now on, as a defective meter would."""
        self._shown_from_wh += by_wh
        self.tampered += 1

    def show(self, register_wh: int, now_s: float) -> None:
        """Set the shown value, as after an exchange of the meter."""
        self.shift(register_wh - self.read_wh(now_s))

    def restore(
        self, shown_from_wh: int, energy_ws: float, counted_ws: float, now_s: float
    ) -> None:
        """Continue with values stored by an earlier run."""
        self._shown_from_wh = shown_from_wh
        self._energy_ws, self._counted_ws = energy_ws, counted_ws
        self._since_s = now_s

    def _advance(self, now_s: float) -> None:
        self._energy_ws = self.energy_ws(now_s)
        self._counted_ws = self.counted_ws(now_s)
        self._since_s = now_s


@dataclass(frozen=True, slots=True)
class TwoWayRegister:
    """The two registers of a meter that counts both directions, over all phases together."""

    imported: EnergyRegister
    exported: EnergyRegister

    def set_power(self, power_w: float, now_s: float) -> None:
        """Set the power from now on; negative power is exported."""
        self.imported.set_power(power_w, now_s)
        self.exported.set_power(-power_w, now_s)
