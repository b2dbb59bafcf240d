"""Rows of the queue of transaction messages (OCPP 1.6 errata 3.14 and 3.18).

Every function works inside the transaction of its caller, so that a session and its message are
committed together.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from borne.adapters.storage import message_forms, message_moments, message_thinning
from borne.adapters.storage.connection import DatabaseConnection, Row, changes
from borne.adapters.storage.message_forms import Unreadable
from borne.adapters.storage.moments import read_boot_dates
from borne.application.ports.storage import LostMessage, QueuedMessage
from borne.domain.station.transaction_messages import MessageKind, TransactionMessage
from borne.foundation.clock import Moment

GIVEN_UP = -1
"""Transaction id of a session whose StartTransaction was given up (errata 3.18)."""

_QUEUED = (
    "m.seq, message_id, kind, m.session_id, m.connector, payload, droppable, attempts, enqueued_at,"
    " form"
)


def insert(
    connection: DatabaseConnection, message: TransactionMessage, at: Moment, limit: int
) -> int | None:
    """Queue a message; returns its number, or None when the queue is full and it was dropped.

    A full queue loses some droppable messages, those with the nearest neighbours first, so that
    what is left still covers the whole time. It never drops another message, but grows past its
    limit.
    """
    full = message_thinning.is_full(connection, limit)
    if full and not message_thinning.make_room(connection) and message.droppable:
        message_thinning.count_thinned(connection, message.session_id, 1)
        return None
    has_undated = any(moment.wall is None for moment in message.moments)
    if has_undated:
        message = message_moments.with_dates(message, read_boot_dates(connection))
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
        message_moments.note(connection, seq, message)
    namespace = connection.execute("SELECT message_namespace FROM identity").fetchone()[0]
    # Numbers are never reused, so ids are unique even if the random generator repeats itself.
    message_id = str(uuid.uuid5(uuid.UUID(namespace), str(seq)))
    connection.execute("UPDATE message SET message_id = ? WHERE seq = ?", (message_id, seq))
    return seq


def oldest(
    connection: DatabaseConnection, limit: int, *, readable: bool = False
) -> list[QueuedMessage]:
    """Return the first messages of the queue, with their current transaction ids. With `readable`,
    unreadable ones are skipped; otherwise raises Unreadable."""
    rows = connection.execute(
        f"SELECT {_QUEUED}, s.transaction_id FROM message m"  # noqa: S608 - constant columns
        " LEFT JOIN session s ON s.session_id = m.session_id ORDER BY m.seq LIMIT ?",
        (limit,),
    ).fetchall()
    return _readable(rows) if readable else [_queued(row) for row in rows]


def end_waits(connection: DatabaseConnection, connector: int) -> bool:
    """True if a StopTransaction of that connector was never sent."""
    row = connection.execute(
        "SELECT 1 FROM message WHERE kind = ? AND connector = ? AND attempts = 0 LIMIT 1",
        (MessageKind.STOP, connector),
    ).fetchone()
    return row is not None


def lost(connection: DatabaseConnection, limit: int) -> list[LostMessage]:
    """Return the messages that were given up, newest first."""
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


def anonymise(connection: DatabaseConnection, session_id: str, tokens: set[str]) -> None:
    """Erase tokens from the given-up messages of a session."""
    for seq, payload in connection.execute(
        "SELECT seq, payload FROM lost_message WHERE session_id = ?", (session_id,)
    ).fetchall():
        erased = message_forms.without_tokens(payload, tokens)
        connection.execute("UPDATE lost_message SET payload = ? WHERE seq = ?", (erased, seq))


def answer(
    connection: DatabaseConnection,
    seq: int,
    transaction_id: int | None,
    id_status: str | None,
    group_id: str | None = None,
) -> None:
    """Remove an answered message. The answer to a StartTransaction sets the transaction id of its
    session; the last answer counts."""
    if transaction_id is not None:
        connection.execute(
            "UPDATE session SET transaction_id = ? WHERE start_seq = ?", (transaction_id, seq)
        )
    if id_status is not None:
        connection.execute("UPDATE session SET id_status = ? WHERE start_seq = ?", (id_status, seq))
    if group_id is not None:
        # An ended session needs no group, and may be anonymised already.
        connection.execute(
            "UPDATE session SET group_id = ? WHERE start_seq = ? AND end_boot IS NULL",
            (group_id, seq),
        )
    connection.execute("DELETE FROM message WHERE seq = ?", (seq,))


def count_failure(connection: DatabaseConnection, seq: int) -> int:
    """Count a failed attempt and return the total; 0 when the message no longer exists."""
    connection.execute("UPDATE message SET attempts = attempts + 1 WHERE seq = ?", (seq,))
    row = connection.execute("SELECT attempts FROM message WHERE seq = ?", (seq,)).fetchone()
    return int(row[0]) if row else 0


def give_up(connection: DatabaseConnection, seq: int, reason: str, at: Moment) -> None:
    """Move a message to the lost ones; a session without its StartTransaction continues as
    transaction -1."""
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
    message = message_forms.read(seq, form, kind, session_id, connector, payload)
    transaction_id = None if message.kind is MessageKind.START else number
    return QueuedMessage(seq, message_id, message, transaction_id, attempts, _moment(at))


def _moment(text: str) -> Moment:
    """The time of queueing or giving up is shown to people only: an unreadable one costs no
    message."""
    try:
        return Moment.from_text(text)
    except (ValueError, AttributeError):
        return Moment("", 0.0, None)
