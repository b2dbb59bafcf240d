"""The load beside the stations (manual 7.4.2, decision 0216)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan

import pytest

from borne.domain.load_management.external_load import DECIDE_S, SILENT_S, ExternalLoad
from borne.domain.load_management.meter_skew import MeterSkew
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase

SAME = PerPhase.same
INCLUDING, EXCLUDING = MeterLocation.INCLUDING, MeterLocation.EXCLUDING


def load_after(
    shown: Sequence[float],
    own: dict[int, float] | None = None,
    start: ExternalLoad | None = None,
    at_s: int = 0,
) -> ExternalLoad:
    """One reading per second; `own` are the currents of the stations from a second on."""
    load = start or ExternalLoad().drawn(-30.0, ZERO)
    for second, amps in enumerate(shown, at_s):
        if own and second in own:
            load = load.drawn(second - 0.1, SAME(own[second]))
        load = load.measured(float(second), SAME(amps))
    return load


def test_a_rise_counts_with_the_first_reading() -> None:
    load = load_after([10, 10, 40])
    assert load.load_a(2.0, EXCLUDING, 10.0) == SAME(40)


def test_a_fall_is_averaged() -> None:
    load = load_after([40] * 20 + [10] * 5)
    assert load.load_a(20.0, EXCLUDING, 10.0) == SAME(40)
    assert load.load_a(24.0, EXCLUDING, 10.0) == pytest.approx(SAME(40 - 30 * 0.4))
    assert load.load_a(30.0, EXCLUDING, 10.0) == pytest.approx(SAME(10))


def test_each_phase_has_its_own_load() -> None:
    load = ExternalLoad().measured(0.0, PerPhase(5, -7, 9))
    assert load.load_a(0.0, EXCLUDING, 10.0) == PerPhase(5, 0, 9)


@pytest.mark.parametrize("reading", [None, PerPhase(1, nan, 1), PerPhase(inf, 1, 1)])
def test_without_a_number_the_meter_is_silent(reading: PerPhase | None) -> None:
    load = load_after([10]).measured(1.0, reading)
    assert load.load_a(1.0, EXCLUDING, 10.0) is None
    assert load.load_a(1.0, INCLUDING, 10.0) is None


def test_a_reading_ends_to_count() -> None:
    load = load_after([10])
    assert load.load_a(SILENT_S, EXCLUDING, 10.0) == SAME(10)
    assert load.load_a(SILENT_S + 1, EXCLUDING, 10.0) is None


def test_after_a_silence_the_past_does_not_count() -> None:
    load = load_after([90] * 5).measured(5.0, None).measured(6.0, SAME(10))
    assert load.load_a(6.0, EXCLUDING, 10.0) == SAME(10)


def test_own_currents_are_subtracted() -> None:
    load = load_after([10] * 3 + [26] * 60, own={3: 16.0})
    assert load.load_a(62.0, INCLUDING, 10.0) == pytest.approx(SAME(10))
    assert load.load_a(62.0, EXCLUDING, 10.0) == SAME(26)


def knowing(first_s: int, last_s: int) -> ExternalLoad:
    """A master that knows how late its meter is."""
    return ExternalLoad(skew=MeterSkew.remembered(first_s, last_s)).drawn(-50.0, ZERO)


@pytest.mark.parametrize("late_s", [1, 4])
def test_what_the_meter_shows_before_the_stations_report_it_is_theirs(late_s: int) -> None:
    start = knowing(-late_s, 1 - late_s)
    for second in range(20, 30):
        own = {20 + late_s: 16.0}
        seen = load_after([10] * 20 + [26] * (second - 19), own=own, start=start)
        assert seen.load_a(float(second), INCLUDING, 1.0) == SAME(10)


def late(skew_s: int, own: dict[int, float], until_s: int) -> ExternalLoad:
    """Readings of a building of 10 A, by a meter that shows the stations `skew_s` too late."""
    shown = [
        10.0 + next((amps for at_s, amps in reversed(own.items()) if at_s <= second - skew_s), 0.0)
        for second in range(until_s)
    ]
    return load_after(shown, own=own)


@pytest.mark.parametrize("skew_s", [-4, 0, 1, 4, 12])
def test_a_step_shows_the_skew_when_nothing_follows_later(skew_s: int) -> None:
    own = {20: 16.0}
    assert not late(skew_s, own, 30 + skew_s).skew.known  # it may have been the building
    load = late(skew_s, own, 60)
    first, last = load.skew.plausible
    assert load.skew.known
    assert first <= skew_s <= last


@pytest.mark.parametrize("skew_s", [-4, 0, 1, 4, 12, 30])
def test_two_steps_show_the_skew(skew_s: int) -> None:
    load = late(skew_s, {20: 16.0, 30: 0.0}, 40 + skew_s)
    first, last = load.skew.plausible
    assert load.skew.known
    assert first <= skew_s <= last
    later = late(skew_s, {20: 16.0, 30: 0.0}, 100)
    assert later.load_a(99.0, INCLUDING, 10.0) == SAME(10)


@pytest.mark.parametrize("skew_s", [10, 20, 30])
def test_a_building_that_repeats_the_first_step_does_not_mislead(skew_s: int) -> None:
    """The building rises by 16 A, and then the stations do: a late meter shows both late."""
    load = ExternalLoad().drawn(-30.0, ZERO)
    for second in range(100):
        if second == 20:
            load = load.drawn(20.0, SAME(16))
        late_s = second - skew_s
        building_a = 26.0 if late_s >= 15 else 10.0
        load = load.measured(float(second), SAME(building_a + (16.0 if late_s >= 20 else 0.0)))
        if late_s >= 15 + DECIDE_S + 1:
            found_a = load.load_a(float(second), INCLUDING, 1.0)
            assert found_a is not None
            assert found_a.l1 >= 26


def test_what_was_learnt_is_remembered_over_a_restart() -> None:
    before = knowing(12, 13)
    after = ExternalLoad(skew=before.skew.after_restart()).drawn(-50.0, ZERO)
    assert after.skew.known
    load = load_after([10] * 32 + [26] * 10, own={20: 16.0}, start=after)
    assert load.load_a(41.0, INCLUDING, 1.0) == SAME(10)


def test_what_is_not_known_is_not_remembered() -> None:
    assert MeterSkew().after_restart() == MeterSkew()


@pytest.mark.parametrize(("first_s", "last_s"), [(-6, 0), (30, 32), (3, 2), (0, 4)])
def test_an_impossible_skew_is_refused(first_s: int, last_s: int) -> None:
    with pytest.raises(ValueError, match="skew"):
        MeterSkew.remembered(first_s, last_s)


def test_while_the_skew_is_unknown_a_rise_may_be_the_buildings() -> None:
    shown = [10.0] * 20 + [16.0] * 8  # a building that rises by less than the stations
    load = load_after(shown, own={18: 16.0})
    assert not load.skew.known
    assert load.load_a(20.0 + DECIDE_S, INCLUDING, 10.0) == SAME(16)


def test_a_building_that_rises_beyond_what_stations_explain() -> None:
    learned = load_after([10] * 20 + [26] * 20, own={20: 16.0}, start=knowing(0, 1))
    load = load_after([56], start=learned, at_s=40)
    known = replace(learned, main_a=SAME(26)).measured(40.0, SAME(56))
    assert known.load_a(40.0, INCLUDING, 10.0) == SAME(40)  # no room: nobody could have risen
    later = load_after([56, 56], start=load, at_s=41)
    assert later.load_a(42.0, INCLUDING, 10.0) == SAME(40)


def test_another_skew_is_learned_again() -> None:
    load = load_after([10] * 20 + [26] * 20, own={20: 16.0})
    for step in range(6):
        start_s, low = 40 + 80 * step, step % 2 == 0
        old, new = (26.0, 10.0) if low else (10.0, 26.0)
        own = {start_s: 0.0 if low else 16.0}
        load = load_after([old] * 15 + [new] * 65, own=own, start=load, at_s=start_s)
    first, last = load.skew.plausible
    assert first <= 15 <= last
    assert load.skew.known


def test_of_a_meter_without_the_stations_nothing_is_subtracted() -> None:
    load = load_after([30.0] * 20, own={15: 10.0})
    for step in range(6):
        own = {20 + 40 * step: 26.0 if step % 2 == 0 else 10.0}
        load = load_after([30.0] * 40, own=own, start=load, at_s=20 + 40 * step)
    assert load.skew.denied
    assert load.load_a(259.0, INCLUDING, 10.0) == SAME(30)


def test_what_stations_say_at_the_start_is_no_step() -> None:
    load = ExternalLoad()
    for second in range(60):
        if second < 5:
            load = load.drawn(float(second), SAME(10.0 * (second + 1)))
        load = load.measured(second + 0.5, SAME(70.0))
    assert not load.skew.denied
    assert load.load_a(60.0, INCLUDING, 10.0) == SAME(20)


@pytest.mark.parametrize("silent", [False, True])
def test_without_readings_the_past_of_the_stations_is_forgotten(silent: bool) -> None:
    load = ExternalLoad()
    for second in range(500):
        load = load.drawn(float(second), SAME(second % 7))
        if silent:
            load = load.measured(float(second), None)
    assert len(load.own.steps) < 100


def test_a_first_reading_that_a_step_confuses_has_shown_nothing_yet() -> None:
    """Nor has it after a silence; a meter that does not show the stations never has."""
    steady = ExternalLoad().drawn(-50.0, ZERO)
    changed = steady.drawn(0.0, SAME(16)).measured(5.0, SAME(10))
    assert changed.shown_s == -inf
    assert changed.measured(6.0, None).measured(7.0, SAME(10)).shown_s == -inf
    shown_s = steady.measured(5.0, SAME(10)).shown_s
    assert shown_s is not None
    assert shown_s > -inf
    denied = replace(changed, skew=MeterSkew(denied=True))
    assert denied.measured(6.0, SAME(10)).shown_s is None
