"""Small durable facts behind `ports.StateStore`."""

from __future__ import annotations

import json
from typing import Any

from borne.adapters.storage.connection import Connection
from borne.adapters.storage.database import Database
from borne.adapters.storage.message_forms import json_text


class SqlState:
    """See `ports.StateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> Any:
        """JSON data or None; what is no JSON comes back as it is, for its reader to refuse."""
        query = "SELECT value FROM state WHERE key = ?"
        row = await self._database.read(lambda c: c.execute(query, (key,)).fetchone())
        if row is None:
            return None
        try:
            return json.loads(row[0])
        except (ValueError, TypeError, RecursionError):
            return str(row[0])

    async def put(self, key: str, value: Any) -> None:
        """Stored when it returns; None removes."""
        text = json_text(value)

        def job(connection: Connection) -> None:
            if value is None:
                connection.execute("DELETE FROM state WHERE key = ?", (key,))
            else:
                connection.execute(
                    "INSERT INTO state VALUES (?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, text),
                )

        await self._database.write(job)
