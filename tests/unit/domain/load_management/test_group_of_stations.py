"""A group of stations: a tree, priorities, time slots, wake-ups, cars beyond their offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState, plan
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.rotation_slots import MINIMUM_ON_S
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import (
    DECLINED_S,
    SETTLE_S,
    SocketFacts,
    frame_of_socket,
)
from borne.domain.load_management.topology import (
    GridPhase,
    Group,
    Rotation,
    SupplyLink,
    Topology,
    certain_grid_currents,
)
from borne.foundation.units import PerPhase

FREE = SocketFacts(participant="", measured_a=PerPhase.same(0.0), entitled_a=32.0)
SLOT_S = 900.0


@dataclass
class Site:
    """Stations whose links are quick and whose cars take what they are offered."""

    limit_a: float = 32.0
    groups: tuple[Group, ...] = ()
    allow_wakeup: bool = True
    it_network: bool = False
    now_s: float = 1000.0
    number: int = 0
    facts: dict[str, SocketFacts] = field(default_factory=dict)
    draws: dict[str, PerPhase] = field(default_factory=dict)
    last: GroupPlan = field(default_factory=lambda: GroupPlan(GroupState(), {}, None))

    def arrive(self, name: str, phases: int = 3, **facts: object) -> None:
        shape = PerPhase(*(float(place < phases) for place in range(3)))
        self.draws[name] = shape
        self.change(name, wants=True, asking=True, closed=True, live=True, **facts)

    def change(self, name: str, **facts: object) -> None:
        known = self.facts.get(name) or replace(FREE, participant=name)
        self.facts[name] = replace(known, **facts)  # type: ignore[arg-type]  # any field

    def plan(self, after_s: float = 0.0) -> Mapping[str, float]:
        self.now_s += after_s
        supply = SharedSupply(
            PerPhase.same(self.limit_a),
            Topology(self.groups),
            self.it_network,
            allow_wakeup=self.allow_wakeup,
        )
        snapshot = GroupSnapshot(
            sockets=tuple(self.facts.values()),
            supply=supply,
            minimum_a=6.0,
            now_s=self.now_s,
            slot_s=SLOT_S,
            remote=True,
        )
        self.last = plan(self.last.state, snapshot)
        self.number += 1
        offers = self.offers()
        state = self.last.state.sent(offers, self.number, self.now_s)
        state = state.confirmed(self.number, offers, self.now_s)
        self.last = replace(self.last, state=state)
        for name, shape in self.draws.items():
            self.change(name, measured_a=PerPhase(*(share * offers[name] for share in shape)))
        return offers

    def settle(self, times: int = 6) -> Mapping[str, float]:
        for _ in range(times):
            self.plan(SETTLE_S + 0.1)
        return self.offers()

    def offers(self) -> dict[str, float]:
        return {name: grant.amps for name, grant in self.last.grants.items()}

    def reason(self, name: str) -> Reason:
        return self.last.grants[name].reason

    def until_s(self, name: str) -> float | None:
        return self.last.grants[name].until_s


def test_the_supply_line_of_a_station_is_a_group_and_the_reason_names_it() -> None:
    floor = Group("floor", PerPhase.same(40.0))
    line = Group("station", PerPhase(32.0, 20.0, 32.0), "floor")
    site = Site(63.0, (floor, line))
    site.arrive("a", group="station")
    site.arrive("b", group="station")
    site.arrive("c", group="floor")
    assert site.settle() == {"a": 10.0, "b": 10.0, "c": 20.0}
    assert site.reason("a").link == SupplyLink("station", GridPhase.N2)
    assert site.reason("c").link == SupplyLink("floor", GridPhase.N1)


def test_a_car_beyond_its_offer_counts_in_its_own_groups() -> None:
    site = Site(63.0, (Group("floor", PerPhase.same(32.0)),))
    for name, group in (("rogue", "floor"), ("beside", "floor"), ("else", "root")):
        site.arrive(name, group=group)
    assert site.settle() == {"rogue": 16.0, "beside": 16.0, "else": 31.0}
    del site.draws["rogue"]
    site.change("rogue", measured_a=PerPhase.same(20.0))
    assert site.settle() == {"rogue": 16.0, "beside": 12.0, "else": 31.0}
    assert site.reason("rogue").cause is LimitCause.TAKES_MORE


def test_in_an_it_network_a_car_beyond_its_offer_loads_two_lines() -> None:
    site = Site(32.0, it_network=True)
    site.arrive("rogue", phases=1)
    site.arrive("beside", phases=1, rotation=Rotation.STR)
    assert site.settle() == {"rogue": 16.0, "beside": 16.0}
    del site.draws["rogue"]
    site.change("rogue", measured_a=PerPhase(20.0, 0.0, 0.0))
    assert site.settle() == {"rogue": 16.0, "beside": 12.0}


def test_an_unknown_rotation_counts_on_every_phase() -> None:
    site = Site(32.0)
    site.arrive("unknown", phases=1, rotation=Rotation.UNKNOWN)
    for number, rotation in enumerate((Rotation.RST, Rotation.STR, Rotation.TRS)):
        site.arrive(f"known {number}", phases=1, rotation=rotation)
    assert set(site.settle().values()) == {16.0}
    measured_a = PerPhase(10.0, 9.0, 9.5)
    assert certain_grid_currents(measured_a, Rotation.UNKNOWN) == PerPhase.same(9.0)
    assert certain_grid_currents(measured_a, Rotation.STR) == PerPhase(9.5, 10.0, 9.0)
    assert frame_of_socket(PerPhase(10.0, 20.0, 30.0), Rotation.UNKNOWN) == PerPhase.same(10.0)


def test_cars_take_turns_by_the_slice_of_the_setting() -> None:
    site = Site(10.0)
    site.arrive("a")
    site.arrive("b")
    begun_s = site.now_s
    site.plan()
    assert site.offers() == {"a": 10.0, "b": 0.0}
    site.plan(10.0)
    assert site.reason("b").cause is LimitCause.WAITING_FOR_MINIMUM
    assert site.until_s("b") == begun_s + SLOT_S
    site.now_s = begun_s + SLOT_S + 0.1
    site.settle(3)
    assert site.offers() == {"a": 0.0, "b": 10.0}


def test_a_car_that_waits_for_others_says_until_when() -> None:
    site = Site(32.0)
    site.arrive("a")
    site.settle()
    site.arrive("b")
    site.plan()
    site.plan(1.0)
    assert site.reason("b").cause is LimitCause.WAITS_FOR_OTHERS
    assert site.until_s("b") == pytest.approx(site.now_s - 1.0 + SETTLE_S)


class TestPriority:
    def begun(self) -> Site:
        site = Site(10.0)
        site.arrive("low")
        site.settle(2)
        site.arrive("high", priority=1)
        return site

    def test_a_car_that_has_just_begun_is_not_paused_for_a_higher_class(self) -> None:
        site = self.begun()
        assert site.settle(3) == {"low": 10.0, "high": 0.0}
        due_s = site.last.due_s
        assert due_s is not None
        assert due_s <= 1000.0 + 2 * SETTLE_S + MINIMUM_ON_S
        site.now_s += MINIMUM_ON_S
        assert site.settle(3) == {"low": 0.0, "high": 10.0}

    def test_unless_the_limit_falls(self) -> None:
        site = Site(20.0)
        site.arrive("high", priority=1)
        site.settle(60)
        site.arrive("low")
        assert site.settle(2)["low"] == 6.0
        site.limit_a = 10.0
        assert site.plan() == {"high": 10.0, "low": 0.0}


class TestWakeUp:
    def asleep(self, *, allow_wakeup: bool) -> Site:
        """`full` was paused, was offered current, and did not take it."""
        site = Site(10.0, allow_wakeup=allow_wakeup)
        site.arrive("full")
        site.arrive("other")
        site.settle(2)
        site.change("full", asking=False, closed=False, live=False)
        site.draws["full"] = PerPhase.same(0.0)
        site.settle(14)
        assert site.offers() == {"full": 0.0, "other": 10.0}
        return site

    def test_it_gets_what_others_leave(self) -> None:
        site = self.asleep(allow_wakeup=True)
        assert site.reason("full").cause is LimitCause.WAKE_UP_WAITS
        site.limit_a = 40.0
        assert site.settle() == {"full": 6.0, "other": 32.0}
        assert site.reason("full").cause is LimitCause.WAKES_UP

    def test_it_never_takes_from_others(self) -> None:
        site = self.asleep(allow_wakeup=True)
        site.now_s += 10 * SLOT_S + DECLINED_S
        assert site.settle() == {"full": 0.0, "other": 10.0}

    def test_it_gets_nothing_if_wake_up_is_not_allowed(self) -> None:
        site = self.asleep(allow_wakeup=False)
        site.limit_a = 40.0
        assert site.settle() == {"full": 0.0, "other": 32.0}
        assert site.reason("full").cause is LimitCause.WAKE_UP_OFF

    def test_a_car_that_was_not_paused_keeps_its_offer_without_wake_up(self) -> None:
        site = Site(40.0, allow_wakeup=False)
        site.arrive("timer", entitled_a=16.0)
        site.change("timer", asking=False, closed=False, live=False)
        site.draws["timer"] = PerPhase.same(0.0)
        site.arrive("other")
        assert site.settle(14)["timer"] == 6.0


def test_a_slot_is_kept_while_there_is_no_contact() -> None:
    site = Site(10.0)
    site.arrive("a")
    site.settle(2)
    before = site.last.state.slots["a"]
    site.change("a", reserved_a=10.0)
    site.settle(2)
    assert site.last.state.slots["a"] == before


def test_energy_and_departure_of_the_facts_count() -> None:
    site = Site(32.0)
    leaves_s = site.now_s + 7200.0
    site.arrive("hurried", energy_wh=27_600.0, departs_s=leaves_s)
    site.arrive("easy", energy_wh=11_000.0, departs_s=leaves_s)
    found = site.settle()
    assert found["hurried"] == pytest.approx(20.1, abs=0.2)
    assert found["easy"] == pytest.approx(32.0 - found["hurried"], abs=0.11)
