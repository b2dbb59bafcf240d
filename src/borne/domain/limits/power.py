"""Conversion between watts and amperes."""

from __future__ import annotations

NOMINAL_V = 230.0
"""Between line and neutral. Not the measured voltage: the amperes of a limit in watts would vary
with it."""


def amps_of(watts: float, phases: int, voltage_v: float = NOMINAL_V) -> float:
    """Amperes per phase for a power drawn on this many phases."""
    return watts / (voltage_v * phases)


def watts_of(amps: float, phases: int, voltage_v: float = NOMINAL_V) -> float:
    """Power of all phases together at this many amperes on each."""
    return amps * voltage_v * phases
