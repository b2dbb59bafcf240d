"""Rows of the queue of transaction messages (OCPP 1.6 errata 3.14 and 3.18).

Every function works inside the transaction of its caller, so that a session and its message are
committed together.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from borne.adapters.storage import message_forms
from borne.adapters.storage.connection import Connection, Row, changes
from borne.adapters.storage.moments import Datings, dated, read_datings
from borne.application.ports.storage import LostMessage, QueuedMessage
from borne.domain.station.transaction_messages import MessageKind, TransactionMessage
from borne.foundation.clock import Moment

GIVEN_UP = -1
"""Transaction id of a session whose Start was given up (errata 3.18)."""

_THINNING = 8
"""One of so many droppable messages goes at a time: a sort for each insert would be slow."""

_QUEUED = (
    "m.seq, message_id, kind, m.session_id, m.connector, payload, droppable, attempts, enqueued_at,"
    " form"
)
_STORED = "seq, form, kind, session_id, connector, payload"
TABLES = ("message", "lost_message")
_log = logging.getLogger(__name__)


def insert(
    connection: Connection, message: TransactionMessage, at: Moment, limit: int
) -> int | None:
    """Queue a message; its number, or None when a full queue had no room for it.

    A full queue loses some droppable messages, those with the nearest neighbours first, so that
    what is left still covers the whole time; it never loses another one, but grows past its limit.
    """
    full = _is_full(connection, limit)
    if full and not _make_room(connection) and message.droppable:
        _count_thinned(connection, message.session_id, 1)
        return None
    has_undated = any(moment.wall is None for moment in message.moments)
    if has_undated:
        message = _dated(message, read_datings(connection))
    connection.execute(
        "INSERT INTO message (message_id, kind, session_id, connector, payload, droppable,"
        " enqueued_at, form) VALUES ('', ?, ?, ?, ?, ?, ?, ?)",
        (
            message.kind,
            message.session_id,
            message.connector,
            message_forms.encode(message),
            message.droppable,
            at.to_text(),
            message_forms.FORM,
        ),
    )
    seq = int(connection.execute("SELECT last_insert_rowid()").fetchone()[0])
    if has_undated:
        _note_undated(connection, seq, message)
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
    found = []
    for row in rows:
        *queued, reason, lost_at = row
        with suppress(Unreadable):
            found.append(LostMessage(_queued(tuple(queued)), reason, _moment(lost_at)))
    return found


def _readable(rows: list[Row]) -> list[QueuedMessage]:
    found = []
    for row in rows:
        with suppress(Unreadable):
            found.append(_queued(row))
    return found


def look_again(connection: Connection, table: str) -> None:
    """Treat all messages as those of an older program: they were copied without their moments."""
    connection.execute(
        f"UPDATE {table} SET form = 0 WHERE form = ?",  # noqa: S608 - constant names
        (message_forms.FORM,),
    )


def date(connection: Connection, boot: str, datings: Datings) -> int:
    """Give the moments of a boot their dates, in all messages that have some; in how many."""
    _adopt(connection)
    number = 0
    for table in TABLES:
        rows = connection.execute(
            f"SELECT {_STORED} FROM {table}"  # noqa: S608 - same
            " WHERE seq IN (SELECT seq FROM message_undated WHERE boot = ?)",
            (boot,),
        ).fetchall()
        for seq, message in _decoded(rows):
            connection.execute(
                f"UPDATE {table} SET payload = ? WHERE seq = ?",  # noqa: S608 - same
                (message_forms.encode(_dated(message, datings)), seq),
            )
            number += 1
    connection.execute("DELETE FROM message_undated WHERE boot = ?", (boot,))
    return number


def undated(connection: Connection) -> list[tuple[str, float]]:
    """Boots with moments without a date in messages, and the latest of these."""
    query = "SELECT boot, max(latest_s) FROM message_undated GROUP BY boot"
    found = [(boot, latest_s) for boot, latest_s in connection.execute(query).fetchall()]
    for table in TABLES:
        for _, message in _of_older(connection, table):
            found += _latest_undated(message).items()
    return found


def anonymise(connection: Connection, session_id: str, tokens: set[str]) -> None:
    """Erase tokens from the messages of a session that were given up."""
    for seq, payload in connection.execute(
        "SELECT seq, payload FROM lost_message WHERE session_id = ?", (session_id,)
    ).fetchall():
        erased = message_forms.without_tokens(payload, tokens)
        connection.execute("UPDATE lost_message SET payload = ? WHERE seq = ?", (erased, seq))


def _adopt(connection: Connection) -> None:
    """Note the moments without a date in what an older program stored. What cannot be read stays
    as it is: `oldest` finds it."""
    for table in TABLES:
        for seq, message in _of_older(connection, table):
            _note_undated(connection, seq, message)
            connection.execute(
                f"UPDATE {table} SET form = ? WHERE seq = ?",  # noqa: S608 - constant names
                (message_forms.FORM, seq),
            )


def _of_older(connection: Connection, table: str) -> list[tuple[int, TransactionMessage]]:
    rows = connection.execute(f"SELECT {_STORED} FROM {table} WHERE form = 0").fetchall()  # noqa: S608 - same
    return list(_decoded(rows))


def _decoded(rows: Iterable[Row]) -> Iterator[tuple[int, TransactionMessage]]:
    for seq, *stored in rows:
        with suppress(Unreadable):
            yield seq, _message(seq, *stored)


def _dated(message: TransactionMessage, datings: Datings) -> TransactionMessage:
    return message.with_moments(lambda moment: dated(moment, datings))


def _note_undated(connection: Connection, seq: int, message: TransactionMessage) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO message_undated (boot, seq, latest_s) VALUES (?, ?, ?)",
        [(boot, seq, latest_s) for boot, latest_s in _latest_undated(message).items()],
    )


def _latest_undated(message: TransactionMessage) -> dict[str, float]:
    """The latest moment without a date of each boot."""
    latest: dict[str, float] = {}
    for moment in message.moments:
        if moment.wall is None:
            latest_s = latest.get(moment.boot_id, moment.monotonic_s)
            latest[moment.boot_id] = max(latest_s, moment.monotonic_s)
    return latest


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


def give_up(connection: Connection, seq: int, reason: str, at: Moment) -> None:
    """Move a message to the lost ones; without its Start a session goes on as -1."""
    connection.execute(
        "INSERT INTO lost_message (seq, message_id, kind, session_id, connector, payload,"  # noqa: S608 - constant columns
        " droppable, attempts, enqueued_at, form, transaction_id, reason, lost_at)"
        f" SELECT {_QUEUED}, s.transaction_id, ?, ? FROM message m"
        " LEFT JOIN session s ON s.session_id = m.session_id WHERE m.seq = ?",
        (reason, at.to_text(), seq),
    )
    if not changes(connection):
        return
    connection.execute("UPDATE session SET transaction_id = ? WHERE start_seq = ?", (GIVEN_UP, seq))
    connection.execute("DELETE FROM message WHERE seq = ?", (seq,))


def _queued(row: Row) -> QueuedMessage:
    seq, message_id, kind, session_id, connector, payload, _, attempts, at, form, number = row
    message = _message(seq, form, kind, session_id, connector, payload)
    transaction_id = None if message.kind is MessageKind.START else number
    return QueuedMessage(seq, message_id, message, transaction_id, attempts, _moment(at))


def _moment(text: str) -> Moment:
    """When something was queued or given up is for people: it costs no message."""
    try:
        return Moment.from_text(text)
    except (ValueError, AttributeError):
        return Moment("", 0.0, None)


def _message(
    seq: int, form: int, kind: str, session_id: str | None, connector: int, payload: str
) -> TransactionMessage:
    try:
        return message_forms.decode(form, kind, session_id, connector, payload)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Unreadable(seq) from None


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
