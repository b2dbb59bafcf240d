"""Builds the hardware of a station on a world, for one power-up."""

from __future__ import annotations

from dataclasses import dataclass

from borne.adapters.simulation.board import CAPABILITIES, SimulatedBoard
from borne.adapters.simulation.devices import (
    SimulatedIndicator,
    SimulatedInputs,
    SimulatedModem,
    SimulatedReader,
)
from borne.adapters.simulation.meter import SimulatedMeter, SimulatedSiteMeter
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import EvseHardware, Hardware
from borne.domain.station.board import BoardCapabilities


@dataclass(frozen=True, slots=True)
class Equipment:
    """What is bolted to the station."""

    capabilities: BoardCapabilities = CAPABILITIES
    metered: bool = True
    """False: sessions cannot be billed."""


def simulated_hardware(world: World, equipment: Equipment | None = None) -> Hardware:
    """Boards, meters, readers (one shared, one a socket), inputs and LEDs on the sockets of
    `world`. One station stands on a world: what was built before is dead from now on."""
    world.vacated.emit(None)
    fitted = equipment or Equipment()
    return Hardware(
        evses=tuple(
            EvseHardware(
                connector=number,
                board=SimulatedBoard(world, socket, fitted.capabilities),
                meter=SimulatedMeter(world, socket) if fitted.metered else None,
                name=f"simulated socket {number}",
            )
            for number, socket in world.sockets.items()
        ),
        readers=(
            SimulatedReader(world),
            *(SimulatedReader(world, number) for number in world.sockets),
        ),
        indicator=SimulatedIndicator(world),
        inputs=SimulatedInputs(world),
        vehicles=SimulatedModem(world),
    )


def external_meter(world: World) -> SimulatedSiteMeter:
    """The meter of the site, for load management."""
    return SimulatedSiteMeter(world)
