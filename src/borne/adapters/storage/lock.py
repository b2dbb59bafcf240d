"""One process owns a data folder at a time.

The running station holds the lock; the command line goes through the station, or takes the lock
itself when no station runs. The kernel drops the lock with the process, so nothing is left behind.
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
    """Another process owns the folder; the message is for people."""


class FolderLock:
    """Owns `folder` from `acquire` (or `with`) until `release`; made when missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder at once; raises FolderInUse, or OSError when it cannot be made."""
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
        """Give the folder back; harmless when it is not owned."""
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
