"""Load management of a station, by its role (manual 7.4, 7.7)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from borne.adapters.simulation.group_network import GroupNetwork, NetworkQuality
from borne.application.load_management.known_slaves import STATE_KEY as SLAVES_KEY
from borne.application.load_management.learnt_skew import STATE_KEY as SKEW_KEY
from borne.application.load_management.learnt_skew import LearntSkew
from borne.application.load_management.master_service import STORE_AGAIN_S
from borne.application.ports.storage import StorageFailed
from borne.application.refusals import Refused
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.reason_text import reason_text
from borne.domain.load_management.topology import GridPhase, SupplyLink
from borne.domain.settings.choices import DlmRole
from borne.domain.settings.entry import Amps
from tests.support.fake_stores import MemoryState
from tests.support.virtual_time import virtual_time
from tests.unit.application.load_management.engine_doubles import OneSlave
from tests.unit.application.load_management.group_doubles import FakeSite, GroupStation

QUICK = NetworkQuality(delay_s=0.01)


@virtual_time
async def test_a_master_shares_its_limit_among_its_own_sockets() -> None:
    station = await GroupStation(site=FakeSite(20.0), DLMRole=DlmRole.MASTER).start()
    await asyncio.sleep(10.0)
    assert station.offers() == [0.0, 0.0]
    await station.sockets.charge(1, 2)
    assert station.offers() == [10.0, 10.0]
    row = station.row("alpha/1")
    assert (row.granted_a, row.reason.cause) == (10.0, LimitCause.FAIR_SHARE)
    binding = station.sockets.offer(1).binding
    assert binding is not None
    assert binding.source == sources.LOAD_MANAGEMENT
    assert (binding.cause, binding.link) == (
        LimitCause.FAIR_SHARE,
        SupplyLink("root", GridPhase.N1),
    )
    station.group.abort()


@virtual_time
async def test_a_slave_without_link_offers_its_disconnected_limit_after_its_time_outs() -> None:
    station = await GroupStation(DLMRole=DlmRole.SLAVE_AUTO, DLMDisconnectedLimit=8).start()
    await station.sockets.charge(1)
    assert station.offers()[0] == 0.0
    slave = station.status.slave
    assert slave is not None
    assert slave.stage is FailSafeStage.LIMITED
    await asyncio.sleep(76.0)
    assert station.offers()[0] == 8.0
    assert station.sockets.reason(1, sources.LOAD_MANAGEMENT).startswith("fallback")
    station.group.abort()


@virtual_time
async def test_a_stand_alone_master_gives_its_own_sockets_nothing() -> None:
    station = GroupStation(site=FakeSite(32.0), DLMRole=DlmRole.STANDALONE_MASTER)
    await station.start()
    await station.sockets.charge(1)
    assert station.offers()[0] == 0.0
    assert station.status.participants == ()
    station.group.abort()


@virtual_time
async def test_the_sum_of_the_disconnected_limits_is_known_before_anything_happens() -> None:
    station = GroupStation(
        site=FakeSite(20.0),
        DLMRole=DlmRole.MASTER,
        DLMDisconnectedLimit=8,
        DLMExternalMeterSupport=True,
        DLMMainDistributionLimit=Amps(40, 40, 40),
        DLMExternalLoadFallback=Amps(10, 30, 10),
    )
    await station.start()
    await asyncio.sleep(1.0)
    rows = [
        (one.group, one.amps, one.limit_a, one.fits, one.main)
        for one in station.status.disconnected
    ]
    assert rows[0] == ("root", 16.0, 20.0, True, False)
    assert rows[-1] == ("root", 16.0, 10.0, False, True)
    station.group.abort()


class Site:
    """A stand-alone master and two stations on one network."""

    def __init__(self, limit_a: float = 20.0, quality: NetworkQuality = QUICK) -> None:
        self.network = GroupNetwork(random.Random(1), quality)
        self.limit = FakeSite(limit_a)
        self.state = MemoryState()
        self.master = self.new_master()
        self.slaves = {
            name: GroupStation(
                name,
                1,
                slave_link=self.network.slave_link(name),
                DLMRole=DlmRole.SLAVE_AUTO,
                DLMDisconnectedLimit=7,
            )
            for name in ("beta", "gamma")
        }

    def new_master(self) -> GroupStation:
        return GroupStation(
            "alpha",
            1,
            site=self.limit,
            state=self.state,
            master_link=self.network.master_link(),
            DLMRole=DlmRole.STANDALONE_MASTER,
        )

    async def start(self) -> Site:
        await self.master.start()
        for slave in self.slaves.values():
            await slave.start()
        for slave in self.slaves.values():
            await slave.sockets.charge(1)
        return self

    def amps(self) -> list[float]:
        return [slave.offers()[0] for slave in self.slaves.values()]

    async def watch(self, for_s: float) -> list[list[float]]:
        """What is offered at the end of each second."""
        seen = []
        for _ in range(int(for_s)):
            await asyncio.sleep(1.0)
            seen.append(self.amps())
        return seen

    def abort(self) -> None:
        for station in (self.master, *self.slaves.values()):
            station.group.abort()


@virtual_time
async def test_stations_on_a_network_share_the_limit_of_their_master() -> None:
    site = await Site().start()
    assert site.amps() == [10.0, 10.0]
    status = site.master.status
    assert [row.id for row in status.participants] == ["beta/1", "gamma/1"]
    assert status.groups[0].used_a.l1 == 20.0
    decisions = site.master.group.history()
    assert decisions[-1].after_a == 10.0
    assert reason_text(decisions[-1].reason).render(str).startswith("fair share among 2 on N1")
    assert site.master.group.samples()[-1].granted_a.l1 == 20.0
    site.abort()


@virtual_time
async def test_a_station_that_is_cut_off_falls_back_and_returns() -> None:
    site = await Site().start()
    site.network.cut("gamma")
    seen = await site.watch(150.0)
    assert max(map(sum, seen)) <= 20.0
    assert seen[-1] == [13.0, 7.0]
    assert site.master.status.missing == ("gamma",)
    slave = site.slaves["gamma"].status.slave
    assert slave is not None
    assert (slave.stage, slave.limited_in_s) == (FailSafeStage.STATIC, None)
    site.network.restore("gamma")
    seen = await site.watch(60.0)
    assert max(map(sum, seen)) <= 20.0
    assert seen[-1] == [10.0, 10.0]
    site.abort()


class FullFor(MemoryState):
    """A disk that has no space for one key."""

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self.key = key

    async def put(self, key: str, value: Any) -> None:
        if key == self.key:
            raise StorageFailed("disk full")
        await super().put(key, value)


@pytest.mark.parametrize(
    ("full", "stored", "log"),
    [
        (SLAVES_KEY, SKEW_KEY, "the list of slaves could not be stored: disk full"),
        (SKEW_KEY, SLAVES_KEY, "how late the meter is could not be stored: disk full"),
    ],
)
@virtual_time
async def test_what_has_no_space_is_stored_later_and_does_not_keep_back_the_rest(
    full: str, stored: str, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site()
    site.state = state = FullFor(full)
    site.master = site.new_master()
    site.limit.learnt = LearntSkew("Acme", 2, 4)
    await site.start()
    await site.watch(15.0)
    assert await state.get(stored)
    assert {one.getMessage() for one in caplog.records if "could not be" in one.message} == {log}
    state.key = None
    await site.watch(STORE_AGAIN_S)
    assert await state.get(full)
    site.abort()


@virtual_time
async def test_the_slaves_of_a_master_that_is_restarted_keep_their_currents() -> None:
    site = await Site().start()
    await site.watch(15.0)  # the list of slaves is stored
    site.master.group.abort()
    await asyncio.sleep(5.0)
    site.master = site.new_master()
    await site.master.start()
    seen = await site.watch(60.0)
    assert seen == [[10.0, 10.0]] * 60
    site.abort()


@virtual_time
async def test_a_restarted_master_knows_the_slaves_that_are_silent() -> None:
    site = await Site().start()
    await site.watch(15.0)
    await site.master.group.stop()
    site.network.cut("gamma")
    site.master = site.new_master()
    await site.master.start()
    assert "beta" in site.master.status.missing
    seen = await site.watch(120.0)
    assert max(map(sum, seen)) <= 20.0
    assert seen[-1] == [13.0, 7.0]
    with pytest.raises(Refused, match="1 stations do not answer, not 2"):
        await site.master.group.clear_silent(2)
    assert (await site.master.group.clear_silent(1)).removed == 1
    await asyncio.sleep(20.0)
    assert site.amps()[0] == 20.0
    assert not site.master.status.missing
    site.abort()


@virtual_time
async def test_only_a_station_without_contact_can_be_forgotten_alone() -> None:
    site = await Site().start()
    site.network.cut("gamma")
    await site.watch(30.0)
    group = site.master.group
    with pytest.raises(Refused, match="beta is connected and would come back"):
        await group.forget("beta")
    with pytest.raises(Refused, match="no station delta"):
        await group.forget("delta")
    assert "gamma" in site.master.status.missing
    assert site.amps()[0] < 20.0
    assert (await group.forget("gamma")).removed == 1
    await asyncio.sleep(20.0)
    assert not site.master.status.missing
    assert {row.station for row in site.master.status.participants} == {"beta"}
    assert site.amps()[0] == 20.0
    site.abort()


@virtual_time
async def test_a_slave_has_no_stations_to_forget() -> None:
    station = await GroupStation(DLMRole=DlmRole.SLAVE_AUTO).start()
    with pytest.raises(Refused, match="not the master"):
        await station.group.forget("beta")
    station.group.abort()


@virtual_time
async def test_a_lossy_network_never_exceeds_the_limit() -> None:
    quality = NetworkQuality(delay_s=0.1, jitter_s=3.0, loss=0.2, repeats=0.1)
    site = await Site(20.0, quality).start()
    for amps in (40.0, 20.0):
        site.limit.set(amps)
        await site.watch(60.0)
    seen = await site.watch(120.0)
    assert max(map(sum, seen)) <= 20.0
    site.abort()


@virtual_time
async def test_a_limit_that_falls_is_obeyed_at_once() -> None:
    site = await Site(20.0).start()
    site.limit.set(14.0)
    await asyncio.sleep(0.1)
    assert site.amps() == [7.0, 7.0]
    site.abort()


@virtual_time
async def test_a_large_group_is_planned_in_a_worker() -> None:
    network = GroupNetwork(random.Random(1), QUICK)
    master = GroupStation(
        "alpha",
        1,
        site=FakeSite(400.0),
        master_link=network.master_link(),
        DLMRole=DlmRole.STANDALONE_MASTER,
    )
    await master.start()
    slaves = [OneSlave(f"s{number}", 0.0) for number in range(40)]
    loop = asyncio.get_running_loop()

    def connect(one: OneSlave) -> Callable[[], None]:
        link = network.slave_link(one.slave.station)
        link.subscribe(lambda grant: one.accept(grant, loop.time()))
        return lambda: link.send(one.report(loop.time()))

    reports = [connect(one) for one in slaves]
    for _ in range(40):
        for send in reports:
            send()
        await asyncio.sleep(1.0)
    assert [one.amps(loop.time()) for one in slaves] == [10.0] * 40
    master.group.abort()


@virtual_time
async def test_a_demand_counts_until_its_session_ends() -> None:
    station = await GroupStation(site=FakeSite(20.0), DLMRole=DlmRole.MASTER).start()
    with pytest.raises(Refused, match="no socket 3"):
        await station.group.set_demand(3, priority=5)
    with pytest.raises(Refused, match="not a date"):
        await station.group.set_demand(1, departure="soon")
    await station.group.set_demand(1, energy_wh=5000.0, priority=5)
    await station.sockets.charge(1, 2)
    assert station.row("alpha/1").priority == 5
    assert station.offers() == [13.0, 7.0]
    await station.group.withdraw_demand(1)
    await asyncio.sleep(10.0)
    assert station.row("alpha/1").priority == 0
    station.group.abort()


@virtual_time
async def test_only_this_station_can_be_identified_without_a_network() -> None:
    station = await GroupStation(site=FakeSite(20.0), DLMRole=DlmRole.MASTER).start()
    await station.group.identify("alpha")
    with pytest.raises(Refused, match="cannot be reached"):
        await station.group.identify("beta")
    station.group.abort()
