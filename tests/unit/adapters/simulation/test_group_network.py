"""The simulated network of a group: cuts, losses and order, the same for the same seed."""

from __future__ import annotations

import asyncio
import random

from borne.adapters.simulation.group_network import GroupNetwork, NetworkQuality
from borne.domain.load_management.messages import MasterGrant, SlaveReport
from tests.support.virtual_time import virtual_time


def grant(station: str, number: int) -> MasterGrant:
    return MasterGrant(station=station, term=1, number=number, boot=1, answers=1)


async def sent(quality: NetworkQuality, seed: int = 1) -> list[int]:
    """Numbers of fifty grants as they arrive."""
    network = GroupNetwork(random.Random(seed), quality)
    arrived: list[int] = []
    network.slave_link("alpha").subscribe(lambda own: arrived.append(own.number))
    for number in range(50):
        network.master_link().send(grant("alpha", number))
    await asyncio.sleep(10.0)
    return arrived


@virtual_time
async def test_a_perfect_network_delivers_all_in_order() -> None:
    assert await sent(NetworkQuality()) == list(range(50))


@virtual_time
async def test_jitter_reorders_losses_lose_and_repeats_repeat() -> None:
    arrived = await sent(NetworkQuality(delay_s=0.1, jitter_s=2.0, loss=0.2, repeats=0.2))
    assert arrived != sorted(arrived)
    assert len(set(arrived)) < 50
    assert len(set(arrived)) < len(arrived)


@virtual_time
async def test_the_same_seed_gives_the_same_order() -> None:
    quality = NetworkQuality(jitter_s=2.0, loss=0.2, repeats=0.2)
    assert await sent(quality, seed=7) == await sent(quality, seed=7)


@virtual_time
async def test_a_station_that_is_cut_off_neither_sends_nor_receives() -> None:
    network = GroupNetwork(random.Random(1), NetworkQuality(delay_s=1.0))
    reports: list[str] = []
    grants: list[str] = []
    network.master_link().subscribe(lambda report: reports.append(report.station))
    for station in ("alpha", "beta"):
        network.slave_link(station).subscribe(lambda own: grants.append(own.station))

    async def all_send() -> None:
        for station in ("alpha", "beta"):
            network.slave_link(station).send(SlaveReport(station=station))
            network.master_link().send(grant(station, 1))
        await asyncio.sleep(0.5)

    await all_send()
    network.cut("beta")
    await asyncio.sleep(1.0)
    assert (reports, grants) == (["alpha"], ["alpha"])
    network.restore("beta")
    await all_send()
    await asyncio.sleep(1.0)
    assert sorted(reports) == sorted(grants) == ["alpha", "alpha", "beta"]
