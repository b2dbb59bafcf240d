"""What the cycles of a master changed, and the curves of the last ten minutes; both bounded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce

from borne.domain.load_management.load_status import LoadDecision, LoadSample, ParticipantRow
from borne.domain.load_management.reason_text import plain_number, reason_text
from borne.foundation.units import ZERO, PerPhase

MAX_DECISIONS = 1000
SAMPLES_FOR = timedelta(minutes=10)
SAMPLE_GAP = timedelta(seconds=2)
"""Samples that follow faster are left out."""

MAX_SAMPLES = 300
MAX_CURVES = 100
"""Participants up to which a sample holds the current of each."""

_log = logging.getLogger(__name__)


class LoadHistory:
    """Decisions and samples, newest last."""

    def __init__(self) -> None:
        self.cycles = 0
        """Number of cycles since the start."""
        self._decisions: deque[LoadDecision] = deque(maxlen=MAX_DECISIONS)
        self._samples: deque[LoadSample] = deque(maxlen=MAX_SAMPLES)
        self._granted: dict[str, float] = {}

    def note_cycle(self, rows: Iterable[ParticipantRow], now: datetime) -> None:
        """Record what a cycle changed, and log it in the words of the pages."""
        self.cycles += 1
        granted = {}
        for row in rows:
            before_a = self._granted.get(row.id, 0.0)
            granted[row.id] = row.granted_a
            if row.granted_a != before_a:
                self._add(row, before_a, now)
        self._granted = granted

    def _add(self, row: ParticipantRow, before_a: float, now: datetime) -> None:
        self._decisions.append(
            LoadDecision(
                at=now,
                cycle=self.cycles,
                participant=row.id,
                before_a=before_a,
                after_a=row.granted_a,
                reason=row.reason,
                grid_a=row.grid_a,
            )
        )
        _log.info(
            "load management: %s from %s to %s A: %s",
            row.id,
            plain_number(before_a),
            plain_number(row.granted_a),
            reason_text(row.reason),
        )

    def note_sample(
        self,
        limit_a: PerPhase,
        external_a: PerPhase | None,
        rows: Sequence[ParticipantRow],
        now: datetime,
    ) -> None:
        """Add a point to the curves, unless the last one is recent."""
        if self._samples and timedelta(0) <= now - self._samples[-1].at < SAMPLE_GAP:
            return
        curves = tuple((row.id, row.grid_a) for row in rows) if len(rows) <= MAX_CURVES else ()
        self._samples.append(
            LoadSample(
                at=now,
                limit_a=limit_a,
                granted_a=reduce(PerPhase.plus, (row.grid_a for row in rows), ZERO),
                measured_a=reduce(PerPhase.plus, (row.measured_grid_a for row in rows), ZERO),
                external_a=external_a,
                by_participant=curves,
            )
        )

    def decisions(self, start: datetime | None, end: datetime | None) -> Sequence[LoadDecision]:
        """Return the decisions from `start` until before `end`."""
        return [
            own
            for own in self._decisions
            if (start is None or own.at >= start) and (end is None or own.at < end)
        ]

    def samples(self, now: datetime) -> Sequence[LoadSample]:
        """Return the samples of the last ten minutes."""
        return [own for own in self._samples if own.at > now - SAMPLES_FOR]
