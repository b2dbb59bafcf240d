"""Event streams over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from borne.adapters.web import close_streams, live
from borne.adapters.web.api.status import changed_members
from borne.adapters.web.live import MAX_STREAMS, MAX_STREAMS_PER_ADDRESS
from borne.adapters.web.pages.stream import PAGES
from borne.adapters.web.state import web_state
from borne.application.people import logins
from borne.application.people.logins import Login
from borne.domain.principals import Role
from borne.domain.station.station_status import BackendStatus
from borne.foundation.listener import HttpServer, bind
from tests.support.fake_load import GARAGE, GARAGE_SOCKETS
from tests.support.fake_station import PASSWORD, FakeHost, FakeSessions, free_connector
from tests.support.status_reader import status_of

TEST_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Any
    id: str
    comment: str


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            before = fields[name] + "\n" if name in fields else ""
            fields[name] = before + value.removeprefix(" ")
        elif fields.keys() - {"retry"}:
            text = fields.get("data", "null")
            data = json.loads(text) if fields.get("event") else text
            yield Event(fields.get("event", ""), data, fields.get("id", ""), fields.get("", ""))
            fields = {}


class Reader:
    """Reads a stream with a timeout."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._events = events(answer)

    async def next(self) -> Event:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            return await anext(self._events)

    async def ended(self) -> bool:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            return await anext(self._events, None) is None


class Served:
    """A fake station on a real port."""

    def __init__(self, host: FakeHost, app: FastAPI, server: HttpServer) -> None:
        self.host = host
        self.app = app
        self.url = server.url

    async def headers(self, role: Role = Role.USER) -> dict[str, str]:
        return {"authorization": f"Bearer {await self.host.token(role)}"}

    @asynccontextmanager
    async def reading(
        self, path: str = "/api/v1/events", headers: dict[str, str] | None = None
    ) -> AsyncIterator[Reader]:
        headers = headers or await self.headers()
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=TEST_TIMEOUT_S) as client,
            client.stream("GET", path, headers=headers) as answer,
        ):
            assert answer.status_code == 200
            yield Reader(answer)


@pytest.fixture
async def served(host: FakeHost, app: FastAPI) -> AsyncIterator[Served]:
    server = HttpServer(
        app, bind("127.0.0.1", 0, "a test"), before_stop=partial(close_streams, app)
    )
    await server.start()
    yield Served(host, app, server)
    await server.stop()


async def test_a_stream_begins_with_a_snapshot_and_goes_on_with_changes(served: Served) -> None:
    async with served.reading() as reader:
        assert reader.answer.headers["content-type"].startswith("text/event-stream")
        first = await reader.next()
        assert first.name == "snapshot"
        assert first.id == str(served.host.status.revision) == str(first.data["revision"])
        assert len(first.data["connectors"]) == 2
        served.host.status.edit(0, backend={"link": "waiting", "boot": "none", "queue": 2})
        change = await reader.next()
        assert change.name == "change"
        assert change.id == str(served.host.status.revision)
        assert change.data["backend"]["queue"] == 2
        assert "connectors" not in change.data


async def test_a_client_with_the_current_revision_gets_no_snapshot(served: Served) -> None:
    headers = await served.headers() | {"last-event-id": str(served.host.status.revision)}
    async with served.reading(headers=headers) as reader:
        assert (await reader.next()).comment == "nothing new"
        served.host.status.edit(1, locked=True)
        change = await reader.next()
        assert change.name == "change"
        assert change.data["connectors"][0]["locked"] is True


@pytest.mark.parametrize("last", ["1", "nonsense", "99999999"])
async def test_a_client_with_an_old_revision_gets_a_snapshot(last: str, served: Served) -> None:
    headers = await served.headers() | {"last-event-id": last}
    async with served.reading(headers=headers) as reader:
        assert (await reader.next()).name == "snapshot"


async def test_an_idle_stream_sends_keep_alive_comments(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 0.05)
    async with served.reading() as reader:
        assert (await reader.next()).name == "snapshot"
        assert (await reader.next()).comment == "keep-alive"


async def test_a_slow_reader_gets_the_newest(served: Served) -> None:
    async with served.reading() as reader:
        await reader.next()
        for amps in range(100):
            served.host.status.edit(1, cable_a=amps)
        newest = None
        while newest != 99:
            newest = (await reader.next()).data["connectors"][0]["cable_a"]


async def test_a_power_cut_ends_the_stream_with_a_reason(served: Served) -> None:
    async with served.reading() as reader:
        await reader.next()
        served.host.powered = False
        last = await reader.next()
        assert (last.name, last.data) == ("end", {"power": "off"})
        assert await reader.ended()


async def test_a_restart_ends_the_stream(served: Served) -> None:
    async with served.reading() as reader:
        await reader.next()
        served.host.replace(backend=None)
        last = await reader.next()
        assert (last.name, last.data) == ("end", {"power": "on"})


class Held:
    """A login and a token whose streams are watched."""

    def __init__(self, served: Served) -> None:
        self.accounts = served.host.accounts
        self.port = served.url.rpartition(":")[2]

    async def login(self, role: Role = Role.OPERATOR) -> tuple[dict[str, str], Login]:
        await self.accounts.set_password(role, PASSWORD)
        cookie, login = await self.accounts.login(role.value, PASSWORD, "127.0.0.1")
        return {"cookie": f"borne_{self.port}={cookie}"}, login

    async def token(self) -> tuple[dict[str, str], str]:
        stored, token = await self.accounts.create_token(Role.OPERATOR, "script")
        return {"authorization": f"Bearer {token}"}, stored.token_id


Ending = Callable[[Held], Awaitable[tuple[dict[str, str], Callable[[], Awaitable[object]]]]]


async def removed_token(held: Held) -> tuple[dict[str, str], Callable[[], Awaitable[object]]]:
    headers, token_id = await held.token()
    return headers, lambda: held.accounts.remove_token(token_id)


async def logged_out(held: Held) -> tuple[dict[str, str], Callable[[], Awaitable[object]]]:
    headers, login = await held.login()

    async def end() -> None:
        held.accounts.logout(login)

    return headers, end


async def other_password(held: Held) -> tuple[dict[str, str], Callable[[], Awaitable[object]]]:
    """Changed in another browser."""
    headers, _ = await held.login()
    _, elsewhere = await held.accounts.login("operator", PASSWORD, "127.0.0.1")
    return headers, lambda: held.accounts.change_password(elsewhere, PASSWORD, "another horse")


async def closed_account(held: Held) -> tuple[dict[str, str], Callable[[], Awaitable[object]]]:
    headers, _ = await held.login()
    return headers, lambda: held.accounts.set_password(Role.OPERATOR, None)


ENDINGS = [removed_token, logged_out, other_password, closed_account]
LONG_PATHS = ["/api/v1/events", *(f"/live/{page}" for page in PAGES)]


@pytest.mark.parametrize("path", LONG_PATHS)
@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_stream_ends_with_its_login_or_token_at_once(
    path: str, ending: Ending, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 3600.0)
    headers, end = await ending(Held(served))
    async with served.reading(path, headers=headers) as reader:
        await reader.next()
        await end()
        assert (await reader.next()).name in {"end", "ended"}
        assert await reader.ended()


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_waiting_request_ends_with_its_login_or_token(
    ending: Ending, served: Served
) -> None:
    headers, end = await ending(Held(served))
    path = f"/api/v1/status?after={served.host.status.revision}&wait=60s"
    async with httpx.AsyncClient(base_url=served.url, timeout=TEST_TIMEOUT_S) as client:
        waiting = asyncio.ensure_future(client.get(path, headers=headers))
        await served.host.status.somebody_waits.wait()
        await end()
        answer = await waiting
    assert (answer.status_code, answer.json()["error"]) == (401, "login_required")


async def test_nothing_is_sent_after_the_end_of_the_token(served: Served) -> None:
    """Also not changes at the same moment."""
    headers, token_id = await Held(served).token()
    async with served.reading(headers=headers) as reader:
        await reader.next()
        served.host.status.edit(1, locked=True)
        assert await served.host.accounts.remove_token(token_id)
        assert (await reader.next()).name == "end"


async def test_a_stream_ends_when_its_login_is_too_old(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, login = await Held(served).login()
    async with served.reading(headers=headers) as reader:
        await reader.next()
        monkeypatch.setattr(logins, "ABSOLUTE_S", -1.0)
        served.host.status.edit(1, locked=True)
        assert (await reader.next()).name == "end"
    assert not served.host.accounts.logins.alive(login.key)


async def test_streams_of_other_tokens_stay_open(served: Served) -> None:
    """Also if the token has the same name."""
    held = Held(served)
    headers, _ = await held.token()
    _, other_id = await held.token()
    async with served.reading(headers=headers) as reader:
        await reader.next()
        await served.host.accounts.remove_token(other_id)
        served.host.status.edit(1, locked=True)
        assert (await reader.next()).name == "change"


async def test_a_download_breaks_off_with_its_token(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, token_id = await Held(served).token()
    sessions = FakeSessions(400)
    page = sessions.page

    async def page_after_the_end(*query: Any, before: str | None, **chosen: Any) -> Any:
        if before:
            await served.host.accounts.remove_token(token_id)
        return await page(*query, before=before, **chosen)

    monkeypatch.setattr(sessions, "page", page_after_the_end)
    served.host.replace(sessions=sessions)
    async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/api/v1/sessions.csv")


async def test_streams_are_bounded(served: Served) -> None:
    hub = web_state(served.app).hub
    headers = await served.headers()
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()

        async def read() -> None:
            async with served.reading(headers=headers) as reader:
                await reader.next()
                await done.wait()

        for _ in range(MAX_STREAMS_PER_ADDRESS):
            group.create_task(read())
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while len(hub) < MAX_STREAMS_PER_ADDRESS:  # noqa: ASYNC110 -- the hub has no signal
                await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=served.url) as client:
            one_more = await client.get("/api/v1/events", headers=headers)
            assert (one_more.status_code, one_more.json()["error"]) == (503, "too_many_streams")
            assert one_more.headers["retry-after"]
        assert MAX_STREAMS_PER_ADDRESS < MAX_STREAMS
        done.set()


async def test_without_streams_the_status_is_not_read(served: Served) -> None:
    hub = web_state(served.app).hub
    async with served.reading() as reader:
        await reader.next()
        assert hub._pump is not None
    async with asyncio.timeout(TEST_TIMEOUT_S):
        while len(hub):  # noqa: ASYNC110 -- the server notices the closed socket by itself
            await asyncio.sleep(0.01)
    assert hub._pump is None


async def test_a_page_gets_only_the_pieces_that_changed(served: Served) -> None:
    async with served.reading("/live/dashboard") as reader:
        first = (await reader.next()).data
        for target in ("#chips", "#flow", "#socket-1", "#socket-2", "title"):
            assert f'hx-target="{target}"' in first
        served.host.status.edit(2, name="Garage")
        second = (await reader.next()).data
        assert "Garage" in second
        assert 'hx-target="#socket-2"' in second
        assert 'hx-target="#socket-1"' not in second


async def test_the_page_of_load_management_follows_the_group(served: Served) -> None:
    served.host.load.show(GARAGE)
    headers = await served.headers(Role.OPERATOR)
    async with served.reading("/live/load", headers=headers) as reader:
        assert "Garage 2" in (await reader.next()).data
        served.host.load.show(replace(GARAGE, participants=GARAGE_SOCKETS[:1]))
        pieces = (await reader.next()).data
        assert "#load-table" in pieces
        assert "Garage 2" not in pieces
        assert "#load-sources" not in pieces, "unchanged"


@pytest.mark.parametrize("page", ["backend", "simulator", "frame"])
async def test_other_live_pages_keep_their_titles(page: str, served: Served) -> None:
    headers = await served.headers(Role.OPERATOR)
    async with served.reading(f"/live/{page}", headers=headers) as reader:
        data = (await reader.next()).data
        assert 'hx-target="#chips"' in data
        assert 'hx-target="title"' not in data


async def test_a_live_page_needs_the_rights_of_its_page(served: Served) -> None:
    headers = await served.headers(Role.USER)
    async with httpx.AsyncClient(base_url=served.url) as client:
        for page in ("backend", "simulator"):
            answer = await client.get(f"/live/{page}", headers=headers)
            assert answer.status_code == 403


async def test_the_server_stops_though_streams_are_open(host: FakeHost, app: FastAPI) -> None:
    server = HttpServer(
        app, bind("127.0.0.1", 0, "a test"), before_stop=partial(close_streams, app)
    )
    await server.start()
    served = Served(host, app, server)
    async with served.reading() as reader:
        await reader.next()
        async with asyncio.timeout(TEST_TIMEOUT_S):
            await server.stop()


def test_changed_members() -> None:
    before = status_of({"connectors": [free_connector(1)]})
    after = replace(before, revision=2, backend=BackendStatus("connected", "accepted", 3))
    backend = {"link": "connected", "boot": "accepted", "queue": 3}
    assert changed_members(before, after) == {"revision": 2, "backend": backend}
