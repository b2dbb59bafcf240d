"""What is read from the sessions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from borne.adapters.storage import message_moments, session_rows
from borne.adapters.storage.connection import Connection, Row
from borne.adapters.storage.moments import to_us
from borne.application.ports.storage import SessionGroup, SessionGrouping, SessionTotals
from borne.domain.station.session import SessionRecord
from borne.domain.vehicle import Identity, IdentityKind

_SUMS = "count(*), total(max(0, meter_stop_wh - meter_start_wh)), total(s), count(s)"
# Within a boot the monotonic clock is exact; across boots only the dates are comparable.
_ENDED = (
    "SELECT *, max(0, CASE WHEN start_boot = end_boot THEN end_s - start_s"
    " ELSE (end_us - start_us) / 1e6 END) AS s FROM session WHERE end_boot IS NOT NULL"
)
_KEYS = {SessionGrouping.CONNECTOR: "connector", SessionGrouping.CARD: "identity_kind, id_token"}
_log = logging.getLogger(__name__)
_SELECT = f"SELECT {session_rows.COLUMNS} FROM session"  # noqa: S608 - constant columns


def open_sessions(connection: Connection) -> list[SessionRecord]:
    """Without an end, oldest first."""
    rows = connection.execute(f"{_SELECT} WHERE end_boot IS NULL ORDER BY number").fetchall()
    return _readable(rows)


def get(connection: Connection, session_id: str) -> SessionRecord | None:
    """One session."""
    row = connection.execute(f"{_SELECT} WHERE session_id = ?", (session_id,)).fetchone()
    return session_rows.record(row) if row else None


def find_transaction(connection: Connection, transaction_id: int) -> SessionRecord | None:
    """The session of that name; a running one before an ended one, a new one before an old one.
    The id of sessions whose Start was given up names none."""
    if transaction_id < 0:
        return None
    row = connection.execute(
        f"{_SELECT} WHERE transaction_id = ? ORDER BY end_boot IS NOT NULL, number DESC LIMIT 1",
        (transaction_id,),
    ).fetchone()
    return session_rows.record(row) if row else None


def where(
    connector: int | None = None,
    id_token: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[str, list[Any]]:
    """A condition and its parameters; since <= start < until."""
    parts = {
        "connector = ?": connector,
        "id_token = ?": id_token,
        "start_us >= ?": None if since is None else to_us(since),
        "start_us < ?": None if until is None else to_us(until),
    }
    used = {part: value for part, value in parts.items() if value is not None}
    return " AND ".join(used) or "1", list(used.values())


def page(
    connection: Connection, condition: tuple[str, list[Any]], offset: int, limit: int
) -> tuple[list[SessionRecord], int]:
    """Newest first, and how many there are in all."""
    text, values = condition
    count = connection.execute(f"SELECT count(*) FROM session WHERE {text}", values).fetchone()[0]  # noqa: S608 - `where` has constant parts
    rows = connection.execute(
        f"{_SELECT} WHERE {text} ORDER BY number DESC LIMIT ? OFFSET ?", [*values, limit, offset]
    ).fetchall()
    return _readable(rows), int(count)


def _readable(rows: Iterable[Row]) -> list[SessionRecord]:
    """A row that cannot be read stays in the database for service, and is in nobody's way."""
    found = []
    for row in rows:
        try:
            found.append(session_rows.record(row))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            _log.error("the stored session %s cannot be read: %s", row[0], error)
    return found


def totals(connection: Connection, condition: tuple[str, list[Any]]) -> SessionTotals:
    """Sums over the ended sessions."""
    text, values = condition
    query = f"SELECT {_SUMS} FROM ({_ENDED} AND {text})"  # noqa: S608 - as above
    return _totals(connection.execute(query, values).fetchone())


def statistics(
    connection: Connection, by: SessionGrouping, condition: tuple[str, list[Any]], limit: int
) -> list[SessionGroup]:
    """Sums over the ended sessions per socket or card, most energy first."""
    text, values = condition
    keys = _KEYS[by]
    rows = connection.execute(
        f"SELECT {_SUMS}, {keys} FROM ({_ENDED} AND {text})"  # noqa: S608 - as above
        f" GROUP BY {keys} ORDER BY 2 DESC, {keys} LIMIT ?",
        [*values, limit],
    ).fetchall()
    return [_group(by, row) for row in rows]


def _group(by: SessionGrouping, row: Row) -> SessionGroup:
    if by is SessionGrouping.CONNECTOR:
        return SessionGroup(int(row[4]), None, _totals(row))
    return SessionGroup(None, Identity(IdentityKind(row[4]), row[5]), _totals(row))


def _totals(row: Row) -> SessionTotals:
    return SessionTotals(int(row[0]), int(row[1]), float(row[2]), int(row[3]))


def undated(connection: Connection) -> dict[str, float]:
    """Boots with undated moments and the latest of these."""
    found = connection.execute(
        "SELECT start_boot, start_s FROM session WHERE start_us IS NULL UNION ALL"
        " SELECT end_boot, end_s FROM session WHERE end_boot IS NOT NULL AND end_us IS NULL"
    ).fetchall()
    found += message_moments.undated(connection)
    latest: dict[str, float] = {}
    for boot, monotonic_s in found:
        latest[boot] = max(latest.get(boot, monotonic_s), monotonic_s)
    return latest
