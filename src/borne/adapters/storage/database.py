"""One SQLite database behind asyncio. Every read and write is a job in an executor, and every write
is one transaction; uncommitted changes are lost when the power fails."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

from borne.adapters.storage.connection import (
    DatabaseConnection,
    as_storage_error,
    close_abruptly,
    is_full,
    transaction,
)
from borne.adapters.storage.folder import Reserve
from borne.adapters.storage.open_files import OpenFiles
from borne.application.ports.storage import StorageDamaged, StorageFailed

T = TypeVar("T")
Job = Callable[[DatabaseConnection], T]
_log = logging.getLogger(__name__)


class StorageClosed(StorageFailed):
    """The storage was closed, or its station lost power."""

    def __init__(self) -> None:
        super().__init__("the storage is closed")


class Database:
    """Runs jobs on one connection, one at a time; the first job opens it. On a full disk, writes
    that end something may use the `reserve`."""

    def __init__(
        self,
        opener: Callable[[], DatabaseConnection],
        executor: Executor,
        reserve: Reserve | None = None,
        open_files: OpenFiles | None = None,
        on_damage: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._opener = opener
        self._connection: DatabaseConnection | None = None
        self._executor = executor
        self._reserve = reserve
        self._open_files = open_files
        self._on_damage = on_damage
        self._lock = threading.Lock()
        self._closed = False
        self._gone = False
        self._waiting: list[asyncio.Future[object]] = []

    @property
    def closed(self) -> bool:
        """New jobs are refused."""
        return self._closed

    async def read(self, job: Job[T]) -> T:
        """Run a job that only reads, and return its result."""
        return await self._submit(lambda: self._guarded(job))

    async def write(self, job: Job[T]) -> T:
        """Run a job in a transaction, and return its result after the commit is on the disk."""
        return await self._submit(lambda: self._guarded(lambda c: self._transaction(c, job)))

    async def write_finishing(self, job: Job[T]) -> T:
        """Like `write`, but on a full disk it may use the reserve, so that a session can still be
        ended."""
        return await self._submit(lambda: self._guarded(lambda c: self._finish(c, job)))

    async def write_lazily(self, job: Job[T]) -> T:
        """Like `write`, but a power cut may lose the change: as a whole, and never later changes
        without it."""
        return await self._submit(lambda: self._guarded(lambda c: self._lazily(c, job)))

    async def restart(self, between: Callable[[], None]) -> None:
        """Close the database and call `between`; the next job opens it again."""
        await self._submit(lambda: self._restart(between))

    def _restart(self, between: Callable[[], None]) -> None:
        with self._lock:
            if self._connection is not None and not self._gone:
                with suppress(sqlite3.Error):
                    close_abruptly(self._connection)
                self._connection = None
                between()

    def rest(self) -> None:
        """Close the database unless a job is running; the next job opens it again."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._connection is not None and not self._gone:
                self._connection.close()
                self._connection = None
        finally:
            self._lock.release()

    def abort(self) -> None:
        """Stop as in a power cut: the running job is rolled back, waiting jobs are dropped, the log
        is not merged."""
        if self._gone:
            return
        self._closed = self._gone = True
        with suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.interrupt()
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                close_abruptly(self._connection)
        self._forget()

    async def close(self) -> None:
        """Finish the jobs that were asked before, merge the write-ahead log and close; a second
        call does nothing."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        self._closed = True
        if self._waiting:
            await asyncio.wait(self._waiting)
        await loop.run_in_executor(self._executor, self._close)

    def _close(self) -> None:
        with self._lock:
            if not self._gone and self._connection is not None:
                self._connection.close()
            self._gone = True
        self._forget()

    def _forget(self) -> None:
        if self._open_files is not None:
            self._open_files.forget(self)

    async def _submit(self, job: Callable[[], T]) -> T:
        if self._closed:
            raise StorageClosed
        answer = asyncio.get_running_loop().run_in_executor(self._executor, job)
        self._waiting.append(answer)  # type: ignore[arg-type]  # only waited for
        answer.add_done_callback(self._waiting.remove)  # type: ignore[arg-type]  # as above
        return await answer

    def _guarded(self, job: Job[T]) -> T:
        with self._lock:
            if self._open_files is not None and not self._gone:
                self._open_files.note(self)
            if self._gone:
                raise StorageClosed
            try:
                if self._connection is None:
                    self._connection = self._opener()
                return job(self._connection)
            except (sqlite3.Error, OSError) as error:
                if self._gone:
                    raise StorageClosed from None
                failure = as_storage_error(error)
                if failure is None:
                    raise
                if isinstance(failure, StorageDamaged):
                    self._on_damage(error)
                raise failure from error

    def _transaction(self, connection: DatabaseConnection, job: Job[T]) -> T:
        with transaction(connection):
            answer = job(connection)
            if self._gone:
                raise StorageClosed
        return answer

    def _finish(self, connection: DatabaseConnection, job: Job[T]) -> T:
        if self._reserve is not None:
            self._reserve.keep()
        for make_room in (self._merge, self._use_reserve):
            try:
                return self._transaction(connection, job)
            except (sqlite3.Error, OSError) as error:
                if not is_full(error):
                    raise
                make_room(connection)
        return self._transaction(connection, job)

    def _use_reserve(self, connection: DatabaseConnection) -> None:
        if self._reserve is not None and self._reserve.use():
            _log.warning("the disk is full: the reserve is used for running sessions")
            self._merge(connection)

    def _merge(self, connection: DatabaseConnection) -> None:
        # Merging frees pages of the log for reuse; the log keeps its size.
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def _lazily(self, connection: DatabaseConnection, job: Job[T]) -> T:
        # A later commit with FULL syncs the whole log, so the order on disk is kept.
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            return self._transaction(connection, job)
        finally:
            connection.execute("PRAGMA synchronous = FULL")
