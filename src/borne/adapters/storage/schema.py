"""Brings a database to the newest schema: numbered files, each in one transaction, after a copy of
the whole database was made. Newer data is refused with a sentence."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from borne.adapters.storage.connection import DatabaseConnection, transaction
from borne.adapters.storage.folder import StorageUnavailable, make_private
from borne.foundation.files import sync_folder
from borne.foundation.messages import N_, Message

_READABLE_FROM = re.compile(r"^-- readable from schema (\d+)$", re.MULTILINE)
TAKEN_OVER = N_("{name} was migrated from schema {current}; a copy is in {copy}.")
_NEWER = N_(
    "{name} was written by a newer version of this software (schema {current}, this one knows "
    "{newest}). It is used as it is; what only the newer version knows stays in it."
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration."""

    version: int
    sql: str
    readable_from: int = 0
    """Oldest schema whose versions of the program can use a database of this one unchanged; 0: only
    this one."""


class NewerData(StorageUnavailable):
    """The data was written by a newer version, in a form that this version cannot use."""


@cache
def packaged(name: str) -> tuple[Migration, ...]:
    """Return the migrations of a database, in order."""
    folder = resources.files("borne.adapters.storage") / "migrations" / name
    found = [
        migration_of(int(entry.name.partition("_")[0]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda migration: migration.version))


@cache
def empty_database(migrations: tuple[Migration, ...]) -> bytes:
    """Return the file of a new database, created once by all `migrations`, which takes ten times as
    long as writing the file. Its header says that it has a write-ahead log (file format, 1.3.3)."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        _run(made, migrations)
        content = bytearray(made.serialize())
    content[18:20] = b"\x02\x02"
    return bytes(content)


def migration_of(version: int, sql: str) -> Migration:
    """Build a migration from its text."""
    declared = _READABLE_FROM.search(sql)
    return Migration(version, sql, int(declared[1]) if declared else version)


def migrate(
    connection: DatabaseConnection,
    path: Path,
    migrations: Sequence[Migration],
    *,
    copy: bool = True,
) -> Message | None:
    """Run the missing migrations, after calling `copy`. Return a notice for people when data was
    converted from an older version, or a newer version's database is used unchanged. Raises
    NewerData when it cannot be used."""
    newest, current = migrations[-1].version, version(connection)
    if current > newest:
        if not _is_usable(connection, migrations):
            raise NewerData(f"schema {current} is newer than {newest}")
        return Message(_NEWER, {"name": path.name, "current": current, "newest": newest})
    if current == newest:
        return None
    copied = _copy(connection, path, current) if current and copy else None
    # A new database is created in one step, so that a power cut does not leave one that looks like
    # an old one.
    missing = [migration for migration in migrations if migration.version > current]
    for together in [[migration] for migration in missing] if current else [missing]:
        _run(connection, together)
    # Later merges then hardly grow the file, so they also work on a full disk.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if copied is None:
        return None
    values = {"name": path.name, "current": current, "copy": copied.name}
    return Message(TAKEN_OVER, values)


def _is_usable(connection: DatabaseConnection, migrations: Sequence[Migration]) -> bool:
    """True if a newer version's database can be used unchanged: that version declares it, and all
    that this version reads and writes exists."""
    readable_from = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 0 < readable_from <= migrations[-1].version:
        return False
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as known:
        _run(known, migrations)
        tables = known.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return all(_has_all(connection, known, table) for (table,) in tables)


def _has_all(connection: DatabaseConnection, known: DatabaseConnection, table: str) -> bool:
    """True if the table has the same columns, and additional ones only where a row can omit
    them."""
    ours, theirs = (
        {row[1]: row for row in each.execute(f"PRAGMA table_info({table})").fetchall()}
        for each in (known, connection)
    )
    more = (row for name, row in theirs.items() if name not in ours)
    return ours.keys() <= theirs.keys() and all(
        not required or default is not None for _, _, _, required, default, _ in more
    )


def version(connection: DatabaseConnection) -> int:
    """Return the schema version of a database; 0 when it is new."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'"
    if not connection.execute(known).fetchone()[0]:
        return 0
    return int(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0])


def statements(sql: str) -> Iterator[str]:
    """Split a script into statements."""
    text = ""
    for line in sql.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def _run(connection: DatabaseConnection, migrations: Sequence[Migration]) -> None:
    with transaction(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        for migration in migrations:
            for statement in statements(migration.sql):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (migration.version,))
            connection.execute(
                f"PRAGMA user_version = {migration.readable_from or migration.version}"
            )


def _copy(connection: DatabaseConnection, path: Path, current: int) -> Path:
    copy = path.with_name(f"{path.stem}-schema-{current}{path.suffix}")
    copy.unlink(missing_ok=True)
    make_private(copy)
    connection.execute("VACUUM INTO ?", (str(copy),))
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(copy.parent)
    return copy
