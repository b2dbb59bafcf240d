"""The durable, ordered queue of transaction messages behind `ports.Outbox`."""

from __future__ import annotations

import logging
from collections.abc import Callable

from borne.adapters.storage import messages
from borne.adapters.storage.connection import DatabaseConnection
from borne.adapters.storage.database import Database, StorageClosed
from borne.adapters.storage.message_forms import Unreadable
from borne.application.ports.storage import LostMessage, QueuedMessage
from borne.domain.station.transaction_messages import MessageKind
from borne.foundation.clock import Clock
from borne.foundation.messages import N_, Message
from borne.foundation.waiting import Flag

_UNREADABLE = N_(
    "Message {seq} for the backend could not be read and was put aside: the backend may lack a "
    "begin, an end or energy of a transaction."
)
_KINDS = frozenset(kind.value for kind in MessageKind)
_log = logging.getLogger(__name__)


class SqlOutbox:
    """See `ports.Outbox`."""

    def __init__(
        self, database: Database, clock: Clock, notify: Callable[[Message], None] = lambda _: None
    ) -> None:
        self._database = database
        self._clock = clock
        self._notify = notify
        self._revision = 1
        self._found_empty_at = 0
        self._changed = Flag()
        self._waiting = 0
        self._opened_empty = False
        """Nothing waited at the opening; holds until `wake`."""

    @property
    def waiting(self) -> int:
        """Number of waiting messages at the last change."""
        return self._waiting

    def count(self, connection: DatabaseConnection) -> None:
        """Update the count; part of every job that changes the queue."""
        self._waiting = int(connection.execute("SELECT count(*) FROM message").fetchone()[0])

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self.count(connection)
        self._opened_empty = self._waiting == 0

    async def next(self) -> QueuedMessage | None:
        """Return the oldest message without a committed answer."""
        revision = self._revision
        if self._opened_empty and not self._database.closed:
            self._found_empty_at = revision
            return None
        try:
            found = await self._database.read(lambda c: messages.oldest(c, 1))
        except Unreadable as error:
            notice = Message(_UNREADABLE, {"seq": error.seq})
            _log.error("%s", notice)
            await self.discard(error.seq, "it cannot be read")
            self._notify(notice)
            return await self.next()
        if not found:
            self._found_empty_at = revision
            return None
        return found[0]

    async def end_waits(self, connector: int) -> bool:
        """Whether a StopTransaction of this connector waits for its first delivery."""
        if self._opened_empty and not self._database.closed:
            return False
        return await self._database.read(lambda c: messages.end_waits(c, connector))

    async def answered(
        self,
        seq: int,
        *,
        transaction_id: int | None = None,
        id_status: str | None = None,
        group_id: str | None = None,
    ) -> None:
        def job(connection: DatabaseConnection) -> None:
            messages.answer(connection, seq, transaction_id, id_status, group_id)
            self.count(connection)

        await self._database.write_finishing(job)

    async def failed(self, seq: int) -> int:
        """Count a failed attempt; return the attempts so far."""
        return await self._database.write_finishing(lambda c: messages.count_failure(c, seq))

    async def discard(self, seq: int, reason: str) -> None:
        """Give up a message."""
        at = self._clock.moment()

        def job(connection: DatabaseConnection) -> None:
            messages.give_up(connection, seq, reason, at)
            self.count(connection)

        await self._database.write_finishing(job)

    async def length(self) -> int:
        return await self._database.read(
            lambda c: int(c.execute("SELECT count(*) FROM message").fetchone()[0])
        )

    async def content(self, limit: int = 100) -> list[QueuedMessage]:
        return await self._database.read(lambda c: messages.oldest(c, limit, readable=True))

    async def kinds(self) -> dict[MessageKind, int]:
        """Return how many messages of each kind wait."""
        rows = await self._database.read(
            lambda c: c.execute("SELECT kind, count(*) FROM message GROUP BY kind").fetchall()
        )
        found = {MessageKind(kind): int(number) for kind, number in rows if kind in _KINDS}
        return {kind: found[kind] for kind in MessageKind if kind in found}

    async def lost(self, limit: int = 100) -> list[LostMessage]:
        """Return the messages given up, newest first."""
        return await self._database.read(lambda c: messages.lost(c, limit))

    async def wait_for_work(self) -> None:
        """Return when a message was queued after `next` found none."""
        while self._revision == self._found_empty_at:
            if self._database.closed:
                raise StorageClosed
            self._changed.clear()
            await self._changed.wait()

    def wake(self) -> None:
        """Wake the waiter: a message may have been queued, or the storage was closed."""
        self._opened_empty = False
        self._revision += 1
        self._changed.set()

    def release(self) -> None:
        """Wake those that wait: the storage was closed."""
        self._changed.set()
