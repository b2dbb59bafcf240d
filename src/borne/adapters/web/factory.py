"""Builds the application: routes behind the guard, error handlers, and the outer shell."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from borne.adapters.web import error_answers
from borne.adapters.web.api import (
    charging_profiles,
    commands,
    health,
    load,
    records,
    rest,
    settings,
    simulator,
    status,
)
from borne.adapters.web.api import (
    meters as meters_api,
)
from borne.adapters.web.contract import WebHost
from borne.adapters.web.live import EventHub
from borne.adapters.web.middleware import Shell
from borne.adapters.web.pages import (
    account,
    backend,
    backend_setup,
    dashboard,
    entrance,
    help_pages,
    master_card,
    meter_search,
    meters,
    ocpp_whitelist,
    session_figures,
    sessions,
    stream,
    teach_in,
    whitelist_import,
    whitelists,
)
from borne.adapters.web.pages import charging_profiles as charging_profile_pages
from borne.adapters.web.pages import load as load_pages
from borne.adapters.web.pages import settings as settings_pages
from borne.adapters.web.pages import simulator as simulator_pages
from borne.adapters.web.routes import GuardedRoute
from borne.adapters.web.staging import Staging
from borne.adapters.web.state import WebState
from borne.adapters.web.static_files import serve

MODULES = (
    health.routes,
    status.routes,
    *commands.MODULES,
    settings.routes,
    records.routes,
    rest.routes,
    charging_profiles.routes,
    meters_api.routes,
    load.routes,
    simulator.routes,
    entrance.routes,
    account.routes,
    master_card.routes,
    dashboard.routes,
    load_pages.routes,
    settings_pages.routes,
    meter_search.routes,
    meters.routes,
    session_figures.routes,
    sessions.routes,
    ocpp_whitelist.routes,
    whitelists.routes,
    whitelist_import.routes,
    teach_in.routes,
    backend.routes,
    backend_setup.routes,
    charging_profile_pages.routes,
    help_pages.routes,
    simulator_pages.routes,
    stream.routes,
)


def build(host: WebHost) -> FastAPI:
    """Build the application."""
    app = FastAPI(title="borne", version=host.version, openapi_url=None, docs_url=None)
    state = WebState(host, EventHub(host.services), Staging())
    state.accounts()
    app.state.web = state
    app.router.routes.extend(all_routes())
    app.router.routes.append(Route("/static/{name:path}", serve, methods=["GET"]))
    error_answers.install(app)
    app.add_middleware(Shell)
    return app


def all_routes() -> list[GuardedRoute]:
    """All routes except the packaged files."""
    return [route for routes in MODULES for route in routes]
