"""What stands under a station: its hardware, its mains switch, its way to the world.

A simulated world is one; a file that describes real hardware, or a second controller, another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from borne.application.ports.hardware import Hardware
from borne.application.ports.simulator import SimulatorPort
from borne.domain.settings.snapshot import Settings
from borne.foundation.events import Signal


class MainsSwitch(Protocol):
    """Cuts the power of what can be cut from here."""

    def cut(self) -> None:
        """Power is gone."""

    def restore(self) -> None:
        """Power is back."""


class Plant(Protocol):
    """It outlives the stations that are built on it, one after the other."""

    @property
    def connectors(self) -> Sequence[int]:
        """Their numbers."""

    @property
    def keeps_time(self) -> bool:
        """Its clock went on while there was no power."""

    @property
    def mains(self) -> MainsSwitch | None:
        """None where nobody can cut the power from here."""

    @property
    def simulator(self) -> SimulatorPort | None:
        """The hands of a simulated plant."""

    @property
    def link_restored(self) -> Signal[None]:
        """The way to the backend is open again: nobody has to wait before the next attempt."""

    def open(self) -> Sequence[str]:
        """Begin; what people must know of what was kept."""

    def power_on(self) -> None:
        """The software starts, and has not read anything yet."""

    def power_up(self, settings: Settings) -> Hardware:
        """The hardware for one station; that of the station before is dead from now on."""

    async def dial(self, host: str, port: int) -> tuple[str, int]:
        """Where to connect to reach a backend, once it has accepted; raises OSError."""

    async def close(self) -> None:
        """The end of the program."""
