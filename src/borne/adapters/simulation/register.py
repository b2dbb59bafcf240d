"""The energy register of a meter: counts whole Wh, integrated between events, never by ticks.

The energy that truly flowed is kept apart from what the register has counted: a defective meter
counts nothing, or too much.
"""

from __future__ import annotations

import math

WS_PER_WH = 3600.0
ROUNDING_WH = 1e-6
"""A sum of floats that misses a whole Wh by less than this has reached it."""
HEALTHY = 1.0


class EnergyRegister:
    """Imported active energy. It survives power cuts of the station."""

    def __init__(self, start_wh: int, now_s: float) -> None:
        self._shown_from_wh = start_wh
        self._energy_ws = 0.0
        self._counted_ws = 0.0
        self._power_w = 0.0
        self._counts = HEALTHY
        self._since_s = now_s
        self.tampered = 0
        """How often it was made to show something else than it had counted."""

    @property
    def power_w(self) -> float:
        return self._power_w

    @property
    def shown_from_wh(self) -> int:
        """What it would show if it had counted nothing."""
        return self._shown_from_wh

    def energy_ws(self, now_s: float) -> float:
        """True energy that has flowed since the register was made, in watt seconds."""
        return self._energy_ws + self._power_w * (now_s - self._since_s)

    def counted_ws(self, now_s: float) -> float:
        """What the register has counted of it, in watt seconds."""
        return self._counted_ws + self._power_w * self._counts * (now_s - self._since_s)

    def set_power(self, power_w: float, now_s: float) -> None:
        """From now on `power_w` flows; negative power (export) does not count."""
        self._advance(now_s)
        self._power_w = max(0.0, power_w)

    def count(self, factor: float, now_s: float) -> None:
        """From now on `factor` times the energy is counted: 1 in order, 0 frozen."""
        self._advance(now_s)
        self._counts = factor

    def read_wh(self, now_s: float) -> int:
        """What the register shows."""
        counted_wh = math.floor(self.counted_ws(now_s) / WS_PER_WH + ROUNDING_WH)
        return max(0, self._shown_from_wh + counted_wh)

    def shift(self, by_wh: int) -> None:
        """The register shows that much more (or less) from now on: a defective meter."""
        self._shown_from_wh += by_wh
        self.tampered += 1

    def show(self, register_wh: int, now_s: float) -> None:
        """The register shows `register_wh` now: another meter was installed."""
        self.shift(register_wh - self.read_wh(now_s))

    def restore(
        self, shown_from_wh: int, energy_ws: float, counted_ws: float, now_s: float
    ) -> None:
        """Go on from what was stored by an earlier run of the program."""
        self._shown_from_wh = shown_from_wh
        self._energy_ws, self._counted_ws = energy_ws, counted_ws
        self._since_s = now_s

    def _advance(self, now_s: float) -> None:
        self._energy_ws = self.energy_ws(now_s)
        self._counted_ws = self.counted_ws(now_s)
        self._since_s = now_s
