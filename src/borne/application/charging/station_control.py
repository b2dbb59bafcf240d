"""Commands to connectors from people, from the backend and from energy managers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from borne.application.charging.connector import Connector
from borne.application.commands import ConnectorId, IdToken, command
from borne.application.ports.storage import StateStore
from borne.application.refusals import Refused, no_socket
from borne.application.state.kept_state import of_form, stored_entries, whole
from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.station.connector_state import Authorization, Stop
from borne.domain.station.session import StopReason
from borne.domain.station.status import STATUS_WORDS, ConnectorStatus
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.events import Signal
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import N_, Message

_STARTABLE = frozenset(
    {ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING, ConnectorStatus.FINISHING}
)
LOCAL_TAG = "local"
STATE_KEY = "inoperative"
BACKEND_KEY = "inoperative_by_backend"
"""Connectors that only the backend took out of service: they return to service when the backend
goes."""
FORM = 2
"""Form 1 was the bare number of the connector."""


class StationControl:
    """Start, stop, unlock, availability."""

    def __init__(self, connectors: Mapping[int, Connector], state: StateStore) -> None:
        self.station_changed: Signal[bool] = Signal()
        """Whether the station as a whole (connector 0) is in service, emitted when that changes."""
        self.station_operative = True
        self._inoperative: set[int] = set()
        self._by_backend: set[int] = set()
        self._blocked = False
        self._connectors = connectors
        self._state = state

    async def restore_availability(self) -> None:
        """Take out of service what was so before the restart (OCPP TC_034)."""
        found, unreadable = await stored_entries(self._state, STATE_KEY, _from_stored)
        self._inoperative = set(found)
        if unreadable:
            # An unreadable entry must not put a connector back into service.
            self._inoperative |= {0, *self._connectors}
            await self._state.put(STATE_KEY, _to_stored(self._inoperative))
        of_backend, _ = await stored_entries(self._state, BACKEND_KEY, _from_stored)
        self._by_backend = set(of_backend) & self._inoperative
        self._judge_station()
        for connector in sorted(self._inoperative):
            if connector in self._connectors:
                self._connectors[connector].set_available(available=False, at_once=True)

    @command("connectors/{connector}/start", Role.OPERATOR, "Start a session")
    async def start(
        self,
        connector: ConnectorId,
        principal: Principal,  # noqa: ARG002 -- the declaration asks for its rights
        id_token: IdToken | None = None,
    ) -> None:
        """Authorize a session without a card. Refused when the state does not allow it."""
        found = self._connector(connector)
        if found.status.state not in _STARTABLE:
            status = found.status.state
            values = {"socket": connector, "status": Message(STATUS_WORDS[status])}
            raise Refused(
                "busy", Message(N_("Socket {socket} cannot start: it is {status}."), values)
            )
        identity = Identity(IdentityKind.LOCAL, id_token or LOCAL_TAG)
        found.authorize(Authorization(identity, card=id_token or ""))

    @command("connectors/{connector}/stop", Role.OPERATOR, "Stop the session")
    async def stop(self, connector: ConnectorId, principal: Principal) -> None:
        """End the running session and release the cable. Refused when none runs."""
        found = self._connector(connector)
        if found.status.session is None and found.status.pending is None:
            raise Refused(
                "no_session",
                Message(N_("Nothing is charging at socket {socket}."), {"socket": connector}),
            )
        remote = principal.kind is PrincipalKind.BACKEND
        found.end_session(Stop(StopReason.REMOTE if remote else StopReason.LOCAL))

    @command("connectors/{connector}/unlock", Role.OPERATOR, "Unlock the cable")
    async def unlock(
        self,
        connector: ConnectorId,
        principal: Principal,  # noqa: ARG002 -- the declaration asks for its rights
    ) -> None:
        """End the session, if any, and unlock the cable."""
        found = self._connector(connector)
        found.end_session(Stop(StopReason.UNLOCK_COMMAND))
        found.unlock()

    @command("connectors/{connector}/availability", Role.OPERATOR, "In service?")
    async def set_availability(
        self, connector: ConnectorId, principal: Principal, *, operative: bool
    ) -> Literal["accepted", "scheduled"]:
        """Put a connector in or out of service: "accepted", or "scheduled" until the present use
        has ended."""
        # 0 is the station with all connectors; it returns to service with the first of them.
        chosen = list(self._connectors) if connector == 0 else [self._connector(connector).id]
        named = {0, *chosen} if operative else {connector, *chosen}
        wanted = self._inoperative - named if operative else self._inoperative | named
        own = self._by_backend - named
        if not operative and principal.kind is PrincipalKind.BACKEND:
            own |= named - (self._inoperative - self._by_backend)
        await self._remember(wanted, own)
        for number in chosen:
            in_service = operative and not self._blocked
            self._connectors[number].set_available(available=in_service)
        waits = any(self._connectors[number].status.out_of_service_later for number in chosen)
        return "scheduled" if waits else "accepted"

    async def forget_backend(self) -> int:
        """Put connectors that only the backend had taken out of service back into service; returns
        their number."""
        ended = self._by_backend
        if not ended:
            return 0
        await self._remember(self._inoperative - ended, set())
        for connector in sorted(ended & self._connectors.keys()):
            self._connectors[connector].set_available(available=not self._blocked)
        return len(ended)

    async def _remember(self, inoperative: set[int], by_backend: set[int]) -> None:
        # After a power failure between these writes the change counts as one of a user.
        if self._by_backend - by_backend:
            await self._state.put(BACKEND_KEY, _to_stored(self._by_backend & by_backend))
        await self._state.put(STATE_KEY, _to_stored(inoperative))
        if by_backend - self._by_backend:
            await self._state.put(BACKEND_KEY, _to_stored(by_backend))
        self._inoperative, self._by_backend = inoperative, by_backend
        self._judge_station()

    def block_new_sessions(self) -> None:
        """Accept no new sessions (an update is due); running sessions continue."""
        self._blocked = True
        for connector in self._connectors.values():
            connector.set_available(available=False, at_once=True)

    def accept_sessions(self) -> None:
        """Undo `block_new_sessions`."""
        if not self._blocked:
            return
        self._blocked = False
        for number, connector in self._connectors.items():
            connector.set_available(available=number not in self._inoperative)

    def _judge_station(self) -> None:
        operative = 0 not in self._inoperative
        if operative is not self.station_operative:
            self.station_operative = operative
            self.station_changed.emit(operative)

    def _connector(self, connector: int) -> Connector:
        found = self._connectors.get(connector)
        if found is None:
            raise Refused("unknown_connector", no_socket(connector))
        return found


def _to_stored(connectors: Collection[int]) -> JsonValue:
    return [{"form": FORM, "connector": each} for each in sorted(connectors)] or None


def _from_stored(entry: JsonValue) -> int:
    return whole(entry if isinstance(entry, int) else of_form(entry, FORM)["connector"])
