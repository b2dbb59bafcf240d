"""What waits for the backend, for people: how much of what, since when, and each message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from borne.application.ports.storage import LostMessage, Outbox, QueuedMessage
from borne.foundation.clock import Clock, Moment, format_utc

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class QueueView:
    """`messages` are the oldest ones, in the order in which they go; `lost` the newest of those
    that were given up."""

    waiting: int
    kinds: Mapping[str, int]
    oldest_at: str | None
    messages: tuple[Mapping[str, Any], ...]
    lost: tuple[Mapping[str, Any], ...]


class QueueReader(Protocol):
    """Reads it anew."""

    async def __call__(self, limit: int = MOST_SHOWN) -> QueueView:
        """With so many messages of each kind of list at most."""


async def no_queue(limit: int = MOST_SHOWN) -> QueueView:  # noqa: ARG001 -- a QueueReader
    """Of a station that queues nothing."""
    return QueueView(0, {}, None, (), ())


async def queue_view(outbox: Outbox, clock: Clock, limit: int = MOST_SHOWN) -> QueueView:
    """As it is now; undated moments are dated if that is possible by now, else None."""
    kinds = {kind.value: number for kind, number in (await outbox.kinds()).items()}
    messages = tuple(_waiting(one, clock) for one in await outbox.content(limit))
    return QueueView(
        waiting=sum(kinds.values()),
        kinds=kinds,
        oldest_at=messages[0]["queued_at"] if messages else None,
        messages=messages,
        lost=tuple(_lost(one, clock) for one in await outbox.lost(limit)),
    )


def _waiting(queued: QueuedMessage, clock: Clock) -> dict[str, Any]:
    message = queued.message
    return {
        "seq": queued.seq,
        "message_id": queued.message_id,
        "action": message.kind.value,
        "connector": message.connector,
        "session_id": message.session_id,
        "transaction_id": queued.transaction_id,
        "attempts": queued.attempts,
        "queued_at": _dated(queued.enqueued_at, clock),
        "may_be_thinned": message.droppable,
    }


def _lost(lost: LostMessage, clock: Clock) -> dict[str, Any]:
    return {
        **_waiting(lost.message, clock),
        "reason": lost.reason,
        "lost_at": _dated(lost.lost_at, clock),
    }


def _dated(moment: Moment, clock: Clock) -> str | None:
    when = clock.date(moment)
    return None if when is None else format_utc(when)
