"""Quantities of a three-phase supply.

Amperes, volts and watts are floats with the unit in the name. A quantity per phase is a `PerPhase`.
"""

from __future__ import annotations

from typing import NamedTuple

PHASES = (0, 1, 2)


class PerPhase(NamedTuple):
    """A value for each of L1, L2, L3 (socket side unless the name says grid)."""

    l1: float
    l2: float
    l3: float

    @classmethod
    def same(cls, value: float) -> PerPhase:
        return cls(value, value, value)

    def plus(self, other: PerPhase) -> PerPhase:
        return PerPhase(self.l1 + other.l1, self.l2 + other.l2, self.l3 + other.l3)

    def minus(self, other: PerPhase) -> PerPhase:
        return PerPhase(self.l1 - other.l1, self.l2 - other.l2, self.l3 - other.l3)

    def times(self, other: PerPhase) -> PerPhase:
        """Product by phase, for example volts times amperes."""
        return PerPhase(self.l1 * other.l1, self.l2 * other.l2, self.l3 * other.l3)

    def lowest(self, other: PerPhase) -> PerPhase:
        """Minimum of each phase."""
        return PerPhase(min(self.l1, other.l1), min(self.l2, other.l2), min(self.l3, other.l3))

    def rounded(self, digits: int = 1) -> PerPhase:
        return PerPhase(round(self.l1, digits), round(self.l2, digits), round(self.l3, digits))

    @property
    def total(self) -> float:
        return self.l1 + self.l2 + self.l3


ZERO = PerPhase(0.0, 0.0, 0.0)
