"""Under which names the station answers: a page that points its own name here gets nothing."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message

from borne.adapters.web import hosts
from borne.domain.principals import SYSTEM, Role
from tests.support.cases import every_case
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import HTML, Client, Clients
from tests.unit.adapters.web.test_access import ROUTES, STREAMS, filled

EVIL = "evil.example"


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Station-7.garage.example")


HOST_NAMES = [
    ("192.168.1.20", True),
    ("192.168.1.20:8080", True),
    ("8.8.8.8", True),
    ("[::1]:8080", True),
    ("[fe80::1]", True),
    ("[fe80::1%25eth0]:8080", True),
    ("localhost:8080", True),
    ("LOCALHOST.", True),
    ("station-7:8080", True),
    ("Station-7.local", True),
    ("station-7.garage.example", True),
    ("carport.example:443", True),
    ("Carport.Example.", True),
    (EVIL, False),
    (f"{EVIL}:8080", False),
    (f"station-7.{EVIL}", False),
    (f"carport.example.{EVIL}", False),
    ("x.carport.example", False),
    ("localhost.evil.example", False),
    ("127.0.0.1.evil.example", False),
    ("[evil.example]", False),
    ("[evil", False),
    ("evil]:80", False),
    ("[::1", False),
    ("%00", False),
    ("127.0.0.1@evil.example", False),
    ("evil.example#127.0.0.1", False),
    ("127.0.0.1:80:80", False),
    ("0x7f000001", False),
    ("2130706433", False),
    ("127.0.0.1 evil.example", False),
    (".", False),
    ("localhost:http", False),
]


async def test_own_names_are_accepted_and_foreign_ones_refused(
    anyone: Client, host_names: None
) -> None:
    with every_case() as case:
        for name, known in HOST_NAMES:
            with case(name):
                answer = await anyone.get("/login", headers={"host": name})
                assert answer.status_code == (200 if known else 421)


async def test_the_listening_name_is_accepted(anyone: Client, host: FakeHost) -> None:
    headers = {"host": "station.lan:8080"}
    assert (await anyone.get("/login", headers=headers)).status_code == 421
    host.own_names = ("station.lan",)
    assert (await anyone.get("/login", headers=headers)).status_code == 200


@pytest.fixture
async def host_names(host: FakeHost) -> None:
    await host.all.settings.change({"WebHostNames": ["carport.example"]}, SYSTEM, "test")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 400),
        ([(b"host", b"")], 400),
        ([(b"host", b"127.0.0.1"), (b"host", b"evil.example")], 421),
    ],
)
async def test_a_request_without_exactly_one_host_is_refused(
    headers: list[tuple[bytes, bytes]], status: int, app: FastAPI
) -> None:
    """As an HTTP/1.0 client may send it."""
    sent: list[Any] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.0",
        "method": "GET",
        "scheme": "http",
        "path": "/healthz",
        "raw_path": b"/healthz",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == status


async def test_no_route_answers_a_foreign_name(api: Clients, host: FakeHost) -> None:
    client = await api(Role.MANUFACTURER)
    revision = host.status.revision
    with every_case() as case:
        for method, path in ROUTES:
            if path not in STREAMS:
                with case(f"{method} {path}"):
                    answer = await client.request(method, filled(path), headers={"host": EVIL})
                    assert (answer.status_code, answer.json()["error"]) == (421, "foreign_host")
                    assert host.status.revision == revision


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/app.css", "/nothing"])
async def test_other_paths_refuse_a_foreign_name_too(path: str, anyone: Client) -> None:
    answer = await anyone.get(path, headers={"host": EVIL})
    assert answer.status_code == 421


async def test_a_foreign_name_that_resolves_here_gets_no_login(anyone: Client) -> None:
    headers = {"host": EVIL, "origin": f"http://{EVIL}", "sec-fetch-site": "same-origin"}
    data = {"name": "operator", "password": "yellow_zone"}
    answer = await anyone.post("/login", data=data, headers=headers)
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


async def test_the_refusal_says_how_to_allow_the_name(anyone: Client) -> None:
    program = await anyone.get("/login", headers={"host": EVIL})
    assert EVIL in program.json()["message"]
    assert "WebHostNames" in program.json()["message"]
    person = await anyone.get("/login", headers=HTML | {"host": EVIL, "accept-language": "en"})
    assert person.headers["content-type"].startswith("text/plain")
    assert "WebHostNames" in person.text
    assert "content-security-policy" in person.headers


async def test_each_allowed_name_is_its_own_origin(
    browser: Clients, host: FakeHost, host_names: None
) -> None:
    """The login is made and used under one name; another allowed name is a foreign origin."""
    client = await browser(Role.OPERATOR)
    host.show_two_cars()
    stop = "/api/v1/connectors/1/stop"
    named = {"host": "carport.example", "origin": "https://carport.example"}
    crossed = {"host": "carport.example", "origin": "https://station-7.local"}
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    assert (await client.post(stop, headers=crossed | {"cookie": cookies})).status_code == 403
    assert (await client.post(stop, headers=named | {"cookie": cookies})).status_code == 200


def test_the_names_of_the_machine() -> None:
    assert hosts.machine_names() == {"station-7.garage.example", "station-7", "station-7.local"}
