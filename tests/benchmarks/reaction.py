"""From a pilot change to the command to open, on the real loop: idle, and under load.

A thread plays the board: it reports that the vehicle is unplugged and takes the time until the
contactor is commanded to open. Under load the same process serves event streams and pages, imports
a whitelist of ten thousand cards and polls its meters. Prints p50, p99.9, the worst, and the ratio.

    python -m tests.benchmarks.reaction [ROUNDS]
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import httpx

from borne.adapters.web import create_app
from borne.domain.principals import SYSTEM, Role
from borne.domain.station.board import PilotReport, PilotState
from tests.support.running_station import RunningStation, running_station

STREAMS = 4
CARDS = 10_000
PAUSE_S = 0.004


class _Probe:
    """Reports unplugging from another thread and waits for the command."""

    def __init__(self, station: RunningStation, rounds: int) -> None:
        assert station.host.station is not None
        self._runner = station.host.station.connectors[1]
        self._loop = asyncio.get_running_loop()
        self._rounds = rounds
        self._opened = threading.Event()
        self._at = 0.0
        board: Any = self._runner.board
        board.allow_contactor = self._note
        board.set_pilot = board.set_lock = _nothing

    def _note(self, allowed: bool) -> None:
        if not allowed:
            self._at = perf_counter()
            self._opened.set()

    def measure(self) -> list[float]:
        """Seconds of each round; blocks, so it runs in a thread."""
        gone = PilotReport(PilotState.A, pwm=True)
        taken = []
        held = self._runner.state
        for _ in range(self._rounds):
            self._opened.clear()
            began = perf_counter()
            self._loop.call_soon_threadsafe(self._runner.post, gone)
            if self._opened.wait(2):
                taken.append(self._at - began)
            self._loop.call_soon_threadsafe(self._restore, held)
            sleep(PAUSE_S)
        return taken

    def _restore(self, held: Any) -> None:
        """Back to the state before: the real board was never commanded to open."""
        self._runner.state = held


def _nothing(_: object) -> None:
    """The real board goes on charging."""


@contextlib.asynccontextmanager
async def _load(station: RunningStation) -> AsyncIterator[None]:
    services = station.services
    _, token = await services.accounts.create_token(Role.OPERATOR, "load")
    transport = httpx.ASGITransport(app=create_app(station.host))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        tasks = [asyncio.create_task(_watch(station)) for _ in range(STREAMS)]
        tasks.append(asyncio.create_task(_render(client)))
        tasks.append(asyncio.create_task(_import(station)))
        tasks.append(asyncio.create_task(_poll(station)))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(station: RunningStation) -> None:
    async for _ in station.services.status.changes():
        await asyncio.sleep(0)


async def _render(client: httpx.AsyncClient) -> None:
    while True:
        for path in ("/api/v1/status", "/api/v1/settings", "/api/v1/sessions"):
            await client.get(path)


async def _import(station: RunningStation) -> None:
    rng = random.Random(1)
    for _ in range(CARDS):
        await station.services.whitelist.add(f"{rng.getrandbits(56):014X}", SYSTEM)


async def _poll(station: RunningStation) -> None:
    assert station.host.station is not None
    while True:
        await station.host.station.metering.read(1)
        await asyncio.sleep(0.2)


def _print_row(name: str, seconds: list[float]) -> float:
    ordered = sorted(seconds)
    median, high = statistics.median(ordered), ordered[int(len(ordered) * 0.999)]
    row = f"{median * 1e3:9.3f}{high * 1e3:9.3f}{ordered[-1] * 1e3:9.3f}"
    sys.stdout.write(f"{name:12}{row} ms, {len(ordered)} rounds\n")
    return high


async def main(rounds: int) -> None:
    """Measure both in one run."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_station(Path(folder), FreeCharging="on") as station:
            assert station.host.station is not None
            await station.plug(1, {"reaction_s": 0.1})
            await station.until_state("charging")
            await station.until(lambda connector: connector["measured_a"][0] > 0)
            probe = _Probe(station, rounds)
            sys.stdout.write(f"{'':12}{'p50':>9}{'p99.9':>9}{'max':>9}\n")
            idle = _print_row("idle", await asyncio.to_thread(probe.measure))
            async with _load(station):
                loaded = _print_row("under load", await asyncio.to_thread(probe.measure))
            sys.stdout.write(f"p99.9 under load / idle: {loaded / idle:.1f}\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
