"""A full or failing disk: curves go first, nothing new begins, what runs
may end, nothing is half-written, and afterwards everything goes on."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from borne.adapters.storage import StorageUnavailable, folder
from borne.application.ports.storage import (
    CachedToken,
    Storage,
    StorageFailed,
    StorageFull,
    WhitelistEntry,
)
from borne.foundation import disk as simulated
from tests.unit.adapters.storage.builders import (
    at,
    end,
    opened,
    sample,
    start,
    start_message,
    stop_message,
    values_message,
)
from tests.unit.adapters.storage.faults import Disk

BIG = "x" * 10_000
"""More than the free space on the pages that a database has."""


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
async def storage(tmp_path: Path, disk: Disk) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path, connect=disk.connect)
    yield storage
    await storage.close()


WRITES: dict[str, Callable[[Storage], Awaitable[object]]] = {
    "open": lambda s: s.journal.open(start("s2"), start_message("s2", token=BIG)),
    "close": lambda s: s.journal.close("s1", end(), stop_message(token=BIG)),
    "sample": lambda s: s.journal.sample("s1", sample(1, 1100), values_message(value=BIG)),
    "whitelist": lambda s: s.whitelist.put([WhitelistEntry("AA", name=BIG)]),
    "cache": lambda s: s.tokens.put("cache", [CachedToken(BIG, "Accepted")]),
    "list": lambda s: s.tokens.replace("local_list", [CachedToken(BIG, "Accepted")], 2),
    "state": lambda s: s.state.put("key", BIG),
    "security": lambda s: s.security.add("Event", BIG, at(1)),
}


async def everything(storage: Storage) -> list[object]:
    return [
        await storage.journal.page(),
        await storage.outbox.content(),
        await storage.whitelist.load(),
        await storage.tokens.load("cache"),
        await storage.tokens.load("local_list"),
        await storage.state.get("key"),
        await storage.security.page(),
    ]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_a_full_disk_stores_nothing_and_then_goes_on(
    storage: Storage, disk: Disk, write: Callable[[Storage], Awaitable[object]]
) -> None:
    await storage.journal.open(start(), start_message())
    before = await everything(storage)
    disk.fill()
    for _ in range(2):
        with pytest.raises(StorageFull):
            await write(storage)
    assert await everything(storage) == before
    disk.empty()
    await write(storage)
    assert await everything(storage) != before


CODES = [
    (sqlite3.SQLITE_FULL, StorageFull),
    (sqlite3.SQLITE_IOERR_WRITE, StorageFailed),
    (sqlite3.SQLITE_IOERR_FSYNC, StorageFailed),
    (sqlite3.SQLITE_READONLY_DBMOVED, StorageFailed),
    (sqlite3.SQLITE_CORRUPT, StorageFailed),
    (sqlite3.SQLITE_BUSY, StorageFailed),
]


@pytest.mark.parametrize(("code", "error"), CODES)
@pytest.mark.parametrize("statement", ["BEGIN", "UPDATE session", "INSERT INTO message", "COMMIT"])
async def test_an_end_whose_commit_fails_leaves_the_session_open(
    storage: Storage, disk: Disk, statement: str, code: int, error: type[Exception]
) -> None:
    await storage.journal.open(start(), None)
    disk.fail(statement, code)
    with pytest.raises(error):
        await storage.journal.close("s1", end(), stop_message())
    disk.heal()
    assert [record.end for record in await storage.journal.open_sessions()] == [None]
    assert await storage.outbox.length() == 0
    await storage.journal.close("s1", end(), stop_message())
    assert await storage.outbox.length() == 1


async def test_a_programming_error_is_not_reported_as_a_disk_failure(
    storage: Storage, disk: Disk
) -> None:
    disk.fail("COMMIT", sqlite3.SQLITE_MISUSE)
    with pytest.raises(sqlite3.OperationalError):
        await storage.state.put("key", 1)


async def test_a_running_session_ends_in_the_reserved_space(
    storage: Storage, disk: Disk, tmp_path: Path
) -> None:
    await storage.journal.open(start(), start_message())
    reserve = tmp_path / "reserve"
    assert reserve.stat().st_size > 0
    used: list[bool] = []

    def use(self: folder.Reserve) -> bool:
        disk.empty()
        reserve.unlink()
        used.append(True)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder.Reserve, "use", use)
        disk.fill()
        with pytest.raises(StorageFull):
            await storage.journal.open(start("s2"), start_message("s2", token=BIG))
        assert not used
        await storage.journal.close("s1", end(), stop_message(token=BIG))
    assert used == [True]
    record = await storage.journal.get("s1")
    assert record is not None
    assert record.end is not None
    await storage.outbox.failed(1)
    assert reserve.exists(), "it is taken again as soon as there is space"


class TestReserve:
    def test_the_reserve_takes_space_and_frees_it_once(self, tmp_path: Path) -> None:
        reserve = folder.Reserve(tmp_path / "reserve", 1000)
        assert not reserve.use()
        reserve.keep()
        reserve.keep()
        assert (tmp_path / "reserve").stat().st_size == 1000
        assert reserve.use()
        assert not reserve.use()

    @pytest.mark.parametrize(
        ("number", "size_bytes"), [(errno.EOPNOTSUPP, 1000), (errno.ENOSPC, None)]
    )
    def test_the_reserve_is_written_where_space_cannot_only_be_allocated(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
        size_bytes: int | None,
    ) -> None:
        def refuse(*_: int) -> None:
            raise OSError(number, "")

        monkeypatch.setattr(os, "posix_fallocate", refuse)
        path = tmp_path / "reserve"
        folder.Reserve(path, 1000).keep()
        assert (path.stat().st_size if path.exists() else None) == size_bytes

    def test_the_reserve_is_not_taken_on_a_nearly_full_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "free_bytes", lambda _: folder.ROOM_BYTES)
        folder.Reserve(tmp_path / "reserve", 1000).keep()
        assert not (tmp_path / "reserve").exists()


class TestSamples:
    async def test_curves_stop_before_the_disk_is_full(
        self,
        storage: Storage,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await storage.journal.open(start(), None)
        monkeypatch.setattr(folder, "free_bytes", lambda _: folder.ROOM_BYTES)
        with caplog.at_level(logging.WARNING):
            for second in range(3):
                await storage.journal.sample("s1", sample(second, 1100 + second, 5.0), None)
        assert await storage.journal.curve("s1") == []
        record = await storage.journal.get("s1")
        assert record is not None
        assert (record.last_wh, record.max_power_w) == (1102, 5.0)
        assert [r.message for r in caplog.records] == [
            "curves of sessions are not kept: the disk is nearly full"
        ]

    async def test_a_full_disk_loses_points_of_curves_and_is_reported_once(
        self, storage: Storage, disk: Disk, caplog: pytest.LogCaptureFixture
    ) -> None:
        await storage.journal.open(start(), None)
        await storage.journal.sample("s1", sample(1, 1100), None)
        disk.fail("INSERT", sqlite3.SQLITE_FULL, "curves.db")
        with caplog.at_level(logging.WARNING):
            for second in range(2, 5):
                await storage.journal.sample("s1", sample(second, 1100 + second), None)
        assert len(caplog.records) == 1
        disk.heal("curves.db")
        await storage.journal.sample("s1", sample(9, 1200), None)
        assert [p.at for p in await storage.journal.curve("s1")] == [at(1), at(9)]

    async def test_a_sample_without_a_message_never_raises(
        self, storage: Storage, disk: Disk
    ) -> None:
        await storage.journal.open(start(), None)
        for code, _ in CODES:
            disk.fail("COMMIT", code)
            await storage.journal.sample("s1", sample(1, 1100), None)


async def test_the_free_space_is_known(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert storage.free_bytes() > 0
    assert folder.free_bytes(tmp_path / "gone") == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only"),
    ],
)
async def test_a_disk_that_takes_no_new_file_is_reported_in_one_sentence(
    tmp_path: Path, error: OSError, expected: str
) -> None:
    def connect(path: Path) -> sqlite3.Connection:
        raise error

    with pytest.raises(StorageUnavailable, match=expected):
        await opened(tmp_path, connect=connect)


async def test_a_station_starts_on_a_full_disk_with_its_reserve(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    await first.journal.open(start(), start_message())
    await first.close()
    simulated.simulate_full(tmp_path)
    try:
        again = await opened(tmp_path)
        assert not (tmp_path / "reserve").exists()
        await again.journal.close("s1", end(), stop_message())
        await again.close()
    finally:
        simulated.end_simulated_full(tmp_path)


async def test_without_a_reserve_a_full_disk_is_reported(tmp_path: Path) -> None:
    await (await opened(tmp_path, reserve_bytes=0)).close()
    simulated.simulate_full(tmp_path)
    try:
        with pytest.raises(StorageUnavailable, match="full"):
            await opened(tmp_path, reserve_bytes=0)
    finally:
        simulated.end_simulated_full(tmp_path)
