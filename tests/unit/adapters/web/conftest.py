"""A fake station behind the real application, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from borne.adapters.web import create_app
from borne.domain.principals import Role
from tests.support.fake_station import PASSWORD, FakeHost

Client = httpx.AsyncClient
Clients = Callable[[Role], Awaitable[Client]]
BASE = "http://192.0.2.7"
HTML = {"accept": "text/html"}


@pytest.fixture
async def host() -> FakeHost:
    return await FakeHost.start()


@pytest.fixture
def app(host: FakeHost) -> FastAPI:
    return create_app(host)


def transport(app: FastAPI, address: str = "127.0.0.1") -> httpx.ASGITransport:
    return httpx.ASGITransport(app, client=(address, 50000))


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[Client]:
    """Not logged in."""
    async with Client(transport=transport(app), base_url=BASE) as client:
        yield client


@pytest.fixture
async def api(app: FastAPI, host: FakeHost) -> AsyncIterator[Clients]:
    """Clients with an API token of a role."""
    opened: list[Client] = []

    async def make(role: Role) -> Client:
        headers = {"authorization": f"Bearer {await host.token(role)}"}
        client = Client(transport=transport(app), base_url=BASE, headers=headers)
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def browser(app: FastAPI, host: FakeHost) -> AsyncIterator[Clients]:
    """Clients that logged in as people do."""
    opened: list[Client] = []

    async def make(role: Role) -> Client:
        await host.accounts.set_password(role, PASSWORD)
        headers = HTML | {"origin": BASE}
        client = Client(transport=transport(app), base_url=BASE, headers=headers)
        opened.append(client)
        answer = await client.post("/login", data={"name": role.value, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def operator(api: Clients) -> Client:
    return await api(Role.OPERATOR)
