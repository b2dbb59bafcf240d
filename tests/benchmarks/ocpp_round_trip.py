"""CPU time of a validated OCPP-J round trip: ours, bare `websockets` + `json`, the `ocpp` package.

    python -m tests.benchmarks.ocpp_round_trip [--calls N] [--rounds N]

One run, one process, loopback, calls one after the other; both ends count. The station's side
is what differs: the central system is the same bare echo for all (it answers every CALL with the
right empty or timed payload), so that the difference is the station's. Times are process CPU time,
the median of the rounds; read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ocpp.messages
from ocpp.v16 import ChargePoint, call
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from borne.adapters.ocpp.charge_point.config import ConnectionConfig
from borne.adapters.ocpp.charge_point.connection import BackendConnection
from borne.adapters.ocpp.charge_point.connection_steps import ConnectionSteps
from borne.protocols.ocpp.messages.core import (
    HeartbeatRequest,
    HeartbeatResponse,
    MeterValuesRequest,
    MeterValuesResponse,
)
from borne.protocols.ocpp.rpc.connection import RpcConnection
from borne.protocols.ocpp.rpc.frame_log import FrameLog
from borne.protocols.ocpp.rpc.handlers import Handlers

NOW = "2026-11-22T12:00:00Z"
SUB_PROTOCOL = Subprotocol("ocpp1.6")
METER_VALUES: dict[str, Any] = {
    "connectorId": 1,
    "transactionId": 42,
    "meterValue": [
        {
            "timestamp": NOW,
            "sampledValue": [
                {
                    "value": "123456",
                    "context": "Sample.Periodic",
                    "measurand": measurand,
                    "location": "Outlet",
                    "unit": unit,
                }
                for measurand, unit in (
                    ("Energy.Active.Import.Register", "Wh"),
                    ("Power.Active.Import", "W"),
                    ("Current.Import", "A"),
                    ("Voltage", "V"),
                    ("Current.Offered", "A"),
                )
            ],
        }
    ],
}
Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Figure:
    """Microseconds of CPU a round trip."""

    stack: str
    heartbeat_us: float
    meter_values_us: float


async def echo(connection: ServerConnection) -> None:
    """The central system: as little as answers."""
    async for text in connection:
        _, message_id, action, _ = json.loads(text)
        answer = {"currentTime": NOW} if action == "Heartbeat" else {}
        await connection.send(json.dumps([3, message_id, answer]))


async def measure(work: Work, calls: int, rounds: int) -> float:
    """Microseconds of CPU for one `work`."""
    for _ in range(calls // 4):
        await work()
    figures = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(calls):
            await work()
        figures.append((time.process_time() - began) / calls * 1e6)
    return statistics.median(figures)


async def bare(url: str, calls: int, rounds: int) -> Figure:
    async with connect(url, subprotocols=[SUB_PROTOCOL], compression=None) as socket:

        def ask(action: str, payload: dict[str, Any]) -> Work:
            async def work() -> None:
                await socket.send(json.dumps([2, "1", action, payload]))
                json.loads(await socket.recv())

            return work

        return Figure(
            "websockets + json, nothing checked",
            await measure(ask("Heartbeat", {}), calls, rounds),
            await measure(ask("MeterValues", METER_VALUES), calls, rounds),
        )


async def ours(url: str, calls: int, rounds: int, *, log: bool) -> Figure:
    connection = BackendConnection(ConnectionConfig(url, "station"))
    await connection.open(ConnectionSteps(lambda: datetime.now(UTC)))
    session = RpcConnection(
        connection, Handlers(), log=FrameLog(lambda: datetime.now(UTC)) if log else None
    )
    running = asyncio.create_task(session.run())

    async def heartbeat() -> None:
        await session.call(HeartbeatRequest(), HeartbeatResponse)

    async def meter_values() -> None:
        request = MeterValuesRequest.from_wire(METER_VALUES)
        await session.call(request, MeterValuesResponse)

    figure = Figure(
        "borne, all checked" + (", frames logged" if log else ""),
        await measure(heartbeat, calls, rounds),
        await measure(meter_values, calls, rounds),
    )
    await connection.close()
    await running
    return figure


async def package(url: str, calls: int, rounds: int, *, threads: bool) -> Figure:
    ocpp.messages.ASYNC_VALIDATION = threads
    socket: ClientConnection
    async with connect(url, subprotocols=[SUB_PROTOCOL], compression=None) as socket:
        peer = ChargePoint("station", socket)
        running = asyncio.create_task(peer.start())
        meter_value = [
            {"timestamp": NOW, "sampled_value": METER_VALUES["meterValue"][0]["sampledValue"]}
        ]

        async def heartbeat() -> None:
            await peer.call(call.Heartbeat())

        async def meter_values() -> None:
            await peer.call(
                call.MeterValues(connector_id=1, transaction_id=42, meter_value=meter_value)
            )

        figure = Figure(
            "ocpp package" + (", default" if threads else ", checks without threads"),
            await measure(heartbeat, calls, rounds),
            await measure(meter_values, calls, rounds),
        )
        running.cancel()
    return figure


async def compare(calls: int, rounds: int) -> list[Figure]:
    """All stacks in one run."""
    async with serve(echo, "127.0.0.1", 0, subprotocols=[SUB_PROTOCOL], compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return [
            await bare(url, calls, rounds),
            await ours(url, calls, rounds, log=False),
            await ours(url, calls, rounds, log=True),
            await package(url, calls, rounds, threads=False),
            await package(url, calls, rounds, threads=True),
        ]


def report(figures: list[Figure]) -> str:
    """A table with ratios to the first row."""
    base = figures[0]
    lines = [f"{'CPU us a round trip':38}{'Heartbeat':>12}{'x':>7}{'MeterValues':>14}{'x':>7}"]
    lines += [
        f"{figure.stack:38}{figure.heartbeat_us:12.0f}"
        f"{figure.heartbeat_us / base.heartbeat_us:7.2f}{figure.meter_values_us:14.0f}"
        f"{figure.meter_values_us / base.meter_values_us:7.2f}"
        for figure in figures
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU time of OCPP-J round trips")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(report(asyncio.run(compare(arguments.calls, arguments.rounds))))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
