"""A simulated street as a `Plant`: a world that outlives stations, kept in a file if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from borne.adapters.simulation.hardware import Equipment, simulated_hardware
from borne.adapters.simulation.links import Routes
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import Link, World
from borne.adapters.simulation.world_file import WorldFile
from borne.application.ports.hardware import Hardware
from borne.application.settings.station_settings import phases_connected
from borne.domain.settings.snapshot import Settings
from borne.foundation import disk
from borne.foundation.events import Signal

ROOM_AT_START = 64 * 1024
"""On a full disk: what merging the log of the last run leaves for the next."""


@dataclass(frozen=True, slots=True)
class Street:
    """How a simulated plant is set up."""

    data: Path
    """Where its station writes: the disk that can be full."""
    equipment: Equipment = field(default_factory=Equipment)
    file: Path | None = None
    """Where the world is kept; without it the world ends with the process."""
    fresh: bool = False
    """Begin with a new world, whatever is kept."""


class SimulatedPlant:
    """Sockets, cars, cards, building and links of one world."""

    def __init__(self, world: World, street: Street) -> None:
        self.world = world
        self.simulator = Simulator(world)
        self.way_opened: Signal[None] = Signal()
        self._street = street
        self._routes = Routes(world)
        self._file = WorldFile(street.file, world) if street.file is not None else None
        world.links["backend"].changed.subscribe(self._on_link_changed)
        world.disk_changed.subscribe(self._fill_disk)

    @property
    def connectors(self) -> Sequence[int]:
        return tuple(self.world.sockets)

    @property
    def keeps_time(self) -> bool:
        """Its battery clock has power."""
        return self.world.clock_battery

    @property
    def mains(self) -> SimulatedPlant:
        return self

    def cut(self) -> None:
        self.world.cut_power()

    def restore(self) -> None:
        self.world.restore_power()

    def open(self) -> Sequence[str]:
        """Read what was kept of the world."""
        return self._file.open(fresh=self._street.fresh) if self._file is not None else ()

    def power_on(self) -> None:
        """A disk that was full still is."""
        if self.world.disk_full:
            disk.fill(self._street.data, ROOM_AT_START)

    def power_up(self, settings: Settings) -> Hardware:
        """Sockets are wired as the installer says; a change needs a restart."""
        for number, socket in self.world.sockets.items():
            socket.phases_wired = phases_connected(settings, number)
            socket.settle()
        return simulated_hardware(self.world, self._street.equipment)

    async def dial(self, host: str, port: int) -> tuple[str, int]:
        """Through the link of the world."""
        return await self._routes.dial("backend", host, port)

    async def close(self) -> None:
        """Tear routes down, keep the world, give the disk back."""
        await self._routes.close()
        if self._file is not None:
            self._file.close()
        disk.empty(self._street.data)

    def _on_link_changed(self, link: Link) -> None:
        if link.up:
            self.way_opened.emit(None)

    def _fill_disk(self, full: bool) -> None:
        (disk.fill if full else disk.empty)(self._street.data)
