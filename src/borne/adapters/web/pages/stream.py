"""The event stream of a page: HTML pieces, sent when they change, morphed in place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial as partial_of
from typing import Any

from fastapi import Request
from starlette.responses import Response

from borne.adapters.web.access import OPERATOR, SIMULATOR, USER, Access
from borne.adapters.web.api.status import (
    RETRY_MS,
    stream,
    too_many_streams,
)
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.live import TooManyStreams
from borne.adapters.web.pages import (
    backend,
    dashboard,
    help_pages,
    load,
    present,
    simulator,
    teach_in,
)
from borne.adapters.web.pages.shell import part, partial, setting, words_for
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.domain.station.station_status import StationStatus
from borne.foundation.events import Signal

routes = Routes(USER)

Pieces = dict[str, str]
REST_S = 0.25
"""At most four updates a second."""
LOAD_REST_S = 1.0
"""The page of a large group is large."""


def frame_pieces(request: Request, status: StationStatus) -> Pieces:
    """The live part of every page: the chips of the header. The title belongs to the page."""
    words = words_for(request)
    return {"#chips": part(request, "parts/chips.html", chips=present.chips(status, words))}


def dashboard_pieces(request: Request, status: StationStatus) -> Pieces:
    """The cards of the dashboard, and its title, which shows the state for a tab in the
    background."""
    values = dashboard.variables(request, status)
    words, names = words_for(request), dashboard.socket_names(request)
    station_name = str(setting(request, "StationName", "") or "Station")
    title = present.title(status, station_name, words)
    pieces = {
        "title": part(request, "parts/title.html", title=title),
        "#problems": part(request, "parts/problems.html", **values),
        "#flow": part(request, "parts/flow.html", **values),
        "#group-line": part(request, "parts/group_line.html", **values),
        "#site-meter": part(request, "parts/site_meter.html", **values),
        "#details": part(request, "parts/details.html", **values),
        "#announcement": part(
            request,
            "parts/announcement.html",
            announcement=present.announcement(status, names, words),
        ),
    }
    for socket in values["sockets"]:
        pieces[f"#socket-{socket.id}"] = part(request, "parts/socket.html", socket=socket)
    return pieces


def backend_pieces(request: Request, status: StationStatus) -> Pieces:  # noqa: ARG001 -- one shape for all
    """The state of the backend link."""
    state = backend.state(station(request).backend, words_for(request))
    return {"#backend-state": part(request, "parts/backend_state.html", **state)}


async def load_pieces(request: Request, status: StationStatus) -> Pieces:  # noqa: ARG001 -- one shape for all
    """Everything that moves on the page of load management."""
    return await load.pieces(request)


def help_pieces(request: Request, status: StationStatus) -> Pieces:  # noqa: ARG001 -- one shape for all
    """The steps of a help page."""
    return help_pages.pieces(request)


Draw = Callable[[Request, StationStatus], Pieces | Awaitable[Pieces]]
PAGES: dict[str, tuple[Access, Draw]] = {
    "frame": (USER, lambda request, status: {}),  # noqa: ARG005 -- the frame alone
    "dashboard": (USER, dashboard_pieces),
    "load": (OPERATOR, load_pieces),
    "backend": (OPERATOR, backend_pieces),
    "help": (USER, help_pieces),
    "whitelists": (OPERATOR, lambda request, status: teach_in.pieces(request)),  # noqa: ARG005 -- one shape
    "simulator": (SIMULATOR, lambda request, status: simulator.pieces(request)),  # noqa: ARG005 -- one shape
}

SHOW_METER = {dashboard_pieces, help_pieces, load_pieces}
SHOW_LOAD = {dashboard_pieces, load_pieces}
"""They also change with the meter of the site or with load management, which are no part of the
status."""


def _live(draw: Draw) -> Callable[[Request], Awaitable[Response]]:
    async def live(request: Request) -> Response:
        web, who = web_state(request.app), visitor(request)
        try:
            web.hub.check_room(who.key)
        except TooManyStreams:
            raise too_many_streams() from None
        return stream(_pieces(request, draw))

    return live


for _name, (_access, _draw) in PAGES.items():
    routes.add("GET", f"/live/{_name}", _live(_draw), _access)


async def _pieces(request: Request, draw: Draw) -> AsyncIterator[str]:
    web, who = web_state(request.app), visitor(request)
    meter, managed = station(request).site_meter, station(request).load
    also: list[Signal[Any]] = []
    if meter is not None and draw in SHOW_METER:
        also.append(meter.changed)
    if managed is not None and draw in SHOW_LOAD:
        also.append(managed.changed)
    sent: dict[str, bytes] = {}
    yield f"retry: {RETRY_MS}\n\n"
    async for tick in web.hub.follow(who.key, partial_of(web.admits, who), also):
        status = tick.snapshot
        if status is None:
            yield "event: alive\ndata: 1\n\n"
            status = station(request).status.snapshot()
        news = []
        drawn = draw(request, status)
        drawn = drawn if isinstance(drawn, dict) else await drawn
        for target, text in (frame_pieces(request, status) | drawn).items():
            digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
            if sent.get(target) != digest:
                sent[target] = digest
                news.append(partial(target, text))
        if news:
            yield message("".join(news))
            await asyncio.sleep(LOAD_REST_S if draw is load_pieces else REST_S)
    yield f"event: {'ended' if web.host.services() else 'power-off'}\ndata: 1\n\n"


def message(text: str) -> str:
    """An unnamed event, swapped by htmx."""
    lines = "\n".join(f"data: {line}" for line in text.splitlines())
    return f"{lines}\n\n"
