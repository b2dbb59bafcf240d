"""The world around a simulated station. Every call answers after the world changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Path, Request

from borne.adapters.web.access import WORLD
from borne.adapters.web.api.bodies import (
    Card,
    Fault,
    Input,
    JsonObject,
    Link,
    PowerAction,
    Temperature,
    Unplug,
)
from borne.adapters.web.api.connectors import ConnectorId
from borne.adapters.web.errors import ApiError
from borne.adapters.web.routes import API, Routes
from borne.adapters.web.state import web_state
from borne.application.ports.simulator import SimulatorPort
from borne.foundation.messages import N_

routes = Routes(WORLD, f"{API}/simulator", tag="simulator")

LinkName = Literal["backend", "meter", "external-meter", "master", "usb"]
Name = Annotated[str, Path(max_length=60)]


def world(request: Request) -> SimulatorPort:
    """The simulated world; it is there without a station too."""
    simulator = web_state(request.app).host.simulator
    if simulator is None:
        raise ApiError(404, "no_simulator", N_("The hardware of this station is not simulated."))
    return simulator


def done(request: Request) -> dict[str, Any]:
    """The answer after a change of the world."""
    services = web_state(request.app).host.services()
    return {"revision": services.status.revision} if services else {"power": "off"}


@routes.get("", summary="The whole world")
async def view(request: Request) -> dict[str, Any]:
    """Sockets, vehicles, cards, links, faults, site."""
    return dict(world(request).view())


@routes.get("/vehicles", summary="Vehicles that can be plugged")
async def vehicles(request: Request) -> dict[str, Any]:
    """Names and properties, and the JSON schema of a vehicle."""
    return dict(world(request).vehicles())


@routes.post("/connectors/{connector}/plug", summary="Plug a vehicle in")
async def plug(
    request: Request, connector: ConnectorId, body: Annotated[JsonObject | None, Body()] = None
) -> dict[str, Any]:
    """`{}`, `{"vehicle": NAME}` or a whole vehicle. 409 when something is plugged."""
    await world(request).plug(connector, body or {})
    return done(request)


@routes.post("/connectors/{connector}/unplug", summary="Pull the plug")
async def unplug(
    request: Request, connector: ConnectorId, body: Annotated[Unplug | None, Body()] = None
) -> dict[str, Any]:
    """409 when the plug is locked, unless forced."""
    await world(request).unplug(connector, force=body.force if body else False)
    return done(request)


@routes.post("/connectors/{connector}/vehicle", summary="Change the vehicle")
async def vehicle(request: Request, connector: ConnectorId, body: JsonObject) -> dict[str, Any]:
    """`{"wants_charge": false, "soc": 0.8}` and other members of a vehicle."""
    await world(request).change_vehicle(connector, body)
    return done(request)


@routes.post("/cards", summary="Hold a card to a reader")
async def cards(request: Request, body: Card) -> dict[str, Any]:
    """A card by its UID, or a ready token by `id_token`."""
    if body.uid is None and body.id_token is None:
        raise ApiError(422, "invalid", N_("A card needs a uid or an id_token."))
    await world(request).present_card(body.model_dump(exclude_none=True))
    return done(request)


@routes.get("/faults", summary="Causes of faults")
async def faults(request: Request) -> dict[str, Any]:
    """Every physical cause that can be set, with its state."""
    return {"faults": [dict(fault) for fault in world(request).faults()]}


@routes.put("/faults/{fault}", summary="Set or clear a cause")
async def set_fault(request: Request, fault: Name, body: Fault) -> dict[str, Any]:
    """The fault itself is what the station makes of its cause. `value` says how bad it is; the
    list of causes tells unit, default and bounds."""
    name = f"{fault}:{body.error_code}" if body.error_code else fault
    await world(request).set_fault(
        name,
        active=body.active,
        connector=body.connector,
        extent=body.extent,
        value=body.value,
    )
    return done(request)


@routes.put("/links/{link}", summary="Cut or mend a connection")
async def set_link(request: Request, link: LinkName, body: Link) -> dict[str, Any]:
    """`up: true` also clears the back-off."""
    await world(request).set_link(link, up=body.up, mode=body.mode)
    return done(request)


@routes.put("/site", summary="The building")
async def site(request: Request, body: JsonObject) -> dict[str, Any]:
    """Building load and voltage per phase, photovoltaics."""
    await world(request).set_site(body)
    return done(request)


@routes.put("/inputs/{number}", summary="A digital input")
async def set_input(
    request: Request, number: Annotated[int, Path(ge=1, le=2)], body: Input
) -> dict[str, Any]:
    """Optocoupler 1 or 2."""
    await world(request).set_input(number, active=body.active)
    return done(request)


@routes.put("/temperature", summary="Temperature of the boards")
async def temperature(request: Request, body: Temperature) -> dict[str, Any]:
    """In degrees Celsius."""
    await world(request).set_temperature(body.board_c, body.connector)
    return done(request)


@routes.post("/power", summary="The mains switch")
async def power(request: Request, body: PowerAction) -> dict[str, Any]:
    """Cut: without farewell, what was not committed is lost. Restore: the station starts anew."""
    web = web_state(request.app)
    switch = web.host.power
    if switch is None:
        raise ApiError(404, "no_simulator", N_("The hardware of this station is not simulated."))
    if body.action == "cut":
        await switch.cut()
        return {"power": "off"}
    await switch.restore()
    services = web.host.services()
    answer: dict[str, Any] = {"power": "on" if services else "off"}
    if services:
        answer["revision"] = services.status.revision
    return answer
