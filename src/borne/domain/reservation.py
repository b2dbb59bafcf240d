"""Reservations of connectors for cards (OCPP 1.6 sections 3.10, 5.1 and 5.13).

A reservation of connector 0 does not name a connector: one free connector is kept for each such
reservation. A group (parent id) may use the reservations of its members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from borne.domain.station.status import ConnectorStatus

ANY = 0
"""Connector of a reservation that does not name one."""
ENDS = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
"""A connector in one of these states loses its reservation."""
FREE = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED})
"""A connector in one of these states can be reserved."""
CLAIMABLE = FREE | {ConnectorStatus.PREPARING}
"""States in which no card has a right to the connector yet."""
Statuses = Mapping[int, ConnectorStatus]


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector reserved for a card or its group."""

    reservation_id: int
    connector: int
    id_token: str
    expires_at: datetime
    parent: str | None = None

    def admits(self, id_token: str, group: str | None) -> bool:
        """True if the card may use the reservation; ids are compared without case."""
        if id_token.casefold() == self.id_token.casefold():
            return True
        own, other = (self.parent or "").casefold(), (group or "").casefold()
        return own != "" and own == other


class Answer(StrEnum):
    """The status of ReserveNow.conf (OCPP 1.6)."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True)
class Book:
    """All reservations by id."""

    entries: Mapping[int, Reservation] = field(default_factory=dict)

    def put(self, reservation: Reservation) -> Book:
        """Add a reservation, or replace the one with the same id."""
        return Book({**self.entries, reservation.reservation_id: reservation})

    def without(self, ids: Iterable[int]) -> Book:
        gone = set(ids)
        return Book({key: entry for key, entry in self.entries.items() if key not in gone})

    def of(self, connector: int) -> list[Reservation]:
        """The reservations of a connector, oldest first."""
        return [entry for entry in self.entries.values() if entry.connector == connector]

    def expired(self, now: datetime) -> list[int]:
        """Ids of expired reservations."""
        return [key for key, entry in self.entries.items() if entry.expires_at <= now]

    def lost(self, statuses: Statuses) -> list[int]:
        """Ids of the reservations of faulted or unavailable connectors."""
        return [key for key, entry in self.entries.items() if statuses.get(entry.connector) in ENDS]


def answer(book: Book, asked: Reservation, statuses: Statuses, now: datetime) -> Answer:
    """Decide about a requested reservation; it replaces one with the same id."""
    if asked.expires_at <= now:
        return Answer.REJECTED
    if asked.connector == ANY:
        return _answer_any(book.without([asked.reservation_id]), statuses)
    status = statuses.get(asked.connector)
    if status is None:
        return Answer.REJECTED
    if status not in FREE:
        return _why_not(status)
    others = book.without([asked.reservation_id])
    if others.of(asked.connector) or _open(others, statuses) <= 0:
        return Answer.OCCUPIED
    return Answer.ACCEPTED


def _answer_any(others: Book, statuses: Statuses) -> Answer:
    if _open(others, statuses) > 0:
        return Answer.ACCEPTED
    reasons = {_why_not(status) for status in statuses.values()}
    for reason in (Answer.OCCUPIED, Answer.UNAVAILABLE, Answer.FAULTED):
        if reason in reasons:
            return reason
    return Answer.REJECTED


def _why_not(status: ConnectorStatus) -> Answer:
    match status:
        case ConnectorStatus.FAULTED:
            return Answer.FAULTED
        case ConnectorStatus.UNAVAILABLE:
            return Answer.UNAVAILABLE
        case _:
            return Answer.OCCUPIED


def _open(book: Book, statuses: Statuses) -> int:
    """Number of connectors that can still be reserved."""
    free = [n for n, status in statuses.items() if status in FREE and not book.of(n)]
    return len(free) - len(book.of(ANY))


def kept(book: Book, statuses: Statuses) -> dict[int, int]:
    """The reservation shown by each reserved connector: its own, or one of connector 0 if these
    need all connectors that are left."""
    shown = {n: own[0].reservation_id for n in statuses if (own := book.of(n))}
    floating = book.of(ANY)
    left = [n for n, status in statuses.items() if status in CLAIMABLE and n not in shown]
    if len(left) <= len(floating):
        shown |= {n: entry.reservation_id for n, entry in zip(left, floating, strict=False)}
    return shown


@dataclass(frozen=True, slots=True)
class Permission:
    """The effect of reservations on a card at a connector."""

    allowed: bool
    reservation_id: int | None = None
    """The reservation that the card uses."""
    ask_for_group: bool = False
    """The card may belong to the group of a reservation: ask the backend for its parent id."""


def permission(
    book: Book, connector: int, statuses: Statuses, id_token: str, group: str | None
) -> Permission:
    """Whether a card may use a connector, and with which reservation."""
    own, floating = book.of(connector), book.of(ANY)
    for entry in (*own, *(() if own else floating)):
        if entry.admits(id_token, group):
            return Permission(True, entry.reservation_id)
    shown = kept(book, statuses).get(connector)
    if shown is None:
        return Permission(True)
    keepers = own or floating
    return Permission(False, ask_for_group=any(entry.parent for entry in keepers))
