"""Sockets behind links of any quality, in trees of any shape, never exceed a limit.

Messages and confirmations arrive late, in any order, or not at all. What flows is the highest
setpoint of the last 5 s (IEC 61851-1) on the phases of the true rotation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState, plan
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import SocketFacts
from borne.domain.load_management.topology import (
    ROOT,
    GridPhase,
    Group,
    Rotation,
    Topology,
    loaded_phases,
)
from borne.foundation.units import ZERO, PerPhase
from tests.support.examples import examples

OBEYS_S = 5.0
EPS_A = 1e-6
KNOWN = [rotation for rotation in Rotation if rotation is not Rotation.UNKNOWN]


@dataclass
class Slave:
    """A socket behind a link, and its car."""

    name: str
    group: str
    rotation: Rotation
    """The true one."""
    proven: bool
    used: int
    """The phases of the car, L1 first."""
    connected: int
    maximum_a: float
    priority: int
    applied: tuple[int, float] = (0, 0.0)
    history: list[tuple[float, float]] = field(default_factory=list)
    plugged: bool = True
    lost: bool = False
    metered: bool = True
    messages: list[tuple[int, float]] = field(default_factory=list)
    confirmations: list[tuple[int, float]] = field(default_factory=list)

    def receive(self, which: int, now_s: float) -> None:
        """Take one of the messages on the way, whichever comes first."""
        if self.messages:
            number, amps = self.messages.pop(which % len(self.messages))
            if number > self.applied[0]:
                self.history.append((now_s, self.applied[1]))
                self.applied = number, amps
            self.confirmations.append(self.applied)

    def fall_back(self, amps: float, now_s: float) -> None:
        self.history.append((now_s, self.applied[1]))
        self.applied = self.applied[0], amps

    def drawn_a(self, now_s: float) -> float:
        if not self.plugged:
            return 0.0
        return max([self.applied[1], *(a for at_s, a in self.history if at_s > now_s - OBEYS_S)])

    def measured_a(self, now_s: float) -> PerPhase:
        count = min(self.used, self.connected)
        return PerPhase(*(self.drawn_a(now_s) if place < count else 0.0 for place in range(3)))

    def facts(self, now_s: float, reserved_a: float | None) -> SocketFacts:
        return SocketFacts(
            participant=self.name,
            group=self.group,
            priority=self.priority,
            wants=self.plugged,
            asking=self.plugged,
            closed=self.plugged,
            live=self.plugged,
            measured_a=self.measured_a(now_s) if self.metered else None,
            entitled_a=self.maximum_a,
            rotation=self.rotation if self.proven else Rotation.UNKNOWN,
            phase_count=self.connected,
            reserved_a=reserved_a,
        )


@dataclass
class World:
    """A master, its slaves and the links between them."""

    topology: Topology
    limit_a: PerPhase
    slaves: list[Slave]
    it_network: bool
    imbalance: Imbalance | None
    now_s: float = 1000.0
    number: int = 0
    state: GroupState = field(default_factory=GroupState)
    last: GroupPlan | None = None

    def envelopes(self) -> dict[str, float]:
        return {
            one.name: self.state.memory(one.name).track.envelope_a(self.now_s)
            for one in self.slaves
        }

    def on_links(self, amps: dict[str, float]) -> list[float]:
        """The sum on every link, by the true rotations."""
        total = [0.0] * len(self.topology.links)
        for one in self.slaves:
            phases = self.loaded(one)
            for link in self.topology.crossed(one.group, phases):
                total[link] += amps[one.name]
        return total

    def loaded(self, one: Slave) -> Iterable[GridPhase]:
        used = sorted(one.facts(self.now_s, None).connected)[: one.used]
        return loaded_phases(one.rotation, used, it_network=self.it_network)

    def plan(self) -> None:
        reserved = {
            one.name: max(self.envelopes()[one.name], 8.0) if one.lost else None
            for one in self.slaves
        }
        before = self.on_links(self.kept(reserved))
        self.last = plan(
            self.state,
            GroupSnapshot(
                sockets=tuple(one.facts(self.now_s, reserved[one.name]) for one in self.slaves),
                supply=SharedSupply(self.limit_a, self.topology, self.it_network, self.imbalance),
                minimum_a=6.0,
                now_s=self.now_s,
                slot_s=300.0,
                remote=True,
            ),
        )
        self.state = self.last.state
        self.number += 1
        for one in self.slaves:
            if not one.lost:
                amps = self.last.grants[one.name].amps
                self.state = self.state.sent({one.name: amps}, self.number, self.now_s)
                one.messages.append((self.number, amps))
        limits = self.topology.capacities(self.limit_a)
        after = self.on_links(self.kept(reserved))
        for old_a, new_a, limit in zip(before, after, limits, strict=True):
            assert new_a <= max(old_a, limit) + EPS_A

    def kept(self, reserved: dict[str, float | None]) -> dict[str, float]:
        envelopes = self.envelopes()
        return {name: max(amps, reserved[name] or 0.0) for name, amps in envelopes.items()}

    def check(self) -> None:
        """What flows is at most what the master believes, whatever is late or lost."""
        for one in self.slaves:
            if not one.lost:
                believed = self.state.memory(one.name).track.envelope_a(self.now_s)
                assert one.drawn_a(self.now_s) <= believed + EPS_A

    def do(self, name: str, number: int, which: int) -> None:
        one = self.slaves[number % len(self.slaves)]
        match name:
            case "plan":
                self.plan()
            case "message":
                one.receive(which, self.now_s)
            case "lose":
                if one.messages:
                    one.messages.pop(which % len(one.messages))
            case "confirmation":
                if one.confirmations and not one.lost:
                    number, amps = one.confirmations.pop(which % len(one.confirmations))
                    self.state = self.state.confirmed(number, {one.name: amps}, self.now_s)
            case "plug" if not one.lost:
                one.plugged = not one.plugged
            case "meter":
                one.metered = not one.metered
            case "silence" if not one.lost:
                one.lost = True
                one.messages.clear()
                one.confirmations.clear()
            case "return" if one.lost:
                one.lost = False
                one.fall_back(8.0 if which % 2 else min(8.0, one.applied[1]), self.now_s)
                self.state = self.state.adopted({one.name: one.applied[1]}, self.number, self.now_s)
                one.applied = self.number, one.applied[1]
            case "limit":
                levels = [0.0, 8.0, 16.0, 25.0, 40.0, 63.0, 8.0, 25.0]
                self.limit_a = PerPhase(*levels[which : which + 3])


steps = st.tuples(
    st.sampled_from(
        ["plan"] * 4
        + ["message"] * 6
        + ["confirmation"] * 5
        + ["lose", "plug", "meter", "silence", "return", "return", "limit"]
    ),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.0, 0.3, 2.0, 5.5, 70.0]),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    amps = st.sampled_from([10.0, 16.0, 25.0, 32.0, 50.0])
    limit = st.one_of(amps.map(PerPhase.same), st.builds(PerPhase, amps, amps, amps))
    names = ["building", "floor", "line"]
    groups = [
        Group(name, draw(limit), parent)
        for name, parent in zip(names, [ROOT, *names], strict=False)
    ]
    slaves = [
        Slave(
            name=f"s{number}",
            group=draw(st.sampled_from([ROOT, *names])),
            rotation=draw(st.sampled_from(KNOWN)),
            proven=draw(st.sampled_from([True, True, False])),
            used=draw(st.integers(1, 3)),
            connected=draw(st.sampled_from([3, 3, 1])),
            maximum_a=draw(st.sampled_from([6.0, 10.0, 16.0, 32.0])),
            priority=draw(st.sampled_from([0, 0, 1])),
        )
        for number in range(draw(st.integers(1, 5)))
    ]
    imbalance = draw(st.sampled_from([None, None, Imbalance(8.0), Imbalance(16.0, ZERO)]))
    it_network = draw(st.sampled_from([False, False, True]))
    return World(Topology(groups), draw(limit), slaves, it_network, imbalance)


@settings(max_examples=examples(40, campaign=3000))
@given(worlds(), st.lists(steps, min_size=10, max_size=60))
def test_no_link_exceeds_its_limit_by_envelopes(
    world: World, story: list[tuple[str, int, int, float]]
) -> None:
    world.plan()
    for name, number, which, then_s in story:
        world.do(name, number, which)
        world.check()
        world.now_s += then_s
        world.check()


@settings(max_examples=examples(15, campaign=1000))
@given(worlds())
def test_on_good_links_all_get_their_targets_soon(world: World) -> None:
    for _ in range(20):  # phases are learned one car after the other
        settle(world)
    assert world.last is not None
    before = {name: grant.amps for name, grant in world.last.grants.items()}
    settle(world)
    after = {name: grant.amps for name, grant in world.last.grants.items()}
    assert after == before
    flows = world.on_links({one.name: one.drawn_a(world.now_s) for one in world.slaves})
    for amps, limit in zip(flows, world.topology.capacities(world.limit_a), strict=True):
        assert amps <= limit + EPS_A


def settle(world: World) -> None:
    world.plan()
    for one in world.slaves:
        one.receive(0, world.now_s)
        number, amps = one.confirmations.pop()
        world.state = world.state.confirmed(number, {one.name: amps}, world.now_s)
    world.now_s += 6.5
    world.check()
