"""Load management, live: who gets which current, why, and what would happen without the master
(manual 7.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.load import load_of, load_status
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words, list_separator
from borne.adapters.web.pages import load_columns, load_slave, load_view
from borne.adapters.web.pages.shell import (
    done,
    environment,
    form,
    frame,
    page,
    setting,
    words_for,
    zone_of,
)
from borne.adapters.web.routes import Routes
from borne.application.commands import command_of
from borne.application.services import LoadView
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.load_status import LoadStatus
from borne.domain.principals import Role
from borne.domain.settings.choices import DlmRole
from borne.foundation.messages import N_
from borne.foundation.units import ZERO, PerPhase

routes = Routes(OPERATOR)

TICKER_ROWS = 12
CHECKS_SHOWN = 4
"""Exceeded lines above the fold; the others are behind "more"."""
COUNT_DIGITS = 4
STATION_LENGTH = 64
TICKER_PERIOD = timedelta(hours=1)
PARTS = ("head", "checks", "slave", "columns", "sources", "table", "curves", "ticker", "known")
"""Live parts of the page: `#load-head` and so on."""


def variables(request: Request) -> dict[str, Any]:
    """The variables of the page and its live parts."""
    services, words, zone = station(request), words_for(request), zone_of(request)
    status, now = load_status(services), services.clock.now()
    master = status.role.is_master
    samples = load_columns.thinned(services.load.samples() if services.load else (), now)
    history = services.load.history(now - TICKER_PERIOD, None) if services.load else ()
    return {
        "load_role": "off" if status.role is DlmRole.DISABLED else "master" if master else "slave",
        "load_headline": load_view.headline(status, words) if master else "",
        "load_rows": load_view.rows_of(status, now, words),
        "load_totals": load_view.totals(status, words) if status.participants else [],
        "load_columns": load_columns.columns(status, headroom_a(request), words)
        if status.limit_a is not None
        else (),
        "load_sources": load_view.sources(status, words),
        "load_checks": load_view.checks(status, words),
        "load_checks_shown": CHECKS_SHOWN,
        "load_curves": load_columns.curves(samples, now, words) if master else (),
        "load_curve_rows": load_columns.curve_rows(samples, zone, words) if master else [],
        "load_decisions": load_view.decisions(history[-TICKER_ROWS:], status, zone, words),
        "load_slave": slave_of(status, words),
        "load_missing": status.missing,
        "load_stations": load_view.stations(status, words) if master else [],
        "load_problems": [problem.render(words) for problem in status.problems],
        "load_imbalance": load_view.imbalance_holds(status),
        "may_identify": visitor(request).role.includes(Role.OPERATOR),
    }


def slave_of(status: LoadStatus, words: Words) -> load_slave.SlavePart | None:
    """The station as a slave; that of a master is shown only when it lacks contact."""
    slave = status.slave
    if slave is None or (status.role.is_master and slave.stage is FailSafeStage.CONNECTED):
        return None
    return load_slave.slave_part(slave, words)


def headroom_a(request: Request) -> PerPhase:
    """The External Load Headroom."""
    if not setting(request, "DLMExternalMeterSupport", default=False):
        return ZERO
    return PerPhase(*settings_of(station(request)).settings.amps("DLMExternalLoadHeadroom"))


async def pieces(request: Request) -> dict[str, str]:
    """The live parts, by target; they may be large, so a worker renders them."""
    values = frame(request) | variables(request)
    return await asyncio.to_thread(_rendered, values)


def _rendered(values: Mapping[str, Any]) -> dict[str, str]:
    templates = {name: environment().get_template(f"parts/load_{name}.html") for name in PARTS}
    return {f"#load-{name}": template.render(values) for name, template in templates.items()}


@routes.get("/load")
async def load(request: Request) -> Response:
    return await page(request, "load.html", **variables(request))


_CLEAR = command_of(LoadView.clear_silent)
_FORGET = command_of(LoadView.forget)
_IDENTIFY = command_of(LoadView.identify)


@routes.post("/load/clear")
async def clear(request: Request) -> Response:
    """Forget the stations that do not answer, with their number as proof."""
    fields = await form(request)
    text = fields.get("count", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS):
        raise ApiError(422, "invalid", N_("Type the number of stations."))
    who = visitor(request).principal
    await _CLEAR.execute(load_of(request), who, {"count": int(text)})
    return done(request, words_for(request)(N_("The stations are forgotten.")), "/load")


@routes.post("/load/forget")
async def forget(request: Request) -> Response:
    """Forget one station that does not answer."""
    name = (await form(request)).get("station", "")[:STATION_LENGTH]
    await _FORGET.execute(load_of(request), visitor(request).principal, {"station": name})
    text = words_for(request)(N_("{station} is forgotten.")).format(station=name)
    return done(request, text, "/load")


@routes.post("/load/identify")
async def identify(request: Request) -> Response:
    """Let a station blink."""
    name = (await form(request)).get("station", "")[:STATION_LENGTH]
    await _IDENTIFY.execute(load_of(request), visitor(request).principal, {"station": name})
    return done(request, words_for(request)(N_("Its lights blink for half a minute.")), "/load")


@routes.get("/load/export")
async def export(request: Request) -> Response:
    """Redirect to the CSV of the API, with the separator of the language."""
    separator = quote(list_separator(words_for(request).language), safe=",")
    return RedirectResponse(f"/api/v1/load/history.csv?separator={separator}", 303)
