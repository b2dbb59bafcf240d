"""Runs a site on virtual time: all its stations with their cars, its master, meter and building."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from borne.adapters.site.accounts import Accounts, Gap
from borne.adapters.site.event_heap import EventHeap
from borne.adapters.site.recorder import Recorder
from borne.adapters.site.site_model import CarVisit, Do, SiteEvent, SiteModel, StationModel
from borne.adapters.site.traffic import visits_of
from borne.adapters.site.virtual_car import CarRecord
from borne.adapters.site.virtual_master import VirtualMaster
from borne.adapters.site.virtual_meter import SILENCE_S, UNCHANGED_S, VirtualMeter
from borne.adapters.site.virtual_network import VirtualNetwork
from borne.adapters.site.virtual_station import Surroundings, VirtualStation
from borne.domain.load_management.group import GroupPlan
from borne.domain.load_management.messages import REPORT_S, MasterGrant, SlaveReport
from borne.domain.load_management.redistribution import EV_REACTION_S
from borne.domain.load_management.topology import ROOT, Group, Topology
from borne.foundation.units import PerPhase

RESTING_BEATS = 3
"""A station without a car exchanges each third heartbeat: contact is lost after four."""

MARGIN_S = 1.0
"""Of the bound: timers, and the order of what happens at one moment."""


@dataclass(frozen=True, slots=True)
class SiteResult:
    """What a run found."""

    site: SiteModel
    simulated_s: float
    wall_s: float
    cars: Sequence[CarRecord]
    accounts: Accounts
    imbalance_as: float
    starts: int
    pilot_changes: int
    cycles: int
    messages: int

    @property
    def bound_exceeded(self) -> bool:
        """True if more flowed than physics excuses."""
        return any(one > 0 for one in self.accounts.over_bound_as)


def reach_s(site: SiteModel) -> float:
    """The time in which a fallen limit of the root must be obeyed.

    Age and period of the meter, the messages (a lost one is repeated with the next heartbeat), the
    reaction of the car, and a margin. The master's cycle takes no time here: it follows at once.
    A meter that includes the stations cannot tell a rise of the building from cars that change at
    that moment: what is ambiguous is decided by a reading after they have followed.
    """
    meter_s = site.meter.skew_s + site.meter.period_s if site.settings.main_a is not None else 0.0
    if site.settings.including:
        meter_s += EV_REACTION_S + MARGIN_S + site.meter.period_s
    network = site.network
    messages_s = network.longest_s
    if network.loss:
        messages_s = contact_s(site)
    return meter_s + messages_s + EV_REACTION_S + MARGIN_S


def contact_s(site: SiteModel) -> float:
    """A station whose last grant is older than this is out of contact."""
    return REPORT_S + 2 * site.network.longest_s + MARGIN_S


def line_name(site: SiteModel, station: StationModel) -> str:
    """The supply line of a station, among the groups; as the master calls it."""
    groups = {ROOT, *(group.id for group in site.groups)}
    return f"{station.id} (line)" if station.id in groups else station.id


def topology_of(site: SiteModel) -> Topology:
    """All lines: the groups, and the supply lines of stations that have one."""
    lines = [
        Group(line_name(site, one), one.supply_line_a, one.group)
        for one in site.stations
        if one.supply_line_a is not None
    ]
    return Topology([*site.groups, *lines])


def available_a(site: SiteModel, building_a: PerPhase) -> PerPhase:
    """What the stations may draw beside this load of the building, per grid phase."""
    settings = site.settings
    limit_a = settings.sub_distribution_a
    if settings.operator_a is not None:
        limit_a = limit_a.lowest(settings.operator_a)
    if settings.main_a is not None:
        load_a = PerPhase(*(max(0.0, amps) for amps in building_a))
        limit_a = limit_a.lowest(settings.main_a.minus(settings.headroom_a).minus(load_a))
    return PerPhase(*(max(0.0, amps) for amps in limit_a))


def run_site(site: SiteModel, until_s: float, recorder: Recorder | None = None) -> SiteResult:
    """Run a site until a moment; what happens depends on the site and its seeds only."""
    return _SiteRun(site, until_s, recorder).run()


@dataclass
class _SiteRun:
    site: SiteModel
    until_s: float
    recorder: Recorder | None
    heap: EventHeap = field(default_factory=EventHeap)
    messages: int = 0
    imbalance_as: float = 0.0
    cars: list[CarRecord] = field(default_factory=list)
    _gaps: list[Gap] = field(default_factory=list)
    _building_a: PerPhase | None = None
    """Set by an event; None: the building's own curve."""
    _settled_s: float = 0.0
    _beats: int = 0

    def __post_init__(self) -> None:
        site, heap = self.site, self.heap
        self.reach_s, self.contact_limit_s = reach_s(site), contact_s(site)
        load_a = site.building.load_a(0.0)
        self.accounts = Accounts(
            topology_of(site),
            available_a(site, load_a),
            self.reach_s,
            self.open_gaps,
            self._locked_a,
            self._unheard_a,
        )
        self.network = VirtualNetwork(site.network, heap, site.master)
        self.master = VirtualMaster(site, heap, self._send_grant, self._planned)
        self.meter: VirtualMeter | None = None
        if site.settings.main_a is not None:
            self.meter = VirtualMeter(site.meter, heap, self.master.on_reading)
        rng = random.Random(site.seed)  # noqa: S311 -- a simulation
        self.stations = {one.id: self._station(one, rng) for one in site.stations}

    def _station(self, model: StationModel, rng: random.Random) -> VirtualStation:
        return VirtualStation(
            model,
            model.group if model.supply_line_a is None else line_name(self.site, model),
            self.site.settings.disconnected_a,
            random.Random(rng.random()),  # noqa: S311 -- a simulation
            Surroundings(
                self.heap,
                self.accounts,
                self.site.settings.it_network,
                self._send_report,
                self._currents_changed,
            ),
        )

    def run(self) -> SiteResult:
        begun_s = time.perf_counter()
        heap = self.heap
        self._currents_changed()
        for event in self.site.events:
            heap.at(event.at_s, partial(self._happen, event))
        for visit in visits_of(self.site, self.until_s):
            heap.at(visit.arrives_s, partial(self._arrive, visit))
        self._change_building()
        self.master.start()
        for station in self.stations.values():
            station.start()
        if self.recorder is not None:
            self._record()
        if not self.site.network.loss:
            heap.after(REPORT_S, self._renew)
        heap.run(self.until_s, self._settle)
        for station in self.stations.values():
            for socket in station.sockets:
                if socket.car is not None:
                    socket.car.settle()
        sockets = [own for station in self.stations.values() for own in station.sockets]
        return SiteResult(
            self.site,
            self.until_s,
            time.perf_counter() - begun_s,
            self.cars,
            self.accounts,
            self.imbalance_as,
            sum(car.starts for car in self.cars),
            sum(socket.pilot_changes for socket in sockets),
            self.master.cycles,
            self.messages,
        )

    # Messages ----------------------------------------------------------------------------------

    def _send_report(self, station: VirtualStation, report: SlaveReport) -> None:
        self.messages += 1
        self.network.carry(station.model.id, partial(self.master.on_report, report))

    def _send_grant(self, grant: MasterGrant) -> None:
        self.messages += 1
        station = self.stations[grant.station]
        station.granted_a = {own.connector: own.amps for own in grant.sockets}
        self.network.carry(grant.station, partial(self._deliver_grant, station, grant))

    def _deliver_grant(self, station: VirtualStation, grant: MasterGrant) -> None:
        now_s, before_s = self.heap.now_s, station.contact_s
        station.on_grant(grant)
        if station.contact_s == now_s and now_s - before_s > self.contact_limit_s:
            station.excused_until_s = now_s + self.reach_s
            self._gaps.append(Gap(before_s, station.excused_until_s))

    def _renew(self) -> None:
        """Exchange heartbeats with the stations of which nothing is on its way; the others report
        by themselves."""
        engine, network, now_s = self.master.engine, self.network, self.heap.now_s
        self._beats += 1
        for name, station in self.stations.items():
            if station.slave is None or (station.resting and self._beats % RESTING_BEATS):
                continue
            calm = engine is not None and station.unchanged and network.connected(name)
            if calm and engine is not None and engine.renew(name, now_s):
                station.renew()
                self.messages += 2
            else:
                station.end_renewals()
        self.heap.after(REPORT_S, self._renew)

    def _planned(self, plan: GroupPlan) -> None:
        if self.recorder is not None:
            self.recorder.planned(self.heap.now_s, plan)

    # What happens ------------------------------------------------------------------------------

    def _arrive(self, visit: CarVisit) -> None:
        self.cars.append(self.stations[visit.station].plug(visit.socket, visit))
        self.heap.at(visit.leaves_s, partial(self._leave, visit))

    def _leave(self, visit: CarVisit) -> None:
        self.stations[visit.station].unplug(visit.socket)

    def _happen(self, event: SiteEvent) -> None:
        actions: dict[Do, Callable[[], None]] = {
            Do.KILL: partial(self._power, event.station, on=False),
            Do.START: partial(self._power, event.station, on=True),
            Do.CUT_LINK: partial(self.network.cut, event.station or ""),
            Do.RESTORE_LINK: partial(self.network.restore, event.station or ""),
            Do.METER_SILENT: partial(self._switch_meter, silent=True),
            Do.METER_BACK: partial(self._switch_meter, silent=False),
            Do.BUILDING: partial(self._set_building, event.building_a),
        }
        actions[event.do]()

    def _power(self, name: str | None, *, on: bool) -> None:
        if name is None:
            return
        if name == self.site.master:
            (self.master.start if on else self.master.kill)()
        station = self.stations[name]
        (station.start if on else station.kill)()

    def _switch_meter(self, *, silent: bool) -> None:
        if self.meter is None:
            return
        before_s, now_s = self.meter.silent_since_s, self.heap.now_s
        self.meter.switch(silent=silent)
        if before_s is None and silent:
            # Until the silence is noticed, the last reading counts.
            until_s = now_s + SILENCE_S + UNCHANGED_S + self.reach_s
            self._gaps.append(Gap(now_s, until_s, stations=False))

    def _set_building(self, building_a: PerPhase | None) -> None:
        self._building_a = building_a
        self._building_changed()

    def _change_building(self) -> None:
        self._building_changed()
        due_s = self.site.building.next_change_s(self.heap.now_s)
        if due_s is not None:
            self.heap.at(due_s, self._change_building)

    def _building_load_a(self) -> PerPhase:
        if self._building_a is not None:
            return self._building_a
        return self.site.building.load_a(self.heap.now_s)

    def _building_changed(self) -> None:
        self.accounts.limit_root(available_a(self.site, self._building_load_a()))
        self._currents_changed()

    def _currents_changed(self) -> None:
        if self.meter is None:
            return
        amps = self._building_load_a()
        if self.site.settings.including:
            amps = amps.plus(PerPhase(*(line.amps for line in self.accounts.lines[:3])))
        self.meter.flows(amps)

    # Accounts ----------------------------------------------------------------------------------

    def _settle(self, now_s: float) -> None:
        self.accounts.settle(now_s)
        limit_a = self.site.settings.imbalance_a
        if limit_a > 0:
            three = [line.amps for line in self.accounts.lines[:3]]
            excess_a = max(three) - min(three) - limit_a
            if excess_a > 0:
                self.imbalance_as += excess_a * (now_s - self._settled_s)
        self._settled_s = now_s

    def open_gaps(self, at_s: float) -> Sequence[Gap]:
        """The gaps that excuse something at a moment."""
        self._gaps = [gap for gap in self._gaps if gap.until_s >= at_s]
        open_now = [
            Gap(one.contact_s, at_s)
            for one in self.stations.values()
            if one.alive and at_s - one.contact_s > self.contact_limit_s
        ]
        return [*self._gaps, *open_now]

    def _locked_a(self, phase: int) -> float:
        return sum(one.drawn_a[phase] for one in self._out_of_contact())

    def _unheard_a(self, phase: int) -> float:
        return sum(
            max(0.0, socket.drawn_a - one.granted_a.get(socket.number, 0.0))
            for one in self._out_of_contact()
            for socket in one.sockets
            if phase in socket.root_phases
        )

    def _out_of_contact(self) -> Iterator[VirtualStation]:
        now_s = self.heap.now_s
        for one in self.stations.values():
            if now_s <= one.excused_until_s or now_s - one.contact_s > self.contact_limit_s:
                yield one

    def _record(self) -> None:
        if self.recorder is not None:
            self.recorder.sample(
                self.heap.now_s, self.stations.values(), self.accounts, self._building_load_a()
            )
            self.heap.after(self.recorder.period_s, self._record)
