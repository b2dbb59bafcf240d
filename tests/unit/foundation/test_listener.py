"""Listeners: real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from borne.foundation import listener
from borne.foundation.listener import AllowList, Bound, CannotListen, HttpLimits, HttpServer, bind


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_taken_port_is_told_in_one_sentence(taken: int) -> None:
    with pytest.raises(CannotListen) as refused:
        bind("127.0.0.1", taken, "the web page")
    expected = (
        f"Port {taken} on 127.0.0.1 cannot be used for the web page: another program uses it."
    )
    assert str(refused.value) == expected


def test_an_address_of_another_machine() -> None:
    with pytest.raises(CannotListen, match="does not have that address"):
        bind("192.0.2.1", 0, "Modbus")


def test_a_name_that_is_no_address() -> None:
    with pytest.raises(CannotListen, match="no such address"):
        bind("nowhere.invalid", 0, "Modbus")


def forbid_low_ports(monkeypatch: pytest.MonkeyPatch, high_port: int) -> None:
    real = listener._bound

    def unprivileged(host: str, port: int) -> Bound:
        if 0 < port < 1024:
            raise PermissionError
        return real(host, 0 if port == high_port else port)

    monkeypatch.setattr(listener, "_bound", unprivileged)


def test_a_low_port_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
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


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def serve(**options: Any) -> HttpServer:
    return HttpServer(hello, bind("127.0.0.1", 0, "a test"), **options)


async def test_it_answers_and_stops() -> None:
    server = serve()
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(server.url)
        assert (answer.status_code, answer.text) == (200, "hello")
        assert "server" not in answer.headers
    await server.stop()
    with pytest.raises(CannotConnect):
        await connect(server)


async def test_who_is_not_allowed_gets_403() -> None:
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
    told: list[str] = []
    server = serve(
        limits=HttpLimits(grace_s=1), before_stop=lambda: told.append("streams must end")
    )
    await server.start()
    reader, writer = await connect(server)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    async with asyncio.timeout(10):
        await server.stop()
    assert told == ["streams must end"]
    writer.close()
    assert reader is not None


CannotConnect = ConnectionRefusedError


async def connect(server: HttpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(server.bound.host, server.bound.port)
