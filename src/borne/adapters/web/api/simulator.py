"""The simulated world around a station. Every call answers after the change."""

from __future__ import annotations

from fastapi import Request

from borne.adapters.web.access import WORLD
from borne.adapters.web.api.answers import Faults, PowerAnswer
from borne.adapters.web.api.bodies import (
    PowerAction,
)
from borne.adapters.web.errors import ApiError
from borne.adapters.web.routes import API, Routes
from borne.adapters.web.state import web_state
from borne.application.ports.simulator import SimulatorPort, Vehicles, WorldView
from borne.foundation.messages import N_

routes = Routes(WORLD, f"{API}/simulator", tag="simulator")


def simulator_of(request: Request) -> SimulatorPort:
    """The simulated world; it also exists while the station has no power."""
    simulator = web_state(request.app).host.simulator
    if simulator is None:
        raise ApiError(404, "no_simulator", N_("The hardware of this station is not simulated."))
    return simulator


@routes.get("", summary="The whole world")
async def view(request: Request) -> WorldView:
    """Sockets, vehicles, cards, links, faults, site."""
    return simulator_of(request).view()


@routes.get("/vehicles", summary="Vehicles that can be plugged")
async def vehicles(request: Request) -> Vehicles:
    """Names and properties, and the JSON schema of a vehicle."""
    return simulator_of(request).vehicles()


@routes.get("/faults", summary="Causes of faults")
async def faults(request: Request) -> Faults:
    """All physical causes that can be set, with their state."""
    return {"faults": simulator_of(request).faults()}


@routes.post("/power", summary="The mains switch")
async def power(request: Request, body: PowerAction) -> PowerAnswer:
    """Cut: an abrupt power loss, uncommitted data is lost. Restore: the station starts again."""
    web = web_state(request.app)
    switch = web.host.power
    if switch is None:
        raise ApiError(404, "no_simulator", N_("The hardware of this station is not simulated."))
    if body.action == "cut":
        await switch.cut()
        return {"power": "off"}
    await switch.restore()
    services = web.host.services()
    answer: PowerAnswer = {"power": "on" if services else "off"}
    if services:
        answer["revision"] = services.status.revision
    return answer
