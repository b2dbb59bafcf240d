"""TLS strictness (manual 4), client certificates, proxies."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from borne.adapters.ocpp.charge_point.connection import BackendConnection
from borne.adapters.ocpp.charge_point.connection_steps import ConnectFailed, ConnectionSteps
from borne.adapters.ocpp.charge_point.tls import TlsConfig, TlsLevel
from borne.application.ports.backend import ConnectionStep, StepState
from tests.integration.ocpp.central import central_system
from tests.integration.ocpp.certificates import Issued, issue, make_root, server_context
from tests.integration.ocpp.station import station

ROOT = make_root()
SERVERS = {
    "good": issue(ROOT),
    "expired": issue(ROOT, expired=True),
    "other host": issue(ROOT, "192.0.2.1"),
    "expired, other host": issue(ROOT, "192.0.2.1", expired=True),
    "stranger": issue(make_root("Stranger")),
}
ACCEPTED = {
    TlsLevel.ENCRYPT_ONLY: set(SERVERS),
    TlsLevel.ALLOW_EXPIRED_SKIP_HOST: {"good", "expired", "other host", "expired, other host"},
    TlsLevel.SKIP_HOST: {"good", "other host"},
    TlsLevel.ALLOW_EXPIRED: {"good", "expired"},
    TlsLevel.NORMAL: {"good"},
}


def new_steps() -> ConnectionSteps:
    return ConnectionSteps(lambda: datetime.now(UTC))


async def dial(config: ConnectionConfig, steps: ConnectionSteps) -> None:
    connection = BackendConnection(config)
    await connection.open(steps)
    await connection.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_each_level_accepts_what_its_name_says(server: str, tmp_path: Path) -> None:
    async with central_system(tls=server_context(SERVERS[server], tmp_path)) as central:
        for level in TlsLevel:
            steps = new_steps()
            config = ConnectionConfig(
                f"wss://127.0.0.1:{central.port}", "station", tls=TlsConfig(level, ROOT.pem)
            )
            if server in ACCEPTED[level]:
                await dial(config, steps)
                assert steps.results()[3].state is StepState.OK
                assert steps.results()[3].detail.startswith("TLSv1.")
                continue
            with pytest.raises(ConnectFailed, match="certificate refused") as failed:
                await dial(config, steps)
            assert failed.value.step is ConnectionStep.TLS


async def test_without_roots_of_its_own_a_station_trusts_the_system(tmp_path: Path) -> None:
    async with central_system(tls=server_context(SERVERS["good"], tmp_path)) as central:
        config = ConnectionConfig(f"wss://127.0.0.1:{central.port}", "station")
        with pytest.raises(ConnectFailed, match="certificate refused"):
            await dial(config, new_steps())


async def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    """Security profile 3."""
    context = server_context(SERVERS["good"], tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ROOT.pem)
    certificate, key = issue(ROOT, name="station").write(tmp_path, "station")
    async with central_system(tls=context) as central:
        url = f"wss://127.0.0.1:{central.port}"
        tls = TlsConfig(TlsLevel.NORMAL, ROOT.pem, certificate, key)
        async with station(url, tls=tls) as made:
            await made.online()
            peer = await central.peers.get()
            shown = peer._connection.transport.get_extra_info("peercert")
            assert shown["subject"] == ((("commonName", "station"),),)
        async with station(url, tls=TlsConfig(TlsLevel.NORMAL, ROOT.pem)) as made:
            await made.until(lambda: made.client.view().last_error != "")
            assert not made.client.online


async def test_missing_own_certificates_are_reported(tmp_path: Path) -> None:
    tls = TlsConfig(TlsLevel.NORMAL, ROOT.pem, tmp_path / "none.pem", tmp_path / "none.key")
    with pytest.raises(ConnectFailed, match="tls: own certificates"):
        await dial(ConnectionConfig("wss://127.0.0.1:1", "station", tls=tls), new_steps())


async def test_a_plain_answer_to_tls_is_reported(tmp_path: Path) -> None:
    async with central_system() as central:
        config = ConnectionConfig(f"wss://127.0.0.1:{central.port}", "station")
        with pytest.raises(ConnectFailed) as failed:
            await dial(config, new_steps())
        assert failed.value.step is ConnectionStep.TLS


class Proxy:
    """An HTTP proxy that knows CONNECT."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer = "200 Connection established"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(request)
        writer.write(f"HTTP/1.1 {self.answer}\r\n\r\n".encode())
        if self.answer.startswith("200"):
            host, port = request.split()[1].rsplit(":", 1)
            back_reader, back_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(pipe(reader, back_writer), pipe(back_reader, writer))
        else:
            await writer.drain()
            writer.close()


async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(4096):
            sink.write(data)
    except ConnectionResetError:
        pass
    finally:
        sink.close()


@asynccontextmanager
async def http_proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    gone: asyncio.Queue[None] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxy.serve(reader, writer)
        gone.put_nowait(None)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    for _ in proxy.requests:
        await gone.get()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("issued", [None, SERVERS["good"]])
async def test_a_proxy_is_asked_to_connect(issued: Issued | None, tmp_path: Path) -> None:
    context = server_context(issued, tmp_path) if issued else None
    scheme = "wss" if issued else "ws"
    async with central_system(tls=context) as central, http_proxy() as proxy:
        async with station(
            f"{scheme}://127.0.0.1:{central.port}",
            proxy=f"http://user:pass@127.0.0.1:{proxy.port}",
            tls=TlsConfig(TlsLevel.NORMAL, ROOT.pem),
        ) as made:
            await made.online()
            states = [result.state for result in made.client.view().steps[1:5]]
        assert states == [
            StepState.SKIPPED,
            StepState.OK,
            StepState.OK if issued else StepState.SKIPPED,
            StepState.OK,
        ]
        (request,) = proxy.requests
        assert request.startswith(f"CONNECT 127.0.0.1:{central.port} HTTP/1.1\r\n")
        assert base64.b64encode(b"user:pass").decode() in request


async def test_a_proxy_that_refuses_is_reported() -> None:
    async with central_system() as central, http_proxy() as proxy:
        proxy.answer = "407 Proxy Authentication Required"
        config = ConnectionConfig(
            f"ws://127.0.0.1:{central.port}", "station", proxy=f"127.0.0.1:{proxy.port}"
        )
        with pytest.raises(ConnectFailed, match=r"tcp: proxy.*407"):
            await dial(config, new_steps())
