"""What drivers need of the sockets of this station, until their session ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from borne.application.charging.connector import Connector
from borne.application.refusals import Refused, no_socket
from borne.foundation.clock import parse_utc
from borne.foundation.events import Signal
from borne.foundation.messages import N_


@dataclass(frozen=True, slots=True)
class SocketDemand:
    """What a driver still needs."""

    energy_wh: float | None = None
    departs_at: datetime | None = None
    priority: int | None = None
    """Instead of the setting."""
    register_wh: int | None = None
    """Of the billing meter when the energy was set; None: the meter was silent."""

    def left_wh(self, register_wh: int | None) -> float | None:
        """Return the energy that is still needed at this register of the meter."""
        if self.energy_wh is None or self.register_wh is None or register_wh is None:
            return self.energy_wh
        return max(0.0, self.energy_wh - max(0, register_wh - self.register_wh))


class Demands:
    """The demands of all sockets of a station."""

    def __init__(self, connectors: Mapping[int, Connector]) -> None:
        self.changed: Signal[int] = Signal()
        self._connectors = connectors
        self._demands: dict[int, SocketDemand] = {}
        self._sessions: dict[int, str | None] = {}

    def start(self) -> None:
        """Follow the sessions."""
        for number, connector in self._connectors.items():
            connector.changed.notify(partial(self._on_connector_changed, number))

    def of(self, connector: int) -> SocketDemand | None:
        """Return the demand of a socket."""
        return self._demands.get(connector)

    def set(
        self,
        connector: int,
        *,
        energy_wh: float | None,
        departure: str | None,
        priority: int | None,
        register_wh: int | None = None,
    ) -> None:
        """Set a demand. Raises Refused."""
        if connector not in self._connectors:
            raise Refused("unknown_connector", no_socket(connector))
        demand = SocketDemand(energy_wh, _date(departure), priority, register_wh)
        self._demands[connector] = demand
        self._sessions[connector] = self._session(connector)
        self.changed.emit(connector)

    def withdraw(self, connector: int) -> None:
        """Remove a demand. Raises Refused."""
        if connector not in self._connectors:
            raise Refused("unknown_connector", no_socket(connector))
        if self._demands.pop(connector, None) is not None:
            self.changed.emit(connector)

    def _session(self, connector: int) -> str | None:
        session = self._connectors[connector].status.session
        return (session.session_id or None) if session is not None else None

    def _on_connector_changed(self, connector: int) -> None:
        """A demand that was set before its session counts for it."""
        if connector not in self._demands:
            return
        before, now = self._sessions.get(connector), self._session(connector)
        if before is None:
            self._sessions[connector] = now
        elif now != before:
            self.withdraw(connector)


def _date(departure: str | None) -> datetime | None:
    if departure is None:
        return None
    try:
        return parse_utc(departure)
    except ValueError as error:
        raise Refused("invalid_departure", N_("The departure is not a date.")) from error
