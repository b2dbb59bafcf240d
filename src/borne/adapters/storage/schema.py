"""Brings a database to the newest schema: numbered files, each in one transaction, after a copy
of the whole database was made. Newer data is refused in words.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from borne.adapters.storage.connection import Connection
from borne.adapters.storage.folder import StorageUnavailable, make_private
from borne.foundation.files import sync_folder


@dataclass(frozen=True, slots=True)
class Step:
    """One migration."""

    version: int
    sql: str


def packaged(name: str) -> list[Step]:
    """The migrations of a database, in order."""
    folder = resources.files("borne.adapters.storage") / "migrations" / name
    found = [
        Step(int(entry.name.partition("_")[0]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found, key=lambda step: step.version)


def migrate(connection: Connection, path: Path, steps: Sequence[Step]) -> str | None:
    """Run what is missing; a notice for people when data was taken over from an older version.
    Raises StorageUnavailable for newer data."""
    newest, current = steps[-1].version, version(connection)
    if current > newest:
        raise StorageUnavailable(
            f"The data in {path} was written by a newer version of this software"
            f" (schema {current}, this one knows {newest}): install that version again,"
            " or start with a copy of the data from before the update."
        )
    if current == newest:
        return None
    copy = _copy(connection, path, current) if current else None
    # A new database is made in one go, so that no power cut leaves what looks like an old one.
    missing = [[step] for step in steps[current:]] if current else [steps]
    for together in missing:
        _run(connection, together)
    # Later merges then hardly grow the file, so that they work on a full disk too.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if copy is None:
        return None
    return f"{path.name} was taken over from schema {current}; a copy is in {copy.name}."


def version(connection: Connection) -> int:
    """The schema of a database; 0 when it is new."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'"
    if not connection.execute(known).fetchone()[0]:
        return 0
    return int(connection.execute("SELECT max(version) FROM schema_version").fetchone()[0])


def statements(sql: str) -> Iterator[str]:
    """The single statements of a script."""
    text = ""
    for line in sql.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def _run(connection: Connection, steps: Sequence[Step]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        for step in steps:
            for statement in statements(step.sql):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (step.version,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy(connection: Connection, path: Path, current: int) -> Path:
    copy = path.with_name(f"{path.stem}-schema-{current}{path.suffix}")
    copy.unlink(missing_ok=True)
    make_private(copy)
    connection.execute("VACUUM INTO ?", (str(copy),))
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(copy.parent)
    return copy
