"""Undated moments in queued messages: found by columns, dated once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from borne.adapters.storage import message_forms
from borne.adapters.storage.connection import DatabaseConnection, Row
from borne.adapters.storage.message_forms import Unreadable
from borne.adapters.storage.moments import BootDates, dated
from borne.domain.station.transaction_messages import TransactionMessage

TABLES = ("message", "lost_message")
_STORED = "seq, form, kind, session_id, connector, payload"


def with_dates(message: TransactionMessage, boot_dates: BootDates) -> TransactionMessage:
    """Return the message with all known dates."""
    return message.with_moments(lambda moment: dated(moment, boot_dates))


def note(connection: DatabaseConnection, seq: int, message: TransactionMessage) -> None:
    """Store which moments of a message have no date."""
    connection.executemany(
        "INSERT OR REPLACE INTO message_undated (boot, seq, latest_s) VALUES (?, ?, ?)",
        [(boot, seq, latest_s) for boot, latest_s in _latest_undated(message).items()],
    )


def look_again(connection: DatabaseConnection, table: str) -> None:
    """Treat all messages as those of an older version: they were copied without their moments."""
    connection.execute(
        f"UPDATE {table} SET form = 0 WHERE form = ?",  # noqa: S608 - constant names
        (message_forms.FORM,),
    )


def date(connection: DatabaseConnection, boot: str, boot_dates: BootDates) -> int:
    """Date the moments of a boot in all messages; return in how many."""
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
                (message_forms.encode(with_dates(message, boot_dates)), seq),
            )
            number += 1
    connection.execute("DELETE FROM message_undated WHERE boot = ?", (boot,))
    return number


def undated(connection: DatabaseConnection) -> list[tuple[str, float]]:
    """Return the boots with undated moments in messages, each with its latest one."""
    query = "SELECT boot, max(latest_s) FROM message_undated GROUP BY boot"
    found = [(boot, latest_s) for boot, latest_s in connection.execute(query).fetchall()]
    for table in TABLES:
        for _, message in _of_older(connection, table):
            found += _latest_undated(message).items()
    return found


def _adopt(connection: DatabaseConnection) -> None:
    """Register the undated moments in messages of an older version. Unreadable messages stay as
    they are; `oldest` finds them."""
    for table in TABLES:
        for seq, message in _of_older(connection, table):
            note(connection, seq, message)
            connection.execute(
                f"UPDATE {table} SET form = ? WHERE seq = ?",  # noqa: S608 - constant names
                (message_forms.FORM, seq),
            )


def _of_older(connection: DatabaseConnection, table: str) -> list[tuple[int, TransactionMessage]]:
    rows = connection.execute(f"SELECT {_STORED} FROM {table} WHERE form = 0").fetchall()  # noqa: S608 - same
    return list(_decoded(rows))


def _decoded(rows: Iterable[Row]) -> Iterator[tuple[int, TransactionMessage]]:
    for seq, *stored in rows:
        with suppress(Unreadable):
            yield seq, message_forms.read(seq, *stored)


def _latest_undated(message: TransactionMessage) -> dict[str, float]:
    """Return the latest undated moment of each boot."""
    latest: dict[str, float] = {}
    for moment in message.moments:
        if moment.wall is None:
            latest_s = latest.get(moment.boot_id, moment.monotonic_s)
            latest[moment.boot_id] = max(latest_s, moment.monotonic_s)
    return latest
