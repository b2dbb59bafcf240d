"""Deletes sessions that are older than the setting allows (privacy), once a day.

A running session, and one that waits for the backend, is kept. Without a trusted date nothing is
deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from borne.application.ports.storage import FrameArchive, SessionJournal, StorageFailed
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

DAY_S = 86_400.0
RETRY_S = 3_600.0
"""After a failure of the disk."""
FOR_EVER = 0
_NEXT = "tidy"
_log = logging.getLogger(__name__)


class Retention:
    """Deletes old sessions, and the messages of their time."""

    def __init__(
        self,
        journal: SessionJournal,
        frames: FrameArchive,
        settings: Callable[[], Settings],
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self._journal = journal
        self._frames = frames
        self._settings = settings
        self._clock = clock
        self._supervisor = supervisor
        self._timers = Timers()

    def start(self) -> None:
        """Delete now, and then every day."""
        self._supervisor.start("retention", self._tidy_and_plan())

    def abort(self) -> None:
        self._timers.stop()

    async def tidy(self) -> int:
        """Delete what is older than the setting allows; how many sessions."""
        days = self._settings().integer("SessionRetentionDays")
        if days == FOR_EVER or self._clock.trust is ClockTrust.NONE:
            return 0
        before = self._clock.now() - timedelta(days=days)
        gone = await self._journal.forget(before)
        await self._frames.forget(before)
        if gone:
            _log.info("%d sessions older than %d days deleted", gone, days)
        return gone

    async def _tidy_and_plan(self) -> None:
        self._timers.plan(_NEXT, RETRY_S, self.start)
        try:
            await self.tidy()
        except StorageFailed as error:
            _log.warning("old sessions could not be deleted: %s", error)
            return
        self._timers.plan(_NEXT, DAY_S, self.start)
