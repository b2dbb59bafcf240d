"""No car waits forever, however others come and go."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.participant import Participant
from borne.domain.load_management.rotation_slots import SlotRecord, advance, ranks
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.foundation.units import PerPhase

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
