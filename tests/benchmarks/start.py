"""How long a start takes, and how much memory it costs.

    python -m tests.benchmarks.start [--starts N] [--imports]

Medians of several starts of `borne serve`, in seconds since the process began: until both sockets
are reported as Available to a central system on this machine, until `/healthz` answers, and the
peak of memory with web, OCPP and storage on. The first start makes the data; the others find it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.central_system import CentralSystem, central_system

BUDGET_AVAILABLE_S = 1.5
BUDGET_MEMORY_MB = 80.0
POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Start:
    """One start, seconds since the process began."""

    available_s: float
    available_cpu_s: float
    healthy_s: float
    healthy_cpu_s: float
    peak_mb: float


def command(data: Path, port: int, url: str) -> list[str]:
    settings = {"ConnectionType": "ethernet", "ChargePointID": "CP", "WebSocketsBackendURL": url}
    sets = [word for pair in settings.items() for word in ("--set", "=".join(pair))]
    return [
        *(sys.executable, "-m", "borne", "serve", "--data", str(data)),
        *("--port", str(port)),
        *sets,
    ]


@contextmanager
def running(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    # Elsewhere the compiled modules of the last start are kept.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


async def healthy(port: int) -> None:
    """Until the web interface answers."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(POLL_S)
            continue
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        except OSError:
            continue
        finally:
            writer.close()
        if answer.startswith(b"HTTP/1.1 200"):
            return


async def one(data: Path, port: int, central: CentralSystem) -> Start:
    central.ledger.seen.clear()
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def available(pid: int) -> tuple[float, float]:
        for connector in (1, 2):
            await central.ledger.wait_for(
                "StatusNotification", connector_id=connector, status="Available"
            )
        return loop.time() - began_s, cpu_seconds(pid)

    async def answers(pid: int) -> tuple[float, float]:
        await healthy(port)
        return loop.time() - began_s, cpu_seconds(pid)

    with running(command(data, port, central.url)) as process:
        unit_text, answered = await asyncio.gather(available(process.pid), answers(process.pid))
        peak_mb = peak_kb(process.pid) / 1024
    return Start(*unit_text, *answered, peak_mb)


def peak_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not report the peak of memory")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(starts: int, port: int) -> list[Start]:
    with tempfile.TemporaryDirectory() as folder:
        async with central_system() as central:
            return [await one(Path(folder), port, central) for _ in range(starts)]


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def imports(most: int = 25) -> None:
    """The slowest imports of the start, by what they cost themselves."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import borne.cli, borne.serve"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()[1:]]
    costs = sorted(((int(own), name.strip()) for own, _, name in rows), reverse=True)
    say(f"{sum(own for own, _ in costs) / 1000:8.1f} ms in {len(costs)} modules")
    for own_us, name in costs[:most]:
        say(f"{own_us / 1000:8.1f} ms  {name}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--starts", type=int, default=7)
    options.add_argument("--imports", action="store_true", help="also what is imported")
    asked = options.parse_args()
    first, *later = asyncio.run(measure(asked.starts + 1, free_port()))
    rows = [
        ("both sockets Available", "s", BUDGET_AVAILABLE_S, "available_s"),
        ("  of that, its own CPU", "s", None, "available_cpu_s"),
        ("/healthz answers", "s", None, "healthy_s"),
        ("  of that, its own CPU", "s", None, "healthy_cpu_s"),
        ("peak memory", "MB", BUDGET_MEMORY_MB, "peak_mb"),
    ]
    say(f"{'':24}{'first':>9}{'median':>9}{'worst':>9}  budget")
    for name, unit, budget, field in rows:
        values = [getattr(start, field) for start in later]
        unit_text = f"{budget:g} {unit}" if budget else unit
        say(
            f"{name:24}{getattr(first, field):9.2f}{statistics.median(values):9.2f}"
            f"{max(values):9.2f}  {unit_text}"
        )
    if asked.imports:
        imports()


if __name__ == "__main__":
    main()
