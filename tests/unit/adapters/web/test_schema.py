"""The API keeps what its description promises: generated requests, every answer checked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from borne.adapters.web import create_app
from borne.domain.principals import Role
from borne.foundation.listener import HttpServer, bind
from tests.support.fake_station import FakeHost
from tools.openapi import TARGET

TEST_TIMEOUT_S = 20
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(json.loads(TARGET.read_text()))
apart = schema.exclude(path="/api/v1/events").exclude(path="/api/v1/simulator/power")
"""An endless answer, and the switch that would end the test, are tested elsewhere."""


async def _serve(ready: Future[tuple[str, str]], ended: asyncio.Event) -> None:
    host = await FakeHost.start()
    host.show_two_cars()
    server = HttpServer(create_app(host), bind("127.0.0.1", 0, "a test"))
    await server.start()
    ready.set_result((server.url, await host.token(Role.MANUFACTURER)))
    await ended.wait()
    await server.stop()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """Address and token of a fake station in a thread."""
    ready: Future[tuple[str, str]] = Future()
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(ready, ended),))
    thread.start()
    yield ready.result(TEST_TIMEOUT_S)
    loop.call_soon_threadsafe(ended.set)
    thread.join(TEST_TIMEOUT_S)
    loop.close()


@apart.parametrize()
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_operation_follows_the_schema(case: Case[Any], served: tuple[str, str]) -> None:
    """Its boundaries, which are not random, and a few requests besides."""
    call(case, served)


@pytest.mark.campaign
@apart.parametrize()
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_follows_the_schema_at_length(
    case: Case[Any], served: tuple[str, str]
) -> None:
    call(case, served)


def call(case: Case[Any], served: tuple[str, str]) -> None:
    url, token = served
    # Each request carries a token; what is drawn beside it may be no header, which HTTP refuses.
    for drawn in (case.headers, case.cookies):
        if drawn:
            drawn.clear()
    headers = {"Authorization": f"Bearer {token}"}
    case.call_and_validate(base_url=url, headers=headers, checks=CHECKS)
