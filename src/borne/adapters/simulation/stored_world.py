"""The stored form of the simulated world, version 1, and its conversion from and to a world.

It is independent of the simulation's classes. Derived values (pilot, contactor, currents) are not
stored, nor is the power switch: starting the program switches the station on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from borne.adapters.simulation.fault_controls import PulseValue
from borne.adapters.simulation.meter_setup import (
    MAX_METERS,
    METER_ID,
    MeterFault,
    MeterFraming,
    MeterSetup,
)
from borne.adapters.simulation.outlet import Defects, MeterQuantity, Pulses, Socket
from borne.adapters.simulation.register import EnergyRegister
from borne.adapters.simulation.vehicle import Vehicle
from borne.adapters.simulation.wire import WireFaults
from borne.adapters.simulation.world import LinkMode, World
from borne.domain.station.board import Contact
from borne.foundation.units import PerPhase

VERSION = 1

Wh = Annotated[int, Field(ge=-(10**15), le=10**15)]
Ws = Annotated[float, Field(ge=0, le=1e19)]
Amps = Annotated[float, Field(ge=0, le=1_000)]
Volts = Annotated[float, Field(ge=0, le=500)]
ThreeVolts = tuple[Volts, Volts, Volts]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Counters(_Stored):
    """Values of one meter that grow while energy flows."""

    shown_from_wh: Wh
    energy_ws: Ws
    counted_ws: Ws
    soc: Annotated[float, Field(ge=0, le=1)] | None = None
    """State of charge of the plugged-in car."""
    cycles: Annotated[int, Field(ge=0)] = 0


class StoredDefects(_Stored):
    """The defects of a socket."""

    pilot_shorted: bool = False
    pilot_open: bool = False
    diode_bridged: bool = False
    proximity_ohm: Annotated[float, Field(ge=0)] | None = None
    plug_not_in: bool = False
    contacts: list[Contact] = []
    leak_dc_ma: Annotated[float, Field(ge=0)] = 0.0
    leak_ac_ma: Annotated[float, Field(ge=0)] = 0.0
    monitor_defective: bool = False
    lost_phases: list[Annotated[int, Field(ge=1, le=3)]] = []
    supply_lost: bool = False
    voltage_v: ThreeVolts | None = None
    meter_silent: bool = False
    board_silent: bool = False
    rogue_a: Amps | None = None
    meter_tampered: dict[str, int] = {}
    meter_frozen: bool = False
    meter_factor: Annotated[float, Field(ge=0, le=1_000)] | None = None
    meter_nan: MeterQuantity | None = None
    meter_garbage: bool = False
    meter_polled: bool = False
    pulses: PulseValue | None = None
    other: list[str] = []


class StoredSocket(_Stored):
    """A socket and its plugged-in vehicle."""

    meter_serial: Annotated[str, Field(min_length=1, max_length=60)]
    temperature_c: Annotated[float, Field(ge=-40, le=150)]
    locked: bool
    lock_stuck: bool
    lock_absent: bool
    welded: bool
    coil_broken: bool
    vehicle: Vehicle | None
    asleep: bool
    defects: StoredDefects


class StoredLink(_Stored):
    """The state of a link."""

    up: bool
    mode: LinkMode


class StoredSite(_Stored):
    """The building."""

    voltage_v: ThreeVolts
    building_a: tuple[float, float, float]
    pv_w: Annotated[float, Field(ge=0)]
    meter_input: bool = False


class StoredMeter(_Stored):
    """A meter that is served. A type that this version does not know is reported when it starts."""

    id: Annotated[str, Field(pattern=METER_ID)]
    type: Annotated[str, Field(min_length=1, max_length=80)]
    source: Annotated[str, Field(min_length=1, max_length=20)]
    host: Annotated[str, Field(min_length=1, max_length=60)]
    port: Annotated[int, Field(ge=0, le=65535)]
    unit: Annotated[int, Field(ge=0, le=247)]
    framing: MeterFraming = MeterFraming.TCP
    serial: bool = False
    fault: MeterFault | None = None


class StoredStreet(_Stored):
    """All values that only change by an action of a user."""

    sockets: dict[str, StoredSocket]
    site: StoredSite
    links: dict[str, StoredLink]
    inputs: dict[str, bool]
    reader_alive: bool
    clock_battery: bool
    disk_full: bool
    meters: list[StoredMeter] = []


class StoredWorld(_Stored):
    """The content of `world.json`."""

    counters: dict[str, Counters]
    """By socket; the names of the site's registers are those of `site_registers`."""
    street: StoredStreet


# From a world -------------------------------------------------------------------------------------


def site_registers(world: World) -> dict[str, EnergyRegister]:
    """The registers of the building, by their stored names; a file may lack all but the first."""
    site, building = world.flows.site, world.flows.building
    return {
        "site": site.imported,
        "site-export": site.exported,
        "building": building.imported,
        "building-export": building.exported,
    }


def counters(world: World) -> dict[str, dict[str, Any]]:
    """The present counters in stored form."""
    now_s = world.loop.time()
    found = {name: _counters(each, now_s) for name, each in site_registers(world).items()}
    for number, socket in world.sockets.items():
        found[str(number)] = _counters(socket.register, now_s) | {
            "soc": None if socket.vehicle is None else socket.vehicle.soc,
            "cycles": socket.contactor.cycles,
        }
    return found


def _counters(register: EnergyRegister, now_s: float) -> dict[str, Any]:
    return {
        "shown_from_wh": register.shown_from_wh,
        "energy_ws": register.energy_ws(now_s),
        "counted_ws": register.counted_ws(now_s),
    }


def street(world: World) -> dict[str, Any]:
    """Everything else in stored form."""
    return {
        "sockets": {str(number): _socket(socket) for number, socket in world.sockets.items()},
        "site": {
            "voltage_v": list(world.site.voltage_v),
            "building_a": list(world.site.building_a),
            "pv_w": world.site.pv_w,
            "meter_input": world.site.meter_input,
        },
        "links": {
            name: {"up": link.up, "mode": link.mode.value} for name, link in world.links.items()
        },
        "inputs": {str(number): active for number, active in world.inputs.items()},
        "reader_alive": world.reader_alive,
        "clock_battery": world.clock_battery,
        "disk_full": world.disk_full,
        "meters": [asdict(setup) for setup in world.meters.values()],
    }


def _socket(socket: Socket) -> dict[str, Any]:
    vehicle = socket.vehicle
    return {
        "meter_serial": socket.meter_serial,
        "temperature_c": socket.temperature_c,
        "locked": socket.lock.holds,
        "lock_stuck": socket.lock.stuck,
        "lock_absent": socket.lock.absent,
        "welded": socket.contactor.welded,
        "coil_broken": socket.contactor.broken,
        "vehicle": None if vehicle is None else vehicle.model.model_dump(mode="json"),
        "asleep": vehicle is not None and vehicle.asleep,
        "defects": _defects(socket.defects),
    }


def _pulses(pulses: Pulses) -> dict[str, float]:
    return {
        "high_a": pulses.high_a,
        "high_s": pulses.high_s,
        "low_a": pulses.low_a,
        "low_s": pulses.low_s,
    }


def _defects(defects: Defects) -> dict[str, Any]:
    return {
        "pilot_shorted": defects.wire.shorted_to_earth,
        "pilot_open": defects.wire.open,
        "diode_bridged": defects.diode_bridged,
        "proximity_ohm": defects.proximity_ohm,
        "plug_not_in": defects.plug_not_in,
        "contacts": sorted(contact.value for contact in defects.contacts),
        "leak_dc_ma": defects.leak_dc_ma,
        "leak_ac_ma": defects.leak_ac_ma,
        "monitor_defective": defects.monitor_defective,
        "lost_phases": sorted(phase + 1 for phase in defects.lost_phases),
        "supply_lost": defects.supply_lost,
        "voltage_v": None if defects.voltage_v is None else list(defects.voltage_v),
        "meter_silent": defects.meter_silent,
        "board_silent": defects.board_silent,
        "rogue_a": defects.rogue_a,
        "meter_tampered": dict(defects.meter_tampered),
        "meter_frozen": defects.meter_frozen,
        "meter_factor": defects.meter_factor,
        "meter_nan": None if defects.meter_nan is None else defects.meter_nan.value,
        "meter_garbage": defects.meter_garbage,
        "meter_polled": defects.meter_polled,
        "pulses": None if defects.pulses is None else _pulses(defects.pulses),
        "other": sorted(defects.other),
    }


# To a world ---------------------------------------------------------------------------------------


def restore(world: World, stored: StoredWorld) -> None:
    """Apply stored values to a new world, for the sockets, links and inputs that it has. A socket
    that was not stored stays as it is; so does a meter that was set up for the new world, as it
    counts as exchanged while the program was stopped."""
    street = stored.street
    site = street.site
    world.site.voltage_v = PerPhase(*site.voltage_v)
    world.site.building_a = PerPhase(*site.building_a)
    world.site.pv_w = site.pv_w
    world.site.meter_input = site.meter_input
    for name, link in street.links.items():
        if name in world.links:
            world.links[name].set(link.up, link.mode)
    for number in world.inputs:
        world.set_input(number, street.inputs.get(str(number), False))
    world.set_reader(street.reader_alive)
    world.clock_battery = street.clock_battery
    world.set_disk_full(street.disk_full)
    for number, socket in world.sockets.items():
        found = street.sockets.get(str(number))
        if found is not None:
            _restore_socket(socket, found, stored.counters.get(str(number)), world.loop.time())
    for name, register in site_registers(world).items():
        _restore_register(register, stored.counters.get(name), world.loop.time())
    world.meters = {found.id: _setup(found) for found in street.meters[:MAX_METERS]}
    world.settle_site()


def _restore_socket(
    socket: Socket, stored: StoredSocket, counted: Counters | None, now_s: float
) -> None:
    socket.temperature_c = stored.temperature_c
    socket.defects = _restored(stored.defects)
    socket.lock.stuck, socket.lock.absent = stored.lock_stuck, stored.lock_absent
    socket.lock.restore(stored.locked)
    socket.contactor.cycles = 0 if counted is None else counted.cycles
    socket.contactor.break_(stored.coil_broken)
    if socket.meter_serial in (socket.first_serial, stored.meter_serial):
        socket.meter_serial = stored.meter_serial
        _restore_register(socket.register, counted, now_s)
    if stored.vehicle is not None:
        soc = stored.vehicle.soc if counted is None or counted.soc is None else counted.soc
        socket.plug(stored.vehicle.changed({"soc": soc}))
        if socket.vehicle is not None:
            socket.vehicle.asleep = stored.asleep
    if stored.welded:
        socket.contactor.weld(True)


def _setup(stored: StoredMeter) -> MeterSetup:
    return MeterSetup(**stored.model_dump())


def _restore_register(register: EnergyRegister, stored: Counters | None, now_s: float) -> None:
    if stored is not None:
        register.restore(stored.shown_from_wh, stored.energy_ws, stored.counted_ws, now_s)


def _restored(stored: StoredDefects) -> Defects:
    members: Mapping[str, Any] = stored.model_dump(exclude={"pilot_shorted", "pilot_open"})
    return replace(
        Defects(**members),
        wire=WireFaults(stored.pilot_shorted, stored.pilot_open),
        contacts=frozenset(stored.contacts),
        lost_phases=frozenset(phase - 1 for phase in stored.lost_phases),
        voltage_v=None if stored.voltage_v is None else PerPhase(*stored.voltage_v),
        pulses=None if stored.pulses is None else Pulses(**stored.pulses.model_dump()),
        other=frozenset(stored.other),
    )
