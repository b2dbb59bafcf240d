"""The world under a host whose plant is a simulated world."""

from __future__ import annotations

from borne.adapters.simulation.plant import SimulatedPlant
from borne.adapters.simulation.world import World
from borne.app import Host


def world_of(host: Host) -> World:
    """Cars, cards, building and links."""
    assert isinstance(host.plant, SimulatedPlant)
    return host.plant.world
