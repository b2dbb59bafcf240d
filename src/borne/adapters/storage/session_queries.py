"""Read operations on sessions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from borne.adapters.storage import message_moments, session_periods, session_rows
from borne.adapters.storage.connection import DatabaseConnection, Row
from borne.adapters.storage.session_periods import bounds
from borne.application.ports.storage import (
    ALL_SESSIONS,
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
)
from borne.domain.station.session import SessionRecord
from borne.domain.vehicle import Identity, IdentityKind

_DAY_US = 86_400_000_000
_SUMS = "sum(ended), sum(energy_wh), sum(duration_ms), sum(timed)"
_KEYS = {SessionGrouping.CONNECTOR: "connector", SessionGrouping.CARD: "identity_kind, id_token"}
_UNDATED_DAY = -1
_LAST = 2**62
"""Larger than any session number."""
_COMMON = "connector, begun, ended, energy_wh, duration_ms, timed"
_log = logging.getLogger(__name__)
_SELECT = f"SELECT {session_rows.COLUMNS} FROM session"  # noqa: S608 - constant columns


def open_sessions(connection: DatabaseConnection) -> list[SessionRecord]:
    """Return sessions without an end, oldest first."""
    rows = connection.execute(f"{_SELECT} WHERE end_boot IS NULL ORDER BY number").fetchall()
    return _readable(rows)


def get(connection: DatabaseConnection, session_id: str) -> SessionRecord | None:
    """One session."""
    row = connection.execute(f"{_SELECT} WHERE session_id = ?", (session_id,)).fetchone()
    return session_rows.record(row) if row else None


def find_transaction(connection: DatabaseConnection, transaction_id: int) -> SessionRecord | None:
    """The session with that transaction id: a running one before an ended one, a newer one before
    an older one. -1, which sessions have whose Start was given up, finds none."""
    if transaction_id < 0:
        return None
    row = connection.execute(
        f"{_SELECT} WHERE transaction_id = ? ORDER BY end_boot IS NOT NULL, number DESC LIMIT 1",
        (transaction_id,),
    ).fetchone()
    return session_rows.record(row) if row else None


def page(
    connection: DatabaseConnection,
    query: SessionQuery,
    offset: int,
    limit: int,
    before: str | None,
    after: str | None,
) -> tuple[list[SessionRecord], int]:
    """Return sessions, newest first, and their total number."""
    count = _count(connection, query)
    if after is None:
        return _readable(_older(connection, query, offset, limit, before)), count
    text, values = _where(connection, query, after=_number(connection, after, otherwise=_LAST))
    rows = connection.execute(
        f"{_SELECT} WHERE {text} ORDER BY number LIMIT ?", [*values, limit]
    ).fetchall()
    return _readable(rows[::-1]), count


def batch(
    connection: DatabaseConnection, query: SessionQuery, limit: int, before: str | None
) -> list[SessionRecord]:
    """Return sessions, newest first; empty only at the end."""
    while rows := _older(connection, query, 0, limit, before):
        records = _readable(rows)
        if records:
            return records
        before = rows[-1][0]
    return []


def _older(
    connection: DatabaseConnection, query: SessionQuery, offset: int, limit: int, before: str | None
) -> list[Row]:
    number = _LAST if before is None else _number(connection, before, otherwise=0)
    text, values = _where(connection, query, before=number)
    return connection.execute(
        f"{_SELECT} WHERE {text} ORDER BY number DESC LIMIT ? OFFSET ?", [*values, limit, offset]
    ).fetchall()


def _number(connection: DatabaseConnection, session_id: str, *, otherwise: int) -> int:
    row = connection.execute(
        "SELECT number FROM session WHERE session_id = ?", (session_id,)
    ).fetchone()
    return int(row[0]) if row else otherwise


def _where(
    connection: DatabaseConnection, query: SessionQuery, *, after: int = 0, before: int = _LAST
) -> tuple[str, list[Any]]:
    """Return a condition and its parameters. The session numbers of a period are known from its
    days, so that the rows are read in order of their numbers; a unary plus keeps the planner from
    sorting by date. There is one bound for the numbers on each side: SQLite uses only one for the
    search and scans to the other."""
    dates: dict[str, Any] = {}
    if query.since is not None or query.until is not None:
        since_us, until_us = bounds(query)
        first, last = connection.execute(
            "SELECT min(first_number), max(last_number) FROM session_day WHERE day BETWEEN ? AND ?",
            (since_us // _DAY_US, until_us // _DAY_US),
        ).fetchone()
        after, before = max(after, (first or 1) - 1), min(before, (last or 0) + 1)
        dates = {"+start_us >= ?": since_us, "+start_us < ?": until_us}
    parts: dict[str, Any] = {
        "connector = ?": query.connector,
        "id_token = ?": query.id_token,
        "number > ?": after or None,
        "number < ?": before if before < _LAST else None,
        **dates,
    }
    used = {part: value for part, value in parts.items() if value is not None}
    return " AND ".join(used) or "1", list(used.values())


def _count(connection: DatabaseConnection, query: SessionQuery) -> int:
    if query.id_token is None:
        parts, values = _parts(connection, query)
    elif query == SessionQuery(id_token=query.id_token):
        parts, values = "SELECT begun FROM session_card_sum WHERE id_token = ?", [query.id_token]
    else:
        text, values = _where(connection, query)
        parts = f"SELECT 1 AS begun FROM session WHERE {text}"  # noqa: S608 - `_where` has constant parts
    row = connection.execute(f"SELECT total(begun) FROM ({parts})", values).fetchone()  # noqa: S608 - same
    return int(row[0])


def _parts(connection: DatabaseConnection, query: SessionQuery) -> tuple[str, list[Any]]:
    """Return the rows that add up to the sums over the sessions: the stored sums of a period, or
    whole days and the sessions of those days that the period cuts."""
    only = "" if query.connector is None else " AND connector = ?"
    given = [] if query.connector is None else [query.connector]
    if query.since is None and query.until is None:
        return f"SELECT * FROM session_day WHERE day >= {_UNDATED_DAY}{only}", given  # noqa: S608 - constant
    period = session_periods.find(connection, query)
    if period is not None:
        kept = f"SELECT {_COMMON} FROM session_period_socket WHERE period = ?{only}"  # noqa: S608 - constant
        return kept, [period, *given]
    since_us, until_us = bounds(query)
    first, last = -(-since_us // _DAY_US), until_us // _DAY_US
    rows = f"SELECT {_COMMON} FROM session_part WHERE start_us >= ? AND start_us < ?{only}"  # noqa: S608 - constant
    if first >= last:
        return rows, [since_us, until_us, *given]
    days = f"SELECT {_COMMON} FROM session_day WHERE day >= ? AND day < ?{only}"  # noqa: S608 - constant
    return f"{days} UNION ALL {rows} UNION ALL {rows}", [
        *(first, last, *given),
        *(since_us, first * _DAY_US, *given),
        *(last * _DAY_US, until_us, *given),
    ]


def _readable(rows: Iterable[Row]) -> list[SessionRecord]:
    """Rows that cannot be read are logged and skipped; they stay in the database for service."""
    found = []
    for row in rows:
        try:
            found.append(session_rows.record(row))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            _log.error("the stored session %s cannot be read: %s", row[0], error)
    return found


def totals(connection: DatabaseConnection, query: SessionQuery) -> SessionTotals:
    """Return the sums over the ended sessions."""
    if query.id_token is not None:
        parts, values = _parts_of_cards(query)
    else:
        parts, values = _parts(connection, query)
    return _totals(connection.execute(f"SELECT {_SUMS} FROM ({parts})", values).fetchone())  # noqa: S608 - constant


def statistics(
    connection: DatabaseConnection, by: SessionGrouping, query: SessionQuery, limit: int
) -> list[SessionGroup]:
    """Return the sums over the ended sessions per socket or card, highest energy first."""
    keys = _KEYS[by]
    kept = _kept_by_card(connection, query) if by is SessionGrouping.CARD else None
    if kept is not None:
        sums, group, (parts, values) = "ended, energy_wh, duration_ms, timed", "", kept
    else:
        of_rows = by is SessionGrouping.CARD or query.id_token is not None
        parts, values = _parts_of_cards(query) if of_rows else _parts(connection, query)
        # A unary plus keeps the planner from reading all cards in order.
        sums, group = _SUMS, f"GROUP BY +{keys.replace(', ', ', +')}"
    rows = connection.execute(
        f"SELECT {sums}, {keys} FROM ({parts}) WHERE ended > 0 {group}"  # noqa: S608 - constant parts
        f" ORDER BY 2 DESC, {keys} LIMIT ?",
        [*values, limit],
    ).fetchall()
    return [_group(by, row) for row in rows]


def _kept_by_card(
    connection: DatabaseConnection, query: SessionQuery
) -> tuple[str, list[Any]] | None:
    """Return a query with a row for each card, where those are stored."""
    if query == ALL_SESSIONS:
        return "SELECT * FROM session_card_sum", []
    if query.connector is not None or query.id_token is not None:
        return None
    period = session_periods.find(connection, query)
    if period is None:
        return None
    return "SELECT * FROM session_period_card WHERE period = ?", [period]


def _parts_of_cards(query: SessionQuery) -> tuple[str, list[Any]]:
    """Return the sessions themselves, found by card or period."""
    since_us, until_us = bounds(query)
    dated = query.since is not None or query.until is not None
    parts: dict[str, Any] = {
        "connector = ?": query.connector,
        "id_token = ?": query.id_token,
        "start_us >= ?": since_us if dated else None,
        "start_us < ?": until_us if dated else None,
    }
    used = {part: value for part, value in parts.items() if value is not None}
    text = " AND ".join(used) or "1"
    return f"SELECT * FROM session_part WHERE {text}", list(used.values())  # noqa: S608 - constant


def _group(by: SessionGrouping, row: Row) -> SessionGroup:
    if by is SessionGrouping.CONNECTOR:
        return SessionGroup(int(row[4]), None, _totals(row))
    return SessionGroup(None, Identity(IdentityKind(row[4]), row[5]), _totals(row))


def _totals(row: Row) -> SessionTotals:
    sessions, energy_wh, duration_ms, timed = (int(value or 0) for value in row[:4])
    return SessionTotals(sessions, energy_wh, duration_ms / 1000, timed)


def undated(connection: DatabaseConnection) -> dict[str, float]:
    """Return the boots with undated moments, each with the latest of these."""
    found = connection.execute(
        "SELECT start_boot, start_s FROM session WHERE start_us IS NULL UNION ALL"
        " SELECT end_boot, end_s FROM session WHERE end_boot IS NOT NULL AND end_us IS NULL"
    ).fetchall()
    found += message_moments.undated(connection)
    latest: dict[str, float] = {}
    for boot, monotonic_s in found:
        latest[boot] = max(latest.get(boot, monotonic_s), monotonic_s)
    return latest
