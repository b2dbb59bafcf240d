"""The plant of a station: its hardware, power switch, and network.

A simulated world is one; a hardware file or a second controller would be others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from borne.application.ports.hardware import Hardware
from borne.application.ports.simulator import SimulatorPort
from borne.domain.settings.snapshot import Settings
from borne.foundation.events import Signal


class MainsSwitch(Protocol):
    """Switches the power of the station."""

    def cut(self) -> None:
        """Switch the power off."""

    def restore(self) -> None:
        """Switch the power on."""


class Plant(Protocol):
    """Survives the stations that are built on it, one after the other."""

    @property
    def connectors(self) -> Sequence[int]:
        """The connector numbers."""

    @property
    def keeps_time(self) -> bool:
        """True if the clock kept running without power."""

    @property
    def mains(self) -> MainsSwitch | None:
        """None if the power cannot be cut by software."""

    @property
    def simulator(self) -> SimulatorPort | None:
        """The simulator of a simulated plant."""

    @property
    def link_restored(self) -> Signal[None]:
        """The network to the backend works again, so the next attempt need not wait."""

    def open(self) -> Sequence[str]:
        """Open the plant; returns notices about its stored data."""

    def power_on(self) -> None:
        """The software starts and has not read any data yet."""

    def power_up(self, settings: Settings) -> Hardware:
        """The hardware for a new station; that of the previous station stops working."""

    async def dial(self, host: str, port: int) -> tuple[str, int]:
        """The address to connect to for a backend, after it has accepted a connection; raises
        OSError."""

    async def close(self) -> None:
        """Close at the end of the program."""
