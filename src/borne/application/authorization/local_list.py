"""The list of cards that the backend keeps on the station (OCPP 1.6 sections 3.5.2, 5.10, 5.15).

Errata 3.52: an entry without information removes its card, in a differential update only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from borne.application.authorization.token_lists import BackendTokens
from borne.application.ports.backend import IdTagInfo
from borne.application.ports.storage import CachedToken, StorageFailed
from borne.domain.settings.snapshot import Settings
from borne.foundation.clock import Clock, format_utc
from borne.foundation.events import Signal

NOT_SUPPORTED = -1
"""Version while the list is disabled."""
_log = logging.getLogger(__name__)

Entry = tuple[str, IdTagInfo | None]


class LocalList:
    """Applies updates from the backend; the cards themselves are in `BackendTokens`."""

    def __init__(
        self, tokens: BackendTokens, settings: Callable[[], Settings], clock: Clock
    ) -> None:
        self.updated: Signal[int] = Signal()
        """The list was replaced or updated; the value is its version."""
        self._tokens = tokens
        self._settings = settings
        self._clock = clock
        self._updating = asyncio.Lock()

    @property
    def enabled(self) -> bool:
        """True if the list is enabled."""
        return self._settings().flag("LocalAuthListEnabled")

    async def version(self) -> int:
        """GetLocalListVersion: -1 while disabled, 0 if empty."""
        return await self._tokens.version() if self.enabled else NOT_SUPPORTED

    async def update(self, version: int, entries: Sequence[Entry], *, full: bool) -> str:
        """SendLocalList: Accepted, Failed, NotSupported or VersionMismatch; the list changes only
        if Accepted."""
        if not self.enabled:
            return "NotSupported"
        async with self._updating:
            if not full and version <= await self._tokens.version():
                return "VersionMismatch"
            wanted = self._merged(entries, full=full)
            if version <= 0 or wanted is None:
                return "Failed"
            try:
                await self._tokens.replace(wanted, version)
            except StorageFailed as error:
                _log.warning("the backend's list of cards could not be stored: %s", error)
                return "Failed"
        self.updated.emit(version)
        return "Accepted"

    def _merged(self, entries: Sequence[Entry], *, full: bool) -> list[CachedToken] | None:
        """The list after the update; None if the update is invalid."""
        settings = self._settings()
        ids = {token.casefold() for token, _ in entries}
        if len(entries) > settings.integer("SendLocalListMaxLength") or len(ids) < len(entries):
            return None
        known = {} if full else {t.token.casefold(): t for t in self._tokens.content()}
        for token, info in entries:
            if info is not None:
                known[token.casefold()] = self._stored(token, info)
            elif full:
                return None
            else:
                known.pop(token.casefold(), None)
        if len(known) > settings.integer("LocalAuthListMaxLength"):
            return None
        return list(known.values())

    def _stored(self, token: str, info: IdTagInfo) -> CachedToken:
        expires_at = format_utc(info.expires_at) if info.expires_at else None
        now = format_utc(self._clock.now())
        return CachedToken(token, info.status, info.parent, expires_at, now)
