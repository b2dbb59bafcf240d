"""Who may use which route: all of them, walked through."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from borne.adapters.web.factory import all_routes
from borne.domain.principals import Role
from tests.support.cases import every_case
from tests.support.fake_station import PASSWORD, FakeHost
from tests.unit.adapters.web.conftest import BASE, Client, Clients, transport

TABLE = {f"{route.method} {route.path_format}": route.access for route in all_routes()}
ROUTES = sorted((method, path) for method, _, path in (route.partition(" ") for route in TABLE))
PARAMETERS = {
    "{action}": "start",
    "{token}": "04567DAA5F3580",
    "{token_id}": "none",
    "{session_id}": "session-0003",
    "{profile_id}": "7",
    "{fault}": "spd",
    "{link}": "meter",
    "{name}": "StationName",
    "{menu}": "system",
    "{slug}": "spd",
    "{key}": "lms",
    "{role}": "user",
    "{secret}": "nothing",
    "{chapter}": "doc_1",
}
STREAMS = {"/api/v1/events", *(path for _, path in ROUTES if path.startswith("/live/"))}
"""They would not end without a network; see test_events."""


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", lambda name: PARAMETERS.get(name[0], "1"), path)


def test_no_route_is_declared_twice() -> None:
    assert len(TABLE) == len(all_routes())


def test_every_route_of_the_application_is_declared(app: FastAPI) -> None:
    others = [route for route in app.routes if route not in all_routes()]
    assert [getattr(route, "path", None) for route in others] == ["/static/{name:path}"]


def test_routes_without_a_login() -> None:
    public = {route for route, access in TABLE.items() if access.role is None}
    assert public == {
        "GET /healthz",
        "GET /readyz",
        "GET /login",
        "POST /login",
        "GET /login/{secret}",
        "POST /login/master-card",
        "POST /preferences",
        "GET /operator",
        "GET /operator/operator",
        "GET /legacy",
        "GET /legacy/{chapter}",
        "GET /doc",
        "GET /doc/{chapter}",
    }


def test_routes_for_the_role_user() -> None:
    weak = {route for route, access in TABLE.items() if access.role is Role.USER}
    assert weak == {
        "GET /",
        "GET /account",
        "GET /account/password",
        "GET /api/v1/events",
        "GET /api/v1/openapi.json",
        "GET /api/v1/sessions",
        "GET /api/v1/sessions/{session_id}",
        "GET /api/v1/status",
        "GET /help",
        "GET /help/{slug}",
        "GET /live/dashboard",
        "GET /live/frame",
        "GET /live/help",
        "GET /rest/full_state",
        "GET /sessions",
        "GET /sessions/{session_id}",
        "POST /account/password",
        "POST /logout",
    }


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] not in STREAMS])
async def test_every_route_admits_the_roles_of_its_declaration(
    method: str, path: str, anyone: Client, api: Clients
) -> None:
    needed = TABLE[f"{method} {path}"].role
    for role in (None, *Role):
        client = await api(role) if role else anyone
        answer = await client.request(method, filled(path), headers={"accept": "application/json"})
        is_json = answer.headers.get("content-type") == "application/json"
        error = answer.json().get("error") if is_json else None
        if needed is not None and role is None:
            assert (answer.status_code, error) == (401, "login_required")
        elif needed is not None and role is not None and not role.includes(needed):
            assert (answer.status_code, error) == (403, "forbidden")
            assert answer.json()["needed"] == needed.value
        else:
            assert answer.status_code != 500
            assert answer.status_code != 401 or path == "/login"
            assert error != "forbidden"


async def test_a_stream_needs_a_login(anyone: Client, api: Clients) -> None:
    user = await api(Role.USER)
    with every_case() as case:
        for path in sorted(STREAMS):
            with case(path):
                assert (await anyone.get(path)).status_code == 401
                if TABLE[f"GET {path}"].role is Role.OPERATOR:
                    assert (await user.get(path)).status_code == 403


async def test_without_power_every_station_route_answers_503(
    operator: Client, host: FakeHost
) -> None:
    host.powered = False
    with every_case() as case:
        for method, path in ROUTES:
            if TABLE[f"{method} {path}"].power:
                with case(f"{method} {path}"):
                    answer = await operator.request(method, filled(path))
                    assert answer.status_code == 503
                    assert answer.json()["error"] == "no_power"


SIMULATOR = [
    route for route in ROUTES if TABLE[" ".join(route)].simulator and route[1] not in STREAMS
]


@pytest.mark.parametrize(("method", "path"), SIMULATOR)
async def test_the_simulator_is_for_this_machine_only(
    method: str, path: str, app: FastAPI, host: FakeHost
) -> None:
    headers = {"authorization": f"Bearer {await host.token(Role.MANUFACTURER)}"}
    async with Client(
        transport=transport(app, "192.168.1.9"), base_url=BASE, headers=headers
    ) as far:
        refused = await far.request(method, filled(path))
        assert (refused.status_code, refused.json()["error"]) == (403, "loopback_only")
        host.remote_simulator = True
        allowed = await far.request(method, filled(path))
        assert allowed.status_code != 403


async def test_real_hardware_has_no_simulator(operator: Client, host: FakeHost) -> None:
    host.power = None
    host.replace(simulator=None)
    with every_case() as case:
        for method, path in SIMULATOR:
            with case(f"{method} {path}"):
                answer = await operator.request(method, filled(path))
                assert (answer.status_code, answer.json()["error"]) == (404, "no_simulator")


FIRST_LOGIN_OPENS = {
    "GET /account/password",
    "POST /account/password",
    "POST /logout",
}


async def test_the_first_login_opens_only_the_change_of_the_password(app: FastAPI) -> None:
    with every_case() as case:
        for method, path in ROUTES:
            with case(f"{method} {path}"):
                async with entered_with_the_printed_password(app) as client:
                    answer = await client.request(method, filled(path))
                route = f"{method} {path}"
                if TABLE[route].role is None or route in FIRST_LOGIN_OPENS:
                    assert answer.status_code != 403 or path == "/login/{secret}"
                else:
                    assert answer.status_code == 403
                    assert answer.json()["error"] == "password_change_required"


@asynccontextmanager
async def entered_with_the_printed_password(app: FastAPI) -> AsyncIterator[Client]:
    async with Client(transport=transport(app), base_url=BASE, headers={"origin": BASE}) as client:
        data = {"name": "operator", "password": "yellow_zone"}
        entered = await client.post("/login", data=data)
        assert entered.headers["location"] == "/account/password"
        yield client


async def test_pages_redirect_the_first_login_to_the_change_of_the_password(app: FastAPI) -> None:
    headers = {"origin": BASE, "accept": "text/html"}
    async with Client(transport=transport(app), base_url=BASE, headers=headers) as client:
        await client.post("/login", data={"name": "operator", "password": "yellow_zone"})
        for path in ("/", "/settings", "/sessions"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/account/password")
        data = {"new": PASSWORD, "again": PASSWORD}
        assert (await client.post("/account/password", data=data)).status_code == 303
        assert (await client.get("/settings")).status_code == 200
