"""The effective limit of the sub-distribution (manual 7.4); currents are in the vectors."""

from __future__ import annotations

from datetime import time
from math import nan

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.site import (
    DigitalInput,
    ExternalMeter,
    ScheduleWindow,
    Site,
    lowest_over_window,
    root_limit,
)
from borne.domain.load_management.topology import GridPhase
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase

SAME = PerPhase.same
SUB = SAME(63)
NIGHT = ScheduleWindow(time(22), time(6), SAME(20))


def meter(current_a: PerPhase | None, **changes: object) -> ExternalMeter:
    return ExternalMeter(SAME(50), current_a, **changes)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("site", "amps", "cause"),
    [
        (Site(sub_distribution_a=SUB), 63, LimitCause.SUB_DISTRIBUTION),
        (
            Site(sub_distribution_a=SUB, operator_sub_distribution_a=SAME(40)),
            40,
            LimitCause.OPERATOR,
        ),
        (Site(sub_distribution_a=SUB, schedule=(NIGHT,)), 20, LimitCause.SCHEDULER),
        (
            Site(sub_distribution_a=SUB, digital_inputs=(DigitalInput(True, SAME(9)),)),
            9,
            LimitCause.EXTERNAL_INPUT,
        ),
        (Site(sub_distribution_a=SUB, energy_manager_a=ZERO), 0, LimitCause.ENERGY_MANAGER),
        (
            Site(sub_distribution_a=SUB, external_meter=meter(SAME(20))),
            30,
            LimitCause.EXTERNAL_LOAD,
        ),
        (
            Site(sub_distribution_a=SUB, external_meter=meter(None)),
            0,
            LimitCause.EXTERNAL_LOAD_FALLBACK,
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, LimitCause) else "",
)
def test_limit_and_cause(site: Site, amps: float, cause: LimitCause) -> None:
    limit = root_limit(site, time(23))
    assert limit.amps == SAME(amps)
    assert [limit.cause(phase) for phase in GridPhase] == [cause] * 3


def test_each_phase_has_its_own_cause() -> None:
    site = Site(sub_distribution_a=PerPhase(10, 63, 63), energy_manager_a=PerPhase(20, 20, 70))
    limit = root_limit(site)
    assert limit.amps == PerPhase(10, 20, 63)
    assert limit.causes == (
        LimitCause.SUB_DISTRIBUTION,
        LimitCause.ENERGY_MANAGER,
        LimitCause.SUB_DISTRIBUTION,
    )


@pytest.mark.parametrize(
    ("hour", "holds"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False)]
)
def test_window_over_midnight(hour: int, holds: bool) -> None:
    assert NIGHT.holds_at(time(hour)) is holds


def test_equal_ends_are_the_whole_day() -> None:
    window = ScheduleWindow(time(8), time(8), SAME(10))
    assert all(window.holds_at(time(hour)) for hour in range(24))


def test_without_a_date_every_window_holds() -> None:
    site = Site(sub_distribution_a=SUB, schedule=(NIGHT, ScheduleWindow(time(8), time(9), SAME(7))))
    assert root_limit(site, None).amps == SAME(7)


@pytest.mark.parametrize(
    ("current_a", "changes", "load_a"),
    [
        (SAME(-5), {}, 0),
        (SAME(-5), {"use_export": True}, -5),
        (SAME(30), {"location": MeterLocation.INCLUDING, "evse_current_a": SAME(20)}, 10),
        (SAME(30), {"location": MeterLocation.INCLUDING, "evse_current_a": SAME(40)}, 0),
        (None, {"fallback_a": SAME(12)}, 12),
        (PerPhase(1, nan, 1), {"fallback_a": SAME(12)}, 12),
        (SAME(float("inf")), {}, 9999),
    ],
)
def test_external_load(
    current_a: PerPhase | None, changes: dict[str, object], load_a: float
) -> None:
    assert meter(current_a, **changes).external_load_a() == SAME(load_a)


def test_an_invalid_limit_is_zero() -> None:
    site = Site(sub_distribution_a=SUB, energy_manager_a=PerPhase(nan, 20, 20))
    assert root_limit(site).amps == PerPhase(0, 20, 20)


def test_lowest_over_the_window_of_a_meter() -> None:
    samples = [PerPhase(16, 10, 0), PerPhase(10, 16, 1)]
    assert lowest_over_window(samples) == PerPhase(10, 10, 0)
    assert lowest_over_window([]) == ZERO
