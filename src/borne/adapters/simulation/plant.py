"""The simulated `Plant`: a world that survives restarts of the station, optionally in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from borne.adapters.simulation.hardware import Equipment, simulated_hardware
from borne.adapters.simulation.late_values import LateValues
from borne.adapters.simulation.links import Routes
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import SimulatedLink, World
from borne.adapters.simulation.world_file import WorldFile
from borne.application.ports.hardware import Hardware
from borne.application.settings.station_settings import phases_connected
from borne.domain.settings.snapshot import Settings
from borne.foundation import disk
from borne.foundation.events import Signal

FREE_BYTES_AT_START = 64 * 1024
"""Free space on a full disk at the start, needed to merge the database log of the last run."""


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """Options of a simulated plant."""

    data: Path
    """The station's data folder, whose disk can be simulated as full."""
    equipment: Equipment = field(default_factory=Equipment)
    file: Path | None = None
    """File for the world; without it the world ends with the process."""
    fresh: bool = False
    """Start with a new world, even if one is stored."""


class SimulatedPlant:
    """Sockets, cars, cards, building and links of one world."""

    def __init__(self, world: World, options: SimulationOptions) -> None:
        self.world = world
        self.simulator = Simulator(world)
        self.link_restored: Signal[None] = Signal()
        self._options = options
        self._routes = Routes(world)
        self._late: LateValues | None = None
        self._file = WorldFile(options.file, world) if options.file is not None else None
        world.links["backend"].changed.subscribe(self._on_link_changed)
        world.disk_changed.subscribe(self._fill_disk)

    @property
    def connectors(self) -> Sequence[int]:
        return tuple(self.world.sockets)

    @property
    def keeps_time(self) -> bool:
        """True if the clock's battery is not empty."""
        return self.world.clock_battery

    @property
    def mains(self) -> SimulatedPlant:
        return self

    def cut(self) -> None:
        self.world.cut_power()

    def restore(self) -> None:
        self.world.restore_power()

    def open(self) -> Sequence[str]:
        """Load the stored world and serve its meters; returns messages for the user."""
        notices = self._file.open(fresh=self._options.fresh) if self._file is not None else ()
        self.simulator.meters.restore()
        return notices

    def power_on(self) -> None:
        """Simulate the full disk again, if it was full before."""
        if self.world.disk_full:
            disk.simulate_full(self._options.data, FREE_BYTES_AT_START)

    def power_up(self, settings: Settings) -> Hardware:
        """Build the hardware, with the phases as set by the installer (which needs a restart)."""
        for number, socket in self.world.sockets.items():
            socket.phases_wired = phases_connected(settings, number)
            socket.settle()
        return simulated_hardware(self.world, self._options.equipment, self._late_values())

    async def dial(self, host: str, port: int) -> tuple[str, int]:
        """Connect through the simulated link."""
        return await self._routes.dial("backend", host, port)

    async def close(self) -> None:
        """Close routes and meters, store the world, and end the simulation of a full disk."""
        await self._routes.close()
        await self.simulator.meters.close()
        if self._late is not None:
            self._late.close()
        if self._file is not None:
            self._file.close()
        disk.end_simulated_full(self._options.data)

    def _late_values(self) -> LateValues | None:
        """The external meter has its own supply: it goes on while the station has no power."""
        equipment = self._options.equipment
        if self._late is None and equipment.external_meter_delay is not None:
            place, delay = equipment.external_meter_at, equipment.external_meter_delay
            self._late = LateValues(self.world, place, delay)
        return self._late

    def _on_link_changed(self, link: SimulatedLink) -> None:
        if link.up:
            self.link_restored.emit(None)

    def _fill_disk(self, full: bool) -> None:
        (disk.simulate_full if full else disk.end_simulated_full)(self._options.data)
