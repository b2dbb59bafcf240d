"""Who is first when not everybody can charge."""

from __future__ import annotations

from borne.domain.load_management.rotation_slots import SlotRecord, advance, ranks

SLOT = 1800.0


def order(now_s: float, *records: SlotRecord) -> list[str]:
    rank = ranks(records, now_s, SLOT)
    return sorted(rank, key=rank.__getitem__)


def test_a_car_holds_its_place_until_its_slot_ends() -> None:
    running = SlotRecord("A", plugged_s=0.0, serving_since_s=0.0)
    waiting = SlotRecord("B", plugged_s=100.0, waiting_since_s=100.0)
    assert order(1799.0, running, waiting) == ["A", "B"]
    assert order(1800.0, running, waiting) == ["B", "A"]


def test_the_least_served_share_comes_first() -> None:
    much = SlotRecord("A", plugged_s=0.0, served_s=3000.0, waiting_since_s=3000.0)
    little = SlotRecord("B", plugged_s=0.0, served_s=1000.0, waiting_since_s=3500.0)
    assert order(4000.0, much, little) == ["B", "A"]


def test_a_car_that_waited_a_whole_slot_comes_next() -> None:
    much = SlotRecord("A", plugged_s=0.0, served_s=3000.0, waiting_since_s=3000.0)
    new = SlotRecord("B", plugged_s=4700.0, waiting_since_s=4700.0)
    assert order(4799.0, much, new) == ["B", "A"]
    assert order(4800.0, much, new) == ["A", "B"]


def test_records_follow_the_distribution() -> None:
    records = advance({}, wanting=["A", "B"], served=["A"], now_s=10.0)
    assert records["A"] == SlotRecord("A", 10.0, serving_since_s=10.0)
    assert records["B"] == SlotRecord("B", 10.0, waiting_since_s=10.0)
    records = advance(records, wanting=["A", "B"], served=["B"], now_s=40.0)
    assert records["A"] == SlotRecord("A", 10.0, served_s=30.0, waiting_since_s=40.0)
    assert records["B"] == SlotRecord("B", 10.0, serving_since_s=40.0)
    assert advance(records, wanting=["B"], served=["B"], now_s=50.0) == {"B": records["B"]}


def test_share_of_a_car_that_was_just_plugged_in() -> None:
    assert SlotRecord("A", plugged_s=5.0).share(5.0) == 0.0
