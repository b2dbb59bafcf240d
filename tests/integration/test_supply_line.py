"""Two sockets on one supply line share it (manual 7.2 case 3, 7.3), on virtual time.

A whole station in a simulated world of cars; the line is measured in the simulated world, not asked
of the station.
"""
# ruff: noqa: N802 -- a test of a setting is named after it

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from borne.application.limits.limit_service import STATION
from borne.application.settings.settings_service import SettingsRejected
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import OCPP_STATION
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from borne.foundation.units import PerPhase
from tests.support.running_station import RunningStation, running_station
from tests.support.simulated_world import world_of
from tests.support.virtual_time import virtual_time

FREE: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
LINE: dict[str, Any] = FREE | {"SingleSupplyLine": "on"}
BIG: dict[str, Any] = {"max_a": 32, "reaction_s": 5.0}
SETTLED_S = 30.0
"""Everybody has reacted and the next look has been taken."""


@asynccontextmanager
async def line(data: Path, **changes: Any) -> AsyncIterator[RunningStation]:
    async with running_station(data, **(LINE | changes)) as station:
        yield station


async def two_big_cars(station: RunningStation) -> None:
    """Plug in two cars that take all they get, and wait until the currents are stable."""
    await station.plug(1, BIG)
    await station.plug(2, BIG)
    await asyncio.sleep(SETTLED_S)


def drawn(station: RunningStation) -> PerPhase:
    """What flows through the line, per phase of the grid."""
    return world_of(station.host).sockets_current_a


def offers(station: RunningStation) -> tuple[float, float]:
    one, two = (station.connector(number)["offered_a"][0] for number in (1, 2))
    return one, two


def reason(station: RunningStation, number: int) -> str:
    """The reason of the row of the supply line."""
    rows = station.connector(number)["limits"]
    return str(next(row["reason"] for row in rows if row["source"] == "supply_line"))


@virtual_time
async def test_SingleSupplyLine(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await two_big_cars(station)
        assert offers(station) == (16.0, 16.0)
        assert drawn(station) == PerPhase.same(32.0)
        assert reason(station, 1) == "fair_share"
    async with line(tmp_path, SingleSupplyLine="off") as station:
        await two_big_cars(station)
        assert offers(station) == (32.0, 32.0)


@virtual_time
async def test_SingleSupplyLineInstallerAccess(tmp_path: Path) -> None:
    """Manual 7.3: the maker opens the settings of the line to the installer."""
    installer = Principal(PrincipalKind.PERSON, Role.INSTALLER)
    async with line(tmp_path) as station:
        settings = station.services.settings
        names = {view.name for view in settings.list(installer)}
        assert {"SingleSupplyLine", "SupplyLineCurrentCapacity"} <= names
        await settings.change({"SupplyLineCurrentCapacity": 20}, installer, "test")
        await station.set(SingleSupplyLineInstallerAccess="off")
        names = {view.name for view in settings.list(installer)}
        assert not {"SingleSupplyLine", "SupplyLineCurrentCapacity"} & names
        for change in ({"SingleSupplyLine": False}, {"SupplyLineCurrentCapacity": 32}):
            with pytest.raises(SettingsRejected, match="manufacturer"):
                await settings.change(change, installer, "test")


@virtual_time
async def test_a_new_supply_line_takes_effect_at_the_restart_and_raises_nothing(
    tmp_path: Path,
) -> None:
    limits: dict[str, Any] = {"InstallationCurrentLimit": 20, "InstallationCurrentLimit_2": 10}
    async with running_station(tmp_path, **FREE, **limits) as station:
        await two_big_cars(station)
        assert offers(station) == (20.0, 10.0)
        await station.set(SingleSupplyLine="on")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (20.0, 10.0)
        rows = {row["source"] for row in station.connector()["limits"]}
        assert "installation" in rows
        assert "supply_line" not in rows
        await station.set(InstallationCurrentLimit_2="8")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (20.0, 8.0)
        before = station.host.station
        await station.services.restarter.restart(SYSTEM, "now")
        await station.until_restarted(before)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 8.0
        assert drawn(station) == PerPhase.same(8.0)
        rows = {row["source"] for row in station.connector()["limits"]}
        assert "supply_line" in rows
        assert "installation" not in rows
        await station.set(SupplyLineCurrentCapacity="16")
        await station.set(SingleSupplyLine="off")
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 16.0
        before = station.host.station
        await station.services.restarter.restart(SYSTEM, "now")
        await station.until_restarted(before)
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (20.0, 8.0)


@virtual_time
async def test_an_old_capacity_does_not_raise_the_line(tmp_path: Path) -> None:
    before: dict[str, Any] = {"SupplyLineCurrentCapacity": 28}
    async with running_station(tmp_path, **FREE, **before, InstallationCurrentLimit=10) as station:
        await station.set(SingleSupplyLine="on")
        assert station.services.settings.settings["SupplyLineCurrentCapacity"] == 10
    async with running_station(tmp_path) as station:
        await two_big_cars(station)
        assert sum(offers(station)) == 10.0


@virtual_time
async def test_SupplyLineCurrentCapacity(tmp_path: Path) -> None:
    async with line(tmp_path, SupplyLineCurrentCapacity=20) as station:
        await two_big_cars(station)
        assert offers(station) == (10.0, 10.0)
        await station.set(SupplyLineCurrentCapacity="26")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (13.0, 13.0)


@virtual_time
async def test_StationCurrentCapacity(tmp_path: Path) -> None:
    async with line(tmp_path, StationCurrentCapacity=40, SupplyLineCurrentCapacity=40) as station:
        await two_big_cars(station)
        assert offers(station) == (20.0, 20.0)
        await station.set(SupplyLineCurrentCapacity="24", StationCurrentCapacity="24")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (12.0, 12.0)


@virtual_time
async def test_PhasesConnected(tmp_path: Path) -> None:
    """A car on one wire leaves the other two alone from its first moment."""
    async with line(
        tmp_path, PhasesConnected_2="single", ConnectorPhaseRotation_2="str"
    ) as station:
        world_of(station.host).sockets[2].wiring = (1, 2, 0)
        await station.plug(1, BIG | {"phases": 1})
        await asyncio.sleep(SETTLED_S)
        await station.plug(2, BIG)
        await asyncio.sleep(8.0)
        assert offers(station) == (32.0, 32.0)
        second = station.connector(2)
        assert (second["offered_a"], second["phases"]) == ([32.0, 0.0, 0.0], 1)
        assert second["measured_a"] == [32.0, 0.0, 0.0]


@virtual_time
async def test_ConnectorPhaseRotation(tmp_path: Path) -> None:
    """Two cars on one phase each meet only when their sockets are wired alike."""
    one = BIG | {"phases": 1}
    async with line(tmp_path, ConnectorPhaseRotation_2="str") as station:
        world_of(station.host).sockets[2].wiring = (1, 2, 0)
        await station.plug(1, one)
        await station.plug(2, one)
        await asyncio.sleep(60.0)
        assert offers(station) == (32.0, 32.0)
        assert drawn(station) == PerPhase(32.0, 32.0, 0.0)
        await station.set(ConnectorPhaseRotation_2="rst")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_DLMMinimumCurrentLimit(tmp_path: Path) -> None:
    """A socket that cannot get the minimum waits for its turn, and its reason says so."""
    async with line(tmp_path, SupplyLineCurrentCapacity=14) as station:
        await two_big_cars(station)
        assert offers(station) == (7.0, 7.0)
    scarce = {"SupplyLineCurrentCapacity": 14, "DLMMinimumCurrentLimit": 8}
    async with line(tmp_path, **scarce) as station:
        await two_big_cars(station)
        assert sorted(offers(station)) == [0.0, 14.0]
        waiting = 1 if offers(station)[0] == 0.0 else 2
        assert reason(station, waiting) == "waiting_for_minimum"
        await asyncio.sleep(1800.0)
        assert offers(station)[waiting - 1] == 14.0


# How it shares --------------------------------------------------------------------------------


@virtual_time
async def test_a_second_car_waits_until_the_first_must_have_followed(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await station.plug(1, BIG)
        await asyncio.sleep(60.0)
        assert offers(station) == (32.0, 0.0)
        assert reason(station, 1) == "own_limit"
        await station.plug(2, BIG)
        await asyncio.sleep(2.0)
        assert offers(station) == (16.0, 0.0)
        assert reason(station, 2) == "waits_for_others"
        assert station.connector(2)["state"] == "suspended_evse"
        await asyncio.sleep(10.0)
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_freed_current_goes_to_the_other_car(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await two_big_cars(station)
        await station.simulator.unplug(2, force=True)
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (32.0, 0.0)
        assert reason(station, 2) == "no_demand"


@virtual_time
async def test_a_one_phase_car_leaves_two_phases_to_the_other(tmp_path: Path) -> None:
    async with line(
        tmp_path, ConnectorPhaseRotation_2="str", PhasesConnected_2="single"
    ) as station:
        world_of(station.host).sockets[2].wiring = (1, 2, 0)
        await station.plug(1, BIG | {"phases": 2})
        await station.plug(2, BIG | {"phases": 1})
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (16.0, 16.0)
        await station.simulator.change_vehicle(1, {"phases": 1})
        await asyncio.sleep(60.0)
        assert offers(station) == (32.0, 32.0)
        await station.simulator.change_vehicle(1, {"phases": 2})
        await asyncio.sleep(6.0)
        assert offers(station) == (16.0, 16.0)
        assert drawn(station).l2 == 32.0


@virtual_time
async def test_what_a_car_does_not_take_goes_to_the_other(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await two_big_cars(station)
        await station.simulator.change_vehicle(1, {"max_a": 9})
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (10.0, 22.0)
        assert reason(station, 1) == "takes_less"
        await station.simulator.change_vehicle(1, {"max_a": 32})
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_a_single_car_keeps_an_offer_that_it_does_not_use(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await station.plug(1, BIG | {"max_a": 9})
        await asyncio.sleep(120.0)
        assert offers(station) == (32.0, 0.0)


@virtual_time
async def test_a_full_car_leaves_its_current_and_gets_an_offer_now_and_then(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await two_big_cars(station)
        await station.simulator.change_vehicle(1, {"wants_charge": False})
        await asyncio.sleep(20.0)
        assert offers(station) == (7.0, 25.0)
        await asyncio.sleep(60.0)
        assert offers(station) == (0.0, 32.0)
        assert reason(station, 1) == "wake_up_waits"
        await station.simulator.change_vehicle(1, {"wants_charge": True})
        await asyncio.sleep(1800.0)
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_a_car_that_takes_more_than_offered_lowers_the_other(tmp_path: Path) -> None:
    async with line(tmp_path) as station:
        await two_big_cars(station)
        await station.simulator.change_vehicle(1, {"rogue_a": 17.5})
        await asyncio.sleep(6.0)
        assert offers(station) == (16.0, 14.5)
        assert drawn(station) == PerPhase.same(32.0)
        assert reason(station, 1) == "takes_more"
        await asyncio.sleep(600.0)
        assert drawn(station) == PerPhase.same(32.0)


@virtual_time
async def test_a_limit_of_the_station_is_shared_too(tmp_path: Path) -> None:
    """OCPP ChargePointMax: one limit for both sockets together, with and without a common line."""
    for name, changes in {"line": LINE, "two lines": FREE}.items():
        async with running_station(tmp_path / name, **changes) as station:
            await two_big_cars(station)
            running = station.host.station
            assert running is not None
            now = station.services.clock.now()
            row = LimitRow(OCPP_STATION, PerPhase.same(20.0), LimitCause.PROFILE, now)
            running.limits.put(STATION, row)
            await asyncio.sleep(5.0)
            assert drawn(station) == PerPhase.same(20.0)
            assert offers(station) == (10.0, 10.0)
            running.limits.withdraw(STATION, OCPP_STATION)
            await asyncio.sleep(SETTLED_S)
            assert sum(offers(station)) == (32.0 if changes is LINE else 64.0)


@virtual_time
async def test_an_own_limit_of_6_a_below_the_minimum_pauses_no_car(tmp_path: Path) -> None:
    """The minimum is the distribution's; a socket that may have 6 A gets them."""
    async with line(tmp_path, OperatorCurrentLimit=6) as station:
        await two_big_cars(station)
        assert offers(station) == (6.0, 26.0)
        assert reason(station, 1) == "own_limit"


@virtual_time
async def test_the_status_shows_the_limit_of_the_line_beside_the_shares(tmp_path: Path) -> None:
    async with line(tmp_path, SupplyLineCurrentCapacity=20) as station:
        await station.plug(1, BIG)
        await asyncio.sleep(SETTLED_S)
        [row] = station.services.status.snapshot().limits
        assert (row.source, row.scope, row.amps) == ("supply_line", "station", (20.0,) * 3)
        assert max(drawn(station)) <= 20.0
