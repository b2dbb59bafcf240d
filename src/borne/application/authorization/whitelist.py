"""The local whitelist (manual 5.5), kept in memory and stored with every change before it is
confirmed.

Internally, tokens have their internal form; for users they have the spelling of the setting "RFID
Tag letter case" (manual 5.3), and are parsed without case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from borne.application.commands import ConnectorId, Effect, IdToken, Length, Removed, command
from borne.application.ports.storage import WhitelistEntry, WhitelistStore
from borne.application.refusals import Refused, no_socket, require
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.authorization import cards, list_text
from borne.domain.authorization.decision import WhitelistMatch
from borne.domain.authorization.list_text import BadLine, ListedCard, TokenKind
from borne.domain.principals import Principal, Role
from borne.domain.settings.choices import LetterCase
from borne.foundation.clock import Clock, format_utc
from borne.foundation.events import Signal
from borne.foundation.messages import N_, Message

WHITELIST_LIMIT = 20_000
UNDO_S = 30.0
"""How long a removal can be undone."""
Name = Annotated[str, Length(0, list_text.LONGEST_NAME)]
_Key = tuple[str, int | None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Removal:
    entries: Sequence[WhitelistEntry]
    until_s: float


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import, or of its preview."""

    applied: bool
    added: int
    changed: int
    unchanged: int
    removed: int
    """Entries removed because they are not in the text, if it replaces the list."""
    repeated: int
    """Lines whose entry is repeated further down."""
    bad: int
    problems: Sequence[BadLine]
    """The first invalid lines, with the reason."""


class Whitelist:
    """The local whitelist. Tokens are accepted and returned in the spelling of the setting "RFID
    Tag letter case", without case."""

    def __init__(
        self,
        store: WhitelistStore,
        clock: Clock,
        spelling: Callable[[], LetterCase] = lambda: LetterCase.UPPER,
        connectors: int = 2,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self._store = store
        self._clock = clock
        self._spelling = spelling
        self._connectors = connectors
        self._entries: dict[_Key, WhitelistEntry] = {}
        self._bound: dict[str, set[int | None]] = {}
        self._ordered: list[WhitelistEntry] | None = None
        self._removal: _Removal | None = None
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        """Load the stored entries."""
        self._update(await self._store.load(), ())

    def match(self, uid: str, connector: int) -> WhitelistMatch:
        """Look up a token in internal form for a connector."""
        bound = self._bound.get(uid)
        if not bound:
            return WhitelistMatch.NONE
        if None in bound or connector in bound:
            return WhitelistMatch.HERE
        return WhitelistMatch.OTHER_CONNECTOR

    def page(
        self, *, search: str = "", offset: int = 0, limit: int = 200
    ) -> tuple[Sequence[WhitelistEntry], int]:
        """Entries by token, and the number of matches."""
        wanted = search.strip().casefold()
        digits = "".join(char for char in wanted if char.isalnum())
        found = self._in_order()
        if wanted:
            found = [
                entry
                for entry in found
                if wanted in entry.name.casefold()
                or (digits and digits in self._outside(entry).token.casefold())
            ]
        return [self._outside(entry) for entry in found[offset : offset + limit]], len(found)

    @command("whitelist", Role.OPERATOR, "Add an entry", Effect.ADD)
    async def add(
        self,
        token: IdToken,
        principal: Principal,  # noqa: ARG002 -- the declaration asks for its rights
        *,
        connector: ConnectorId | None = None,
        name: Name = "",
        kind: Literal["RFID", "MAC"] = "RFID",  # noqa: ARG002 -- the token itself shows it
    ) -> WhitelistEntry:
        """Add an entry, or replace the one with the same token and connector. Returns the entry as
        stored, with its token in internal form."""
        number, read_kind, bound = self._read_token(token)
        bound = connector if bound is None else bound
        if bound is not None and not 1 <= bound <= self._connectors:
            raise Refused("unknown_connector", no_socket(bound))
        short = name.strip()[: list_text.LONGEST_NAME]
        return self._outside(await self.store(ListedCard(number, read_kind, bound, short)))

    async def store(self, card: ListedCard) -> WhitelistEntry:
        """Add or replace an entry with a token in internal form. Raises Refused if the list is
        full."""
        async with self._writing:
            key = (card.token, card.connector)
            old = self._entries.get(key)
            if old is None and len(self._entries) >= WHITELIST_LIMIT:
                raise _full()
            stored = self._entry(card, old)
            await self._store.put([stored])
            self._update([stored], ())
        return stored

    def holds(self, card: ListedCard) -> bool:
        """True if the list has this entry, or the same one without a connector."""
        return not {card.connector, None}.isdisjoint(self._bound.get(card.token, ()))

    def spelled(self, token: str, kind: str) -> str:
        """A token in the configured spelling; a text that is not a token stays unchanged."""
        try:
            return list_text.spell_token(cards.normalise(token), kind, self._spelling())
        except cards.BadCard:
            return token

    async def rename(
        self, token: str, connector: int | None, name: str, principal: Principal
    ) -> bool:
        """Rename an entry; False if it is unknown."""
        require(principal, Role.OPERATOR)
        async with self._writing:
            old = self._entries.get((self._read_token(token)[0], connector))
            if old is None:
                return False
            named = replace(old, name=name.strip()[: list_text.LONGEST_NAME])
            await self._store.put([named])
            self._update([named], ())
        return True

    @command("whitelist/{token}", Role.OPERATOR, "Remove an entry by its token", Effect.REMOVE)
    async def remove(
        self,
        token: IdToken,
        principal: Principal,  # noqa: ARG002 -- the declaration asks for its rights
        *,
        connector: ConnectorId | None = None,
    ) -> Removed:
        """Remove an entry; raises Refused if it is unknown."""
        try:
            key = (self._read_token(token)[0], connector)
        except Refused:
            raise _unknown_entry() from None
        async with self._writing:
            if key not in self._entries:
                raise _unknown_entry()
            await self._store.remove([key])
            self._forget([key])
        return Removed(1)

    async def remove_all(self, principal: Principal) -> int:
        """Empty the list; returns the number of entries."""
        require(principal, Role.OPERATOR)
        async with self._writing:
            keys = list(self._entries)
            if keys:
                await self._store.remove(None)
                self._forget(keys)
        return len(keys)

    @property
    def undoable(self) -> int:
        """Number of entries that `undo` would restore now."""
        removal = self._removal
        if removal is None or self._clock.monotonic() >= removal.until_s:
            return 0
        return len(removal.entries)

    async def undo(self, principal: Principal) -> int:
        """Undo the last removal; returns the number of entries. Entries added since then stay."""
        require(principal, Role.OPERATOR)
        async with self._writing:
            if self._removal is None or not self.undoable:
                return 0
            missing = [
                entry
                for entry in self._removal.entries
                if (entry.token, entry.connector) not in self._entries
            ]
            if len(self._entries) + len(missing) > WHITELIST_LIMIT:
                raise _full()
            await self._store.put(missing)
            self._removal = None
            self._update(missing, ())
        return len(missing)

    async def used(self, uid: str, connectors: Iterable[int]) -> None:
        """Note the time of use for a card accepted by this list."""
        now = format_utc(self._clock.now())
        async with self._writing:
            keys: list[_Key] = [(uid, None), *((uid, number) for number in connectors)]
            used = [
                replace(self._entries[key], last_used_at=now)
                for key in keys
                if key in self._entries
            ]
            consequence = "when a card was used is not kept"
            with log_storage_failure(_log, consequence, logging.WARNING):
                await self._store.put(used)
                self._update(used, ())

    async def import_text(
        self, text: str, principal: Principal, *, dry_run: bool, replace_all: bool = False
    ) -> ImportReport:
        """Import a list in any form (`domain.authorization.list_text`), or only report the effect.
        Invalid lines are skipped. Raises Refused."""
        require(principal, Role.OPERATOR)
        spelling = self._spelling()
        try:
            read = await asyncio.to_thread(list_text.read_list, text, spelling, self._connectors)
        except cards.BadCard as error:
            raise Refused("unreadable", error.message) from None
        async with self._writing:
            new = {(card.token, card.connector): card for card in read.entries}
            gone = [key for key in self._entries if key not in new] if replace_all else []
            fresh = [key for key in new if key not in self._entries]
            if len(self._entries) - len(gone) + len(fresh) > WHITELIST_LIMIT:
                raise _full()
            stored = [self._merged(card) for card in new.values()]
            changed = [e for e in stored if self._entries.get((e.token, e.connector)) != e]
            if not dry_run:
                await self._apply(changed, gone)
        return ImportReport(
            applied=not dry_run,
            added=len(fresh),
            changed=len(changed) - len(fresh),
            unchanged=len(stored) - len(changed),
            removed=len(gone),
            repeated=read.repeated,
            bad=read.bad,
            problems=read.problems,
        )

    async def export_csv(self, delimiter: str = ",") -> str:
        """The whole list as a table that `import_text` accepts."""
        rows = [(_listed(e), e.added_at, e.last_used_at) for e in self._in_order()]
        return await asyncio.to_thread(list_text.write_csv, rows, self._spelling(), delimiter)

    async def export_colons(self) -> str:
        """The whole list in the manual's format, without names: `UID:UID_1:...`."""
        rows = [_listed(entry) for entry in self._in_order()]
        return await asyncio.to_thread(list_text.write_colons, rows, self._spelling())

    async def _apply(self, changed: Sequence[WhitelistEntry], gone: Sequence[_Key]) -> None:
        if changed:
            await self._store.put(changed)
            self._update(changed, ())
        if gone:
            await self._store.remove(gone)
            self._forget(gone)

    def _read_token(self, text: str) -> tuple[str, TokenKind, int | None]:
        number, connector = list_text.split_postfix(text)
        try:
            token, kind = list_text.parse_token(number, self._spelling())
        except cards.RandomCard as error:
            raise Refused("random_token", error.message) from None
        except cards.BadCard as error:
            raise Refused("invalid_token", error.message) from None
        return token, kind, connector

    def _entry(self, card: ListedCard, old: WhitelistEntry | None) -> WhitelistEntry:
        added_at = old.added_at if old else format_utc(self._clock.now())
        used_at = old.last_used_at if old else ""
        return WhitelistEntry(
            card.token, card.kind.value, card.connector, card.name, added_at, used_at
        )

    def _merged(self, card: ListedCard) -> WhitelistEntry:
        """An imported entry; if the list has no names, the existing name stays."""
        old = self._entries.get((card.token, card.connector))
        name = card.name or (old.name if old else "")
        return self._entry(replace(card, name=name), old)

    def _outside(self, entry: WhitelistEntry) -> WhitelistEntry:
        spelled = list_text.spell_token(entry.token, entry.kind, self._spelling())
        return entry if spelled == entry.token else replace(entry, token=spelled)

    def _in_order(self) -> list[WhitelistEntry]:
        if self._ordered is None:
            self._ordered = sorted(
                self._entries.values(), key=lambda entry: (entry.token, entry.connector or 0)
            )
        return self._ordered

    def _update(self, entries: Iterable[WhitelistEntry], gone: Iterable[_Key]) -> None:
        for token, connector in gone:
            self._entries.pop((token, connector), None)
            self._bound.get(token, set()).discard(connector)
        for entry in entries:
            self._entries[entry.token, entry.connector] = entry
            self._bound.setdefault(entry.token, set()).add(entry.connector)
        self._ordered = None
        self.changed.emit(len(self._entries))

    def _forget(self, keys: Sequence[_Key]) -> None:
        removed = [self._entries[key] for key in keys if key in self._entries]
        self._removal = _Removal(removed, self._clock.monotonic() + UNDO_S)
        self._update((), keys)


def _listed(entry: WhitelistEntry) -> ListedCard:
    return ListedCard(entry.token, TokenKind(entry.kind), entry.connector, entry.name)


def _unknown_entry() -> Refused:
    return Refused("unknown_entry", N_("The whitelist has no such entry."))


def _full() -> Refused:
    return Refused(
        "list_full",
        Message(N_("The list holds {limit} entries at most."), {"limit": WHITELIST_LIMIT}),
    )
