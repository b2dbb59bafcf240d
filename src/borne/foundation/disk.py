"""Free disk space, and the simulation of a full disk.

All code that writes into the data folder calls `require_space` first. On a simulated full disk
(`fill`), writes fail with ENOSPC, reading and deleting work, and deleted bytes become free again.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

_remaining_bytes: dict[Path, int] = {}
"""Bytes still free in each folder that is simulated as full."""
_lock = threading.Lock()


def free_bytes(folder: Path) -> int:
    """Free space for the owner of this process on the folder's disk; 0 if the folder is missing."""
    filled = _filled(folder)
    if filled is not None:
        return _remaining_bytes.get(filled, 0)
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def simulated() -> bool:
    """True while any disk is simulated as full."""
    return bool(_remaining_bytes)


def is_full(path: Path) -> bool:
    """True if the path is on a simulated full disk."""
    filled = _filled(path)
    return filled is not None and _remaining_bytes.get(filled, 1) <= 0


def require_space(path: Path) -> None:
    """Raises OSError (ENOSPC) on a simulated full disk."""
    if is_full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def use(path: Path, size_bytes: int) -> None:
    """Count bytes written (negative: deleted) on a simulated full disk."""
    filled = _filled(path)
    if filled is not None:
        with _lock:
            _remaining_bytes[filled] = max(0, _remaining_bytes.get(filled, 0) - size_bytes)


def simulate_full(folder: Path, remaining_bytes: int = 0) -> None:
    """Simulate a full disk for this folder, with `remaining_bytes` still free."""
    _remaining_bytes[folder.absolute()] = remaining_bytes


def end_simulated_full(folder: Path) -> None:
    """End the simulation of a full disk for this folder."""
    _remaining_bytes.pop(folder.absolute(), None)


def _filled(path: Path) -> Path | None:
    """The simulated full folder that contains a path."""
    if not _remaining_bytes:
        return None
    absolute = path.absolute()
    return next(
        (folder for folder in (absolute, *absolute.parents) if folder in _remaining_bytes), None
    )
