"""Reservations: who may use which connector until when (OCPP 1.6 sections 3.10, 5.1 and 5.13).

A reservation of connector 0 leaves the connector open: as many free ones are kept as there are such
reservations. A group (parent id) may use what one of its members reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from borne.domain.station.status import ConnectorStatus

ANY = 0
"""Connector of a reservation that leaves the connector open."""
ENDS = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
"""A connector in these states loses its reservation."""
FREE = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED})
"""Can be reserved: nobody is there."""
CLAIMABLE = FREE | {ConnectorStatus.PREPARING}
"""Nobody has a right to it yet."""
Statuses = Mapping[int, ConnectorStatus]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Kept for a card, or for its group."""

    reservation_id: int
    connector: int
    id_token: str
    expires_at: datetime
    parent: str | None = None

    def admits(self, id_token: str, group: str | None) -> bool:
        """Whether this card may use it; ids are compared without regard to case."""
        if id_token.casefold() == self.id_token.casefold():
            return True
        own, other = (self.parent or "").casefold(), (group or "").casefold()
        return own != "" and own == other


class Answer(StrEnum):
    """To a request for a reservation, in the words of OCPP 1.6."""

    ACCEPTED = "Accepted"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    REJECTED = "Rejected"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True)
class Book:
    """All reservations, by their ids."""

    entries: Mapping[int, Reservation] = field(default_factory=dict)

    def put(self, reservation: Reservation) -> Book:
        """Add, or replace the one with the same id."""
        return Book({**self.entries, reservation.reservation_id: reservation})

    def without(self, ids: Iterable[int]) -> Book:
        gone = set(ids)
        return Book({key: entry for key, entry in self.entries.items() if key not in gone})

    def of(self, connector: int) -> list[Reservation]:
        """Those of a connector, oldest first."""
        return [entry for entry in self.entries.values() if entry.connector == connector]

    def expired(self, now: datetime) -> list[int]:
        """Those whose time is over."""
        return [key for key, entry in self.entries.items() if entry.expires_at <= now]

    def lost(self, statuses: Statuses) -> list[int]:
        """Those of connectors that are out of service or broken."""
        return [key for key, entry in self.entries.items() if statuses.get(entry.connector) in ENDS]


def answer(book: Book, asked: Reservation, statuses: Statuses, now: datetime) -> Answer:
    """Whether a reservation can be made; one with the same id is replaced."""
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
    """How many connectors could still be reserved."""
    free = [n for n, status in statuses.items() if status in FREE and not book.of(n)]
    return len(free) - len(book.of(ANY))


def kept(book: Book, statuses: Statuses) -> dict[int, int]:
    """Which reservation each kept connector shows: its own, or, when no connector is left for
    everybody, one that leaves the connector open."""
    shown = {n: own[0].reservation_id for n in statuses if (own := book.of(n))}
    floating = book.of(ANY)
    left = [n for n, status in statuses.items() if status in CLAIMABLE and n not in shown]
    if len(left) <= len(floating):
        shown |= {n: entry.reservation_id for n, entry in zip(left, floating, strict=False)}
    return shown


@dataclass(frozen=True, slots=True)
class Permission:
    """What reservations say to a card at a connector."""

    allowed: bool
    reservation_id: int | None = None
    """The one that the card uses."""
    group_may_tell: bool = False
    """The card may be of a group for which the connector is kept: ask for its parent id."""


def permission(
    book: Book, connector: int, statuses: Statuses, id_token: str, group: str | None
) -> Permission:
    """Whether this card may use this connector, and which reservation it uses by that."""
    own, floating = book.of(connector), book.of(ANY)
    for entry in (*own, *(() if own else floating)):
        if entry.admits(id_token, group):
            return Permission(True, entry.reservation_id)
    shown = kept(book, statuses).get(connector)
    if shown is None:
        return Permission(True)
    keepers = own or floating
    return Permission(False, group_may_tell=any(entry.parent for entry in keepers))
