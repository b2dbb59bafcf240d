"""Load management of a station, by its role (manual 7.4, 7.7)."""

from __future__ import annotations

import asyncio

from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.topology import GridPhase, SupplyLink
from borne.domain.settings.choices import DlmRole
from borne.domain.settings.entry import Amps
from tests.support.virtual_time import virtual_time
from tests.unit.application.load_management.group_doubles import FakeSite, GroupStation


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
