"""Sessions and their messages behind `ports.SessionJournal`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from borne.adapters.storage import messages, session_changes, session_periods, session_queries
from borne.adapters.storage.connection import DatabaseConnection
from borne.adapters.storage.curves import Curves
from borne.adapters.storage.database import Database, Job, StorageClosed
from borne.adapters.storage.first_answers import FirstAnswers
from borne.adapters.storage.moments import BootDate, read_boot_dates, to_us
from borne.application.ports.storage import (
    ALL_SESSIONS,
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
    StorageFailed,
)
from borne.domain.station.session import Sample, SessionEnd, SessionRecord, SessionStart
from borne.domain.station.transaction_messages import TransactionMessage
from borne.foundation.clock import Clock

T = TypeVar("T")
Enqueue = Callable[[DatabaseConnection], int | None]
_log = logging.getLogger(__name__)


class SqlJournal:
    """See `ports.SessionJournal`. `wake` is called when the queue may have grown."""

    def __init__(
        self,
        database: Database,
        curves: Curves,
        clock: Clock,
        queue_limit: int,
        wake: Callable[[], None],
        count: Callable[[DatabaseConnection], None],
    ) -> None:
        self._database = database
        self._curves = curves
        self._clock = clock
        self._queue_limit = queue_limit
        self._wake = wake
        self._count = count
        self._opened_empty = False
        """No session existed at the opening, and none has begun since."""
        self._first_open: FirstAnswers[list[SessionRecord]] = FirstAnswers(
            database, lambda c: {"open": session_queries.open_sessions(c)}
        )
        self._first_undated: FirstAnswers[dict[str, float]] = FirstAnswers(
            database, lambda c: {"undated": session_queries.undated(c)}
        )

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first_open.read(connection)
        self._first_undated.read(connection)
        self._opened_empty = not connection.execute("SELECT 1 FROM session LIMIT 1").fetchone()

    async def open(self, start: SessionStart, message: TransactionMessage | None) -> None:
        """Begin a session and queue its message, in one commit."""
        enqueue = self._enqueue(message)

        def job(connection: DatabaseConnection) -> None:
            session_changes.insert(connection, start)
            seq = enqueue(connection)
            if seq is not None:
                session_changes.name_start(connection, start.session_id, seq)

        await self._write(self._database.write, job)

    async def close(
        self, session_id: str, end: SessionEnd, message: TransactionMessage | None
    ) -> None:
        """End a session and queue its message, in one commit; a second end changes nothing."""
        enqueue = self._enqueue(message)

        def job(connection: DatabaseConnection) -> None:
            if session_changes.end(connection, session_id, end):
                enqueue(connection)

        await self._write(self._database.write_finishing, job)

    async def sample(
        self, session_id: str, sample: Sample, message: TransactionMessage | None
    ) -> None:
        """Add a point to the curve and queue its message."""
        enqueue = self._enqueue(message)

        def job(connection: DatabaseConnection) -> None:
            session_changes.note_sample(connection, session_id, sample)
            enqueue(connection)

        if message is not None:
            await self._write(self._database.write, job)
        else:
            await self._without_message(job)
        await self._curves.add(session_id, sample)

    async def queue(self, message: TransactionMessage) -> None:
        """Queue a message that belongs to no session."""
        enqueue = self._enqueue(message)

        def job(connection: DatabaseConnection) -> None:
            enqueue(connection)

        await self._write(self._database.write, job)

    async def open_sessions(self) -> list[SessionRecord]:
        """Return the sessions without an end, oldest first."""
        return await self._first_open.get("open", session_queries.open_sessions)

    async def get(self, session_id: str) -> SessionRecord | None:
        return await self._database.read(lambda c: session_queries.get(c, session_id))

    async def find_transaction(self, transaction_id: int) -> SessionRecord | None:
        """Return the session with this transaction id of the backend."""
        return await self._database.read(
            lambda c: session_queries.find_transaction(c, transaction_id)
        )

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[list[SessionRecord], int]:
        """Return sessions, newest first, and their total number."""
        return await self._database.read(
            lambda c: session_queries.page(c, query, offset, limit, before, after)
        )

    async def batch(
        self, query: SessionQuery, *, before: str | None = None, limit: int = 50
    ) -> list[SessionRecord]:
        """Like `page`, without the total number."""
        return await self._database.read(lambda c: session_queries.batch(c, query, limit, before))

    async def curve(self, session_id: str) -> list[Sample]:
        """Return the samples of a session, oldest first."""
        boot_dates = await self._database.read(read_boot_dates)
        return await self._curves.read(session_id, boot_dates)

    async def date(self, boot_id: str, wall: datetime, monotonic_s: float) -> int:
        """Date all undated moments of that boot, present and future; return how many are dated
        now."""
        boot_date = BootDate(to_us(wall), monotonic_s)
        return await self._write(
            self._database.write, lambda c: session_changes.date(c, boot_id, boot_date)
        )

    async def undated(self) -> dict[str, float]:
        """Return the boots with undated moments, each with its latest monotonic time."""
        return await self._first_undated.get("undated", session_queries.undated)

    async def totals(self, query: SessionQuery = ALL_SESSIONS) -> SessionTotals:
        """Return the sums over the ended sessions of the query."""
        return await self._figures(query, lambda c: session_queries.totals(c, query))

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> list[SessionGroup]:
        """Return the sums per socket or per card, highest energy first."""
        return await self._figures(query, lambda c: session_queries.statistics(c, by, query, limit))

    async def forget(self, before: datetime) -> int:
        """Delete sessions that ended before that date and have no queued messages; return how
        many."""
        if self._opened_empty and not self._database.closed:
            return 0
        self._forget_first()
        gone = await self._database.write(lambda c: session_changes.forget(c, to_us(before)))
        if gone:
            await self._curves.forget(gone)
        return len(gone)

    async def anonymise(self, *, id_token: str | None = None, sessions: Sequence[str] = ()) -> int:
        """Erase the tokens of ended sessions, by token or by session; return how many sessions."""
        return await self._database.write(
            lambda c: session_changes.anonymise(c, id_token, sessions)
        )

    def _enqueue(self, message: TransactionMessage | None) -> Enqueue:
        if message is None:
            return lambda _: None
        at = self._clock.moment()

        def enqueue(connection: DatabaseConnection) -> int | None:
            seq = messages.insert(connection, message, at, self._queue_limit)
            self._count(connection)
            return seq

        return enqueue

    async def _figures(self, query: SessionQuery, job: Job[T]) -> T:
        """Run a query for a page. The sums of a long period are stored from now on."""
        if await self._database.read(lambda c: session_periods.are_worthwhile(c, query)):
            try:
                await self._database.write_lazily(lambda c: session_periods.keep(c, query))
            except StorageClosed:
                raise
            except StorageFailed as error:
                _log.warning("the sums of a period are not kept: %s", error)
        return await self._database.read(job)

    async def _write(self, write: Callable[[Job[T]], Awaitable[T]], job: Job[T]) -> T:
        self._forget_first()
        try:
            return await write(job)
        finally:
            self._wake()

    def _forget_first(self) -> None:
        self._opened_empty = False
        self._first_open.forget()
        self._first_undated.forget()

    async def _without_message(self, job: Job[None]) -> None:
        self._forget_first()
        try:
            await self._database.write_lazily(job)
        except StorageClosed:
            raise
        except StorageFailed as error:
            # When the disk is full, samples are the first data to be dropped.
            _log.warning("a sample was not kept: %s", error)
