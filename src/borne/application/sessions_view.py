"""Sessions and their figures for pages, API and export (manual 3: "General" of the dashboard)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from borne.application.ports import SessionJournal
from borne.domain.station.session import Sample, SessionRecord
from borne.foundation.clock import Clock


class SessionsService:
    """Reads the journal."""

    def __init__(self, journal: SessionJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def page(
        self,
        *,
        offset: int = 0,
        limit: int = 50,
        connector: int | None = None,
        id_token: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Sequence[SessionRecord], int]:
        """Newest first, and how many in all."""
        return await self._journal.page(
            offset=offset,
            limit=limit,
            connector=connector,
            id_token=id_token,
            since=since,
            until=until,
        )

    async def get(self, session_id: str) -> SessionRecord | None:
        """One session."""
        return await self._journal.get(session_id)

    async def curve(self, session_id: str) -> Sequence[Sample]:
        """Its samples."""
        return await self._journal.curve(session_id)

    async def totals(self) -> Mapping[str, Any]:
        """Number of sessions, mean duration and energy, and those of the last calendar month."""
        everything = await self._journal.totals()
        first = self._clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        before = (first - timedelta(days=1)).replace(day=1)
        last_month = await self._journal.totals(since=before, until=first)
        return {
            "sessions": everything.sessions,
            "mean_duration_min": round(everything.mean_duration_s / 60, 1),
            "mean_kwh": round(everything.mean_energy_wh / 1000, 2),
            "last_month": {
                "sessions": last_month.sessions,
                "kwh": round(last_month.energy_wh / 1000, 2),
            },
        }
