"""The dashboard: problems, power flow, sockets, statistics, technical details."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from borne.adapters.web.api.connectors import known
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import GuardedRoute, station, visitor
from borne.adapters.web.pages import present, refused_card, technical
from borne.adapters.web.pages.shell import (
    done,
    form,
    month_before,
    page,
    setting,
    words_for,
    zone_of,
)
from borne.domain.load_management.topology import Rotation
from borne.domain.principals import Role
from borne.domain.settings.choices import DisplayBoard, PhaseRotation
from borne.domain.settings.messages import N_, Message
from borne.domain.station.station_status import StationStatus

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


def socket_names(request: Request) -> dict[int, str]:
    """Names of the sockets, where they have one."""
    return {socket.id: socket.name for socket in station(request).status.snapshot().sockets}


def variables(request: Request, status: StationStatus) -> dict[str, Any]:
    """What the live pieces of the dashboard show."""
    words, names = words_for(request), socket_names(request)
    display = setting(request, "DisplayType", DisplayBoard.NONE) != DisplayBoard.NONE
    return {
        "status": status,
        "problems": present.problems(status, names, words),
        "refused_card": refused_card.refused(status, words),
        "flow": present.flow(status, words, rotations(request, status)),
        "sockets": present.sockets(status, names, words, display=display),
        "system_status": technical.system_status(status, names, request),
        "details": technical.details(status, words),
    }


def rotations(request: Request, status: StationStatus) -> dict[int, Rotation]:
    """How the phases of each socket lie at the grid."""
    settings = settings_of(station(request)).settings
    return {
        socket.id: Rotation(
            settings.choice("ConnectorPhaseRotation", PhaseRotation, socket.id).value.upper()
        )
        for socket in status.sockets
    }


@router.get("/")
async def dashboard(request: Request) -> Response:
    """The page."""
    services = station(request)
    status = services.status.snapshot()
    words = words_for(request)
    return await page(
        request,
        "dashboard.html",
        title=present.title(status, str(setting(request, "StationName", "Station")), words),
        announcement="",
        totals=await services.sessions.totals(),
        last_month=month_before(services.clock.now(), zone_of(request)),
        **variables(request, status),
    )


ACTIONS: dict[str, tuple[Role, str]] = {
    "start": (Role.USER, "Starting"),
    "stop": (Role.USER, "Stopping"),
    "unlock": (Role.OPERATOR, "Unlocking"),
    "enable": (Role.OPERATOR, "Back in service"),
    "disable": (Role.OPERATOR, "Out of service"),
}


@router.post("/connectors/{connector}/{action}")
async def act(
    request: Request,
    connector: Annotated[int, Path(ge=1, le=64)],
    action: Annotated[str, Path(max_length=20)],
) -> Response:
    """A button of a socket's card."""
    if action not in ACTIONS:
        raise ApiError(404, "not_found", N_("There is no such action."))
    role, _ = ACTIONS[action]
    who, words, control = visitor(request), words_for(request), station(request).control
    if not who.role.includes(role):
        details = {"role": who.role.value, "needed": role.value}
        raise ApiError(
            403,
            "forbidden",
            Message(N_("This needs {needed}."), {"needed": Message(role.value)}),
            details,
        )
    await form(request)
    known(request, connector)
    text = words("Done.")
    match action:
        case "start":
            await control.start(connector, who.principal, None)
            text = words("Accepted.")
        case "stop":
            await control.stop(connector, who.principal)
            text = words("The session ends.")
        case "unlock":
            await control.unlock(connector, who.principal)
            text = words("The cable is being released.")
        case _:
            operative = action == "enable"
            result = await control.set_availability(connector, who.principal, operative=operative)
            text = words("Done after the running session.") if result == "scheduled" else text
    return done(request, text, "/")
