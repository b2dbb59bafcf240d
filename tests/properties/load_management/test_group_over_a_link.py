"""One master and its slaves over a network that loses, delays, repeats and reorders: whatever is
cut or restarted, no line carries more than its limit (load-management.md 3.5, 3.6).

The real engines on an event heap. Cars are as slow as they may be, clocks run at different rates.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.application.load_management.group_record import MasterConfig
from borne.application.load_management.known_slaves import KnownSlave
from borne.application.load_management.master import Master, Urgency
from borne.application.load_management.slave import Slave
from borne.domain.load_management.group import plan
from borne.domain.load_management.messages import (
    MasterGrant,
    SlaveReport,
    SocketReport,
    SocketUse,
)
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    Topology,
    connected_phases,
    loaded_phases,
)
from borne.foundation.units import PerPhase
from tests.support.examples import examples

ROTATIONS = tuple(Rotation)[:6]
SLOWEST_S = 5.0
"""A car follows its pilot within this time."""

FALLBACK_S = 60.0 / 0.96 + SLOWEST_S
"""After it a slave that receives nothing is at its disconnected limit at most."""


class Heap:
    """Events in the order of their times."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._number = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, at_s: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (max(at_s, self.now_s), self._number, action))

    def run(self, until_s: float, after_each: Callable[[], None]) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, action = heapq.heappop(self._events)
            action()
            after_each()


@dataclass
class Car:
    """The current of a car that follows as late as it may."""

    phases: int
    lag_s: float
    maximum_a: float
    steps: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])
    """Times and offers."""

    def offer(self, amps: float, now_s: float) -> None:
        if amps != self.steps[-1][1]:
            self.steps.append((now_s, amps))

    def drawn_a(self, now_s: float) -> float:
        """The highest offer of its reaction time."""
        highest = 0.0
        for at_s, amps in reversed(self.steps):
            highest = max(highest, amps)
            if at_s <= now_s - self.lag_s:
                break
        return min(highest, self.maximum_a)


class Station:
    """A station: the engine of its slave, and its cars."""

    def __init__(self, name: str, rng: random.Random, heap: Heap, world: World) -> None:
        self.name, self.rng, self.heap, self.world = name, rng, heap, world
        self.group = rng.choice(["", "hall"])
        self.disconnected_a = rng.choice([0.0, 6.0, 7.0])
        self.rotations = [rng.choice(ROTATIONS) for _ in range(rng.choice([1, 1, 2]))]
        self.line_a = rng.choice([None, 20.0]) if len(self.rotations) == 2 else None
        self.cars: list[Car | None] = [None for _ in self.rotations]
        self.rate, self.offset_s = rng.uniform(0.96, 1.04), rng.uniform(0.0, 1e5)
        self.boot = 0
        self.slave: Slave | None = None
        self.planned_s = float("inf")
        self.cut = [False, False]
        """From and to the master."""

    def local(self, at_s: float) -> float:
        return self.offset_s + at_s * self.rate

    def world_s(self, local_s: float) -> float:
        return (local_s - self.offset_s) / self.rate

    def start(self) -> None:
        if self.slave is not None:
            return
        self.boot += 1
        limits = dict.fromkeys(range(1, len(self.cars) + 1), self.disconnected_a)
        now_s = self.local(self.heap.now_s)
        self.slave = Slave(self.name, self.name, self.boot, limits, now_s, group=self.group or ROOT)
        self.apply()
        self.report()

    def stop(self) -> None:
        self.slave = None
        for car in self.cars:
            if car is not None:
                car.offer(0.0, self.heap.now_s)

    def currents(self) -> list[float]:
        assert self.slave is not None
        found = self.slave.currents(self.local(self.heap.now_s))
        return [found[number].amps for number in sorted(found)]

    def apply(self) -> None:
        for car, amps in zip(self.cars, self.currents(), strict=True):
            if car is not None:
                car.offer(amps, self.heap.now_s)

    def report(self) -> None:
        slave = self.slave
        if slave is None:
            return
        offers, now_s = self.currents(), self.heap.now_s
        sockets = [
            self.socket(number, offers[number - 1]) for number in range(1, len(self.cars) + 1)
        ]
        limit_a = None if self.line_a is None else PerPhase.same(self.line_a)
        report = slave.report(sockets, limit_a, self.local(now_s))
        self.world.to_master(self, report)
        self.apply()
        self.plan_due()

    def socket(self, number: int, offered_a: float) -> SocketReport:
        car = self.cars[number - 1]
        drawn_a = 0.0 if car is None else car.drawn_a(self.heap.now_s)
        shown = [drawn_a if car is not None and k < car.phases else 0.0 for k in range(3)]
        return SocketReport(
            connector=number,
            use=SocketUse.FREE if car is None else SocketUse.CHARGING,
            wants=car is not None,
            asking=car is not None,
            closed=drawn_a > 0,
            live=drawn_a > 0,
            measured_a=PerPhase(*shown),
            offered_a=offered_a,
            upper_a=32.0,
            rotation=self.rotations[number - 1],
        )

    def plan_due(self) -> None:
        assert self.slave is not None
        due_s = self.slave.due_s(self.local(self.heap.now_s))
        assert due_s is not None
        self.planned_s = self.world_s(due_s) + 1e-6
        self.heap.at(self.planned_s, self.due)

    def due(self) -> None:
        if self.slave is not None and self.heap.now_s >= self.planned_s:
            self.planned_s = float("inf")
            self.apply()
            self.report()

    def on_grant(self, grant: MasterGrant) -> None:
        slave = self.slave
        if slave is None or not slave.on_grant(grant, self.local(self.heap.now_s)):
            return
        self.apply()
        if slave.unconfirmed:
            self.report()
        else:
            self.plan_due()

    def plug(self) -> None:
        number = self.rng.randrange(len(self.cars))
        if self.cars[number] is None:
            car = Car(self.rng.choice([1, 2, 3]), self.rng.uniform(0.0, SLOWEST_S), 32.0)
            car.steps = [(self.heap.now_s, 0.0)]
            self.cars[number] = car
            if self.slave is not None:
                self.apply()
        else:
            self.cars[number] = None
        if self.slave is not None:
            self.report()


class World:
    """The master, its slaves and what happens to them."""

    def __init__(self, seed: int, *, steps: bool = False, reachable: bool = False) -> None:
        """`steps`: the limit changes. `reachable`: nothing is lost, cut or restarted."""
        self.rng = rng = random.Random(seed)
        self.heap = Heap()
        self.loss = 0.0 if reachable else rng.choice([0.0, 0.05, 0.3])
        self.delay_s = rng.choice([0.05, 1.0, 4.0])
        self.events = ["plug", "plug", "plug", "cut", "cut", "restart", "master"]
        if reachable:
            self.events = ["plug"]
        self.events += ["limit", "limit"] * steps
        self.obeyed_s = self.delay_s + SLOWEST_S if reachable else FALLBACK_S
        """After it a lower limit is obeyed."""
        self.stations = [
            Station(f"s{number}", rng, self.heap, self) for number in range(rng.randint(1, 6))
        ]
        needed_a = sum(len(one.cars) * one.disconnected_a for one in self.stations)
        self.limit_a = PerPhase.same(max(needed_a, rng.choice([16.0, 25.0, 40.0, 63.0])))
        hall_a = sum(
            len(one.cars) * one.disconnected_a for one in self.stations if one.group == "hall"
        )
        self.lowest_a = needed_a
        self.root_limits = [(float("-inf"), self.limit_a.l1)]
        groups = (Group("hall", PerPhase.same(max(hall_a, rng.choice([13.0, 30.0])))),)
        self.config = MasterConfig(groups=groups, sample_s=rng.choice([1.0, 10.0, 30.0]))
        lines = tuple(
            Group(one.name, PerPhase.same(one.line_a), one.group or ROOT)
            for one in self.stations
            if one.line_a is not None
        )
        self.topology = Topology((*groups, *lines))
        self.limits = self.topology.capacities(self.limit_a)
        self.term = 0
        self.master: Master | None = None
        self.known: tuple[KnownSlave, ...] = ()
        self.planned_s = float("inf")
        self.worst_a = 0.0
        self.offset_s = rng.uniform(0.0, 1e5)

    def local(self) -> float:
        return self.offset_s + self.heap.now_s

    # The master --------------------------------------------------------------------------------

    def start_master(self) -> None:
        if self.master is None:
            self.term += 1
            self.master = Master(self.term, self.config, self.known, self.local())
            self.cycle()

    def stop_master(self) -> None:
        if self.master is not None:
            self.known, self.master = self.master.group.known(), None

    def cycle(self) -> None:
        master = self.master
        if master is None:
            return
        found = plan(master.state, master.snapshot(self.limit_a, self.local()))
        master.apply(found, self.local(), fresh=True)
        self.send()

    def send(self) -> None:
        master = self.master
        if master is None:
            return
        for grant in master.outgoing(self.local()):
            self.to_slave(grant)
        due_s = master.due_s(self.local())
        assert due_s is not None
        self.planned_s = max(due_s - self.offset_s, self.heap.now_s + 1e-3)
        self.heap.at(self.planned_s, self.due)

    def due(self) -> None:
        if self.heap.now_s >= self.planned_s:
            self.planned_s = float("inf")
            self.cycle()

    def on_report(self, report: SlaveReport) -> None:
        if self.master is None:
            return
        if self.master.on_report(report, self.local()) is Urgency.NOW:
            self.cycle()
        else:
            self.send()

    # The network -------------------------------------------------------------------------------

    def to_master(self, station: Station, report: SlaveReport) -> None:
        self.carry(lambda: station.cut[0], lambda: self.on_report(report))

    def to_slave(self, grant: MasterGrant) -> None:
        station = next(one for one in self.stations if one.name == grant.station)
        self.carry(lambda: station.cut[1], lambda: station.on_grant(grant))

    def carry(self, cut: Callable[[], bool], deliver: Callable[[], None]) -> None:
        copies = self.rng.choice([1, 1, 1, 2])
        for _ in range(copies):
            if self.rng.random() >= self.loss and not cut():
                self.heap.at(self.heap.now_s + self.rng.uniform(0.001, self.delay_s), deliver)

    # What happens ------------------------------------------------------------------------------

    def mishap(self) -> None:
        rng, heap = self.rng, self.heap
        station = rng.choice(self.stations)
        event = rng.choice(self.events)
        if event == "plug":
            station.plug()
        elif event == "limit":
            self.set_limit(max(self.lowest_a, rng.choice([6.0, 16.0, 25.0, 40.0, 63.0])))
        elif event == "cut":
            way, long_s = rng.choice([(0,), (1,), (0, 1)]), rng.choice([8.0, 30.0, 90.0, 200.0])
            for end in way:
                station.cut[end] = True
            heap.at(heap.now_s + long_s, lambda: self.restore(station, way))
        elif event == "restart":
            station.stop()
            pause_s = rng.choice([0.0, 3.0, 100.0])
            heap.at(heap.now_s + pause_s, station.start)
        else:
            self.stop_master()
            heap.at(heap.now_s + rng.choice([0.0, 2.0, 50.0, 120.0]), self.start_master)
        heap.at(heap.now_s + rng.choice([1.0, 5.0, 20.0, 60.0, 120.0]), self.mishap)

    def set_limit(self, amps: float) -> None:
        self.root_limits.append((self.heap.now_s, amps))
        fell, self.limit_a = amps < self.limit_a.l1, PerPhase.same(amps)
        if self.master is not None and fell:
            self.master.lower(self.limit_a, self.local())
            self.send()
        self.cycle()

    def root_limit_a(self) -> float:
        """The highest limit that may still be used."""
        highest_a = 0.0
        for at_s, amps in reversed(self.root_limits):
            highest_a = max(highest_a, amps)
            if at_s <= self.heap.now_s - self.obeyed_s:
                break
        return highest_a

    def restore(self, station: Station, way: tuple[int, ...]) -> None:
        for end in way:
            station.cut[end] = False

    def check(self) -> None:
        """Compare what flows with every limit."""
        flows = [0.0] * len(self.limits)
        for one in self.stations:
            group = one.name if one.line_a is not None else one.group or ROOT
            for car, rotation in zip(one.cars, one.rotations, strict=True):
                if car is None:
                    continue
                used = connected_phases(car.phases)
                for link in self.topology.crossed(group, loaded_phases(rotation, used)):
                    flows[link] += car.drawn_a(self.heap.now_s)
        limits = [self.root_limit_a()] * 3 + self.limits[3:]
        over_a = max(flow - limit for flow, limit in zip(flows, limits, strict=True))
        self.worst_a = max(self.worst_a, over_a)
        assert over_a <= 1e-6, f"{over_a} A too much at {self.heap.now_s} s"

    def run(self, for_s: float) -> None:
        """All stations are known and start together with their master."""
        self.start_master()
        for station in self.stations:
            station.start()
        self.heap.at(5.0, self.mishap)
        self.heap.run(for_s, self.check)


@given(st.integers(0, 10**9))
@settings(max_examples=examples(8, 300))
def test_no_line_carries_more_than_its_limit(seed: int) -> None:
    World(seed).run(600.0)


@given(st.integers(0, 10**9))
@settings(max_examples=examples(5, 300))
def test_a_lower_limit_is_obeyed_after_the_way_of_a_message_and_the_reaction_of_a_car(
    seed: int,
) -> None:
    World(seed, steps=True, reachable=True).run(600.0)


@given(st.integers(0, 10**9))
@settings(max_examples=examples(5, 300))
def test_a_lower_limit_is_obeyed_after_the_fallback_whatever_is_lost(seed: int) -> None:
    World(seed, steps=True).run(600.0)


@pytest.mark.campaign
@pytest.mark.parametrize("block", range(20))
def test_no_line_carries_more_than_its_limit_for_long(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        World(seed).run(4 * 3600.0)
