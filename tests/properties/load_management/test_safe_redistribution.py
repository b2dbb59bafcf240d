"""No instant above a limit: cars lag, messages are lost, late and out of order.

The world runs in steps of one second. Every car draws the highest setpoint that its participant
applied during the last five seconds (the slowest car there is). Every control period the master
takes new targets (arbitrary ones that the limits allow) and sends a safe step towards them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.fail_safe import FailSafeTiming, fallback_a
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.redistribution import EV_REACTION_S, SetpointTrack, safe_step
from tests.properties.load_management.instances import Instance, instances

LAG_S = int(EV_REACTION_S)


@dataclass
class Slave:
    """Applies what arrives, newest number only; its car may lag up to five seconds."""

    applied: tuple[int, float] = (0, 0.0)
    history: list[float] = field(default_factory=lambda: [0.0] * (LAG_S + 1))

    def receive(self, number: int, amps: float) -> bool:
        if number < self.applied[0]:
            return False
        self.applied = (number, amps)
        return True

    def pass_second(self) -> None:
        self.history = [*self.history[1:], self.applied[1]]

    @property
    def drawn_a(self) -> float:
        return max(*self.history, self.applied[1])


@dataclass
class Group:
    """Master, slaves and an unreliable network between them."""

    instance: Instance
    dice: Random
    loss: float
    now_s: int = 0
    number: int = 0
    tracks: dict[str, SetpointTrack] = field(default_factory=dict)
    slaves: dict[str, Slave] = field(default_factory=dict)
    flying: list[tuple[int, str, int, float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self.instance.participants:
            self.tracks[one.id] = SetpointTrack()
            self.slaves[one.id] = Slave()

    def control(self, targets_a: dict[str, float]) -> None:
        cars = [
            replace(one, envelope_a=self.tracks[one.id].envelope_a(self.now_s))
            for one in self.instance.participants
        ]
        setpoints = safe_step(self.instance.snapshot(cars), targets_a)
        for name, amps in setpoints.amps.items():
            self.number += 1
            self.tracks[name] = self.tracks[name].sent(self.number, amps)
            self._send(name, self.number, amps, to_slave=True)

    def _send(self, name: str, number: int, amps: float, *, to_slave: bool) -> None:
        if self.dice.random() >= self.loss:
            delay_s = self.dice.choice((0, 0, 1, 3, 15))
            self.flying.append((self.now_s + delay_s, name, number, amps, to_slave))

    def pass_second(self) -> None:
        arrived = [message for message in self.flying if message[0] <= self.now_s]
        self.flying = [message for message in self.flying if message[0] > self.now_s]
        self.dice.shuffle(arrived)
        for _, name, number, amps, to_slave in arrived:
            if to_slave:
                if self.slaves[name].receive(number, amps):
                    self._send(name, number, amps, to_slave=False)
            else:
                track = self.tracks[name]
                self.tracks[name] = track.confirmed(number, amps, self.now_s, EV_REACTION_S + 1)
        for slave in self.slaves.values():
            slave.pass_second()
        self.now_s += 1

    def assert_safe(self) -> None:
        topology = self.instance.topology
        totals = [0.0] * len(topology.links)
        for one in self.instance.participants:
            drawn_a = self.slaves[one.id].drawn_a
            assert drawn_a <= self.tracks[one.id].envelope_a(self.now_s) + 1e-6
            loaded = one.loads(it_network=self.instance.it_network)
            for link in topology.crossed(one.group, loaded):
                totals[link] += drawn_a
        limits = topology.capacities(self.instance.root_limit_a)
        for where, total, limit in zip(topology.links, totals, limits, strict=True):
            assert total <= limit + 1e-6, f"{where}: {total} A of {limit} A at {self.now_s} s"


def plain(instance: Instance) -> Instance:
    cars = tuple(replace(one, reserved_a=None) for one in instance.participants)
    return replace(instance, participants=cars)


def new_targets(instance: Instance, dice: Random) -> dict[str, float]:
    """Cars come, go and change their rank."""
    cars = [
        replace(
            one,
            rank=dice.random(),
            demand=dice.choice((Demand.NONE, Demand.CHARGING, Demand.CHARGING)),
        )
        for one in instance.participants
    ]
    return dict(allocate(instance.snapshot(cars)).amps)


@settings(max_examples=60)
@given(
    instances(most=8).map(plain),
    st.randoms(use_true_random=False),
    st.sampled_from((0.0, 0.05, 0.4)),
    st.sampled_from((1, 4, 10)),
)
def test_no_limit_is_exceeded_at_any_instant(
    instance: Instance, dice: Random, loss: float, period_s: int
) -> None:
    group = Group(instance, dice, loss)
    targets: dict[str, float] = {}
    for second in range(80):
        if second % (3 * period_s) == 0:
            targets = new_targets(instance, dice)
        if second % period_s == 0:
            group.control(targets)
        group.pass_second()
        group.assert_safe()


@given(instances(most=8).map(plain), st.randoms(use_true_random=False))
def test_the_target_is_reached_in_two_confirmed_steps(instance: Instance, dice: Random) -> None:
    envelope = new_targets(instance, dice)
    targets = new_targets(instance, dice)
    for _ in range(2):
        cars = [replace(one, envelope_a=envelope[one.id]) for one in instance.participants]
        envelope = dict(safe_step(instance.snapshot(cars), targets).amps)
    for name, amps in targets.items():
        assert abs(envelope[name] - amps) < 1e-6


@given(
    st.lists(st.tuples(st.integers(0, 32), st.integers(0, 10)), min_size=2, max_size=8),
    st.randoms(use_true_random=False),
)
def test_two_stages_never_exceed_what_both_sums_allow(
    sockets: list[tuple[int, int]], dice: Random
) -> None:
    """Setpoints that fit, disconnected limits that fit, time-outs in any order: always fits."""
    timing = FailSafeTiming(heartbeat_timeout_s=60.0, max_skew_s=10.0)
    limit_a = max(sum(pair[0] for pair in sockets), sum(pair[1] for pair in sockets))
    confirmed_s = [dice.uniform(0.0, timing.max_skew_s) for _ in sockets]
    for second in range(140):
        total = 0.0
        for (setpoint_a, disconnected_a), last_s in zip(sockets, confirmed_s, strict=True):
            total += max(
                fallback_a(
                    setpoint_a, disconnected_a, timing.stage(max(0.0, second - lag - last_s))
                )
                for lag in range(LAG_S + 1)
            )
        assert total <= limit_a + 1e-9


def test_a_participant_that_never_answered_keeps_its_envelope() -> None:
    silent = Participant(id="A", envelope_a=16.0)
    assert SetpointTrack(16.0).sent(1, 6.0).envelope_a(1e6) == silent.envelope_a
