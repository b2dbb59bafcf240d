"""The part of an SQLite connection that this package uses, and the meaning of its errors.

Stores run on anything with this interface: the standard library's `sqlite3` in a station, another
binding with a recording file system in the power-loss tests.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from borne.application.ports.storage import StorageDamaged, StorageFailed, StorageFull
from borne.foundation import disk

BUSY_TIMEOUT_S = 5.0
"""Another process (a backup) may lock the file for a moment."""

CACHED_STATEMENTS = 16
"""Each takes some kB; more of them save no measurable time beside a sync."""

Row = tuple[Any, ...]
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
_DAMAGE_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


class Cursor(Protocol):
    """Result rows of one statement."""

    def fetchone(self) -> Any:
        """Return the next row or None."""

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""


class DatabaseConnection(Protocol):
    """An open database without implicit transactions."""

    @property
    def in_transaction(self) -> bool:
        """True between BEGIN and COMMIT."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each row of parameters."""

    def interrupt(self) -> None:
        """Abort the running statement; may be called from any thread."""

    def close(self) -> None:
        """Close the database with a checkpoint."""


Connect = Callable[[Path], DatabaseConnection]


_WRITES = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")
_COMMIT = "COMMIT"


class _Connection(sqlite3.Connection):
    """Refuses to begin a write where a full disk is simulated, as SQLite does on a real one."""

    path: Path

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if not self.in_transaction and sql.startswith(_WRITES) and disk.is_full(self.path):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        before = self._log_size() if sql == _COMMIT and disk.simulated() else None
        cursor = super().execute(sql, parameters)
        if before is not None:
            disk.use(self.path, max(0, self._log_size() - before))
        return cursor

    def _log_size(self) -> int:
        """Size of the write-ahead log: a transaction appends to it, or overwrites frames that were
        merged."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except OSError:
            return 0


def connect_sqlite(path: Path) -> DatabaseConnection:
    """Open a connection that may be used from several threads in turn."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        factory=_Connection,
    )
    connection.path = path
    return connection


@contextmanager
def transaction(connection: DatabaseConnection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Run the block as one transaction: all of it is on the disk at the end, or none of it. A block
    that only reads uses "BEGIN"."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def close_abruptly(connection: DatabaseConnection) -> None:
    """Close as after a power cut: the write-ahead log stays as it is (Python >= 3.12; older
    versions merge it on close, which changes no content)."""
    if sys.version_info >= (3, 12) and isinstance(connection, sqlite3.Connection):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
    connection.close()


def is_damage(error: sqlite3.Error) -> bool:
    """True if the error means that the file is damaged."""
    return _code(error) in _DAMAGE_CODES


def is_full(error: sqlite3.Error | OSError) -> bool:
    """The disk is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL_ERRNOS
    return _code(error) == sqlite3.SQLITE_FULL


def as_storage_error(error: sqlite3.Error | OSError) -> StorageFailed | None:
    """The error for the caller; None when the cause is a programming error and not the disk."""
    if is_full(error):
        return StorageFull("the disk is full")
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return StorageDamaged(f"the database is damaged: {error}")
    if isinstance(error, OSError) or _code(error) in _DISK_CODES:
        return StorageFailed(f"the disk failed: {error}")
    return None


def changes(connection: DatabaseConnection) -> int:
    """Return how many rows the last statement changed."""
    return int(connection.execute("SELECT changes()").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; 0 when there is none."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
