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

from borne.adapters.storage import OpenFiles, StorageUnavailable
from borne.application.ports import Storage, StorageFailed
from tests.unit.adapters.storage.builders import opened, sample, start, start_message


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


async def test_a_polite_end_leaves_no_log_behind(tmp_path: Path) -> None:
    await fill(tmp_path)
    assert names(tmp_path) == {"station.db", "curves.db", "reserve"}


async def test_curves_are_opened_when_the_first_point_comes(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    await storage.journal.open(start(), None)
    assert not names(tmp_path, "curves*")
    await storage.journal.sample("s1", sample(1, 1001), None)
    assert names(tmp_path, "curves*")
    await storage.close()


async def test_money_is_synced_at_every_commit(tmp_path: Path) -> None:
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


async def test_a_folder_taken_away_while_it_rests_is_told_as_a_failure(tmp_path: Path) -> None:
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
    async def test_a_file_in_its_place_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageUnavailable, match=r"^The data folder .*file cannot be used: "):
            await opened(tmp_path / "file")

    async def test_a_folder_that_cannot_be_made_is_told(self) -> None:
        with pytest.raises(StorageUnavailable, match=r"^The data folder /proc/none/x cannot be"):
            await opened(Path("/proc/none/x"))

    async def test_an_unreadable_database_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "station.db").mkdir()
        with pytest.raises(StorageUnavailable, match=r"^The data in .*station.db cannot be used: "):
            await opened(tmp_path)


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
    """Spoil the last page with that content; the file opens as if nothing were wrong."""
    data = bytearray(path.read_bytes())
    start_ = data.rfind(content) // 4096 * 4096
    assert start_ > 0
    data[start_ : start_ + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


Damage = Callable[[Path], None]
OBVIOUS = [garble_header, write_text, garble_schema, garble_pages, cut_short]


class TestDamage:
    @pytest.mark.parametrize("damage", OBVIOUS)
    async def test_a_damaged_database_is_put_aside_and_told(
        self, tmp_path: Path, damage: Damage
    ) -> None:
        await fill(tmp_path)
        path = tmp_path / "station.db"
        damage(path)
        # As after a power cut, for only then the whole file is checked.
        path.with_name("station.db-wal").write_bytes(b"torn")
        damaged = path.read_bytes()
        storage = await opened(tmp_path)
        (notice,) = storage.notices
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
    async def test_damage_out_of_sight_is_looked_for_after_a_power_cut_only(
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
        assert len(storage.notices) == (0 if polite else 1)
        await storage.close()

    async def test_curves_begin_anew_when_damage_shows_while_they_work(
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
    async def test_damaged_curves_cost_no_session(self, tmp_path: Path, damage: Damage) -> None:
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

    async def test_a_log_whose_database_was_taken_away_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "station.db-wal").write_bytes(b"sessions")
        storage = await opened(tmp_path)
        assert len(storage.notices) == 1
        await storage.close()
        assert (tmp_path / "station-damaged-1" / "station.db-wal").read_bytes() == b"sessions"

    async def test_an_empty_file_is_a_new_database(self, tmp_path: Path) -> None:
        (tmp_path / "station.db").touch()
        storage = await opened(tmp_path)
        assert storage.notices == ()
        await storage.close()


class TestVersions:
    async def test_newer_data_is_refused_in_words_and_not_touched(self, tmp_path: Path) -> None:
        await fill(tmp_path)
        path = tmp_path / "station.db"
        execute(path, "INSERT INTO schema_version VALUES (999)")
        before = path.read_bytes()
        with pytest.raises(StorageUnavailable, match=r"newer version.*\(schema 999, .*install"):
            await opened(tmp_path)
        assert path.read_bytes() == before

    async def test_newer_curves_are_left_alone(self, tmp_path: Path) -> None:
        await fill(tmp_path)
        path = tmp_path / "curves.db"
        execute(path, "INSERT INTO schema_version VALUES (999)")
        before = path.read_bytes()
        storage = await opened(tmp_path)
        await storage.journal.sample("s1", sample(2, 1002), None)
        assert await storage.journal.curve("s1") == []
        await storage.close()
        assert path.read_bytes() == before

    async def test_a_copy_of_the_folder_is_a_backup(self, tmp_path: Path) -> None:
        await fill(tmp_path / "one")
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        storage = await opened(tmp_path / "two")
        assert await knows_session(storage)
        await storage.close()
