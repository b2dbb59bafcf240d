"""Values that a start reads from the database, read in the job that opens it. A start makes some
twenty small queries, and a job for each costs more than its query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

from borne.adapters.storage.connection import DatabaseConnection
from borne.adapters.storage.database import Database, Job

T = TypeVar("T")
_NOTHING: Final[dict[str, Any]] = {}
"""Shared, and never filled: a station has nine sets of first answers, soon all given."""


class FirstAnswers(Generic[T]):
    """Values by key. Each is returned once, and not after `forget`; afterwards the database is
    queried."""

    __slots__ = ("_database", "_found", "_otherwise", "_query", "_stale")

    def __init__(
        self, database: Database, query: Job[Mapping[str, T]], *, otherwise: T | None = None
    ) -> None:
        """`otherwise` is the value for all keys that `query` did not find, if it is not None."""
        self._database = database
        self._query = query
        self._otherwise = otherwise
        self._found: dict[str, T] = _NOTHING
        self._stale: tuple[str, ...] | None = None
        """Keys whose values were returned or dropped; None before the opening, and after all were
        dropped."""

    def read(self, connection: DatabaseConnection) -> None:
        """Run the queries; called by the job that opens the database."""
        self._found = dict(self._query(connection)) or _NOTHING
        self._stale = ()

    def forget(self, *keys: str) -> None:
        """Drop the values of keys that are about to be written; without keys, drop all."""
        if not keys:
            self._stale = None
            self._found = _NOTHING
        elif self._stale is not None:
            for key in keys:
                self._pop(key)

    async def get(self, key: str, job: Job[T]) -> T:
        """Return the value that was read at the opening, or else run `job`."""
        if self._stale is not None and key not in self._stale and not self._database.closed:
            answer = self._pop(key)
            if answer is not None:
                return answer
        return await self._database.read(job)

    def _pop(self, key: str) -> T | None:
        if self._stale is not None and key not in self._stale:
            self._stale += (key,)
        found = self._found.pop(key, self._otherwise)
        if not self._found:
            self._found = _NOTHING
        return found
