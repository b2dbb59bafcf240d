"""Quantities of a three-phase supply.

Amperes, volts and watts are floats whose names carry the unit; what exists three times, once for
each phase, is a `PerPhase`.
"""

from __future__ import annotations

from typing import NamedTuple

PHASES = (0, 1, 2)


class PerPhase(NamedTuple):
    """One number for each of L1, L2, L3 (socket side unless a name says grid)."""

    l1: float
    l2: float
    l3: float

    @classmethod
    def same(cls, value: float) -> PerPhase:
        """The same value on all phases."""
        return cls(value, value, value)

    def plus(self, other: PerPhase) -> PerPhase:
        """Sum, phase by phase."""
        return PerPhase(self.l1 + other.l1, self.l2 + other.l2, self.l3 + other.l3)

    def minus(self, other: PerPhase) -> PerPhase:
        """Difference, phase by phase."""
        return PerPhase(self.l1 - other.l1, self.l2 - other.l2, self.l3 - other.l3)

    def times(self, other: PerPhase) -> PerPhase:
        """Product, phase by phase (volts times amperes)."""
        return PerPhase(self.l1 * other.l1, self.l2 * other.l2, self.l3 * other.l3)

    def lowest(self, other: PerPhase) -> PerPhase:
        """The smaller value of each phase."""
        return PerPhase(min(self.l1, other.l1), min(self.l2, other.l2), min(self.l3, other.l3))

    def rounded(self, digits: int = 1) -> PerPhase:
        """Rounded for people and messages."""
        return PerPhase(round(self.l1, digits), round(self.l2, digits), round(self.l3, digits))

    @property
    def total(self) -> float:
        """Sum over the phases."""
        return self.l1 + self.l2 + self.l3


ZERO = PerPhase(0.0, 0.0, 0.0)
