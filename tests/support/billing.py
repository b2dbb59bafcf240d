"""A station whose backend never answers, one car, and the messages for that backend."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from borne.adapters.simulation.faults import CATALOGUE as CAUSES
from borne.adapters.simulation.simulator import Simulator
from borne.app import Host, HostOptions
from borne.application.ports.storage import QueuedMessage
from borne.application.station import Station
from borne.domain.station.measurands import REGISTER
from borne.domain.station.session import SessionRecord
from borne.domain.station.transaction_messages import (
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.foundation.clock import Moment
from borne.protocols.status_json import status_json
from tests.support.running_station import store_settings
from tests.support.simulated_world import world_of

BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPORTED = {
    "FreeCharging": "on",
    "FreeChargingMode": "full_fixed_without_auth",
    "ConnectionType": "ethernet",
    "WebSocketsBackendURL": "ws://127.0.0.1:9/nobody-listens",
    "MeterValueSampleInterval": "10",
    "ClockAlignedDataInterval": "900",
    "StopTxnSampledData": "Energy.Active.Import.Register",
}
CAR = {"battery_kwh": 1000, "max_a": 16}


class RunningStation:
    """A station without a backend that answers, and one car."""

    def __init__(self, data: Path) -> None:
        self.wall_error = timedelta()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self.host = Host(
            HostOptions(
                data,
                live=True,  # meters are read once a second, as in the field
                rng=random.Random(7),
                control_socket=False,
                wall=lambda: BEGIN + timedelta(seconds=loop.time() - began_s) + self.wall_error,
            )
        )
        self.simulator = Simulator(world_of(self.host))

    @property
    def station(self) -> Station:
        assert self.host.station is not None
        return self.host.station

    @property
    def socket(self) -> Any:
        return world_of(self.host).sockets[1]

    def connector(self) -> dict[str, Any]:
        """As JSON; fails for NaN and infinity."""
        text = json.dumps(status_json(self.station.status.snapshot()), allow_nan=False)
        found: dict[str, Any] = json.loads(text)["connectors"][0]
        return found

    @property
    def shown_wh(self) -> int:
        """The energy that the status shows for the session."""
        return int(self.connector()["session"]["energy_wh"])

    @property
    def faults(self) -> set[str]:
        return {fault["id"] for fault in self.connector()["faults"]}

    async def charge(self, seconds: float = 120.0, **vehicle: Any) -> None:
        await self.simulator.plug(1, {**CAR, **vehicle})
        await asyncio.sleep(10)
        assert self.connector()["state"] == "charging"
        await asyncio.sleep(seconds)

    async def cause(self, name: str, value: Any = None, *, active: bool = True) -> None:
        assert name in CAUSES
        await self.simulator.set_fault(name, active=active, connector=1, value=value)

    async def off_for(self, seconds: float) -> None:
        await self.host.cut()
        await asyncio.sleep(seconds)
        await self.host.restore()

    async def session(self) -> SessionRecord:
        """The first session: with free charging a car that stays starts another."""
        records, _ = await self.station._parts.storage.journal.page()
        return records[-1]

    async def messages(self) -> list[QueuedMessage]:
        return await self.station._parts.storage.outbox.content(100_000)


@asynccontextmanager
async def running_station(data: Path, **settings: Any) -> AsyncIterator[RunningStation]:
    store_settings(data, {**REPORTED, **{name: str(value) for name, value in settings.items()}})
    found = RunningStation(data)
    await found.host.start()
    try:
        await asyncio.sleep(1)
        yield found
    finally:
        await found.host.stop()


def reported_values(message: TransactionMessage) -> Iterator[tuple[datetime, int]]:
    """Date and register of all that a message says, in its order."""
    if not isinstance(message, StartMessage):
        for value in message.values:
            (register_wh,) = (
                int(sampled.value) for sampled in value.sampled if sampled.measurand == REGISTER
            )
            yield _date(value.at), register_wh
    if isinstance(message, StartMessage):
        yield _date(message.at), message.meter_start_wh
    if isinstance(message, StopMessage):
        yield _date(message.at), message.meter_stop_wh


def _date(moment: Moment) -> datetime:
    assert moment.wall is not None
    return moment.wall


def check_messages(messages: Sequence[QueuedMessage]) -> None:
    """Within a transaction neither the register nor the date ever goes back, and every number is
    one."""
    latest: dict[str, tuple[datetime, int]] = {}
    for queued in messages:
        message = queued.message
        for sampled in getattr(message, "values", ()):
            assert all(math.isfinite(float(each.value)) for each in sampled.sampled)
        if message.session_id is None:
            continue
        values = list(reported_values(message))
        for before, after in itertools.pairwise(values):
            assert before[0] <= after[0], message
            assert before[1] <= after[1], message
        # What a stop repeats was reported before.
        repeats = isinstance(message, StopMessage) and message.values
        first = values[-1] if repeats else values[0]
        before = latest.get(message.session_id, first)
        assert before[0] <= first[0], message
        assert before[1] <= first[1], message
        latest[message.session_id] = values[-1]


def billed_wh(record: SessionRecord) -> int:
    """What the invoice is made of."""
    assert record.end is not None
    return record.end.meter_stop_wh - record.start.meter_start_wh
