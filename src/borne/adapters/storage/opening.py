"""Opens the storage of a station: the folder and its databases, with all recovery and migration.
See `docs/decisions/0050-storage-two-databases.md`."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from borne.adapters.storage import folder as folders
from borne.adapters.storage import log_loss, salvage, schema
from borne.adapters.storage.accounts import SqlAccounts
from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.storage.connection import (
    Connect,
    DatabaseConnection,
    as_storage_error,
    close_abruptly,
    connect_sqlite,
    is_damage,
    transaction,
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
from borne.application.ports.storage import CLOSED_ACCOUNT, Storage, StorageFull
from borne.foundation import files
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.files import sync_folder, write_private
from borne.foundation.messages import N_, Message

STATION_FILE = "station.db"
CURVES_FILE = "curves.db"
QUEUE_LIMIT = 10_000
RESERVE_FILE = "reserve"
MESSAGES_FOLDER = "messages"
METERS_FILE = "meters"
_CACHE = "PRAGMA cache_size = -512"
_CACHE_OF_CHECK = "PRAGMA cache_size = -6144"
"""The check looks up each row in each index; with the default small cache it would read a page for
almost each."""
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 250",
    _CACHE,
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",
)
_STATION = "station_identity"
"""Key of the table `state`: identity of the station that the database belongs to."""
_DAMAGED = N_(
    "The database {name} was damaged. What there was of it was moved to {target}, and a new, empty "
    "one was started. Sessions and messages for the backend that were only there are missing."
)
_DAMAGED_IN_PART = N_(
    "The database {name} was damaged. It was moved to {target}. Undamaged and kept: {kept}. "
    "Damaged and started empty: {gone}."
)
_MISSING = N_(
    "The database {name} is missing or empty, although this station was in use: sessions, messages "
    "that waited for the backend, lists, passwords and API tokens are gone. A new, empty one was "
    "started."
)
_NEWER = N_(
    "The database {name} was written by a newer version of this software, and this one cannot use "
    "it ({reason}). It was moved to {target} as it is, and a new, empty one was started. To go "
    "back: stop the station, install the newer version, and put the file back."
)
_FOREIGN = N_(
    "The database {name} belongs to another station. It was moved to {target} as it is, and a new, "
    "empty one was started. Its sessions and messages were not touched."
)
_NAMELESS = N_(
    "The database {name} does not tell which station it belongs to, although this one has its name "
    "in it since it was updated: it is older, or of another station. Check its sessions."
)
_LOG_LOST = N_(
    "The log of the database {name} was damaged, truncated or missing: what was stored last "
    "may be lost."
)
_MOVED = N_(
    "A folder was in the place of {name} or one of its companion files; it was moved to {target}."
)
_CLOSED = N_(
    "Passwords are lost ({roles}). The printed password does not come back: set new ones on the "
    'machine with "borne user set-password {first}", or log in with "borne login-link".'
)
_DAMAGE_FOUND = N_(
    "Damage was found in the database {name}. The next start checks it and puts it aside if it "
    "cannot be used: restart the station as soon as no car is charging."
)
_log = logging.getLogger(__name__)


def random_id() -> str:
    """Random id for real stations; simulated ones pass their own generator."""
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
    """Open or create the storage in `folder`.

    `ids` gives the name space of message ids to a new database. A shared `executor` serves many
    stations; it stays open, and jobs of one station never run at the same time; shared `open_files`
    then bound their memory. Raises StorageUnavailable with one sentence when the folder or newer
    data cannot be used; a damaged database is put aside and reported in `Storage.notices`.
    """
    pool = executor or ThreadPoolExecutor(1, "storage")
    notices: list[Message] = []
    damage: Signal[Message] = Signal()
    notify_later = _from_executor(damage)
    commissioning = Commissioning(folder)
    identity = _Identity(commissioning, ids)
    station = _Opener(folder / STATION_FILE, "station", "FULL", connect, notices.append, identity)
    curve = _Opener(folder / CURVES_FILE, "curves", "NORMAL", connect, notify_later)
    reserve = folders.Reserve(folder / RESERVE_FILE, reserve_bytes)

    def first_open() -> DatabaseConnection:
        if not commissioning.facts.station:
            folders.prepare(folder)
            commissioning.open()
        return _open_with(reserve, station)

    def on_damage(error: Exception) -> None:
        """Called in the executor; the next start checks the whole file."""
        if ask_for_check(folder / STATION_FILE, error):
            notify_later(Message(_DAMAGE_FOUND, {"name": STATION_FILE}))

    database = Database(first_open, pool, reserve, open_files, on_damage)

    has_room = partial(folders.has_room, folder)
    curves = Curves(
        Database(curve.open, pool, None, open_files), has_room=has_room, put_aside=curve.put_aside
    )
    frames = FrameFiles(folder / MESSAGES_FOLDER, pool, has_room)
    meters = MeterFile(folder / METERS_FILE, pool, clock.monotonic)
    outbox = SqlOutbox(database, clock, damage.emit)

    own_pool = pool if executor is None else None
    ending = _Ending(database, curves, frames, meters, outbox, own_pool)
    stores = (
        SqlJournal(database, curves, clock, queue_limit, outbox.wake, outbox.count),
        outbox,
        SqlWhitelist(database),
        SqlTokens(database),
        SqlAccounts(database, commissioning),
        SqlState(database),
        SqlSecurityLog(database),
    )

    def first_read(connection: DatabaseConnection) -> None:
        reserve.keep()
        _read_first(connection, stores, (frames, meters))

    try:
        await database.read(first_read)
    except BaseException:
        ending.abort()
        raise
    return Storage(
        *stores,
        frames=frames,
        meters=meters,
        close=ending.close,
        abort=ending.abort,
        free_bytes=partial(folders.free_bytes, folder),
        notices=_those(notices, schema.TAKEN_OVER, wanted=False),
        remarks=_those(notices, schema.TAKEN_OVER, wanted=True),
        damage=damage,
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    """Closes everything at the end, except a shared pool."""

    database: Database
    curves: Curves
    frames: FrameFiles
    meters: MeterFile
    outbox: SqlOutbox
    own_pool: Executor | None

    async def close(self) -> None:
        self.frames.end()
        await self.meters.close()
        await self.curves.close()
        await self.database.close()
        self._release()

    def abort(self) -> None:
        self.frames.end()
        self.meters.abort()
        self.database.abort()
        self.curves.abort()
        self._release()

    def _release(self) -> None:
        self.outbox.release()
        if self.own_pool is not None:
            self.own_pool.shutdown(wait=False)


class _Store(Protocol):
    def read_first(self, connection: DatabaseConnection) -> None: ...


class _File(Protocol):
    def read_first(self) -> None: ...


def _read_first(
    connection: DatabaseConnection, stores: Iterable[_Store], others: Iterable[_File]
) -> None:
    # One transaction locks the file only once.
    with transaction(connection, "BEGIN"):
        for store in stores:
            store.read_first(connection)
    for other in others:
        other.read_first()


def _those(notices: Sequence[Message], template: str, *, wanted: bool) -> tuple[Message, ...]:
    return tuple(notice for notice in notices if (notice.template == template) is wanted)


def _open_with(reserve: folders.Reserve, station: _Opener) -> DatabaseConnection:
    """Open the database; on a full disk the reserve is released first, since a station must start
    to end its sessions."""
    try:
        return station.open()
    except StorageUnavailable as unavailable:
        if not isinstance(unavailable.__cause__, StorageFull) or not reserve.use():
            raise
    _log.warning("the disk is full: the reserve is used to start")
    return station.open()


def _from_executor(signal: Signal[Message]) -> Callable[[Message], None]:
    """Return a callback that emits a job's message on the event loop, since the station may be
    running already."""
    loop = asyncio.get_running_loop()

    def notify(notice: Message) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(signal.emit, notice)

    return notify


class _Opener:
    """Opens one database file, and replaces an unusable one by a new one; runs in the executor."""

    def __init__(
        self,
        path: Path,
        name: str,
        synchronous: str,
        connect: Connect,
        notify: Callable[[Message], None],
        identity: _Identity | None = None,
    ) -> None:
        self._path = path
        self._steps = schema.packaged(name)
        self._synchronous = synchronous
        self._connect = connect
        self._notify = notify
        self._identity = identity
        self._checked = False

    def open(self) -> DatabaseConnection:
        """Return the connection, migrated to the newest schema; raises StorageUnavailable."""
        folders.prepare(self._path.parent)
        try:
            if self._checked:
                return self._open()
            connection = self._open_first()
            self._checked = True
            return connection
        except (sqlite3.Error, OSError) as error:
            failure = as_storage_error(error)
            if failure is None:
                raise
            reason = failure if isinstance(failure, StorageFull) else error
            sentence = f"The data in {self._path} cannot be used: {reason}."
            raise StorageUnavailable(sentence) from failure

    def _open_first(self) -> DatabaseConnection:
        for moved in folders.clear_companions(self._path):
            self._report(_MOVED, target=moved.name)
        lost = self._path.is_dir()
        if lost:
            target = files.put_aside(self._path)
            self._report(_MOVED, target=target.name)
        elif folders.has_orphans(self._path):
            lost = True
            self.put_aside()
        if folders.is_new(self._path):
            return self._begin(missing=not lost)
        try:
            return self._open_checked()
        except schema.NewerData as newer:
            self._put_aside("newer", _NEWER, reason=str(newer))
        except _Foreign:
            self._put_aside("foreign", _FOREIGN)
        except sqlite3.DatabaseError as error:
            # An error that is not one of the disk is one of the file; the station must start
            # anyway.
            if not is_damage(error) and as_storage_error(error) is not None:
                raise
            _log.error("%s cannot be used: %s", self._path.name, error)
            return self._begin_after_damage()
        return self._begin(missing=False)

    def _open_checked(self) -> DatabaseConnection:
        """Open an existing database; the whole file is checked."""
        before = log_loss.look(self._path)
        thorough = not folders.ended_cleanly(self._path) or mark_of(self._path).exists()
        connection = self._connect_only()
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            lost = log_loss.lost(connection, before)
            # Curves may be long, and they are only for display; they are not checked.
            if self._identity and not _is_sound(connection, thorough=thorough):
                raise _damaged()
            self._migrate(connection)
            if self._identity is not None:
                self._notify_all(self._identity.recognise(connection, self._path.name))
        except BaseException:
            with suppress(sqlite3.Error):
                close_abruptly(connection)
            raise
        if lost:
            self._report(_LOG_LOST)
        mark_of(self._path).unlink(missing_ok=True)
        return connection

    def _begin(self, *, missing: bool) -> DatabaseConnection:
        if self._connect is connect_sqlite:
            write_private(self._path, schema.empty_database(self._steps))
        connection = self._open()
        if self._identity is not None:
            found = self._identity.give(connection, self._path.name, missing=missing)
            self._notify_all(found)
        mark_of(self._path).unlink(missing_ok=True)
        return connection

    def _begin_after_damage(self) -> DatabaseConnection:
        target = folders.put_aside(self._path)
        connection = self._open()
        if self._identity is None:
            self._report(_DAMAGED, target=target.name)
            return connection
        self._identity.name_messages(connection)
        found = salvage.recover(target, self._path.name, connection, self._connect, self._steps)
        if found.kept:
            kept, gone = _list(found.kept), _list(found.lost)
            self._report(_DAMAGED_IN_PART, target=target.name, kept=kept, gone=gone)
        else:
            self._report(_DAMAGED, target=target.name)
        self._notify_all(self._identity.give(connection, self._path.name, missing=False))
        mark_of(self._path).unlink(missing_ok=True)
        return connection

    def _open(self) -> DatabaseConnection:
        connection = self._connect_only()
        try:
            self._migrate(connection)
        except BaseException:
            with suppress(sqlite3.Error):
                close_abruptly(connection)
            raise
        return connection

    def _connect_only(self) -> DatabaseConnection:
        if folders.make_private(self._path):
            sync_folder(self._path.parent)
        connection = self._connect(self._path)
        try:
            for pragma in (*_PRAGMAS, f"PRAGMA synchronous = {self._synchronous}"):
                connection.execute(pragma).fetchall()
        except BaseException:
            with suppress(sqlite3.Error):
                close_abruptly(connection)
            raise
        return connection

    def _migrate(self, connection: DatabaseConnection) -> None:
        notice = schema.migrate(connection, self._path, self._steps)
        connection.execute("PRAGMA shrink_memory").fetchall()
        if notice is not None:
            _log.warning("%s", notice)
            self._notify(notice)

    def put_aside(self) -> None:
        """Move a damaged database away, and report it."""
        self._put_aside("damaged", _DAMAGED)

    def _put_aside(self, why: str, template: str, **values: str) -> None:
        target = folders.put_aside(self._path, why)
        self._report(template, target=target.name, **values)

    def _notify_all(self, notices: Sequence[Message]) -> None:
        for notice in notices:
            _log.error("%s", notice)
            self._notify(notice)

    def _report(self, template: str, **values: object) -> None:
        notice = Message(template, {"name": self._path.name, **values})
        _log.error("%s", notice)
        self._notify(notice)


class _Identity:
    """Which station the database belongs to; runs in the executor."""

    def __init__(self, commissioning: Commissioning, ids: Callable[[], str]) -> None:
        self._commissioning = commissioning
        self._ids = ids

    def name_messages(self, connection: DatabaseConnection) -> None:
        """Create the name space of message ids, unless there is one."""
        if not connection.execute("SELECT 1 FROM identity").fetchone():
            namespace = uuid.uuid5(uuid.NAMESPACE_OID, self._ids())
            connection.execute(
                "INSERT INTO identity (one, message_namespace) VALUES (1, ?)", (str(namespace),)
            )

    def recognise(self, connection: DatabaseConnection, name: str) -> list[Message]:
        """Check an existing database: raises _Foreign when it belongs to another station. Accounts
        that were closed stay closed, even if the file is older than that."""
        facts = self._commissioning.facts
        with transaction(connection):
            self.name_messages(connection)
            found = "SELECT value FROM state WHERE key = ?"
            row = connection.execute(found, (_STATION,)).fetchone()
            station = str(row[0]) if row else ""
            if station and facts.station and station != facts.station:
                raise _Foreign
            self._rename_messages(connection)
            notices = self._commissioning.notices(known=bool(station))
            if facts.station and not station:
                notices.append(Message(_NAMELESS, {"name": name}))
            if facts.passwords is not None:
                notices += self._close(connection, facts.passwords)
            changes = self._store(connection, station or facts.station or self._new_station())
        self._commissioning.note(**changes)
        return notices

    def give(self, connection: DatabaseConnection, name: str, *, missing: bool) -> list[Message]:
        """Store in a new database the identity of the station and its closed accounts."""
        facts = self._commissioning.facts
        notices = self._commissioning.notices(known=False)
        with transaction(connection):
            self.name_messages(connection)
            if facts.had_database:
                if missing:
                    notices.append(Message(_MISSING, {"name": name}))
                notices += self._close(connection, facts.closed)
            changes = self._store(connection, facts.station or self._new_station())
        self._commissioning.note(**changes)
        return notices

    def _new_station(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"station {self._ids()}"))

    def _store(self, connection: DatabaseConnection, station: str) -> dict[str, Any]:
        """Store the identity; return the changes for the commissioning file, to be written after
        the commit."""
        connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (_STATION, station))
        rows = connection.execute("SELECT role FROM password").fetchall()
        roles = frozenset(str(role) for (role,) in rows)
        return {"station": station, "passwords": roles, "aside": ""}

    def _close(self, connection: DatabaseConnection, roles: frozenset[str]) -> list[Message]:
        rows = connection.execute("SELECT role FROM password").fetchall()
        closed = sorted(roles - {str(role) for (role,) in rows})
        connection.executemany(
            "INSERT INTO password VALUES (?, ?)", [(role, CLOSED_ACCOUNT) for role in closed]
        )
        if not closed:
            return []
        return [Message(_CLOSED, {"roles": ", ".join(closed), "first": closed[0]})]

    def _rename_messages(self, connection: DatabaseConnection) -> None:
        """Use a new name space for message ids after each start. Numbers may be reused after
        changes were lost or a copy was restored; ids must not. Queued messages keep their ids."""
        row = connection.execute("SELECT message_namespace FROM identity").fetchone()
        namespace = uuid.uuid5(uuid.UUID(row[0]), self._ids())
        connection.execute("UPDATE identity SET message_namespace = ?", (str(namespace),))


class _Foreign(Exception):
    """The database belongs to another station."""


def ask_for_check(path: Path, error: Exception) -> bool:
    """Make the next start check the whole file; False when that was requested before."""
    mark = mark_of(path)
    if mark.exists():
        return False
    with suppress(OSError):
        write_private(mark, f"{error}\n".encode())
    return True


def mark_of(path: Path) -> Path:
    """Path of the file that requests a thorough check of a database at the next start."""
    return path.with_name(f"{path.name}-check")


def _list(tables: Sequence[str]) -> str:
    return ", ".join(salvage.TABLES[table] for table in tables)


def _is_sound(connection: DatabaseConnection, *, thorough: bool) -> bool:
    """Check every page, and if `thorough` every row in every index: see decision 0203."""
    if not thorough:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    connection.execute(_CACHE_OF_CHECK)
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    connection.execute(_CACHE)
    return bool(found == "ok")


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("the check of the file failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
