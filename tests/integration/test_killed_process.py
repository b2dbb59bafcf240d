"""The process is killed in mid-session, again and again: the world is as it was, the session goes
on, and in the end it is billed once and whole."""

from __future__ import annotations

import json
import random
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from borne.app import Host, HostOptions
from tests.support.process import Served, borne, served
from tests.support.simulated_world import world_of
from tests.support.timeouts import TEST_TIMEOUT_S

SETTINGS = ("--set", "FreeCharging=on", "--set", "FreeChargingMode=no_ocpp")
Json = dict[str, Any]


class Caller:
    """A program that uses the API of a running process."""

    def __init__(self, running: Served, token: str) -> None:
        self._base = f"{running.page}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Json | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=TEST_TIMEOUT_S) as answer:
            found: Json = json.loads(answer.read())
        return found

    def until(self, reached: Callable[[Json], bool]) -> Json:
        """Connector 1, as soon as the condition holds."""
        after, deadline_s = "", time.monotonic() + TEST_TIMEOUT_S
        while True:
            status = self("GET", f"/status{after}")
            connector: Json = status["connectors"][0]
            if reached(connector):
                return connector
            if time.monotonic() > deadline_s:
                sessions = self("GET", "/sessions")["sessions"]
                pytest.fail(f"it does not happen: {connector}, sessions {sessions}")
            after = f"?after={status['revision']}&wait=10s"


def has_charged(energy_wh: int) -> Callable[[Json], bool]:
    return lambda found: (found["session"] or {"energy_wh": -1})["energy_wh"] >= energy_wh


def test_a_session_goes_on_over_kills_and_is_billed_whole(tmp_path: Path) -> None:
    token = borne("token", "create", "--role", "operator", "--data", tmp_path).out.strip()
    serve = ("--data", tmp_path, "--speed", "60")
    seen: list[Json] = []
    with served(*serve, *SETTINGS) as running:
        call = Caller(running, token)
        began_wh = call.until(lambda _: True)["register_wh"]
        call("POST", "/simulator/connectors/1/plug", {"vehicle": "fast", "soc": 0.1})
        seen.append(call.until(has_charged(100)))
        running.end(signal.SIGKILL)
    for _ in range(2):
        with served(*serve) as running:
            call = Caller(running, token)
            back = call.until(lambda found: found["session"] is not None)
            assert back["session"]["id"] == seen[-1]["session"]["id"]
            assert back["register_wh"] >= seen[-1]["register_wh"]
            assert back["session"]["energy_wh"] >= seen[-1]["session"]["energy_wh"]
            seen.append(call.until(has_charged(seen[-1]["session"]["energy_wh"] + 100)))
            running.end(signal.SIGKILL)
    with served(*serve) as running:
        call = Caller(running, token)
        call.until(lambda found: found["state"] == "charging")
        call("POST", "/simulator/connectors/1/unplug", {"force": True})
        ended = call.until(lambda found: found["state"] == "available" and not found["locked"])
        (session,) = call("GET", "/sessions")["sessions"]
        assert session["energy_wh"] == ended["register_wh"] - began_wh
        assert session["energy_wh"] >= seen[-1]["session"]["energy_wh"]
        world = call("GET", "/simulator")["sockets"][0]
        assert abs(session["energy_wh"] - world["energy_wh"]) <= 1
        call("POST", "/simulator/connectors/1/plug", {})
        running.end(signal.SIGKILL)
    with served(*serve, "--fresh-world") as running:
        sockets = Caller(running, token)("GET", "/simulator")["sockets"]
        assert [socket["vehicle"] for socket in sockets] == [None, None]


async def test_a_damaged_world_file_is_reported_and_the_station_starts(tmp_path: Path) -> None:
    world = tmp_path / "world.json"

    async def start() -> tuple[str, ...]:
        host = Host(
            HostOptions(tmp_path, control_socket=False, rng=random.Random(3), world_file=world)
        )
        await host.start()
        assert host.station is not None
        await host.stop()
        return host.notices

    world.write_bytes(b"\x00" * 100)
    (notice,) = await start()
    assert "fresh one was started" in notice
    assert await start() == ()


async def test_the_simulated_full_disk_persists_and_the_station_starts(
    tmp_path: Path,
) -> None:
    options = HostOptions(tmp_path, control_socket=False, world_file=tmp_path / "world.json")
    for full in (False, True):
        host = Host(options)
        await host.start()
        assert world_of(host).disk_full is full
        assert host.station is not None
        assert host.simulator is not None
        await host.simulator.set_fault("disk-full", active=True, connector=None)
        await host.stop()


def test_a_process_killed_on_a_full_disk_starts_again(tmp_path: Path) -> None:
    token = borne("token", "create", "--role", "operator", "--data", tmp_path).out.strip()
    with served("--data", tmp_path) as running:
        Caller(running, token)("PUT", "/simulator/faults/disk-full", {"active": True})
        running.end(signal.SIGKILL)
    with served("--data", tmp_path) as running:
        call = Caller(running, token)
        causes = {
            cause["id"]: cause["active"] for cause in call("GET", "/simulator/faults")["faults"]
        }
        assert causes["disk-full"]
        call("PUT", "/simulator/faults/disk-full", {"active": False})
