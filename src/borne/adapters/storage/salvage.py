"""Copies the sound tables of a damaged database: whole tables whose own pages and indexes pass the
check that a healthy database passes.

See `docs/decisions/0157-storage-salvage.md`. Everything here blocks.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from borne.adapters.storage import folder as folders
from borne.adapters.storage import message_moments, schema
from borne.adapters.storage.connection import Connect, DatabaseConnection, close_abruptly
from borne.foundation.messages import N_

TABLES = {
    "dating": N_("dates"),
    "session": N_("sessions"),
    "message": N_("messages that wait for the backend"),
    "lost_message": N_("messages that were given up"),
    "whitelist": N_("the local whitelist"),
    "token": N_("the backend's answers about cards"),
    "token_list": N_("versions of the lists"),
    "password": N_("passwords"),
    "api_token": N_("API tokens"),
    "state": N_("reservations, profiles and other stored values"),
    "security_event": N_("the security log"),
}
"""Tables in the order in which they are copied, with the names of their contents for people."""
_PER_TABLE = (3, 33, 0)
"""First SQLite version that can check single tables."""
_FOLDER = "salvage"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Names of tables."""

    kept: Sequence[str] = ()
    lost: Sequence[str] = tuple(TABLES)


def recover(
    aside: Path,
    name: str,
    connection: DatabaseConnection,
    connect: Connect,
    migrations: Sequence[schema.Migration],
) -> Salvaged:
    """Copy the sound tables of the database `name` in the folder `aside` into the new, open one.
    The damaged file is not changed: a copy of it is read."""
    if sqlite3.sqlite_version_info < _PER_TABLE:
        return Salvaged()
    work = aside / _FOLDER
    try:
        folders.copy_database(aside / name, work)
        return _read(work / name, connection, connect, migrations)
    except (sqlite3.Error, OSError, folders.StorageUnavailable) as error:
        _log.warning("nothing can be recovered from %s: %s", aside / name, error)
        return Salvaged()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _read(
    path: Path,
    connection: DatabaseConnection,
    connect: Connect,
    migrations: Sequence[schema.Migration],
) -> Salvaged:
    old = connect(path)
    try:
        schema.migrate(old, path, migrations, copy=False)
        kept = [
            table for table in TABLES if _is_sound(old, table) and _copy(old, connection, table)
        ]
    finally:
        with suppress(sqlite3.Error):
            close_abruptly(old)
    return Salvaged(kept, [table for table in TABLES if table not in kept])


def _is_sound(old: DatabaseConnection, table: str) -> bool:
    try:
        found = old.execute(f"PRAGMA integrity_check({table})").fetchone()  # a constant name
    except sqlite3.DatabaseError:
        return False
    return bool(found[0] == "ok")


def _copy(old: DatabaseConnection, new: DatabaseConnection, table: str) -> bool:
    """Copy the whole table or nothing; numbers that were used are not reused."""
    try:
        columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})").fetchall()]
        rows = old.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a constant name
        given = _given(old, table)
        new.execute("BEGIN IMMEDIATE")
        try:
            marks = ", ".join("?" * len(columns))
            new.executemany(
                f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - names of a schema
                rows,
            )
            _give_from(new, table, given)
            if table == "security_event":
                _anchor(old, new)
            if table in message_moments.TABLES:
                message_moments.look_again(new, table)
            new.execute("COMMIT")
        except BaseException:
            if new.in_transaction:
                new.execute("ROLLBACK")
            raise
    except sqlite3.DatabaseError as error:
        _log.warning("the table %s cannot be recovered: %s", table, error)
        return False
    return True


def _given(old: DatabaseConnection, table: str) -> int:
    """Return the highest number that was used, including deleted rows."""
    found = [0]
    with suppress(sqlite3.DatabaseError):
        row = old.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        found.append(int(row[0]) if row else 0)
    if table == "message":
        with suppress(sqlite3.DatabaseError):
            row = old.execute("SELECT max(start_seq) FROM session").fetchone()
            found.append(int(row[0] or 0))
    return max(found)


def _give_from(new: DatabaseConnection, table: str, given: int) -> None:
    if given:
        new.execute("DELETE FROM sqlite_sequence WHERE name = ? AND seq < ?", (table, given))
        new.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
            (table, given, table),
        )


def _anchor(old: DatabaseConnection, new: DatabaseConnection) -> None:
    """Copy the anchor of the security log's chain, which replaces its dropped oldest events."""
    anchor = old.execute(
        "SELECT security_anchor_seq, security_anchor_hash FROM identity"
    ).fetchone()
    if anchor is not None:
        new.execute("UPDATE identity SET security_anchor_seq = ?, security_anchor_hash = ?", anchor)
