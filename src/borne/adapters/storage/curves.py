"""Curves of the sessions, in a separate database that may lose its newest points.

Trouble with the disk is logged and never raised: curves are shown to people, sessions do not need
them.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from borne.adapters.storage.connection import DatabaseConnection, Row
from borne.adapters.storage.database import Database, StorageClosed
from borne.adapters.storage.moments import BootDates, columns, moment
from borne.application.ports.storage import StorageDamaged, StorageFailed
from borne.domain.station.session import Sample
from borne.foundation.units import PerPhase

T = TypeVar("T")
_KEY = "SELECT key FROM curve WHERE session_id = ?"
_log = logging.getLogger(__name__)


class Curves:
    """Points of sessions. `has_room` says whether there is enough free space for data that may be
    lost; `put_aside` moves a damaged file away."""

    def __init__(
        self, database: Database, has_room: Callable[[], bool], put_aside: Callable[[], None]
    ) -> None:
        self._database = database
        self._has_room = has_room
        self._put_aside = put_aside
        self._failing = False
        self._restarted = False

    async def add(self, session_id: str, sample: Sample) -> None:
        """Add a point, if that is possible."""
        if not self._has_room():
            self._complain("the disk is nearly full")
            return
        await self._try(lambda: self._database.write(lambda c: _insert(c, session_id, sample)))

    async def read(self, session_id: str, boot_dates: BootDates) -> list[Sample]:
        """Return the points, oldest first."""
        found = await self._try(lambda: self._database.read(lambda c: _select(c, session_id)))
        return [_sample(row, boot_dates) for row in found or ()]

    async def forget(self, sessions: Sequence[str]) -> None:
        await self._try(lambda: self._database.write(lambda c: _delete(c, sessions)))

    async def close(self) -> None:
        """See `Database.close`."""
        await self._database.close()

    def abort(self) -> None:
        """See `Database.abort`."""
        self._database.abort()

    async def _try(self, work: Callable[[], Awaitable[T]]) -> T | None:
        try:
            answer = await work()
        except StorageClosed:
            raise
        except (StorageFailed, sqlite3.Error) as error:
            self._complain(str(error))
            await self._recover(error)
            return None
        self._failing = False
        return answer

    async def _recover(self, error: Exception) -> None:
        """Recreate the database after damage, at most once, since a failing disk would damage it
        again."""
        if not isinstance(error, StorageDamaged) or self._restarted:
            return
        self._restarted = True
        with suppress(StorageFailed):
            await self._database.restart(self._put_aside)

    def _complain(self, reason: str) -> None:
        if not self._failing:
            _log.warning("curves of sessions are not kept: %s", reason)
        self._failing = True


def _insert(connection: DatabaseConnection, session_id: str, sample: Sample) -> None:
    row = connection.execute(_KEY, (session_id,)).fetchone()
    if row is None:
        connection.execute("INSERT INTO curve (session_id) VALUES (?)", (session_id,))
        row = connection.execute("SELECT last_insert_rowid()").fetchone()
    key = row[0]
    last = connection.execute("SELECT max(number) FROM sample WHERE key = ?", (key,)).fetchone()[0]
    connection.execute(
        "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            (last or 0) + 1,
            *columns(sample.at, {}),
            sample.register_wh,
            *sample.current_a,
            *sample.voltage_v,
            sample.power_w,
            sample.offered_a,
            sample.context,
        ),
    )


def _select(connection: DatabaseConnection, session_id: str) -> list[Row]:
    return connection.execute(
        f"SELECT * FROM sample WHERE key = ({_KEY}) ORDER BY number",  # noqa: S608 - constant
        (session_id,),
    ).fetchall()


def _delete(connection: DatabaseConnection, sessions: Sequence[str]) -> None:
    ids = [(session_id,) for session_id in sessions]
    connection.executemany(f"DELETE FROM sample WHERE key = ({_KEY})", ids)  # noqa: S608 - constant
    connection.executemany("DELETE FROM curve WHERE session_id = ?", ids)


def _sample(row: Row, boot_dates: BootDates) -> Sample:
    at = moment(*row[2:5])
    boot, monotonic_s, wall_us = columns(at, boot_dates)
    return Sample(
        at=moment(boot, monotonic_s, wall_us),
        register_wh=row[5],
        current_a=PerPhase(*row[6:9]),
        voltage_v=PerPhase(*row[9:12]),
        power_w=row[12],
        offered_a=row[13],
        context=row[14],
    )
