"""Levers of the catalogue of faults: how each physical cause is set, cleared and seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from borne.adapters.simulation.outlet import Defects, Socket
from borne.adapters.simulation.world import LinkMode, World
from borne.domain.station.board import Contact
from borne.domain.station.pilot import CABLE_OHM
from borne.foundation.units import PerPhase


class Extent(BaseModel):
    """How bad it is; what is not said has a value that surely shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dc_ma: Annotated[float, Field(ge=0, le=5000)] = 40.0
    ac_ma: Annotated[float, Field(ge=0, le=5000)] = 0.0
    current_a: Annotated[float, Field(ge=0, le=200)] = 60.0
    board_c: Annotated[float, Field(ge=-40, le=150)] = 85.0
    voltage_v: Annotated[float, Field(ge=0, le=500)] | None = None
    phase: Annotated[int, Field(ge=1, le=3)] = 1
    wh: Annotated[int, Field(ge=0, le=10**9)] | None = None


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
        """Change the defects."""
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
        """Change the part."""
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


def tamper(cause: str, act: Callable[[World, Socket, Extent], None]) -> Part:
    """What is done to a register is done once; mending does not undo it."""

    def set_(world: World, socket: Socket, active: bool, extent: Extent) -> None:
        done = socket.defects.meter_tampered
        if active and cause not in done:
            act(world, socket, extent)
        (done.add if active else done.discard)(cause)

    return Part(set_, lambda _, socket: cause in socket.defects.meter_tampered)


def backwards(_world: World, socket: Socket, extent: Extent) -> None:
    """The register shows less."""
    socket.register.shift(-(1_000 if extent.wh is None else extent.wh))


def jump(_world: World, socket: Socket, extent: Extent) -> None:
    """The register shows much more."""
    socket.register.shift(5_000_000 if extent.wh is None else extent.wh)


def replace_meter(world: World, socket: Socket, extent: Extent) -> None:
    """Another meter: other number, other register."""
    socket.meter_serial = f"SIM{world.rng.randrange(10**8):08d}"
    socket.register.show(0 if extent.wh is None else extent.wh, world.loop.time())


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
