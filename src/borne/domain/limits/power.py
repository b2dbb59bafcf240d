"""Conversion between watts and amperes."""

from __future__ import annotations

NOMINAL_V = 230.0
"""Between line and neutral. Not the measured one: the amperes of a limit in watts would change with
it."""


def amps_of(watts: float, phases: int, voltage_v: float = NOMINAL_V) -> float:
    """Per phase, when a power is drawn on so many phases."""
    return watts / (voltage_v * phases)


def watts_of(amps: float, phases: int, voltage_v: float = NOMINAL_V) -> float:
    """All phases together, at so many amperes on each."""
    return amps * voltage_v * phases
