"""Migrations: numbered, each whole or not at all, after a copy; every released schema is replayed
from its dump in `old/`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from borne.adapters.storage import schema
from borne.adapters.storage.connection import connect_sqlite
from borne.adapters.storage.schema import Migration, NewerData
from borne.domain.station.session import StopReason
from tests.unit.adapters.storage.builders import TOKEN, opened

OLD = Path(__file__).parent / "old"
FIRST = Migration(1, "CREATE TABLE thing (a INTEGER);\nINSERT INTO thing VALUES (1);\n")
SECOND = Migration(2, "-- adds; a comment\nALTER TABLE thing ADD COLUMN b TEXT\n DEFAULT 'x;y';\n")
BROKEN = Migration(3, "UPDATE thing SET a = 3;\nINSERT INTO nowhere VALUES (1);\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_sqlite(path)) as connection:
        assert isinstance(connection, sqlite3.Connection)
        yield connection


@pytest.mark.parametrize("name", ["station", "curves"])
def test_the_packaged_files_are_numbered_without_a_gap(name: str) -> None:
    versions = [step.version for step in schema.packaged(name)]
    assert versions == list(range(1, len(versions) + 1))


@pytest.mark.parametrize("name", ["station", "curves"])
def test_the_packaged_files_have_whole_statements(name: str) -> None:
    for step in schema.packaged(name):
        rest = step.sql
        for statement in schema.statements(step.sql):
            assert sqlite3.complete_statement(statement)
            rest = rest.replace(statement, "", 1)
        assert not rest.strip()


def test_a_new_database_runs_all_migrations_without_a_copy(
    connection: sqlite3.Connection, path: Path
) -> None:
    assert schema.migrate(connection, path, [FIRST, SECOND]) is None
    assert connection.execute("SELECT a, b FROM thing").fetchall() == [(1, "x;y")]
    assert schema.version(connection) == 2
    assert [file.name for file in path.parent.iterdir()] == ["station.db"]


def test_an_old_database_is_copied_before_its_migration(
    connection: sqlite3.Connection, path: Path
) -> None:
    schema.migrate(connection, path, [FIRST])
    notice = schema.migrate(connection, path, [FIRST, SECOND])
    assert str(notice) == "station.db was migrated from schema 1; a copy is in station-schema-1.db."
    with closing(sqlite3.connect(path.with_name("station-schema-1.db"))) as copy:
        assert copy.execute("SELECT * FROM thing").fetchall() == [(1,)]
    assert connection.execute("SELECT * FROM thing").fetchall() == [(1, "x;y")]
    assert schema.migrate(connection, path, [FIRST, SECOND]) is None


def test_a_failed_migration_leaves_the_old_schema(
    connection: sqlite3.Connection, path: Path
) -> None:
    schema.migrate(connection, path, [FIRST])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        schema.migrate(connection, path, [FIRST, SECOND, BROKEN])
    assert schema.version(connection) == 2
    assert connection.execute("SELECT a FROM thing").fetchall() == [(1,)]
    assert not connection.in_transaction


def test_newer_data_is_refused(connection: sqlite3.Connection, path: Path) -> None:
    schema.migrate(connection, path, [FIRST, SECOND])
    with pytest.raises(NewerData, match=r"schema 2 is newer than 1"):
        schema.migrate(connection, path, [FIRST])


def test_newer_data_that_older_programs_can_use_is_used(
    connection: sqlite3.Connection, path: Path
) -> None:
    second = Migration(SECOND.version, SECOND.sql, readable_from=1)
    schema.migrate(connection, path, [FIRST, second])
    notice = schema.migrate(connection, path, [FIRST])
    assert "newer version" in str(notice)
    assert schema.version(connection) == 2


def test_a_migration_names_the_programs_that_can_use_its_data() -> None:
    assert schema.migration_of(3, "-- readable from schema 2\nSELECT 1;\n").readable_from == 2
    assert schema.migration_of(3, "SELECT 1;\n").readable_from == 3


def dumps(name: str) -> list[tuple[str, int]]:
    return [(name, step.version) for step in schema.packaged(name)]


@pytest.mark.parametrize(("name", "version"), [*dumps("station"), *dumps("curves")])
async def test_data_of_every_schema_is_read(tmp_path: Path, name: str, version: int) -> None:
    """A new migration needs a dump of the schema that it changes: it is written once, with data
    in it, and never again."""
    with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
        connection.executescript((OLD / f"{name}-{version}.sql").read_text(encoding="utf-8"))
    storage = await opened(tmp_path)
    latest = schema.packaged(name)[-1].version
    copied = (tmp_path / f"{name}-schema-{version}.db").exists()
    if name == "station":
        record = await storage.journal.get("old-session")
        assert record is not None
        assert record.end is not None
        assert (record.energy_wh, record.end.reason) == (2500, StopReason.LOCAL)
        assert record.start.identity.id_token == TOKEN
        (queued,) = await storage.outbox.content()
        assert queued.message_id == "184e6ddf-33c9-542e-b4c1-d761644d4272"
        assert queued.transaction_id == 42
        assert [entry.token for entry in await storage.whitelist.load()] == [TOKEN]
        assert await storage.state.get("boots") == 7
        assert await storage.security.verify() is None
        assert len(await storage.security.page()) == 1
        assert copied == (version < latest)
    else:
        assert [p.register_wh for p in await storage.journal.curve("old-session")] == [1000, 3500]
    await storage.close()


@pytest.mark.parametrize("name", ["station", "curves"])
def test_the_template_database_equals_the_migrated_one(name: str, tmp_path: Path) -> None:
    steps, made = schema.packaged(name), tmp_path / "made.db"
    ready = tmp_path / "ready.db"
    ready.write_bytes(schema.empty_database(steps))
    contents = []
    for path in (made, ready):
        with closing(connect_sqlite(path)) as connection:
            assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
            assert schema.migrate(connection, path, steps) is None
            contents.append(
                (
                    connection.execute("SELECT * FROM sqlite_master ORDER BY name").fetchall(),
                    connection.execute("SELECT * FROM schema_version").fetchall(),
                    connection.execute("PRAGMA user_version").fetchone(),
                    connection.execute("PRAGMA integrity_check").fetchone(),
                )
            )
    assert contents[0] == contents[1]
