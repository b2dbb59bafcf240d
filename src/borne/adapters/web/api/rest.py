"""The state in the format of older controllers; see `full_state`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import PlainTextResponse

from borne.adapters.web.access import Access
from borne.adapters.web.errors import ApiError
from borne.adapters.web.full_state import full_state
from borne.adapters.web.guard import maybe_visitor, station
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.refusals import no_socket
from borne.domain.principals import Role

routes = Routes(Access(Role.USER, open_by="RestStateOpen"))


@routes.get("/rest/full_state")
async def state(
    request: Request, connector: Annotated[int, Query(ge=1, le=64)] = 1
) -> PlainTextResponse:
    """One line per key; with `?connector=2` of the second socket."""
    services = station(request)
    try:
        text = full_state(
            services.status.snapshot(),
            connector,
            services.settings.settings,
            web_state(request.app).host.version,
            stranger=maybe_visitor(request) is None,
        )
    except KeyError:
        raise ApiError(404, "unknown_connector", no_socket(connector)) from None
    return PlainTextResponse(text)
