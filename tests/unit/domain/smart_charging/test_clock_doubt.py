"""Profiles after the clock was set: for how long, and by how much, they are in doubt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from borne.domain.smart_charging.clock_doubt import (
    CONFIRMED_S,
    PLAUSIBLE_S,
    Doubts,
    from_the_future,
)
from borne.domain.smart_charging.profiles import Purpose
from tests.unit.domain.smart_charging.builders import NOW, installed, profile

ENTRY = installed(profile(Purpose.DEFAULT, {0: 10.0}))


def test_steps_of_the_clock_add_up() -> None:
    doubts = Doubts.none().after_step([ENTRY], 1800.0, 0.0).after_step([ENTRY], 600.0, 60.0)
    shifted = doubts.undisturbed(ENTRY)
    assert shifted.received_at - ENTRY.received_at == timedelta(seconds=2400)
    assert shifted.profile.schedule.start == NOW + timedelta(seconds=2400)


def test_a_clock_that_is_set_back_leaves_no_doubt() -> None:
    doubts = Doubts.none().after_step([ENTRY], 1800.0, 0.0).after_step([ENTRY], -1790.0, 60.0)
    assert doubts.undisturbed(ENTRY) is ENTRY
    assert doubts.next_end_s() is None


@pytest.mark.parametrize(
    ("seconds", "ends_s"), [(PLAUSIBLE_S, 5.0 + CONFIRMED_S), (PLAUSIBLE_S + 1, None)]
)
def test_time_alone_confirms_only_a_plausible_clock(seconds: float, ends_s: float | None) -> None:
    doubts = Doubts.none().after_step([ENTRY], seconds, 5.0)
    assert doubts.next_end_s() == ends_s
    assert doubts.at([ENTRY], 5.0 + CONFIRMED_S - 1).of
    assert bool(doubts.at([ENTRY], 5.0 + CONFIRMED_S).of) is (ends_s is None)


def test_a_profile_that_is_gone_is_in_no_doubt() -> None:
    assert not Doubts.none().after_step([ENTRY], 1800.0, 0.0).at([], 1.0).of


def test_a_profile_from_far_ahead_is_from_the_future() -> None:
    assert from_the_future(ENTRY, NOW - timedelta(seconds=PLAUSIBLE_S + 1))
    assert not from_the_future(ENTRY, NOW - timedelta(seconds=PLAUSIBLE_S))
