"""The local whitelist and the backend's answers about tokens, behind their ports."""

from __future__ import annotations

from collections.abc import Sequence

from borne.adapters.storage.connection import DatabaseConnection, Row, changes
from borne.adapters.storage.database import Database
from borne.adapters.storage.first_answers import FirstAnswers
from borne.application.ports.storage import CachedToken, WhitelistEntry

CACHE_LIMIT = 10_000
"""Otherwise every card that was ever presented would stay in the cache; the oldest answers are
dropped."""
_LISTS = ("cache", "local_list")
_ANY_CONNECTOR = 0


class SqlWhitelist:
    """See `ports.WhitelistStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first: FirstAnswers[list[Row]] = FirstAnswers(
            database, lambda c: {"whitelist": _whitelist(c)}
        )

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first.read(connection)

    async def load(self) -> list[WhitelistEntry]:
        """Return all entries, by token."""
        rows = await self._first.get("whitelist", _whitelist)
        return [
            WhitelistEntry(token, kind, connector or None, name, added_at, last_used_at)
            for token, kind, connector, name, added_at, last_used_at in rows
        ]

    async def put(self, entries: Sequence[WhitelistEntry]) -> None:
        """Add or replace entries, in one commit."""
        rows = [
            (
                entry.token,
                entry.connector or _ANY_CONNECTOR,
                entry.kind,
                entry.name,
                entry.added_at,
                entry.last_used_at,
            )
            for entry in entries
        ]
        self._first.forget()
        await self._database.write(
            lambda c: c.executemany(
                "INSERT OR REPLACE INTO whitelist"
                " (token, connector, kind, name, added_at, last_used_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
        )

    async def remove(self, keys: Sequence[tuple[str, int | None]] | None) -> int:
        """Remove the entries (token, connector), or all when None; return how many."""

        def job(connection: DatabaseConnection) -> int:
            if keys is None:
                connection.execute("DELETE FROM whitelist WHERE 1")
                return changes(connection)
            removed = 0
            for token, connector in keys:
                connection.execute(
                    "DELETE FROM whitelist WHERE token = ? AND connector = ?",
                    (token, connector or _ANY_CONNECTOR),
                )
                removed += changes(connection)
            return removed

        self._first.forget()
        return await self._database.write(job)


def _whitelist(connection: DatabaseConnection) -> list[Row]:
    return connection.execute(
        "SELECT token, kind, connector, name, added_at, last_used_at FROM whitelist"
        " ORDER BY token, connector"
    ).fetchall()


class SqlTokens:
    """See `ports.TokenCacheStore`."""

    def __init__(self, database: Database, cache_limit: int = CACHE_LIMIT) -> None:
        self._database = database
        self._cache_limit = cache_limit
        self._first: FirstAnswers[list[Row]] = FirstAnswers(
            database, lambda c: {which: _tokens(c, which) for which in _LISTS}
        )

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first.read(connection)

    async def load(self, which: str) -> list[CachedToken]:
        """Return the tokens of a list, oldest answer first."""
        name = _checked(which)
        rows = await self._first.get(name, lambda c: _tokens(c, name))
        return [CachedToken(*row) for row in rows]

    async def put(self, which: str, tokens: Sequence[CachedToken]) -> None:
        name = _checked(which)

        def job(connection: DatabaseConnection) -> None:
            _put(connection, name, tokens)
            if name == "cache":
                connection.execute(
                    "DELETE FROM token WHERE list = ? AND put <= ("
                    " SELECT put FROM token WHERE list = ? ORDER BY put DESC LIMIT 1 OFFSET ?)",
                    (name, name, self._cache_limit),
                )

        self._first.forget(name)
        await self._database.write(job)

    async def replace(self, which: str, tokens: Sequence[CachedToken], version: int) -> None:
        """Replace the whole list and its version, in one commit."""
        name = _checked(which)

        def job(connection: DatabaseConnection) -> None:
            connection.execute("DELETE FROM token WHERE list = ?", (name,))
            _put(connection, name, tokens)
            connection.execute("INSERT OR REPLACE INTO token_list VALUES (?, ?)", (name, version))

        self._first.forget(name)
        await self._database.write(job)

    async def remove(self, which: str, tokens: Sequence[str] | None) -> int:
        """Remove tokens, or all when None; return how many."""
        name = _checked(which)

        def job(connection: DatabaseConnection) -> int:
            if tokens is None:
                connection.execute("DELETE FROM token WHERE list = ?", (name,))
                return changes(connection)
            removed = 0
            for token in tokens:
                connection.execute("DELETE FROM token WHERE list = ? AND token = ?", (name, token))
                removed += changes(connection)
            return removed

        self._first.forget(name)
        return await self._database.write(job)

    async def version(self, which: str) -> int:
        """Return the version of the list; 0 when empty (OCPP 1.6, 5.10)."""
        query = (
            "SELECT version FROM token_list"
            " WHERE list = ? AND EXISTS (SELECT 1 FROM token WHERE list = ?)"
        )
        name = _checked(which)
        row = await self._database.read(lambda c: c.execute(query, (name, name)).fetchone())
        return int(row[0]) if row else 0


def _tokens(connection: DatabaseConnection, which: str) -> list[Row]:
    query = (
        "SELECT token, status, parent, expires_at, updated_at FROM token"
        " WHERE list = ? ORDER BY put"
    )
    return connection.execute(query, (which,)).fetchall()


def _put(connection: DatabaseConnection, name: str, tokens: Sequence[CachedToken]) -> None:
    row = connection.execute("SELECT max(put) FROM token WHERE list = ?", (name,)).fetchone()
    first = (row[0] or 0) + 1
    connection.executemany(
        "INSERT OR REPLACE INTO token (list, token, status, parent, expires_at, updated_at, put)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (name, token.token, token.status, token.parent, token.expires_at, token.updated_at, put)
            for put, token in enumerate(tokens, first)
        ],
    )


def _checked(which: str) -> str:
    if which not in _LISTS:
        raise ValueError(f"no such list: {which}")
    return which
