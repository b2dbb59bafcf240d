"""Stores the frames of a connection in batches, so that an idle station writes at most once a
minute, and a busy one not for every message."""

from __future__ import annotations

from typing import Final

from borne.application.ports.storage import FrameArchive
from borne.domain.frames import FrameRecord
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.foundation.timers import Timers
from borne.protocols.ocpp.rpc.frame_log import DEFAULT_CAPACITY, FrameLog

BATCH_S: Final = 60.0
"""Longest wait before a batch is written; a power failure loses no more than this."""
BATCH: Final = 200
"""A batch of this size is written at once."""
MAX_WAITING: Final = 1000
"""If the disk is slower than the backend, the oldest frames are lost beyond this number."""
_DUE: Final = "write"


class FrameKeeper:
    """Connects the ring in memory with the archive. Call `restore` first."""

    def __init__(self, log: FrameLog, archive: FrameArchive, tasks: Supervisor) -> None:
        self._log = log
        self._archive = archive
        self._waiting: list[FrameRecord] = []
        self._timers = Timers()
        self._writing = OnDemandTask(tasks, "message log", self.flush)
        log.added.subscribe(self._on_frame)

    async def restore(self) -> None:
        """Fill the ring with the stored frames, once."""
        if self._log.records():
            return
        self._log.restore(await self._archive.tail(DEFAULT_CAPACITY))

    async def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        self._timers.cancel(_DUE)
        await self._archive.append(batch)

    async def history(self) -> list[FrameRecord]:
        """All stored frames, oldest first."""
        await self.flush()
        return await self._archive.tail()

    def _on_frame(self, record: FrameRecord) -> None:
        self._waiting.append(record)
        del self._waiting[:-MAX_WAITING]
        if len(self._waiting) >= BATCH:
            self._writing.request()
        elif _DUE not in self._timers:
            self._timers.plan(_DUE, BATCH_S, self._writing.request)

    def abort(self) -> None:
        self._timers.stop()
