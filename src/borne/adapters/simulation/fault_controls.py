"""How each physical cause is set, cleared and queried."""

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
    """The current of a pulsating car."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    high_a: Amps = 30.0
    high_s: Seconds = 6.5
    low_a: Amps = 6.0
    low_s: Seconds = 0.5


class Extent(BaseModel):
    """The severity of a cause; the defaults are severe enough to be detected."""

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


class Control(Protocol):
    """Sets and clears a cause, and tells whether it is set."""

    def apply(self, world: World, socket: Socket, active: bool, extent: Extent) -> None:
        """Set or clear the cause; the caller calls `settle` on the socket."""

    def active(self, world: World, socket: Socket) -> bool:
        """True if the cause is set."""


@dataclass(frozen=True, slots=True)
class Defect:
    """Controls a cause among the defects of a socket."""

    set_: Callable[[Defects, bool, Extent], None]
    is_set: Callable[[Defects], bool]

    def apply(self, _world: World, socket: Socket, active: bool, extent: Extent) -> None:
        self.set_(socket.defects, active, extent)

    def active(self, _world: World, socket: Socket) -> bool:
        return self.is_set(socket.defects)


@dataclass(frozen=True, slots=True)
class Part:
    """Controls a cause anywhere else at a socket or in the world."""

    set_: Callable[[World, Socket, bool, Extent], None]
    is_set: Callable[[World, Socket], bool]

    def apply(self, world: World, socket: Socket, active: bool, extent: Extent) -> None:
        self.set_(world, socket, active, extent)

    def active(self, world: World, socket: Socket) -> bool:
        return self.is_set(world, socket)


def flag(name: str) -> Defect:
    """A boolean among the defects."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        setattr(defects, name, active)

    return Defect(set_, lambda defects: bool(getattr(defects, name)))


def contact_of(contact: Contact) -> Defect:
    """The feedback contact of a tripped protective device."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        contacts = defects.contacts
        defects.contacts = contacts | {contact} if active else contacts - {contact}

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
    """Set the current that a charging car draws regardless of the offer."""
    defects.rogue_a = extent.current_a if active else None


def lose_phase(defects: Defects, active: bool, extent: Extent) -> None:
    """Remove the voltage of one phase of the socket."""
    defects.lost_phases = frozenset({extent.phase - 1} if active else ())


def voltage(default_v: float, high: bool) -> Defect:
    """A wrong voltage on all phases."""

    def set_(defects: Defects, active: bool, extent: Extent) -> None:
        volts = default_v if extent.voltage_v is None else extent.voltage_v
        defects.voltage_v = PerPhase.same(volts) if active else None

    def is_set(defects: Defects) -> bool:
        return defects.voltage_v is not None and (defects.voltage_v.l1 > 230.0) is high

    return Defect(set_, is_set)


def change_cable(_world: World, socket: Socket, active: bool, _extent: Extent) -> None:
    """Set the proximity resistor of another cable."""
    other_a = 20 if socket.cable_a != 20 else 32
    socket.defects.proximity_ohm = CABLE_OHM[other_a] if active else None


def proximity(ohm: float) -> Defect:
    """A proximity resistor of no valid cable."""

    def set_(defects: Defects, active: bool, _extent: Extent) -> None:
        defects.proximity_ohm = ohm if active else None

    return Defect(set_, lambda defects: defects.proximity_ohm == ohm)


Tamper = Callable[[World, Socket, int], None]


def tamper(cause: str, wh_of: Callable[[Extent], int], act: Tamper) -> Part:
    """A manipulation of the register, executed once per value; clearing the cause does not revert
    it."""

    def set_(world: World, socket: Socket, active: bool, extent: Extent) -> None:
        done = socket.defects.meter_tampered
        if not active:
            done.pop(cause, None)
        elif done.get(cause) != (wh := wh_of(extent)):
            done[cause] = wh
            act(world, socket, wh)

    return Part(set_, lambda _, socket: cause in socket.defects.meter_tampered)


def wh_or(default_wh: int) -> Callable[[Extent], int]:
    """The requested energy, or a default."""
    return lambda extent: default_wh if extent.wh is None else extent.wh


def backwards(_world: World, socket: Socket, wh: int) -> None:
    """Set the register back."""
    socket.register.shift(-wh)


def step(_world: World, socket: Socket, wh: int) -> None:
    """Shift the register up or down."""
    socket.register.shift(wh)


def exchange_meter(world: World, socket: Socket, wh: int) -> None:
    """Install another meter, with another serial number and register."""
    socket.meter_serial = f"SIM{world.rng.randrange(10**8):08d}"
    socket.register.show(wh, world.loop.time())


def factor(defects: Defects, active: bool, extent: Extent) -> None:
    """Let the register count a multiple of the energy."""
    defects.meter_factor = extent.factor if active else None


def not_a_number(defects: Defects, active: bool, extent: Extent) -> None:
    """Let one quantity of the meter be NaN."""
    defects.meter_nan = extent.quantity if active else None


def pulsate(defects: Defects, active: bool, extent: Extent) -> None:
    """Let a charging car draw a high and a low current alternately."""
    defects.pulses = Pulses(**extent.pulses.model_dump()) if active else None


def links(mode: LinkMode, *names: str) -> Part:
    """Links that fail together."""

    def set_(world: World, _socket: Socket, active: bool, _extent: Extent) -> None:
        for name in names:
            world.links[name].set(not active, mode)

    return Part(set_, lambda world, _: not any(world.links[name].up for name in names))


def brown_out(_world: World, socket: Socket, active: bool, _extent: Extent) -> None:
    """Emitted once when set; there is nothing to clear."""
    if active:
        socket.brown_out.emit(None)


def heat(_world: World, socket: Socket, active: bool, extent: Extent) -> None:
    """Set the temperature of the board."""
    socket.temperature_c = extent.board_c if active else 25.0


HOT_C = 60.0


# Values of causes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """The member of the extent that sets a cause's severity."""

    member: str
    unit: str
    default: float | str | Mapping[str, float]
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


def wh_value(default_wh: int) -> Value:
    """The energy of a register."""
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
    """The voltage of all phases."""
    return Value("voltage_v", "V", default_v, 0, 500)
