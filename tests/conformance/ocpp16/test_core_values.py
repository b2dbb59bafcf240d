"""Certification cases of meter values, and of what the central system may ask for at once."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger

from tests.conformance.ocpp16.rig import TAG, rig

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "Power.Offered",
)


def samples(request: dict[str, Any]) -> list[dict[str, Any]]:
    """All sampled values of a MeterValues request."""
    return [sample for value in request["meter_value"] for sample in value["sampled_value"]]


def contexts(request: dict[str, Any]) -> set[str]:
    return {sample["context"] for sample in samples(request)}


async def test_TC_070_CS_sampled_meter_values(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            MeterValuesSampledData=",".join(MEASURANDS), MeterValueSampleInterval=1
        )
        await bench.charging()
        values = await bench.ledger.wait_for("MeterValues", count=3, connector_id=1)
        times = [bench.time(value["meter_value"][0]["timestamp"]) for value in values]
        for before, after in pairwise(times):
            assert abs((after - before).total_seconds() - 1) < 0.5
        for value in values:
            assert contexts(value) == {"Sample.Periodic"}
            assert {sample["measurand"] for sample in samples(value)} == set(MEASURANDS)
            assert value["transaction_id"] == 1001


async def test_TC_071_CS_clock_aligned_meter_values(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            MeterValuesAlignedData="Energy.Active.Import.Register,Voltage",
            ClockAlignedDataInterval=2,
        )
        await bench.charging()
        values = await bench.ledger.wait_for("MeterValues", 2, connector_id=1, transaction_id=1001)
        for value in values:
            assert contexts(value) == {"Sample.Clock"}
            at = bench.time(value["meter_value"][0]["timestamp"])
            assert at.timestamp() % 2 == 0
            assert {sample["measurand"] for sample in samples(value)} == {
                "Energy.Active.Import.Register",
                "Voltage",
            }
        (idle, *_) = await bench.ledger.wait_for("MeterValues", connector_id=2)
        assert "transaction_id" not in idle


async def test_StopTxnAlignedData(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(
            StopTxnAlignedData="Energy.Active.Import.Register",
            StopTxnSampledData="Power.Active.Import",
            ClockAlignedDataInterval=1,
            MeterValueSampleInterval=1,
        )
        await bench.charging()
        await bench.ledger.wait_for("MeterValues", 4, connector_id=1, transaction_id=1001)
        await bench.stop()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        sent = [
            (s["context"], s["measurand"])
            for v in stop["transaction_data"]
            for s in v["sampled_value"]
        ]
        register, power = "Energy.Active.Import.Register", "Power.Active.Import"
        assert sent[0] == ("Transaction.Begin", register)
        assert sent[-1] == ("Transaction.End", register)
        assert set(sent[1:-1]) == {("Sample.Clock", register), ("Sample.Periodic", power)}


async def test_the_stop_message_includes_samples_before_a_power_failure(tmp_path: Path) -> None:
    async with rig(tmp_path, RestartTransactionAfterPowerLoss="true") as bench:
        await bench.configure(StopTxnSampledData="Power.Active.Import", MeterValueSampleInterval=1)
        await bench.charging()
        values = await bench.ledger.wait_for("MeterValues", 2)
        await bench.settled()
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.status("Charging", count=2)
        await bench.stop()
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        sent = [value["timestamp"] for value in stop["transaction_data"]]
        assert {value["meter_value"][0]["timestamp"] for value in values} <= set(sent)
        assert sent == sorted(sent)


async def test_MinimumStatusDuration(tmp_path: Path) -> None:
    async with rig(tmp_path, MinimumStatusDuration=1) as bench:
        await bench.plug()
        await bench.station.until_state("preparing")
        await bench.unplug(force=True)
        await bench.station.until(lambda c: c["state"] == "available" and not c["locked"])
        await bench.plug()
        await bench.status("Preparing")
        assert bench.ledger.statuses(1) == ["Available", "Preparing"]


TRIGGERS = [
    pytest.param(MessageTrigger.meter_values, "MeterValues", id="MeterValues"),
    pytest.param(MessageTrigger.heartbeat, "Heartbeat", id="Heartbeat"),
    pytest.param(MessageTrigger.status_notification, "StatusNotification", id="Status"),
]


@pytest.mark.parametrize(("trigger", "action"), TRIGGERS)
async def test_TC_054_CS_trigger_message(
    tmp_path: Path, trigger: MessageTrigger, action: str
) -> None:
    async with rig(tmp_path) as bench:
        before = len(bench.ledger.of(action))
        asked = call.TriggerMessage(requested_message=trigger, connector_id=1)
        assert (await bench.call(asked)).status == "Accepted"
        sent = (await bench.ledger.wait_for(action, before + 1))[-1]
        if action == "MeterValues":
            assert contexts(sent) == {"Trigger"}
        if action == "StatusNotification":
            assert (sent["connector_id"], sent["status"]) == (1, "Available")


async def test_triggered_values_of_all_connectors(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await bench.settled()
        asked = call.TriggerMessage(requested_message=MessageTrigger.meter_values)
        assert (await bench.call(asked)).status == "Accepted"
        sent = await bench.ledger.wait_for("MeterValues", 2)
        assert [value["connector_id"] for value in sent] == [1, 2]
        assert [value.get("transaction_id") for value in sent] == [1001, None]


@pytest.mark.parametrize(
    "trigger", [MessageTrigger.meter_values, MessageTrigger.status_notification]
)
async def test_TC_055_CS_trigger_for_an_unknown_connector(
    tmp_path: Path, trigger: MessageTrigger
) -> None:
    async with rig(tmp_path) as bench:
        asked = call.TriggerMessage(requested_message=trigger, connector_id=3)
        assert (await bench.call(asked)).status == "Rejected"


async def test_values_wait_for_the_answer_to_their_start(tmp_path: Path) -> None:
    """Values of a transaction that has no number yet wait for its StartTransaction."""
    async with rig(tmp_path, MeterValueSampleInterval=1, IfInDoubtAllowCharging="on") as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_queue(3)
        await bench.online()
        values = await bench.ledger.wait_for("MeterValues", 2)
        assert {value["transaction_id"] for value in values} == {1001}
        actions = [
            s.action for s in bench.ledger.seen if s.action in {"StartTransaction", "MeterValues"}
        ]
        assert actions[0] == "StartTransaction"
        (start,) = bench.ledger.of("StartTransaction")
        assert start["id_tag"] == TAG
        first = bench.time(values[0]["meter_value"][0]["timestamp"])
        assert first - bench.time(start["timestamp"]) < timedelta(seconds=2)
