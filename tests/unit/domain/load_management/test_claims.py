"""Admission of cars whose need is known: what each has for itself, and who waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.participant import Participant
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.foundation.units import PerPhase


def cars(*needed_a: float | None, upper_a: float = 32.0) -> list[Participant]:
    """In the order of urgency."""
    return [
        Participant(id=name, needed_a=own, rank=float(rank), maximum_a=upper_a)
        for rank, (name, own) in enumerate(zip("abcdefgh", needed_a, strict=False))
    ]


def given(limit_a: float, participants: list[Participant]) -> dict[str, float]:
    snapshot = Snapshot(SharedSupply(PerPhase.same(limit_a)), participants)
    return dict(allocate(snapshot).amps)


def test_a_car_that_needs_all_its_time_is_not_held_at_the_minimum() -> None:
    assert given(50.0, cars(28.0, 7.0, 7.0, 6.0)) == pytest.approx(
        {"a": 28.0, "b": 7.5, "c": 7.5, "d": 7.0}, abs=0.51
    )


def test_on_a_line_that_cannot_carry_all_needs_each_has_the_same_part() -> None:
    assert given(36.0, cars(24.0, 16.0, 32.0)) == pytest.approx({"a": 12.0, "b": 8.0, "c": 16.0})


def test_a_car_waits_with_its_reason_when_others_need_all() -> None:
    snapshot = Snapshot(SharedSupply(PerPhase.same(20.0)), cars(20.0, 1.0))
    found = allocate(snapshot)
    assert found.amps["b"] == 0.0
    assert found.reasons["b"].cause is LimitCause.WAITING_FOR_MINIMUM


def test_a_car_that_claims_the_whole_line_shares_it_with_nobody() -> None:
    snapshot = Snapshot(SharedSupply(PerPhase.same(13.0)), cars(32.0, None))
    reason = allocate(snapshot).reasons["a"]
    assert (reason.cause, reason.sharing) == (LimitCause.GROUP_LIMIT, 0)


def test_a_car_that_keeps_its_place_is_not_displaced() -> None:
    participants = cars(20.0, None)
    participants[1] = replace(participants[1], keeps_place=True)
    assert given(20.0, participants) == pytest.approx({"a": 14.0, "b": 6.0})


def test_the_minimum_of_a_lower_class_is_kept() -> None:
    participants = cars(32.0, 32.0)
    participants[0] = replace(participants[0], priority=2)
    assert given(32.0, participants) == pytest.approx({"a": 26.0, "b": 6.0})


def test_a_need_beyond_the_own_limit_claims_no_more() -> None:
    assert given(32.0, cars(400.0, 10.0, upper_a=16.0)) == pytest.approx({"a": 16.0, "b": 16.0})


def test_without_known_needs_nothing_changes() -> None:
    assert given(20.0, cars(None, None, None)) == pytest.approx(
        {"a": 20 / 3, "b": 20 / 3, "c": 20 / 3}
    )


def test_a_limit_that_is_exceeded_already_gives_nobody_anything() -> None:
    lost = Participant(id="lost", reserved_a=32.0)
    found = given(20.0, [*cars(0.0, 8.0), lost])
    assert (found["a"], found["b"]) == (0.0, 0.0)
