"""The station's own sockets as participants of a shared current: a single supply line, or the
backend's limit of the station.

The decision is made in `domain.load_management.group`. This module observes the sockets, keeps
the state of the distribution, and schedules the next plan. It is event-driven: connectors and
meters report changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from borne.application.charging.connector import Connector
from borne.application.charging.socket_observation import may_be_live, wants_current
from borne.application.limits.limit_settings import SocketSettings
from borne.domain.limits.plan import LimitPlan
from borne.domain.load_management.group import GroupState
from borne.domain.load_management.socket_memory import SocketFacts, socket_id
from borne.domain.station.reading import MeterReading
from borne.foundation.events import Signal
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers


class Meters(Protocol):
    """The part of the billing meters that sharing needs."""

    changed: Signal[int]
    silent: Signal[tuple[int, bool]]

    @property
    def readings(self) -> Mapping[int, MeterReading]:
        """Return the last reading of each connector."""

    def read(self, connector: int) -> Awaitable[MeterReading | None]:
        """Request a new reading."""


class SocketSharing:
    """Observes the station's own sockets, and keeps state between two plans."""

    _silent: frozenset[int] = frozenset()

    def __init__(
        self, connectors: Mapping[int, Connector], meters: Meters, supervisor: Supervisor
    ) -> None:
        self.changed: Signal[bool] = Signal()
        """A shared limit must be distributed again; True: the older distribution could be too
        high."""
        self.state = GroupState()
        self._connectors = connectors
        self._meters = meters
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._seen: dict[int, SocketFacts] = {}
        self._shared = False
        self._timers = Timers(self._loop)
        self._ended = False

    def start(self) -> None:
        """Subscribe to sockets and meters."""
        for connector in self._connectors.values():
            connector.changed.subscribe(self._on_connector_changed)
        self._meters.changed.subscribe(self._on_reading)
        self._meters.silent.subscribe(self._on_silence)

    def abort(self) -> None:
        """Stop, at a power cut or the end of the station."""
        self._ended = True
        self._timers.stop()

    def look(self, connector: int, settings: SocketSettings) -> SocketFacts:
        """Return the observed state of a socket."""
        facts = replace(
            self._observed(connector),
            rotation=settings.rotation,
            phase_count=settings.phases,
        )
        self._seen[connector] = facts
        return facts

    def commit(self, plan: LimitPlan) -> None:
        """Store the state of an applied plan, and schedule the next plan."""
        self.state = plan.group
        self._shared = plan.shared
        self._timers.plan_at("look", plan.due_s, self._on_due)

    def note_offer(self, connector: int, amps: float) -> None:
        """Record an offer that was lowered without a plan."""
        name = socket_id(connector)
        memory = self.state.memory(name).offered(amps, self._loop.time())
        self.state = replace(self.state, sockets={**self.state.sockets, name: memory})

    def _observed(self, connector: int) -> SocketFacts:
        status = self._connectors[connector].status
        reading = self._meters.readings.get(connector)
        reachable = reading is not None and connector not in self._silent
        return SocketFacts(
            participant=socket_id(connector),
            wants=wants_current(status),
            asking=status.asking,
            closed=status.contactor_closed,
            live=may_be_live(status),
            measured_a=reading.current_a if reading is not None and reachable else None,
        )

    def _on_connector_changed(self, connector: Connector) -> None:
        self._compare(connector.id, restricts=True)

    def _on_reading(self, connector: int) -> None:
        self._compare(connector, restricts=False)

    def _on_silence(self, news: tuple[int, bool]) -> None:
        connector, silent = news
        self._silent = self._silent | {connector} if silent else self._silent - {connector}
        self._compare(connector, restricts=True)

    def _compare(self, connector: int, *, restricts: bool) -> None:
        """Request a new distribution if its inputs have changed."""
        seen = self._seen.get(connector)
        if not self._shared or self._ended or seen is None:
            return
        now = self._observed(connector)
        if replace(now, rotation=seen.rotation, phase_count=seen.phase_count) != seen:
            self.changed.emit(restricts)

    def _on_due(self) -> None:
        learning = [
            number
            for number, facts in self._seen.items()
            if self.state.memory(facts.participant).learning(facts)
        ]
        if learning:
            self._supervisor.start("load sample", self._sample(learning))
        else:
            self.changed.emit(False)

    async def _sample(self, connectors: Iterable[int]) -> None:
        for connector in connectors:
            await self._meters.read(connector)
        if not self._ended:
            self.changed.emit(False)
