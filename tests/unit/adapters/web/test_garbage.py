"""Foreign input of every kind ends in a 4xx in words; nothing crashes, nothing grows."""

from __future__ import annotations

import asyncio
import json
import string
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from borne.adapters.web import middleware
from borne.adapters.web.middleware import BODY_LIMIT
from borne.domain.principals import Role
from tests.support.cases import every_case
from tests.support.fake_station import PASSWORD
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_access import ROUTES, STREAMS, filled

JSON_ROUTES = [
    (method, path)
    for method, path in ROUTES
    if method != "GET" and path.startswith("/api/") and not path.endswith("/power")
]
JSON = {"content-type": "application/json"}
DEEP = b"[" * 50_000
BODIES = {
    "empty": b"",
    "not json": b"{",
    "text": b"hello",
    "not utf-8": b'{"a": "\xff\xfe"}',
    "lone surrogate": b'{"token": "\\ud800"}',
    "lone surrogate as a name": b'{"\\ud800": 1}',
    "deep": DEEP,
    "huge number": b'{"hold_s": ' + b"9" * 10_000 + b"}",
    "infinity": b'{"board_c": Infinity}',
    "nan": b'{"board_c": NaN}',
    "array": b"[]",
    "string": b'"x"',
    "number": b"17",
    "null": b"null",
    "unknown member": b'{"surprise": 1}',
    "wrong types": b'{"active": "yes", "up": 1, "operative": null, "when": [], "token": 5}',
    "control characters": b'{"token": "\\u0000\\u001f"}',
}
ACCEPT_NOTHING = {200, 201, 202}


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
async def test_bad_bodies_are_refused(method: str, path: str, operator: Client) -> None:
    with every_case() as case:
        for name, content in BODIES.items():
            with case(name):
                answer = await operator.request(method, filled(path), content=content, headers=JSON)
                assert answer.status_code < 500
                assert answer.status_code not in {401, 403}, "it would prove nothing"
                if answer.status_code not in ACCEPT_NOTHING:
                    body = answer.json()
                    assert body["error"]
                    assert body["message"]
                    assert len(answer.content) < 20_000


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "multipart/form-data", ""])
async def test_other_content_types_are_refused(kind: str, operator: Client) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = await operator.patch("/api/v1/settings", content=b"<x/>", headers=headers)
    assert 400 <= answer.status_code < 500


async def test_a_large_body_is_refused_by_its_announcement(operator: Client) -> None:
    body = b'{"StationName": "' + b"x" * BODY_LIMIT + b'"}'
    answer = await operator.patch("/api/v1/settings", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_a_large_body_is_refused_while_it_arrives(operator: Client) -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1000

    answer = await operator.patch("/api/v1/settings", content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../factory.py",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/static//etc/passwd",
        "/static/vendor/manifest",
        "/static/",
        "/%00",
        "/settings/%F0%9F%94%A5",
        "/sessions/" + "x" * 100,
        "/login/" + "x" * 200,
        "/api/v1/sessions?offset=-1",
        "/api/v1/sessions?limit=100000",
        "/api/v1/sessions?since=yesterday",
        "/api/v1/sessions.csv?separator=%00",
        "/sessions?page=x",
        "/sessions?month=2026-13&socket=%FF",
    ],
)
async def test_bad_addresses_are_refused(path: str, browser: Clients) -> None:
    client = await browser(Role.OPERATOR)
    answer = await client.get(path)
    assert answer.status_code in {200, 404, 422, 403}
    assert "Traceback" not in answer.text
    assert "root:" not in answer.text


TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(changes={"\ud800": 1})
@example(changes={"StationName": "\udfff"})
@given(changes=st.dictionaries(TEXT | st.sampled_from(["StationName", "DLMRole"]), VALUES))
async def test_random_changes_of_settings(changes: dict[str, Any], operator: Client) -> None:
    body = json.dumps(changes).encode()
    answer = await operator.patch("/api/v1/settings", content=body, headers=JSON)
    assert answer.status_code in {200, 422, 413}


WAIT_FOR_A_CARD = {"/account/master-card", "/login/master-card"}
"""They read no field, and answer a minute later."""
FORM_PAGES = [
    (method, path)
    for method, path in ROUTES
    if method == "POST" and not path.startswith("/api/") and path not in STREAMS | WAIT_FOR_A_CARD
]
FORMS = {
    "empty": b"",
    "json": b'{"a": 1}',
    "not percent": b"a=%ZZ&b=%",
    "not utf-8": b"token=%FF%FE&name=%FF",
    "many fields": "&".join(f"f{number}=1" for number in range(5000)).encode(),
    "raw bytes": bytes(range(256)),
    "long": b"token=" + b"x" * 5000,
    "no such setting": b"Nonsense=1",
    "semicolons": b"a;b;c=;;;",
}


@pytest.mark.parametrize(("method", "path"), FORM_PAGES)
async def test_bad_forms_are_refused(method: str, path: str, browser: Clients) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    with every_case() as case:
        for name, content in FORMS.items():
            # Logged in again: the form before may have ended the login.
            client = await browser(Role.OPERATOR)
            with case(name):
                answer = await client.request(
                    method, filled(path), content=content, headers=headers
                )
                assert answer.status_code < 500
                assert "Traceback" not in answer.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXT, password=TEXT, target=TEXT)
async def test_random_logins(name: str, password: str, target: str, anyone: Client) -> None:
    def sendable(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    data = {"name": sendable(name), "password": sendable(password), "next": sendable(target)}
    answer = await anyone.post("/login", data=data)
    assert answer.status_code in {401, 429}
    assert PASSWORD not in answer.text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(string.printable, max_size=80))
async def test_random_searches(query: str, browser: Clients) -> None:
    client = await browser(Role.OPERATOR)
    for path in ("/settings/search", "/whitelists"):
        answer = await client.get(path, params={"q": query})
        assert answer.status_code in {200, 422}
        assert "<script>" not in answer.text


async def test_a_body_that_arrives_slowly_is_answered_in_time(
    anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send_slowly() -> AsyncIterator[bytes]:
        while True:
            yield b"a"
            await asyncio.sleep(0.01)

    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.1)
    answer = await anyone.post("/login", content=send_slowly())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
