"""Whatever measurand is accepted is sent, and the manual for integrators lists it (OCPP 1.6 section
7.31)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger

from borne.protocols.ocpp.messages.core import Measurand
from tests.conformance.ocpp16.rig import TAG, Rig, rig

DOCS = Path(__file__).parents[3] / "docs/integrator.md"
KEYS = (
    "MeterValuesSampledData",
    "MeterValuesAlignedData",
    "StopTxnSampledData",
    "StopTxnAlignedData",
)
PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2")


def listed() -> set[str]:
    table = DOCS.read_text("utf-8").partition("### What can be measured")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE))


async def change(bench: Rig, key: str, value: str) -> str:
    return str((await bench.call(call.ChangeConfiguration(key=key, value=value))).status)


async def triggered(bench: Rig, count: int) -> list[dict[str, Any]]:
    await bench.call(call.TriggerMessage(MessageTrigger.meter_values, connector_id=1))
    message = (await bench.ledger.wait_for("MeterValues", count=count, connector_id=1))[-1]
    values: list[dict[str, Any]] = message["meter_value"][0]["sampled_value"]
    return values


async def test_each_measurand_that_is_accepted_is_sent(tmp_path: Path) -> None:
    async with rig(tmp_path, MeterValueSampleInterval=0) as bench:
        await bench.charging()
        accepted: list[str] = []
        for name in [
            *Measurand,
            *(f"{name}.{phase}" for name in Measurand for phase in PHASES),
        ]:
            statuses = {await change(bench, key, name) for key in KEYS}
            assert len(statuses) == 1, name
            if statuses == {"Rejected"}:
                continue
            assert statuses == {"Accepted"}
            accepted.append(name)
            values = await triggered(bench, len(accepted))
            asked, _, phase = name.rpartition(".") if name.endswith(PHASES) else (name, "", "")
            assert {value["measurand"] for value in values} == {asked}, name
            if phase:
                assert [value["phase"].partition("-")[0] for value in values] == [phase[:2]]
        assert {str(name) for name in accepted if not name.endswith(PHASES)} == listed()


async def test_a_list_with_one_that_cannot_be_sent_changes_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        for key in KEYS:
            assert await change(bench, key, "Voltage,Current.Import") == "Accepted"
            for odd in ("SoC", "Temperature", "Frequency", "Nonsense", "Voltage.L1-L2", "L1"):
                assert await change(bench, key, f"Voltage,{odd}") == "Rejected"
            answer = await bench.call(call.GetConfiguration(key=[key]))
            assert answer.configuration_key[0]["value"] == "Voltage,Current.Import"


async def test_a_stop_contains_the_accepted_measurands(tmp_path: Path) -> None:
    async with rig(tmp_path, MeterValueSampleInterval=1) as bench:
        wanted = sorted(listed())
        assert await change(bench, "StopTxnSampledData", ",".join(wanted)) == "Accepted"
        await bench.charging()
        await bench.ledger.wait_for("MeterValues", connector_id=1)
        await bench.station.card_token(TAG)
        (stop,) = await bench.ledger.wait_for("StopTransaction")
        message = {
            value["measurand"]
            for sample in stop["transaction_data"]
            for value in sample["sampled_value"]
            if value["context"] == "Sample.Periodic"
        }
        assert message == set(wanted)


async def test_the_register_is_sent_when_no_measurand_is_configured(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert await change(bench, "MeterValuesSampledData", "") == "Accepted"
        values = await triggered(bench, 1)
        assert {value["measurand"] for value in values} == {"Energy.Active.Import.Register"}


async def test_power_offered_is_sent_by_default(tmp_path: Path) -> None:
    """A home automation whose own list is refused goes on with the list that it finds."""
    async with rig(tmp_path) as bench:
        await bench.charging()
        assert "Power.Offered" in {value["measurand"] for value in await triggered(bench, 1)}
