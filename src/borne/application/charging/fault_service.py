"""The list of all faults, and the faults that the connector machine does not find itself.

Causes come from boards, meters, readers, inputs, the disk and the backend. A fault is posted to the
connector that it concerns, a fault of the station to every connector. Manual section 9, decision
0072.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from borne.application.charging.connector import Connector
from borne.application.charging.fault_watch import ConnectorWatch
from borne.application.charging.limits import LimitRows
from borne.application.charging.metering_service import MeteringService
from borne.application.ports.hardware import InputPort
from borne.application.settings.station_settings import phases_connected
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import Source
from borne.domain.settings.choices import OptoInput
from borne.domain.settings.snapshot import Settings
from borne.domain.station.board import BoardReport, Contact, ContactReport
from borne.domain.station.faults import CATALOGUE, Fault
from borne.domain.station.metering import Verdict
from borne.domain.station.reclosing import Reclosing
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

BACKEND_FAULT_DELAY_S = 10.0
"""A link that is back sooner is not reported as a fault."""
METER_BLIND_A = 6.0
"""What a vehicle may draw while its meter does not answer, before that is a fault."""
STORAGE_RETRY_S = 30.0
ROOM_BYTES = 16 * 1024 * 1024
"""A full disk counts as solved only with at least this much free space."""

FULL_BYTES = 1024 * 1024
"""With less free space than this, the next write may fail."""

_INPUTS = {
    "RCDInput": Contact.RCD,
    "MCBType2Input": Contact.MCB_TYPE2,
    "MCBDomesticInput": Contact.MCB_DOMESTIC,
    "SPDInput": Contact.SPD,
}
_OPTO = {OptoInput.OPTO_1: 1, OptoInput.OPTO_2: 2}
_STATION_CONTACTS = frozenset({Contact.RCD, Contact.SPD})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that is present; connector 0 is the station."""

    fault: Fault
    connector: int
    since: datetime


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault was raised or cleared."""

    fault: Fault
    connector: int
    active: bool


@dataclass(frozen=True, slots=True)
class FaultSources:
    """Where causes come from, besides boards and billing meters, and where limits by temperature
    go."""

    settings: Callable[[], Settings]
    limits: LimitRows | None = None
    inputs: InputPort | None = None
    free_bytes: Callable[[], int] = field(default=lambda: ROOM_BYTES)


class FaultService:
    """All faults of the station and of its connectors."""

    _contacts: frozenset[tuple[Contact, str]] = frozenset()

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        metering: MeteringService,
        clock: Clock,
        sources: FaultSources,
    ) -> None:
        self.changed: Signal[FaultChange] = Signal()
        self._connectors = connectors
        self._metering = metering
        self._clock = clock
        self._sources = sources
        self._loop = asyncio.get_running_loop()
        self._active: dict[tuple[Fault, int], ActiveFault] = {}
        self._timers = Timers(self._loop)
        self._wired = _wired(sources.settings())
        self._rcd = Reclosing()
        wired = frozenset(self._wired)
        self.watches = {
            number: ConnectorWatch(
                connector,
                partial(self._phases, number),
                self._station_contacts,
                wired,
                self._on_finding,
                self._derate,
            )
            for number, connector in connectors.items()
        }

    def start(self) -> None:
        """Subscribe to boards, meters, inputs and connectors."""
        for number, connector in self._connectors.items():
            connector.changed.subscribe(self._on_connector_changed)
            connector.storage_failed.subscribe(self.on_storage_failed)
            connector.subscribe_reports(partial(self._on_board_report, f"board {number}"))
            self.watches[number].start()
            account = self._metering.account(number)
            if account is not None and account.doubts:
                # Faults that were found at power-up, before this subscription.
                self.watches[number].on_implausible()
        self._metering.blind.subscribe(self._on_meter_blind)
        for blind in self._metering.blind_connectors:
            self._on_meter_blind((blind, True))
        self.check_free_space()
        self._metering.silent.subscribe(self._on_meter_silent)
        self._metering.implausible.subscribe(self._on_implausible)
        self._metering.changed.subscribe(self._on_reading)
        inputs = self._sources.inputs
        if inputs is not None:
            inputs.subscribe(lambda *_: self.read_inputs())
            self.read_inputs()

    def abort(self) -> None:
        for watch in self.watches.values():
            watch.abort()
        self._timers.stop()

    # The list -------------------------------------------------------------------------------

    def active(self, connector: int | None = None) -> list[ActiveFault]:
        """Faults of a connector (0: of the station), or all."""
        found = [f for f in self._active.values() if connector in (None, f.connector)]
        return sorted(found, key=lambda f: (f.connector, list(CATALOGUE).index(f.fault)))

    def error_code(self, fault: Fault, connector: int) -> str:
        """The OCPP 1.6 error code; for the fault "other" it is the one that the board reports."""
        watch = self.watches.get(connector)
        if fault is Fault.OTHER and watch is not None and watch.facts.other:
            return min(watch.facts.other)
        return CATALOGUE[fault].code_16

    def set(self, fault: Fault, connector: int = 0, *, active: bool) -> None:
        """Raise or clear a fault; connector 0 concerns all connectors."""
        if active:
            # Listed first, so that it is not listed for each connector as well.
            self._note(fault, connector, active=True)
        for number, found in self._connectors.items():
            if connector in (0, number):
                found.set_fault(fault, active=active)
        if not active:
            self._note(fault, connector, active=False)

    def self_test(self, connector: int) -> None:
        """Test the residual current monitor now; a fault follows from its report."""
        self.watches[connector].self_test()

    # Machines -------------------------------------------------------------------------------

    def _on_connector_changed(self, connector: Connector) -> None:
        present = connector.status.faults
        known = {fault for fault, number in self._active if number == connector.id}
        station = {fault for fault, number in self._active if number == 0}
        for fault in present - known - station:
            self._note(fault, connector.id, active=True)
        for fault in known - present:
            self._note(fault, connector.id, active=False)

    def _note(self, fault: Fault, connector: int, *, active: bool) -> None:
        key = (fault, connector)
        if active is (key in self._active):
            return
        if active:
            self._active[key] = ActiveFault(fault, connector, self._clock.now())
        else:
            del self._active[key]
        _log.warning("socket %d: %s %s", connector, fault, "raised" if active else "cleared")
        self.changed.emit(FaultChange(fault, connector, active))

    def _on_finding(self, fault: Fault, connector: int, active: bool) -> None:
        self.set(fault, connector, active=active)

    # Meters ---------------------------------------------------------------------------------

    def _on_meter_silent(self, news: tuple[int, bool]) -> None:
        connector, silent = news
        self.watches[connector].on_silence(silent=silent)

    def _on_meter_blind(self, news: tuple[int, bool]) -> None:
        """Without a reading the current cannot be supervised, so only the minimum is offered."""
        connector, blind = news
        self._put(connector, sources.METER, METER_BLIND_A if blind else None, LimitCause.BLIND)

    def _on_reading(self, connector: int) -> None:
        reading = self._metering.readings.get(connector)
        if reading is not None:
            self.watches[connector].on_reading(reading)

    def _on_implausible(self, news: tuple[int, Verdict]) -> None:
        connector, _ = news
        self.watches[connector].on_implausible()

    # Contacts and inputs --------------------------------------------------------------------

    def read_inputs(self) -> None:
        """Read the digital inputs, as far as a contact of a protective device is connected."""
        inputs = self._sources.inputs
        if inputs is None:
            return
        for contact, number in self._wired.items():
            self._note_contact(contact, "input", open_=inputs.active(number))

    def _on_board_report(self, source: str, report: BoardReport) -> None:
        if not isinstance(report, ContactReport) or report.contact not in _STATION_CONTACTS:
            return
        if report.contact in self._wired:
            self._note_contact(report.contact, source, open_=report.tripped)

    def _note_contact(self, contact: Contact, source: str, *, open_: bool) -> None:
        entry = {(contact, source)}
        self._contacts = self._contacts | entry if open_ else self._contacts - entry
        self._judge_contacts()

    def _station_contacts(self) -> frozenset[Contact]:
        found = {contact for contact, _ in self._contacts}
        return frozenset(found | {Contact.RCD} if self._rcd.faulty else found)

    def _judge_contacts(self) -> None:
        now_s = self._loop.time()
        found = {contact for contact, _ in self._contacts}
        self._rcd = self._rcd.update(Contact.RCD in found, now_s)
        due_s = self._rcd.due_s
        if due_s is not None:
            self._timers.plan_at("rcd", due_s, self._judge_contacts)
        self.set_station_fault(Fault.RCD_TRIPPED, active=self._rcd.faulty)
        self.set_station_fault(Fault.SURGE_PROTECTION, active=Contact.SPD in found)
        for watch in self.watches.values():
            watch.judge()

    def set_station_fault(self, fault: Fault, *, active: bool) -> None:
        """Raise or clear a fault of the station whose cause is reported repeatedly."""
        if active is not ((fault, 0) in self._active):
            self.set(fault, active=active)

    # Everything else ------------------------------------------------------------------------

    def on_backend_online(self, online: bool) -> None:
        """The backend accepted the station, or the connection was lost."""
        self._raise_after_delay(Fault.BACKEND_OFFLINE, BACKEND_FAULT_DELAY_S, present=not online)

    def on_storage_failed(self, full: bool) -> None:
        """True: something could not be stored. False: the end of a session could; as that may have
        used the reserve, the free space is checked."""
        if full:
            self._set_storage_full(full=True)
        else:
            self.check_free_space()

    def check_free_space(self) -> None:
        """Raise the fault before a write fails; clear it once there is plenty of free space
        again."""
        known = (Fault.STORAGE_FULL, 0) in self._active
        self._set_storage_full(
            full=self._sources.free_bytes() < (ROOM_BYTES if known else FULL_BYTES)
        )

    def _set_storage_full(self, *, full: bool) -> None:
        self.set_station_fault(Fault.STORAGE_FULL, active=full)
        self._timers.plan("storage", STORAGE_RETRY_S, self.check_free_space)

    def _raise_after_delay(self, fault: Fault, delay_s: float, *, present: bool) -> None:
        if not present:
            self._timers.cancel(fault)
            self.set_station_fault(fault, active=False)
        elif fault not in self._timers and (fault, 0) not in self._active:
            self._timers.plan(fault, delay_s, partial(self.set_station_fault, fault, active=True))

    def _phases(self, connector: int) -> int:
        return phases_connected(self._sources.settings(), connector)

    def _derate(self, connector: int, limit_a: float | None) -> None:
        self._put(connector, sources.TEMPERATURE, limit_a, LimitCause.HOT)

    def _put(
        self, connector: int, source: Source, limit_a: float | None, cause: LimitCause
    ) -> None:
        service = self._sources.limits
        if service is None:
            return
        if limit_a is None:
            service.withdraw(connector, source)
            return
        amps = PerPhase.same(round(limit_a, 1))
        service.put(connector, LimitRow(source, amps, cause, self._clock.now()))


def _wired(settings: Settings) -> dict[Contact, int]:
    """Contacts for which an input is configured, with its number. Other contacts are not connected
    and are ignored. A change needs a restart."""
    numbers = {
        contact: _OPTO.get(settings.choice(key, OptoInput)) for key, contact in _INPUTS.items()
    }
    return {contact: number for contact, number in numbers.items() if number is not None}
