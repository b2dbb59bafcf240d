"""The live state of the station in the stable shape of `GET /api/v1/status`.

A revision counts visible changes; those of one turn of the event loop are one revision.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from borne.application.authorization.authorization_flow import CardOutcome
from borne.application.charging.connector_runner import ConnectorRunner
from borne.application.charging.fault_service import ActiveFault, FaultService
from borne.application.charging.indication_service import IndicationService
from borne.application.charging.metering_service import MeteringService
from borne.application.charging.transaction_journal import TransactionJournal
from borne.application.limits.limit_service import LimitService
from borne.application.ports.backend import BackendPort
from borne.application.settings.station_settings import free_mode, phases_connected
from borne.domain.authorization.free_charging import RULES
from borne.domain.settings.choices import DisplayLanguage
from borne.domain.settings.messages import Message
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import PilotNominal
from borne.domain.station.display import Screen, announcement, screens
from borne.domain.station.faults import Fault
from borne.domain.station.limits import LimitRow, Waterfall
from borne.domain.station.session import SessionRecord
from borne.domain.station.status import cable_a, connector_status, pilot_text, plug_held
from borne.foundation.clock import Clock, format_utc
from borne.foundation.events import Signal
from borne.foundation.units import PHASES, ZERO

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StatusSources:
    """The rooms that the state is gathered from."""

    runners: Mapping[int, ConnectorRunner]
    settings: Callable[[], Settings]
    metering: MeteringService
    journal: TransactionJournal
    limits: LimitService
    faults: FaultService
    indication: IndicationService
    notices: Callable[[], Sequence[Message]] = lambda: ()


class StatusService:
    """Gathers, counts, and wakes those who wait."""

    def __init__(self, sources: StatusSources, clock: Clock) -> None:
        self.revised: Signal[int] = Signal()
        self.backend: BackendPort | None = None
        self._from = sources
        self._clock = clock
        self._card: tuple[CardOutcome, datetime] | None = None
        self._revision = 1
        self._pending = False
        self._waiters: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        """Follow everything that is visible."""
        rooms = self._from
        for runner in rooms.runners.values():
            runner.changed.subscribe(self._note)
        for signal in (
            rooms.metering.changed,
            rooms.journal.changed,
            rooms.limits.changed,
            rooms.faults.changed,
            rooms.indication.changed,
        ):
            signal.subscribe(self._note)

    @property
    def revision(self) -> int:
        """Grows with every visible change."""
        self._flush()
        return self._revision

    def touch(self) -> None:
        """Something visible changed elsewhere."""
        self._note(None)

    def take_card(self, outcome: CardOutcome) -> None:
        """What became of a card: people see why it was refused."""
        self._card = (outcome, self._clock.now())
        self._note(None)

    def snapshot(self) -> Json:
        """The whole state."""
        self._flush()
        return {
            "revision": self._revision,
            "time": format_utc(self._clock.now()),
            "clock_trust": self._clock.trust.value,
            "power": "on",
            "connectors": [self._connector(runner) for runner in self._from.runners.values()],
            "backend": self._backend(),
            "load_management": {"role": str(self._from.settings()["DLMRole"])},
            "limits": self._shared_limits(),
            "faults": [_fault(fault) for fault in self._from.faults.active(0)],
            "last_card": _last_card(self._card),
            "notices": [str(notice) for notice in self._from.notices()],
        }

    async def wait(self, after: int, timeout_s: float) -> Json:
        """The state as soon as its revision is above `after`, or at the timeout."""
        if self.revision <= after:
            future = asyncio.get_running_loop().create_future()
            self._waiters.add(future)
            try:
                await asyncio.wait_for(future, timeout_s)
            except TimeoutError:
                pass
            finally:
                self._waiters.discard(future)
        return self.snapshot()

    async def changes(self) -> AsyncIterator[Json]:
        """A snapshot, then another after each change."""
        seen = 0
        while True:
            snapshot = await self.wait(seen, 3600.0)
            if snapshot["revision"] > seen:
                seen = snapshot["revision"]
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

    def _backend(self) -> Json:
        if self.backend is None:
            return {"link": "off", "boot": "none", "queue": 0}
        view = self.backend.view()
        return {"link": view.link, "boot": view.boot, "queue": view.queue}

    def _shared_limits(self) -> list[Json]:
        rows = self._from.limits.shared
        lowest = min(rows, key=lambda row: min(row.amps), default=None)
        return [_limit(row, self._clock, row is lowest) for row in rows]

    def _connector(self, runner: ConnectorRunner) -> Json:
        number, state, rooms = runner.connector, runner.state, self._from
        reading = rooms.metering.readings.get(number)
        measured = reading.current_a if reading else ZERO
        sent = state.sent_pilot
        offered_a = sent.current_a if isinstance(sent, PilotNominal) else 0.0
        faults = rooms.faults.active(number)
        phases = phases_connected(rooms.settings(), number)
        return {
            "id": number,
            "name": rooms.settings().text("ConnectorName", number),
            "state": connector_status(state).value,
            "pilot": pilot_text(state),
            "offered_a": _on_phases(offered_a, phases),
            "phases": phases,
            "measured_a": list(measured.rounded()),
            "power_w": round(reading.power_w) if reading else 0,
            "register_wh": reading.register_wh if reading else None,
            "cable_a": cable_a(state),
            "locked": plug_held(state),
            "led": rooms.indication.shown(number),
            "display": self._display(runner),
            "asks_for_card": self._asks_for_card(),
            "session": self._session(rooms.journal.record(number)),
            "limits": _limits(rooms.limits.waterfall(number), self._clock),
            "faults": [_fault(fault) for fault in faults],
        }

    def _display(self, runner: ConnectorRunner) -> list[Screen]:
        number, state, rooms = runner.connector, runner.state, self._from
        settings, reading = rooms.settings(), rooms.metering.readings.get(number)
        free = free_mode(settings)
        told = announcement(
            connector_status(state),
            rooms.indication.shown(number),
            plugged=state.connected,
            needs_card=free is None or RULES[free].needs_card,
            takes_card=self._takes_card(),
        )
        record = rooms.journal.record(number)
        language = settings.choice("DisplayLanguage", DisplayLanguage)
        power_w = reading.power_w if reading else 0.0
        energy_wh = record.energy_wh if record else 0
        return list(screens(told, language, power_w=power_w, energy_wh=energy_wh))

    def _takes_card(self) -> bool:
        """There is a reader, and it works."""
        faults = {active.fault for active in self._from.faults.active(0)}
        return self._from.settings().flag("RFIDEnable") and Fault.CARD_READER not in faults

    def _asks_for_card(self) -> bool:
        free = free_mode(self._from.settings())
        return (free is None or RULES[free].needs_card) and self._takes_card()

    def _session(self, record: SessionRecord | None) -> Json | None:
        if record is None:
            return None
        start = record.start
        return {
            "id": record.session_id,
            "started_at": _date(self._clock, record),
            "energy_wh": record.energy_wh,
            "transaction_id": record.transaction_id,
            "identity": {"kind": start.identity.kind.value, "masked": start.identity.masked},
            "billable": record.billable,
            "flags": sorted(flag.value for flag in record.flags),
        }


def _on_phases(amps: float, phases: int) -> list[float]:
    """What is offered to each phase that is wired to the socket."""
    return [round(amps, 1)] * phases + [0.0] * (len(PHASES) - phases)


def _date(clock: Clock, record: SessionRecord) -> str | None:
    when: datetime | None = clock.date(record.start.at)
    return format_utc(when) if when else None


def _last_card(card: tuple[CardOutcome, datetime] | None) -> Json | None:
    if card is None:
        return None
    outcome, at = card
    return {
        "at": format_utc(at),
        "connectors": list(outcome.connectors),
        "accepted": outcome.accepted,
        "reason": outcome.reason.value,
        "why": outcome.why,
        "masked": outcome.masked,
    }


def _fault(active: ActiveFault) -> Json:
    return {"id": active.fault.value, "since": format_utc(active.since)}


def _limits(fall: Waterfall, clock: Clock) -> list[Json]:
    return [_limit(row, clock, row.source.name in fall.effective) for row in fall.rows]


def _limit(row: LimitRow, clock: Clock, effective: bool) -> Json:
    until = None
    if row.until_s is not None:
        until = format_utc(clock.now() + timedelta(seconds=row.until_s - clock.monotonic()))
    return {
        "source": row.source.name,
        "scope": row.source.scope.value,
        "amps": list(row.amps.rounded()),
        "reason": row.reason,
        "since": format_utc(row.since),
        "until": until,
        "effective": effective,
    }
