"""Files that survive a power cut whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from borne.foundation.disk import require_room


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one that its owner alone may read; durable when it returns. Blocks."""
    require_room(path)
    temporary = path.with_suffix(".tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def put_aside(path: Path, why: str = "damaged") -> Path:
    """Give a file, or a folder in its place, another name beside it; nothing is deleted. Blocks."""
    target = free_name(path, f"{path.name}-{why}")
    path.replace(target)
    sync_folder(path.parent)
    return target


def free_name(path: Path, stem: str) -> Path:
    """A name beside `path` that nothing has."""
    number = 1
    while (target := path.with_name(f"{stem}-{number}")).exists():
        number += 1
    return target


def sync_folder(folder: Path) -> None:
    """Make names in it durable. Blocks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
