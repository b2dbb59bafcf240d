"""A client with a queue in memory, to be pointed at a real central system."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from borne.adapters.ocpp.charge_point.client import ChargePointClient
from borne.adapters.ocpp.charge_point.config import BackendConfig, ConnectionConfig
from borne.adapters.ocpp.charge_point.contract import StationSide
from borne.application.ports.backend import ConnectionStep, StatusReport, StepResult
from borne.domain.station.status import BackendStatus
from borne.foundation.clock import Clock, ClockTrust
from borne.protocols.ocpp.messages.core import BootNotificationRequest
from borne.protocols.ocpp.rpc.handlers import Handlers
from tests.support.timeouts import TEST_TIMEOUT_S
from tests.unit.adapters.ocpp.charge_point.harness import MemoryOutbox, RecordingListener


class Station:
    """The client with its queue and handlers."""

    def __init__(self, connection: ConnectionConfig, **settings: Any) -> None:
        loop = asyncio.get_running_loop()
        self.handlers = Handlers()
        self.outbox = MemoryOutbox()
        self.listener = RecordingListener()
        self.clock = Clock(loop.time, datetime.now(UTC), ClockTrust.NTP)
        self.config = BackendConfig(connection, **({"ping_interval_s": 0} | settings))
        self.client = ChargePointClient(
            self.config,
            StationSide(
                lambda: BootNotificationRequest(charge_point_vendor="V", charge_point_model="M"),
                self.handlers,
                self.outbox,
                self.listener,
            ),
            clock=self.clock,
            rng=random.Random(1),
        )

    def status(self, connector: int, status: str) -> None:
        self.client.report_status(
            StatusReport(connector, BackendStatus(status), self.clock.moment())
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is checked at every change."""
        changed = asyncio.Event()
        ends = [
            self.client.changed.subscribe(lambda _: changed.set()),
            self.client.log.added.subscribe(lambda _: changed.set()),
            self.outbox.committed.subscribe(lambda _: changed.set()),
        ]
        try:
            while not condition():
                changed.clear()
                await changed.wait()
        finally:
            for end in ends:
                end()

    async def online(self) -> None:
        await self.until(lambda: self.client.online)

    def step(self, step: ConnectionStep) -> StepResult:
        return next(result for result in self.client.view().steps if result.step is step)


@asynccontextmanager
async def station(
    url: str,
    *,
    identity: str = "station",
    settings: dict[str, Any] | None = None,
    prepare: Callable[[Station], None] = lambda _: None,
    **connection: Any,
) -> AsyncIterator[Station]:
    """A running station."""
    made = Station(
        ConnectionConfig(url, identity, **({"connect_timeout_s": 10} | connection)),
        **(settings or {}),
    )
    prepare(made)
    running = asyncio.create_task(made.client.run())
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            yield made
    finally:
        await made.client.stop()
        await running
