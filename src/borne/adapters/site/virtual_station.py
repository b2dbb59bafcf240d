"""A station on virtual time: its sockets, and its real `Slave`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from borne.adapters.site.accounts import Accounts
from borne.adapters.site.event_heap import EventHeap, Timer
from borne.adapters.site.site_model import CarVisit, StationModel
from borne.adapters.site.virtual_car import CarRecord, VirtualCar
from borne.application.load_management.slave import Slave
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.messages import (
    MEASURED_STEP_A,
    MasterGrant,
    SlaveReport,
    SocketReport,
    SocketUse,
)
from borne.domain.load_management.participant import LOWEST_PILOT_A
from borne.domain.load_management.topology import SocketPhase, connected_phases, loaded_phases
from borne.foundation.units import PerPhase

MEASURES_S = 1.0
"""A station knows a changed current after this time."""
PILOT_S = 5.0
"""The pilot rises at most this often; it falls at once."""
NOTHING = PerPhase(0.0, 0.0, 0.0)


@dataclass
class VirtualSocket:
    """A socket: pilot, contactor, meter and the car in it."""

    number: int
    station: VirtualStation
    links_of: Callable[[int], Sequence[int]]
    """The lines that a car on this many phases loads."""
    car: VirtualCar | None = None
    pilot_a: float = 0.0
    pilot_changes: int = 0
    wanted_pilot_a: float = 0.0
    measured_a: float = 0.0
    """As the station knows it."""
    _pilot_s: float = float("-inf")
    _links: Sequence[int] = ()
    _counted_a: float = 0.0
    _excused_a: float = 0.0
    _rises: Timer = field(init=False)
    _measures: Timer = field(init=False)

    def __post_init__(self) -> None:
        self._rises = Timer(self.station.heap, self._rise)
        self._measures = Timer(self.station.heap, self._measure)

    @property
    def drawn_a(self) -> float:
        """What flows now."""
        return self._counted_a

    @property
    def root_phases(self) -> Sequence[int]:
        """The grid phases (from 0) that it loads."""
        return [link for link in self._links if link < 3]

    def plug(self, record: CarRecord) -> None:
        """A car arrives."""
        phases = min(record.visit.model.phases, self.station.model.phases)
        self._links = self.links_of(phases)
        station = self.station
        self.car = VirtualCar(
            record,
            phases,
            station.heap,
            station.rng,
            self._flows,
            self._asks,
            lambda: self.pilot_a >= LOWEST_PILOT_A,
        )
        if self.pilot_a >= LOWEST_PILOT_A:
            self.car.offered(self.pilot_a)

    def unplug(self) -> None:
        """The car leaves."""
        if self.car is not None:
            self.car.settle()
            self.car.leave()
            self.car = None
            self.measured_a = 0.0

    def offer(self, amps: float) -> None:
        """Set the pilot, a rise not too soon after the last change."""
        self.wanted_pilot_a = amps
        if amps <= self.pilot_a:
            self._rises.set(None)
            self._set_pilot(amps)
        else:
            self._rises.set(max(self.station.heap.now_s, self._pilot_s + PILOT_S))

    def cut_off(self) -> None:
        """The station lost its power: the contactor opens."""
        self._rises.set(None)
        self.pilot_a = self.wanted_pilot_a = self.measured_a = 0.0
        if self.car is not None:
            self.car.cut_off()

    def report(self) -> SocketReport:
        """Its part of a report."""
        model, car = self.station.model, self.car
        wants = car is not None
        closed = car is not None and self._counted_a > 0
        return SocketReport(
            connector=self.number,
            use=self._use(),
            wants=wants,
            asking=car is not None and car.asking,
            closed=closed,
            live=closed,
            measured_a=self._per_phase(self.measured_a) if closed else NOTHING,
            offered_a=self.pilot_a,
            upper_a=model.maximum_a,
            upper_cause=LimitCause.MAXIMUM,
            rotation=model.rotations[self.number - 1],
            phase_count=model.phases,
            priority=model.priority,
        )

    def _use(self) -> SocketUse:
        if self.car is None:
            return SocketUse.FREE
        if self._counted_a > 0:
            return SocketUse.CHARGING
        return SocketUse.OFFERED if self.pilot_a >= LOWEST_PILOT_A else SocketUse.WAITING

    def _per_phase(self, amps: float) -> PerPhase:
        phases = self.car.phases if self.car is not None else 0
        return PerPhase(*(amps if number < phases else 0.0 for number in range(3)))

    def _rise(self) -> None:
        self._set_pilot(self.wanted_pilot_a)
        self.station.report_changed()

    def _set_pilot(self, amps: float) -> None:
        if amps == self.pilot_a:
            return
        self.pilot_a, self._pilot_s = amps, self.station.heap.now_s
        self.pilot_changes += 1
        if self.car is not None:
            self.car.offered(amps)
            self._count()

    def _flows(self, amps: float) -> None:
        del amps
        self._count()
        self.station.currents_changed()
        self._measures.set(self.station.heap.now_s + MEASURES_S)

    def _count(self) -> None:
        """Enter what flows, and what of it ignores the offer, into the account."""
        car = self.car
        amps = 0.0 if car is None else car.amps
        excused_a = 0.0
        if car is not None and car.record.visit.model.rogue_a is not None:
            excused_a = max(0.0, amps - self.pilot_a)
        if amps != self._counted_a or excused_a != self._excused_a:
            self.station.accounts.draw(
                self._links, amps - self._counted_a, excused_a - self._excused_a
            )
            self._counted_a, self._excused_a = amps, excused_a

    def _asks(self) -> None:
        self.measured_a = 0.0 if self._counted_a <= 0 else self.measured_a
        self.station.report_changed()

    def _measure(self) -> None:
        changed_a = abs(self._counted_a - self.measured_a)
        self.measured_a = self._counted_a
        if changed_a >= MEASURED_STEP_A:
            self.station.report_changed()
        elif changed_a > 0:
            self.station.forget_reports()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all stations of a site share."""

    heap: EventHeap
    accounts: Accounts
    it_network: bool
    send: Callable[[VirtualStation, SlaveReport], None]
    """Carries a report to the master."""
    currents_changed: Callable[[], None]
    """Called when what flows changed."""


class VirtualStation:
    """A station."""

    def __init__(
        self,
        model: StationModel,
        group: str,
        disconnected_a: float,
        rng: random.Random,
        around: Surroundings,
    ) -> None:
        """`group`: the innermost line that feeds the station, as the accounts call it."""
        self.model, self.rng, heap = model, rng, around.heap
        self.heap, self.accounts = heap, around.accounts
        self.currents_changed = around.currents_changed
        self.contact_s = 0.0
        """When the last grant was accepted."""
        self.granted_a: Mapping[int, float] = {}
        """What the master sent last, by connector; it may not have arrived."""
        self.excused_until_s = float("-inf")
        """For this time after a loss of contact it may draw what it drew before."""
        self.slave: Slave | None = None
        self._disconnected_a = disconnected_a
        self._send = around.send
        self._boot = 0
        self._cars = 0
        self._renewed = False
        """Heartbeats are left to `renew`."""
        self._reports: tuple[SocketReport, ...] | None = None
        self._due = Timer(heap, self._heartbeat)
        self._soon = Timer(heap, self._send_report)
        self.sockets = tuple(
            VirtualSocket(number, self, partial(self._links, group, number, around.it_network))
            for number in range(1, model.sockets + 1)
        )

    @property
    def alive(self) -> bool:
        """True while it has power."""
        return self.slave is not None

    @property
    def drawn_a(self) -> PerPhase:
        """What flows, per grid phase."""
        sums = [0.0, 0.0, 0.0]
        for socket in self.sockets:
            for phase in socket.root_phases:
                sums[phase] += socket.drawn_a
        return PerPhase(*sums)

    @property
    def unchanged(self) -> bool:
        """True if a report would repeat the last one."""
        return self._reports is not None

    @property
    def resting(self) -> bool:
        """True if no car is there and its heartbeats have been calm."""
        return self._renewed and not self._cars

    def start(self) -> None:
        """Power comes: the slave knows nothing of former grants."""
        if self.slave is not None:
            return
        self._boot += 1
        connectors = {socket.number: self._disconnected_a for socket in self.sockets}
        self.contact_s = self.heap.now_s
        self.slave = Slave(
            self.model.id,
            self.model.id,
            self._boot,
            connectors,
            self.heap.now_s,
            group=self.model.group,
        )
        self.forget_reports()
        self._apply()
        self._send_report()

    def kill(self) -> None:
        """Power is lost: nothing flows, nothing is remembered."""
        self.slave = None
        self._renewed = False
        self._due.set(None)
        self._soon.set(None)
        for socket in self.sockets:
            socket.cut_off()
        self.currents_changed()

    def plug(self, socket: int, visit: CarVisit) -> CarRecord:
        """A car arrives; returns its record."""
        record = CarRecord(visit)
        self._cars += 1
        self.sockets[socket - 1].plug(record)
        self.report_changed()
        return record

    def unplug(self, socket: int) -> None:
        """The car at a socket leaves."""
        self.sockets[socket - 1].unplug()
        self._cars -= 1
        self.report_changed()

    def on_grant(self, grant: MasterGrant) -> None:
        """A grant arrived."""
        if self.slave is None or not self.slave.on_grant(grant, self.heap.now_s):
            return
        self.contact_s = self.heap.now_s
        if self._apply():
            self._soon.set(self.heap.now_s)
        self._set_due()

    def renew(self) -> None:
        """A heartbeat that changes nothing was exchanged."""
        now_s = self.heap.now_s
        if self.slave is not None:
            self.slave.renew(now_s, now_s)
            self.contact_s = now_s
            if not self._renewed:
                self._renewed = True
                self._due.set(None)

    def end_renewals(self) -> None:
        """From now on, every heartbeat is a report: the next one is due."""
        if self._renewed:
            self._renewed = False
            self._heartbeat()

    def report_changed(self) -> None:
        """Report soon: after everything that happens at this moment."""
        self.forget_reports()
        if self.slave is not None:
            self._soon.set(self.heap.now_s)

    def forget_reports(self) -> None:
        """Read the sockets again for the next report."""
        self._reports = None

    def _apply(self) -> bool:
        """Set the pilots; True if one changes."""
        if self.slave is None:
            return False
        changed = False
        currents = self.slave.currents(self.heap.now_s)
        for socket in self.sockets:
            amps = min(currents[socket.number].amps, self.model.maximum_a)
            amps = amps if amps >= LOWEST_PILOT_A else 0.0
            if amps != socket.wanted_pilot_a:
                socket.offer(amps)
                changed = True
        if changed:
            self.forget_reports()
        return changed

    def _heartbeat(self) -> None:
        self._apply()
        self._send_report()

    def _send_report(self) -> None:
        if self.slave is None:
            return
        if self._reports is None:
            self._reports = tuple(socket.report() for socket in self.sockets)
        self._soon.set(None)
        report = self.slave.report(self._reports, self.model.supply_line_a, self.heap.now_s)
        self._apply()
        self._set_due()
        self._send(self, report)

    def _set_due(self) -> None:
        if self.slave is not None and not self._renewed:
            self._due.set(self.slave.due_s(self.heap.now_s))

    def _links(self, group: str, number: int, it_network: bool, phases: int) -> Sequence[int]:
        used = [SocketPhase(one) for one in sorted(connected_phases(phases))]
        grid = loaded_phases(self.model.wiring[number - 1], used, it_network=it_network)
        return self.accounts.topology.crossed(group, grid)
