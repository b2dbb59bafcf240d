"""The connection test, and the steps of the running connection, through the simulated network: what
they report is true of the target, not of the way through this process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from borne.application.backend.connection_help import failing_step
from borne.application.ports.backend import StepResult
from borne.application.ports.simulator import LinkFailure
from borne.domain.principals import SYSTEM
from tests.integration.test_connection_steps import central, free_port
from tests.support.central_system import central_system
from tests.support.running_station import RunningStation, running_station


def to(url: str, **more: Any) -> dict[str, Any]:
    return {
        "ConnectionType": "ethernet",
        "ChargePointID": "CP-1",
        "WebSocketsBackendURL": url,
        **more,
    }


async def tried(station: RunningStation) -> dict[str, StepResult]:
    """What the connection test says of the settings as they are, by step."""
    attempt = station.services.try_connection
    assert attempt is not None
    results = await attempt(station.services.settings.settings)
    return {result.step: result for result in results}


def failed(results: dict[str, StepResult]) -> tuple[str | None, str]:
    step = failing_step(results.values())
    return step, "" if step is None else results[step].detail


async def test_a_reachable_backend(tmp_path: Path) -> None:
    async with (
        central() as port,
        running_station(tmp_path, **to(f"ws://localhost:{port}/")) as station,
    ):
        results = await tried(station)
        assert failed(results) == (None, "")
        assert "127.0.0.1" in results["dns"].detail
        assert results["tcp"].detail.startswith("localhost at ")
        assert results["tcp"].detail.endswith(f" port {port}")


async def test_a_port_without_a_listener(tmp_path: Path) -> None:
    for scheme in ("ws", "wss"):
        port = free_port()
        data = tmp_path / scheme
        async with running_station(data, **to(f"{scheme}://127.0.0.1:{port}/")) as station:
            results = await tried(station)
            assert results["dns"].state == "ok"
            assert failed(results) == ("tcp", "Connection refused")


async def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    async with running_station(tmp_path, **to("ws://backend.invalid/")) as station:
        assert failed(await tried(station))[0] == "dns"


async def test_a_target_without_tls(tmp_path: Path) -> None:
    async with (
        central() as port,
        running_station(tmp_path, **to(f"wss://127.0.0.1:{port}/")) as station,
    ):
        results = await tried(station)
        assert results["tcp"].state == "ok"
        assert failed(results)[0] == "tls"


@pytest.mark.parametrize(
    ("mode", "error"), [("reset", "Connection reset by peer"), ("refuse", "Connection refused")]
)
async def test_a_link_that_is_cut_in_the_simulation(
    tmp_path: Path, mode: LinkFailure, error: str
) -> None:
    async with (
        central() as port,
        running_station(tmp_path, **to(f"ws://127.0.0.1:{port}/")) as station,
    ):
        await station.simulator.set_link("backend", up=False, mode=mode)
        assert failed(await tried(station)) == ("tcp", error)
        await station.simulator.set_link("backend", up=True, mode=None)
        assert failed(await tried(station)) == (None, "")


async def test_the_running_connection_names_its_true_target(tmp_path: Path) -> None:
    async with central_system() as backend, running_station(tmp_path, **to(backend.url)) as station:
        await station.until_online()
        assert station.services.backend is not None
        view = station.services.backend.view()
        results: dict[str, StepResult] = {result.step: result for result in view.steps}
        port = backend.url.rstrip("/").rsplit(":", 1)[1].split("/")[0]
        assert results["tcp"].detail.endswith(f" port {port}")


async def test_a_connection_test_makes_one_connection(tmp_path: Path) -> None:
    """Reaching the target and using it is the same connection."""
    seen: list[int] = []

    @asynccontextmanager
    async def counting() -> Any:
        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(1)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async with counting() as port, running_station(tmp_path) as station:
        changes = to(f"ws://127.0.0.1:{port}/")
        planned = station.services.settings.plan(changes, SYSTEM)
        attempt = station.services.try_connection
        assert attempt is not None
        assert failing_step(await attempt(planned.after)) == "websocket"
        assert len(seen) == 1
