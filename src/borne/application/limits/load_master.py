"""Shares what is common to the own sockets: a single supply line, the backend's station limit.

The decision is `domain.load_management.own_group`; here the snapshots are taken, the answer
becomes rows of limits, and the next look is planned. Nothing is polled while nothing is to be
learnt: cars, meters and limits tell when something changes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from borne.application.charging.connector import Connector
from borne.application.charging.metering_service import MeteringService
from borne.application.settings.station_settings import phases_connected
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.cycle import Supply
from borne.domain.load_management.own_group import (
    GroupPlan,
    GroupSnapshot,
    GroupState,
    paused,
    plan,
)
from borne.domain.load_management.own_socket import SocketFacts, frame_of_socket, socket_id
from borne.domain.load_management.participant import Grant
from borne.domain.load_management.topology import Rotation
from borne.domain.settings.choices import PhaseRotation, PhasesConnected
from borne.domain.settings.snapshot import Settings
from borne.domain.station.connector_state import Phase
from borne.domain.station.faults import Fault, blocking
from borne.domain.station.limits import LimitRow, Waterfall, entitlement
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import PerPhase

_log = logging.getLogger(__name__)
DRAWING = frozenset({Phase.OPENING, Phase.RUNNING})


class LoadMaster:
    """The group of the own sockets; a `Sharing` of the limit service."""

    def __init__(
        self,
        runners: Mapping[int, Connector],
        settings: Callable[[], Settings],
        metering: MeteringService,
        supervisor: Supervisor,
    ) -> None:
        self._runners = runners
        self._settings = settings
        self._metering = metering
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._state = GroupState()
        self._plan = GroupPlan(self._state, {}, None)
        self._seen: Mapping[int, SocketFacts] = {}
        self._shared = False
        self._silent: set[int] = set()
        self._refresh: Callable[[], None] = lambda: None
        self._pending = False
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self, refresh: Callable[[], None]) -> None:
        """Follow sockets and meters; `refresh` makes the limit service ask for new shares."""
        self._refresh = refresh
        for runner in self._runners.values():
            runner.changed.subscribe(self._note)
        self._metering.changed.subscribe(self._note)
        self._metering.silent.subscribe(self._take_silence)

    def abort(self) -> None:
        """Power cut, or the end."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()

    def share(
        self,
        entitled: Mapping[int, Waterfall],
        station: Sequence[LimitRow],
        now: datetime,
    ) -> Mapping[int, Sequence[LimitRow]]:
        """Rows for every connector, in its frame, out of the rows of the station (grid frame)."""
        facts = {number: self._facts(number, fall) for number, fall in entitled.items()}
        limit_a = entitlement(station)
        supply = None if limit_a is None else Supply(limit_a, it_network=self._it_network())
        self._plan = self._planned(tuple(facts.values()), supply)
        self._state, self._seen = self._plan.state, facts
        self._shared = supply is not None
        self._arm()
        return {
            number: _rows(self._plan.grants[fact.participant], station, fact.rotation, now)
            for number, fact in facts.items()
            if fact.participant in self._plan.grants
        }

    def _planned(self, facts: tuple[SocketFacts, ...], supply: Supply | None) -> GroupPlan:
        snapshot = GroupSnapshot(
            sockets=facts,
            supply=supply,
            minimum_a=float(self._settings().integer("DLMMinimumCurrentLimit")),
            now_s=self._loop.time(),
        )
        try:
            return plan(self._state, snapshot)
        except Exception:
            # On an internal error, pause all sockets: somebody must guard the line.
            _log.exception("the sockets could not share; all of them pause")
            return paused(self._state, snapshot)

    def _facts(self, connector: int, fall: Waterfall) -> SocketFacts:
        settings, state = self._settings(), self._runners[connector].status
        session = state.session
        wants = (
            session is not None
            and session.phase in DRAWING
            and not session.held
            and state.connected
            and not blocking(state.faults)
        )
        reading = self._metering.readings.get(connector)
        heard = reading is not None and connector not in self._silent
        rotation = settings.choice("ConnectorPhaseRotation", PhaseRotation, connector)
        return SocketFacts(
            participant=socket_id(connector),
            wants=wants,
            asking=state.asking,
            closed=state.contactor_closed,
            live=not state.contactor_settled or Fault.CONTACTOR_WELDED in state.faults,
            measured_a=reading.current_a if reading is not None and heard else None,
            entitled_a=fall.offered_a,
            entitled_by=LimitCause(min(fall.effective)) if fall.effective else None,
            rotation=Rotation(rotation.value.upper()),
            phase_count=phases_connected(settings, connector),
        )

    def _it_network(self) -> bool:
        settings = self._settings()
        wired = (
            settings.choice("PhasesConnected", PhasesConnected, number) for number in self._runners
        )
        return settings.flag("DLMITNetwork") or PhasesConnected.SINGLE_IT in wired

    def _take_silence(self, told: tuple[int, bool]) -> None:
        connector, silent = told
        (self._silent.add if silent else self._silent.discard)(connector)
        self._note(connector)

    def _note(self, _: object) -> None:
        """Something happened: look once, after everybody has taken it in."""
        if self._shared and not self._pending and not self._ended:
            self._pending = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._pending = False
        if not self._ended:
            self._refresh()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._plan.due_s is not None and not self._ended:
            self._timer = self._loop.call_at(self._plan.due_s, self._due)

    def _due(self) -> None:
        self._timer = None
        learning = [
            number
            for number, fact in self._seen.items()
            if self._state.memory(fact.participant).learning(fact)
        ]
        if learning:
            self._supervisor.start("load sample", self._sample(learning))
        else:
            self._refresh()

    async def _sample(self, connectors: Iterable[int]) -> None:
        for connector in connectors:
            await self._metering.read(connector)
        self._look()


def _rows(
    grant: Grant, station: Sequence[LimitRow], rotation: Rotation, now: datetime
) -> Sequence[LimitRow]:
    """The share in the name of the row that sets it, and the other rows of the station."""
    link = grant.reason.link

    def height(row: LimitRow) -> float:
        return min(row.amps) if link is None else row.amps[link.phase - 1]

    owner = min(station, key=height)
    share = LimitRow(owner.source, PerPhase.same(grant.amps), grant.reason.cause.value, now)
    others = [
        LimitRow(row.source, frame_of_socket(row.amps, rotation), row.reason, row.since)
        for row in station
        if row is not owner
    ]
    return (share, *others)
