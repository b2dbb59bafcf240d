"""The log of security events: each row contains its hash and that of the previous row, so that a
change, a gap or an exchange of rows is found (OCPP 1.6 security whitepaper, A04).

An attacker who can write the whole file can also compute a new chain; only a copy elsewhere helps
against that (critical events are reported to the backend). Dates that became known later are
resolved when the log is read: what was written is never changed.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from borne.adapters.storage.connection import DatabaseConnection, Row
from borne.adapters.storage.database import Database
from borne.adapters.storage.first_answers import FirstAnswers
from borne.adapters.storage.moments import columns, moment, read_boot_dates
from borne.application.ports.storage import LoggedSecurityEvent
from borne.foundation.clock import Moment

EVENTS_LIMIT = 20_000
"""Maximum number of events. Beyond it a block of the oldest is deleted; the chain continues from an
anchor."""
_BLOCK = 1_000
_WHOLE = 0
"""Instead of the number of an event: the chain is whole."""
_ROW = "seq, kind, detail, boot, monotonic_s, wall_us, hash"


class SqlSecurityLog:
    """See `ports.SecurityLog`."""

    def __init__(self, database: Database, limit: int = EVENTS_LIMIT, block: int = _BLOCK) -> None:
        self._database = database
        self._limit = limit
        self._block = block
        self._first_misfit: FirstAnswers[int] = FirstAnswers(database, _misfit_of_empty)
        self._first_page: FirstAnswers[list[LoggedSecurityEvent]] = FirstAnswers(
            database, lambda c: {} if _length(c) else {"page": []}
        )

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first_misfit.read(connection)
        self._first_page.read(connection)

    async def add(self, kind: str, detail: str, at: Moment) -> int:
        """Store an event; return its sequence number."""

        def job(connection: DatabaseConnection) -> int:
            seq, previous = _head(connection)
            content = (seq + 1, kind, detail, *columns(at, {}))
            connection.execute(
                f"INSERT INTO security_event ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant
                (*content, _hash(previous, content)),
            )
            self._trim(connection)
            return seq + 1

        self._first_misfit.forget()
        self._first_page.forget()
        return await self._database.write(job)

    async def page(self, *, after: int = 0, limit: int = 100) -> list[LoggedSecurityEvent]:
        """Return events in order."""

        def job(connection: DatabaseConnection) -> list[LoggedSecurityEvent]:
            boot_dates = read_boot_dates(connection)
            rows = connection.execute(
                f"SELECT {_ROW} FROM security_event WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - constant
                (after, limit),
            ).fetchall()
            return [
                LoggedSecurityEvent(
                    seq=row[0],
                    kind=row[1],
                    detail=row[2],
                    at=moment(*columns(moment(*row[3:6]), boot_dates)),
                    hash=row[6],
                )
                for row in rows
            ]

        return await self._first_page.get("page", job)

    async def verify(self) -> int | None:
        """Check the chain; return None when it is intact, else the number of the first event that
        does not fit."""
        return await self._first_misfit.get("misfit", lambda c: _first_misfit(c) or _WHOLE) or None

    def _trim(self, connection: DatabaseConnection) -> None:
        first, last = connection.execute("SELECT min(seq), max(seq) FROM security_event").fetchone()
        if last - first + 1 <= self._limit:
            return
        anchor = first + self._block - 1
        connection.execute(
            "UPDATE identity SET security_anchor_seq = ?, security_anchor_hash ="
            " (SELECT hash FROM security_event WHERE seq = ?)",
            (anchor, anchor),
        )
        connection.execute("DELETE FROM security_event WHERE seq <= ?", (anchor,))


def _length(connection: DatabaseConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM security_event").fetchone()[0])


def _misfit_of_empty(connection: DatabaseConnection) -> dict[str, int]:
    """Check an empty log at once; a long one is checked in a job of its own."""
    return {} if _length(connection) else {"misfit": _first_misfit(connection) or _WHOLE}


def _head(connection: DatabaseConnection) -> tuple[int, str]:
    """Return number and hash of the newest event."""
    row = connection.execute(
        "SELECT seq, hash FROM security_event ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return row or _anchor(connection)


def _anchor(connection: DatabaseConnection) -> tuple[int, str]:
    """Return number and hash of the newest event that was deleted for its age."""
    seq, previous = connection.execute(
        "SELECT security_anchor_seq, security_anchor_hash FROM identity"
    ).fetchone()
    return seq, previous


def _first_misfit(connection: DatabaseConnection) -> int | None:
    seq, previous = _anchor(connection)
    for row in connection.execute(f"SELECT {_ROW} FROM security_event ORDER BY seq").fetchall():  # noqa: S608 - constant
        *content, stored = row
        if row[0] != seq + 1 or stored != _hash(previous, content):
            return seq + 1
        seq, previous = row[0], stored
    # Numbers are used once: a number that was used after the newest row means that rows were
    # removed.
    given = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'security_event'"
    ).fetchone()
    return seq + 1 if given is not None and given[0] != seq else None


def _hash(previous: str, content: Row | list[Any]) -> str:
    text = json.dumps([previous, *content], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
