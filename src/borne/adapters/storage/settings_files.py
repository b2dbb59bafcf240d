"""The few file operations that durable settings need, replaceable in power-loss tests.

`PosixFiles` is the implementation; every name is a plain file name in one folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from borne.foundation.disk import require_space


class Files(Protocol):
    """File operations in one folder. They raise OSError as the system does."""

    def listdir(self) -> list[str]:
        """Names in the folder; empty when the folder does not exist."""

    def read(self, name: str) -> bytes:
        """Return the whole content."""

    def write(self, name: str, content: bytes) -> None:
        """Create or replace the content, readable by the owner alone; not yet durable."""

    def fsync(self, name: str) -> None:
        """Sync the content to the disk."""

    def replace(self, old: str, new: str) -> None:
        """Rename atomically, replacing an existing `new`; not yet durable."""

    def remove(self, name: str) -> None:
        """Delete a file; a missing file is not an error."""

    def fsync_dir(self) -> None:
        """Sync the folder, which makes names durable."""


class PosixFiles:
    """A folder of a POSIX file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listdir(self) -> list[str]:
        """Names in the folder; empty when the folder does not exist."""
        try:
            return [entry.name for entry in os.scandir(self._folder) if entry.is_file()]
        except FileNotFoundError:
            return []

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Create or replace the content, readable by the owner alone; not yet durable."""
        require_space(self._folder)
        self._make_folder()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(self._folder / name, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(self._folder.parent, os.O_RDONLY | os.O_DIRECTORY)

    def fsync(self, name: str) -> None:
        """Sync the content to the disk."""
        _sync(self._folder / name, os.O_RDONLY)

    def replace(self, old: str, new: str) -> None:
        """Rename atomically, replacing an existing `new`; not yet durable."""
        (self._folder / old).replace(self._folder / new)

    def remove(self, name: str) -> None:
        """Delete a file; a missing file is not an error."""
        (self._folder / name).unlink(missing_ok=True)

    def fsync_dir(self) -> None:
        _sync(self._folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
