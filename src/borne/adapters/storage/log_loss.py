"""Detects that the write-ahead log of a database lost committed changes.

SQLite reads the log up to the first invalid frame and silently ignores the rest. That is right
after a power cut, where the rest was never acknowledged, and wrong when the log was damaged,
truncated or removed. Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from borne.adapters.storage.connection import DatabaseConnection

_HEADER_BYTES = 32
_MAGIC = (0x377F0682, 0x377F0683)
_INDEX_HEADER = 48
_INDEX_VERSION = 3007000
_FRAMES_AT, _SALTS_AT, _MERGED_AT = 16, 32, 2 * _INDEX_HEADER


@dataclass(frozen=True, slots=True)
class LogBefore:
    """State of the log and its index before SQLite opened them."""

    committed: int = 0
    """Frames up to the last commit, as far as that is known."""
    garbled: bool = False
    """The log has no valid header."""


def look(path: Path) -> LogBefore:
    """Read the log before the database is opened; blocks."""
    log, index = (path.with_name(f"{path.name}-{which}") for which in ("wal", "shm"))
    content = b""
    with suppress(OSError):
        content = log.read_bytes()
    indexed = _indexed(index, content[16:24])
    if len(content) < _HEADER_BYTES:
        return LogBefore(indexed)
    if struct.unpack_from(">I", content)[0] not in _MAGIC:
        # A header of zeros was never written to the disk, nor was anything after it.
        return LogBefore(indexed, garbled=any(content[:_HEADER_BYTES]))
    # Frames behind the first that does not fit prove nothing: a disk may have written the end of
    # a transaction that was never acknowledged before its beginning.
    return LogBefore(indexed)


def lost(connection: DatabaseConnection, before: LogBefore) -> bool:
    """True if changes were lost. Call it after the database was opened and read, before any
    write."""
    if before.garbled:
        return True
    if not before.committed:
        return False
    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(0 <= frames < before.committed)


def _indexed(index: Path, salts: bytes) -> int:
    """Frames that were committed when the process ended and are not merged yet, according to the
    index in shared memory: it outlives a killed process, and a power cut perhaps in part. It must
    be of this log, unless there is no log."""
    content = b""
    with suppress(OSError):
        content = index.read_bytes()
    first, second = content[:_INDEX_HEADER], content[_INDEX_HEADER : 2 * _INDEX_HEADER]
    if len(content) < _MERGED_AT + 4 or first != second:
        return 0
    version, frames, merged = (
        int(struct.unpack_from("=I", content, at)[0]) for at in (0, _FRAMES_AT, _MERGED_AT)
    )
    if version != _INDEX_VERSION or salts not in (b"", first[_SALTS_AT : _SALTS_AT + 8]):
        return 0
    return 0 if merged >= frames else frames
