"""Rows of the queue of transaction messages (OCPP 1.6 errata 3.14 and 3.18).

Every function works inside the transaction of its caller, so that a session and its message are
committed together.
"""

from __future__ import annotations

import json
import logging
import math
import uuid
from collections import Counter
from contextlib import suppress
from typing import Any

from borne.adapters.storage.connection import Connection, Row, changes
from borne.adapters.storage.moments import date_text, read_datings
from borne.application.ports.storage import (
    LostMessage,
    MessageKind,
    QueuedMessage,
    TransactionMessage,
)

GIVEN_UP = -1
"""Transaction id of a session whose Start was given up (errata 3.18)."""

_THINNING = 8
"""One of so many droppable messages goes at a time: a sort for each insert would be slow."""

_QUEUED = (
    "m.seq, message_id, kind, m.session_id, m.connector, payload, droppable, attempts, enqueued_at"
)
_log = logging.getLogger(__name__)


def encode(payload: Any) -> str:
    """JSON text as it is stored; raises TypeError or ValueError for what is no JSON."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def insert(
    connection: Connection, message: TransactionMessage, payload: str, at: str, limit: int
) -> int | None:
    """Queue a message; its number, or None when a full queue had no room for it.

    A full queue loses some droppable messages, those with the nearest neighbours first, so that
    what is left still covers the whole time; it never loses another one, but grows past its limit.
    """
    full = _is_full(connection, limit)
    if full and not _make_room(connection) and message.droppable:
        _count_thinned(connection, message.session_id, 1)
        return None
    if "moment:" in payload:
        payload = date_text(payload, read_datings(connection))
    connection.execute(
        "INSERT INTO message (message_id, kind, session_id, connector, payload, droppable,"
        " enqueued_at) VALUES ('', ?, ?, ?, ?, ?, ?)",
        (message.kind, message.session_id, message.connector, payload, message.droppable, at),
    )
    seq = int(connection.execute("SELECT last_insert_rowid()").fetchone()[0])
    namespace = connection.execute("SELECT message_namespace FROM identity").fetchone()[0]
    # The numbers are never used twice, so neither is an id, whatever a generator repeats.
    message_id = str(uuid.uuid5(uuid.UUID(namespace), str(seq)))
    connection.execute("UPDATE message SET message_id = ? WHERE seq = ?", (message_id, seq))
    return seq


class Unreadable(Exception):
    """A stored message is none."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"message {seq} cannot be read")
        self.seq = seq


def oldest(connection: Connection, limit: int, *, readable: bool = False) -> list[QueuedMessage]:
    """The first messages of the queue, with the transaction ids of now; only those that are
    `readable`, or raises Unreadable."""
    rows = connection.execute(
        f"SELECT {_QUEUED}, s.transaction_id FROM message m"  # noqa: S608 - constant columns
        " LEFT JOIN session s ON s.session_id = m.session_id ORDER BY m.seq LIMIT ?",
        (limit,),
    ).fetchall()
    return _readable(rows) if readable else [_queued(row) for row in rows]


def end_waits(connection: Connection, connector: int) -> bool:
    """Whether a StopTransaction of that connector was never tried."""
    row = connection.execute(
        "SELECT 1 FROM message WHERE kind = ? AND connector = ? AND attempts = 0 LIMIT 1",
        (MessageKind.STOP, connector),
    ).fetchone()
    return row is not None


def lost(connection: Connection, limit: int) -> list[LostMessage]:
    """Messages given up, the newest first."""
    rows = connection.execute(
        f"SELECT {_QUEUED}, transaction_id, reason, lost_at FROM lost_message m"  # noqa: S608 - same
        " ORDER BY m.seq DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [
        LostMessage(queued, row[10], row[11]) for row in rows for queued in _readable([row[:10]])
    ]


def _readable(rows: list[Row]) -> list[QueuedMessage]:
    found = []
    for row in rows:
        with suppress(Unreadable):
            found.append(_queued(row))
    return found


def answer(
    connection: Connection,
    seq: int,
    transaction_id: int | None,
    id_status: str | None,
    group_id: str | None = None,
) -> None:
    """Remove an answered message; the answer of a Start names its session, and the last answer
    holds."""
    if transaction_id is not None:
        connection.execute(
            "UPDATE session SET transaction_id = ? WHERE start_seq = ?", (transaction_id, seq)
        )
    if id_status is not None:
        connection.execute("UPDATE session SET id_status = ? WHERE start_seq = ?", (id_status, seq))
    if group_id is not None:
        # A session that is over needs no group, and may be anonymous by now.
        connection.execute(
            "UPDATE session SET group_id = ? WHERE start_seq = ? AND end_boot IS NULL",
            (group_id, seq),
        )
    connection.execute("DELETE FROM message WHERE seq = ?", (seq,))


def count_failure(connection: Connection, seq: int) -> int:
    """The failed attempts so far; 0 when the message is gone."""
    connection.execute("UPDATE message SET attempts = attempts + 1 WHERE seq = ?", (seq,))
    row = connection.execute("SELECT attempts FROM message WHERE seq = ?", (seq,)).fetchone()
    return int(row[0]) if row else 0


def give_up(connection: Connection, seq: int, reason: str, at: str) -> None:
    """Move a message to the lost ones; without its Start a session goes on as -1."""
    connection.execute(
        "INSERT INTO lost_message (seq, message_id, kind, session_id, connector, payload,"  # noqa: S608 - constant columns
        " droppable, attempts, enqueued_at, transaction_id, reason, lost_at)"
        f" SELECT {_QUEUED}, s.transaction_id, ?, ? FROM message m"
        " LEFT JOIN session s ON s.session_id = m.session_id WHERE m.seq = ?",
        (reason, at, seq),
    )
    if not changes(connection):
        return
    connection.execute("UPDATE session SET transaction_id = ? WHERE start_seq = ?", (GIVEN_UP, seq))
    connection.execute("DELETE FROM message WHERE seq = ?", (seq,))


def _queued(row: Row) -> QueuedMessage:
    seq, message_id, kind, session_id, connector, payload, droppable, attempts, at, number = row
    try:
        content = json.loads(payload)
        if not isinstance(content, dict):
            raise TypeError("a message is an object")
        message = TransactionMessage(
            MessageKind(kind), session_id, connector, content, bool(droppable)
        )
    except (ValueError, TypeError, RecursionError):
        raise Unreadable(seq) from None
    transaction_id = None if message.kind is MessageKind.START else number
    return QueuedMessage(seq, message_id, message, transaction_id, attempts, at)


def _is_full(connection: Connection, limit: int) -> bool:
    # The numbers in use bound the count; a count reads the whole queue.
    first = connection.execute("SELECT min(seq) FROM message").fetchone()[0]
    last = connection.execute("SELECT max(seq) FROM message").fetchone()[0]
    if first is None or last - first + 1 < limit:
        return False
    return bool(connection.execute("SELECT count(*) FROM message").fetchone()[0] >= limit)


def _make_room(connection: Connection) -> bool:
    """Thin the droppable messages; never the head, which may be on its way."""
    rows = connection.execute(
        "SELECT seq, session_id FROM message WHERE droppable = 1"
        " AND seq > (SELECT min(seq) FROM message) ORDER BY session_id, seq"
    ).fetchall()
    dropped = _densest(rows, max(1, len(rows) // _THINNING))
    connection.executemany("DELETE FROM message WHERE seq = ?", [(seq,) for seq, _ in dropped])
    for session_id, count in Counter(session for _, session in dropped).items():
        _count_thinned(connection, session_id, count)
    if dropped:
        _log.warning("the queue is full: %d intermediate meter values were dropped", len(dropped))
    return bool(dropped)


def _densest(rows: list[Row], count: int) -> list[Row]:
    """At most `count` of the (seq, session id), in order of the gap that each would leave behind
    in its session, and no two neighbours."""

    def gap(index: int) -> float:
        session = rows[index][1]
        before = index > 0 and rows[index - 1][1] == session
        after = index + 1 < len(rows) and rows[index + 1][1] == session
        return rows[index + 1][0] - rows[index - 1][0] if before and after else math.inf

    chosen: set[int] = set()
    for index in sorted(range(len(rows)), key=gap):
        if len(chosen) == count:
            break
        if index - 1 not in chosen and index + 1 not in chosen:
            chosen.add(index)
    return [rows[index] for index in chosen]


def _count_thinned(connection: Connection, session_id: str | None, count: int) -> None:
    connection.execute(
        "UPDATE session SET thinned_messages = thinned_messages + ? WHERE session_id = ?",
        (count, session_id),
    )
