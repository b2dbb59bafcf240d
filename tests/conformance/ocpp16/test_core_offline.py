"""Certification cases of power failures, lost connections and faults."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from ocpp.v16 import call

from tests.conformance.ocpp16.rig import TAG, rig
from tests.support.central_system import Ledger


async def test_TC_032_2_CS_power_failure_stops_the_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path, RestartTransactionAfterPowerLoss="false") as bench:
        await bench.charging()
        await bench.station.host.cut()
        await bench.station.host.restore()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert (stop["transaction_id"], stop["reason"]) == (1001, "PowerLoss")


async def test_TC_032_2_CS_power_failure_and_the_transaction_goes_on(tmp_path: Path) -> None:
    async with rig(tmp_path, RestartTransactionAfterPowerLoss="true") as bench:
        await bench.charging()
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.status("Charging", count=2)
        await bench.stop()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert (stop["transaction_id"], stop["reason"]) == (1001, "Local")


async def test_TC_036_CS_connection_lost_in_a_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path, MeterValueSampleInterval=1) as bench:
        await bench.charging()
        await bench.ledger.wait_for("MeterValues")
        await bench.settled()
        known = len(bench.ledger.of("MeterValues"))
        await bench.offline()
        await bench.station.until_queue(3)
        await bench.online()
        values = await bench.ledger.wait_for("MeterValues", count=known + 3)
        times = [bench.time(value["meter_value"][0]["timestamp"]) for value in values]
        gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
        assert all(abs(gap - 1) < 0.5 for gap in gaps), gaps


async def test_TC_037_1_CS_offline_start_with_a_valid_id(tmp_path: Path) -> None:
    async with rig(tmp_path, IfInDoubtAllowCharging="on") as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        await bench.ledger.wait_for("StartTransaction", id_tag=TAG)
        await bench.status("Charging")


async def test_TC_037_2_CS_offline_start_with_an_invalid_id_goes_on(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Invalid")
    async with rig(
        tmp_path, ledger, IfInDoubtAllowCharging="on", StopTransactionOnInvalidId="false"
    ) as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        await bench.ledger.wait_for("StartTransaction")
        await bench.status("SuspendedEVSE")
        assert not bench.ledger.of("StopTransaction")


async def test_TC_037_3_CS_offline_start_with_an_invalid_id_is_stopped(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Invalid")
    async with rig(
        tmp_path, ledger, IfInDoubtAllowCharging="on", StopTransactionOnInvalidId="true"
    ) as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "DeAuthorized"
        await bench.status("Finishing")


async def test_TC_038_CS_offline_stop(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await bench.offline()
        await bench.stop()
        await bench.station.until_state("finishing")
        await bench.online()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert (stop["transaction_id"], stop.get("reason", "Local")) == (1001, "Local")
        await bench.status("Finishing")


async def test_TC_039_CS_offline_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path, IfInDoubtAllowCharging="on") as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.stop()
        await bench.station.until_state("finishing")
        await bench.online()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        (start,) = bench.ledger.of("StartTransaction")
        assert stop["transaction_id"] == 1001
        assert bench.time(start["timestamp"]) <= bench.time(stop["timestamp"])
        money = [s.action for s in bench.ledger.seen if s.action.endswith("Transaction")]
        assert money == ["StartTransaction", "StopTransaction"]


async def test_TC_024_CS_lock_failure(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.station.simulator.set_fault("lock-stuck", active=True, connector=1)
        await bench.plug()
        status = await bench.status("Faulted")
        assert status["error_code"] == "ConnectorLockFailure"
        await bench.swipe()
        await bench.settled()
        assert not bench.ledger.of("StartTransaction")


async def test_TC_041_CS_a_fault(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.station.simulator.set_fault("residual-current", active=True, connector=1)
        await bench.status("Faulted")
        answer = await bench.call(call.RemoteStartTransaction(id_tag=TAG, connector_id=1))
        assert answer.status == "Rejected"
        assert not bench.ledger.of("StartTransaction")


async def test_MaxEnergyOnInvalidId(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Invalid")
    async with rig(
        tmp_path,
        ledger,
        IfInDoubtAllowCharging="on",
        MaxEnergyOnInvalidId=3,
        MeterValueSampleInterval=1,
    ) as bench:
        await bench.offline()
        await bench.plug(max_a=32)
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "DeAuthorized"
        assert stop["meter_stop"] - start["meter_start"] >= 3


async def test_a_refused_id_stays_refused_after_a_power_failure(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Invalid")
    async with rig(
        tmp_path, ledger, IfInDoubtAllowCharging="on", StopTransactionOnInvalidId="false"
    ) as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.online()
        await bench.status("SuspendedEVSE")
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.ledger.wait_for("BootNotification", count=2)
        await bench.status("SuspendedEVSE", count=2)
        assert bench.station.connector()["power_w"] == 0
