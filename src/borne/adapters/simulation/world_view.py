"""The state of the world as JSON data, for the simulator page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from borne.adapters.simulation import faults
from borne.adapters.simulation.behaviour import PluggedVehicle
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.vehicle import LIBRARY
from borne.adapters.simulation.world import World
from borne.application.ports.simulator import (
    CardView,
    PluggedView,
    ServedMeterView,
    SiteView,
    SocketView,
    WorldView,
)
from borne.foundation.messages import N_

CARDS: tuple[CardView, ...] = (
    {"name": "Anna", "uid": "04567DAA5F3580", "note": N_("accepted")},
    {"name": "Bob", "uid": "04A1B2C3D4E580", "note": N_("blocked")},
    {"name": "Unknown", "uid": "DEADBEEF", "note": N_("not in any list")},
    {"name": "New", "uid": "04112233445566", "note": N_("for teach-in")},
)


def world_view(world: World, meters: Sequence[ServedMeterView] = ()) -> WorldView:
    """Sockets, vehicles, cards, links, faults, site and power as JSON data."""
    shown = _view(world, meters)
    world.energy_read.emit(None)
    return shown


def _view(world: World, meters: Sequence[ServedMeterView]) -> WorldView:
    return {
        "power": "on" if world.power_on else "off",
        "sockets": [_socket(socket) for socket in world.sockets.values()],
        "vehicles": {key: vehicle.name for key, vehicle in LIBRARY.items()},
        "cards": CARDS,
        "reader_alive": world.reader_alive,
        "links": {
            name: {"up": link.up, "mode": link.mode.value} for name, link in world.links.items()
        },
        "faults": faults.causes(world),
        "site": _site(world),
        "inputs": {str(number): active for number, active in world.inputs.items()},
        "meters": meters,
    }


def _site(world: World) -> SiteView:
    return {
        "building_a": list(world.site.building_a),
        "voltage_v": list(world.site.voltage_v),
        "pv_w": world.site.pv_w,
        "meter_input": world.site.meter_input,
        "grid_a": list(world.grid_current_a.rounded()),
    }


def _socket(socket: Socket) -> SocketView:
    levels = socket.pilot_levels
    ohm = socket.proximity_ohm
    return {
        "id": socket.number,
        "vehicle": None if socket.vehicle is None else _vehicle(socket.vehicle),
        "lock": socket.lock.position.value,
        "locked": socket.lock.holds,
        "contactor_closed": socket.contactor.closed,
        "contactor_cycles": socket.contactor.cycles,
        "pilot": {
            "drive": socket.generator.drive.value,
            "duty_percent": round(socket.generator.duty_percent, 2),
            "high_v": round(levels.high_v, 2),
            "low_v": round(levels.low_v, 2),
        },
        "proximity_ohm": None if math.isinf(ohm) else ohm,
        "current_a": list(socket.current_a.rounded()),
        "voltage_v": list(socket.voltage_v.rounded()),
        "power_w": round(socket.power_w),
        "register_wh": socket.register_wh,
        "energy_wh": socket.energy_wh,
        "meter_serial": socket.meter_serial,
        "led": socket.led,
        "led_percent": socket.led_percent,
        "temperature_c": socket.temperature_c,
    }


def _vehicle(vehicle: PluggedVehicle) -> PluggedView:
    shown = {
        **vehicle.model.model_dump(),
        "soc": round(vehicle.soc, 4),
        "state": vehicle.load.value,
        "asleep": vehicle.asleep,
        "obeys_a": vehicle.offer_a,
    }
    return cast("PluggedView", shown)
