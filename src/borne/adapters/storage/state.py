"""Small durable values behind `ports.StateStore`."""

from __future__ import annotations

import json

from borne.adapters.storage.connection import DatabaseConnection, Row
from borne.adapters.storage.database import Database
from borne.adapters.storage.first_answers import FirstAnswers
from borne.adapters.storage.message_forms import json_text
from borne.foundation.json_value import JsonValue


class SqlState:
    """See `ports.StateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first: FirstAnswers[Row] = FirstAnswers(database, _all, otherwise=())

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first.read(connection)

    async def get(self, key: str) -> JsonValue:
        """Return the value. What is no JSON, or could not be stored again (NaN, half a surrogate
        pair), is returned as text, and its reader must reject it."""
        query = "SELECT value FROM state WHERE key = ?"
        row = await self._first.get(key, lambda c: c.execute(query, (key,)).fetchone() or ())
        if not row:
            return None
        try:
            value: JsonValue = json.loads(row[0])
            json_text(value).encode()
        except (ValueError, TypeError, RecursionError):
            return str(row[0])
        return value

    async def put(self, key: str, value: JsonValue) -> None:
        """Store a value durably; None removes it."""
        text = json_text(value)

        def job(connection: DatabaseConnection) -> None:
            if value is None:
                connection.execute("DELETE FROM state WHERE key = ?", (key,))
            else:
                connection.execute(
                    "INSERT INTO state VALUES (?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, text),
                )

        self._first.forget(key)
        await self._database.write(job)


def _all(connection: DatabaseConnection) -> dict[str, Row]:
    return {key: (value,) for key, value in connection.execute("SELECT * FROM state").fetchall()}
