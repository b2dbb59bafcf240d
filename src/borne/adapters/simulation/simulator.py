"""The simulator as used by page, API and tests: everything a person could do at the plant.

Checks the request, changes the world, then returns. Raises SimulatorError: "not_found" for unknown
things, "conflict" for what is physically impossible, "invalid" for invalid requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from itertools import count
from typing import Annotated, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from borne.adapters.simulation import faults
from borne.adapters.simulation.meter_servers import MeterServers
from borne.adapters.simulation.meter_setup import (
    LOOPBACK,
    METER_ID,
    CannotServe,
    MeterFault,
    MeterFraming,
    MeterSetup,
)
from borne.adapters.simulation.meter_types import UnknownType, meter_type
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.vehicle import LIBRARY, UnknownVehicle, Vehicle, error_text, named
from borne.adapters.simulation.world import LinkMode, World
from borne.adapters.simulation.world_measurement import sources
from borne.adapters.simulation.world_view import world_view
from borne.application.ports.hardware import CardRead
from borne.application.ports.simulator import (
    NOTHING,
    AddedMeter,
    CauseView,
    SimulatorError,
    Vehicles,
    VehicleView,
    WorldView,
)
from borne.foundation.messages import N_, Message, verbatim
from borne.foundation.units import PerPhase

COLDEST_C, HOTTEST_C = -40.0, 150.0
Amps = Annotated[float, Field(ge=-1000.0, le=1000.0)]
Volts = Annotated[float, Field(ge=0.0, le=500.0)]


class HeldCard(BaseModel):
    """A card held to a reader: its UID in hex, or an idTag."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    uid: str = Field("", pattern="^([0-9A-Fa-f]{8,20})?$")
    connector: int | None = None
    hold_s: float = Field(2.0, ge=0.0, le=60.0)
    secure: bool = False
    id_token: str | None = Field(None, min_length=1, max_length=255)

    @model_validator(mode="after")
    def _has_identity(self) -> HeldCard:
        if not self.uid and self.id_token is None:
            raise ValueError("a card needs a uid or an id_token")
        if len(self.uid) % 2:
            raise ValueError("a uid has two hex digits for each byte")
        return self


class SiteChange(BaseModel):
    """A change of the building; omitted values stay. A single number applies to all phases."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    building_a: Amps | tuple[Amps, Amps, Amps] | None = None
    voltage_v: Volts | tuple[Volts, Volts, Volts] | None = None
    pv_w: float | None = Field(None, ge=0.0, le=1_000_000.0)
    meter_input: bool | None = None


class MeterChange(BaseModel):
    """A change of a served meter; omitted values stay."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    type: str | None = Field(None, min_length=1, max_length=80)
    source: str | None = Field(None, min_length=1, max_length=20)
    host: str | None = Field(None, max_length=60)
    port: int | None = Field(None, ge=0, le=65535)
    unit: int | None = Field(None, ge=0, le=247)
    framing: MeterFraming | None = None
    serial: bool | None = None
    fault: MeterFault | None = None

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str | None) -> str | None:
        if host is None:
            return None
        return str(ip_address(LOOPBACK if host == "localhost" else host.strip()))


class Simulator:
    """A `SimulatorPort` for a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.meters = MeterServers(world)

    def vehicles(self) -> Vehicles:
        """The library of vehicles, and the schema of a vehicle."""
        return {
            "vehicles": {
                key: cast("VehicleView", vehicle.model_dump()) for key, vehicle in LIBRARY.items()
            },
            "schema": Vehicle.model_json_schema(),
        }

    async def plug(self, connector: int, vehicle: Mapping[str, object] = NOTHING) -> None:
        """Plug in a vehicle: a name from the library with changes, or a complete vehicle."""
        socket = self._socket(connector)
        model = _vehicle(vehicle)
        if socket.vehicle is not None:
            raise SimulatorError(
                "conflict",
                Message(
                    N_("{car} is plugged into {socket}"),
                    {"car": socket.vehicle.model.name, "socket": connector},
                ),
            )
        if socket.lock.holds:
            raise SimulatorError(
                "conflict",
                Message(
                    N_("the lock of {socket} is closed, no plug can enter"), {"socket": connector}
                ),
            )
        socket.plug(model)

    async def unplug(self, connector: int, *, force: bool = False) -> None:
        """Unplug; with `force` the lock is opened by its lever."""
        socket = self._socket(connector)
        if socket.vehicle is None:
            raise _nothing_plugged(connector)
        if socket.lock.holds and not force:
            raise SimulatorError(
                "conflict", Message(N_("the plug in {socket} is locked"), {"socket": connector})
            )
        if socket.lock.holds:
            socket.lock.release_by_hand()
        socket.unplug()

    async def change_vehicle(self, connector: int, change: Mapping[str, object]) -> None:
        """Change properties of the plugged-in vehicle."""
        socket = self._socket(connector)
        vehicle = socket.vehicle
        if vehicle is None:
            raise _nothing_plugged(connector)
        try:
            model = vehicle.model.changed({"soc": vehicle.soc, **change})
        except ValidationError as error:
            raise SimulatorError("invalid", verbatim(error_text(error))) from error
        socket.change_vehicle(model)

    async def present_card(
        self,
        *,
        uid: str | None = None,
        connector: int | None = None,
        hold_s: float | None = None,
        secure: bool | None = None,
        id_token: str | None = None,
    ) -> None:
        """Hold a card to the shared reader, or to the reader of a socket."""
        card = {
            "uid": uid,
            "connector": connector,
            "hold_s": hold_s,
            "secure": secure,
            "id_token": id_token,
        }
        try:
            read = HeldCard.model_validate({k: v for k, v in card.items() if v is not None})
        except ValidationError as error:
            raise SimulatorError("invalid", verbatim(error_text(error))) from error
        if read.connector is not None:
            self._socket(read.connector)
        if not self.world.power_on:
            raise SimulatorError("conflict", N_("the card reader has no power"))
        self.world.cards.emit(
            CardRead(
                uid=read.uid.upper(),
                connector=read.connector,
                secure=read.secure,
                held_s=read.hold_s,
                id_token=read.id_token,
            )
        )

    def faults(self) -> Sequence[CauseView]:
        return faults.causes(self.world)

    async def set_fault(
        self,
        fault: str,
        *,
        active: bool,
        connector: int | None = None,
        error_code: str | None = None,
        value: float | str | Mapping[str, float] | None = None,
        extent: Mapping[str, float] | None = None,
    ) -> None:
        """Set or clear a cause. `other:CODE` carries an OCPP error code; `value` (or `extent`) sets
        the severity."""
        name, _, code_in_name = fault.partition(":")
        sockets = self._sockets(connector)
        if name == faults.OTHER:
            code = error_code or code_in_name or "OtherError"
            if value is not None:
                raise SimulatorError(
                    "invalid", verbatim(f"{name} takes an error_code, not a value")
                )
            if code not in faults.ERROR_CODES:
                known = ", ".join(sorted(faults.ERROR_CODES))
                raise SimulatorError(
                    "invalid", verbatim(f"{code!r} is not an OCPP error code; there are: {known}")
                )
            faults.set_other(self.world, code, sockets, active)
            return
        cause = faults.CATALOGUE.get(fault)
        if cause is None:
            known = ", ".join((*faults.CATALOGUE, faults.OTHER))
            raise SimulatorError(
                "not_found", verbatim(f"there is no cause {fault!r}; there are: {known}")
            )
        try:
            how_bad = faults.extent_of(cause, extent, value)
        except ValueError as error:
            raise SimulatorError("invalid", verbatim(str(error))) from error
        faults.set_cause(self.world, cause, sockets, active, how_bad)

    async def set_link(self, link: str, *, up: bool, mode: str | None = None) -> None:
        """Cut or restore a link; restoring triggers an immediate retry of waiting connections."""
        if link not in self.world.links:
            known = ", ".join(self.world.links)
            raise SimulatorError(
                "not_found", verbatim(f"there is no link {link!r}; there are: {known}")
            )
        try:
            how = None if mode is None else LinkMode(mode)
        except ValueError as error:
            known = ", ".join(LinkMode)
            raise SimulatorError(
                "invalid", verbatim(f"{mode!r} is not a mode; there are: {known}")
            ) from error
        await self.world.links[link].switch(up, how)

    async def set_site(self, change: Mapping[str, object]) -> None:
        """Change `building_a`, `voltage_v` (one number or three), `pv_w` and `meter_input`."""
        try:
            asked = SiteChange.model_validate(change)
        except ValidationError as error:
            raise SimulatorError("invalid", verbatim(error_text(error))) from error
        site = self.world.site
        if asked.building_a is not None:
            site.building_a = _per_phase(asked.building_a)
        if asked.voltage_v is not None:
            site.voltage_v = _per_phase(asked.voltage_v)
        if asked.pv_w is not None:
            site.pv_w = asked.pv_w
        if asked.meter_input is not None:
            site.meter_input = asked.meter_input
        self.world.settle_site()

    async def set_input(self, number: int, *, active: bool) -> None:
        """Set optocoupler input 1 or 2, or the input for 230 V (3)."""
        if number not in self.world.inputs:
            raise SimulatorError("not_found", verbatim(f"there is no input {number}"))
        self.world.set_input(number, active)

    async def set_temperature(self, board_c: float, connector: int | None = None) -> None:
        """Set the temperature of one board, or of all."""
        if not COLDEST_C <= board_c <= HOTTEST_C:
            raise SimulatorError(
                "invalid", verbatim(f"{board_c} is not between {COLDEST_C} and {HOTTEST_C} °C")
            )
        for socket in self._sockets(connector):
            socket.temperature_c = board_c
            socket.settle()

    async def add_meter(self, setup: Mapping[str, object]) -> AddedMeter:
        """Serve another energy meter."""
        number = next(n for n in count(1) if f"meter-{n}" not in self.world.meters)
        await self.set_meter(f"meter-{number}", setup)
        return AddedMeter(f"meter-{number}")

    async def set_meter(self, meter: str, change: Mapping[str, object]) -> None:
        """Serve an energy meter with the values of a place of the world, or change one."""
        if re.fullmatch(METER_ID, meter) is None:
            raise SimulatorError("invalid", N_("The name of a meter has letters, digits, - and _."))
        try:
            asked = MeterChange.model_validate(change)
        except ValidationError as error:
            raise SimulatorError("invalid", verbatim(error_text(error))) from error
        before = self.world.meters.get(meter)
        if before is None and asked.type is None:
            raise SimulatorError("invalid", N_("A new meter needs a type."))
        if asked.source is not None and asked.source not in sources(self.world):
            known = {"sources": ", ".join(sources(self.world))}
            raise SimulatorError("invalid", Message(N_("The sources are {sources}."), known))
        try:
            await self.meters.set(_changed(before or MeterSetup(meter, ""), asked))
        except UnknownType as error:
            raise SimulatorError("invalid", error.message) from error
        except CannotServe as error:
            raise SimulatorError("conflict", error.message) from error

    async def remove_meter(self, meter: str) -> None:
        """Stop serving a meter."""
        if not await self.meters.remove(meter):
            raise SimulatorError(
                "not_found", Message(N_("There is no meter {meter}."), {"meter": meter})
            )

    def view(self) -> WorldView:
        return world_view(self.world, self.meters.views())

    def _socket(self, connector: int) -> Socket:
        try:
            return self.world.sockets[connector]
        except KeyError:
            raise SimulatorError(
                "not_found", verbatim(f"there is no connector {connector}")
            ) from None

    def _sockets(self, connector: int | None) -> list[Socket]:
        if connector is None:
            return list(self.world.sockets.values())
        return [self._socket(connector)]


def _changed(setup: MeterSetup, asked: MeterChange) -> MeterSetup:
    """Null clears a fault; other members that are null are as if omitted."""
    changes = asked.model_dump(exclude_none=True)
    if asked.type is not None:
        changes["type"] = meter_type(asked.type)
    if "fault" in asked.model_fields_set:
        changes["fault"] = asked.fault
    return replace(setup, **changes)


def _nothing_plugged(connector: int) -> SimulatorError:
    message = Message(N_("nothing is plugged into {socket}"), {"socket": connector})
    return SimulatorError("conflict", message)


def _vehicle(asked: Mapping[str, object]) -> Vehicle:
    """Parse `{}`, `{"vehicle": NAME}` with changes, or a complete vehicle."""
    members = dict(asked)
    name = members.pop("vehicle", None)
    try:
        if name is None:
            return Vehicle.model_validate(members)
        return named(str(name)).changed(members)
    except UnknownVehicle as error:
        raise SimulatorError("invalid", verbatim(str(error))) from error
    except ValidationError as error:
        raise SimulatorError("invalid", verbatim(error_text(error))) from error


def _per_phase(value: float | tuple[float, float, float]) -> PerPhase:
    return PerPhase(*value) if isinstance(value, tuple) else PerPhase.same(value)
