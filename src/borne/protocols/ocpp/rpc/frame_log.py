"""The last frames of a connection, for users and exports: bounded, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from borne.domain.frames import FrameFacts, FrameRecord
from borne.foundation.events import Signal
from borne.protocols.ocpp.rpc.redaction import Redactor

DEFAULT_CAPACITY = 500
MAX_CHARACTERS = 1_000_000
"""Total size of the frames in memory, because a backend may send 500 long ones."""
MAX_ACTION = 64
MAX_OUTCOME = 255
"""Both limit text from the other side."""


class FrameLog:
    """A ring of frames that notifies listeners of each new one."""

    def __init__(
        self,
        now: Callable[[], datetime],
        redactor: Redactor | None = None,
        capacity: int = DEFAULT_CAPACITY,
    ) -> None:
        self.added: Signal[FrameRecord] = Signal()
        self._now = now
        self._redactor = redactor or Redactor()
        self._records: list[FrameRecord] = []
        self._capacity = capacity
        self._characters = 0
        self._seq = 0

    def records(self) -> list[FrameRecord]:
        """Oldest first."""
        return list(self._records)

    def restore(self, older: Sequence[FrameRecord]) -> None:
        """Start with the stored frames of an earlier process, before the first new one."""
        for record in older:
            self._keep(record)
        self._seq = max((record.seq for record in older), default=self._seq)

    def add(self, raw: str | bytes, facts: FrameFacts) -> None:
        """Add a frame; secrets are masked here."""
        self._seq += 1
        record = FrameRecord(
            facts.direction,
            facts.kind,
            None if facts.action is None else facts.action[:MAX_ACTION],
            facts.message_id,
            self._redactor.clean(facts.outcome[:MAX_OUTCOME]),
            facts.elapsed_ms,
            seq=self._seq,
            at=self._now(),
            text=self._redactor.clean(raw),
        )
        self._keep(record)
        self.added.emit(record)

    def _keep(self, record: FrameRecord) -> None:
        self._records.append(record)
        self._characters += len(record.text)
        while len(self._records) > self._capacity or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._records.pop(0).text)
