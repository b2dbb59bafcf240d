"""The storage on the simulated loop: no thread of its own, and the same run from the same seed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from simloop import sim_test

from borne.adapters.storage import StorageClosed, open_storage
from borne.application.ports.storage import QueuedMessage, Storage
from borne.domain.station.transaction_messages import MessageKind
from borne.foundation.clock import Clock, ClockTrust
from tests.unit.adapters.storage.builders import (
    NOON,
    end,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)


async def on_virtual_time(folder: Path) -> Storage:
    clock = Clock(asyncio.get_running_loop().time, NOON, ClockTrust.RTC, "boot-1")
    return await open_storage(folder, clock, lambda: "seed")


async def charge(storage: Storage, name: str) -> None:
    await storage.journal.open(start(name), start_message(name))
    for second in range(3):
        await asyncio.sleep(60)
        await storage.journal.sample(name, sample(second, 1000 + second), values_message(name))
    await storage.journal.close(name, end(), stop_message(name))


async def deliver(storage: Storage, delivered: list[QueuedMessage]) -> None:
    while True:
        queued = await storage.outbox.next()
        if queued is None:
            await storage.outbox.wait_for_work()
        else:
            await asyncio.sleep(1)
            await storage.outbox.answered(queued.seq, transaction_id=queued.seq)
            delivered.append(queued)


async def drive(folder: Path) -> list[QueuedMessage]:
    """Charges of two sockets, a power cut in the middle of them, and the rest of the delivery."""
    delivered: list[QueuedMessage] = []
    storage = await on_virtual_time(folder)
    sender = asyncio.create_task(deliver(storage, delivered))
    cars = [asyncio.create_task(charge(storage, name)) for name in ("a", "b")]
    await asyncio.sleep(130)
    storage.abort()
    ends = await asyncio.gather(sender, *cars, return_exceptions=True)
    assert [type(end_) for end_ in ends] == [StorageClosed] * 3

    storage = await on_virtual_time(folder)
    sender = asyncio.create_task(deliver(storage, delivered))
    for record in await storage.journal.open_sessions():
        await storage.journal.close(record.session_id, end(), stop_message(record.session_id))
    await asyncio.sleep(60)
    assert await storage.outbox.length() == 0
    await storage.close()
    with pytest.raises(StorageClosed):
        await sender
    return delivered


@sim_test(seeds=10)
async def test_a_power_cut_loses_and_reorders_no_message() -> None:
    with TemporaryDirectory() as folder:
        delivered = await drive(Path(folder))
    assert [queued.seq for queued in delivered] == list(range(1, len(delivered) + 1))
    whole = {
        (queued.message.session_id, queued.message.kind)
        for queued in delivered
        if queued.message.kind is not MessageKind.METER_VALUES
    }
    assert whole == {
        (name, kind) for name in "ab" for kind in (MessageKind.START, MessageKind.STOP)
    }
    assert len({queued.message_id for queued in delivered}) == len(delivered)


@sim_test(seeds=3)
async def test_the_same_seed_gives_the_same_bytes() -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        storages = [await on_virtual_time(Path(folder)) for folder in (one, two)]
        for storage in storages:
            await storage.journal.open(start(), start_message())
        first, second = [await storage.outbox.next() for storage in storages]
        for storage in storages:
            await storage.close()
    assert first is not None
    assert first == second
