"""The closed loop of building, meter and cars (manual 7.4.2, decision 0216)."""

from __future__ import annotations

import pytest

from borne.domain.settings.choices import MeterLocation
from tests.support.building_loop import Building, BuildingLoop

SKEWS_S = (0.0, 1.0, 3.0, 10.0, 30.0)


def held(
    skew_s: float,
    location: MeterLocation,
    phases: int,
    seed: int,
    until_s: float,
    rare: int = 0,
) -> None:
    """Never above the limit for longer than meter and cars need, and no swinging. `rare`: in how
    many cases a step of the building may meet one of the cars in the worst moment."""
    building = Building.switching(seed, until_s, (20.0, 120.0))
    switched = sum(1 for time_s in building.times_s if time_s < until_s)
    found = BuildingLoop(building, skew_s, location, phases=phases, seed=seed).run(until_s)
    assert found.beyond_as == 0
    assert found.reversals <= 2 * (switched + rare) + 4
    assert found.pauses <= 2 * rare
    assert found.drawn_as >= 0.9 * found.ideal_as


@pytest.mark.parametrize("skew_s", SKEWS_S)
@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("seed", [11, 21])
def test_a_meter_that_includes_the_stations(skew_s: float, phases: int, seed: int) -> None:
    held(skew_s, MeterLocation.INCLUDING, phases, seed, 600.0)


@pytest.mark.parametrize("skew_s", [0.0, 30.0])
def test_a_meter_without_the_stations(skew_s: float) -> None:
    held(skew_s, MeterLocation.EXCLUDING, 3, 11, 600.0)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(20, 40))
@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_hours_of_a_building(skew_s: float, seed: int) -> None:
    for location in MeterLocation:
        held(skew_s, location, 3, seed, 3600.0, rare=3)
