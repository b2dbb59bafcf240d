"""Stored sums of periods that pages show repeatedly, maintained by triggers.

See `docs/decisions/0202-figures-of-periods.md`.
"""

from __future__ import annotations

from borne.adapters.storage.connection import DatabaseConnection, changes
from borne.adapters.storage.moments import to_us
from borne.application.ports.storage import SessionQuery

MIN_SESSIONS = 200
"""Summing fewer sessions is faster than maintaining their sums."""
MAX_PERIODS = 48
NEVER_US = 2**62
_COLUMNS = ("begun", "ended", "energy_wh", "duration_ms", "timed")
_SUMS = ", ".join(f"? * sum({name})" for name in _COLUMNS)
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS)
_KEYS = {
    "session_period_socket": "connector",
    "session_period_card": "identity_kind, id_token",
}


def bounds(query: SessionQuery) -> tuple[int, int]:
    """Return the bounds in microseconds; dates before 1970 count as none."""
    since_us = 0 if query.since is None else max(0, to_us(query.since))
    return since_us, NEVER_US if query.until is None else max(0, to_us(query.until))


def find(connection: DatabaseConnection, query: SessionQuery) -> int | None:
    """Return the period whose stored sums answer the query; None when there is none. A period
    without an end may begin earlier or later, if no session begins between."""
    if query.since is None and query.until is None:
        return None
    since_us, until_us = bounds(query)
    row = connection.execute(
        "SELECT period, since_us FROM session_period"
        " WHERE until_us = ? AND (since_us = ? OR until_us = ?)",
        (until_us, since_us, NEVER_US),
    ).fetchone()
    if row is None:
        return None
    period, kept_since_us = row
    first_us, last_us = sorted((kept_since_us, since_us))
    return None if _begin_between(connection, first_us, last_us, most=1) else int(period)


def are_worthwhile(connection: DatabaseConnection, query: SessionQuery) -> bool:
    """True if sums of that period should be stored and are not yet."""
    if query.id_token is not None or (query.since is None and query.until is None):
        return False
    since_us, until_us = bounds(query)
    many = _begin_between(connection, since_us, until_us, most=MIN_SESSIONS) == MIN_SESSIONS
    return many and find(connection, query) is None


def keep(connection: DatabaseConnection, query: SessionQuery) -> None:
    """Store the sums of that period from now on, inside the caller's transaction. There is only one
    period without an end: it is moved."""
    if find(connection, query) is not None:
        return
    since_us, until_us = bounds(query)
    moving = connection.execute(
        "SELECT period, since_us FROM session_period WHERE until_us = ? AND until_us = ?",
        (until_us, NEVER_US),
    ).fetchone()
    if moving is None:
        _begin(connection, since_us, until_us)
    else:
        _move(connection, moving[0], moving[1], since_us)


def _begin(connection: DatabaseConnection, since_us: int, until_us: int) -> None:
    (newest,) = connection.execute("SELECT max(period) FROM session_period").fetchone()
    period = (newest or 0) + 1
    connection.execute("INSERT INTO session_period VALUES (?, ?, ?)", (until_us, since_us, period))
    _add(connection, period, since_us, until_us, 1)
    connection.execute("DELETE FROM session_period WHERE period <= ?", (period - MAX_PERIODS,))
    if changes(connection):
        for table in _KEYS:
            connection.execute(
                f"DELETE FROM {table} WHERE period <= ?",  # noqa: S608 - a constant name
                (period - MAX_PERIODS,),
            )


def _move(connection: DatabaseConnection, period: int, before_us: int, since_us: int) -> None:
    if since_us > before_us:
        _add(connection, period, before_us, since_us, -1)
    else:
        _add(connection, period, since_us, before_us, 1)
    connection.execute(
        "UPDATE session_period SET since_us = ? WHERE period = ?", (since_us, period)
    )


def _add(
    connection: DatabaseConnection, period: int, since_us: int, until_us: int, sign: int
) -> None:
    """Add the sessions that begin between, or subtract them."""
    between = "FROM session_part WHERE start_us >= ? AND start_us < ?"
    for table, keys in _KEYS.items():
        connection.execute(
            f"INSERT INTO {table} SELECT ?, {keys}, {_SUMS} {between} GROUP BY {keys}"
            f" ON CONFLICT DO UPDATE SET {_ADDED}",
            (period, *[sign] * len(_COLUMNS), since_us, until_us),
        )
        if sign < 0:
            connection.execute(
                f"DELETE FROM {table} WHERE period = ? AND begun = 0"  # noqa: S608 - constant names
                f" AND ({keys}) IN (SELECT {keys} {between})",
                (period, since_us, until_us),
            )


def _begin_between(connection: DatabaseConnection, since_us: int, until_us: int, most: int) -> int:
    """Count the sessions that begin in that time; `most` when there are more."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM session WHERE start_us >= ? AND start_us < ? LIMIT ?)",
        (since_us, until_us, most),
    ).fetchone()
    return int(row[0])
