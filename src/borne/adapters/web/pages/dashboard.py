"""The dashboard: problems, power flow, sockets, statistics, technical details."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from borne.adapters.web.api.connectors import known
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import GuardedRoute, station, visitor
from borne.adapters.web.pages import present
from borne.adapters.web.pages.shell import done, form, page, setting, words_for
from borne.domain.principals import Role
from borne.domain.settings.choices import DisplayBoard

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


def socket_names(request: Request) -> dict[int, str]:
    """Names of the sockets, where they have one."""
    connectors = station(request).status.snapshot()["connectors"]
    return {item["id"]: str(item.get("name") or "") for item in connectors}


def variables(request: Request, status: dict[str, Any]) -> dict[str, Any]:
    """What the live pieces of the dashboard show."""
    words, names = words_for(request), socket_names(request)
    display = setting(request, "DisplayType", DisplayBoard.NONE) != DisplayBoard.NONE
    return {
        "status": status,
        "problems": present.problems(status, names, words),
        "flow": present.flow(status, words),
        "sockets": present.sockets(status, names, words, display=display),
        "details": technical(status, request),
    }


def technical(status: dict[str, Any], request: Request) -> list[tuple[str, list[tuple[str, str]]]]:
    """The table that the manual's interface shows, by group."""
    words = words_for(request)
    backend = status.get("backend") or {}
    groups = [
        (
            words("Station"),
            [
                (
                    words("Identity (ChargeBoxIdentity)"),
                    str(setting(request, "ChargePointID", "–")),
                ),
                (words("Backend link"), str(backend.get("link", "–"))),
                (words("Registration"), str(backend.get("boot", "–"))),
                (words("Messages waiting"), str(backend.get("queue", 0))),
                (words("Time"), f"{status['time']} ({status.get('clock_trust', '–')})"),
                (words("Revision"), str(status["revision"])),
            ],
        )
    ]
    for item in status["connectors"]:
        rows = [
            (words("OCPP state"), str(item["state"])),
            (words("Control pilot"), str(item.get("pilot", "–"))),
            (words("Signalled current"), _list(item.get("offered_a"), " A")),
            (words("Measured current"), _list(item.get("measured_a"), " A")),
            (words("Meter register"), f"{item.get('register_wh', 0)} Wh"),
            (words("Cable"), f"{item.get('cable_a') or 0} A"),
            (words("Locked"), words("yes") if item.get("locked") else words("no")),
            (words("LED pattern"), str(item.get("led", "–"))),
        ]
        groups.append((words("Socket {n}").format(n=item["id"]), rows))
    return groups


def _list(values: Any, unit: str) -> str:
    return " / ".join(f"{value:g}" for value in values or ()) + unit if values else "–"


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
        raise ApiError(404, "not_found", "There is no such action.")
    role, _ = ACTIONS[action]
    who, words, control = visitor(request), words_for(request), station(request).control
    if not who.role.includes(role):
        details = {"role": who.role.value, "needed": role.value}
        raise ApiError(403, "forbidden", f"This needs {role.value}.", details)
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
