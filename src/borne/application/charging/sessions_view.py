"""Sessions and their figures for pages, API and export (manual 3: "General" of the dashboard)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from borne.application.ports.storage import (
    ALL_SESSIONS,
    SessionFigures,
    SessionGroup,
    SessionGrouping,
    SessionJournal,
    SessionQuery,
)
from borne.application.refusals import Refused, require
from borne.domain.principals import Principal, Role
from borne.domain.settings.snapshot import Settings
from borne.domain.station.session import Sample, SessionRecord
from borne.foundation.calendar import Month, zone_named
from borne.foundation.clock import Clock
from borne.foundation.messages import N_

EXPORT_BATCH = 200


class SessionsService:
    """Reads sessions for people, and anonymises them."""

    def __init__(
        self, journal: SessionJournal, settings: Callable[[], Settings], clock: Clock
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._clock = clock

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[Sequence[SessionRecord], int]:
        """Newest first, with the number of all that match; `before` and `after` are ids of
        sessions."""
        return await self._journal.page(
            query, offset=offset, limit=limit, before=before, after=after
        )

    async def get(self, session_id: str) -> SessionRecord | None:
        return await self._journal.get(session_id)

    async def curve(self, session_id: str) -> Sequence[Sample]:
        return await self._journal.curve(session_id)

    async def totals(self) -> SessionFigures:
        """Of all ended sessions, and of those that began in the last calendar month, in the
        station's time zone."""
        zone = zone_named(self._settings().text("TimeZone"))
        since, until = Month.of(self._clock.now(), zone).plus(-1).bounds(zone)
        return SessionFigures(
            await self._journal.totals(),
            await self._journal.totals(SessionQuery(since=since, until=until)),
        )

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> Sequence[SessionGroup]:
        """Sums over the ended sessions per socket or per card, most energy first."""
        return await self._journal.statistics(by, query, limit=limit)

    async def export(
        self, query: SessionQuery = ALL_SESSIONS
    ) -> AsyncIterator[Sequence[SessionRecord]]:
        """Every session that matches, newest first, in batches. Sessions that begin meanwhile are
        left out, and none is repeated."""
        before: str | None = None
        while records := await self._journal.batch(query, before=before, limit=EXPORT_BATCH):
            yield records
            before = records[-1].session_id

    async def anonymise(
        self, principal: Principal, *, id_token: str | None = None, sessions: Sequence[str] = ()
    ) -> int:
        """Erase the tokens of sessions, chosen by token or by session; how many sessions. A running
        session keeps its token, and one that waits for the backend does until it is delivered."""
        require(principal, Role.OPERATOR)
        if not (id_token or sessions):
            raise Refused("invalid", N_("Name the card or the sessions to make anonymous."))
        return await self._journal.anonymise(id_token=id_token, sessions=sessions)
