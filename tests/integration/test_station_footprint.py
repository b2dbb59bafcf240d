"""What an idle station takes of a process that runs a thousand (decision 0200)."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from pathlib import Path

from tests.support.central_system import central_system
from tests.support.running_station import running_station

STATIONS = 3
MAX_TASKS = 8
"""Of one station: five stay, and some of the start may still run."""
MAX_OBJECTS = 2000
"""Of one station and of what the central system keeps of it; those that the garbage collector
knows."""


def tasks() -> int:
    return sum("/" in task.get_name() for task in asyncio.all_tasks())


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


async def test_an_idle_station_has_few_tasks_and_objects(tmp_path: Path) -> None:
    async with central_system() as central, AsyncExitStack() as stack:

        async def start(identity: str) -> None:
            station = await stack.enter_async_context(
                running_station(
                    tmp_path / identity,
                    ConnectionType="ethernet",
                    ChargePointID=identity,
                    WebSocketsBackendURL=central.url,
                )
            )
            await station.until_online()

        await start("first")  # makes what all share
        tasks_before, objects_before = tasks(), objects()
        for number in range(STATIONS):
            await start(f"CP-{number}")
        made = objects() - objects_before
        assert tasks() - tasks_before <= MAX_TASKS * STATIONS
        assert made <= MAX_OBJECTS * STATIONS
