"""What sockets of unknown rotation left counts until the meter has shown their fall."""

from __future__ import annotations

from borne.domain.load_management.unproven_draws import KEPT_S, UnprovenDraws


def draws(*steps: tuple[float, float]) -> UnprovenDraws:
    found = UnprovenDraws()
    for at_s, amps in steps:
        found.note("s/1", amps, at_s)
    return found


def test_a_fall_counts_when_the_meter_has_shown_it() -> None:
    found = draws((0.0, 10.0), (20.0, 0.0))
    found.shown(19.0)
    assert found.highest_a("s/1", 22.0) == 10.0
    found.shown(20.0)
    assert found.highest_a("s/1", 23.0) == 0.0


def test_the_highest_of_several_counts() -> None:
    found = draws((0.0, 6.0), (20.0, 16.0), (21.0, 0.0), (25.0, 8.0))
    found.shown(10.0)
    assert found.highest_a("s/1", 26.0) == 16.0
    found.shown(21.0)
    assert found.highest_a("s/1", 26.0) == 8.0


def test_without_a_meter_that_includes_it_nothing_lingers() -> None:
    found = draws((0.0, 10.0), (20.0, 0.0))
    assert found.highest_a("s/1", 21.0) == 0.0
    found.shown(5.0)
    found.shown(None)
    assert found.highest_a("s/1", 21.0) == 0.0
    assert found.highest_a("s/2", 21.0) == 0.0


def test_a_silent_meter_holds_nothing_for_ever() -> None:
    found = draws((0.0, 10.0), (20.0, 0.0))
    found.shown(10.0)
    assert found.highest_a("s/1", 20.0 + KEPT_S) == 0.0
    found.note("s/1", 6.0, 100.0)
    assert found.highest_a("s/1", 101.0) == 6.0
