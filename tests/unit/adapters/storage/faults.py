"""Connections on bad disks."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from borne.adapters.storage.connection import Cursor, DatabaseConnection, connect_sqlite

TINY = 1
"""A limit of pages that every database exceeds already: it keeps its size."""
UNLIMITED = 1 << 30


class Disk:
    """A connection factory whose databases can be made full (SQLite then refuses to grow them)
    and whose statements can be made to fail."""

    def __init__(self) -> None:
        self.connections: dict[str, FaultyConnection] = {}

    def connect(self, path: Path) -> DatabaseConnection:
        real = connect_sqlite(path)
        assert isinstance(real, sqlite3.Connection)
        self.connections[path.name] = FaultyConnection(real)
        return self.connections[path.name]

    def fill(self, name: str = "station.db") -> None:
        """No further page from now on."""
        self.connections[name].real.execute(f"PRAGMA max_page_count = {TINY}").fetchall()

    def empty(self, name: str = "station.db") -> None:
        """There is free space again."""
        self.connections[name].real.execute(f"PRAGMA max_page_count = {UNLIMITED}").fetchall()

    def fail(self, statement: str, code: int, name: str = "station.db") -> None:
        """Statements that begin so fail with this result code."""
        self.connections[name].faults[statement] = code

    def heal(self, name: str = "station.db") -> None:
        """Nothing fails any more."""
        self.connections[name].faults.clear()


class FaultyConnection:
    """A `Connection` that fails when the test wants it."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real
        self.faults: dict[str, int] = {}
        self.interrupted = threading.Event()
        self.before: dict[str, Callable[[], object]] = {}
        """What to do before statements that begin so."""

    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        for start, code in self.faults.items():
            if sql.startswith(start):
                error = sqlite3.OperationalError(f"set to fail with {code}")
                error.sqlite_errorcode = code
                raise error
        for start, action in self.before.items():
            if sql.startswith(start):
                action()
        return self.real.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        return self.real.executemany(sql, parameters)

    def interrupt(self) -> None:
        self.interrupted.set()
        self.real.interrupt()

    def close(self) -> None:
        self.real.close()
