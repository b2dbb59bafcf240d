"""Models of cars as data: those of the simulated street, without what only a real pilot shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class CarModel:
    """How a car charges. Currents in amps per phase."""

    phases: int = 3
    max_a: float = 16.0
    min_a: float = 6.0
    """It charges only when offered this."""
    reaction_s: float = 5.0
    """The longest time in which it follows a new offer; each time is drawn by lot below it."""
    taper: float = 0.9
    """Share of the wanted energy above which its current falls in steps."""
    battery_kwh: float = 60.0
    sleeps: bool = False
    """After a pause it charges again only when offered current for `WAKES_AFTER_S` on end."""
    rogue_a: float | None = None
    """It draws this on its phases whenever it is plugged in and offered current, whatever is
    offered."""


MODELS: Mapping[str, CarModel] = MappingProxyType(
    {
        "city": CarModel(phases=1, max_a=16, battery_kwh=36),
        "family": CarModel(),
        "fast": CarModel(max_a=32, battery_kwh=52),
        "hybrid": CarModel(phases=1, max_a=13, battery_kwh=12),
        "sleepy": CarModel(sleeps=True),
        "van": CarModel(phases=1, max_a=32, battery_kwh=75),
        "two_phase": CarModel(phases=2, max_a=16, battery_kwh=36),
        "demanding": CarModel(min_a=13, max_a=32, battery_kwh=41),
        "tricycle": CarModel(phases=1, max_a=10, battery_kwh=6),
        "rogue": CarModel(rogue_a=25),
    }
)
"""By name; phases, currents and batteries are those of the simulator's library."""

WAKES_AFTER_S = 90.0
