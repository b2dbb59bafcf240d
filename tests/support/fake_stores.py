"""Stores in memory, for tests of what stands above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from borne.application.ports.settings import LoadedSettings, SettingsDocument, SettingsHealth
from borne.application.ports.storage import (
    CachedToken,
    LoggedSecurityEvent,
    StoredToken,
    WhitelistEntry,
)
from borne.domain.principals import Role
from borne.domain.station.metering import Account
from borne.foundation.clock import Moment


class MemoryAccounts:
    """An AccountStore."""

    def __init__(self) -> None:
        self.hashes: dict[Role, str] = {}
        self.stored: dict[str, StoredToken] = {}
        self.links: dict[str, tuple[Role, str]] = {}

    async def password_hash(self, role: Role) -> str | None:
        return self.hashes.get(role)

    async def set_password_hash(self, role: Role, hash_: str | None) -> None:
        if hash_ is None:
            self.hashes.pop(role, None)
        else:
            self.hashes[role] = hash_

    async def tokens(self) -> list[StoredToken]:
        return list(self.stored.values())

    async def add_token(self, token: StoredToken) -> None:
        self.stored[token.token_id] = token

    async def remove_token(self, token_id: str) -> bool:
        return self.stored.pop(token_id, None) is not None

    async def add_link(self, hash_: str, role: Role, expires_at: str) -> None:
        self.links[hash_] = (role, expires_at)

    async def use_link(self, hash_: str, now: str) -> Role | None:
        role, expires_at = self.links.pop(hash_, (None, ""))
        return role if role is not None and now <= expires_at else None


class MemoryMeters:
    """A MeterStore."""

    def __init__(self, accounts: Mapping[int, Account] | None = None) -> None:
        self.accounts = dict(accounts or {})

    async def load(self) -> Mapping[int, Account]:
        return dict(self.accounts)

    def keep(self, connector: int, account: Account, *, urgent: bool = False) -> None:
        self.accounts[connector] = account


class MemorySettings:
    """A SettingsRepository."""

    def __init__(self, document: SettingsDocument | None = None) -> None:
        self.document = document or SettingsDocument()

    def load(self) -> LoadedSettings:
        return LoadedSettings(self.document, SettingsHealth.FRESH)

    def save(self, document: SettingsDocument) -> None:
        self.document = document


class MemorySecurityLog:
    """A SecurityLog."""

    def __init__(self) -> None:
        self.events: list[LoggedSecurityEvent] = []

    async def add(self, kind: str, detail: str, at: Moment) -> int:
        self.events.append(LoggedSecurityEvent(len(self.events) + 1, kind, detail, at, ""))
        return len(self.events)

    async def page(self, *, after: int = 0, limit: int = 100) -> list[LoggedSecurityEvent]:
        return self.events[after : after + limit]

    async def verify(self) -> int | None:
        return None


class MemoryTokens:
    """A TokenCacheStore of one list."""

    def __init__(self, tokens: Sequence[CachedToken] = ()) -> None:
        self.tokens = {token.token: token for token in tokens}

    async def load(self, which: str) -> list[CachedToken]:
        return list(self.tokens.values())

    async def put(self, which: str, tokens: Sequence[CachedToken]) -> None:
        self.tokens.update({token.token: token for token in tokens})

    async def replace(self, which: str, tokens: Sequence[CachedToken], version: int) -> None:
        self.tokens = {token.token: token for token in tokens}

    async def remove(self, which: str, tokens: Sequence[str] | None) -> int:
        gone = list(self.tokens if tokens is None else tokens)
        for token in gone:
            del self.tokens[token]
        return len(gone)

    async def version(self, which: str) -> int:
        return 0


class MemoryWhitelist:
    """A WhitelistStore."""

    def __init__(self, entries: Sequence[WhitelistEntry] = ()) -> None:
        self.entries = {(entry.token, entry.connector): entry for entry in entries}

    async def load(self) -> list[WhitelistEntry]:
        return list(self.entries.values())

    async def put(self, entries: Sequence[WhitelistEntry]) -> None:
        self.entries.update({(entry.token, entry.connector): entry for entry in entries})

    async def remove(self, keys: Sequence[tuple[str, int | None]] | None) -> int:
        gone = [key for key in (self.entries if keys is None else keys) if key in self.entries]
        for key in gone:
            del self.entries[key]
        return len(gone)


class MemoryState:
    """A StateStore."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values: dict[str, Any] = dict(values or {})

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def put(self, key: str, value: Any) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
