"""What people and programs may do with a group: clear the slave list, identify a station, and enter
what a driver needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from borne.application.commands import Removed
from borne.application.load_management.master_service import MasterService
from borne.application.load_management.slave_service import SlaveService, SocketDemand
from borne.application.refusals import Refused, no_socket
from borne.foundation.clock import Clock, parse_utc
from borne.foundation.messages import N_, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCommands:
    """The commands of a station with a role in load management."""

    station: str
    master: MasterService | None
    slave: SlaveService | None
    clock: Clock
    blink: Callable[[], None]
    changed: Callable[[], None]

    async def clear_silent(self, count: int) -> Removed:
        """Forget the stations that do not answer."""
        if self.master is None:
            raise Refused("no_master", N_("This station is no master of a group."))
        silent = self.master.master.missing(self.clock.monotonic())
        if count != len(silent):
            values = {"n": len(silent)}
            raise Refused("wrong_count", Message(N_("{n} known stations do not answer."), values))
        removed = Removed(self.master.forget(silent))
        self.changed()
        return removed

    async def identify(self, station: str) -> None:
        """Let this station blink; others cannot be reached yet."""
        if station != self.station:
            raise Refused("not_here", N_("Only this station can blink: identify others on them."))
        self.blink()

    async def set_demand(
        self,
        connector: int,
        energy_wh: float | None = None,
        departure: str | None = None,
        priority: int | None = None,
    ) -> None:
        """Enter what a driver needs."""
        slave = self._slave_of(connector)
        if not slave.is_connected(connector):
            raise Refused("conflict", N_("No car is plugged in at this socket."))
        departs_at = None if departure is None else _date(departure)
        slave.set_demand(connector, SocketDemand(energy_wh, departs_at, priority))

    async def withdraw_demand(self, connector: int) -> None:
        """Forget what a driver needs."""
        self._slave_of(connector).set_demand(connector, None)

    def _slave_of(self, connector: int) -> SlaveService:
        if self.slave is None:
            raise Refused("no_load_management", N_("The sockets have no load management."))
        if not self.slave.has(connector):
            raise Refused("unknown_connector", no_socket(connector))
        return self.slave


def _date(text: str) -> datetime:
    """A time without a zone counts as UTC. Raises Refused."""
    try:
        return parse_utc(text)
    except (ValueError, OverflowError):
        raise Refused("invalid", N_("The departure is no time of ISO 8601.")) from None
