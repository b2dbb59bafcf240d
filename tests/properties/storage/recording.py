"""A file system that remembers every write and sync of a database, and what a power cut leaves of
them.

The standard library's `sqlite3` has no way to watch its files, so the recording uses another
binding (`apsw`) of the same SQLite; what is left over is opened with the real one.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import apsw

from borne.adapters.storage.connection import Cursor

_MERGING = "PRAGMA wal_autocheckpoint"
SECTOR = 512
"""The smallest piece that a disk writes whole."""


@dataclass(frozen=True, slots=True)
class Created:
    name: str


@dataclass(frozen=True, slots=True)
class Written:
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    name: str
    with_folder: bool
    """SQLite syncs the folder at the first sync of a journal or a log."""


@dataclass(frozen=True, slots=True)
class Deleted:
    name: str
    with_folder: bool


@dataclass(frozen=True, slots=True)
class FolderSynced:
    pass


Operation: TypeAlias = Created | Written | Truncated | Synced | Deleted | FolderSynced
Image: TypeAlias = dict[str, bytes]
"""The files after the power cut."""


class Recorder(apsw.VFS):
    """Passes everything to the real file system and writes it down."""

    _numbers = count()

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.writes_left: int | None = None
        """So many further writes fit on the disk; None: all of them."""
        self.merging = False
        """The last write without space was one of a checkpoint."""
        self.name = f"recorder-{next(self._numbers)}"
        super().__init__(self.name, "")

    def connect(self, path: Path) -> RecordedConnection:
        """A connection factory for `open_storage`."""
        if path.stat().st_size == 0:
            self.operations.append(Created(path.name))
        return RecordedConnection(apsw.Connection(str(path), vfs=self.name), self)

    def fill(self, name: str) -> None:
        """For a write; raises the error of a full disk."""
        if self.writes_left == 0:
            self.merging = not name.endswith("-wal")
            raise apsw.exception_for(apsw.SQLITE_FULL)
        if self.writes_left is not None:
            self.writes_left -= 1

    def sync_folder(self, folder: Path) -> None:
        """Replaces the storage's own function."""
        self.operations.append(FolderSynced())

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        assert name is not None
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        existed = path.exists()
        file = RecordedFile(self, name, flags, path.name)
        if not existed:
            self.operations.append(Created(path.name))
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's
        super().xDelete(filename, syncdir)
        self.operations.append(Deleted(Path(filename).name, syncdir))


class RecordedFile(apsw.VFSFile):
    """One open file."""

    def __init__(
        self, recorder: Recorder, name: str | apsw.URIFilename, flags: list[int], short: str
    ) -> None:
        self._recorder = recorder
        self._name = short
        self._folder_due = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._recorder.fill(self._name)
        super().xWrite(data, offset)
        self._recorder.operations.append(Written(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        self._recorder.operations.append(Truncated(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._recorder.operations.append(Synced(self._name, self._folder_due))
        self._folder_due = False


class RecordedConnection:
    """`apsw` in the shape of `borne.adapters.storage.connection.DatabaseConnection`."""

    def __init__(self, connection: apsw.Connection, recorder: Recorder) -> None:
        self._connection = connection
        self._recorder = recorder
        # Small, so that checkpoints and new rounds of the log happen in a short test.
        connection.execute(f"{_MERGING} = 12")

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        if sql.startswith(_MERGING):
            return self._connection.execute(_MERGING)
        try:
            cursor = self._connection.execute(sql, parameters)
            # A pragma may write while its rows are read.
            return _Rows(cursor.fetchall()) if sql.startswith("PRAGMA") else cursor
        except apsw.Error as error:
            if sql == "COMMIT" and self._recorder.merging and not self.in_transaction:
                # SQLite forgives a checkpoint that fails after a commit, this binding does not.
                return self._connection.execute("SELECT 1")
            raise _translated(error) from error

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        try:
            return self._connection.executemany(sql, parameters)
        except apsw.Error as error:
            raise _translated(error) from error

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        # SQLite forgives the checkpoint here too.
        with suppress(apsw.FullError):
            self._connection.close()


@dataclass
class _Rows:
    """Rows that were read."""

    rows: list[Any]

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[Any]:
        rows, self.rows = self.rows, []
        return rows


def _translated(error: apsw.Error) -> sqlite3.Error:
    raised = sqlite3.OperationalError(str(error))
    raised.sqlite_errorcode = getattr(error, "extendedresult", 0)
    return raised


class Loss(Enum):
    """What a power cut takes."""

    NOTHING = "all writes arrived"
    UNSYNCED = "no write arrived that was not synced"
    TORN = "the last write arrived by half"
    SHUFFLED = "some sectors of the writes that were not synced arrived, others did not"
    NAMES = "all writes arrived, but no new or deleted name that was not synced"


Unsynced: TypeAlias = Written | Truncated


@dataclass(slots=True)
class _Inode:
    synced: bytes = b""
    unsynced: list[Unsynced] = field(default_factory=list)

    def content(self, changes: Iterable[Unsynced]) -> bytes:
        data = bytearray(self.synced)
        for change in changes:
            match change:
                case Written(_, offset, written):
                    data.extend(bytes(max(0, offset - len(data))))
                    data[offset : offset + len(written)] = written
                case Truncated(_, size):
                    del data[size:]
        return bytes(data)


class Disk:
    """The state of the files while operations come in."""

    def __init__(self) -> None:
        self._now: dict[str, _Inode] = {}
        self._named: dict[str, _Inode] = {}
        self._last: Operation | None = None

    def apply(self, operation: Operation) -> None:
        """Apply the recorded operations."""
        self._last = operation
        match operation:
            case Created(name):
                self._now[name] = _Inode()
            case Written(name) | Truncated(name):
                self._now[name].unsynced.append(operation)
            case Synced(name, with_folder):
                inode = self._now[name]
                inode.synced, inode.unsynced = inode.content(inode.unsynced), []
                if with_folder:
                    self._named = dict(self._now)
            case Deleted(name, with_folder):
                del self._now[name]
                if with_folder:
                    self._named = dict(self._now)
            case FolderSynced():
                self._named = dict(self._now)

    def after(self, loss: Loss, seed: int) -> Image:
        """The files that are there when the power is back."""
        names = self._named if loss in (Loss.UNSYNCED, Loss.NAMES) else self._now
        chosen = random.Random(seed)
        return {
            name: inode.content(self._surviving(inode, loss, chosen))
            for name, inode in names.items()
        }

    def _surviving(self, inode: _Inode, loss: Loss, chosen: random.Random) -> Iterator[Unsynced]:
        match loss:
            case Loss.NOTHING | Loss.NAMES:
                yield from inode.unsynced
            case Loss.UNSYNCED:
                return
            case Loss.TORN:
                for change in inode.unsynced:
                    if change is self._last and isinstance(change, Written):
                        half = change.data[: len(change.data) // 2]
                        yield Written(change.name, change.offset, half)
                    else:
                        yield change
            case Loss.SHUFFLED:
                for change in inode.unsynced:
                    yield from _some(change, chosen)


def _some(change: Unsynced, chosen: random.Random) -> Iterator[Unsynced]:
    if isinstance(change, Truncated):
        if chosen.random() < 0.5:
            yield change
        return
    for start in range(0, len(change.data), SECTOR):
        if chosen.random() < 0.5:
            piece = change.data[start : start + SECTOR]
            yield Written(change.name, change.offset + start, piece)
