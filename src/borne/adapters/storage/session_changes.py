"""Write operations on sessions; every function works inside the transaction of its caller."""

from __future__ import annotations

from collections.abc import Sequence

from borne.adapters.storage import message_moments, messages, session_rows
from borne.adapters.storage.connection import DatabaseConnection, changes
from borne.adapters.storage.moments import BootDate, columns, read_boot_dates
from borne.domain.station.session import Sample, SessionEnd, SessionStart
from borne.foundation.clock import Moment

_NOT_QUEUED = "session_id NOT IN (SELECT session_id FROM message WHERE session_id IS NOT NULL)"


def insert(connection: DatabaseConnection, start: SessionStart) -> None:
    """Insert a new session; raises ValueError when its id exists already."""
    if _known(connection, start.session_id):
        raise ValueError(f"there is a session {start.session_id} already")
    boot, monotonic_s, wall_us = _columns(connection, start.at)
    identity = start.identity
    connection.execute(
        "INSERT INTO session (session_id, connector, identity_kind, id_token, group_id,"
        " start_boot, start_s, start_us, meter_start_wh, reported, reservation_id, start_flags,"
        " last_wh, meter_serial) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            start.session_id,
            start.connector,
            identity.kind,
            identity.id_token,
            identity.group_id,
            boot,
            monotonic_s,
            wall_us,
            start.meter_start_wh,
            start.reported,
            start.reservation_id,
            session_rows.flags_text(start.flags),
            start.meter_start_wh,
            start.meter_serial,
        ),
    )


def name_start(connection: DatabaseConnection, session_id: str, seq: int) -> None:
    """Remember which message is the session's StartTransaction."""
    connection.execute("UPDATE session SET start_seq = ? WHERE session_id = ?", (seq, session_id))


def end(connection: DatabaseConnection, session_id: str, end: SessionEnd) -> bool:
    """End a session; False when it had ended already. Raises KeyError when it does not exist."""
    boot, monotonic_s, wall_us = _columns(connection, end.at)
    connection.execute(
        "UPDATE session SET end_boot = ?, end_s = ?, end_us = ?, meter_stop_wh = ?,"
        " end_reason = ?, end_id_token = ?, end_flags = ?, last_wh = max(last_wh, ?),"
        " max_power_w = max(max_power_w, ?)"
        " WHERE session_id = ? AND end_boot IS NULL",
        (
            boot,
            monotonic_s,
            wall_us,
            end.meter_stop_wh,
            end.reason,
            end.id_token,
            session_rows.flags_text(end.flags),
            end.meter_stop_wh,
            end.max_power_w,
            session_id,
        ),
    )
    if changes(connection):
        return True
    if not _known(connection, session_id):
        raise KeyError(session_id)
    return False


def note_sample(connection: DatabaseConnection, session_id: str, sample: Sample) -> None:
    """Store the last register value, its time, and the highest power of a running session."""
    connection.execute(
        "UPDATE session SET last_wh = max(last_wh, ?), max_power_w = max(max_power_w, ?),"
        " last_boot = ?, last_s = ?, last_us = ?"
        " WHERE session_id = ? AND end_boot IS NULL",
        (sample.register_wh, sample.power_w, *_columns(connection, sample.at), session_id),
    )


def date(connection: DatabaseConnection, boot: str, boot_date: BootDate) -> int:
    """Date every undated moment of a boot; return how many moments of sessions and messages were
    dated. The first date of a boot is kept, also for what is stored later."""
    connection.execute(
        "INSERT OR IGNORE INTO dating (boot, wall_us, monotonic_s) VALUES (?, ?, ?)",
        (boot, boot_date.wall_us, boot_date.monotonic_s),
    )
    boot_dates = read_boot_dates(connection)
    boot_date, dated = boot_dates[boot], 0
    for what in ("start", "end", "last"):
        rows = connection.execute(
            f"SELECT number, {what}_s FROM session"  # noqa: S608 - constant names
            f" WHERE {what}_boot = ? AND {what}_us IS NULL",
            (boot,),
        ).fetchall()
        connection.executemany(
            f"UPDATE session SET {what}_us = ? WHERE number = ?",  # noqa: S608 - constant names
            [(boot_date.at(monotonic_s), number) for number, monotonic_s in rows],
        )
        dated += len(rows) if what != "last" else 0
    return dated + message_moments.date(connection, boot, boot_dates)


def forget(connection: DatabaseConnection, before_us: int) -> list[str]:
    """Delete old ended sessions without queued messages, and old lost messages; returns the ids. A
    session without a date is as old as the dated ones around it."""
    last = connection.execute(
        "SELECT max(number) FROM session WHERE start_us < ?", (before_us,)
    ).fetchone()[0]
    if last is None:
        return []
    gone = connection.execute(
        "SELECT session_id FROM session WHERE end_boot IS NOT NULL AND number <= ?"  # noqa: S608 - constant
        f" AND coalesce(start_us, 0) < ? AND {_NOT_QUEUED}",
        (last, before_us),
    ).fetchall()
    connection.executemany("DELETE FROM session WHERE session_id = ?", gone)
    connection.executemany("DELETE FROM lost_message WHERE session_id = ?", gone)
    return [session_id for (session_id,) in gone]


def anonymise(connection: DatabaseConnection, id_token: str | None, sessions: Sequence[str]) -> int:
    """Erase the tokens of ended sessions and of their lost messages. Queued messages keep their
    tokens until they are delivered."""
    chosen = set(sessions)
    if id_token:
        rows = connection.execute(
            "SELECT session_id FROM session WHERE id_token = ? OR end_id_token = ?",
            (id_token, id_token),
        ).fetchall()
        chosen.update(session_id for (session_id,) in rows)
    return sum(_anonymise_one(connection, session_id) for session_id in chosen)


def _anonymise_one(connection: DatabaseConnection, session_id: str) -> int:
    row = connection.execute(
        "SELECT id_token, end_id_token, group_id FROM session"
        " WHERE session_id = ? AND end_boot IS NOT NULL",
        (session_id,),
    ).fetchone()
    if row is None:
        return 0
    connection.execute(
        "UPDATE session SET id_token = '', end_id_token = iif(end_id_token IS NULL, NULL, ''),"
        " group_id = NULL WHERE session_id = ?",
        (session_id,),
    )
    messages.anonymise(connection, session_id, {token for token in row if token})
    return 1


def _known(connection: DatabaseConnection, session_id: str) -> bool:
    query = "SELECT 1 FROM session WHERE session_id = ?"
    return connection.execute(query, (session_id,)).fetchone() is not None


def _columns(connection: DatabaseConnection, at: Moment) -> tuple[str, float, int | None]:
    return columns(at, {} if at.wall is not None else read_boot_dates(connection))
