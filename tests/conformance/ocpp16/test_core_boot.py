"""Certification cases of booting and of the configuration."""

from __future__ import annotations

from pathlib import Path

from ocpp.v16 import call

from tests.conformance.ocpp16.rig import rig
from tests.support.central_system import Ledger

READ_WRITE = {
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "HeartbeatInterval",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MeterValueSampleInterval",
    "MeterValuesAlignedData",
    "MeterValuesSampledData",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
}
READ_ONLY = {"GetConfigurationMaxKeys", "NumberOfConnectors", "SupportedFeatureProfiles"}


async def test_TC_001_CS_cold_boot(tmp_path: Path) -> None:
    ledger = Ledger(boot_status="Rejected", interval_s=1)
    async with rig(tmp_path, ledger, booted=False) as bench:
        await ledger.wait_for("BootNotification")
        ledger.boot_status = "Accepted"
        await ledger.wait_for("BootNotification", count=2)
        for connector in (0, 1, 2):
            await bench.status("Available", connector)
        assert [seen.action for seen in ledger.seen[:2]] == ["BootNotification"] * 2
        await ledger.wait_for("Heartbeat", count=2)


async def test_TC_002_CS_cold_boot_pending(tmp_path: Path) -> None:
    ledger = Ledger(boot_status="Pending", interval_s=1)
    async with rig(tmp_path, ledger, booted=False) as bench:
        await ledger.wait_for("BootNotification")
        answer = await bench.call(call.GetConfiguration())
        assert {entry["key"] for entry in answer.configuration_key} >= READ_WRITE
        changed = call.ChangeConfiguration(key="MeterValueSampleInterval", value="7")
        assert (await bench.call(changed)).status == "Accepted"
        assert {seen.action for seen in ledger.seen} == {"BootNotification"}
        ledger.boot_status = "Accepted"
        await ledger.wait_for("BootNotification", count=2)
        for connector in (0, 1, 2):
            await bench.status("Available", connector)
        await ledger.wait_for("Heartbeat")


async def test_TC_019_CS_retrieve_configuration(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        one = await bench.call(call.GetConfiguration(key=["SupportedFeatureProfiles"]))
        (profiles,) = one.configuration_key
        assert "Core" in profiles["value"].split(",")
        answer = await bench.call(call.GetConfiguration())
        found = {entry["key"]: entry for entry in answer.configuration_key}
        assert not answer.unknown_key
        assert {key for key in READ_WRITE if found[key]["readonly"]} == set()
        assert {key for key in READ_ONLY if not found[key]["readonly"]} == set()
        most = int(found["GetConfigurationMaxKeys"]["value"])
        batch = list(found)[:most]
        again = await bench.call(call.GetConfiguration(key=batch))
        assert [entry["key"] for entry in again.configuration_key] == batch
        assert not again.unknown_key


async def test_TC_021_CS_change_configuration(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(MeterValueSampleInterval=10)
        answer = await bench.call(call.GetConfiguration(key=["MeterValueSampleInterval"]))
        (entry,) = answer.configuration_key
        assert entry["value"] == "10"


async def test_TC_040_1_CS_an_unknown_key(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(call.ChangeConfiguration(key="Testing", value="1"))
        assert answer.status == "NotSupported"


async def test_TC_040_2_CS_an_invalid_value(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        wrong = call.ChangeConfiguration(key="MeterValueSampleInterval", value="-1")
        assert (await bench.call(wrong)).status == "Rejected"


async def test_phase_rotation_is_written_for_each_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.configure(ConnectorPhaseRotation="0.RST,1.RTS,2.STR")
        answer = await bench.call(call.GetConfiguration(key=["ConnectorPhaseRotation"]))
        (entry,) = answer.configuration_key
        assert entry["value"] == "0.RST,1.RTS,2.STR"
        wrong = call.ChangeConfiguration(key="ConnectorPhaseRotation", value="1.ABC")
        assert (await bench.call(wrong)).status == "Rejected"
