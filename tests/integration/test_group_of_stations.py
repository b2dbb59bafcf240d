"""Whole stations on a network that loses and delays: what flows in their simulated worlds never
exceeds the limit of the group, whatever is cut or loses its power (manual 7.4, 7.7)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from borne.adapters.simulation.group_network import GroupNetwork, NetworkQuality
from borne.app import Host, HostOptions
from borne.data_folder import open_settings
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.load_status import LoadStatus
from borne.domain.principals import SYSTEM
from borne.foundation.units import ZERO, PerPhase
from tests.support.running_station import RunningStation
from tests.support.simulated_world import world_of
from tests.support.virtual_time import virtual_time

LIMIT_A = 40
BIG: dict[str, Any] = {"max_a": 32, "reaction_s": 5.0, "battery_kwh": 500}
COMMON = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp", "DLMDisconnectedLimit": "7"}
MASTER = COMMON | {
    "DLMRole": "master",
    "DLMEVSESubDistributionLimit": str(LIMIT_A),
    "DLMOperatorEVSESubDistributionLimit": str(LIMIT_A),
    "DLMSampleRate": "5s",
}
SLAVE = COMMON | {"DLMRole": "slave_auto"}
LOSSY = NetworkQuality(delay_s=0.05, jitter_s=1.0, loss=0.05, repeats=0.05)


@dataclass
class Site:
    """A master, a slave, and the network between them."""

    network: GroupNetwork
    stations: dict[str, RunningStation] = field(default_factory=dict)
    serials: dict[str, str] = field(default_factory=dict)

    def drawn_a(self) -> PerPhase:
        total = ZERO
        for station in self.stations.values():
            total = total.plus(world_of(station.host).sockets_current_a)
        return total

    def offers(self, name: str) -> list[float]:
        station = self.stations[name]
        return [station.connector(number)["offered_a"][0] for number in (1, 2)]

    def load(self, name: str) -> LoadStatus:
        view = self.stations[name].services.load
        assert view is not None
        return view.status()

    async def watch(self, for_s: float) -> float:
        """Let time pass; return the highest current of a phase."""
        highest_a = 0.0
        for _ in range(int(for_s)):
            await asyncio.sleep(1.0)
            highest_a = max(highest_a, *self.drawn_a())
        return highest_a

    async def open(self, stack: AsyncExitStack, data: Path, name: str, **changes: str) -> None:
        settings = open_settings(data, group_link=True)
        settings.change_now(dict(changes), SYSTEM, "test")
        serial = self.serials[name] = settings.settings.text("ChargePointSerialNumber")
        options: dict[str, Any] = {"slave_link": self.network.slave_link(serial)}
        if name == "master":
            options = {"master_link": self.network.master_link()}
        host = Host(
            HostOptions(
                data,
                rng=random.Random(1),
                live=False,
                wall=_wall,
                control_socket=False,
                **options,
            )
        )
        await host.start()
        stack.push_async_callback(host.stop)
        self.stations[name] = RunningStation(host)


def _wall() -> datetime:
    """The time of the virtual loop as a date, so that it also passes without power."""
    elapsed = timedelta(seconds=asyncio.get_running_loop().time())
    return datetime(2026, 11, 22, 12, tzinfo=UTC) + elapsed


@asynccontextmanager
async def site(data: Path, quality: NetworkQuality = LOSSY) -> AsyncIterator[Site]:
    """A car at the master, and two at the slave, all charging."""
    found = Site(GroupNetwork(random.Random(1), quality))
    async with AsyncExitStack() as stack:
        await found.open(stack, data / "master", "master", **MASTER)
        await found.open(stack, data / "slave", "slave", **SLAVE)
        for name, number in (("master", 1), ("slave", 1), ("slave", 2)):
            await found.stations[name].plug(number, BIG)
        assert await found.watch(90.0) <= LIMIT_A
        yield found


@virtual_time
async def test_two_stations_share_one_limit(tmp_path: Path) -> None:
    async with site(tmp_path) as group:
        assert group.offers("master") + group.offers("slave") == [13.3, 0.0, 13.3, 13.3]
        assert await group.watch(30.0) <= LIMIT_A
        stations = {row.station for row in group.load("master").participants}
        assert stations == set(group.serials.values())


@virtual_time
async def test_a_slave_that_is_cut_off_falls_back_and_returns(tmp_path: Path) -> None:
    async with site(tmp_path) as group:
        group.network.cut(group.serials["slave"])
        assert await group.watch(150.0) <= LIMIT_A
        assert group.offers("slave") == [7.0, 7.0]
        assert group.offers("master")[0] == 26.0
        slave = group.load("slave").slave
        assert slave is not None
        assert slave.stage is FailSafeStage.STATIC
        group.network.restore(group.serials["slave"])
        assert await group.watch(60.0) <= LIMIT_A
        assert group.offers("slave") == [13.3, 13.3]


@virtual_time
async def test_a_master_that_loses_its_power_finds_its_slave_again(tmp_path: Path) -> None:
    async with site(tmp_path) as group:
        await group.stations["master"].host.cut()
        assert await group.watch(150.0) <= LIMIT_A
        assert group.offers("slave") == [7.0, 7.0]
        await group.stations["master"].host.restore()
        assert await group.watch(120.0) <= LIMIT_A
        assert group.offers("slave") == [13.3, 13.3]
        assert group.load("master").missing == ()
