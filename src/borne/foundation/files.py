"""File operations that are atomic across a power failure."""

from __future__ import annotations

import os
from pathlib import Path

from borne.foundation.disk import require_space


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically, with mode 0600; durable on return. Blocks."""
    require_space(path)
    temporary = path.with_suffix(".tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def put_aside(path: Path, why: str = "damaged") -> Path:
    """Rename a file or folder to a free name beside it; nothing is deleted. Blocks."""
    target = free_name(path, f"{path.name}-{why}")
    path.replace(target)
    sync_folder(path.parent)
    return target


def free_name(path: Path, stem: str) -> Path:
    """An unused name beside `path`."""
    number = 1
    while (target := path.with_name(f"{stem}-{number}")).exists():
        number += 1
    return target


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Blocks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
