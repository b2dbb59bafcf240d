"""The queue for the backend, for users: counts, age, and the messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from borne.application.ports.storage import LostMessage, Outbox, QueuedMessage
from borne.domain.station.transaction_messages import MessageKind
from borne.foundation.clock import Clock

MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message of the queue."""

    queued: QueuedMessage
    queued_at: datetime | None
    """None while the date is unknown; likewise below."""


@dataclass(frozen=True, slots=True)
class GivenUpMessage:
    """A message that was given up, and why."""

    queued: QueuedMessage
    queued_at: datetime | None
    reason: str
    lost_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """`messages` are the oldest, in the order of sending; `lost` are the newest that were given
    up."""

    waiting: int
    kinds: Mapping[MessageKind, int]
    oldest_at: datetime | None
    messages: tuple[WaitingMessage, ...]
    lost: tuple[GivenUpMessage, ...]


class QueueReader(Protocol):
    """Reads the queue."""

    async def __call__(self, limit: int = MAX_SHOWN) -> QueueView:
        """Read at most `limit` messages of each list."""


async def no_queue(limit: int = MAX_SHOWN) -> QueueView:  # noqa: ARG001 -- a QueueReader
    """The view of a station without a queue."""
    return QueueView(0, {}, None, (), ())


async def queue_view(outbox: Outbox, clock: Clock, limit: int = MAX_SHOWN) -> QueueView:
    """The present queue; undated moments get a date, if it is known by now."""
    kinds = await outbox.kinds()
    messages = tuple(_waiting(queued, clock) for queued in await outbox.content(limit))
    return QueueView(
        waiting=sum(kinds.values()),
        kinds=kinds,
        oldest_at=messages[0].queued_at if messages else None,
        messages=messages,
        lost=tuple(_given_up(lost, clock) for lost in await outbox.lost(limit)),
    )


def _waiting(queued: QueuedMessage, clock: Clock) -> WaitingMessage:
    return WaitingMessage(queued, clock.date(queued.enqueued_at))


def _given_up(lost: LostMessage, clock: Clock) -> GivenUpMessage:
    queued_at = clock.date(lost.message.enqueued_at)
    return GivenUpMessage(lost.message, queued_at, lost.reason, clock.date(lost.lost_at))
