"""Builds the simulated hardware of a station for one power-up."""

from __future__ import annotations

from dataclasses import dataclass

from borne.adapters.simulation.board import CAPABILITIES, SimulatedBoard
from borne.adapters.simulation.devices import (
    SimulatedIndicator,
    SimulatedInputs,
    SimulatedModem,
    SimulatedReader,
)
from borne.adapters.simulation.late_values import LateValues, MeterDelay
from borne.adapters.simulation.meter import SimulatedMeter, SimulatedSiteMeter
from borne.adapters.simulation.meter_setup import SITE
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import EvseHardware, Hardware
from borne.domain.station.board import BoardCapabilities


@dataclass(frozen=True, slots=True)
class Equipment:
    """The equipment of the simulated station."""

    capabilities: BoardCapabilities = CAPABILITIES
    metered: bool = True
    """False simulates a station without meters, which cannot bill."""
    external_meter_at: str = SITE
    """Place of the external meter in the world."""
    external_meter_delay: MeterDelay | None = None
    """None: it shows the present values."""


def simulated_hardware(
    world: World, equipment: Equipment | None = None, late: LateValues | None = None
) -> Hardware:
    """Boards, meters, readers (one shared, one per socket), inputs and LEDs for the sockets of
    `world`; `late` are the values of an external meter with a delay. A world holds one station:
    hardware built before stops working."""
    world.station_removed.emit(None)
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
        site_meter=external_meter(world, fitted.external_meter_at, late),
    )


def external_meter(
    world: World, source: str = SITE, late: LateValues | None = None
) -> SimulatedSiteMeter:
    """The external meter of the site, for load management."""
    return SimulatedSiteMeter(world, source, late)
