"""Builds the application: routes behind the guard, errors in words, the shell around all."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from borne.adapters.web import error_answers
from borne.adapters.web.access import lookup
from borne.adapters.web.api import (
    charging_profiles,
    connectors,
    health,
    records,
    rest,
    settings,
    simulator,
    status,
)
from borne.adapters.web.contract import WebHost
from borne.adapters.web.guard import GuardedRoute
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
    ocpp_whitelist,
    session_figures,
    sessions,
    stream,
    teach_in,
    whitelist_import,
    whitelists,
)
from borne.adapters.web.pages import charging_profiles as charging_profile_pages
from borne.adapters.web.pages import settings as settings_pages
from borne.adapters.web.pages import simulator as simulator_pages
from borne.adapters.web.staging import Staging
from borne.adapters.web.state import WebState
from borne.adapters.web.static_files import serve

ROUTERS = (
    health.router,
    status.router,
    connectors.router,
    settings.router,
    records.router,
    rest.router,
    charging_profiles.router,
    simulator.router,
    entrance.router,
    account.router,
    master_card.router,
    dashboard.router,
    settings_pages.router,
    session_figures.router,
    sessions.router,
    ocpp_whitelist.router,
    whitelists.router,
    whitelist_import.router,
    teach_in.router,
    backend.router,
    backend_setup.router,
    charging_profile_pages.router,
    help_pages.router,
    simulator_pages.router,
    stream.router,
)


def build(host: WebHost) -> FastAPI:
    """The application; raises RuntimeError when a route has no entry in the table of rights."""
    app = FastAPI(title="borne", version=host.version, openapi_url=None, docs_url=None)
    state = WebState(host, EventHub(host.services), Staging())
    state.accounts()
    app.state.web = state
    # Not by include_router: that analyses every route once more for each application, at the
    # first requests. The routes need neither a prefix nor dependencies.
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    app.router.routes.append(Route("/static/{name:path}", serve, methods=["GET"]))
    error_answers.install(app)
    app.add_middleware(Shell)
    check_table()
    return app


def guarded_routes() -> list[GuardedRoute]:
    """Every route but the packaged files."""
    return [
        route for router in ROUTERS for route in router.routes if isinstance(route, GuardedRoute)
    ]


def check_table() -> None:
    """Every guarded route has an entry, and every route is guarded."""
    for route in (route for router in ROUTERS for route in router.routes):
        if not isinstance(route, GuardedRoute):
            raise RuntimeError(f"{route} is not guarded")  # noqa: TRY004 -- not a wrong argument
        for method in route.methods or ():
            if lookup(method, route.path_format) is None:
                raise RuntimeError(f"{method} {route.path_format} is not in the table of rights")
