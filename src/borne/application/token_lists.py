"""The lists that know cards: local whitelist, the backend's local list, the cache.

Held in memory, stored on every change before it is confirmed. Tokens of the whitelist are in
normal form; those of the backend are kept as the backend writes them and compared without regard
to case (OCPP 1.6, CiString).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from borne.application.ports import (
    CachedToken,
    IdTagInfo,
    TokenCacheStore,
    WhitelistEntry,
    WhitelistStore,
)
from borne.application.services import Refused, require
from borne.domain.authorization import cards
from borne.domain.authorization.decision import KnownToken, WhitelistMatch
from borne.domain.principals import Principal, Role
from borne.domain.settings.choices import CacheExpiry
from borne.foundation.clock import Clock, format_utc, parse_utc
from borne.foundation.events import Signal

WHITELIST_LIMIT = 20_000
CACHE_LIMIT = 5_000
END_OF_2038 = "2038-12-31T23:59:59Z"
_Key = tuple[str, int | None]


class Whitelist:
    """The local whitelist (manual 5.5)."""

    def __init__(self, store: WhitelistStore, clock: Clock) -> None:
        self.changed: Signal[int] = Signal()
        self._store = store
        self._clock = clock
        self._entries: dict[_Key, WhitelistEntry] = {}

    async def load(self) -> None:
        """Read what is stored."""
        self._entries = {(e.token, e.connector): e for e in await self._store.load()}

    def match(self, uid: str, connector: int) -> WhitelistMatch:
        """What the list says of a normal UID at a connector."""
        if (uid, None) in self._entries or (uid, connector) in self._entries:
            return WhitelistMatch.HERE
        bound = any((uid, other) in self._entries for other in (1, 2) if other != connector)
        return WhitelistMatch.OTHER_CONNECTOR if bound else WhitelistMatch.NONE

    def page(
        self, *, search: str = "", offset: int = 0, limit: int = 200
    ) -> tuple[Sequence[WhitelistEntry], int]:
        """By token, and how many match."""
        wanted = search.strip().casefold()
        found = [
            entry
            for entry in self._entries.values()
            if wanted in entry.token.casefold() or wanted in entry.name.casefold()
        ]
        found.sort(key=lambda entry: (entry.token, entry.connector or 0))
        return found[offset : offset + limit], len(found)

    async def add(self, entry: WhitelistEntry, principal: Principal) -> WhitelistEntry:
        """Add or replace; raises Refused in clear words."""
        require(principal, Role.OPERATOR)
        try:
            token = cards.normalise(entry.token)
        except cards.BadCard as error:
            raise Refused("invalid_token", str(error)) from None
        if cards.is_random(token):
            raise Refused("random_token", "This card shows another number each time.")
        key = (token, entry.connector)
        if key not in self._entries and len(self._entries) >= WHITELIST_LIMIT:
            raise Refused("list_full", f"The list holds {WHITELIST_LIMIT} entries at most.")
        old = self._entries.get(key)
        added_at = old.added_at if old else format_utc(self._clock.now())
        stored = replace(entry, token=token, added_at=added_at)
        await self._store.put([stored])
        self._entries[key] = stored
        self.changed.emit(len(self._entries))
        return stored

    async def remove(self, token: str, connector: int | None, principal: Principal) -> bool:
        """Remove one entry; False when it was not there."""
        require(principal, Role.OPERATOR)
        try:
            key = (cards.normalise(token), connector)
        except cards.BadCard:
            return False
        if key not in self._entries:
            return False
        await self._store.remove([key])
        self._entries.pop(key, None)
        self.changed.emit(len(self._entries))
        return True


class BackendTokens:
    """What the backend said of tokens: one of its two lists ("cache", "local_list")."""

    def __init__(self, which: str, store: TokenCacheStore, clock: Clock) -> None:
        self._which = which
        self._store = store
        self._clock = clock
        self._tokens: dict[str, CachedToken] = {}

    async def load(self) -> None:
        """Read what is stored."""
        self._tokens = {t.token.casefold(): t for t in await self._store.load(self._which)}

    def look_up(self, id_token: str) -> KnownToken | None:
        """The stored answer, with its expiry judged now."""
        token = self._tokens.get(id_token.casefold())
        if token is None:
            return None
        expired = token.expires_at is not None and parse_utc(token.expires_at) <= self._clock.now()
        return KnownToken(token.status, token.parent, expired)

    async def learn(self, id_token: str, info: IdTagInfo, expiry: CacheExpiry) -> None:
        """Keep an answer of the backend."""
        stored = CachedToken(
            token=id_token,
            status=info.status,
            parent=info.parent,
            expires_at=self._expiry(info.expires_at, expiry),
            updated_at=format_utc(self._clock.now()),
        )
        evicted = self._make_room(id_token.casefold())
        if evicted:
            await self._store.remove(self._which, evicted)
        await self._store.put(self._which, [stored])
        self._tokens[id_token.casefold()] = stored

    async def replace(self, tokens: Sequence[CachedToken], version: int) -> None:
        """The whole list with its version, in one commit."""
        await self._store.replace(self._which, tokens, version)
        self._tokens = {token.token.casefold(): token for token in tokens}

    async def version(self) -> int:
        """Version of the list; 0 when it is empty."""
        return await self._store.version(self._which) if self._tokens else 0

    async def clear(self) -> None:
        """Forget everything."""
        await self._store.remove(self._which, None)
        self._tokens.clear()

    def content(self) -> list[CachedToken]:
        """All entries, by token."""
        return sorted(self._tokens.values(), key=lambda token: token.token)

    def _make_room(self, key: str) -> list[str]:
        if key in self._tokens or len(self._tokens) < CACHE_LIMIT:
            return []
        oldest = min(
            self._tokens.values(), key=lambda token: (token.status == "Accepted", token.updated_at)
        )
        del self._tokens[oldest.token.casefold()]
        return [oldest.token]

    def _expiry(self, told: datetime | None, mode: CacheExpiry) -> str:
        if told is not None:
            return format_utc(told)
        if mode is CacheExpiry.END_2038:
            return END_OF_2038
        now = self._clock.now()
        return format_utc(now.replace(year=now.year + 1, day=min(now.day, 28)))
