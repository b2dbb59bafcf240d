"""Answers of the backend about cards: its local list, and the cache.

They are kept in memory and stored with every change before it is confirmed. Tokens are kept in the
backend's spelling and compared without case (OCPP 1.6, CiString).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from borne.application.ports.backend import IdTagInfo
from borne.application.ports.storage import CachedToken, TokenCacheStore
from borne.application.refusals import require
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.authorization.decision import KnownToken
from borne.domain.principals import Principal, Role
from borne.domain.settings.choices import CacheExpiry
from borne.foundation.clock import Clock, format_utc, parse_utc

CACHE_LIMIT = 5_000
END_OF_2038 = "2038-12-31T23:59:59Z"
_log = logging.getLogger(__name__)


def in_one_year(now: datetime) -> datetime:
    """The same day of the next year; the 28th after a 29th of February."""
    try:
        return now.replace(year=now.year + 1)
    except ValueError:
        return now.replace(year=now.year + 1, day=28)


def is_expired(token: CachedToken, now: datetime) -> bool:
    """True if the backend's answer has expired."""
    return token.expires_at is not None and parse_utc(token.expires_at) <= now


class BackendTokens:
    """One of the two lists of backend answers ("cache", "local_list")."""

    def __init__(self, which: str, store: TokenCacheStore, clock: Clock) -> None:
        self._which = which
        self._store = store
        self._clock = clock
        self._tokens: dict[str, CachedToken] = {}

    async def load(self) -> None:
        """Load the stored answers."""
        self._tokens = {t.token.casefold(): t for t in await self._store.load(self._which)}

    def look_up(self, id_token: str) -> KnownToken | None:
        """The stored answer, and whether it has expired."""
        token = self._tokens.get(id_token.casefold())
        if token is None:
            return None
        return KnownToken(token.status, token.parent, is_expired(token, self._clock.now()))

    async def learn(self, id_token: str, info: IdTagInfo, expiry: CacheExpiry) -> None:
        """Store an answer of the backend. On a full disk it is only kept in memory, so that the
        card that waits for it can still be used."""
        stored = CachedToken(
            token=id_token,
            status=info.status,
            parent=info.parent,
            expires_at=self._expiry(info.expires_at, expiry),
            updated_at=format_utc(self._clock.now()),
        )
        evicted = self._admit(id_token.casefold())
        self._tokens[id_token.casefold()] = stored
        consequence = "an answer of the backend is not kept over a restart"
        with log_storage_failure(_log, consequence, logging.WARNING):
            if evicted:
                await self._store.remove(self._which, evicted)
            await self._store.put(self._which, [stored])

    async def replace(self, tokens: Sequence[CachedToken], version: int) -> None:
        """Replace list and version in one commit."""
        await self._store.replace(self._which, tokens, version)
        self._tokens = {token.token.casefold(): token for token in tokens}

    async def version(self) -> int:
        """Version of the list; 0 if it is empty."""
        return await self._store.version(self._which) if self._tokens else 0

    async def clear(self) -> None:
        await self._store.remove(self._which, None)
        self._tokens.clear()

    async def forget_backend(self) -> int:
        """Remove all answers of a former backend; returns their number."""
        number = len(self._tokens)
        if number:
            await self.clear()
        return number

    async def forget(self, id_token: str, principal: Principal) -> bool:
        """Remove one answer for a user; False if it was unknown."""
        require(principal, Role.OPERATOR)
        stored = self._tokens.get(id_token.casefold())
        if stored is None:
            return False
        await self._store.remove(self._which, [stored.token])
        self._tokens.pop(id_token.casefold(), None)
        return True

    async def forget_all(self, principal: Principal) -> int:
        """Remove all answers for a user; returns their number."""
        require(principal, Role.OPERATOR)
        number = len(self._tokens)
        await self.clear()
        return number

    def content(self) -> list[CachedToken]:
        """All entries, by token."""
        return sorted(self._tokens.values(), key=lambda token: token.token)

    def _admit(self, key: str) -> list[str]:
        if key in self._tokens or len(self._tokens) < CACHE_LIMIT:
            return []
        oldest = min(
            self._tokens.values(), key=lambda token: (token.status == "Accepted", token.updated_at)
        )
        del self._tokens[oldest.token.casefold()]
        return [oldest.token]

    def _expiry(self, known: datetime | None, mode: CacheExpiry) -> str:
        if known is not None:
            return format_utc(known)
        if mode is CacheExpiry.END_2038:
            return END_OF_2038
        return format_utc(in_one_year(self._clock.now()))
