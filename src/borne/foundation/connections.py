"""Which connections of an HTTP listener stay when there are many: a limit for all, one for each
address, room for this machine, and who gives way.

A stranger who only opens connections must not keep others out. So a connection whose request is not
complete, or whose client does not read, gives way to a newcomer; one that is being answered does
not. A newcomer for whom nobody gives way is served in a small reserve, where only the paths of
`HttpLimits.always` are answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

CONNECTIONS_MOST = 128
CONNECTIONS_MOST_EACH = 48
"""As many as there may be event streams, and some more: a proxy is one address."""
LOOPBACK_ROOM = 16
RESERVE = 8


class Entry(Enum):
    """How a newcomer is received."""

    SERVED = "served"
    RESERVE = "reserve"
    """Only what is always answered."""
    REFUSED = "refused"


class Connection(Protocol):
    """What the table must know of a connection."""

    @property
    def address(self) -> str:
        """Of the client; what `neighbourhood` makes of it."""

    @property
    def is_near(self) -> bool:
        """Whether the client is on this machine."""

    @property
    def waits_since(self) -> float | None:
        """Since when the station waits for this client; None while the client waits for us."""

    def drop(self) -> None:
        """Close it at once."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be."""

    all: int = CONNECTIONS_MOST
    each: int = CONNECTIONS_MOST_EACH
    """For one address; this machine is not bounded by it."""
    loopback: int = LOOPBACK_ROOM
    """Of `all`, kept for this machine."""
    reserve: int = RESERVE


class ConnectionTable:
    """All open connections of one listener."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._served: set[Connection] = set()
        self._reserve: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._served) + len(self._reserve)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._served | self._reserve)

    def enter(self, newcomer: Connection) -> Entry:
        """Receive a newcomer; another one may be dropped for it."""
        if self._make_room(newcomer):
            self._served.add(newcomer)
            return Entry.SERVED
        if len(self._reserve) >= self._room.reserve:
            oldest = _longest_waiting(self._reserve)
            if oldest is None:
                return Entry.REFUSED
            self._drop(oldest)
        self._reserve.add(newcomer)
        return Entry.RESERVE

    def leave(self, connection: Connection) -> None:
        self._served.discard(connection)
        self._reserve.discard(connection)

    def _make_room(self, newcomer: Connection) -> bool:
        if not newcomer.is_near:
            own = [each for each in self._served if each.address == newcomer.address]
            if len(own) >= self._room.each:
                return self._drop(_longest_waiting(own))
            far = [each for each in self._served if not each.is_near]
            if len(far) >= self._room.all - self._room.loopback:
                return self._drop(_least_deserving(far))
        if len(self._served) >= self._room.all:
            return self._drop(_least_deserving(self._served))
        return True

    def _drop(self, connection: Connection | None) -> bool:
        if connection is None:
            return False
        self.leave(connection)
        connection.drop()
        return True


def _least_deserving(among: Iterable[Connection]) -> Connection | None:
    """The longest waiting one of the address that has most of those that wait."""
    waiting: dict[str, list[Connection]] = {}
    for each in among:
        if each.waits_since is not None:
            waiting.setdefault(each.address, []).append(each)
    if not waiting:
        return None
    most: list[Connection] = max(waiting.values(), key=len)
    return _longest_waiting(most)


def _longest_waiting(among: Iterable[Connection]) -> Connection | None:
    waiting = [(each.waits_since, each) for each in among if each.waits_since is not None]
    return min(waiting, key=lambda pair: pair[0])[1] if waiting else None
