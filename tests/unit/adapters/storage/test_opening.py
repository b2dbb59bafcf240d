"""Opening: new, old, newer and damaged data, and folders that cannot be used."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from borne.adapters.storage import OpenFiles, StorageUnavailable, schema
from borne.adapters.storage.connection import connect_sqlite
from borne.adapters.storage.folder import prepare
from borne.application.ports.storage import Storage, StorageFailed
from tests.unit.adapters.storage.builders import (
    at,
    end,
    opened,
    sample,
    start,
    start_message,
    stop_message,
)


async def fill(folder: Path) -> None:
    storage = await opened(folder)
    await storage.journal.open(start(), start_message())
    await storage.journal.sample("s1", sample(1, 1001), None)
    await storage.close()


async def knows_session(storage: Storage) -> bool:
    return await storage.journal.get("s1") is not None


def names(folder: Path, pattern: str = "*") -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob(pattern) if path.is_file()}


def execute(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


async def test_a_new_folder_is_made_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    await fill(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("station.db", "curves.db"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


async def test_a_close_leaves_no_write_ahead_log(tmp_path: Path) -> None:
    await fill(tmp_path)
    assert names(tmp_path) == {"station.db", "curves.db", "reserve", "commissioned.json"}


async def test_curves_are_opened_when_the_first_point_comes(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), None)
    assert not names(tmp_path, "curves*")
    await storage.journal.sample("s1", sample(1, 1001), None)
    assert names(tmp_path, "curves*")
    await storage.close()


async def test_the_session_database_is_synced_at_every_commit(tmp_path: Path) -> None:
    seen: list[sqlite3.Connection] = []

    def connect(path: Path) -> sqlite3.Connection:
        seen.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        return seen[-1]

    storage = await opened(tmp_path, connect=connect)
    await storage.journal.open(start(), None)
    await storage.journal.sample("s1", sample(1, 1001), None)
    station, curves = seen
    assert station.execute("PRAGMA synchronous").fetchone() == (2,)
    assert curves.execute("PRAGMA synchronous").fetchone() == (1,)
    assert station.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await storage.close()


async def test_an_opening_commits_once(tmp_path: Path) -> None:
    commits: list[str] = []

    def connect(path: Path) -> sqlite3.Connection:
        connection = connect_sqlite(path)
        assert isinstance(connection, sqlite3.Connection)
        connection.set_trace_callback(
            lambda sql: commits.append(sql) if sql == "BEGIN IMMEDIATE" else None
        )
        return connection

    await (await opened(tmp_path)).close()
    await (await opened(tmp_path, connect=connect)).close()
    assert len(commits) == 1


def test_an_opening_creates_no_temporary_file(tmp_path: Path) -> None:
    before = tmp_path.stat().st_mtime_ns
    prepare(tmp_path)
    assert tmp_path.stat().st_mtime_ns == before


async def test_a_folder_removed_while_idle_is_a_storage_failure(tmp_path: Path) -> None:
    files = OpenFiles(1)
    first = await opened(tmp_path / "one", open_files=files)
    second = await opened(tmp_path / "two", open_files=files)
    shutil.rmtree(tmp_path / "one")
    (tmp_path / "one").touch()
    with pytest.raises(StorageFailed, match="cannot be used"):
        await first.state.put("a", 1)
    await first.close()
    await second.close()


class TestFolder:
    async def test_a_file_in_the_place_of_the_folder_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageUnavailable, match=r"^The data folder .*file cannot be used: "):
            await opened(tmp_path / "file")

    async def test_a_folder_that_cannot_be_made_is_reported(self) -> None:
        with pytest.raises(StorageUnavailable, match=r"^The data folder /proc/none/x cannot be"):
            await opened(Path("/proc/none/x"))

    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
    async def test_a_folder_in_the_place_of_the_database_is_moved_away(
        self, tmp_path: Path, suffix: str
    ) -> None:
        (tmp_path / f"station.db{suffix}").mkdir()
        storage = await opened(tmp_path)
        assert "A folder was in the place" in str(storage.notices[0])
        await storage.close()
        assert (tmp_path / f"station.db{suffix}-damaged-1").is_dir()


def garble_header(path: Path) -> None:
    path.write_bytes(b"\x00garbage" * 1000)


def write_text(path: Path) -> None:
    path.write_text("hello")


def garble_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def garble_schema(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * 4096])


def garble_last_page(path: Path, content: bytes) -> None:
    """Damage the last page with that content; the file still opens."""
    data = bytearray(path.read_bytes())
    start_ = data.rfind(content) // 4096 * 4096
    assert start_ > 0
    data[start_ : start_ + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


Damage = Callable[[Path], None]
OBVIOUS = [garble_header, write_text, garble_schema, garble_pages, cut_short]


class TestDamage:
    @pytest.mark.parametrize("damage", OBVIOUS)
    async def test_a_damaged_database_is_put_aside_and_reported(
        self, tmp_path: Path, damage: Damage
    ) -> None:
        await fill(tmp_path)
        path = tmp_path / "station.db"
        damage(path)
        # As after a power cut, for only then the whole file is checked.
        path.with_name("station.db-wal").write_bytes(b"torn")
        damaged = path.read_bytes()
        storage = await opened(tmp_path)
        notice = str(storage.notices[0])
        assert "station.db was damaged" in notice
        assert "station-damaged-1" in notice
        assert (tmp_path / "station-damaged-1" / "station.db").read_bytes() == damaged
        if sys.version_info >= (3, 12):  # before, sqlite3 merges the log when it closes
            assert (tmp_path / "station-damaged-1" / "station.db-wal").read_bytes() == b"torn"
        assert not await knows_session(storage)
        await storage.journal.open(start(), start_message())
        await storage.close()
        storage = await opened(tmp_path)
        assert storage.notices == ()
        assert await knows_session(storage)
        await storage.close()

    async def test_every_damaged_database_is_kept(self, tmp_path: Path) -> None:
        for number in (1, 2):
            (tmp_path / "station.db").write_text(f"no database {number}")
            await (await opened(tmp_path)).close()
        for number in (1, 2):
            kept = tmp_path / f"station-damaged-{number}" / "station.db"
            assert kept.read_text() == f"no database {number}"

    async def test_the_new_database_has_other_message_ids(self, tmp_path: Path) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(), start_message())
        first = await storage.outbox.next()
        await storage.close()
        garble_header(tmp_path / "station.db")
        storage = await opened(tmp_path, "another")
        await storage.journal.open(start(), start_message())
        second = await storage.outbox.next()
        await storage.close()
        assert first is not None
        assert second is not None
        assert first.message_id != second.message_id

    @pytest.mark.parametrize("polite", [True, False])
    async def test_every_start_checks_the_whole_database(
        self, tmp_path: Path, *, polite: bool
    ) -> None:
        storage = await opened(tmp_path)
        for number in range(100):
            await storage.journal.open(start(f"s{number}"), None)
        await storage.close()
        garble_last_page(tmp_path / "station.db", b"s99")
        if not polite:
            (tmp_path / "station.db-wal").write_bytes(b"torn")
        storage = await opened(tmp_path)
        assert "station.db was damaged" in str(storage.notices[0])
        await storage.close()

    @pytest.mark.parametrize("index", ["session_connector", "session_start"])
    async def test_an_outdated_index_page_is_found_after_a_power_cut(
        self, tmp_path: Path, index: str
    ) -> None:
        """A page that never reached the disk: the old one is valid in itself."""
        path = tmp_path / "station.db"
        storage = await opened(tmp_path)
        await storage.journal.open(start("s1"), None)
        await storage.close()
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
            (number,) = connection.execute(query, (index,)).fetchone()
        page = slice((number - 1) * 4096, number * 4096)
        before = path.read_bytes()[page]
        storage = await opened(tmp_path)
        await storage.journal.open(start("s2", when=at(60)), None)
        await storage.close()
        content = bytearray(path.read_bytes())
        content[page] = before
        path.write_bytes(content)
        (tmp_path / "station.db-wal").write_bytes(b"torn")
        storage = await opened(tmp_path)
        assert "station.db was damaged" in str(storage.notices[0])
        await storage.close()

    async def test_curves_start_again_when_damage_is_found_while_running(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = await opened(tmp_path)
        await storage.journal.open(start(), None)
        for second in range(100):
            await storage.journal.sample("s1", sample(second, 1000 + second), None)
        await storage.close()
        garble_last_page(tmp_path / "curves.db", b"Sample.Periodic")
        storage = await opened(tmp_path)
        with caplog.at_level(logging.WARNING):
            for second in range(100, 104):
                await storage.journal.sample("s1", sample(second, 1000 + second), None)
            assert await storage.journal.curve("s1") == [
                sample(second, 1000 + second) for second in (101, 102, 103)
            ]
        assert (tmp_path / "curves-damaged-1" / "curves.db").exists()
        assert len(caplog.records) == 2
        await storage.close()

    @pytest.mark.parametrize("damage", OBVIOUS)
    async def test_damaged_curves_lose_no_session(self, tmp_path: Path, damage: Damage) -> None:
        await fill(tmp_path)
        damage(tmp_path / "curves.db")
        storage = await opened(tmp_path)
        assert await knows_session(storage)
        for second in range(3):
            await storage.journal.sample("s1", sample(second, 1002 + second), None)
        assert [point.register_wh for point in await storage.journal.curve("s1")][-2:] == [
            1003,
            1004,
        ]
        await storage.close()
        assert (tmp_path / "curves-damaged-1" / "curves.db").exists()

    async def test_a_write_ahead_log_without_its_database_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "station.db-wal").write_bytes(b"sessions")
        storage = await opened(tmp_path)
        assert "station.db was damaged" in str(storage.notices[0])
        await storage.close()
        assert (tmp_path / "station-damaged-1" / "station.db-wal").read_bytes() == b"sessions"

    async def test_an_empty_file_counts_as_a_missing_database(self, tmp_path: Path) -> None:
        (tmp_path / "station.db").touch()
        storage = await opened(tmp_path)
        assert "missing or empty" in str(storage.notices[0])
        await storage.close()


class TestVersions:
    @pytest.mark.parametrize(
        "change",
        [
            "SELECT 1",
            "ALTER TABLE session ADD COLUMN price INTEGER NOT NULL DEFAULT 0",
            "CREATE TABLE invoice (number INTEGER)",
        ],
    )
    async def test_newer_data_marked_as_compatible_is_used(
        self, tmp_path: Path, change: str
    ) -> None:
        await fill(tmp_path)
        execute(tmp_path / "station.db", change)
        execute(tmp_path / "station.db", "INSERT INTO schema_version VALUES (999)")
        storage = await opened(tmp_path)
        (notice,) = map(str, storage.notices)
        assert "newer version" in notice
        assert "schema 999" in notice
        assert await knows_session(storage)
        await storage.journal.close("s1", end(), stop_message())
        assert await storage.outbox.length() == 2
        await storage.close()
        with closing(sqlite3.connect(tmp_path / "station.db")) as connection:
            assert schema.version(connection) == 999

    @pytest.mark.parametrize(
        "change",
        [
            "PRAGMA user_version = 999",
            "PRAGMA user_version = 0",
            "ALTER TABLE message RENAME COLUMN payload TO body",
            "ALTER TABLE message RENAME TO outbox; CREATE VIEW message AS SELECT 1",
        ],
    )
    async def test_other_newer_data_is_put_aside_unchanged(
        self, tmp_path: Path, change: str
    ) -> None:
        await fill(tmp_path)
        path = tmp_path / "station.db"
        for statement in change.split("; "):
            execute(path, statement)
        execute(path, "INSERT INTO schema_version VALUES (999)")
        before = path.read_bytes()
        storage = await opened(tmp_path)
        notice = str(storage.notices[0])
        assert "newer version" in notice
        assert "station-newer-1" in notice
        await storage.journal.open(start("s2"), start_message("s2"))
        await storage.close()
        assert (tmp_path / "station-newer-1" / "station.db").read_bytes() == before

    async def test_newer_curves_lose_no_session(self, tmp_path: Path) -> None:
        await fill(tmp_path)
        execute(tmp_path / "curves.db", "PRAGMA user_version = 999")
        execute(tmp_path / "curves.db", "INSERT INTO schema_version VALUES (999)")
        storage = await opened(tmp_path)
        await storage.journal.sample("s1", sample(2, 1002), None)
        assert len(await storage.journal.curve("s1")) == 1
        await storage.close()
        assert (tmp_path / "curves-newer-1" / "curves.db").exists()

    async def test_a_copy_of_the_folder_is_a_backup(self, tmp_path: Path) -> None:
        await fill(tmp_path / "one")
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        storage = await opened(tmp_path / "two")
        assert await knows_session(storage)
        await storage.close()
