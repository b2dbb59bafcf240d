"""Offers in meter values are the real ones (OCPP 1.6 section 7.31)."""

from __future__ import annotations

from pathlib import Path

from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger

from tests.conformance.ocpp16.rig import Rig, rig

OFFERS = "Current.Offered,Power.Offered"


async def reported_offer(bench: Rig) -> tuple[float, float]:
    """Amperes and watts that the station says it offers now."""
    count = len(bench.ledger.of("MeterValues"))
    trigger = call.TriggerMessage(requested_message=MessageTrigger.meter_values, connector_id=1)
    assert (await bench.call(trigger)).status == "Accepted"
    values = (await bench.ledger.wait_for("MeterValues", count + 1))[-1]
    (sample,) = values["meter_value"]
    current, power = (float(value["value"]) for value in sample["sampled_value"])
    return current, power


async def limit(bench: Rig, amps: float) -> None:
    period = {"start_period": 0, "limit": amps}
    schedule = {"charging_rate_unit": "A", "charging_schedule_period": [period]}
    profile = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Relative",
        "charging_schedule": schedule,
    }
    asked = call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile)
    assert (await bench.call(asked)).status == "Accepted"


async def test_nothing_is_offered_before_a_session_and_in_a_pause(tmp_path: Path) -> None:
    async with rig(tmp_path, MeterValuesSampledData=OFFERS, MeterValueSampleInterval=0) as bench:
        assert await reported_offer(bench) == (0.0, 0.0)
        await bench.plug()
        await bench.status("Preparing")
        assert await reported_offer(bench) == (0.0, 0.0)
        await bench.swipe()
        await bench.status("Charging")
        await bench.station.until(lambda c: c["power_w"] > 0)
        current, power = await reported_offer(bench)
        assert (current, round(power)) == (32.0, 32 * 3 * 230)
        await limit(bench, 5.3)
        await bench.status("SuspendedEVSE")
        assert await reported_offer(bench) == (0.0, 0.0)
        await limit(bench, 6.0)
        await bench.station.until(lambda c: c["offered_a"][0] == 6.0)
        await bench.stop()
        await bench.status("Finishing")
        assert await reported_offer(bench) == (0.0, 0.0)
