"""The own sockets as a group (manual 7.2 case 3, 7.3): one look after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.group import (
    GroupPlan,
    GroupSnapshot,
    GroupState,
    paused,
    plan,
)
from borne.domain.load_management.rotation_slots import TIME_SLOT_S
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import (
    SETTLE_S,
    SocketFacts,
    frame_of_socket,
)
from borne.domain.load_management.topology import Rotation, SocketPhase
from borne.foundation.units import ZERO, PerPhase

K = LimitCause
LINE = PerPhase.same(32.0)
NAMES = {1: "left", 2: "right"}
EMPTY = SocketFacts(
    participant=NAMES[1], measured_a=ZERO, entitled_a=32.0, entitled_by=LimitCause.MAXIMUM
)
THREE = PerPhase(1.0, 1.0, 1.0)
ONE = PerPhase(1.0, 0.0, 0.0)


@dataclass
class Sockets:
    """Two sockets and the clock of a test; `take` lets cars draw what they are offered."""

    line_a: PerPhase | None = LINE
    minimum_a: float = 7.0
    now_s: float = 1000.0
    facts: dict[int, SocketFacts] = field(
        default_factory=lambda: {1: EMPTY, 2: replace(EMPTY, participant=NAMES[2])}
    )
    draws: dict[int, tuple[PerPhase, float]] = field(default_factory=dict)
    """Per connector: shape of the current, and the most that the car takes."""
    last: GroupPlan = field(default_factory=lambda: GroupPlan(GroupState(), {}, None))

    def arrive(self, connector: int, shape: PerPhase = THREE, max_a: float = 32.0) -> None:
        """A car that asks is plugged in and authorized."""
        self.draws[connector] = (shape, max_a)
        self.change(connector, wants=True, asking=True, closed=True, live=True)

    def change(self, connector: int, **changes: object) -> None:
        self.facts[connector] = replace(self.facts[connector], **changes)  # type: ignore[arg-type]  # any field

    def draw(self) -> None:
        """Wait until every car has followed its offer."""
        for connector, (shape, max_a) in self.draws.items():
            amps = min(max_a, self.offers()[connector - 1])
            measured = PerPhase(*(share * amps for share in shape))
            self.change(connector, measured_a=measured)

    def look(self, after_s: float = 0.0) -> GroupPlan:
        self.now_s += after_s
        self.last = plan(self.last.state, self.snapshot())
        return self.last

    def snapshot(self, revision: int = 0) -> GroupSnapshot:
        return GroupSnapshot(
            sockets=tuple(self.facts.values()),
            supply=None if self.line_a is None else SharedSupply(self.line_a),
            minimum_a=self.minimum_a,
            now_s=self.now_s,
            revision=revision,
        )

    def settle(self, times: int = 8, every_s: float = SETTLE_S + 0.1) -> None:
        """Look often enough that all phases are known."""
        for _ in range(times):
            self.look(every_s)
            self.draw()

    def offers(self) -> list[float]:
        return [self.last.state.sockets[name].setpoint_a for name in NAMES.values()]

    def reasons(self) -> list[LimitCause]:
        return [self.last.grants[name].reason.cause for name in NAMES.values()]


def test_without_demand_nothing_is_allocated() -> None:
    sockets = Sockets()
    assert sockets.look().due_s is None
    assert sockets.offers() == [0.0, 0.0]
    assert sockets.reasons() == [K.NO_DEMAND, K.NO_DEMAND]


def test_without_a_shared_limit_each_socket_has_its_own() -> None:
    sockets = Sockets(line_a=None)
    sockets.change(2, entitled_a=16.0)
    assert sockets.look().grants == {}
    assert sockets.offers() == [32.0, 16.0]


def test_a_new_limit_lowers_at_once_and_raises_later() -> None:
    sockets = Sockets(line_a=None)
    sockets.arrive(1)
    sockets.look()
    sockets.arrive(2)
    sockets.look()
    sockets.draw()
    sockets.line_a = PerPhase.same(40.0)
    sockets.look()
    assert sockets.offers() == [20.0, 20.0]
    sockets.change(1, entitled_a=10.0)
    sockets.look()
    assert sockets.offers() == [10.0, 20.0]
    assert sockets.reasons() == [K.OWN_LIMIT, K.WAITS_FOR_OTHERS]
    sockets.draw()
    sockets.look(SETTLE_S - 0.1)
    assert sockets.offers() == [10.0, 20.0]
    sockets.look(0.2)
    assert sockets.offers() == [10.0, 30.0]


def test_current_that_a_car_still_draws_stays_reserved() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.look()
    sockets.draw()
    sockets.arrive(2)
    sockets.look()
    for _ in range(5):
        sockets.look(SETTLE_S)
        assert sockets.offers()[1] == 0.0
    assert sockets.reasons()[0] is K.TAKES_MORE
    sockets.draw()
    sockets.look()
    assert sockets.offers() == [16.0, 16.0]


def test_an_open_contactor_frees_its_current_at_once() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.arrive(2)
    sockets.settle()
    assert sockets.offers() == [16.0, 16.0]
    sockets.draws.pop(1)
    sockets.change(1, wants=False, asking=False, closed=False, live=False, measured_a=LINE)
    sockets.look()
    assert sockets.offers() == [0.0, 32.0]


def test_a_welded_contactor_keeps_its_current_reserved() -> None:
    sockets = Sockets()
    sockets.arrive(2)
    sockets.change(1, live=True, measured_a=PerPhase.same(12.0))
    sockets.settle(2)
    assert sockets.offers() == [0.0, 20.0]


@pytest.mark.parametrize(
    ("rotation", "shape", "expected"),
    [
        (Rotation.RST, ONE, [16.0, 16.0]),
        (Rotation.STR, ONE, [32.0, 32.0]),
        (Rotation.TRS, ONE, [32.0, 32.0]),
        (Rotation.STR, PerPhase(1.0, 1.0, 0.0), [32.0, 32.0]),
        (Rotation.TRS, PerPhase(1.0, 1.0, 0.0), [16.0, 16.0]),
        (Rotation.STR, PerPhase(1.0, 0.1, 0.1), [32.0, 32.0]),
    ],
)
def test_cars_share_only_the_phases_that_they_use(
    rotation: Rotation, shape: PerPhase, expected: list[float]
) -> None:
    sockets = Sockets()
    sockets.change(2, rotation=rotation)
    sockets.arrive(1, ONE)
    sockets.arrive(2, shape)
    sockets.look()
    assert sum(sockets.offers()) == 32.0
    sockets.settle()
    assert sockets.offers() == expected


def test_phases_are_unknown_while_the_meter_is_silent() -> None:
    sockets = Sockets()
    sockets.change(2, rotation=Rotation.STR)
    sockets.arrive(1, ONE)
    sockets.arrive(2, ONE)
    sockets.settle()
    sockets.draws.clear()
    sockets.change(2, measured_a=None)
    sockets.look()
    assert sockets.offers() == [16.0, 16.0]


def test_several_looks_at_one_moment_are_one_sample() -> None:
    sockets = Sockets()
    sockets.arrive(1, ONE)
    sockets.look()
    sockets.draw()
    sockets.look(10.0)
    for _ in range(10):
        sockets.look()
    assert sockets.last.state.sockets[NAMES[1]].phases.used is None


def test_samples_are_requested_until_the_phases_are_known() -> None:
    sockets = Sockets()
    sockets.arrive(1, ONE)
    sockets.look()
    sockets.draw()
    looks = 0
    while (due_s := sockets.look().due_s) is not None and due_s <= sockets.now_s + 3.0:
        sockets.now_s = due_s
        looks += 1
        assert looks < 10
    assert sockets.last.state.sockets[NAMES[1]].phases.used == frozenset({SocketPhase.L1})


class TestCarsThatDoNotWant:
    def full(self) -> Sockets:
        """Both have charged; then the first car is full and opens its switch."""
        sockets = Sockets()
        sockets.arrive(1)
        sockets.arrive(2)
        sockets.settle()
        sockets.draws[1] = (THREE, 0.0)
        sockets.change(1, asking=False, closed=False, live=False, measured_a=ZERO)
        return sockets

    def test_a_car_without_demand_keeps_the_minimum_then_nothing(self) -> None:
        sockets = self.full()
        sockets.settle(4)
        assert sockets.offers() == [7.0, 25.0]
        sockets.settle(10)
        assert sockets.offers() == [0.0, 32.0]
        assert sockets.reasons()[0] is K.WAKE_UP_WAITS

    def test_spare_current_is_offered_to_cars_without_demand(self) -> None:
        sockets = self.full()
        sockets.draws[2] = (THREE, 10.0)
        sockets.settle(20)
        assert sockets.offers()[0] == 7.0
        assert sockets.reasons()[0] is K.WAKES_UP

    def test_a_car_without_demand_gets_an_offer_each_time_slot_for_a_minute(self) -> None:
        sockets = self.full()
        sockets.settle(14)
        sockets.look(TIME_SLOT_S)
        sockets.draw()
        sockets.look(SETTLE_S + 0.1)
        sockets.draw()
        assert sockets.offers() == [7.0, 25.0]
        sockets.settle(12)
        assert sockets.offers() == [0.0, 32.0]

    def test_a_car_that_asks_again_takes_part_again(self) -> None:
        sockets = self.full()
        sockets.draws[2] = (THREE, 10.0)
        sockets.settle(20)
        sockets.arrive(1)
        sockets.draws[2] = (THREE, 32.0)
        sockets.settle(8)
        assert sockets.offers() == [16.0, 16.0]


def test_cars_take_turns_when_the_minimum_fits_once() -> None:
    sockets = Sockets(line_a=PerPhase.same(10.0))
    sockets.arrive(1)
    sockets.arrive(2)
    served = {1: 0.0, 2: 0.0}
    sockets.look()
    for _ in range(8 * 60):
        due_s = min(sockets.last.due_s or sockets.now_s + 60.0, sockets.now_s + 60.0)
        passed_s = max(due_s - sockets.now_s, 0.1)
        for number, amps in enumerate(sockets.offers(), 1):
            served[number] += passed_s * (amps > 0)
        assert sum(sockets.offers()) <= 10.0
        sockets.draw()
        sockets.look(passed_s)
    assert served[1] == pytest.approx(served[2], rel=0.2)
    assert min(served.values()) > TIME_SLOT_S


def test_a_plan_is_due_when_the_time_slot_of_a_served_car_ends() -> None:
    sockets = Sockets(line_a=PerPhase.same(10.0))
    begun_s = sockets.now_s
    sockets.arrive(1)
    sockets.arrive(2)
    sockets.look()
    sockets.settle()
    assert sockets.reasons()[1] is K.WAITING_FOR_MINIMUM
    assert sockets.last.due_s == pytest.approx(begun_s + TIME_SLOT_S, abs=0.1)


def test_an_own_limit_below_the_minimum_is_offered_down_to_6_a() -> None:
    sockets = Sockets()
    sockets.change(1, entitled_a=6.0)
    sockets.arrive(1)
    sockets.look()
    assert sockets.offers()[0] == 6.0
    sockets.change(1, entitled_a=5.9, entitled_by=LimitCause.TEMPERATURE)
    sockets.look()
    assert sockets.offers()[0] == 0.0
    assert sockets.reasons()[0] is K.LIMIT_BELOW_MINIMUM


def test_a_failed_distribution_pauses_all_and_retries() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.look()
    answer = paused(sockets.last.state, sockets.snapshot())
    assert [grant.amps for grant in answer.grants.values()] == [0.0, 0.0]
    assert answer.state.sockets[NAMES[1]].track.envelope_a(sockets.now_s) == 32.0
    assert answer.due_s is not None


def test_grid_amps_are_rotated_to_the_socket() -> None:
    amps = PerPhase(1.0, 2.0, 3.0)
    assert frame_of_socket(amps, Rotation.RST) == amps
    assert frame_of_socket(amps, Rotation.STR) == PerPhase(2.0, 3.0, 1.0)


@pytest.mark.parametrize("line_a", [None, LINE], ids=["alone", "shared"])
def test_a_plan_carries_the_revision_of_its_snapshot(line_a: PerPhase | None) -> None:
    snapshot = Sockets(line_a=line_a).snapshot(revision=41)
    assert plan(GroupState(), snapshot).revision == 41
    assert paused(GroupState(), snapshot).revision == 41


def test_beside_a_car_that_overdraws_the_other_comes_down_to_what_is_left() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.arrive(2)
    sockets.settle()
    assert sockets.offers() == [16.0, 16.0]
    sockets.change(1, measured_a=PerPhase.same(22.0))
    sockets.look(SETTLE_S)
    assert sockets.offers() == [16.0, 10.0]
    assert sockets.reasons()[0] is K.TAKES_MORE


def test_what_a_car_draws_within_the_tolerance_is_not_given_to_another() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.settle()
    sockets.arrive(2)
    sockets.look()
    for _ in range(3):
        sockets.change(1, measured_a=PerPhase.same(16.4))
        sockets.look(SETTLE_S + 0.1)
    assert sockets.offers() == [16.0, 15.6]


def test_the_old_offer_of_a_car_that_rests_stays_reserved_until_it_must_have_followed() -> None:
    sockets = Sockets()
    sockets.arrive(1)
    sockets.arrive(2)
    sockets.settle()
    sockets.change(1, asking=False, closed=False, live=False, measured_a=ZERO)
    sockets.change(1, entitled_a=6.0)
    sockets.look()
    assert sockets.offers() == [6.0, 16.0]
    sockets.look(SETTLE_S + 0.1)
    assert sockets.offers() == [6.0, 26.0]
