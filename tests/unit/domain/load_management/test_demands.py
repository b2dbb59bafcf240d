"""Energy and departure: what is needed in time comes first, what can wait waits."""

from __future__ import annotations

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.demands import need, watts_per_amp
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Participant
from borne.domain.load_management.rotation_slots import SlotRecord, ranks
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import SocketPhase
from borne.foundation.units import PerPhase

ALL = frozenset(SocketPhase)
NOW_S = 10_000.0


def amps(
    limit_a: float, *cars: Participant, imbalance: Imbalance | None = None
) -> dict[str, float]:
    supply = SharedSupply(PerPhase.same(limit_a), imbalance=imbalance)
    found = allocate(Snapshot(supply, cars)).amps
    return {name: round(value, 3) for name, value in found.items()}


def test_a_need_is_an_average_current_and_a_time_to_wait() -> None:
    found = need(6900.0, NOW_S + 7200.0, NOW_S, watts_per_amp(ALL, 230.0))
    assert found is not None
    assert found.average_a == pytest.approx(5.0)
    assert found.charging_s(10.0) == pytest.approx(3600.0)
    assert found.charging_s(1.0) == 7200.0
    assert found.charging_s(0.0) == 0.0


@pytest.mark.parametrize(
    ("energy_wh", "departs_s"),
    [(None, NOW_S + 1), (1.0, None), (0.0, NOW_S + 1), (1.0, NOW_S), (float("nan"), NOW_S + 1)],
)
def test_without_energy_or_time_nothing_is_needed(
    energy_wh: float | None, departs_s: float | None
) -> None:
    assert need(energy_wh, departs_s, NOW_S, 690.0) is None


@pytest.mark.parametrize(
    ("phases", "it_network", "expected"),
    [(None, False, 230.0), (ALL, False, 690.0), (ALL, True, 398.4), (None, True, 230.0)],
)
def test_power_of_an_amp(
    phases: frozenset[SocketPhase] | None, it_network: bool, expected: float
) -> None:
    found = watts_per_amp(phases, 230.0, it_network=it_network)
    assert found == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("imbalance", [None, Imbalance(1.0)], ids=["free", "balanced"])
def test_what_is_needed_comes_before_what_is_useful(imbalance: Imbalance | None) -> None:
    cars = [Participant(id="hurried", needed_a=20.0), Participant(id="easy", needed_a=8.0)]
    assert amps(32.0, *cars, imbalance=imbalance) == {"hurried": 20.0, "easy": 12.0}


def test_beside_cars_without_a_demand_no_more_than_needed_is_taken_first() -> None:
    cars = [Participant(id="unknown"), Participant(id="known", needed_a=7.0)]
    assert amps(20.0, *cars) == {"known": 7.0, "unknown": 13.0}


def test_a_car_that_needs_less_than_its_minimum_waits_for_those_that_need_more() -> None:
    lax, hurried = Participant(id="lax", needed_a=4.0), Participant(id="hurried", needed_a=28.0)
    assert amps(32.0, lax, hurried) == {"hurried": 32.0, "lax": 0.0}
    assert amps(34.0, lax, hurried) == {"hurried": 28.0, "lax": 6.0}
    found = allocate(Snapshot(SharedSupply(PerPhase.same(32.0)), (lax, hurried)))
    assert found.reasons["lax"].cause is LimitCause.WAITING_FOR_MINIMUM
    assert found.scarce


def test_a_car_that_has_just_begun_does_not_wait() -> None:
    lax = Participant(id="lax", needed_a=4.0, keeps_place=True)
    assert amps(32.0, lax, Participant(id="hurried", needed_a=28.0)) == {
        "hurried": 26.0,
        "lax": 6.0,
    }


def test_a_car_that_keeps_its_place_is_admitted_before_a_higher_class() -> None:
    cars = [Participant(id="low", keeps_place=True), Participant(id="high", priority=1)]
    assert amps(10.0, *cars) == {"low": 10.0, "high": 0.0}
    assert amps(20.0, *cars) == {"low": 6.0, "high": 14.0}


class TestRanks:
    def test_the_most_urgent_comes_first_but_a_car_that_charges_has_a_lead(self) -> None:
        begun_s = NOW_S - 1000.0
        records = [
            SlotRecord("charges", 0.0, serving_since_s=begun_s),
            SlotRecord("soon", 0.0, served_s=1.0, waiting_since_s=begun_s),
            SlotRecord("sooner", 0.0, served_s=1.0, waiting_since_s=begun_s),
        ]
        urgency_s = {"charges": 9000.0, "soon": 8400.0, "sooner": 7000.0}
        found = ranks(records, NOW_S, urgency_s=urgency_s)
        assert sorted(found, key=found.__getitem__) == ["sooner", "charges", "soon"]

    @pytest.mark.parametrize("full", [False, True])
    def test_a_car_that_has_not_charged_comes_first(self, *, full: bool) -> None:
        records = [
            SlotRecord("known", 0.0, served_s=400.0, waiting_since_s=NOW_S - 10.0),
            SlotRecord("new", NOW_S - 60.0, waiting_since_s=NOW_S - 60.0),
        ]
        if full:
            records.append(SlotRecord("full", 0.0, served_s=100.0))
        found = ranks(records, NOW_S, urgency_s={"known": -60.0, "new": 90_000.0})
        assert found["new"] < found["known"]

    def test_among_cars_without_a_departure_it_waits_until_it_must_begin(self) -> None:
        records = [
            SlotRecord("holds", 0.0, serving_since_s=NOW_S - 600.0),
            SlotRecord("waits", NOW_S - 900.0, waiting_since_s=NOW_S - 900.0),
            SlotRecord("leaves", 100.0, waiting_since_s=NOW_S - 900.0),
        ]

        def order(urgency_s: float) -> list[str]:
            found = ranks(records, NOW_S, 1800.0, {"leaves": urgency_s})
            return sorted(found, key=found.__getitem__)

        assert order(9000.0) == ["holds", "waits", "leaves"]
        assert order(1750.0) == ["holds", "leaves", "waits"]
        assert order(-9000.0) == ["leaves", "holds", "waits"]

    def test_an_impossible_demand_does_not_pass_those_that_began_before_it_came(self) -> None:
        records = [
            SlotRecord("holds", 0.0, serving_since_s=NOW_S - 600.0),
            SlotRecord("leaves", NOW_S - 500.0, waiting_since_s=NOW_S - 500.0),
        ]
        assert ranks(records, NOW_S, 1800.0, {"leaves": -1e6}) == {"holds": 0, "leaves": 1}

    def test_a_car_that_waited_its_slot_is_not_overtaken_by_one_that_began_later(self) -> None:
        records = [
            SlotRecord("earlier", 0.0, serving_since_s=NOW_S - 700.0),
            SlotRecord("owed", 0.0, waiting_since_s=NOW_S - 2400.0),
            SlotRecord("later", 0.0, serving_since_s=NOW_S - 500.0),
            SlotRecord("begun", 0.0, serving_since_s=NOW_S - 100.0),
        ]
        found = ranks(records, NOW_S, 1800.0)
        assert sorted(found, key=found.__getitem__) == ["begun", "earlier", "owed", "later"]
