"""The own sockets share safely whatever happens, in the worst case that cars may make of it.

Each car draws, at any moment, the highest setpoint of the last 5 s (IEC 61851-1). The sum on each
grid phase stays within the highest limit of the last 5 s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState, plan
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import SocketFacts
from borne.domain.load_management.topology import Rotation
from borne.foundation.units import ZERO, PerPhase

OBEYS_S = 5.0
EPS = 1e-6
LONGEST_LOOKS = 400
NAMES = {1: "left", 2: "right"}

shapes = st.sampled_from(
    [
        PerPhase(1, 1, 1),
        PerPhase(1, 0, 0),
        PerPhase(1, 1, 0),
        PerPhase(1, 0.9, 0.95),
    ]
)
numbers = st.sampled_from([1, 2])
caps = st.sampled_from([0.0, 6.0, 7.5, 14.0, 16.0, 25.0, 32.0, 63.0])
ops = st.tuples(
    st.one_of(
        st.tuples(st.just("arrive"), numbers, shapes),
        st.tuples(st.just("leave"), numbers, st.none()),
        st.tuples(st.just("ask"), numbers, st.booleans()),
        st.tuples(st.just("own"), numbers, st.sampled_from([0.0, 6.0, 10.0, 16.0, 32.0])),
        st.tuples(st.just("meter"), numbers, st.booleans()),
        st.tuples(st.just("cap"), st.just(0), st.tuples(caps, caps, caps)),
        st.tuples(st.just("cap"), st.just(0), caps.map(lambda amps: (amps, amps, amps))),
    ),
    st.sampled_from([0.0, 0.5, 2.0, 4.0, 4.9, 5.5, 7.0, 13.0, 70.0, 1900.0]),
)


@dataclass
class Car:
    """What is at a socket."""

    shape: PerPhase = ZERO
    metered: bool = True


class Worst:
    """Two sockets, the worst cars, and what may flow."""

    def __init__(self, rotations: tuple[Rotation, Rotation]) -> None:
        self.now_s = 0.0
        self.cap = PerPhase.same(32.0)
        self.caps = [(0.0, self.cap)]
        self.cars = {1: Car(), 2: Car()}
        self.offers: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        self.facts = {
            number: SocketFacts(
                participant=NAMES[number], measured_a=ZERO, entitled_a=32.0, rotation=rotation
            )
            for number, rotation in zip((1, 2), rotations, strict=True)
        }
        self.last = GroupPlan(GroupState(), {}, None)

    def change(self, number: int, **changes: Any) -> None:
        self.facts[number] = replace(self.facts[number], **changes)

    def do(self, name: str, number: int, value: Any) -> None:
        match name:
            case "arrive" if not self.facts[number].wants:
                self.cars[number].shape = value
                self.offers[number].clear()
                self.change(number, wants=True, asking=True, closed=True, live=True)
            case "leave":
                self.change(number, wants=False, asking=False, closed=False, live=False)
            case "ask" if self.facts[number].wants:
                setpoint_a = self.offers[number][-1][1] if self.offers[number] else 0.0
                if setpoint_a == 0.0:  # the contactor rests longer than cars remember
                    self.offers[number].clear()
                self.change(number, asking=value, closed=value, live=value)
            case "own":
                self.change(number, entitled_a=value)
            case "meter":
                self.cars[number].metered = value
            case "cap":
                self.cap = PerPhase(*value)
                self.caps.append((self.now_s, self.cap))

    def look(self) -> None:
        for number, car in self.cars.items():
            drawn = self.worst(number)
            self.change(number, measured_a=drawn if car.metered else None)
        self.plan()

    def plan(self) -> None:
        snapshot = GroupSnapshot(
            sockets=tuple(self.facts.values()),
            supply=SharedSupply(self.cap),
            minimum_a=6.0,
            now_s=self.now_s,
        )
        self.last = plan(self.last.state, snapshot)
        for number, name in NAMES.items():
            self.offers[number].append((self.now_s, self.last.grants[name].amps))

    def worst(self, number: int) -> PerPhase:
        """The highest current that the car may draw now, in the frame of its socket."""
        if not self.facts[number].live:
            return ZERO
        offers = self.offers[number]
        recent = [amps for at_s, amps in offers if at_s > self.now_s - OBEYS_S]
        before = [amps for at_s, amps in offers if at_s <= self.now_s - OBEYS_S]
        amps = max([*before[-1:], *recent], default=0.0)
        return PerPhase(*(share * amps for share in self.cars[number].shape))

    def check(self) -> None:
        total = ZERO
        for number, fact in self.facts.items():
            total = total.plus(replace(fact, measured_a=self.worst(number)).grid_a)
        old = [cap for at_s, cap in self.caps if at_s <= self.now_s - OBEYS_S]
        young = [cap for at_s, cap in self.caps if at_s > self.now_s - OBEYS_S]
        for phase, amps in enumerate(total):
            allowed = max(cap[phase] for cap in [*old[-1:], *young])
            assert amps <= allowed + EPS, (self.now_s, total, allowed)

    def pass_time(self, seconds: float) -> None:
        """Looks that are due, and checks when old setpoints must have been left."""
        until_s = self.now_s + seconds
        for _ in range(LONGEST_LOOKS):
            due_s = self.last.due_s
            dues = [due_s] if due_s is not None else []
            dues += [at_s + OBEYS_S for offers in self.offers.values() for at_s, _ in offers[-2:]]
            due = min((at_s for at_s in dues if self.now_s < at_s <= until_s), default=None)
            if due is None:
                break
            self.now_s = due
            self.check()
            if due_s is not None and due_s <= due:
                self.look()
                self.check()
        self.now_s = until_s
        self.check()


@settings(max_examples=300)
@given(
    st.tuples(st.sampled_from(list(Rotation)), st.sampled_from(list(Rotation))),
    shapes,
    shapes,
    st.lists(ops, max_size=25),
)
def test_obedient_cars_keep_the_line_below_its_limit(
    rotations: tuple[Rotation, Rotation],
    first: PerPhase,
    second: PerPhase,
    steps: list[tuple[tuple[str, int, Any], float]],
) -> None:
    world = Worst(rotations)
    begin = [(("arrive", 1, first), 20.0), (("arrive", 2, second), 40.0)]
    for (name, number, value), then_s in [*begin, *steps]:
        world.do(name, number, value)
        world.look()
        world.check()
        world.pass_time(then_s)


@given(
    st.floats(0.0, 60.0),
    st.sampled_from([10.0, 16.0, 25.0, 32.0, 63.0]),
    shapes,
    st.tuples(st.sampled_from(list(Rotation)), st.sampled_from(list(Rotation))),
)
def test_beside_a_car_that_overdraws_the_other_gets_what_is_left(
    overdrawn_a: float, cap_a: float, shape: PerPhase, rotations: tuple[Rotation, Rotation]
) -> None:
    world = Worst(rotations)
    world.do("cap", 0, (cap_a, cap_a, cap_a))
    world.do("arrive", 1, PerPhase(1, 1, 1))
    world.do("arrive", 2, shape)
    overdrawn = PerPhase.same(overdrawn_a)
    for _ in range(20):
        world.change(1, measured_a=overdrawn)
        world.change(2, measured_a=world.worst(2))
        world.plan()
        world.now_s += 7.0
    offered_a, other_a = (world.last.grants[name].amps for name in NAMES.values())
    assert max(overdrawn_a, offered_a) + other_a <= max(cap_a, overdrawn_a) + 0.5 + EPS
