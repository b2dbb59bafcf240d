"""Reservations of connectors (OCPP 1.6 sections 3.10, 5.1 and 5.13).

A reservation ends when a transaction uses it, at its expiry date, when its connector is faulted or
out of service, or when the backend cancels it. It survives restarts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from borne.application.charging.connector import Connector
from borne.application.ports.storage import StateStore
from borne.application.state.kept_state import of_form, stored_entries, text, whole
from borne.domain import reservation as rules
from borne.domain.reservation import Answer, Book, Permission, Reservation
from borne.domain.station.connector_state import Authorization
from borne.domain.station.status import ConnectorStatus
from borne.foundation.clock import Clock, ClockTrust, format_utc, parse_utc
from borne.foundation.events import Signal
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers

STATE_KEY = "reservations"
FORM = 1
"""Version of the stored form."""
LONGEST_SLEEP_S = 86400.0
"""Some event loops cannot wait for years."""
_log = logging.getLogger(__name__)


class Reservations:
    """All reservations of the station."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        state: StateStore,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self.changed: Signal[int] = Signal()
        """The number of reservations, after a change."""
        self._connectors = connectors
        self._state = state
        self._clock = clock
        self._supervisor = supervisor
        self._book = Book()
        self._timers = Timers()
        self._writing = asyncio.Lock()

    async def start(self) -> None:
        """Load the stored reservations."""
        entries, _ = await stored_entries(self._state, STATE_KEY, _from_stored)
        self._book = Book({entry.reservation_id: entry for entry in entries})
        for connector in self._connectors.values():
            connector.changed.subscribe(self._on_connector_changed)
        self._clock.stepped.notify(self._judge)
        self._judge()

    def abort(self) -> None:
        self._timers.stop()

    @property
    def entries(self) -> list[Reservation]:
        return list(self._book.entries.values())

    async def reserve(self, asked: Reservation) -> Answer:
        """ReserveNow; an accepted reservation is stored."""
        async with self._writing:
            answer = rules.answer(self._book, asked, self._statuses(), self._clock.now())
            if answer is Answer.ACCEPTED:
                await self._store(self._book.put(asked))
                self._book = self._book.put(asked)
        self._show()
        self.changed.emit(len(self._book.entries))
        return answer

    async def cancel(self, reservation_id: int) -> bool:
        """CancelReservation; False if there is none with this id."""
        if reservation_id not in self._book.entries:
            return False
        self._end([reservation_id], "cancelled by the backend")
        await self._keep()
        self._show()
        return True

    async def forget_all(self) -> int:
        """Remove all reservations of a former backend; returns their number."""
        ids = list(self._book.entries)
        if ids:
            self._end(ids, "the backend that made them is gone")
            await self._keep()
            self._show()
        return len(ids)

    def permission(self, connector: int, id_token: str, group: str | None) -> Permission:
        """Whether this card may use this connector."""
        return rules.permission(self._waiting(), connector, self._statuses(), id_token, group)

    def admit(self, connector: int, authorization: Authorization) -> Authorization | None:
        """The authorization with the reservation that it uses; None if the connector is reserved
        for another card."""
        identity = authorization.identity
        verdict = self.permission(connector, identity.id_token, identity.group_id)
        if not verdict.allowed:
            return None
        if verdict.reservation_id is None:
            return authorization
        return replace(authorization, reservation_id=verdict.reservation_id)

    def connector_for(self, id_token: str) -> int | None:
        """A connector that is reserved for this card, if any."""
        for entry in self._book.entries.values():
            if entry.connector != rules.ANY and entry.admits(id_token, None):
                return entry.connector
        return None

    def _statuses(self) -> dict[int, ConnectorStatus]:
        return {number: r.status.state for number, r in self._connectors.items()}

    def _waiting(self) -> Book:
        """The reservations without those of connector 0 whose card already uses a connector."""
        used = {_reservation(connector) for connector in self._connectors.values()}
        floating = {entry.reservation_id for entry in self._book.of(rules.ANY)}
        return self._book.without(number for number in used & floating if number is not None)

    def _on_connector_changed(self, connector: Connector) -> None:
        if not self._book.entries:
            return
        session = connector.status.session
        if session is not None and session.session_id:
            used = session.authorization.reservation_id
            if used is not None and used in self._book.entries:
                self._end_by_itself([used], "used")
        self._judge()

    def _judge(self) -> None:
        """End expired and lost reservations, and update what the connectors show."""
        lost = self._book.lost(self._statuses())
        if lost:
            self._end_by_itself(lost, "the connector is out of service")
        if self._clock.trust is not ClockTrust.NONE:
            over = self._book.expired(self._clock.now())
            if over:
                self._end_by_itself(over, "expired")
        self._show()

    def _show(self) -> None:
        shown = rules.kept(self._waiting(), self._statuses())
        for number, connector in self._connectors.items():
            wanted = shown.get(number)
            if connector.status.session is None and connector.status.reservation_id != wanted:
                connector.reserve(wanted)
        self._arm()

    def _arm(self) -> None:
        self._timers.cancel("expiry")
        dates = [entry.expires_at for entry in self._book.entries.values()]
        if dates and self._clock.trust is not ClockTrust.NONE:
            left_s = (min(dates) - self._clock.now()).total_seconds()
            pause_s = min(max(0.0, left_s), LONGEST_SLEEP_S)
            self._timers.plan("expiry", pause_s, self._judge)

    def _end(self, ids: list[int], why: str) -> None:
        _log.info("reservations %s: %s", ids, why)
        self._book = self._book.without(ids)
        self.changed.emit(len(self._book.entries))

    def _end_by_itself(self, ids: list[int], why: str) -> None:
        self._end(ids, why)
        self._supervisor.start("keep reservations", self._keep())

    async def _keep(self) -> None:
        async with self._writing:
            await self._store(self._book)

    async def _store(self, book: Book) -> None:
        entries = [_to_stored(entry) for entry in book.entries.values()]
        await self._state.put(STATE_KEY, entries or None)


def _reservation(connector: Connector) -> int | None:
    """The reservation that is being used at a connector."""
    session = connector.status.session
    authorization = session.authorization if session else connector.status.pending
    return authorization.reservation_id if authorization else None


def _to_stored(entry: Reservation) -> JsonObject:
    return {
        "form": FORM,
        "reservation_id": entry.reservation_id,
        "connector": entry.connector,
        "id_token": entry.id_token,
        "expires_at": format_utc(entry.expires_at),
        "parent": entry.parent,
    }


def _from_stored(data: JsonValue) -> Reservation:
    stored = of_form(data, FORM)
    parent = stored["parent"]
    return Reservation(
        reservation_id=whole(stored["reservation_id"]),
        connector=whole(stored["connector"]),
        id_token=text(stored["id_token"]),
        expires_at=parse_utc(text(stored["expires_at"])),
        parent=None if parent is None else text(parent),
    )
