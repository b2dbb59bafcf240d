"""Levers of the catalogue of faults: how each physical cause is set, cleared and seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from borne.adapters.simulation.outlet import Defects, MeterQuantity, Pulses, Socket
from borne.adapters.simulation.world import LinkMode, World
from borne.domain.station.board import Contact
from borne.domain.station.pilot import CABLE_OHM
from borne.foundation.units import PerPhase

HIGHEST_WH = 10**9
HIGHEST_A = 200.0
Amps = Annotated[float, Field(ge=0, le=HIGHEST_A)]
Seconds = Annotated[float, Field(ge=0.1, le=3600)]


class PulseValue(BaseModel):
    """How a pulsating car draws."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    high_a: Amps = 30.0
    high_s: Seconds = 6.5
    low_a: Amps = 6.0
    low_s: Seconds = 0.5


class Extent(BaseModel):
    """How bad it is; what is not said has a value that surely shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dc_ma: Annotated[float, Field(ge=0, le=5000)] = 40.0
    ac_ma: Annotated[float, Field(ge=0, le=5000)] = 0.0
    current_a: Amps = 60.0
    board_c: Annotated[float, Field(ge=-40, le=150)] = 85.0
    voltage_v: Annotated[float, Field(ge=0, le=500)] | None = None
    phase: Annotated[int, Field(ge=1, le=3)] = 1
    wh: Annotated[int, Field(ge=0, le=HIGHEST_WH)] | None = None
    step_wh: Annotated[int, Field(ge=-HIGHEST_WH, le=HIGHEST_WH)] = 1_000
    factor: Annotated[float, Field(ge=0, le=1_000)] = 10.0
    quantity: MeterQuantity = MeterQuantity.REGISTER
    pulses: PulseValue = PulseValue()


DEFAULT_EXTENT = Extent()


class Lever(Protocol):
    """Sets a cause, clears it, and tells whether it is set."""

    def pull(self, world: World, socket: Socket, active: bool, extent: Extent) -> None:
        """Break or mend; the caller lets the socket settle."""

    def active(self, world: World, socket: Socket) -> bool:
        """Whether it is broken."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A lever on the defects of a socket."""

    set_: Callable[[Defects, bool, Extent], None]
    is_set: Callable[[Defects], bool]

    def pull(self, _world: World, socket: Socket, active: bool, extent: Extent) -> None:
        self.set_(socket.defects, active, extent)

    def active(self, _world: World, socket: Socket) -> bool:
        """Look at the defects."""
        return self.is_set(socket.defects)


@dataclass(frozen=True, slots=True)
class Part:
    """A lever on anything else at a socket or in the world."""

    set_: Callable[[World, Socket, bool, Extent], None]
    is_set: Callable[[World, Socket], bool]

    def pull(self, world: World, socket: Socket, active: bool, extent: Extent) -> None:
        self.set_(world, socket, active, extent)

    def active(self, world: World, socket: Socket) -> bool:
        """Look at the part."""
        return self.is_set(world, socket)


def flag(name: str) -> Defect:
    """A yes or no among the defects."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        setattr(defects, name, active)

    return Defect(set_, lambda defects: bool(getattr(defects, name)))


def contact_of(contact: Contact) -> Defect:
    """A protective device that tripped."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        (defects.contacts.add if active else defects.contacts.discard)(contact)

    return Defect(set_, lambda defects: contact in defects.contacts)


def wire(name: str) -> Defect:
    """Damage of the control pilot wire."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        defects.wire = replace(defects.wire, **{name: active})

    return Defect(set_, lambda defects: bool(getattr(defects.wire, name)))


def leak(defects: Defects, active: bool, extent: Extent) -> None:
    """A residual current inside the station, before the contactor."""
    defects.leak_dc_ma = extent.dc_ma if active else 0.0
    defects.leak_ac_ma = extent.ac_ma if active else 0.0


def rogue(defects: Defects, active: bool, extent: Extent) -> None:
    """Whatever charges draws this current."""
    defects.rogue_a = extent.current_a if active else None


def lose_phase(defects: Defects, active: bool, extent: Extent) -> None:
    """One phase of the socket has no voltage."""
    defects.lost_phases = {extent.phase - 1} if active else set()


def voltage(default_v: float, high: bool) -> Defect:
    """All phases have a wrong voltage."""

    def set_(defects: Defects, active: bool, extent: Extent) -> None:
        volts = default_v if extent.voltage_v is None else extent.voltage_v
        defects.voltage_v = PerPhase.same(volts) if active else None

    def is_set(defects: Defects) -> bool:
        return defects.voltage_v is not None and (defects.voltage_v.l1 > 230.0) is high

    return Defect(set_, is_set)


def change_cable(_world: World, socket: Socket, active: bool, _extent: Extent) -> None:
    """The resistor of another cable."""
    other_a = 20 if socket.cable_a != 20 else 32
    socket.defects.proximity_ohm = CABLE_OHM[other_a] if active else None


def proximity(ohm: float) -> Defect:
    """A resistor that no cable has."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        defects.proximity_ohm = ohm if active else None

    return Defect(set_, lambda defects: defects.proximity_ohm == ohm)


Tamper = Callable[[World, Socket, int], None]


def tamper(cause: str, wh_of: Callable[[Extent], int], act: Tamper) -> Part:
    """What is done to a register is done once for each value; mending does not undo it."""

    def set_(world: World, socket: Socket, active: bool, extent: Extent) -> None:
        done = socket.defects.meter_tampered
        if not active:
            done.pop(cause, None)
        elif done.get(cause) != (wh := wh_of(extent)):
            done[cause] = wh
            act(world, socket, wh)

    return Part(set_, lambda _, socket: cause in socket.defects.meter_tampered)


def wh_or(default_wh: int) -> Callable[[Extent], int]:
    """The energy that was asked for."""
    return lambda extent: default_wh if extent.wh is None else extent.wh


def backwards(_world: World, socket: Socket, wh: int) -> None:
    """The register shows less."""
    socket.register.shift(-wh)


def step(_world: World, socket: Socket, wh: int) -> None:
    """The register shows more, or less."""
    socket.register.shift(wh)


def exchange_meter(world: World, socket: Socket, wh: int) -> None:
    """Another meter: other number, other register."""
    socket.meter_serial = f"SIM{world.rng.randrange(10**8):08d}"
    socket.register.show(wh, world.loop.time())


def factor(defects: Defects, active: bool, extent: Extent) -> None:
    """The register counts too much, or too little."""
    defects.meter_factor = extent.factor if active else None


def not_a_number(defects: Defects, active: bool, extent: Extent) -> None:
    """The meter cannot measure one of its quantities."""
    defects.meter_nan = extent.quantity if active else None


def pulsate(defects: Defects, active: bool, extent: Extent) -> None:
    """Whatever charges draws by turns much and little."""
    defects.pulses = Pulses(**extent.pulses.model_dump()) if active else None


def links(mode: LinkMode, *names: str) -> Part:
    """Links that are down together."""

    def set_(world: World, _socket: Socket, active: bool, _extent: Extent) -> None:
        for name in names:
            world.links[name].set(not active, mode)

    return Part(set_, lambda world, _: not any(world.links[name].up for name in names))


def brown_out(_world: World, socket: Socket, active: bool, _extent: Extent) -> None:
    """Once, when set."""
    if active:
        socket.brown_out.emit(None)


def heat(_world: World, socket: Socket, active: bool, extent: Extent) -> None:
    """The board's temperature."""
    socket.temperature_c = extent.board_c if active else 25.0


HOT_C = 60.0


# What a cause's value is ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """The one value that says how bad a cause is: a member of the extent."""

    member: str
    unit: str
    default: float | str | Mapping[str, float]
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


def wh_value(default_wh: int) -> Value:
    """Energy of a register."""
    return Value("wh", "Wh", default_wh, 0, HIGHEST_WH)


LEAK = Value("dc_ma", "mA", DEFAULT_EXTENT.dc_ma, 0, 5000)
CURRENT = Value("current_a", "A", DEFAULT_EXTENT.current_a, 0, HIGHEST_A)
BOARD = Value("board_c", "°C", DEFAULT_EXTENT.board_c, -40, 150)
PHASE = Value("phase", "", DEFAULT_EXTENT.phase, 1, 3)
STEP = Value("step_wh", "Wh", DEFAULT_EXTENT.step_wh, -HIGHEST_WH, HIGHEST_WH)
FACTOR = Value("factor", "", DEFAULT_EXTENT.factor, 0, 1_000)
QUANTITY = Value(
    "quantity", "", DEFAULT_EXTENT.quantity.value, choices=tuple(q.value for q in MeterQuantity)
)
PULSES = Value("pulses", "", DEFAULT_EXTENT.pulses.model_dump())


def volts_value(default_v: float) -> Value:
    """Voltage of all phases."""
    return Value("voltage_v", "V", default_v, 0, 500)
