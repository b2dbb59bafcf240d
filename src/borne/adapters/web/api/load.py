"""Load management: the limits of the site, who gets what and why, and the decisions of the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.load_answers import Load, LoadHistory
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words, negotiate
from borne.adapters.web.load_json import history_csv, history_json, load_json
from borne.adapters.web.routes import API, Routes
from borne.application.services import LoadView, StationServices
from borne.domain.load_management.load_status import LoadDecision, LoadStatus
from borne.domain.settings.choices import DlmRole, Language
from borne.foundation.calendar import zone_named
from borne.foundation.messages import N_

routes = Routes(OPERATOR, API, tag="load management")

From = Annotated[datetime | None, Query(alias="from", description="The first moment")]
To = Annotated[datetime | None, Query(description="Before this moment")]


def load_status(services: StationServices) -> LoadStatus:
    """The status of load management; while it is off, only the role."""
    if services.load is not None:
        return services.load.status()
    return LoadStatus(role=settings_of(services).settings.choice("DLMRole", DlmRole))


def load_of(request: Request) -> LoadView:
    """Load management, for its commands. Raises ApiError."""
    found = station(request).load
    if found is None:
        raise ApiError(404, "no_load_management", N_("This station has no load management."))
    return found


def reader_words(request: Request) -> Words:
    """The language of the reader."""
    settings = settings_of(station(request)).settings
    return Words(negotiate(request, settings.choice("WebUILanguage", Language).value))


@routes.get("/load", summary="Load management: limits, participants, reasons")
async def load(request: Request) -> Load:
    """Who gets which current, and why. Amps per phase are those of the grid, unless a member says
    otherwise. What is not known is null. `disconnected_sum` is the line on which the disconnected
    limits leave the least room; it does not fit if they exceed it."""
    services = station(request)
    samples = services.load.samples() if services.load is not None else ()
    meter = services.site_meter.status if services.site_meter is not None else None
    return load_json(load_status(services), samples, meter, reader_words(request))


@routes.get("/load/history", summary="Decisions of load management, oldest first")
async def history(request: Request, start: From = None, to: To = None) -> LoadHistory:
    """What each cycle changed, and why; at most the decisions that are still stored. Dates without
    a time zone are in the station's."""
    status = load_status(station(request))
    return history_json(decisions(request, start, to), status, reader_words(request))


@routes.get("/load/history.csv", response_class=Response, summary="Decisions as a table")
async def history_table(
    request: Request,
    start: From = None,
    to: To = None,
    separator: Annotated[str, Query(pattern="^[,;]$")] = ",",
) -> Response:
    """CSV with a header line, UTF-8, ISO dates; amps per phase of the grid after the change."""
    status, found = load_status(station(request)), decisions(request, start, to)
    return Response(
        history_csv(found, status, reader_words(request), separator),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="load-management.csv"'},
    )


def decisions(
    request: Request, start: datetime | None, end: datetime | None
) -> Sequence[LoadDecision]:
    """The decisions of a period."""
    services = station(request)
    if services.load is None:
        return ()
    zone = zone_named(settings_of(services).settings.text("TimeZone"))
    first, last = (
        moment and (moment if moment.tzinfo else moment.replace(tzinfo=zone))
        for moment in (start, end)
    )
    return services.load.history(first, last)
