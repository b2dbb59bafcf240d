"""Load management, live: who gets which current, why, and what would happen without the master
(manual 7.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.load import load_status
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import list_separator
from borne.adapters.web.pages import load_columns, load_slave, load_view
from borne.adapters.web.pages.shell import page, part, setting, words_for, zone_of
from borne.adapters.web.routes import Routes
from borne.domain.settings.choices import DlmRole
from borne.foundation.units import ZERO, PerPhase

routes = Routes(OPERATOR)

TICKER_ROWS = 12
TICKER_PERIOD = timedelta(hours=1)
PARTS = ("head", "checks", "slave", "columns", "sources", "table", "curves", "ticker")
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
        "load_curves": load_columns.curves(samples, now, words) if master else (),
        "load_curve_rows": load_columns.curve_rows(samples, zone, words) if master else [],
        "load_decisions": load_view.decisions(history[-TICKER_ROWS:], status, zone, words),
        "load_slave": load_slave.slave_part(status.slave, words) if status.slave else None,
        "load_missing": status.missing,
        "load_imbalance": load_view.imbalance_holds(status),
        "may_clear": False,
        "may_identify": False,
        "load_known": len({row.station for row in status.participants} | set(status.missing)),
    }


def headroom_a(request: Request) -> PerPhase:
    """The External Load Headroom."""
    if not setting(request, "DLMExternalMeterSupport", default=False):
        return ZERO
    return PerPhase(*settings_of(station(request)).settings.amps("DLMExternalLoadHeadroom"))


def pieces(request: Request) -> dict[str, str]:
    """The live parts, by target."""
    values = variables(request)
    return {f"#load-{name}": part(request, f"parts/load_{name}.html", **values) for name in PARTS}


@routes.get("/load")
async def load(request: Request) -> Response:
    return await page(request, "load.html", **variables(request))


@routes.get("/load/export")
async def export(request: Request) -> Response:
    """Redirect to the CSV of the API, with the separator of the language."""
    separator = quote(list_separator(words_for(request).language), safe=",")
    return RedirectResponse(f"/api/v1/load/history.csv?separator={separator}", 303)
