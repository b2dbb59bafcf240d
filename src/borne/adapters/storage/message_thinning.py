"""Drops intermediate meter values from a full queue, so that the rest still covers the whole time
(OCPP 1.6 errata 3.14)."""

from __future__ import annotations

import logging
import math
from collections import Counter

from borne.adapters.storage.connection import DatabaseConnection, Row

_THINNING = 8
"""One in so many droppable messages is dropped at a time: a sort for each insert would be slow."""
_log = logging.getLogger(__name__)


def is_full(connection: DatabaseConnection, limit: int) -> bool:
    """True if at least `limit` messages wait."""
    # The range of numbers is an upper bound of the count; counting reads the whole queue.
    first = connection.execute("SELECT min(seq) FROM message").fetchone()[0]
    last = connection.execute("SELECT max(seq) FROM message").fetchone()[0]
    if first is None or last - first + 1 < limit:
        return False
    return bool(connection.execute("SELECT count(*) FROM message").fetchone()[0] >= limit)


def make_room(connection: DatabaseConnection) -> bool:
    """Drop some of the droppable messages, but never the head, which may be on its way."""
    rows = connection.execute(
        "SELECT seq, session_id FROM message WHERE droppable = 1"
        " AND seq > (SELECT min(seq) FROM message) ORDER BY session_id, seq"
    ).fetchall()
    dropped = _densest(rows, max(1, len(rows) // _THINNING))
    connection.executemany("DELETE FROM message WHERE seq = ?", [(seq,) for seq, _ in dropped])
    for session_id, count in Counter(session for _, session in dropped).items():
        count_thinned(connection, session_id, count)
    if dropped:
        _log.warning("the queue is full: %d intermediate meter values were dropped", len(dropped))
    return bool(dropped)


def _densest(rows: list[Row], count: int) -> list[Row]:
    """Return at most `count` of the (seq, session id), those that would leave the smallest gap in
    their session first, and no two neighbours."""

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


def count_thinned(connection: DatabaseConnection, session_id: str | None, count: int) -> None:
    """Count the dropped messages of each session, to be shown."""
    connection.execute(
        "UPDATE session SET thinned_messages = thinned_messages + ? WHERE session_id = ?",
        (count, session_id),
    )
