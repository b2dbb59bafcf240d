"""`abort` and `close`: what was acknowledged stays, what was not started never happens."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from borne.adapters.storage import OpenFiles, StorageClosed
from borne.application.ports.storage import Storage, StorageFailed
from borne.domain.principals import Role
from tests.unit.adapters.storage.builders import (
    end,
    opened,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)
from tests.unit.adapters.storage.faults import Disk


async def test_acknowledged_data_is_there_after_a_power_cut(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), start_message())
    await storage.journal.sample("s1", sample(1, 1100), values_message())
    await storage.journal.close("s1", end(), stop_message())
    await storage.outbox.answered(1, transaction_id=3)
    before = await storage.journal.page(), await storage.outbox.content()
    storage.abort()
    storage = await opened(tmp_path)
    assert (await storage.journal.page(), await storage.outbox.content()) == before
    await storage.close()


async def test_waiting_writes_are_dropped_at_a_power_cut(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        storage = await opened(tmp_path, executor=pool)
        gate = threading.Event()
        pool.submit(gate.wait)
        writes = [
            asyncio.create_task(storage.journal.open(start(name), start_message(name)))
            for name in ("a", "b")
        ]
        await asyncio.sleep(0)
        storage.abort()
        gate.set()
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [StorageClosed, StorageClosed]
    storage = await opened(tmp_path)
    assert await storage.outbox.length() == 0
    await storage.close()


async def test_a_running_write_is_undone_at_a_power_cut(tmp_path: Path) -> None:
    disk, writing, failed = Disk(), threading.Event(), threading.Event()
    storage = await opened(tmp_path, connect=disk.connect)

    def power_fails() -> None:
        writing.set()
        failed.wait()

    disk.connections["station.db"].before["INSERT INTO message"] = power_fails
    write = asyncio.create_task(storage.journal.open(start(), start_message()))
    await asyncio.to_thread(writing.wait)
    cut = asyncio.create_task(asyncio.to_thread(storage.abort))
    await asyncio.to_thread(disk.connections["station.db"].interrupted.wait)
    failed.set()
    await cut
    with pytest.raises(StorageClosed):
        await write
    storage = await opened(tmp_path)
    assert await storage.journal.open_sessions() == []
    assert await storage.outbox.length() == 0
    await storage.close()


async def test_a_close_finishes_the_writes_before_it(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    writes = [
        asyncio.create_task(storage.journal.open(start(str(number)), start_message(str(number))))
        for number in range(5)
    ]
    await asyncio.sleep(0)
    await storage.close()
    await asyncio.gather(*writes)
    storage = await opened(tmp_path)
    assert await storage.outbox.length() == 5
    await storage.close()


CALLS: dict[str, Callable[[Storage], Awaitable[object]]] = {
    "open": lambda s: s.journal.open(start("s9"), None),
    "close": lambda s: s.journal.close("s1", end(), None),
    "sample": lambda s: s.journal.sample("s1", sample(1, 1), None),
    "curve": lambda s: s.journal.curve("s1"),
    "next": lambda s: s.outbox.next(),
    "answered": lambda s: s.outbox.answered(1),
    "whitelist": lambda s: s.whitelist.load(),
    "tokens": lambda s: s.tokens.load("cache"),
    "accounts": lambda s: s.accounts.password_hash(Role.USER),
    "state": lambda s: s.state.put("a", 1),
    "security": lambda s: s.security.page(),
}


@pytest.mark.parametrize("polite", [True, False])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_calls_after_the_close_are_refused(
    tmp_path: Path, call: Callable[[Storage], Awaitable[object]], *, polite: bool
) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), None)
    if polite:
        await storage.close()
    else:
        storage.abort()
    with pytest.raises(StorageFailed, match="closed"):
        await call(storage)


async def test_close_and_abort_may_come_twice_in_any_order(tmp_path: Path) -> None:
    for ends in ("cc", "ca", "ac", "aa"):
        storage = await opened(tmp_path)
        for kind in ends:
            if kind == "c":
                await storage.close()
            else:
                storage.abort()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 merges the log at every close")
async def test_a_power_cut_leaves_the_write_ahead_log(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), start_message())
    before = (tmp_path / "station.db").read_bytes()
    storage.abort()
    assert (tmp_path / "station.db").read_bytes() == before
    assert (tmp_path / "station.db-wal").stat().st_size > 0


async def test_a_cancelled_caller_may_have_stored_all_or_nothing(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    for number in range(20):
        name = str(number)
        task = asyncio.create_task(storage.journal.open(start(name), start_message(name)))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    sessions = {record.session_id for record in await storage.journal.open_sessions()}
    messages = {queued.message.session_id for queued in await storage.outbox.content()}
    assert sessions == messages
    await storage.close()


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("open_files", [None, 1, 5])
async def test_many_stations_share_few_threads_and_few_files(
    tmp_path: Path, threads: int, open_files: int | None
) -> None:
    shared = OpenFiles(open_files) if open_files else None
    with ThreadPoolExecutor(threads) as pool:
        stations = [
            await opened(tmp_path / str(n), executor=pool, open_files=shared) for n in range(8)
        ]

        async def charge(storage: Storage) -> None:
            await storage.journal.open(start(), start_message())
            await asyncio.gather(
                *(
                    storage.journal.sample("s1", sample(n, 1000 + n), values_message())
                    for n in range(5)
                )
            )
            await storage.journal.close("s1", end(), stop_message())

        await asyncio.gather(*(charge(storage) for storage in stations))
        for storage in stations:
            assert await storage.outbox.length() == 7
            assert len(await storage.journal.curve("s1")) == 5
        stations[0].abort()
        await asyncio.gather(*(storage.close() for storage in stations))
        assert pool.submit(lambda: "open").result() == "open"
