"""Commands of a group: slave list, identify, demands of drivers (manual 7.4.1)."""

from __future__ import annotations

import asyncio

import pytest

from borne.application.commands import Removed
from borne.application.refusals import Refused
from borne.domain.settings.choices import DlmRole
from tests.support.fake_stores import MemoryState
from tests.support.virtual_time import virtual_time
from tests.unit.application.load_management.group_doubles import FakeSite, GroupStation


async def master(station: str = "alpha", state: MemoryState | None = None) -> GroupStation:
    made = GroupStation(station, site=FakeSite(20.0), state=state, DLMRole=DlmRole.MASTER)
    return await made.start()


@virtual_time
async def test_only_silent_stations_are_forgotten_after_their_number_was_named() -> None:
    state = MemoryState()
    former = await master("former", state)
    await asyncio.sleep(10.0)
    await former.group.stop()
    station = await master("alpha", state)
    await asyncio.sleep(30.0)
    assert "former" in station.status.missing
    with pytest.raises(Refused, match="1 known stations do not answer"):
        await station.group.commands.clear_silent(2)
    assert await station.group.commands.clear_silent(1) == Removed(1)
    assert not station.status.missing
    assert {row.station for row in station.status.participants} == {"alpha"}
    await station.group.stop()


@virtual_time
async def test_a_demand_counts_until_the_car_leaves() -> None:
    station = await master()
    commands = station.group.commands
    with pytest.raises(Refused, match="No car is plugged in"):
        await commands.set_demand(1, energy_wh=5000.0)
    await station.sockets.charge(1, 2)
    await commands.set_demand(1, priority=3)
    await asyncio.sleep(10.0)
    assert [station.row(f"alpha/{number}").priority for number in (1, 2)] == [3, 0]
    await commands.withdraw_demand(1)
    await asyncio.sleep(10.0)
    assert station.row("alpha/1").priority == 0
    station.group.abort()


@pytest.mark.parametrize(
    "departure", ["tomorrow", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
@virtual_time
async def test_a_departure_that_is_no_time_is_refused(departure: str) -> None:
    station = await master()
    await station.sockets.charge(1)
    with pytest.raises(Refused, match="no time of ISO 8601"):
        await station.group.commands.set_demand(1, departure=departure)
    station.group.abort()


@virtual_time
async def test_commands_refuse_what_is_not_there() -> None:
    station = await master()
    commands = station.group.commands
    with pytest.raises(Refused, match="no socket 7"):
        await commands.set_demand(7, priority=1)
    with pytest.raises(Refused, match="Only this station can blink"):
        await commands.identify("beta")
    await commands.identify("alpha")
    slave = await GroupStation(DLMRole=DlmRole.SLAVE_AUTO).start()
    with pytest.raises(Refused, match="no master"):
        await slave.group.commands.clear_silent(0)
    alone = GroupStation(site=FakeSite(32.0), DLMRole=DlmRole.STANDALONE_MASTER)
    await alone.start()
    with pytest.raises(Refused, match="no load management"):
        await alone.group.commands.withdraw_demand(1)
    for each in (station, slave, alone):
        each.group.abort()
