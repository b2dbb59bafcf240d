"""Requests that another site, a proxy or a careless script makes the browser send."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fastapi import FastAPI

from borne.domain.principals import Role
from tests.support.fake_station import PASSWORD, FakeControl, FakeHost
from tests.unit.adapters.web.conftest import BASE, Client, Clients, transport

STOP = "/api/v1/connectors/1/stop"
NO_ORIGIN: Mapping[str, str] = {}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": BASE}, False),
        ({"origin": BASE}, True),
        ({"origin": "https://192.0.2.7"}, True),
        ({"origin": "http://192.0.2.7:81"}, False),
        ({"origin": "http://evil.test"}, False),
        ({"origin": "null"}, False),
        (NO_ORIGIN, False),
    ],
)
async def test_a_cookie_without_an_origin_is_refused_for_changes(
    headers: dict[str, str], allowed: bool, browser: Clients, host: FakeHost
) -> None:
    client = await browser(Role.OPERATOR)
    host.show_two_cars()
    del client.headers["origin"]
    answer = await client.post(STOP, headers=headers)
    assert isinstance(host.all.control, FakeControl)
    if allowed:
        assert answer.status_code == 200
        assert len(host.all.control.calls) == 1
    else:
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
        assert host.all.control.calls == []


async def test_a_token_needs_no_origin(operator: Client, host: FakeHost) -> None:
    host.show_two_cars()
    headers = {"origin": "http://evil.test", "sec-fetch-site": "cross-site"}
    assert (await operator.post(STOP, headers=headers)).status_code == 200


async def test_another_site_cannot_log_the_visitor_in(anyone: Client) -> None:
    data = {"name": "operator", "password": "yellow_zone"}
    answer = await anyone.post("/login", data=data, headers={"origin": "http://evil.test"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_reading_works_after_following_a_link_from_another_site(browser: Clients) -> None:
    client = await browser(Role.USER)
    assert (await client.get("/", headers={"sec-fetch-site": "cross-site"})).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer nonsense", "Basic b3BlcmF0b3I6eA==", "x", "Bearer " * 99],
)
async def test_a_wrong_token_is_refused_even_with_a_login_cookie(
    header: str, browser: Clients
) -> None:
    client = await browser(Role.MANUFACTURER)
    answer = await client.get("/api/v1/status", headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "wrong_token")
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_the_login_cookie_is_http_only_and_same_site(app: FastAPI, host: FakeHost) -> None:
    await host.accounts.set_password(Role.USER, PASSWORD)
    data = {"name": "user", "password": PASSWORD}
    for base, secure in ((BASE, False), ("https://192.0.2.7", True)):
        async with Client(transport=transport(app), base_url=base) as client:
            answer = await client.post("/login", data=data)
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert ("secure" in cookie) is secure


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("/settings/system?show=changed", "/settings/system?show=changed"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("/logout", "/"),
        ("/x\r\nset-cookie: a=b", "/"),
        ("x" * 600, "/"),
        ("", "/"),
    ],
)
async def test_the_login_redirects_to_pages_of_this_station_only(
    target: str, where: str, anyone: Client, host: FakeHost
) -> None:
    await host.accounts.set_password(Role.USER, PASSWORD)
    data = {"name": "user", "password": PASSWORD, "next": target}
    answer = await anyone.post("/login", data=data)
    assert answer.headers["location"] == where


async def test_every_answer_carries_the_security_headers(anyone: Client) -> None:
    for path in ("/login", "/healthz", "/api/v1/status", "/static/app.css", "/nothing"):
        headers = (await anyone.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"


async def test_five_wrong_passwords_show_a_countdown(anyone: Client) -> None:
    data = {"name": "operator", "password": "wrong"}
    answers = [await anyone.post("/login", data=data) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "2"
    assert 'data-seconds="2"' in answers[-1].text


async def test_a_link_logs_in_once(anyone: Client, host: FakeHost) -> None:
    secret = await host.accounts.create_link(Role.MANUFACTURER)
    first = await anyone.get(f"/login/{secret}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert (await anyone.get("/", headers={"accept": "text/html"})).status_code == 200
    assert (await anyone.get(f"/login/{secret}")).status_code == 403


async def test_logging_out_ends_the_login(browser: Clients) -> None:
    client = await browser(Role.USER)
    stolen = dict(client.cookies)
    assert (await client.post("/logout")).headers["location"] == "/login"
    client.cookies.update(stolen)
    assert (await client.get("/")).headers["location"] == "/login"
