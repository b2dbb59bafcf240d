"""Listeners: real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from borne.foundation import listener
from borne.foundation.addresses import is_loopback
from borne.foundation.connections import Admission, ConnectionLimits, ConnectionTable
from borne.foundation.listener import AllowList, Bound, CannotListen, HttpLimits, HttpServer, bind


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_used_port_is_reported_in_one_sentence(taken: int) -> None:
    with pytest.raises(CannotListen) as refused:
        bind("127.0.0.1", taken, "the web page")
    expected = (
        f"Port {taken} on 127.0.0.1 cannot be used for the web page: another program uses it."
    )
    assert str(refused.value) == expected


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotListen, match="does not have that address"):
        bind("192.0.2.1", 0, "Modbus")


def test_an_unknown_host_name_is_refused() -> None:
    with pytest.raises(CannotListen, match="no such address"):
        bind("nowhere.invalid", 0, "Modbus")


def forbid_low_ports(monkeypatch: pytest.MonkeyPatch, high_port: int) -> None:
    real = listener._bound

    def unprivileged(host: str, port: int) -> Bound:
        if 0 < port < 1024:
            raise PermissionError
        return real(host, 0 if port == high_port else port)

    monkeypatch.setattr(listener, "_bound", unprivileged)


def test_a_low_port_falls_back_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_low_ports(monkeypatch, 8080)
    bound = bind("127.0.0.1", 80, "the web page")
    bound.socket.close()
    assert bound.note == "Port 80 needs privileges: the web page is on port 8080."


def test_without_fallback_a_low_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_low_ports(monkeypatch, 8080)
    with pytest.raises(CannotListen, match="needs privileges"):
        bind("127.0.0.1", 80, "the web page", fallback=False)


@pytest.mark.parametrize(
    ("networks", "address", "permitted"),
    [
        ((), "203.0.113.9", True),
        (("192.168.1.0/24",), "192.168.1.77", True),
        (("192.168.1.0/24",), "192.168.2.77", False),
        (("192.168.1.5",), "192.168.1.5", True),
        (("192.168.1.0/24",), "::ffff:192.168.1.5", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("192.168.1.0/24",), "", False),
    ],
)
def test_allow_list(networks: tuple[str, ...], address: str, permitted: bool) -> None:
    assert AllowList(networks).permits(address) is permitted


TICKS = 10
LARGE = 32 * 1024 * 1024
"""More than the system keeps of a connection."""


async def hello(scope: Any, receive: Any, send: Any) -> None:
    path = scope["path"]
    if path == "/slow":
        await asyncio.Event().wait()
    if path == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while path == "/endless":
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await asyncio.sleep(0)
    if path == "/large":
        await send({"type": "http.response.body", "body": b"x" * LARGE})
        return
    for _ in range(TICKS if path == "/stream" else 0):
        await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": b"tick", "more_body": True})
    await send({"type": "http.response.body", "body": b"hello"})


def serve(**options: Any) -> HttpServer:
    return HttpServer(hello, bind("127.0.0.1", 0, "a test"), **options)


async def test_the_server_answers_and_stops() -> None:
    server = serve()
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(server.url)
        assert (answer.status_code, answer.text) == (200, "hello")
        assert "server" not in answer.headers
    await server.stop()
    with pytest.raises(CannotConnect):
        await connect(server)


async def test_other_addresses_get_403() -> None:
    server = serve(allowed=AllowList(["192.0.2.0/24"]))
    await server.start()
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.url)).status_code == 403
    await server.stop()


async def test_an_abort_cuts_a_running_answer() -> None:
    server = serve()
    await server.start()
    reader, writer = await connect(server)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0)
    server.abort()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(CannotConnect):
        await connect(server)


async def test_a_stop_does_not_wait_for_ever() -> None:
    events: list[str] = []
    server = serve(
        limits=HttpLimits(grace_s=1), before_stop=lambda: events.append("streams must end")
    )
    await server.start()
    reader, writer = await connect(server)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    async with asyncio.timeout(10):
        await server.stop()
    assert events == ["streams must end"]
    writer.close()
    assert reader is not None


CannotConnect = ConnectionRefusedError


async def connect(server: HttpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(server.bound.host, server.bound.port)


# Strangers ----------------------------------------------------------------------------------------

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-a: "
WHOLE = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT_S = 0.05
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def served(**limits: Any) -> AsyncIterator[HttpServer]:
    server = serve(limits=HttpLimits(**limits))
    await server.start()
    try:
        yield server
    finally:
        server.abort()


async def send(server: HttpServer, data: bytes) -> Pipe:
    pipe = await connect(server)
    pipe[1].write(data)
    await pipe[1].drain()
    return pipe


async def answer_to(server: HttpServer, path: bytes = b"") -> bytes:
    """The first line of the answer."""
    reader, writer = await send(server, WHOLE % path)
    async with asyncio.timeout(10):
        line = await reader.readline()
    writer.close()
    return line


async def ended(pipe: Pipe) -> bytes:
    """All that comes until the station closes; a reset is an end as well."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            while piece := await pipe[0].read(65536):
                received += piece
    pipe[1].close()
    return received


@pytest.mark.parametrize(
    ("first", "limits"),
    [
        (b"", {"headers_s": SHORT_S}),
        (HALF, {"headers_s": SHORT_S}),
        (b"\r\n", {"headers_s": SHORT_S}),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1", {"closing_s": SHORT_S}),
        (b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1", {"body_s": SHORT_S}),
        (WHOLE % b"", {"keep_alive_s": SHORT_S}),
        (WHOLE % b"" + HALF, {"keep_alive_s": SHORT_S}),
    ],
    ids=[
        "nothing",
        "half headers",
        "an empty line",
        "answered before its body",
        "half a body",
        "nothing more",
        "half of another request",
    ],
)
async def test_a_slow_client_is_closed(first: bytes, limits: dict[str, float]) -> None:
    async with served(**limits) as server:
        await ended(await send(server, first))
        assert len(server.connections) == 0


async def test_single_bytes_do_not_prolong_the_headers() -> None:
    async with served(headers_s=0.3) as server:
        reader, writer = await send(server, HALF)
        closed = asyncio.ensure_future(reader.read())
        while not closed.done():
            writer.write(b"x")
            await asyncio.wait({closed}, timeout=0.02)
        with contextlib.suppress(ConnectionResetError):
            assert closed.result() == b""
        writer.close()


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with served(reading_s=SHORT_S) as server:
        pipe = await send(server, WHOLE % b"endless")
        while len(server.connections):  # noqa: ASYNC110 -- the table has no signal
            await asyncio.sleep(0.01)
        assert (await ended(pipe)).startswith(b"HTTP/1.1 200")


async def test_a_long_answer_that_is_read_outlives_every_limit() -> None:
    short = dict.fromkeys(("body_s", "keep_alive_s", "reading_s", "closing_s"), 0.02)
    async with served(headers_s=0.15, **short) as server:
        pipe = await send(server, WHOLE % b"stream")
        assert (await ended(pipe)).count(b"tick") == TICKS


async def test_a_large_answer_may_be_read_slowly() -> None:
    """It is complete for the application at once; the client needs many times every limit. On a
    machine that stood still for so long in between, the client is cut off rightly: once more."""
    limit_s = 0.15
    short = dict.fromkeys(("keep_alive_s", "reading_s", "closing_s"), limit_s)
    async with served(**short) as server:
        for _ in range(10):
            received, longest_pause_s = await read_slowly(server)
            if received > LARGE:
                return
            assert longest_pause_s > limit_s / 2, "cut off while it was reading"
        pytest.fail("the machine stands still again and again")


async def read_slowly(server: HttpServer) -> tuple[int, float]:
    """Bytes of a large answer, and the longest time between two reads."""
    loop = asyncio.get_running_loop()
    reader, writer = await send(
        server, b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    received, longest_pause_s, read_s = 0, 0.0, loop.time()
    with contextlib.closing(writer), contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(256 * 1024):
            received += len(piece)
            longest_pause_s = max(longest_pause_s, loop.time() - read_s)
            read_s = loop.time()
            await asyncio.sleep(0.004)
    return received, max(longest_pause_s, loop.time() - read_s)


async def test_incomplete_requests_are_closed_for_new_connections() -> None:
    async with served(connections=ConnectionLimits(all=4)) as server:
        halves = [await send(server, HALF) for _ in range(12)]
        assert await answer_to(server) == b"HTTP/1.1 200 OK\r\n"
        assert len(server.connections) <= 4
        for pipe in halves:
            pipe[1].close()


async def test_when_all_places_answer_only_health_checks_are_accepted() -> None:
    limits = {"connections": ConnectionLimits(all=2, reserve=1), "always": frozenset({"/healthz"})}
    async with served(**limits) as server:
        slow = [await send(server, WHOLE % b"slow") for _ in range(2)]
        await until_answering(server, 2)
        assert await answer_to(server, b"healthz") == b"HTTP/1.1 200 OK\r\n"
        assert await answer_to(server, b"other") == b"HTTP/1.1 503 Service Unavailable\r\n"
        for pipe in slow:
            pipe[1].close()


async def until_answering(server: HttpServer, number: int) -> None:
    def answering() -> int:
        return sum(each.waits_since is None for each in server.connections)

    async with asyncio.timeout(10):
        while answering() < number:  # noqa: ASYNC110 -- the table has no signal
            await asyncio.sleep(0.01)


class Client:
    """A connection as the table sees it."""

    def __init__(self, address: str, since: float | None) -> None:
        self.address = address
        self.is_local = is_loopback(address)
        self.waits_since = since
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


FAR, OTHER, HERE = "192.168.1.44", "192.168.1.45", "127.0.0.1"
LIMITS = ConnectionLimits(all=6, each=3, loopback=2, reserve=1)


@pytest.mark.parametrize(
    ("there", "newcomer", "entry", "dropped"),
    [
        ([], FAR, Admission.SERVED, None),
        ([(FAR, 1.0), (FAR, 2.0)], FAR, Admission.SERVED, None),
        ([(FAR, 2.0), (FAR, 1.0), (FAR, 3.0)], FAR, Admission.SERVED, 1),
        ([(FAR, None), (FAR, None), (FAR, 3.0)], FAR, Admission.SERVED, 2),
        ([(FAR, None)] * 3, FAR, Admission.RESERVE, None),
        ([(FAR, None)] * 3, OTHER, Admission.SERVED, None),
        ([(FAR, 2.0), (FAR, 3.0), (OTHER, 1.0), (OTHER, None)], "10.0.0.1", Admission.SERVED, 0),
        ([(FAR, None)] * 2 + [(OTHER, None)] * 2, "10.0.0.1", Admission.RESERVE, None),
        ([(FAR, None)] * 2 + [(OTHER, None)] * 2, HERE, Admission.SERVED, None),
        ([(HERE, None)] * 5, HERE, Admission.SERVED, None),
        ([(HERE, None)] * 6, HERE, Admission.RESERVE, None),
        ([(HERE, None)] * 5 + [(HERE, 9.0)], FAR, Admission.SERVED, 5),
    ],
)
def test_the_connection_that_is_closed_for_a_new_one(
    there: list[tuple[str, float | None]], newcomer: str, entry: Admission, dropped: int | None
) -> None:
    table = ConnectionTable(LIMITS)
    clients = [Client(*each) for each in there]
    for client in clients:
        assert table.enter(client) is Admission.SERVED
    assert table.enter(Client(newcomer, 99.0)) is entry
    gone = [number for number, client in enumerate(clients) if client.dropped]
    assert gone == ([] if dropped is None else [dropped])


def test_the_reserve_is_bounded() -> None:
    table = ConnectionTable(ConnectionLimits(all=1, reserve=1))
    table.enter(Client(HERE, None))
    first, second = Client(HERE, 1.0), Client(HERE, None)
    assert table.enter(first) is Admission.RESERVE
    assert table.enter(second) is Admission.RESERVE
    assert first.dropped
    assert table.enter(Client(HERE, 2.0)) is Admission.REFUSED
    table.leave(second)
    assert len(table) == 1
