"""The gates of the benchmarks of load management; ratios within one run."""

from __future__ import annotations

import pytest

from tests.benchmarks.load_management import balance, closed_loop, day, quality, timing

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]

HALF = 0.5


@pytest.mark.parametrize("size", [1000, 10_000])
def test_an_allocation_takes_at_most_half_of_a_linear_program(size: int) -> None:
    group = timing.instance(size)
    works = [timing.currents(group), timing.reasons(group), timing.linear_program(group)]
    amps_ms, reasons_ms, program_ms = timing.best_ms(works, 40 if size == 1000 else 10)
    assert amps_ms <= HALF * program_ms
    assert reasons_ms <= (HALF + 0.05) * program_ms


def test_every_allocation_is_exact() -> None:
    ours = quality.measure()[quality.OURS]
    assert ours.over == 0
    assert all(ours.exact)
    assert sum(ours.of_possible) / len(ours.of_possible) >= 0.97


def test_current_imbalance() -> None:
    found = balance.measure()
    assert found.over == 0
    assert found.exact >= 0.98 * found.groups
    assert found.same_admission >= 0.99 * found.compared


def test_the_safe_step_exceeds_no_limit() -> None:
    safe, naive = closed_loop.measure(safe=True), closed_loop.measure(safe=False)
    assert safe.over_s == 0
    assert naive.over_s > 0
    assert safe.phase_ah >= 0.98 * naive.phase_ah


@pytest.mark.parametrize("limit_a", [40, 63, 80, 100])
def test_a_day_with_known_departures_gives_nearly_all_that_is_possible(limit_a: int) -> None:
    found = day.measure(day.MODES[0], limit_a)
    assert found.of_bound >= 0.91
    assert found.over_s == 0


@pytest.mark.parametrize("limit_a", day.LIMITS_A)
def test_a_day_of_fair_rotation_leaves_no_car_unserved(limit_a: int) -> None:
    found = day.measure(day.MODES[-1], limit_a)
    assert found.tenth > 0
    assert found.worst > 0
    assert found.over_s == 0
