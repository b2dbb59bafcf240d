"""Opens the storage of a station: the folder, the databases in it, and what had to be done to
them. See `docs/decisions/0050-storage-two-databases.md`.
"""

from __future__ import annotations

import logging
import sqlite3
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from borne.adapters.storage import folder as folders
from borne.adapters.storage import schema
from borne.adapters.storage.accounts import SqlAccounts
from borne.adapters.storage.connection import (
    Connect,
    Connection,
    as_storage_error,
    close_abruptly,
    connect_sqlite,
    is_damage,
)
from borne.adapters.storage.curves import Curves
from borne.adapters.storage.database import Database
from borne.adapters.storage.folder import StorageUnavailable
from borne.adapters.storage.frame_files import FrameFiles
from borne.adapters.storage.journal import SqlJournal
from borne.adapters.storage.lists import SqlTokens, SqlWhitelist
from borne.adapters.storage.meter_file import MeterFile
from borne.adapters.storage.open_files import OpenFiles
from borne.adapters.storage.outbox import SqlOutbox
from borne.adapters.storage.security_log import SqlSecurityLog
from borne.adapters.storage.state import SqlState
from borne.application.ports import Storage
from borne.foundation.clock import Clock
from borne.foundation.files import sync_folder

STATION_FILE = "station.db"
CURVES_FILE = "curves.db"
QUEUE_LIMIT = 10_000
RESERVE_FILE = "reserve"
MESSAGES_FOLDER = "messages"
METERS_FILE = "meters"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 250",
    "PRAGMA cache_size = -512",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",
)
_log = logging.getLogger(__name__)


def random_id() -> str:
    """An id for real stations; simulated ones give their own generator."""
    return str(uuid.uuid4())


async def open_storage(
    folder: Path,
    clock: Clock,
    ids: Callable[[], str] = random_id,
    *,
    executor: Executor | None = None,
    connect: Connect = connect_sqlite,
    queue_limit: int = QUEUE_LIMIT,
    reserve_bytes: int = folders.RESERVE_BYTES,
    open_files: OpenFiles | None = None,
) -> Storage:
    """Open or make the storage in `folder`.

    `ids` gives the name space of message ids to a new database. A shared `executor` serves many
    stations; it stays open, and jobs of one station never run at the same time; shared
    `open_files` then bound their memory. Raises
    StorageUnavailable with one sentence when the folder or newer data cannot be used; a damaged
    database is put aside and told in `Storage.notices`.
    """
    pool = executor or ThreadPoolExecutor(1, "storage")
    notices: list[str] = []
    station = _Opener(folder / STATION_FILE, "station", "FULL", connect, notices, ids)
    curve = _Opener(folder / CURVES_FILE, "curves", "NORMAL", connect, notices)
    reserve = folders.Reserve(folder / RESERVE_FILE, reserve_bytes)
    database = Database(station.open, pool, reserve, open_files)

    def room() -> bool:
        return folders.free_bytes(folder) > folders.ROOM_BYTES

    curves = Curves(
        Database(curve.open, pool, None, open_files), room=room, put_aside=curve.put_aside
    )
    frames = FrameFiles(folder / MESSAGES_FOLDER, pool, room)
    meters = MeterFile(folder / METERS_FILE, pool, clock.monotonic)
    outbox = SqlOutbox(database, clock)

    async def close() -> None:
        frames.end()
        await meters.close()
        await curves.close()
        await database.close()
        outbox.release()
        if executor is None:
            pool.shutdown(wait=False)

    def abort() -> None:
        frames.end()
        meters.abort()
        database.abort()
        curves.abort()
        outbox.release()
        if executor is None:
            pool.shutdown(wait=False)

    try:
        await database.read(lambda _: reserve.keep())
        await database.read(outbox.count)
    except BaseException:
        abort()
        raise
    return Storage(
        journal=SqlJournal(database, curves, clock, queue_limit, outbox.wake, outbox.count),
        outbox=outbox,
        whitelist=SqlWhitelist(database),
        tokens=SqlTokens(database),
        accounts=SqlAccounts(database),
        state=SqlState(database),
        security=SqlSecurityLog(database),
        frames=frames,
        meters=meters,
        close=close,
        abort=abort,
        free_bytes=lambda: folders.free_bytes(folder),
        notices=tuple(notices),
    )


class _Opener:
    """Opens one database file; runs in the executor."""

    def __init__(
        self,
        path: Path,
        name: str,
        synchronous: str,
        connect: Connect,
        notices: list[str],
        ids: Callable[[], str] | None = None,
    ) -> None:
        self._path = path
        self._name = name
        self._synchronous = synchronous
        self._connect = connect
        self._notices = notices
        self._ids = ids

    def open(self) -> Connection:
        """The connection, on the newest schema; raises StorageUnavailable."""
        folders.prepare(self._path.parent)
        try:
            if folders.has_orphans(self._path):
                self.put_aside()
            try:
                return self._open()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            self.put_aside()
            return self._open()
        except (sqlite3.Error, OSError) as error:
            told = as_storage_error(error)
            if told is None:
                raise
            raise StorageUnavailable(f"The data in {self._path} cannot be used: {error}.") from None

    def _open(self) -> Connection:
        # A full check reads the whole file; after a clean end there is nothing to look for.
        check = self._ids is not None and not folders.ended_cleanly(self._path)
        folders.make_private(self._path)
        connection = self._connect(self._path)
        try:
            for pragma in (*_PRAGMAS, f"PRAGMA synchronous = {self._synchronous}"):
                connection.execute(pragma).fetchall()
            if check and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise _damaged()
            notice = schema.migrate(connection, self._path, schema.packaged(self._name))
            self._name_messages(connection)
            sync_folder(self._path.parent)
            connection.execute("PRAGMA shrink_memory").fetchall()
        except BaseException:
            with suppress(sqlite3.Error):
                close_abruptly(connection)
            raise
        if notice:
            self._tell(notice)
        return connection

    def _name_messages(self, connection: Connection) -> None:
        if self._ids is None or connection.execute("SELECT 1 FROM identity").fetchone():
            return
        namespace = uuid.uuid5(uuid.NAMESPACE_OID, self._ids())
        connection.execute(
            "INSERT INTO identity (one, message_namespace) VALUES (1, ?)", (str(namespace),)
        )

    def put_aside(self) -> None:
        """Move a damaged database away, and say so."""
        target = folders.put_aside(self._path)
        self._tell(
            f"The database {self._path.name} was damaged. What there was of it was moved to"
            f" {target.name}, and a new, empty one was started."
        )

    def _tell(self, notice: str) -> None:
        _log.warning("%s", notice)
        self._notices.append(notice)


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("the check of the file failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
