"""The real WebSocket client on a simulated network: hours of a bad line in milliseconds."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from simloop import SimLoop, sim_test
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.foundation.clock import Clock, ClockTrust
from borne.protocols.ocpp.messages.core import BootNotificationRequest
from borne.protocols.ocpp.rpc.handlers import Handlers
from tests.unit.adapters.ocpp.charge_point.harness import (
    MemoryOutbox,
    RecordingListener,
    start,
    stop,
)

NOW = "2026-11-22T12:00:00Z"
ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "StartTransaction": {"transactionId": 7, "idTagInfo": {"status": "Accepted"}},
}


class Central:
    """A central system that remembers which transaction messages it has processed."""

    def __init__(self) -> None:
        self.processed: list[tuple[str, str]] = []

    async def talk(self, connection: ServerConnection) -> None:
        async for text in connection:
            _, message_id, action, payload = json.loads(text)
            if action in {"StartTransaction", "StopTransaction"}:
                self.processed.append((message_id, json.dumps(payload)))
            await connection.send(json.dumps([3, message_id, ANSWERS.get(action, {})]))

    async def serve(self) -> None:
        async with serve(
            self.talk, "backend", 9000, subprotocols=[Subprotocol("ocpp1.6")], ping_interval=None
        ) as server:
            await server.serve_forever()


@sim_test(seeds=4)
async def test_transactions_arrive_once_and_in_order_on_any_line() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    central, outbox = Central(), MemoryOutbox()
    loop.net.set_defaults(latency=(0.02, 0.5))
    loop.net.host("backend").create_task(central.serve())
    await asyncio.sleep(1)
    client = ChargePointClient(
        BackendConfig(
            ConnectionConfig("ws://backend:9000/o", "station", pong_timeout_s=10),
            ping_interval_s=30,
        ),
        StationSide(
            lambda: BootNotificationRequest(charge_point_vendor="V", charge_point_model="M"),
            Handlers(),
            outbox,
            RecordingListener(),
        ),
        clock=Clock(loop.time, datetime(2026, 11, 22, tzinfo=UTC), ClockTrust.RTC),
        rng=random.Random(1),
    )
    running = loop.net.host("station").create_task(client.run())
    for number in range(10):
        outbox.put(start(f"s{number}", wh=number), stop(f"s{number}"))
        await asyncio.sleep(random.Random(number).uniform(0, 5))
        loop.net.partition({"station"}, {"backend"})
        await asyncio.sleep(600)
        loop.net.heal()
        await asyncio.sleep(600)
    assert client.online
    assert len(outbox.answers) == 20
    first_time = list(dict.fromkeys(central.processed))
    assert [message_id for message_id, _ in first_time] == [f"msg-{n}" for n in range(1, 21)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
