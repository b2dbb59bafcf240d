"""The folder that holds the databases: create it, measure its free space, move damaged files
away."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from borne.application.ports.storage import StorageFailed
from borne.foundation import disk, files
from borne.foundation.files import sync_folder

ROOM_BYTES = 16 * 1024 * 1024
"""With less free space than this only what must not be lost is stored."""
RESERVE_BYTES = 128 * 1024
"""Enough to end some sessions: each end takes about five pages of the write-ahead log."""
_COMPANIONS = ("", "-wal", "-shm", "-journal")


class StorageUnavailable(StorageFailed):
    """The data cannot be used; the message is one sentence for people."""


class Reserve:
    """A file that only occupies space, deleted when the disk is full."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def keep(self) -> None:
        """Make the file while there is plenty of free space."""
        plenty = free_bytes(self._path.parent) > ROOM_BYTES
        if not self._size_bytes or not plenty or self._path.exists():
            return
        with suppress(OSError):
            self._allocate()

    def _allocate(self) -> None:
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            _fill(file, self._size_bytes)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(file)

    def use(self) -> bool:
        """Delete the file; False when it does not exist."""
        try:
            self._path.unlink()
        except OSError:
            return False
        disk.use(self._path, -self._size_bytes)
        return True


def _fill(file: int, size_bytes: int) -> None:
    """Take disk space; writing it is the way of file systems that cannot only allocate it."""
    try:
        os.posix_fallocate(file, 0, size_bytes)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        os.write(file, bytes(size_bytes))


def prepare(folder: Path) -> None:
    """Create the folder, readable by its owner only; raises StorageUnavailable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            _write_something(folder)
    except OSError as error:
        raise StorageUnavailable(
            f"The data folder {folder} cannot be used: {error.strerror}."
        ) from error


def _write_something(folder: Path) -> None:
    """Only an attempt shows why a folder is not writable."""
    probe = folder / ".writable"
    probe.touch()
    probe.unlink()


def make_private(path: Path) -> bool:
    """Create an empty file that only its owner may read, unless it exists; return True if it was
    created."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def has_orphans(path: Path) -> bool:
    """A log without its database, or with an empty one: the database was removed, and SQLite would
    delete the log."""
    try:
        return path.stat().st_size == 0 and _size(path, "-wal") > 0
    except FileNotFoundError:
        return path.with_name(f"{path.name}-wal").exists()


def is_new(path: Path) -> bool:
    """True if there is no database, or an empty file."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True


def ended_cleanly(path: Path) -> bool:
    """True if the last close merged the write-ahead log."""
    return _size(path, "-wal") == 0


def _size(path: Path, suffix: str) -> int:
    try:
        return path.with_name(f"{path.name}{suffix}").stat().st_size
    except FileNotFoundError:
        return 0


def put_aside(path: Path, why: str = "damaged") -> Path:
    """Move a database and its companion files to a new folder beside it; nothing is deleted."""
    target = files.free_name(path, f"{path.stem}-{why}")
    target.mkdir(mode=0o700)
    for suffix in _COMPANIONS:
        with suppress(FileNotFoundError):
            name = f"{path.name}{suffix}"
            (path.parent / name).replace(target / name)
    sync_folder(target)
    sync_folder(path.parent)
    return target


def clear_companions(path: Path) -> list[Path]:
    """Move folders away whose names SQLite needs for files beside a database."""
    places = (path.with_name(f"{path.name}{suffix}") for suffix in _COMPANIONS[1:])
    return [files.put_aside(place) for place in places if place.is_dir()]


def copy_database(path: Path, folder: Path) -> None:
    """Copy the file and its write-ahead log to a new folder. Raises StorageUnavailable when there
    is not enough free space."""
    sources = [path.with_name(f"{path.name}{suffix}") for suffix in ("", "-wal")]
    present = [source for source in sources if source.is_file()]
    if 2 * sum(source.stat().st_size for source in present) + ROOM_BYTES > free_bytes(path.parent):
        raise StorageUnavailable("the disk has no space for a copy")
    folder.mkdir(mode=0o700)
    for source in present:
        shutil.copyfile(source, folder / source.name)


def has_room(folder: Path) -> bool:
    """Whether there is enough free space for data that may be lost."""
    return free_bytes(folder) > ROOM_BYTES


def free_bytes(folder: Path) -> int:
    """Free space for the owner of this process on the disk of the folder; 0 when there is no
    folder."""
    return disk.free_bytes(folder)
