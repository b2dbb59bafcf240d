"""Keeps the frames of a connection on the disk: in batches, so that an idle station writes once a
minute at most and a busy one not for every message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from borne.application.ports.storage import FrameArchive
from borne.foundation.clock import parse_utc
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.foundation.waiting import Flag, wait_for_flag
from borne.protocols.ocpp.rpc.frame_log import (
    DEFAULT_CAPACITY,
    Direction,
    FrameKind,
    FrameLog,
    FrameRecord,
)

BATCH_S: Final = 60.0
"""So long the first frame waits for others; a power cut loses no more than this."""
BATCH: Final = 200
"""So many do not wait."""
MAX_WAITING: Final = 1000
"""A disk that is slower than the backend loses the oldest, not the memory."""


class FrameKeeper:
    """Between the ring in memory and the archive. `restore` first."""

    def __init__(self, log: FrameLog, archive: FrameArchive, tasks: Supervisor) -> None:
        self._log = log
        self._archive = archive
        self._waiting: list[FrameRecord] = []
        self._full = Flag()
        self._writing = OnDemandTask(tasks, "message log", self._write)
        log.added.subscribe(self._on_frame)

    async def restore(self) -> None:
        """Fill the ring with what was kept before the start; once."""
        if self._log.records():
            return
        kept = await self._archive.tail(DEFAULT_CAPACITY)
        self._log.restore([record for data in kept if (record := _record(data)) is not None])

    async def _write(self) -> None:
        await wait_for_flag(self._full, BATCH_S)
        await self.flush()

    async def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        self._full.clear()
        await self._archive.append([plain(record) for record in batch])

    async def history(self) -> list[Mapping[str, Any]]:
        """All that is kept, oldest first."""
        await self.flush()
        return await self._archive.tail()

    def _on_frame(self, record: FrameRecord) -> None:
        self._waiting.append(record)
        del self._waiting[:-MAX_WAITING]
        self._writing.request()
        if len(self._waiting) >= BATCH:
            self._full.set()


def plain(record: FrameRecord) -> dict[str, Any]:
    """As JSON data: for the archive, and for the API."""
    return {
        "seq": record.seq,
        "at": record.at.isoformat(),
        "direction": record.direction.value,
        "kind": record.kind.value,
        "action": record.action,
        "message_id": record.message_id,
        "text": record.text,
        "outcome": record.outcome,
        "elapsed_ms": record.elapsed_ms,
    }


def _record(data: Mapping[str, Any]) -> FrameRecord | None:
    """The inverse; None for what another version wrote differently."""
    try:
        return FrameRecord(
            seq=int(data["seq"]),
            at=parse_utc(str(data["at"])),
            direction=Direction(data["direction"]),
            kind=FrameKind(data["kind"]),
            action=data["action"],
            message_id=data["message_id"],
            text=str(data["text"]),
            outcome=str(data["outcome"]),
            elapsed_ms=data["elapsed_ms"],
        )
    except (KeyError, TypeError, ValueError):
        return None
