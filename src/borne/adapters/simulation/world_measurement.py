"""What an energy meter at a place of the simulated world measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from borne.adapters.simulation.meter_setup import BUILDING, SITE, SOCKET_SOURCE
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.register import TwoWayRegister
from borne.adapters.simulation.world import World
from borne.domain.meters.measurement import Measurement
from borne.foundation.units import PerPhase

SITE_SERIAL, BUILDING_SERIAL = "SIM90000001", "SIM90000002"
NOMINAL_HZ = 50.0
SWING_HZ, SWING_S = 0.015, 47.0
"""The frequency of the grid swings by this much, in this time."""


def sources(world: World) -> tuple[str, ...]:
    """The places at which a meter can be."""
    return (SITE, BUILDING, *(f"socket-{number}" for number in world.sockets))


def world_measurement(world: World, source: str) -> Measurement:
    """The present values at a place of the world, signed: negative for export.

    "site" is the grid connection (building, photovoltaics and sockets together), "building" the
    same without the sockets, "socket-1" and so on the supply of a socket, per phase of the socket.
    Stores the registers before the values leave the simulation. Raises KeyError.
    """
    measured = _measurement(world, source)
    world.energy_read.emit(None)
    return measured


def grid_frequency_hz(now_s: float) -> float:
    """The frequency of the simulated grid at a time of the loop."""
    return round(NOMINAL_HZ + SWING_HZ * math.sin(2 * math.pi * now_s / SWING_S), 3)


def _measurement(world: World, source: str) -> Measurement:
    if source == SITE:
        return _at_grid(world, world.grid_current_a, world.flows.site, SITE_SERIAL)
    if source == BUILDING:
        return _at_grid(world, world.building_current_a, world.flows.building, BUILDING_SERIAL)
    found = SOCKET_SOURCE.fullmatch(source)
    if found is None:
        raise KeyError(source)
    return _at_socket(world, world.sockets[int(found[1])])


def _at_grid(
    world: World, current_a: PerPhase, registers: TwoWayRegister, serial_number: str
) -> Measurement:
    now_s = world.loop.time()
    measured = _measured(
        now_s,
        world.site.voltage_v,
        current_a,
        (registers.imported.read_wh(now_s), registers.exported.read_wh(now_s)),
        serial_number,
    )
    return replace(measured, digital_input=world.site.meter_input)


def _at_socket(world: World, socket: Socket) -> Measurement:
    """No simulated car feeds back, so that the register of export stays at 0."""
    now_s = world.loop.time()
    registers = (socket.register.read_wh(now_s), 0)
    return _measured(now_s, socket.voltage_v, socket.current_a, registers, socket.meter_serial)


def _measured(
    now_s: float,
    voltage_v: PerPhase,
    current_a: PerPhase,
    registers_wh: Sequence[int],
    serial_number: str,
) -> Measurement:
    power_w = current_a.times(voltage_v)
    return Measurement(
        at_s=now_s,
        voltage_v=voltage_v,
        current_a=current_a,
        power_w=power_w,
        power_total_w=power_w.total,
        import_wh=registers_wh[0],
        export_wh=registers_wh[1],
        frequency_hz=grid_frequency_hz(now_s) if voltage_v.total else None,
        serial_number=serial_number,
    )
