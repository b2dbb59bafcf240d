"""Each step of the way to a backend, with a counterpart that really fails there: which step it is,
what the error says, and what helps (manual 10, rows "no backend")."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.adapters.ocpp.charge_point.interfaces import interfaces_up
from borne.adapters.ocpp.charge_point.tls import TlsConfig
from borne.adapters.ocpp.probe import probe
from borne.application.backend.connection_help import failing_step, remedy, remedy_of
from borne.application.ports.backend import StepResult, StepState
from borne.foundation.clock import Clock, ClockTrust
from borne.protocols.ocpp.messages.core import BootNotificationRequest
from borne.protocols.ocpp.rpc.handlers import Handlers
from tests.integration.ocpp.certificates import Issued, issue, make_root, server_context
from tests.support.timeouts import TEST_TIMEOUT_S
from tests.unit.adapters.ocpp.charge_point.harness import MemoryOutbox, RecordingListener

ROOT = make_root()
ORDER = ("interface", "dns", "tcp", "tls", "websocket", "boot", "heartbeat")
SHORT_S = 0.3
Speak = Callable[[ServerConnection], Awaitable[None]]


def clock() -> Clock:
    return Clock(time.monotonic, datetime.now(UTC), ClockTrust.NTP)


def failing_result(results: Sequence[StepResult]) -> StepResult:
    """The only one: those before it hold or are not needed, those after it are unknown."""
    assert [result.step for result in results] == list(ORDER)
    states = [result.state for result in results]
    place = states.index(StepState.FAILED)
    assert set(states[:place]) <= {"ok", "skipped"}
    assert set(states[place + 1 :]) <= {"unknown"}
    assert failing_step(results) == ORDER[place]
    return results[place]


async def tried(url: str, **config: Any) -> StepResult:
    connection = ConnectionConfig(url, "station", connect_timeout_s=10, **config)
    return failing_result(await probe(connection, clock()))


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[int]:
    """A server that answers everything with this, or with nothing; its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def central(
    speak: Speak | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    status: int | None = None,
    protocol: str | None = "ocpp1.6",
) -> AsyncIterator[int]:
    """A WebSocket server; its port."""

    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()

    def refuse(connection: ServerConnection, _: Request) -> Response | None:
        return None if status is None else connection.respond(HTTPStatus(status), "")

    protocols = [Subprotocol(protocol)] if protocol else None
    async with serve(
        speak or silent,
        "127.0.0.1",
        0,
        ssl=tls,
        process_request=refuse,
        subprotocols=protocols,
        select_subprotocol=None if protocol else (lambda *_: None),
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def free_port() -> int:
    with closing(socket.socket()) as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port whose queue of connections is full: a client that dials gets no answer."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            caller = stack.enter_context(closing(socket.socket()))
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def test_no_interface_is_up() -> None:
    config = ConnectionConfig(f"ws://127.0.0.1:{free_port()}", "station")
    result = failing_result(await probe(config, clock(), interfaces=list))
    assert result.step == "interface"
    assert result.detail == "no network interface is up (Connection refused)"
    assert "cable" in remedy_of(result)


async def test_interfaces_that_are_up_are_named(tmp_path: Path) -> None:
    async with central() as port:
        config = ConnectionConfig(f"ws://127.0.0.1:{port}", "station")
        results = await probe(config, clock(), interfaces=lambda: ["eth0", "wwan0"])
        assert (results[0].state, results[0].detail) == ("ok", "eth0, wwan0")
        # A backend on this machine needs none.
        results = await probe(config, clock(), interfaces=list)
        assert (results[0].state, results[4].state) == ("skipped", "ok")
    for name, state in (("lo", "unknown"), ("eth0", "down"), ("eth1", "up"), ("ppp0", "unknown")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text(f"{state}\n")
    (tmp_path / "bonding_masters").write_text("")
    assert interfaces_up(tmp_path) == ["eth1", "ppp0"]
    assert interfaces_up(tmp_path / "elsewhere") is None


async def test_an_unknown_host_name() -> None:
    result = await tried("ws://nobody.invalid/ocpp")
    assert result.step == "dns"
    assert result.detail
    assert "DNS" in remedy_of(result)


async def test_a_port_without_a_listener() -> None:
    result = await tried(f"ws://127.0.0.1:{free_port()}/ocpp")
    assert (result.step, result.detail) == ("tcp", "Connection refused")
    assert "no service listens" in remedy_of(result)


async def test_a_black_hole() -> None:
    async with black_hole() as port:
        config = ConnectionConfig(
            f"ws://127.0.0.1:{port}/ocpp", "station", connect_timeout_s=SHORT_S
        )
        result = failing_result(await probe(config, clock()))
    assert (result.step, result.detail) == ("tcp", "no answer within 0.3 s")
    assert "firewall" in remedy_of(result)


@pytest.mark.parametrize(
    ("certificate", "error", "helps"),
    [
        (issue(make_root("Stranger")), "unable to get local issuer", "install the provider's root"),
        (issue(ROOT, expired=True), "expired", "Check the date of the station"),
        (issue(ROOT, "192.0.2.1"), "IP address mismatch", "of another host"),
    ],
    ids=["stranger", "expired", "other host"],
)
async def test_a_wrong_certificate(
    certificate: Issued, error: str, helps: str, tmp_path: Path
) -> None:
    async with central(tls=server_context(certificate, tmp_path)) as port:
        result = await tried(f"wss://127.0.0.1:{port}", tls=TlsConfig(trusted_roots_pem=ROOT.pem))
    assert result.step == "tls"
    assert error in result.detail
    assert helps in remedy_of(result)


async def test_a_server_without_tls() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert (await tried(f"wss://127.0.0.1:{port}")).step == "tls"


@pytest.mark.parametrize(
    ("status", "error", "helps"),
    [
        (401, "HTTP 401 Unauthorized", "password and ChargeBoxIdentity"),
        (403, "HTTP 403 Forbidden", "password and ChargeBoxIdentity"),
        (404, "HTTP 404 Not Found", "compare URL and ChargeBoxIdentity"),
        (301, "HTTP 301 redirect refused", "ask the provider for the new URL"),
        (503, "HTTP 503 Service Unavailable", "The backend itself has a problem"),
    ],
)
async def test_what_http_refuses(status: int, error: str, helps: str) -> None:
    async with central(status=status) as port:
        result = await tried(f"ws://127.0.0.1:{port}")
    assert (result.step, result.detail, result.http_status) == ("websocket", error, status)
    assert helps in remedy_of(result)


@pytest.mark.parametrize("protocol", [None, "ocpp2.0.1"])
async def test_a_wrong_sub_protocol(protocol: str | None) -> None:
    async with central(protocol=protocol) as port:
        result = await tried(f"ws://127.0.0.1:{port}")
    assert result.step == "websocket"
    assert remedy_of(result)


async def test_something_that_is_no_web_server() -> None:
    async with answering(b"220 mail.example.com ESMTP\r\n") as port:
        result = await tried(f"ws://127.0.0.1:{port}")
    assert result.step == "websocket"
    assert result.detail


async def test_a_server_that_says_nothing() -> None:
    async with answering(None) as port:
        config = ConnectionConfig(f"ws://127.0.0.1:{port}", "station", connect_timeout_s=SHORT_S)
        result = failing_result(await probe(config, clock()))
    assert (result.step, result.detail) == ("websocket", "no answer within 0.3 s")


# Above the WebSocket ------------------------------------------------------------------------------


def speaking(**answers: dict[str, Any] | None) -> Speak:
    """Answers each action so, or not at all."""

    async def speak(connection: ServerConnection) -> None:
        async for text in connection:
            _, message_id, action, _ = json.loads(text)
            answer = answers.get(action)
            if answer is not None:
                await connection.send(json.dumps([3, message_id, answer]))

    return speak


def registration(status: str, interval: int = 60) -> dict[str, Any]:
    return {"status": status, "interval": interval, "currentTime": "2026-11-22T12:00:00Z"}


async def failing(speak: Speak, **settings: Any) -> StepResult:
    """The step that fails once a client has tried for a while."""
    async with central(speak) as port:
        connection = ConnectionConfig(f"ws://127.0.0.1:{port}", "station")
        config = BackendConfig(connection, call_timeout_s=SHORT_S, **settings)
        content = BootNotificationRequest(charge_point_vendor="V", charge_point_model="M")
        side = StationSide(lambda: content, Handlers(), MemoryOutbox(), RecordingListener())
        client = ChargePointClient(config, side, clock=clock(), rng=random.Random(1))
        found: asyncio.Future[StepResult] = asyncio.get_running_loop().create_future()

        def look(_: object) -> None:
            results = client.view().steps
            if failing_step(results) and not found.done():
                found.set_result(failing_result(results))

        client.changed.subscribe(look)
        running = asyncio.create_task(client.run())
        try:
            return await asyncio.wait_for(found, TEST_TIMEOUT_S)
        finally:
            await client.stop()
            await running


@pytest.mark.parametrize(
    ("answer", "error", "helps"),
    [
        (registration("Rejected"), "Rejected, again in 60 s", "tell it the ChargeBoxIdentity"),
        (registration("Pending", 90), "Pending, again in 90 s", "not released this station yet"),
        (None, "no answer to BootNotification within 0.3 s", "does not answer"),
    ],
    ids=["rejected", "pending", "silent"],
)
async def test_a_boot_that_is_not_accepted(
    answer: dict[str, Any] | None, error: str, helps: str
) -> None:
    result = await failing(speaking(BootNotification=answer))
    assert (result.step, result.detail) == ("boot", error)
    assert helps in remedy_of(result)


async def test_a_heartbeat_without_an_answer() -> None:
    accepted = registration("Accepted", 1)
    result = await failing(speaking(BootNotification=accepted), force_heartbeat=True)
    assert (result.step, result.detail) == (
        "heartbeat",
        "no answer to Heartbeat within 0.3 s",
    )
    assert "does not answer" in remedy_of(result)


@pytest.mark.parametrize("step", ORDER)
def test_every_step_has_a_remedy_for_any_error(step: str) -> None:
    assert remedy(step, "an unexpected error")
