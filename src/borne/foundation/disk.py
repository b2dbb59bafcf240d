"""How much room there is where files are written, and the one place where that can be simulated.

Everything that writes a file of the data folder asks `require_room` first. A simulated full disk
(`fill`) then behaves as the file system does: writes fail with ENOSPC, reading and deleting go on,
and what a deletion freed can be written again.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

_room: dict[Path, int] = {}
"""Bytes that can still be written in a folder that is simulated to be full."""
_lock = threading.Lock()


def free_bytes(folder: Path) -> int:
    """Room for the owner of this process on the disk of the folder; 0 when it is not there."""
    filled = _filled(folder)
    if filled is not None:
        return _room.get(filled, 0)
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def simulated() -> bool:
    """Whether any disk is simulated to be full now."""
    return bool(_room)


def is_full(path: Path) -> bool:
    """Whether a file can be written there no more, as far as that is simulated."""
    filled = _filled(path)
    return filled is not None and _room.get(filled, 1) <= 0


def require_room(path: Path) -> None:
    """Raises OSError (ENOSPC) where a full disk is simulated."""
    if is_full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def use(path: Path, size_bytes: int) -> None:
    """So much was written (negative: deleted) on a disk that is simulated to be full."""
    filled = _filled(path)
    if filled is not None:
        with _lock:
            _room[filled] = max(0, _room.get(filled, 0) - size_bytes)


def fill(folder: Path, room_bytes: int = 0) -> None:
    """Simulate that the disk of this folder is full, but for some bytes."""
    _room[folder.absolute()] = room_bytes


def empty(folder: Path) -> None:
    """There is room again."""
    _room.pop(folder.absolute(), None)


def _filled(path: Path) -> Path | None:
    """The full folder that holds a path. Without a simulation this costs nothing."""
    if not _room:
        return None
    absolute = path.absolute()
    return next((folder for folder in (absolute, *absolute.parents) if folder in _room), None)
