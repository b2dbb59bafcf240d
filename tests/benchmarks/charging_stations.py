"""Simulated stations that charge, in one process: what each MeterValues writes, and their CPU.

    python -m tests.benchmarks.charging_stations [STATIONS] [SECONDS]

Each station charges one car and reports every 10 s to a central system in another process. Counted
is what Linux counts as written by this process: databases, accounts of meters, messages, journals.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import resource
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from borne.adapters.storage import OpenFiles, open_storage
from borne.app import Host, HostOptions
from tests.benchmarks.storage import bytes_written
from tests.support.running_station import store_settings

STORAGE_THREADS = 2
WARM_UP_S = 150.0
"""Databases that are needed often stay open by then."""
SETTINGS = {
    "ConnectionType": "ethernet",
    "FreeCharging": "on",
    "FreeChargingMode": "full_fixed_without_auth",
    "MeterValueSampleInterval": 10,
}
ACCEPTED = {"status": "Accepted"}


def central(pipe: Connection) -> None:
    """A central system that accepts everything; it answers None with its number of MeterValues."""
    asyncio.run(_central(pipe))


async def _central(pipe: Connection) -> None:
    values, transactions = 0, 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal values, transactions
        async for text in socket:
            _, message_id, action, _payload = json.loads(text)
            values += action == "MeterValues"
            transactions += action == "StartTransaction"
            await socket.send(json.dumps([3, message_id, _answer(action, transactions)]))

    async with serve(talk, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None) as server:  # type: ignore[list-item]  # the library's own name type
        pipe.send(next(iter(server.sockets)).getsockname()[1])
        while True:
            await asyncio.to_thread(pipe.recv)
            pipe.send(values)


def _answer(action: str, transactions: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    match action:
        case "BootNotification":
            return {"currentTime": now, "interval": 3600, "status": "Accepted"}
        case "StartTransaction":
            return {"transactionId": transactions, "idTagInfo": ACCEPTED}
        case "Authorize" | "StopTransaction":
            return {"idTagInfo": ACCEPTED}
        case "Heartbeat":
            return {"currentTime": now}
        case _:
            return {}


async def stations(folder: Path, number: int, seconds: float, pipe: Connection) -> None:
    """Start them, plug in, and compare the counts before and after."""
    url = f"ws://127.0.0.1:{pipe.recv()}/ocpp"
    pool, files = ThreadPoolExecutor(STORAGE_THREADS), OpenFiles()
    hosts = [await _charging(folder / str(n), url, pool, files) for n in range(number)]
    await asyncio.sleep(WARM_UP_S)
    values, written, cpu_s = await _values(pipe), bytes_written(), process_time()
    await asyncio.sleep(seconds)
    values = await _values(pipe) - values
    kb, cpu = (bytes_written() - written) / 1000, (process_time() - cpu_s) / seconds * 100
    sys.stdout.write(
        f"{number} stations, {values} MeterValues: {kb / values:.1f} kB written for each,"
        f" {cpu:.1f} % of a core\n"
    )
    for host in hosts:
        await host.stop()
    pool.shutdown()


async def _charging(data: Path, url: str, pool: ThreadPoolExecutor, files: OpenFiles) -> Host:
    settings = SETTINGS | {"WebSocketsBackendURL": url, "ChargePointID": f"CP-{data.name}"}
    store_settings(data, settings)
    options = HostOptions(
        data,
        live=False,
        rng=random.Random(data.name),
        control_socket=False,
        open_storage=partial(_open, pool, files),
    )
    host = Host(options)
    await host.start()
    services = host.services()
    assert services is not None
    assert services.simulator is not None
    await services.simulator.plug(1)
    return host


async def _open(pool: ThreadPoolExecutor, files: OpenFiles, folder: Path, *rest: Any) -> Any:
    return await open_storage(folder, *rest, executor=pool, open_files=files)


async def _values(pipe: Connection) -> int:
    pipe.send(None)
    values: int = await asyncio.to_thread(pipe.recv)
    return values


def main(number: int, seconds: float) -> None:
    """Run the central system in a process of its own, the stations in this one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=central, args=(there,), daemon=True)
    process.start()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(stations(Path(folder), number, seconds, here))
    process.terminate()


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 100,
        float(sys.argv[2]) if len(sys.argv) > 2 else 60.0,
    )
