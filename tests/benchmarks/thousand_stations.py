"""A thousand simulated stations in one process, at one central system in another.

    python -m tests.benchmarks.thousand_stations [STATIONS]

Prints the time until all are Accepted and all their sockets Available, the memory of the process
that runs the stations, its file descriptors and threads. Catalogue, message models, storage
threads and open files are shared; there is no web interface. Only the start is timed: each folder
holds the settings of its station before, as `borne settings set` leaves them, and no database. The
garbage collector pauses until all are Available.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from borne.adapters.storage import OpenFiles, open_storage
from borne.app import Host, HostOptions
from tests.support.running_station import store_settings

STORAGE_THREADS = 2
STARTS_AT_ONCE = 20


def central(pipe: Connection) -> None:
    """A central system that accepts everything and counts; answers None with its counts."""
    asyncio.run(_central(pipe))


async def _central(pipe: Connection) -> None:
    counts = {"accepted": 0, "available": 0}

    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            _, message_id, action, payload = json.loads(text)
            await socket.send(json.dumps([3, message_id, _answer(action, payload, counts)]))

    async with serve(talk, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None) as server:  # type: ignore[list-item]  # the library's own name type
        pipe.send(next(iter(server.sockets)).getsockname()[1])
        while True:
            await asyncio.to_thread(pipe.recv)
            pipe.send(dict(counts))


def _answer(action: str, payload: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    if action == "BootNotification":
        counts["accepted"] += 1
        return {"currentTime": now, "interval": 3600, "status": "Accepted"}
    if action == "StatusNotification" and payload["connectorId"] > 0:
        counts["available"] += payload["status"] == "Available"
    return {"currentTime": now} if action == "Heartbeat" else {}


async def stations(folder: Path, number: int, pipe: Connection) -> None:
    """Start them all, wait until the central system has seen them, and print the figures."""
    url = f"ws://127.0.0.1:{pipe.recv()}/ocpp"
    pool, files = ThreadPoolExecutor(STORAGE_THREADS), OpenFiles()
    shared = partial(_open, pool, files)
    limit, rng = asyncio.Semaphore(STARTS_AT_ONCE), random.Random(1)
    hosts: list[Host] = []

    async def one(index: int) -> None:
        options = HostOptions(
            folder / str(index),
            live=False,
            rng=rng,
            control_socket=False,
            open_storage=shared,
        )
        async with limit:
            host = Host(options)
            hosts.append(host)
            await host.start()

    _prepare(folder, number, url)
    gc.disable()
    began, began_cpu_s = perf_counter(), process_time()
    await asyncio.gather(*(one(index) for index in range(number)))
    started_s = perf_counter() - began
    counts = await _until_seen(pipe, number)
    seen_s, cpu_s = perf_counter() - began, process_time() - began_cpu_s
    gc.enable()
    _print_figures(number, started_s, seen_s, counts)
    sys.stdout.write(f"{cpu_s / number * 1000:.1f} ms of CPU for each station\n")
    for host in hosts:
        await host.stop()
    pool.shutdown()


def _prepare(folder: Path, number: int, url: str) -> None:
    for index in range(number):
        settings = {
            "ConnectionType": "ethernet",
            "WebSocketsBackendURL": url,
            "ChargePointID": f"CP-{index}",
        }
        store_settings(folder / str(index), settings)


async def _open(pool: ThreadPoolExecutor, files: OpenFiles, folder: Path, *rest: Any) -> Any:
    return await open_storage(folder, *rest, executor=pool, open_files=files)


async def _until_seen(pipe: Connection, number: int) -> dict[str, int]:
    while True:
        pipe.send(None)
        counts: dict[str, int] = await asyncio.to_thread(pipe.recv)
        if counts["accepted"] >= number and counts["available"] >= 2 * number:
            return counts
        await asyncio.sleep(0.2)


def _print_figures(number: int, started_s: float, seen_s: float, counts: dict[str, int]) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    sys.stdout.write(
        f"{number} stations: started in {started_s:.1f} s, accepted and available in {seen_s:.1f} s"
        f" ({counts['accepted']} boots, {counts['available']} sockets)\n"
        f"peak memory {peak_mb:.0f} MB, {descriptors} descriptors,"
        f" {threading.active_count()} threads\n"
    )


def main(number: int) -> None:
    """Run the central system in a process of its own, the stations in this one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=central, args=(there,), daemon=True)
    process.start()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(stations(Path(folder), number, here))
    process.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
