"""What is kept: sessions and their messages, cards, accounts, state, logs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from borne.domain.frames import FrameRecord
from borne.domain.principals import Role
from borne.domain.station.metering import Account
from borne.domain.station.session import Sample, SessionEnd, SessionRecord, SessionStart
from borne.domain.station.transaction_messages import MessageKind, TransactionMessage
from borne.domain.vehicle import Identity
from borne.foundation.clock import Moment
from borne.foundation.events import Signal
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import Message


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message without a committed answer. A repeat is byte-identical: same id, same content,
    same transaction id."""

    seq: int
    message_id: str
    message: TransactionMessage
    transaction_id: int | None
    """The backend's, -1 after a Start that was given up; None while it is not known, and outside of
    transactions."""
    attempts: int
    enqueued_at: Moment


class StorageFailed(Exception):
    """The disk failed: nothing was stored."""


class StorageFull(StorageFailed):
    """The disk is full: nothing was stored."""


class StorageDamaged(StorageFailed):
    """What is in the file is no sound database: the next start puts it aside."""


@dataclass(frozen=True, slots=True)
class LostMessage:
    """A message that was given up, and why."""

    message: QueuedMessage
    reason: str
    lost_at: Moment


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions: those that all given filters let through."""

    connector: int | None = None
    id_token: str | None = None
    since: datetime | None = None
    """Begun at that moment or later; what has no date is not found."""
    until: datetime | None = None
    """Begun before that moment."""


ALL_SESSIONS = SessionQuery()


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """Sums over ended sessions; the duration over those whose begin and end are known."""

    sessions: int = 0
    energy_wh: int = 0
    duration_s: float = 0.0
    timed: int = 0
    """How many sessions `duration_s` counts."""

    @property
    def mean_energy_wh(self) -> float:
        """0 without sessions."""
        return self.energy_wh / self.sessions if self.sessions else 0.0

    @property
    def mean_duration_s(self) -> float:
        """0 without sessions."""
        return self.duration_s / self.timed if self.timed else 0.0


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What the dashboard tells of sessions."""

    everything: SessionTotals = SessionTotals()
    last_month: SessionTotals = SessionTotals()
    """The last calendar month."""


class SessionGrouping(StrEnum):
    """What statistics tell apart."""

    CONNECTOR = "connector"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class SessionGroup:
    """The sessions of one socket or one card."""

    connector: int | None
    identity: Identity | None
    """Of a card; an anonymous one has no token."""
    totals: SessionTotals


class SessionJournal(Protocol):
    """Sessions, durable. A method returns after the commit; raises StorageFull (a full disk) or
    StorageFailed (any other trouble with it)."""

    async def open(self, start: SessionStart, message: TransactionMessage | None) -> None:
        """Begin a session and queue its message, in one commit."""

    async def close(
        self, session_id: str, end: SessionEnd, message: TransactionMessage | None
    ) -> None:
        """End a session and queue its message, in one commit; a second end changes nothing."""

    async def sample(
        self, session_id: str, sample: Sample, message: TransactionMessage | None
    ) -> None:
        """Add a point to the curve (may be lost at a power cut or on a full disk) and queue its
        message."""

    async def queue(self, message: TransactionMessage) -> None:
        """Queue a message that belongs to no session."""

    async def open_sessions(self) -> list[SessionRecord]:
        """Sessions without an end, oldest first."""

    async def get(self, session_id: str) -> SessionRecord | None:
        """One session."""

    async def find_transaction(self, transaction_id: int) -> SessionRecord | None:
        """The session that the backend calls so."""

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[list[SessionRecord], int]:
        """Newest first, and how many there are in all. With the id of a session: those that began
        `before` it or `after` it, next to it; none when it is gone."""

    async def batch(
        self, query: SessionQuery, *, before: str | None = None, limit: int = 50
    ) -> list[SessionRecord]:
        """As `page`, without counting."""

    async def curve(self, session_id: str) -> list[Sample]:
        """The samples of a session, oldest first."""

    async def date(self, boot_id: str, wall: datetime, monotonic_s: float) -> int:
        """Give a date to every undated moment of that boot, in sessions and queue; how many."""

    async def undated(self) -> dict[str, float]:
        """Boots with moments that still have no date, each with its latest monotonic time."""

    async def totals(self, query: SessionQuery = ALL_SESSIONS) -> SessionTotals:
        """Sums over the ended sessions among them."""

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> list[SessionGroup]:
        """The same per socket or per card, most energy first."""

    async def forget(self, before: datetime) -> int:
        """Delete what ended and began before that date and has nothing in the queue; how many."""

    async def anonymise(self, *, id_token: str | None = None, sessions: Sequence[str] = ()) -> int:
        """Erase the tokens of ended sessions, by token or by session; how many."""


class MeterStore(Protocol):
    """The accounts of the billing meters, so that no energy is lost or invented across restarts:
    a kill loses a second, a power cut some seconds. Trouble with the disk is logged, not raised.
    """

    async def load(self) -> Mapping[int, Account]:
        """By connector; empty when there is nothing that can be read."""

    def keep(self, connector: int, account: Account, *, urgent: bool = False) -> None:
        """Store soon; an urgent one does not wait to be made durable."""


class Outbox(Protocol):
    """The durable, ordered queue of transaction messages."""

    @property
    def waiting(self) -> int:
        """How many waited at the last change, without asking the disk."""

    async def end_waits(self, connector: int) -> bool:
        """Whether the end of a session at this connector waits to be told for the first time."""

    async def next(self) -> QueuedMessage | None:
        """The oldest without a committed answer."""

    async def answered(
        self,
        seq: int,
        *,
        transaction_id: int | None = None,
        id_status: str | None = None,
        group_id: str | None = None,
    ) -> None:
        """Commit the answer: the message leaves the queue; a Start's answer gives its session
        the transaction id, and the group of its card where it tells one."""

    async def failed(self, seq: int) -> int:
        """Count a failed attempt (an error or no answer while connected); the attempts so far."""

    async def discard(self, seq: int, reason: str) -> None:
        """Give a message up; kept in the journal of lost messages. A Start given up makes the
        rest of its session use transaction id -1."""

    async def length(self) -> int:
        """How many wait."""

    async def content(self, limit: int = 100) -> list[QueuedMessage]:
        """The oldest ones, for people."""

    async def kinds(self) -> dict[MessageKind, int]:
        """How many of each kind wait."""

    async def lost(self, limit: int = 100) -> list[LostMessage]:
        """Messages given up, newest first."""

    async def wait_for_work(self) -> None:
        """Return when `next` may have something."""


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """An entry of the local whitelist. `token` is normalised: upper case hex, natural order."""

    token: str
    kind: str = "RFID"
    connector: int | None = None
    """Bound to one connector (manual 5.5, decision D1)."""
    name: str = ""
    added_at: str = ""
    last_used_at: str = ""


class WhitelistStore(Protocol):
    """The local whitelist, durable."""

    async def load(self) -> list[WhitelistEntry]:
        """All entries, by token."""

    async def put(self, entries: Sequence[WhitelistEntry]) -> None:
        """Add or replace, in one commit."""

    async def remove(self, keys: Sequence[tuple[str, int | None]] | None) -> int:
        """Remove the entries (token, connector), or all when None; how many."""


@dataclass(frozen=True, slots=True)
class CachedToken:
    """What the backend said of a token (OCPP whitelist, manual 5.4) or its local list."""

    token: str
    status: str
    parent: str | None = None
    expires_at: str | None = None
    updated_at: str = ""


class TokenCacheStore(Protocol):
    """Backend answers kept on the station: the cache and the local authorization list."""

    async def load(self, which: str) -> list[CachedToken]:
        """`which` is "cache" or "local_list"."""

    async def put(self, which: str, tokens: Sequence[CachedToken]) -> None:
        """Add or replace."""

    async def replace(self, which: str, tokens: Sequence[CachedToken], version: int) -> None:
        """The whole list with its version, in one commit."""

    async def remove(self, which: str, tokens: Sequence[str] | None) -> int:
        """Some, or all when None."""

    async def version(self, which: str) -> int:
        """Version of the local list; 0 when empty."""


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An API token: its hash, never itself."""

    token_id: str
    hash: str
    role: Role
    name: str
    created_at: str


CLOSED_ACCOUNT = "closed"
"""In the place of a password hash: there was a password and it is lost. No password opens the
account, the printed one neither; a new one is set on the machine or by a stronger role."""


class AccountStore(Protocol):
    """Password hashes, API tokens, one-time links and logins; durable."""

    async def password_hash(self, role: Role) -> str | None:
        """None while no password is set."""

    async def set_password_hash(self, role: Role, hash_: str | None) -> None:
        """Set or remove."""

    async def tokens(self) -> list[StoredToken]:
        """All API tokens."""

    async def add_token(self, token: StoredToken) -> None:
        """Add one."""

    async def remove_token(self, token_id: str) -> bool:
        """Remove one; False when unknown."""

    async def add_link(self, hash_: str, role: Role, expires_at: str) -> None:
        """A one-time login link."""

    async def use_link(self, hash_: str, now: str) -> Role | None:
        """Consume a link; None when unknown, used or expired."""


class StateStore(Protocol):
    """Small durable facts: availability of connectors, boot counter, reservations, profiles."""

    async def get(self, key: str) -> JsonValue:
        """None when nothing is stored."""

    async def put(self, key: str, value: JsonValue) -> None:
        """Stored when it returns; None removes."""


@dataclass(frozen=True, slots=True)
class LoggedSecurityEvent:
    """A row of the security log."""

    seq: int
    kind: str
    """As the backend knows it (OCPP 1.6 security whitepaper, A04)."""
    detail: str
    at: Moment
    """Dated if that is possible by now."""
    hash: str
    """Of this row and the one before."""


class SecurityLog(Protocol):
    """Hash-chained log of security events, durable."""

    async def add(self, kind: str, detail: str, at: Moment) -> int:
        """The sequence number of the stored event."""

    async def page(self, *, after: int = 0, limit: int = 100) -> list[LoggedSecurityEvent]:
        """Events in order."""

    async def verify(self) -> int | None:
        """Check the chain: None when it is whole, else the first event that does not fit."""


class FrameArchive(Protocol):
    """The last messages exchanged with the backend, without secrets; a power cut may lose the
    newest ones."""

    async def append(self, records: Sequence[FrameRecord]) -> None:
        """Keep them, if the disk allows it; the oldest ones go."""

    async def tail(self, limit: int = ...) -> list[FrameRecord]:
        """The newest ones, oldest first; all that there are without a limit."""

    async def forget(self, before: datetime) -> None:
        """Delete older ones; some may stay until newer ones are old too."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The durable rooms of a station."""

    journal: SessionJournal
    outbox: Outbox
    whitelist: WhitelistStore
    tokens: TokenCacheStore
    accounts: AccountStore
    state: StateStore
    security: SecurityLog
    frames: FrameArchive
    meters: MeterStore
    close: Callable[[], Awaitable[None]] = field(repr=False)
    """Finish writes and close."""
    abort: Callable[[], None] = field(repr=False)
    """Power cut: forget what was not committed."""
    free_bytes: Callable[[], int] = field(repr=False)
    notices: Sequence[Message] = ()
    """What people must know about the opening: damaged, missing, foreign, put aside."""
    remarks: Sequence[Message] = ()
    """What is said about it at the start, and no trouble: data taken over from an older version."""
    damage: Signal[Message] = field(default_factory=Signal)
    """What people must know of damage that is found while the station runs."""
