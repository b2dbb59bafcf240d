"""The network between the stations of a group, in one process: it delays, loses, repeats and
reorders messages as its generator of random numbers says, and stations can be cut off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.domain.load_management.messages import MasterGrant, SlaveReport
from borne.foundation.events import Signal, Unsubscribe

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkQuality:
    """How a network treats each message."""

    delay_s: float = 0.0
    """Shortest time of a message."""
    jitter_s: float = 0.0
    """Longest time beyond it; messages overtake each other."""
    loss: float = 0.0
    """Share of lost messages, 0 to 1."""
    repeats: float = 0.0
    """Share of messages that arrive twice."""


PERFECT = NetworkQuality()


class GroupNetwork:
    """Connects one master with its slaves."""

    def __init__(self, rng: random.Random, quality: NetworkQuality = PERFECT) -> None:
        self.quality = quality
        """May be changed while messages are on their way; it counts for new ones."""
        self.lost = 0
        self.delivered = 0
        self._rng = rng
        self._reports: Signal[SlaveReport] = Signal()
        self._grants: dict[str, Signal[MasterGrant]] = {}
        self._cut: set[str] = set()

    def master_link(self) -> MasterLink:
        """Return the end of the master."""
        return _MasterEnd(self)

    def slave_link(self, station: str) -> SlaveLink:
        """Return the end of a station."""
        return _SlaveEnd(self, station)

    def cut(self, station: str) -> None:
        """Lose all messages from and to a station, also those on their way."""
        self._cut.add(station)

    def restore(self, station: str) -> None:
        """Undo a cut."""
        self._cut.discard(station)

    def carry(self, station: str, signal: Signal[T], message: T) -> None:
        """Take a message from or to a station on its way."""
        quality, loop = self.quality, asyncio.get_running_loop()
        copies = 2 if self._rng.random() < quality.repeats else 1
        for _ in range(copies):
            delay_s = quality.delay_s + self._rng.random() * quality.jitter_s
            if self._rng.random() < quality.loss:
                self.lost += 1
            elif delay_s > 0:
                loop.call_later(delay_s, self._deliver, station, signal, message)
            else:
                loop.call_soon(self._deliver, station, signal, message)

    def reports(self) -> Signal[SlaveReport]:
        """What reaches the master."""
        return self._reports

    def grants(self, station: str) -> Signal[MasterGrant]:
        """What reaches a station."""
        return self._grants.setdefault(station, Signal())

    def _deliver(self, station: str, signal: Signal[T], message: T) -> None:
        if station in self._cut:
            self.lost += 1
            return
        self.delivered += 1
        signal.emit(message)


class _MasterEnd:
    def __init__(self, network: GroupNetwork) -> None:
        self._network = network

    def send(self, grant: MasterGrant) -> None:
        self._network.carry(grant.station, self._network.grants(grant.station), grant)

    def subscribe(self, listener: Callable[[SlaveReport], None]) -> Unsubscribe:
        return self._network.reports().subscribe(listener)


class _SlaveEnd:
    master = "simulated network"

    def __init__(self, network: GroupNetwork, station: str) -> None:
        self._network = network
        self._station = station

    def send(self, report: SlaveReport) -> None:
        self._network.carry(self._station, self._network.reports(), report)

    def subscribe(self, listener: Callable[[MasterGrant], None]) -> Unsubscribe:
        return self._network.grants(self._station).subscribe(listener)
