"""The live state of the station, gathered from its services.

The revision counts visible changes; all changes of one turn of the event loop are one revision.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from borne.application.charging.connector import Connector
from borne.application.charging.fault_service import FaultService
from borne.application.charging.indication_service import IndicationService
from borne.application.charging.limits import Limits
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.ports.backend_link import BackendLink
from borne.application.settings.station_settings import free_mode, phases_connected
from borne.domain.authorization.free_charging import RULES
from borne.domain.authorization.outcome import CardOutcome
from borne.domain.limits.rows import LimitRow
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.settings.choices import DisplayLanguage
from borne.domain.settings.snapshot import Settings
from borne.domain.station.display import Screen, announcement, screens
from borne.domain.station.faults import Fault
from borne.domain.station.session import SessionRecord
from borne.domain.station.station_status import (
    BackendStatus,
    FaultStatus,
    LastCard,
    LimitStatus,
    MaskedIdentity,
    RunningSession,
    SocketStatus,
    StationStatus,
)
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.messages import Message
from borne.foundation.units import PHASES, PerPhase


@dataclass(frozen=True, slots=True)
class StatusSources:
    """The services that the state is gathered from."""

    connectors: Mapping[int, Connector]
    settings: Callable[[], Settings]
    metering: MeteringService
    journal: TransactionJournal
    limits: Limits
    faults: FaultService
    indication: IndicationService
    link: BackendLink
    notices: Callable[[], Sequence[Message]] = lambda: ()
    site_meter: Callable[[], SiteMeterStatus | None] = lambda: None


class StatusService:
    """Gathers the state, counts its revisions, and wakes those who wait for the next one."""

    def __init__(self, sources: StatusSources, clock: Clock) -> None:
        self.revised: Signal[int] = Signal()
        self._from = sources
        self._clock = clock
        self._card: LastCard | None = None
        self._revision = 1
        self._pending = False
        self._waiters: list[asyncio.Future[None]] = []

    def start(self) -> None:
        """Subscribe to everything that is visible."""
        sources = self._from
        for connector in sources.connectors.values():
            connector.changed.subscribe(self._note)
        for signal in (
            sources.metering.changed,
            sources.journal.changed,
            sources.limits.changed,
            sources.faults.changed,
            sources.indication.changed,
        ):
            signal.subscribe(self._note)

    @property
    def revision(self) -> int:
        """Grows with every visible change."""
        self._flush()
        return self._revision

    def touch(self) -> None:
        """Call when something visible has changed that this service does not follow."""
        self._note(None)

    def on_card(self, outcome: CardOutcome) -> None:
        """Remember the outcome of a card, so that people see why it was refused."""
        self._card = LastCard(
            self._clock.now(),
            outcome.connectors,
            outcome.accepted,
            outcome.reason,
            outcome.why,
            outcome.masked,
        )
        self._note(None)

    def snapshot(self) -> StationStatus:
        self._flush()
        sources = self._from
        return StationStatus(
            self._revision,
            self._clock.now(),
            self._clock.trust,
            tuple(self._socket(connector) for connector in sources.connectors.values()),
            self._backend(),
            str(sources.settings()["DLMRole"]),
            self._shared_limits(),
            self._faults(0),
            self._card,
            tuple(sources.notices()),
            sources.site_meter(),
        )

    async def wait(self, after: int, timeout_s: float) -> StationStatus:
        """The state once its revision is above `after`, or at the timeout."""
        if self.revision <= after:
            future = asyncio.get_running_loop().create_future()
            self._waiters.append(future)
            try:
                await asyncio.wait_for(future, timeout_s)
            except TimeoutError:
                pass
            finally:
                self._waiters.remove(future)
        return self.snapshot()

    async def changes(self) -> AsyncIterator[StationStatus]:
        """A snapshot, then another one after each change."""
        seen = 0
        while True:
            snapshot = await self.wait(seen, 3600.0)
            if snapshot.revision > seen:
                seen = snapshot.revision
                yield snapshot

    def _note(self, _: object) -> None:
        if not self._pending:
            self._pending = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if not self._pending:
            return
        self._pending = False
        self._revision += 1
        for future in self._waiters:
            if not future.done():
                future.set_result(None)
        self.revised.emit(self._revision)

    def _backend(self) -> BackendStatus:
        backend = self._from.link.backend
        if backend is None:
            return BackendStatus()
        view = backend.view()
        return BackendStatus(view.link, view.boot, view.queue)

    def _faults(self, connector: int) -> tuple[FaultStatus, ...]:
        active = self._from.faults.active(connector)
        return tuple(FaultStatus(each.fault, each.since) for each in active)

    def _shared_limits(self) -> tuple[LimitStatus, ...]:
        rows = self._from.limits.shared
        lowest = min(rows, key=lambda row: min(row.amps), default=None)
        return tuple(self._limit(row, row is lowest) for row in rows)

    def _limits(self, connector: int) -> tuple[LimitStatus, ...]:
        offer = self._from.limits.offer(connector)
        return tuple(self._limit(row, row in offer.effective) for row in offer.rows)

    def _limit(self, row: LimitRow, effective: bool) -> LimitStatus:
        until = None
        if row.until_s is not None:
            until = self._clock.now() + timedelta(seconds=row.until_s - self._clock.monotonic())
        return LimitStatus(
            row.source.cause,
            row.source.scope,
            row.amps.rounded(),
            row.cause,
            row.since,
            until,
            effective,
            row.detail,
            row.link,
            row.limited_by,
        )

    def _socket(self, connector: Connector) -> SocketStatus:
        number, state, sources = connector.id, connector.status, self._from
        reading = sources.metering.readings.get(number)
        present = sources.metering.present_reading(number)
        phases = phases_connected(sources.settings(), number)
        return SocketStatus(
            id=number,
            name=sources.settings().text("ConnectorName", number),
            state=state.state,
            pilot=state.pilot,
            offered_a=_on_phases(state.pilot_a, phases),
            phases=phases,
            measured_a=present.current_a.rounded() if present else None,
            power_w=round(present.power_w) if present else None,
            register_wh=reading.register_wh if reading else None,
            cable_a=state.cable_a,
            locked=state.plug_held,
            led=sources.indication.shown(number),
            display=self._display(connector),
            asks_for_card=self._asks_for_card(),
            session=self._session(sources.journal.record(number)),
            limits=self._limits(number),
            faults=self._faults(number),
        )

    def _display(self, connector: Connector) -> tuple[Screen, ...]:
        number, state, sources = connector.id, connector.status, self._from
        settings, reading = sources.settings(), sources.metering.present_reading(number)
        free = free_mode(settings)
        announced = announcement(
            state.state,
            sources.indication.shown(number),
            plugged=state.connected,
            needs_card=free is None or RULES[free].needs_card,
            reader_works=self._reader_works(),
        )
        record = sources.journal.record(number)
        language = settings.choice("DisplayLanguage", DisplayLanguage)
        power_w = reading.power_w if reading else None
        energy_wh = record.energy_wh if record else 0
        return tuple(screens(announced, language, power_w=power_w, energy_wh=energy_wh))

    def _reader_works(self) -> bool:
        """Whether there is a reader and none of them has a fault."""
        faults = {active.fault for active in self._from.faults.active(0)}
        return self._from.settings().flag("RFIDEnable") and Fault.CARD_READER not in faults

    def _asks_for_card(self) -> bool:
        free = free_mode(self._from.settings())
        return (free is None or RULES[free].needs_card) and self._reader_works()

    def _session(self, record: SessionRecord | None) -> RunningSession | None:
        if record is None:
            return None
        identity = record.start.identity
        return RunningSession(
            record.session_id,
            self._clock.date(record.start.at),
            record.energy_wh,
            record.transaction_id,
            MaskedIdentity(identity.kind, identity.masked),
            record.billable,
            record.flags,
        )


def _on_phases(amps: float, phases: int) -> PerPhase:
    """The offer on each phase that is wired to the socket."""
    return PerPhase(*(round(amps, 1) if phase < phases else 0.0 for phase in range(len(PHASES))))
