"""The link between a master and the slave in the same station (manual 7.4: master with internal
slave): the same messages as between stations, on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.domain.load_management.messages import MasterGrant, SlaveReport
from borne.foundation.events import Signal, Unsubscribe

T = TypeVar("T")
INTERNAL = "internal"
"""Address of a master in the same station."""


class LocalLink:
    """Both ends of the link. Other slaves are reached through `network`, if there is one."""

    def __init__(self, station: str, network: MasterLink | None = None) -> None:
        self.grants: Signal[MasterGrant] = Signal()
        self.reports: Signal[SlaveReport] = Signal()
        self.station = station
        self.network = network
        self._ended = False

    @property
    def master_end(self) -> MasterLink:
        """The end of the master."""
        return _MasterEnd(self)

    @property
    def slave_end(self) -> SlaveLink:
        """The end of the internal slave."""
        return _SlaveEnd(self)

    def abort(self) -> None:
        """Deliver nothing more."""
        self._ended = True

    def deliver(self, signal: Signal[T], message: T) -> None:
        """Deliver a message in the next turn of the loop."""
        asyncio.get_running_loop().call_soon(self._emit, signal, message)

    def _emit(self, signal: Signal[T], message: T) -> None:
        if not self._ended:
            signal.emit(message)


class _SlaveEnd:
    master = INTERNAL

    def __init__(self, link: LocalLink) -> None:
        self._link = link

    def send(self, report: SlaveReport) -> None:
        self._link.deliver(self._link.reports, report)

    def subscribe(self, listener: Callable[[MasterGrant], None]) -> Unsubscribe:
        return self._link.grants.subscribe(listener)


class _MasterEnd:
    def __init__(self, link: LocalLink) -> None:
        self._link = link

    def send(self, grant: MasterGrant) -> None:
        if grant.station == self._link.station:
            self._link.deliver(self._link.grants, grant)
        elif self._link.network is not None:
            self._link.network.send(grant)

    def subscribe(self, listener: Callable[[SlaveReport], None]) -> Unsubscribe:
        local = self._link.reports.subscribe(listener)
        network = self._link.network
        remote = network.subscribe(listener) if network is not None else None

        def unsubscribe() -> None:
            local()
            if remote is not None:
                remote()

        return unsubscribe
