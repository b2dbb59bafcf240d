"""Limits the connections of an HTTP listener: in total, per client address, and with a share
reserved for this machine.

Idle connections must not lock out other clients. When a limit is reached, a connection with an
incomplete request, or whose client does not read the response, is dropped for a new one; a
connection whose request is being processed is kept. If none can be dropped, the new connection goes
to a small reserve, where only the paths in `HttpLimits.always` are served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

MAX_CONNECTIONS = 128
MAX_CONNECTIONS_PER_ADDRESS = 48
"""The maximum number of event streams plus some, as all clients behind a proxy share an address."""
LOOPBACK_RESERVED = 16
RESERVE = 8


class Admission(Enum):
    """What happens to a new connection."""

    SERVED = "served"
    RESERVE = "reserve"
    """Only the paths in `HttpLimits.always` are served."""
    REFUSED = "refused"


class Connection(Protocol):
    """What the table needs of a connection."""

    @property
    def address(self) -> str:
        """Client address, as returned by `client_network`."""

    @property
    def is_local(self) -> bool:
        """True if the client is on this machine."""

    @property
    def waits_since(self) -> float | None:
        """Time since which the station waits for the client; None while the client waits for the
        station."""

    def drop(self) -> None:
        """Close it immediately."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on the number of connections."""

    all: int = MAX_CONNECTIONS
    each: int = MAX_CONNECTIONS_PER_ADDRESS
    """Per client address; does not apply to this machine."""
    loopback: int = LOOPBACK_RESERVED
    """Part of `all` that is reserved for this machine."""
    reserve: int = RESERVE


class ConnectionTable:
    """All open connections of one listener."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._served: set[Connection] = set()
        self._reserve: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._served) + len(self._reserve)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._served | self._reserve)

    def enter(self, newcomer: Connection) -> Admission:
        """Add a connection; may drop another one."""
        if self._admit(newcomer):
            self._served.add(newcomer)
            return Admission.SERVED
        if len(self._reserve) >= self._limits.reserve:
            oldest = _longest_waiting(self._reserve)
            if oldest is None:
                return Admission.REFUSED
            self._drop(oldest)
        self._reserve.add(newcomer)
        return Admission.RESERVE

    def leave(self, connection: Connection) -> None:
        self._served.discard(connection)
        self._reserve.discard(connection)

    def _admit(self, newcomer: Connection) -> bool:
        if not newcomer.is_local:
            own = [each for each in self._served if each.address == newcomer.address]
            if len(own) >= self._limits.each:
                return self._drop(_longest_waiting(own))
            far = [each for each in self._served if not each.is_local]
            if len(far) >= self._limits.all - self._limits.loopback:
                return self._drop(_longest_waiting_of_busiest_address(far))
        if len(self._served) >= self._limits.all:
            return self._drop(_longest_waiting_of_busiest_address(self._served))
        return True

    def _drop(self, connection: Connection | None) -> bool:
        if connection is None:
            return False
        self.leave(connection)
        connection.drop()
        return True


def _longest_waiting_of_busiest_address(among: Iterable[Connection]) -> Connection | None:
    """The longest waiting connection of the address with most waiting connections."""
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
