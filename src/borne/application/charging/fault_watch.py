"""Watches board and meter of one connector, and reports the faults that follow.

The domain judges (over-current, supply, temperature, residual current); here the facts are
gathered, the next judgement is timed, and residual current monitors are re-armed and tested.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from borne.application.charging.connector import Connector
from borne.domain.station.board import (
    BoardLinkReport,
    BoardReport,
    BrownOutReport,
    Contact,
    ContactReport,
    OtherFaultReport,
    ResidualCurrentReport,
    SupplyReport,
    TemperatureReport,
)
from borne.domain.station.connector_state import Stop
from borne.domain.station.faults import Fault
from borne.domain.station.over_current import OverCurrent
from borne.domain.station.persistence import Persisting
from borne.domain.station.reading import MeterReading
from borne.domain.station.residual import ResidualTrip
from borne.domain.station.session import StopReason
from borne.domain.station.supply import Supply
from borne.domain.station.temperature import Heat
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

SUPPLY_SETTLE_S = 1.0
"""The contact that explains a missing supply may be reported up to this much later."""
EXPLAINED_S = 2.0
"""A protective device that was switched on again explains a missing supply for this long."""

CUTS_SUPPLY = frozenset({Contact.RCD, Contact.MCB_TYPE2})
Found = Mapping[Fault, bool]


@dataclass(slots=True)
class ConnectorFacts:
    """What is known of one connector, besides the state of its machine."""

    heat: Heat = field(default_factory=Heat)
    supply: Supply = field(default_factory=Supply)
    unpowered: Persisting = field(
        default_factory=lambda: Persisting(raise_s=SUPPLY_SETTLE_S, clear_s=0.0)
    )
    explained: Persisting = field(
        default_factory=lambda: Persisting(raise_s=0.0, clear_s=EXPLAINED_S)
    )
    """Whether a contact explains a missing supply."""
    over_current: OverCurrent = field(default_factory=OverCurrent)
    trip: ResidualTrip = field(default_factory=ResidualTrip)
    residual: ResidualCurrentReport = field(
        default_factory=lambda: ResidualCurrentReport(tripped=False)
    )
    contacts: frozenset[Contact] = frozenset()
    supply_sensed: bool = True
    self_test_failed: bool = False
    meter_silent: bool = False
    implausible: bool = False
    other: frozenset[str] = frozenset()

    def found(self, elsewhere: frozenset[Contact]) -> Found:
        """The faults that follow; `elsewhere` are contacts that other sources reported."""
        contacts, explained = self.contacts | elsewhere, self.explained.present
        dark = self.unpowered.present or self.supply.dark.present
        return {
            Fault.RESIDUAL_CURRENT: self.trip.tripped,
            Fault.SELF_TEST: self.self_test_failed,
            Fault.MCB_TYPE2: Contact.MCB_TYPE2 in contacts,
            Fault.MCB_DOMESTIC: Contact.MCB_DOMESTIC in contacts,
            Fault.RCD_METER_LOSS: dark and not explained,
            Fault.METER_BILLING: self.meter_silent and not (dark or explained),
            Fault.METER_IMPLAUSIBLE: self.implausible,
            Fault.PHASE_LOSS: self.supply.low.present and not (dark or explained),
            Fault.OVER_VOLTAGE: self.supply.high.present,
            Fault.OVER_CURRENT: self.over_current.faulty,
            Fault.OVER_TEMPERATURE: self.heat.too_hot,
            Fault.OTHER: bool(self.other),
        }


class ConnectorWatch:
    """The watch of one connector. Contacts of the board count only if they are `wired`. `report`
    gets every fault that is found or has ended, `derate` the limit by temperature (None: no limit).
    """

    def __init__(
        self,
        connector: Connector,
        phases: Callable[[], int],
        elsewhere: Callable[[], frozenset[Contact]],
        wired: frozenset[Contact],
        report: Callable[[Fault, int, bool], None],
        derate: Callable[[int, float | None], None],
    ) -> None:
        self.facts = ConnectorFacts()
        self._connector = connector
        self._phases = phases
        self._elsewhere = elsewhere
        self._wired = wired
        self._report = report
        self._derate = derate
        self._loop = asyncio.get_running_loop()
        self._reading: MeterReading | None = None
        self._reported: dict[Fault, bool] = {}
        self._derated_a: float | None = None
        self._latched = False
        self._tested = False
        self._implausible_reading = False
        self._had_session = False
        self._timers = Timers(self._loop)
        self._ended = False

    def start(self) -> None:
        """Subscribe to connector and board."""
        self._connector.changed.notify(self._on_connector_changed)
        self._connector.left.notify(self._on_vehicle_left)
        self._connector.subscribe_reports(self._on_board_report)

    def abort(self) -> None:
        self._ended = True
        self._timers.stop()

    def on_reading(self, reading: MeterReading) -> None:
        """A reading of the billing meter."""
        self._reading = reading
        state = self._connector.status
        if not self._implausible_reading and state.session is None and not state.connected:
            self.facts.implausible = False
        self._implausible_reading = False
        self.judge()

    def on_silence(self, *, silent: bool) -> None:
        """The billing meter stopped answering, or answers again."""
        self.facts.meter_silent = silent
        if silent:
            self._reading = None
            self.facts.supply = Supply()
        self.judge()

    def on_implausible(self) -> None:
        """The register had an impossible value; the reading itself follows."""
        self.facts.implausible = self._implausible_reading = True
        self.judge()

    def self_test(self) -> None:
        """Test the residual current monitor now."""
        if self._connector.capabilities.has_residual_current_monitor:
            self._connector.self_test()

    def judge(self) -> None:
        """Report the faults that follow from the facts now."""
        if self._ended:
            return
        now_s = self._loop.time()
        self._judge_electricity(now_s)
        self._judge_residual(now_s)
        if self._connector.status.known and not self._tested:
            self._tested = True
            if not self._connector.status.connected:
                self.self_test()
        self._conclude()
        self._arm_timer(now_s)

    def _judge_electricity(self, now_s: float) -> None:
        facts, state, reading = self.facts, self._connector.status, self._reading
        facts.unpowered = facts.unpowered.update(not facts.supply_sensed, now_s)
        cut = (facts.contacts | self._elsewhere()) & CUTS_SUPPLY
        facts.explained = facts.explained.update(bool(cut), now_s)
        if reading is not None:
            facts.supply = facts.supply.update(reading.voltage_v, now_s, self._phases())
        drawn_a = reading.current_a if reading is not None else PerPhase.same(0.0)
        facts.over_current = facts.over_current.update(
            drawn_a, state.pilot_a, now_s, closed=state.contactor_closed
        )
        if facts.over_current.latched and not self._latched:
            self._connector.end_session(Stop(StopReason.OTHER))
        self._latched = facts.over_current.latched

    def _judge_residual(self, now_s: float) -> None:
        facts, state = self.facts, self._connector.status
        facts.trip = facts.trip.update(
            now_s,
            self._connector.capabilities.residual_reset_s,
            tripped=facts.residual.tripped,
            vehicle=state.connected,
            cable=state.plugged,
        )
        if facts.trip.due(now_s):
            facts.trip = replace(facts.trip, rearm_at_s=None)
            self._connector.rearm()

    def _conclude(self) -> None:
        connector = self._connector.id
        for fault, present in self.facts.found(self._elsewhere()).items():
            if self._reported.get(fault, False) is not present:
                self._reported[fault] = present
                self._report(fault, connector, present)
        full_a = self._connector.capabilities.max_current_a
        limit_a = self.facts.heat.limit_a(full_a)
        if limit_a != self._derated_a:
            self._derated_a = limit_a
            self._derate(connector, limit_a)

    def _arm_timer(self, now_s: float) -> None:
        facts = self.facts
        due = (
            facts.unpowered.due_s,
            facts.explained.due_s,
            facts.supply.due_s,
            facts.over_current.due_s,
            facts.trip.rearm_at_s,
        )
        soonest_s = min((time for time in due if time is not None), default=None)
        due_s = None if soonest_s is None else max(soonest_s, now_s)
        self._timers.plan_at("judge", due_s, self.judge)

    def _on_connector_changed(self) -> None:
        """End a resumed session whose vehicle left during the power failure, as it will not be
        unplugged."""
        state = self._connector.status
        running = state.session is not None
        if self._had_session and not running and not state.connected:
            self.facts.implausible = False
        self._had_session = running
        self.judge()

    def _on_vehicle_left(self) -> None:
        self.facts.over_current = OverCurrent()
        self.facts.implausible = False
        self.judge()
        if not self.facts.trip.tripped:
            self.self_test()

    def _on_board_report(self, report: BoardReport) -> None:
        facts = self.facts
        match report:
            case ResidualCurrentReport():
                facts.residual = report
                if report.self_test_passed is not None:
                    facts.self_test_failed = not report.self_test_passed
            case TemperatureReport(board_c):
                facts.heat = facts.heat.update(board_c)
            case SupplyReport(present):
                facts.supply_sensed = present
            case ContactReport(contact, tripped) if contact in self._wired:
                contacts = facts.contacts
                facts.contacts = contacts | {contact} if tripped else contacts - {contact}
            case OtherFaultReport(error_code, active):
                facts.other = facts.other | {error_code} if active else facts.other - {error_code}
            case BrownOutReport() | BoardLinkReport(alive=True):
                # The board's latch may be lost; a trip that is still present is reported again.
                facts.residual = ResidualCurrentReport(tripped=False)
            case _:
                return
        self.judge()
