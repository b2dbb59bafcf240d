"""The dashboard: problems, power flow, sockets, statistics, technical details."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Path, Request
from starlette.responses import Response

from borne.adapters.web.access import OPERATOR, USER
from borne.adapters.web.api.load import load_status
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.pages import load_building, present, refused_card, site_meter, technical
from borne.adapters.web.pages.shell import (
    done,
    form,
    page,
    setting,
    words_for,
    zone_of,
)
from borne.adapters.web.routes import Routes
from borne.application.charging.station_control import StationControl
from borne.application.commands import Command, command_of
from borne.domain.load_management.topology import Rotation
from borne.domain.settings.choices import DisplayBoard, DlmRole, PhaseRotation
from borne.domain.station.station_status import StationStatus
from borne.foundation.calendar import Month
from borne.foundation.messages import N_
from borne.foundation.units import PerPhase

routes = Routes(USER)


def socket_names(request: Request) -> dict[int, str]:
    """Names of the sockets that have one."""
    return {socket.id: socket.name for socket in station(request).status.snapshot().sockets}


def variables(request: Request, status: StationStatus) -> dict[str, Any]:
    """The variables of the live parts."""
    words, names = words_for(request), socket_names(request)
    display = setting(request, "DisplayType", DisplayBoard.NONE) != DisplayBoard.NONE
    meter = station(request).site_meter
    return {
        "status": status,
        "problems": present.problems(status, names, words),
        "refused_card": refused_card.refused(status, words),
        "flow": present.flow(status, words, rotations(request, status)),
        "sockets": present.sockets(status, names, words, display=display),
        "system_status": technical.system_status(status, names, request),
        "details": technical.details(status, words, meter.status if meter else None),
        "site_meter": site_meter_card(request),
        **group_variables(request),
    }


def group_variables(request: Request) -> dict[str, Any]:
    """A line about the group, and the load of the main distribution."""
    load, words = load_status(station(request)), words_for(request)
    settings = settings_of(station(request)).settings
    main = settings.amps_or_none("DLMMainDistributionLimit")
    return {
        "group_line": load_building.group_line(load, words),
        "main_bars": load_building.building_bars(load, PerPhase(*main), words) if main else (),
    }


def site_meter_card(request: Request) -> site_meter.SiteMeterCard | None:
    """The second meter, if one is set."""
    meter = station(request).site_meter
    if meter is None:
        return None
    master = setting(request, "DLMRole", DlmRole.DISABLED) in {
        DlmRole.MASTER,
        DlmRole.STANDALONE_MASTER,
    }
    return site_meter.site_card(meter.status, words_for(request), master=master)


def rotations(request: Request, status: StationStatus) -> dict[int, Rotation]:
    """Phase rotation of each socket, relative to the grid."""
    settings = settings_of(station(request)).settings
    return {
        socket.id: Rotation(
            settings.choice("ConnectorPhaseRotation", PhaseRotation, socket.id).value.upper()
        )
        for socket in status.sockets
    }


@routes.get("/")
async def dashboard(request: Request) -> Response:
    services = station(request)
    status = services.status.snapshot()
    words = words_for(request)
    return await page(
        request,
        "dashboard.html",
        title=present.title(status, str(setting(request, "StationName", "Station")), words),
        announcement="",
        totals=await services.sessions.totals(),
        last_month=str(Month.of(services.clock.now(), zone_of(request)).plus(-1)),
        **variables(request, status),
    )


@dataclass(frozen=True, slots=True)
class Button:
    """The command of a button on a socket card, and the message when it is done."""

    command: Command
    done: str
    arguments: Mapping[str, object] = field(default_factory=dict)


_AVAILABILITY = command_of(StationControl.set_availability)
BUTTONS: dict[str, Button] = {
    "start": Button(command_of(StationControl.start), N_("Accepted.")),
    "stop": Button(command_of(StationControl.stop), N_("The session ends.")),
    "unlock": Button(command_of(StationControl.unlock), N_("The cable is being released.")),
    "enable": Button(_AVAILABILITY, N_("Done."), {"operative": True}),
    "disable": Button(_AVAILABILITY, N_("Done."), {"operative": False}),
}
ANSWER_TEXTS = {"scheduled": N_("Done after the running session.")}
"""Replaces the message of a button, by the answer of its command."""


@routes.post("/connectors/{connector}/{action}", OPERATOR)
async def act(
    request: Request,
    connector: Annotated[int, Path(ge=1, le=64)],
    action: Annotated[str, Path(max_length=20)],
) -> Response:
    """Execute the command of a button."""
    button = BUTTONS.get(action)
    if button is None:
        raise ApiError(404, "not_found", N_("There is no such action."))
    await form(request)
    control, who = station(request).control, visitor(request).principal
    arguments = {"connector": connector, **button.arguments}
    answer = await button.command.execute(control, who, arguments)
    text = words_for(request)(ANSWER_TEXTS.get(str(answer), button.done))
    return done(request, text, "/")
