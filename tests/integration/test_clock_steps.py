"""A clock that is set wrongly lifts no limit of a charging profile, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from borne.application.limits.charging_profiles import ChargingProfiles
from borne.domain.smart_charging.profiles import (
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
    Selection,
)
from borne.foundation.clock import Clock, ClockTrust
from tests.support.running_station import RunningStation, running_station
from tests.support.virtual_time import run_virtual, virtual_time

FREE: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
DAY_S = 86400.0


def profiles(station: RunningStation) -> ChargingProfiles:
    running = station.host.station
    assert running is not None
    return running.charging.profiles


def clock(station: RunningStation) -> Clock:
    return station.services.clock


def step(station: RunningStation, seconds: float, trust: ClockTrust = ClockTrust.BACKEND) -> None:
    clock(station).observe(clock(station).now() + timedelta(seconds=seconds), trust)


def offered(station: RunningStation) -> float:
    return float(station.connector()["offered_a"][0])


def profile(station: RunningStation, amps: float, **how: Any) -> Profile:
    """Holds for two hours, beginning half an hour ago."""
    start = clock(station).now() - timedelta(minutes=30)
    given: dict[str, Any] = {
        "profile_id": 1,
        "stack_level": 0,
        "purpose": Purpose.DEFAULT,
        "kind": ProfileKind.ABSOLUTE,
        "schedule": Schedule(RateUnit.AMPERE, (Period(0, amps),), 7200, start),
    }
    return Profile(**(given | how))


@asynccontextmanager
async def charging(data: Path) -> AsyncIterator[RunningStation]:
    async with running_station(data, **FREE) as station:
        await station.plug(1, {"max_a": 32})
        await station.until_state("charging")
        yield station


WRONG = {
    "400 days ahead": 400 * DAY_S,
    "400 days behind": -400 * DAY_S,
    "three days ahead": 3 * DAY_S,
    "thirty years behind": -30 * 365 * DAY_S,
}


@pytest.mark.parametrize("seconds", WRONG.values(), ids=list(WRONG))
@pytest.mark.parametrize("purpose", [Purpose.DEFAULT, Purpose.STATION])
def test_an_implausible_clock_step_lifts_no_profile(
    tmp_path: Path, seconds: float, purpose: Purpose
) -> None:
    run_virtual(wrong_step(tmp_path, seconds, purpose))


async def wrong_step(data: Path, seconds: float, purpose: Purpose) -> None:
    async with charging(data) as station:
        await profiles(station).set(0, profile(station, 8.0, purpose=purpose))
        await asyncio.sleep(10.0)
        assert offered(station) == 8.0
        step(station, seconds)
        composite = profiles(station).composite(1, 60, RateUnit.AMPERE)
        assert composite is not None
        assert composite.periods[0][1] == 8.0
        await asyncio.sleep(3600.0)
        assert offered(station) == 8.0
        # As if time had gone on normally: its two hours end.
        await asyncio.sleep(3600.0)
        assert offered(station) == 32.0


@virtual_time
async def test_a_clock_step_that_is_reverted_changes_nothing(tmp_path: Path) -> None:
    async with charging(tmp_path) as station:
        await profiles(station).set(1, profile(station, 8.0))
        step(station, 400 * DAY_S)
        await profiles(station).set(
            1, profile(station, 10.0, profile_id=2, stack_level=1, purpose=Purpose.DEFAULT)
        )
        await asyncio.sleep(10.0)
        assert offered(station) == 10.0
        step(station, -400 * DAY_S)
        await asyncio.sleep(10.0)
        # The second came under the wrong clock: on this one it has not begun, and the first holds.
        assert offered(station) == 8.0
        await profiles(station).clear(Selection(profile_id=1))
        await asyncio.sleep(10.0)
        assert offered(station) == 10.0


@virtual_time
async def test_the_backend_can_clear_and_replace_profiles_in_doubt(tmp_path: Path) -> None:
    async with charging(tmp_path) as station:
        await profiles(station).set(1, profile(station, 8.0))
        step(station, 400 * DAY_S)
        await profiles(station).set(1, profile(station, 16.0))
        await asyncio.sleep(10.0)
        assert offered(station) == 16.0
        step(station, 400 * DAY_S)
        await profiles(station).clear(Selection())
        await asyncio.sleep(10.0)
        assert offered(station) == 32.0


@virtual_time
async def test_a_plausible_step_is_believed_after_an_hour(tmp_path: Path) -> None:
    daily = {"kind": ProfileKind.RECURRING, "recurrency": Recurrency.DAILY}
    async with charging(tmp_path) as station:
        await profiles(station).set(1, profile(station, 8.0, **daily))
        step(station, 5 * 3600.0)
        await asyncio.sleep(3500.0)
        assert offered(station) == 8.0
        await asyncio.sleep(200.0)
        assert offered(station) == 32.0


@virtual_time
async def test_a_time_server_is_believed_at_once(tmp_path: Path) -> None:
    async with charging(tmp_path) as station:
        await profiles(station).set(1, profile(station, 8.0))
        step(station, 400 * DAY_S, ClockTrust.NTP)
        await asyncio.sleep(10.0)
        assert offered(station) == 32.0


@virtual_time
async def test_a_relative_schedule_is_independent_of_the_clock(
    tmp_path: Path,
) -> None:
    """It counts from the start of the session, by duration."""
    schedule = Schedule(RateUnit.AMPERE, (Period(0, 8.0), Period(1800, 12.0), Period(3600, 20.0)))
    async with charging(tmp_path) as station:
        relative = profile(station, 0.0, kind=ProfileKind.RELATIVE, schedule=schedule)
        await profiles(station).set(1, relative)
        for seconds in (400 * DAY_S, -800 * DAY_S, 7200.0):
            step(station, seconds)
            await asyncio.sleep(10.0)
            assert offered(station) == 8.0
        await asyncio.sleep(1800.0)
        assert offered(station) == 12.0


@virtual_time
async def test_a_profile_from_the_future_holds_at_its_lowest(tmp_path: Path) -> None:
    """It came under a clock that was far ahead; it is unknown which of its periods holds."""
    async with charging(tmp_path) as station:
        step(station, 400 * DAY_S)
        periods = (Period(0, 20.0), Period(3600, 9.0))
        start = clock(station).now()
        ahead = Schedule(RateUnit.AMPERE, periods, 7200, start)
        await profiles(station).set(1, profile(station, 0.0, schedule=ahead))
        await asyncio.sleep(10.0)
        assert offered(station) == 20.0
    async with running_station(tmp_path) as station:
        await station.plug(1, {"max_a": 32})
        await station.until_state("charging")
        assert offered(station) == 9.0
