"""Lock that lets only one process use a data folder at a time.

The running station holds the lock. The command line sends its requests to the station, or acquires
the lock itself when no station runs. The kernel releases the lock with the process.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from borne.foundation.files import put_aside

LOCK_NAME = "lock"


class FolderInUse(Exception):
    """Another process uses the folder; the message is for people."""


class FolderLock:
    """Holds the lock of `folder` from `acquire` (or `with`) until `release`; creates a missing
    folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Acquire the lock without waiting; raises FolderInUse, or OSError when the folder cannot
        be created."""
        if self._descriptor is not None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self._folder / LOCK_NAME).is_dir():
            put_aside(self._folder / LOCK_NAME)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._folder / LOCK_NAME, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise FolderInUse(
                f"{self._folder} is in use by process {owner or 'unknown'}: "
                "stop it, or use the running station."
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
