"""The last messages exchanged with the backend, as lines of JSON in a few small files.

They are shown to people only: a power cut may lose the newest ones, a bad disk all of them, and
trouble with the disk is logged, never raised. Appending to files wears flash memory less than a
database does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from borne.domain.frames import FrameRecord
from borne.foundation.clock import parse_utc
from borne.foundation.disk import require_space
from borne.foundation.json_value import JsonObject
from borne.protocols.frame_json import frame_json, frame_of

KEPT: Final = 5_000
"""Maximum number of messages."""
FILE_LINES: Final = 500
FILE_BYTES: Final = 512 * 1024
"""A file is full when it reaches either limit; the oldest of too many files is deleted."""
_MAX_FILES: Final = KEPT // FILE_LINES + 1
T = TypeVar("T")
_log = logging.getLogger(__name__)


class FrameFiles:
    """See `ports.FrameArchive`. `has_room` says whether there is enough free space for data that
    may be lost."""

    def __init__(self, folder: Path, executor: Executor, has_room: Callable[[], bool]) -> None:
        self._folder = folder
        self._executor = executor
        self._has_room = has_room
        self._lock = threading.Lock()
        self._gone = False
        self._opened_empty = False
        self._failing = False
        self._current: Path | None = None
        self._lines = 0
        self._resumed = False

    async def append(self, records: Sequence[FrameRecord]) -> None:
        """Store messages; disk errors are ignored."""
        if self._gone or not records:
            return
        self._opened_empty = False
        lines = [json.dumps(frame_json(record), ensure_ascii=False) for record in records]
        await self._run(lambda: self._append(lines), None)

    async def tail(self, limit: int = KEPT) -> list[FrameRecord]:
        """Return the newest messages, oldest first."""
        if self._gone or self._opened_empty:
            return []
        return await self._run(lambda: self._tail(limit), [])

    async def forget(self, before: datetime) -> None:
        """Delete files whose newest message is older than `before`."""
        if not self._gone and not self._opened_empty:
            await self._run(lambda: self._forget(before), None)

    def read_first(self) -> None:
        """Whether anything is stored; in the job that opens the storage."""
        self._opened_empty = not self._folder.exists()

    def end(self) -> None:
        """Stop writing."""
        self._gone = True

    async def _run(self, job: Callable[[], T], otherwise: T) -> T:
        def guarded() -> T:
            with self._lock:
                if self._gone:
                    return otherwise
                try:
                    answer = job()
                except OSError as error:
                    self._complain(error.strerror or str(error))
                    return otherwise
                return answer

        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    def _append(self, lines: Sequence[str]) -> None:
        if not self._has_room():
            self._complain("the disk is nearly full")
            return
        for first in range(0, len(lines), FILE_LINES):
            self._write(lines[first : first + FILE_LINES])
        self._failing = False

    def _write(self, lines: Sequence[str]) -> None:
        require_space(self._folder)
        path = self._writable()
        data = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        self._lines += len(lines)
        if self._lines >= FILE_LINES or path.stat().st_size >= FILE_BYTES:
            self._current = None

    def _writable(self) -> Path:
        """Return the file to append to: the last one, or a new one when that is full."""
        if not self._resumed:
            self._resume_file()
        if self._current is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            files = self._files()
            for old in files[: max(0, len(files) - _MAX_FILES + 1)]:
                old.unlink(missing_ok=True)
            number = int(files[-1].stem) + 1 if files else 1
            self._current, self._lines = self._folder / f"{number:08d}.jsonl", 0
        return self._current

    def _resume_file(self) -> None:
        """Continue the file of the last run, after cutting off an incomplete line."""
        for path in self._files()[-1:]:
            data = path.read_bytes()
            lines = data.count(b"\n")
            if lines < FILE_LINES and len(data) < FILE_BYTES:
                self._current, self._lines = path, lines
                if data and not data.endswith(b"\n"):
                    with path.open("ab") as file:
                        file.write(b"\n")
        self._resumed = True

    def _files(self) -> list[Path]:
        found = [path for path in self._folder.glob("*.jsonl") if path.stem.isdecimal()]
        return sorted(found, key=lambda path: int(path.stem))

    def _tail(self, limit: int) -> list[FrameRecord]:
        found: list[FrameRecord] = []
        for path in reversed(self._files()):
            found = [*_records(path), *found]
            if len(found) >= limit:
                break
        return found[-limit:]

    def _forget(self, before: datetime) -> None:
        for path in self._files():
            last = next(reversed(_objects(path)), {})
            with suppress(ValueError):
                if parse_utc(str(last.get("at", ""))) >= before:
                    return
                path.unlink(missing_ok=True)
                self._current = None if self._current == path else self._current

    def _complain(self, reason: str) -> None:
        if not self._failing:
            _log.warning("messages of the backend are not kept on the disk: %s", reason)
        self._failing = True


def _records(path: Path) -> list[FrameRecord]:
    """Return the readable messages of a file; lines of another format are skipped."""
    found: list[FrameRecord] = []
    for data in _objects(path):
        with suppress(ValueError, LookupError, TypeError):
            found.append(frame_of(data))
    return found


def _objects(path: Path) -> list[JsonObject]:
    """The lines of a file without one that was torn by a power cut."""
    found: list[JsonObject] = []
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, RecursionError):
            data = json.loads(line)
            if isinstance(data, dict):
                found.append(data)
    return found
