"""Certification cases of sessions: how they begin, end, and what the central system sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from ocpp.v16 import call

from borne.domain.principals import SYSTEM
from tests.conformance.ocpp16.rig import OTHER_CARD, OTHER_TAG, TAG, Rig, rig
from tests.support.central_system import Ledger


async def test_TC_003_CS_charging_plug_first(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.plug()
        await bench.status("Preparing")
        await bench.swipe()
        (authorize,) = await bench.ledger.wait_for("Authorize")
        assert authorize["id_tag"] == TAG
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["connector_id"], start["id_tag"]) == (1, TAG)
        await bench.status("Charging")


async def test_TC_004_1_CS_charging_identification_first(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.swipe()
        await bench.ledger.wait_for("Authorize")
        await bench.status("Preparing")
        await bench.plug()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert start["id_tag"] == TAG
        await bench.status("Charging")


async def test_TC_004_2_CS_nobody_plugs_in(tmp_path: Path) -> None:
    async with rig(tmp_path, ConnectionTimeOut=1) as bench:
        await bench.swipe()
        await bench.status("Preparing")
        await bench.status("Available", count=2)
        assert not bench.ledger.of("StartTransaction")


async def test_TC_068_CS_only_the_same_card_stops(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await bench.swipe(OTHER_CARD)
        await bench.swipe()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["id_tag"] == TAG
        assert stop.get("reason", "Local") == "Local"
        await bench.status("Finishing")


async def test_TC_069_CS_a_card_of_the_same_group_stops(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.parents = {TAG: "group", OTHER_TAG: "group"}
    async with rig(tmp_path, ledger) as bench:
        await bench.charging()
        await bench.swipe(OTHER_CARD)
        await bench.ledger.wait_for("Authorize", id_tag=OTHER_TAG)
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["id_tag"] == OTHER_TAG
        await bench.status("Finishing")


async def test_TC_005_1_CS_unplugged_at_the_car(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            StopTransactionOnEVSideDisconnect=True, UnlockConnectorOnEVSideDisconnect=True
        )
        await bench.charging()
        await bench.unplug(force=True)
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "EVDisconnected"
        await bench.status("Available", count=2)
        assert bench.ledger.statuses(1)[-2:] == ["Finishing", "Available"]


async def test_TC_005_2_CS_unplugged_at_the_car_cable_kept(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            StopTransactionOnEVSideDisconnect=True, UnlockConnectorOnEVSideDisconnect=False
        )
        await bench.charging()
        await bench.pull_from_car()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "EVDisconnected"
        await bench.status("Finishing")
        assert bench.station.connector()["locked"]
        answer = await bench.call(call.UnlockConnector(connector_id=1))
        assert answer.status == "Unlocked"


async def test_TC_005_3_CS_unplugged_at_the_car_transaction_goes_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            StopTransactionOnEVSideDisconnect=False, UnlockConnectorOnEVSideDisconnect=False
        )
        await bench.charging()
        await bench.pull_from_car()
        status = await bench.status("SuspendedEV")
        assert status["info"] == "EV side disconnected"
        answer = await bench.call(call.RemoteStopTransaction(transaction_id=1001))
        assert answer.status == "Accepted"
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "Remote"


async def test_TC_007_1_CS_cached_id(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.charging()
        await bench.stop()
        await bench.unplug()
        await bench.status("Available", count=2)
        await bench.plug()
        await bench.swipe()
        await bench.ledger.wait_for("StartTransaction", count=2)
        assert len(bench.ledger.of("Authorize")) == 1


def remote_start() -> call.RemoteStartTransaction:
    return call.RemoteStartTransaction(id_tag=TAG, connector_id=1)


async def cached(bench: Rig) -> None:
    """A session that taught the cache its card, and is over."""
    await bench.charging()
    await bench.stop()
    await bench.unplug()
    await bench.status("Available", count=2)
    await bench.plug()
    await bench.status("Preparing", count=2)


async def test_TC_007_2_CS_cached_id_started_remotely(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.configure(AuthorizeRemoteTxRequests=True)
        await cached(bench)
        assert (await bench.call(remote_start())).status == "Accepted"
        await bench.ledger.wait_for("StartTransaction", count=2)
        assert len(bench.ledger.of("Authorize")) == 1


async def test_TC_061_2_CS_clear_cache_and_start_remotely(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.configure(AuthorizeRemoteTxRequests=True)
        await cached(bench)
        assert (await bench.call(call.ClearCache())).status == "Accepted"
        assert (await bench.call(remote_start())).status == "Accepted"
        await bench.ledger.wait_for("StartTransaction", count=2)
        assert len(bench.ledger.of("Authorize")) == 2


async def test_TC_061_1_CS_clear_cache(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.charging()
        await bench.stop()
        await bench.unplug()
        await bench.status("Available", count=2)
        assert (await bench.call(call.ClearCache())).status == "Accepted"
        await bench.plug()
        await bench.swipe()
        await bench.ledger.wait_for("StartTransaction", count=2)
        assert len(bench.ledger.of("Authorize")) == 2


async def test_cached_cards_are_shown_and_can_be_deleted(tmp_path: Path) -> None:
    async with rig(tmp_path, LocalPreAuthorize="true") as bench:
        await bench.configure(AuthorizeRemoteTxRequests=True)
        await cached(bench)
        shown = bench.station.services.ocpp_whitelist
        assert shown is not None
        assert [(entry.token, entry.status) for entry in shown.content()] == [(TAG, "Accepted")]
        assert await shown.forget_all(SYSTEM) == 1
        assert (await bench.call(remote_start())).status == "Accepted"
        await bench.ledger.wait_for("StartTransaction", count=2)
        assert len(bench.ledger.of("Authorize")) == 2


async def test_TC_023_4_CS_an_invalid_id_starts_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path, Ledger(judge=lambda _: "Invalid")) as bench:
        await bench.plug()
        await bench.status("Preparing")
        await bench.swipe()
        await bench.ledger.wait_for("Authorize")
        await bench.settled()
        assert not bench.ledger.of("StartTransaction")
        assert bench.station.connector()["state"] == "preparing"


@pytest.mark.parametrize("status", ["Invalid", "Expired", "Blocked"])
async def test_TC_023_5_CS_an_invalid_id_starts_nothing_remotely(
    tmp_path: Path, status: str
) -> None:
    async with rig(tmp_path, Ledger(judge=lambda _: status)) as bench:
        await bench.configure(AuthorizeRemoteTxRequests=True)
        await bench.plug()
        await bench.status("Preparing")
        assert (await bench.call(remote_start())).status == "Accepted"
        await bench.ledger.wait_for("Authorize")
        await bench.settled()
        assert not bench.ledger.of("StartTransaction")
        assert bench.station.connector()["state"] == "preparing"
