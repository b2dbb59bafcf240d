"""The simulator as page, API and tests use it: everything a hand could do to the street.

It checks what is asked, changes the world, and answers afterwards. Raises SimulatorError: 404 for
what does not exist, 409 for what is physically impossible, 422 for what makes no sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from borne.adapters.simulation import faults
from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.panorama import panorama
from borne.adapters.simulation.vehicle import LIBRARY, UnknownVehicle, Vehicle, named, sentence
from borne.adapters.simulation.world import LinkMode, World
from borne.application.ports.hardware import CardRead
from borne.application.ports.simulator import SimulatorError
from borne.foundation.messages import N_, Message, verbatim
from borne.foundation.units import PerPhase

COLDEST_C, HOTTEST_C = -40.0, 150.0
Amps = Annotated[float, Field(ge=-1000.0, le=1000.0)]
Volts = Annotated[float, Field(ge=0.0, le=500.0)]


class Card(BaseModel):
    """A card at a reader: its UID in hex, or a ready token."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    uid: str = Field("", pattern="^([0-9A-Fa-f]{8,20})?$")
    connector: int | None = None
    hold_s: float = Field(2.0, ge=0.0, le=60.0)
    secure: bool = False
    id_token: str | None = Field(None, min_length=1, max_length=255)

    @model_validator(mode="after")
    def _something(self) -> Card:
        if not self.uid and self.id_token is None:
            raise ValueError("a card needs a uid or an id_token")
        if len(self.uid) % 2:
            raise ValueError("a uid has two hex digits for each byte")
        return self


class SiteChange(BaseModel):
    """The building: what is missing stays. One number stands for all three phases."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    building_a: Amps | tuple[Amps, Amps, Amps] | None = None
    voltage_v: Volts | tuple[Volts, Volts, Volts] | None = None
    pv_w: float | None = Field(None, ge=0.0, le=1_000_000.0)


class Simulator:
    """A `SimulatorPort` on a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def vehicles(self) -> Mapping[str, Any]:
        """The library and the schema of a vehicle."""
        return {
            "vehicles": {key: vehicle.model_dump() for key, vehicle in LIBRARY.items()},
            "schema": Vehicle.model_json_schema(),
        }

    async def plug(self, connector: int, vehicle: Mapping[str, Any]) -> None:
        """Plug in; a name may come with changes."""
        socket = self._socket(connector)
        model = _vehicle(vehicle)
        if socket.vehicle is not None:
            raise SimulatorError(
                409,
                Message(
                    N_("{car} is plugged into {socket}"),
                    {"car": socket.vehicle.model.name, "socket": connector},
                ),
            )
        if socket.lock.holds:
            raise SimulatorError(
                409,
                Message(
                    N_("the lock of {socket} is closed, no plug can enter"), {"socket": connector}
                ),
            )
        socket.plug(model)

    async def unplug(self, connector: int, *, force: bool) -> None:
        """Pull the plug; by force, with the red lever of the lock."""
        socket = self._socket(connector)
        if socket.vehicle is None:
            raise _nothing_plugged(connector)
        if socket.lock.holds and not force:
            raise SimulatorError(
                409, Message(N_("the plug in {socket} is locked"), {"socket": connector})
            )
        if socket.lock.holds:
            socket.lock.release_by_hand()
        socket.unplug()

    async def change_vehicle(self, connector: int, change: Mapping[str, Any]) -> None:
        """Change members of the plugged vehicle."""
        socket = self._socket(connector)
        vehicle = socket.vehicle
        if vehicle is None:
            raise _nothing_plugged(connector)
        try:
            model = vehicle.model.changed({"soc": vehicle.soc, **change})
        except ValidationError as error:
            raise SimulatorError(422, verbatim(sentence(error))) from error
        socket.change_vehicle(model)

    async def present_card(self, card: Mapping[str, Any]) -> None:
        """Hold a card to the shared reader, or to that of a socket."""
        try:
            read = Card.model_validate(card)
        except ValidationError as error:
            raise SimulatorError(422, verbatim(sentence(error))) from error
        if read.connector is not None:
            self._socket(read.connector)
        if not self.world.power_on:
            raise SimulatorError(409, N_("the card reader has no power"))
        self.world.cards.emit(
            CardRead(
                uid=read.uid.upper(),
                connector=read.connector,
                secure=read.secure,
                held_s=read.hold_s,
                id_token=read.id_token,
            )
        )

    def faults(self) -> list[Mapping[str, Any]]:
        """Every cause with its state."""
        return faults.causes(self.world)

    async def set_fault(
        self,
        fault: str,
        *,
        active: bool,
        connector: int | None,
        extent: Mapping[str, Any] | None = None,
        value: object = None,
    ) -> None:
        """Break or mend; `other:CODE` carries an OCPP error code, `value` (or `extent`) says
        how bad."""
        name, _, error_code = fault.partition(":")
        sockets = self._sockets(connector)
        if name == faults.OTHER:
            code = error_code or "OtherError"
            if value is not None:
                raise SimulatorError(422, verbatim(f"{name} takes an error_code, no value"))
            if code not in faults.ERROR_CODES:
                known = ", ".join(sorted(faults.ERROR_CODES))
                raise SimulatorError(
                    422, verbatim(f"{code!r} is no OCPP error code; there are: {known}")
                )
            faults.set_other(self.world, code, sockets, active)
            return
        cause = faults.CATALOGUE.get(fault)
        if cause is None:
            known = ", ".join((*faults.CATALOGUE, faults.OTHER))
            raise SimulatorError(404, verbatim(f"no cause is called {fault!r}; there are: {known}"))
        try:
            how_bad = faults.extent_of(cause, extent, value)
        except ValueError as error:
            raise SimulatorError(422, verbatim(str(error))) from error
        faults.set_cause(self.world, cause, sockets, active, how_bad)

    async def set_link(self, link: str, *, up: bool, mode: str | None) -> None:
        """Cut or mend a link; mending tells those who wait to try again at once."""
        if link not in self.world.links:
            known = ", ".join(self.world.links)
            raise SimulatorError(404, verbatim(f"no link is called {link!r}; there are: {known}"))
        try:
            how = None if mode is None else LinkMode(mode)
        except ValueError as error:
            known = ", ".join(LinkMode)
            raise SimulatorError(
                422, verbatim(f"{mode!r} is no mode; there are: {known}")
            ) from error
        await self.world.links[link].switch(up, how)

    async def set_site(self, change: Mapping[str, Any]) -> None:
        """`building_a`, `voltage_v` (a number or three) and `pv_w`."""
        try:
            asked = SiteChange.model_validate(change)
        except ValidationError as error:
            raise SimulatorError(422, verbatim(sentence(error))) from error
        site = self.world.site
        if asked.building_a is not None:
            site.building_a = _three(asked.building_a)
        if asked.voltage_v is not None:
            site.voltage_v = _three(asked.voltage_v)
        if asked.pv_w is not None:
            site.pv_w = asked.pv_w
        self.world.settle_site()

    async def set_input(self, number: int, *, active: bool) -> None:
        """Optocoupler 1 or 2."""
        if number not in self.world.inputs:
            raise SimulatorError(404, verbatim(f"there is no input {number}"))
        self.world.set_input(number, active)

    async def set_temperature(self, board_c: float, connector: int | None) -> None:
        """Of one board, or of all."""
        if not COLDEST_C <= board_c <= HOTTEST_C:
            raise SimulatorError(
                422, verbatim(f"{board_c} is not between {COLDEST_C} and {HOTTEST_C} °C")
            )
        for socket in self._sockets(connector):
            socket.temperature_c = board_c
            socket.settle()

    def view(self) -> Mapping[str, Any]:
        return panorama(self.world)

    def _socket(self, connector: int) -> Socket:
        try:
            return self.world.sockets[connector]
        except KeyError:
            raise SimulatorError(404, verbatim(f"there is no connector {connector}")) from None

    def _sockets(self, connector: int | None) -> list[Socket]:
        if connector is None:
            return list(self.world.sockets.values())
        return [self._socket(connector)]


def _nothing_plugged(connector: int) -> SimulatorError:
    message = Message(N_("nothing is plugged into {socket}"), {"socket": connector})
    return SimulatorError(409, message)


def _vehicle(asked: Mapping[str, Any]) -> Vehicle:
    """`{}`, `{"vehicle": NAME}` with changes, or a whole vehicle."""
    members = dict(asked)
    name = members.pop("vehicle", None)
    try:
        if name is None:
            return Vehicle.model_validate(members)
        return named(str(name)).changed(members)
    except UnknownVehicle as error:
        raise SimulatorError(422, verbatim(str(error))) from error
    except ValidationError as error:
        raise SimulatorError(422, verbatim(sentence(error))) from error


def _three(value: float | tuple[float, float, float]) -> PerPhase:
    return PerPhase(*value) if isinstance(value, tuple) else PerPhase.same(value)
