"""No car waits forever, however others come and go."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.participant import Participant
from borne.domain.load_management.rotation_slots import (
    MINIMUM_ON_S,
    SlotRecord,
    advance,
    ranks,
)
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import SocketPhase
from borne.foundation.units import PerPhase
from tests.support.examples import examples

SLOT_S = 1800.0
STEP_S = 300.0


@settings(max_examples=40)
@given(
    st.integers(2, 8),
    st.integers(1, 3),
    st.floats(0.0, 0.3),
    st.randoms(use_true_random=False),
)
def test_waiting_times_are_bounded(cars: int, places: int, newcomers: float, dice: Random) -> None:
    records: dict[str, SlotRecord] = {}
    plugged = {f"car {n}" for n in range(cars)}
    ahead: dict[str, int] = {}
    for turn in range(200):
        now_s = turn * STEP_S
        if dice.random() < newcomers:
            plugged.add(f"new {turn}")
            if len(plugged) > cars + 4:
                plugged.discard(dice.choice(sorted(plugged)))
        known = {name: records.get(name) or SlotRecord(name, now_s) for name in plugged}
        order = ranks(known.values(), now_s, SLOT_S)
        wanting = [Participant(id=name, rank=order[name]) for name in plugged]
        amps = allocate(Snapshot(SharedSupply(PerPhase.same(6.0 * places)), wanting)).amps
        served = {name for name, given_a in amps.items() if given_a}
        records = advance(records, sorted(plugged), served, now_s)
        for name, record in records.items():
            if record.waiting_since_s is None:
                ahead.pop(name, None)
                continue
            most = ahead.setdefault(name, len(plugged))
            most = ahead[name] = max(most, len(plugged))
            assert now_s - record.waiting_since_s <= (1 + most) * SLOT_S


@settings(max_examples=examples(10, campaign=300))
@given(st.lists(st.floats(0.0, SLOT_S), min_size=5, max_size=5))
def test_a_car_that_needs_two_phases_is_not_passed_for_ever(arrivals_s: list[float]) -> None:
    """Two cars on each phase take turns, at different times; the fifth needs both at once."""
    one, other = SocketPhase.L1, SocketPhase.L2
    phases = [{one}, {one}, {other}, {other}, {one, other}]
    records: dict[str, SlotRecord] = {}
    for minute in range(6 * 60):
        now_s = 60.0 * minute
        known = {
            name: records.get(name) or SlotRecord(name, now_s)
            for name, at_s in zip("abcde", arrivals_s, strict=True)
            if at_s <= now_s
        }
        order = ranks(known.values(), now_s, SLOT_S)
        cars = [
            Participant(id=name, rank=order[name], phases=frozenset(used))
            for name, used in zip("abcde", phases, strict=True)
            if name in known
        ]
        amps = allocate(Snapshot(SharedSupply(PerPhase.same(6.0)), cars)).amps
        records = advance(known, list(known), {name for name in known if amps[name]}, now_s)
        for record in records.values():
            waited_s = 0.0 if record.waiting_since_s is None else now_s - record.waiting_since_s
            assert waited_s <= 3 * SLOT_S + MINIMUM_ON_S + 60.0
