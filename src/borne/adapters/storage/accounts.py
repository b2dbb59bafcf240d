"""Password hashes, API tokens and one-time links behind `ports.AccountStore`."""

from __future__ import annotations

from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.storage.connection import DatabaseConnection, Row, changes
from borne.adapters.storage.database import Database
from borne.adapters.storage.first_answers import FirstAnswers
from borne.application.ports.storage import StoredToken
from borne.domain.principals import Role
from borne.foundation.clock import Moment

_ROLES = frozenset(role.value for role in Role)
"""Tokens whose role this version does not know are ignored."""
LINKS_LIMIT = 100
"""Unused links stay until newer ones displace them."""


class SqlAccounts:
    """See `ports.AccountStore`."""

    def __init__(self, database: Database, commissioning: Commissioning | None = None) -> None:
        self._database = database
        self._commissioning = commissioning
        self._first_hashes: FirstAnswers[str] = FirstAnswers(database, _hashes, otherwise="")
        self._first_tokens: FirstAnswers[list[Row]] = FirstAnswers(
            database, lambda c: {"tokens": _tokens(c)}
        )

    def read_first(self, connection: DatabaseConnection) -> None:
        """Read what the start needs; called by the job that opens the database."""
        self._first_hashes.read(connection)
        self._first_tokens.read(connection)

    async def password_hash(self, role: Role) -> str | None:
        """Return the password hash of a role; None while no password is set."""
        job = lambda c: _hashes(c).get(role.value, "")  # noqa: E731 - a job is a function
        return await self._first_hashes.get(role.value, job) or None

    async def set_password_hash(self, role: Role, hash_: str | None) -> None:
        def job(connection: DatabaseConnection) -> None:
            connection.execute("DELETE FROM password WHERE role = ?", (role.value,))
            if hash_ is not None:
                connection.execute("INSERT INTO password VALUES (?, ?)", (role.value, hash_))

        self._first_hashes.forget(role.value)
        if hash_ is None:
            await self._note(role, known=False)
        await self._database.write(job)
        if hash_ is not None:
            await self._note(role, known=True)

    async def _note(self, role: Role, *, known: bool) -> None:
        """Store in the commissioning file that the printed password must not open the account."""
        place = self._commissioning
        if place is not None:
            await self._database.read(lambda _: place.password(role.value, known=known))

    async def tokens(self) -> list[StoredToken]:
        """Return all API tokens, oldest first."""
        rows = await self._first_tokens.get("tokens", _tokens)
        return [
            StoredToken(token_id, hash_, Role(role), name, created_at)
            for token_id, hash_, role, name, created_at in rows
            if role in _ROLES
        ]

    async def add_token(self, token: StoredToken) -> None:
        """Raises ValueError when its id exists."""
        row = (token.token_id, token.hash, token.role.value, token.name, token.created_at)

        def job(connection: DatabaseConnection) -> None:
            existing = "SELECT 1 FROM api_token WHERE token_id = ?"
            if connection.execute(existing, row[:1]).fetchone():
                raise ValueError(f"there is an API token {token.token_id} already")
            connection.execute(
                "INSERT INTO api_token (token_id, hash, role, name, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                row,
            )

        self._first_tokens.forget()
        await self._database.write(job)

    async def remove_token(self, token_id: str) -> bool:
        """Remove a token; False when the id is unknown."""

        def job(connection: DatabaseConnection) -> bool:
            connection.execute("DELETE FROM api_token WHERE token_id = ?", (token_id,))
            return changes(connection) > 0

        self._first_tokens.forget()
        return await self._database.write(job)

    async def add_link(self, hash_: str, role: Role, expires_at: str) -> None:
        """Add a one-time login link."""

        def job(connection: DatabaseConnection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO login_link (hash, role, expires_at) VALUES (?, ?, ?)",
                (hash_, role.value, expires_at),
            )
            connection.execute(
                "DELETE FROM login_link WHERE number NOT IN"
                " (SELECT number FROM login_link ORDER BY number DESC LIMIT ?)",
                (LINKS_LIMIT,),
            )

        await self._database.write(job)

    async def use_link(self, hash_: str, now: str) -> Role | None:
        """Consume a link; None when unknown, used or expired."""

        def job(connection: DatabaseConnection) -> Role | None:
            row = connection.execute(
                "SELECT role, expires_at FROM login_link WHERE hash = ?", (hash_,)
            ).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM login_link WHERE hash = ?", (hash_,))
            return Role(row[0]) if _before(now, row[1]) else None

        return await self._database.write(job)


def _hashes(connection: DatabaseConnection) -> dict[str, str]:
    rows = connection.execute("SELECT role, hash FROM password").fetchall()
    return {str(role): str(hash_) for role, hash_ in rows}


def _tokens(connection: DatabaseConnection) -> list[Row]:
    query = "SELECT token_id, hash, role, name, created_at FROM api_token ORDER BY number"
    return connection.execute(query).fetchall()


def _before(now: str, end: str) -> bool:
    """Return True only if `now` is certainly before `end`; moments without a date are comparable
    only within one boot."""
    try:
        here, there = Moment.from_text(now), Moment.from_text(end)
    except ValueError:
        return False
    if here.wall is not None and there.wall is not None:
        return here.wall < there.wall
    if here.wall is None and there.wall is None and here.boot_id == there.boot_id:
        return here.monotonic_s < there.monotonic_s
    return False
