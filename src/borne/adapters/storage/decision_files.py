"""The decision journal on the disk: lines are appended to a few files, of which the oldest is
deleted.

`decisions.jsonl` is the newest; a full file is renamed with a number (`decisions-00000001.jsonl`).
See `docs/decisions/0175-decisions-appended.md`. Everything here blocks and raises OSError.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from borne.foundation.disk import require_space

NEWEST: Final = "decisions.jsonl"
KEEP_S: Final = 24 * 3600.0
FILE_S: Final = 4 * 3600.0
FILE_BYTES: Final = 2 * 1024 * 1024
"""A file is full when it reaches either limit."""
MAX_FILES: Final = 8
_NUMBERED = re.compile(r"decisions-([0-9]{8})\.jsonl")


class DecisionFiles:
    """The files of one station. `wall_s` gives the time in seconds since 1970, as for times of
    files."""

    def __init__(self, folder: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._wall_s = wall_s
        self._began_s: float | None = None
        """Start time of the newest file; None before the first line."""

    def append(self, lines: Sequence[str]) -> bool:
        """Append lines to the newest file; return True when the next lines begin a new file."""
        path = self._folder / NEWEST
        require_space(path)
        if self._began_s is None:
            self._began_s = self._resume_file(path)
        data = "".join(f"{line}\n" for line in lines).encode()
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            size = file.tell()
        full = size >= FILE_BYTES or not 0 <= self._wall_s() - self._began_s < FILE_S
        if full:
            self._rotate(path)
        return full

    def _resume_file(self, path: Path) -> float:
        """Return the time of the last write of the previous run; an incomplete last line is cut
        off."""
        try:
            with path.open("r+b") as file:
                content = file.read()
                whole = content.rfind(b"\n") + 1
                if whole < len(content):
                    file.truncate(whole)
            return path.stat().st_mtime
        except FileNotFoundError:
            return self._wall_s()

    def _rotate(self, path: Path) -> None:
        older = _numbered(self._folder)
        number = _number(older[-1]) + 1 if older else 1
        path.replace(path.with_name(f"decisions-{number:08}.jsonl"))
        self._began_s = None
        kept = older[max(0, len(older) - MAX_FILES + 2) :]
        for old in older:
            if old not in kept or self._wall_s() - old.stat().st_mtime > KEEP_S:
                old.unlink(missing_ok=True)


def files_of_journal(path: Path) -> list[Path]:
    """Return the files of a journal, oldest first, when `path` is its newest; otherwise only
    `path`."""
    older = _numbered(path.parent) if path.name == NEWEST else []
    return older if older and not path.exists() else [*older, path]


def whole_lines(path: Path) -> Iterator[str]:
    """Iterate over the lines of a file, without an incomplete last line."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file):
            if number == 0 or line.endswith("\n") or _is_json(line):
                yield line


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _numbered(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("decisions-*.jsonl") if _NUMBERED.fullmatch(path.name)]
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
