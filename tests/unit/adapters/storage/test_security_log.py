"""The chain of security events finds every change of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from borne.adapters.storage.connection import connect_sqlite
from borne.adapters.storage.database import Database
from borne.adapters.storage.security_log import SqlSecurityLog
from borne.application.ports.storage import LoggedSecurityEvent, Storage
from tests.unit.adapters.storage.builders import NOON, at, opened


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = await opened(tmp_path)
    yield storage
    await storage.close()


async def fill(storage: Storage, count: int = 5) -> None:
    for number in range(count):
        await storage.security.add("FailedLogin", f"attempt {number}", at(number))


async def test_events_come_in_order_and_by_page(storage: Storage) -> None:
    assert await storage.security.add("StartupOfTheDevice", "é", at(0.25)) == 1
    assert await storage.security.add("SettingSystemTime", "", at(1)) == 2
    first, second = await storage.security.page()
    assert replace(first, hash="") == LoggedSecurityEvent(
        1, "StartupOfTheDevice", "é", at(0.25), ""
    )
    assert await storage.security.page(after=1) == [second]
    assert await storage.security.page(limit=1) == [first]


async def test_an_untouched_chain_is_whole(storage: Storage) -> None:
    assert await storage.security.verify() is None
    await fill(storage)
    assert await storage.security.verify() is None


@pytest.mark.parametrize(
    ("change", "misfit"),
    [
        ("UPDATE security_event SET detail = 'nothing' WHERE seq = 3", 3),
        ("UPDATE security_event SET kind = 'x' WHERE seq = 1", 1),
        ("UPDATE security_event SET wall_us = wall_us + 1 WHERE seq = 2", 2),
        ("UPDATE security_event SET monotonic_s = 9 WHERE seq = 2", 2),
        ("UPDATE security_event SET hash = upper(hash) WHERE seq = 4", 4),
        ("DELETE FROM security_event WHERE seq = 3", 3),
        ("DELETE FROM security_event WHERE seq = 1", 1),
        ("DELETE FROM security_event WHERE seq = 5", 5),
        ("DELETE FROM security_event", 1),
        ("UPDATE security_event SET seq = 9 WHERE seq = 5", 5),
    ],
)
async def test_every_change_is_found(tmp_path: Path, change: str, misfit: int) -> None:
    storage = await opened(tmp_path)
    await fill(storage)
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
        connection.execute(change)
        connection.commit()
    storage = await opened(tmp_path)
    assert await storage.security.verify() == misfit
    await storage.close()


async def test_dates_that_become_known_later_do_not_break_the_chain(storage: Storage) -> None:
    await storage.security.add("StartupOfTheDevice", "", at(30, dated=False))
    await storage.journal.date("boot-1", NOON + timedelta(minutes=1), 60.0)
    (event,) = await storage.security.page()
    assert event.at.to_text() == "2026-11-22T12:00:30Z"
    assert await storage.security.verify() is None


async def test_old_events_are_deleted_in_blocks_and_the_chain_stays_valid(
    storage: Storage, tmp_path: Path
) -> None:
    database = Database(lambda: connect_sqlite(tmp_path / "station.db"), ThreadPoolExecutor(1))
    log = SqlSecurityLog(database, limit=10, block=4)
    for number in range(30):
        assert await log.add("FailedLogin", str(number), at(number)) == number + 1
        assert len(await log.page()) <= 10
    assert [event.seq for event in await log.page()][-7:] == list(range(24, 31))
    assert await log.verify() is None
    await database.close()
