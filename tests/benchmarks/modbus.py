"""Modbus: what an import and a read cost beside pymodbus; 40 meters over TCP, each polled every
second; 4 meters on a line at 9600 baud.

    python -m tests.benchmarks.modbus [--seconds N] [--reads N]

The meters are in a process of their own, so CPU is that of the station's side. A poll reads two
blocks, of 60 and 8 words. The line is two pseudo-terminals and a relay that passes 960 characters a
second; its devices answer after 20 ms. Read ratios, not times: other work on the machine counts.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from pymodbus.client import AsyncModbusTcpClient

from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.endpoint import SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.pdu import Request
from borne.protocols.modbus.server import ModbusServer, Reply
from borne.protocols.modbus.transports import Link, LinkLost, open_pty, open_serial

METERS = 40
ON_LINE = 4
BAUD = 9600
CHARACTERS_PER_S = 960
TURNAROUND_S = 0.02
BLOCKS = ((0, 60), (100, 8))
LINE_CHARACTERS = sum(8 + 5 + 2 * count for _, count in BLOCKS)
PERIOD_S = 1.0


def words(unit: int, request: Request, client: str) -> Reply:
    del client
    return [unit] * getattr(request, "count", 0)


async def late_words(unit: int, request: Request, client: str) -> Reply:
    await asyncio.sleep(TURNAROUND_S)
    return words(unit, request, client)


# The meters' process


def serve_meters(pipe: Connection) -> None:
    asyncio.run(_serve_meters(pipe))


async def _serve_meters(pipe: Connection) -> None:
    servers = [ModbusServer(TcpEndpoint("127.0.0.1", 0), words) for _ in range(METERS)]
    ports = [await server.start() for server in servers]
    line = ModbusServer(SerialEndpoint(""), late_words, pty=True)
    await line.start()
    far = await open_serial(SerialEndpoint(line.device))
    near, device = open_pty()
    relays = [asyncio.create_task(_relay(*way)) for way in ((near, far), (far, near))]
    pipe.send((ports, device))
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    for relay in relays:
        relay.cancel()
    for server in (*servers, line):
        await server.close()


async def _relay(source: Link, target: Link) -> None:
    """Pass bytes on as quickly as 9600 baud carry them, at most 8 at a time."""
    loop = asyncio.get_running_loop()
    with suppress(LinkLost):
        while True:
            data = await source.receive(loop.time() + 3600)
            free_s = loop.time()
            for start in range(0, len(data), 8):
                piece = data[start : start + 8]
                free_s += len(piece) / CHARACTERS_PER_S
                await asyncio.sleep(max(0.0, free_s - loop.time()))
                target.send(piece)


# The station's side


class Polls:
    """Polls of one unit, with their latency and the age of its values before each answer."""

    def __init__(self, bus: ModbusBus, unit: int) -> None:
        self._bus = bus
        self._unit = unit
        self.latencies_s: list[float] = []
        self.ages_s: list[float] = []

    async def run(self, until_s: float, offset_s: float) -> None:
        """Every second, or as quickly as the line allows."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + offset_s
        previous_s: float | None = None
        while due_s < until_s:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            began_s = loop.time()
            for address, count in BLOCKS:
                await self._bus.read(self._unit, 3, address, count)
            ended_s = loop.time()
            self.latencies_s.append(ended_s - began_s)
            if previous_s is not None:
                self.ages_s.append(ended_s - previous_s)
            previous_s = ended_s
            due_s = max(due_s + PERIOD_S, ended_s)


async def poll_all(polls: list[Polls], seconds: float) -> float:
    """Returns CPU seconds per second."""
    until_s = asyncio.get_running_loop().time() + seconds
    cpu_s = time.process_time()
    count = len(polls)
    await asyncio.gather(
        *(each.run(until_s, index * PERIOD_S / count) for index, each in enumerate(polls))
    )
    return (time.process_time() - cpu_s) / seconds


def show(name: str, polls: list[Polls], cpu: float) -> None:
    latencies = sorted(latency for each in polls for latency in each.latencies_s)
    ages = [age for each in polls for age in each.ages_s]
    high = latencies[int(len(latencies) * 0.99)]
    sys.stdout.write(
        f"{name}: {len(latencies)} polls, CPU {cpu:.1%} of a core, a poll takes "
        f"{statistics.mean(latencies) * 1e3:.1f} ms, p99 {high * 1e3:.1f}, "
        f"worst {latencies[-1] * 1e3:.1f}; worst age {max(ages):.2f} s\n"
    )


async def measure_tcp(ports: list[int], seconds: float) -> None:
    buses = [ModbusBus(TcpEndpoint("127.0.0.1", port)) for port in ports]
    polls = [Polls(bus, 1) for bus in buses]
    show(f"{len(ports)} meters over TCP", polls, await poll_all(polls, seconds))
    for bus in buses:
        await bus.close()


async def measure_line(device: str, seconds: float) -> None:
    bus = ModbusBus(SerialEndpoint(device, BAUD))
    polls = [Polls(bus, unit) for unit in range(1, ON_LINE + 1)]
    show(f"{ON_LINE} meters at {BAUD} baud", polls, await poll_all(polls, seconds))
    latencies = [latency for each in polls for latency in each.latencies_s]
    minimum_s = LINE_CHARACTERS / CHARACTERS_PER_S + len(BLOCKS) * TURNAROUND_S
    sys.stdout.write(
        f"  one poll of each takes {ON_LINE * statistics.mean(latencies):.2f} s of the line; "
        f"its characters and the turnaround of the devices {ON_LINE * minimum_s:.2f} s\n"
    )
    await bus.close()


async def cpu_us(read: Callable[[], Awaitable[object]], reads: int) -> float:
    """Microseconds of CPU a read, the median of five rounds."""
    figures = []
    for _ in range(5):
        began_s = time.process_time()
        for _ in range(reads // 5):
            await read()
        figures.append((time.process_time() - began_s) / (reads // 5) * 1e6)
    return statistics.median(figures)


async def measure_reads(port: int, reads: int) -> None:
    bus = ModbusBus(TcpEndpoint("127.0.0.1", port))
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    ours = await cpu_us(lambda: bus.read(1, 3, 0, 60), reads)
    theirs = await cpu_us(lambda: client.read_holding_registers(0, count=60, device_id=1), reads)
    client.close()
    await bus.close()
    sys.stdout.write(
        f"CPU of a read of 60 words: {ours:.0f} us, pymodbus {theirs:.0f} us, "
        f"ratio {ours / theirs:.2f}\n"
    )


def measure_imports() -> None:
    """Milliseconds beyond those of asyncio and the standard library's network modules."""
    base = import_ms("import asyncio, socket, ssl, logging, dataclasses")
    for module in ("borne.protocols.modbus.buses", "pymodbus.client"):
        needed = import_ms(f"import asyncio, socket, ssl, logging, dataclasses, {module}") - base
        sys.stdout.write(f"import of {module}: {needed:.0f} ms\n")


def import_ms(code: str) -> float:
    """The smallest CPU time of five fresh interpreters."""
    script = f"{code}\nimport time; print(time.process_time())"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
        for _ in range(5)
    ]
    return min(float(run.stdout) for run in runs) * 1e3


def main(seconds: float, reads: int) -> None:
    """Measure all in one run."""
    measure_imports()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    meters = context.Process(target=serve_meters, args=(theirs,))
    meters.start()
    ports, device = ours.recv()
    asyncio.run(measure_reads(ports[0], reads))
    asyncio.run(measure_tcp(ports, seconds))
    asyncio.run(measure_line(device, seconds))
    ours.send("end")
    meters.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--reads", type=int, default=2000)
    options = parser.parse_args()
    main(options.seconds, options.reads)
