"""Durable storage: sessions and their messages, cards, accounts, state, logs."""

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
    """A message without a committed answer. A repetition is byte-identical: same id, same content,
    same transaction id."""

    seq: int
    message_id: str
    message: TransactionMessage
    transaction_id: int | None
    """The backend's transaction id; -1 after a StartTransaction that was given up; None while
    unknown, and outside transactions."""
    attempts: int
    enqueued_at: Moment


class StorageFailed(Exception):
    """The disk failed: nothing was stored."""


class StorageFull(StorageFailed):
    """The disk is full: nothing was stored."""


class StorageDamaged(StorageFailed):
    """The database file is damaged; the next start puts it aside."""


@dataclass(frozen=True, slots=True)
class LostMessage:
    """A message that was given up, with the reason."""

    message: QueuedMessage
    reason: str
    lost_at: Moment


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """A query for sessions; all filters must match."""

    connector: int | None = None
    id_token: str | None = None
    since: datetime | None = None
    """Started at this time or later; sessions without date do not match."""
    until: datetime | None = None
    """Started before this time."""


ALL_SESSIONS = SessionQuery()


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """Sums over ended sessions; the duration only over those with known begin and end."""

    sessions: int = 0
    energy_wh: int = 0
    duration_s: float = 0.0
    timed: int = 0
    """Number of sessions in `duration_s`."""

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
    """Figures of sessions on the dashboard."""

    everything: SessionTotals = SessionTotals()
    last_month: SessionTotals = SessionTotals()
    """The last calendar month."""


class SessionGrouping(StrEnum):
    """Grouping of statistics."""

    CONNECTOR = "connector"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class SessionGroup:
    """The sessions of one socket or one card."""

    connector: int | None
    identity: Identity | None
    """Identity of a card; an anonymous one has no token."""
    totals: SessionTotals


class SessionJournal(Protocol):
    """Durable storage of sessions. Methods return after the commit; they raise StorageFull (a full
    disk) or StorageFailed (other errors)."""

    async def open(self, start: SessionStart, message: TransactionMessage | None) -> None:
        """Start a session and queue its message in one commit."""

    async def close(
        self, session_id: str, end: SessionEnd, message: TransactionMessage | None
    ) -> None:
        """End a session and queue its message in one commit; repeating it has no effect."""

    async def sample(
        self, session_id: str, sample: Sample, message: TransactionMessage | None
    ) -> None:
        """Add a sample (it may be lost in a power failure or on a full disk) and queue its
        message."""

    async def queue(self, message: TransactionMessage) -> None:
        """Queue a message outside a session."""

    async def open_sessions(self) -> list[SessionRecord]:
        """Sessions without end, oldest first."""

    async def get(self, session_id: str) -> SessionRecord | None:
        """One session."""

    async def find_transaction(self, transaction_id: int) -> SessionRecord | None:
        """The session with this transaction id."""

    async def page(
        self,
        query: SessionQuery = ALL_SESSIONS,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> tuple[list[SessionRecord], int]:
        """A page of sessions, newest first, and the total count. With a session id in `before` or
        `after`: the sessions next to it that began before or after it; none if the session is
        gone."""

    async def batch(
        self, query: SessionQuery, *, before: str | None = None, limit: int = 50
    ) -> list[SessionRecord]:
        """Like `page`, without the count."""

    async def curve(self, session_id: str) -> list[Sample]:
        """The samples of a session, oldest first."""

    async def date(self, boot_id: str, wall: datetime, monotonic_s: float) -> int:
        """Set the date of every undated moment of a boot, in sessions and queue; returns their
        number."""

    async def undated(self) -> dict[str, float]:
        """Boots with undated moments, each with its latest monotonic time."""

    async def totals(self, query: SessionQuery = ALL_SESSIONS) -> SessionTotals:
        """Sums over the matching ended sessions."""

    async def statistics(
        self, by: SessionGrouping, query: SessionQuery = ALL_SESSIONS, *, limit: int = 100
    ) -> list[SessionGroup]:
        """Sums per socket or card, by energy, highest first."""

    async def forget(self, before: datetime) -> int:
        """Delete sessions that ended before that date and have no queued messages; returns their
        number."""

    async def anonymise(self, *, id_token: str | None = None, sessions: Sequence[str] = ()) -> int:
        """Remove the tokens of ended sessions, by token or by session id; returns their number."""


class MeterStore(Protocol):
    """The accounts of the billing meters, so that no energy is lost or invented across restarts: a
    kill of the process loses one second, a power failure some seconds. Disk errors are logged, not
    raised."""

    async def load(self) -> Mapping[int, Account]:
        """Accounts by connector; empty if none is readable."""

    def keep(self, connector: int, account: Account, *, urgent: bool = False) -> None:
        """Store soon; `urgent` does not wait to be made durable."""


class Outbox(Protocol):
    """The durable, ordered queue of transaction messages."""

    @property
    def waiting(self) -> int:
        """Number of waiting messages at the last change, without disk access."""

    async def end_waits(self, connector: int) -> bool:
        """True if the end of a session at this connector has not been sent yet."""

    async def next(self) -> QueuedMessage | None:
        """The oldest message without a committed answer."""

    async def answered(
        self,
        seq: int,
        *,
        transaction_id: int | None = None,
        id_status: str | None = None,
        group_id: str | None = None,
    ) -> None:
        """Commit the answer: the message leaves the queue; the answer to a StartTransaction sets
        transaction id and card group of its session."""

    async def failed(self, seq: int) -> int:
        """Count a failed attempt (an error, or no answer while connected); returns the attempts so
        far."""

    async def discard(self, seq: int, reason: str) -> None:
        """Give up a message; it is kept in the journal of lost messages. After a StartTransaction
        that was given up, the session uses transaction id -1."""

    async def length(self) -> int:
        """Number of waiting messages."""

    async def content(self, limit: int = 100) -> list[QueuedMessage]:
        """The oldest waiting messages, for users."""

    async def kinds(self) -> dict[MessageKind, int]:
        """Number of waiting messages by kind."""

    async def lost(self, limit: int = 100) -> list[LostMessage]:
        """Messages given up, newest first."""

    async def wait_for_work(self) -> None:
        """Wait until `next` may return a message."""


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """An entry of the local whitelist. `token` is in internal form: upper case hex, natural byte
    order."""

    token: str
    kind: str = "RFID"
    connector: int | None = None
    """The connector to which the entry is bound (manual 5.5, decision D1)."""
    name: str = ""
    added_at: str = ""
    last_used_at: str = ""


class WhitelistStore(Protocol):
    """Durable storage of the local whitelist."""

    async def load(self) -> list[WhitelistEntry]:
        """All entries, by token."""

    async def put(self, entries: Sequence[WhitelistEntry]) -> None:
        """Add or replace entries in one commit."""

    async def remove(self, keys: Sequence[tuple[str, int | None]] | None) -> int:
        """Remove entries (token, connector), or all if None; returns their number."""


@dataclass(frozen=True, slots=True)
class CachedToken:
    """A backend's answer about a token (OCPP whitelist, manual 5.4), or an entry of its local
    list."""

    token: str
    status: str
    parent: str | None = None
    expires_at: str | None = None
    updated_at: str = ""


class TokenCacheStore(Protocol):
    """Answers of the backend: the cache and the local authorization list."""

    async def load(self, which: str) -> list[CachedToken]:
        """`which` is "cache" or "local_list"."""

    async def put(self, which: str, tokens: Sequence[CachedToken]) -> None:
        """Add or replace."""

    async def replace(self, which: str, tokens: Sequence[CachedToken], version: int) -> None:
        """Replace list and version in one commit."""

    async def remove(self, which: str, tokens: Sequence[str] | None) -> int:
        """Remove tokens, or all if None."""

    async def version(self, which: str) -> int:
        """Version of the local list; 0 if empty."""


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An API token, stored as its hash."""

    token_id: str
    hash: str
    role: Role
    name: str
    created_at: str


CLOSED_ACCOUNT = "closed"
"""Stored instead of a password hash if the password was lost. No password opens the account, not
even the printed one; a new one is set on the machine or by a higher role."""


class AccountStore(Protocol):
    """Password hashes, API tokens, one-time links and logins; durable."""

    async def password_hash(self, role: Role) -> str | None:
        """None if no password is set."""

    async def set_password_hash(self, role: Role, hash_: str | None) -> None:
        """Set or remove."""

    async def tokens(self) -> list[StoredToken]:
        """All API tokens."""

    async def add_token(self, token: StoredToken) -> None:
        """Add one."""

    async def remove_token(self, token_id: str) -> bool:
        """Remove a token; False if it is unknown."""

    async def add_link(self, hash_: str, role: Role, expires_at: str) -> None:
        """Add a one-time login link."""

    async def use_link(self, hash_: str, now: str) -> Role | None:
        """Consume a link; None if it is unknown, used or expired."""


class StateStore(Protocol):
    """Small durable values: availability of connectors, boot counter, reservations, profiles."""

    async def get(self, key: str) -> JsonValue:
        """None if nothing is stored."""

    async def put(self, key: str, value: JsonValue) -> None:
        """Store a value, durable on return; None removes it."""


@dataclass(frozen=True, slots=True)
class LoggedSecurityEvent:
    """A row of the security log."""

    seq: int
    kind: str
    """Named as for the backend (OCPP 1.6 security whitepaper, A04)."""
    detail: str
    at: Moment
    """With a date, if it is known by now."""
    hash: str
    """Hash over this row and the previous one."""


class SecurityLog(Protocol):
    """Hash-chained log of security events, durable."""

    async def add(self, kind: str, detail: str, at: Moment) -> int:
        """Returns the sequence number of the stored event."""

    async def page(self, *, after: int = 0, limit: int = 100) -> list[LoggedSecurityEvent]:
        """Events in order."""

    async def verify(self) -> int | None:
        """Verify the chain: None if it is intact, else the first event that does not match."""


class FrameArchive(Protocol):
    """The last messages exchanged with the backend, without secrets; a power failure may lose the
    newest."""

    async def append(self, records: Sequence[FrameRecord]) -> None:
        """Store frames, if the disk allows it; the oldest ones are dropped."""

    async def tail(self, limit: int = ...) -> list[FrameRecord]:
        """The newest frames, oldest first; all of them without a limit."""

    async def forget(self, before: datetime) -> None:
        """Delete older frames; some may remain until newer ones are old too."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The durable stores of a station."""

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
    """Stop at once, as in a power failure: uncommitted data is lost."""
    free_bytes: Callable[[], int] = field(repr=False)
    notices: Sequence[Message] = ()
    """Notices about the opening: damaged, missing, foreign or put aside data."""
    remarks: Sequence[Message] = ()
    """Remarks about the opening, for example a migration; not problems."""
    damage: Signal[Message] = field(default_factory=Signal)
    """Notices about damage that is found while the station runs."""
