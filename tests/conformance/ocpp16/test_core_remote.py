"""Certification cases of remote start, remote stop, unlocking and availability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import AvailabilityType, ResetType

from borne.adapters.simulation.board import CAPABILITIES
from borne.adapters.simulation.hardware import Equipment
from tests.conformance.ocpp16.rig import TAG, Rig, rig

FIXED_CABLE = {"equipment": Equipment(replace(CAPABILITIES, has_lock=False, tethered_cable_a=32))}


def remote_start(connector: int | None = 1) -> call.RemoteStartTransaction:
    return call.RemoteStartTransaction(id_tag=TAG, connector_id=connector)


async def outcome(bench: Rig, request: object) -> str:
    return str((await bench.call(request)).status)


@pytest.mark.parametrize("asked", [True, False])
async def test_TC_010_CS_remote_start_cable_first(tmp_path: Path, asked: bool) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(AuthorizeRemoteTxRequests=asked)
        await bench.plug()
        await bench.status("Preparing")
        assert await outcome(bench, remote_start()) == "Accepted"
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert (start["connector_id"], start["id_tag"]) == (1, TAG)
        await bench.status("Charging")
        assert bool(bench.ledger.of("Authorize", id_tag=TAG)) is asked


async def test_TC_011_1_CS_remote_start_first(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await outcome(bench, remote_start()) == "Accepted"
        await bench.status("Preparing")
        await bench.plug()
        await bench.ledger.wait_for("StartTransaction", id_tag=TAG)
        await bench.status("Charging")


async def test_TC_011_2_CS_remote_start_and_nobody_plugs_in(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(ConnectionTimeOut=1)
        assert await outcome(bench, remote_start()) == "Accepted"
        await bench.status("Preparing")
        await bench.status("Available", count=2)
        assert not bench.ledger.of("StartTransaction")


async def test_TC_012_CS_remote_stop(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await outcome(bench, call.RemoteStopTransaction(transaction_id=1001)) == "Accepted"
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert (stop["transaction_id"], stop["reason"]) == (1001, "Remote")
        await bench.status("Finishing")


async def test_TC_026_CS_remote_start_while_busy(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await outcome(bench, remote_start()) == "Rejected"


async def test_TC_027_CS_remote_start_of_the_station(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await outcome(bench, remote_start(0)) == "Rejected"


async def test_TC_028_CS_remote_stop_of_an_unknown_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await outcome(bench, call.RemoteStopTransaction(transaction_id=999)) == "Rejected"
        assert not bench.ledger.of("StopTransaction")


async def test_TC_017_1_CS_unlock_an_idle_socket(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await outcome(bench, call.UnlockConnector(connector_id=1)) == "Unlocked"


async def test_TC_017_2_CS_unlock_an_idle_fixed_cable(tmp_path: Path) -> None:
    async with rig(tmp_path, options=FIXED_CABLE) as bench:
        assert await outcome(bench, call.UnlockConnector(connector_id=1)) == "NotSupported"


async def test_TC_018_2_CS_unlock_a_fixed_cable_with_a_session(tmp_path: Path) -> None:
    async with rig(tmp_path, options=FIXED_CABLE) as bench:
        await bench.charging()
        assert await outcome(bench, call.UnlockConnector(connector_id=1)) == "NotSupported"
        await bench.settled()
        assert not bench.ledger.of("StopTransaction")


async def test_TC_018_1_CS_unlock_with_a_session(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await outcome(bench, call.UnlockConnector(connector_id=1)) == "Unlocked"
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "UnlockCommand"
        await bench.status("Finishing")
        await bench.unplug()
        await bench.status("Available", count=2)


async def test_TC_030_CS_unlock_failure(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await bench.station.simulator.set_fault("lock-stuck", active=True, connector=1)
        assert await outcome(bench, call.UnlockConnector(connector_id=1)) == "UnlockFailed"


async def test_TC_031_CS_unlock_an_unknown_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await outcome(bench, call.UnlockConnector(connector_id=3)) == "NotSupported"


@pytest.mark.parametrize(
    "kind",
    [pytest.param(ResetType.hard, id="TC_013_CS"), pytest.param(ResetType.soft, id="TC_014_CS")],
)
async def test_reset_without_a_transaction(tmp_path: Path, kind: ResetType) -> None:
    async with rig(tmp_path) as bench:
        inoperative = call.ChangeAvailability(connector_id=1, type=AvailabilityType.inoperative)
        assert await outcome(bench, inoperative) == "Accepted"
        await bench.status("Unavailable")
        assert await outcome(bench, call.Reset(type=kind)) == "Accepted"
        await bench.ledger.wait_for("BootNotification", count=2)
        await bench.status("Unavailable", count=2)
        await bench.status("Available", connector=2, count=2)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(ResetType.hard, "HardReset", id="TC_015_CS"),
        pytest.param(ResetType.soft, "SoftReset", id="TC_016_CS"),
    ],
)
async def test_reset_with_a_transaction(tmp_path: Path, kind: ResetType, reason: str) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await outcome(bench, call.Reset(type=kind)) == "Accepted"
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == reason
        await bench.ledger.wait_for("BootNotification", count=2)
        await bench.ledger.wait_for("StatusNotification", count=2, connector_id=2)
        assert bench.ledger.statuses(1)[-1] in {"Finishing", "Preparing"}


async def test_TC_034_CS_unavailable_through_a_power_failure(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        inoperative = call.ChangeAvailability(connector_id=0, type=AvailabilityType.inoperative)
        assert await outcome(bench, inoperative) == "Accepted"
        for connector in (0, 1, 2):
            await bench.status("Unavailable", connector)
        await bench.station.host.cut()
        await bench.station.host.restore()
        for connector in (0, 1, 2):
            await bench.status("Unavailable", connector, count=2)


async def test_TC_062_CS_data_transfer(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(call.DataTransfer(vendor_id="com.example.unknown", data="x"))
        assert answer.status in {"Rejected", "UnknownVendorId", "UnknownMessageId"}
