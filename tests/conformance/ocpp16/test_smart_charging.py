"""Certification cases of smart charging, and what the car sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call

from tests.conformance.ocpp16.rig import TAG, Rig, rig

MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"


def profile(
    purpose: str,
    periods: Mapping[int, float],
    *,
    number: int = 1,
    level: int = 0,
    duration: int | None = None,
    transaction: int | None = None,
    unit: str = "A",
    kind: str = "Absolute",
    ago_s: float = 0.0,
) -> dict[str, Any]:
    """A profile that begins now."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=ago_s)
    schedule: dict[str, Any] = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [
            {"start_period": at, "limit": limit} for at, limit in periods.items()
        ],
    }
    if kind != "Relative":
        schedule["start_schedule"] = start.isoformat()
    if duration is not None:
        schedule["duration"] = duration
    sent: dict[str, Any] = {
        "charging_profile_id": number,
        "stack_level": level,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": kind,
        "charging_schedule": schedule,
    }
    if transaction is not None:
        sent["transaction_id"] = transaction
    return sent


async def send(bench: Rig, sent: dict[str, Any], connector: int = 1) -> str:
    request = call.SetChargingProfile(connector_id=connector, cs_charging_profiles=sent)
    return str((await bench.call(request)).status)


async def composite(
    bench: Rig, connector: int = 1, duration: int = 400, unit: str | None = "A"
) -> dict[int, float]:
    request = call.GetCompositeSchedule(
        connector_id=connector, duration=duration, charging_rate_unit=unit
    )
    answer = await bench.call(request)
    assert (answer.status, answer.connector_id) == ("Accepted", connector)
    schedule = answer.charging_schedule
    assert schedule["duration"] == duration
    assert "start_schedule" not in schedule
    if unit is not None:
        assert schedule["charging_rate_unit"] == unit
    started = bench.time(answer.schedule_start)
    assert abs((datetime.now(UTC) - started).total_seconds()) < 3
    return {p["start_period"]: p["limit"] for p in schedule["charging_schedule_period"]}


def near(found: dict[int, float], expected: dict[int, float]) -> bool:
    """The test may be some seconds late: starts have a tolerance, limits have none."""
    pairs = zip(found, expected, strict=len(found) == len(expected))
    return list(found.values()) == list(expected.values()) and all(
        abs(ours - theirs) <= 3 for ours, theirs in pairs
    )


def sources(connector: Mapping[str, Any]) -> list[str]:
    """Who limits the connector now."""
    return [row["source"] for row in connector["limits"] if row["effective"]]


async def started(bench: Rig) -> int:
    """A transaction that has its number; it charges."""
    await bench.charging()
    await bench.settled()
    return 1001


async def test_TC_056_CS_default_profile(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, profile(DEFAULT, {0: 6.0}, duration=86400)) == "Accepted"
        assert await composite(bench, duration=300) == {0: 6.0}
        await bench.charging()
        found = await bench.station.until(lambda c: max(c["measured_a"]) > 1)
        assert found["offered_a"] == [6.0, 6.0, 6.0]


async def test_TC_057_CS_profile_of_the_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        sent = profile(TX, {0: 7.0}, transaction=number, duration=600)
        assert await send(bench, sent) == "Accepted"
        await bench.station.until(lambda c: c["offered_a"][0] == 7.0)
        assert (await composite(bench, duration=300)) == {0: 7.0}
        assert sources(bench.station.connector()) == ["ocpp_tx"]


async def test_the_profile_of_a_transaction_ends_with_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        assert await send(bench, profile(TX, {0: 7.0}, transaction=number)) == "Accepted"
        await bench.station.until(lambda c: "ocpp_tx" in sources(c))
        await bench.stop()
        await bench.station.until(lambda c: "ocpp_tx" not in sources(c))


@pytest.mark.parametrize("purpose", [TX])
async def test_TC_058_1_CS_no_transaction(tmp_path: Path, purpose: str) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, profile(purpose, {0: 7.0}, transaction=1)) == "Rejected"


async def test_TC_058_2_CS_another_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        assert await send(bench, profile(TX, {0: 7.0}, transaction=number + 1)) == "Rejected"


@pytest.mark.parametrize("card", [False, True], ids=["remote", "card first, remote later"])
async def test_TC_059_CS_remote_start_with_a_profile(tmp_path: Path, card: bool) -> None:
    async with rig(tmp_path, ConnectionTimeOut=1) as bench:
        request = call.RemoteStartTransaction(
            id_tag=TAG, connector_id=1, charging_profile=profile(TX, {0: 8.0}, kind="Relative")
        )
        if card:  # a start that came to nothing leaves nothing behind
            assert (await bench.call(request)).status == "Accepted"
            await bench.status("Preparing")
            await bench.status("Available", count=2)
            await bench.charging()
            assert bench.station.connector()["offered_a"][0] > 8.0
            return
        await bench.plug()
        assert (await bench.call(request)).status == "Accepted"
        await bench.ledger.wait_for("StartTransaction", id_tag=TAG)
        await bench.station.until(lambda c: c["offered_a"][0] == 8.0)
        assert await composite(bench) == {0: 8.0}


async def test_TC_060_CS_remote_start_with_a_wrong_profile(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        request = call.RemoteStartTransaction(
            id_tag=TAG, connector_id=1, charging_profile=profile(DEFAULT, {0: 8.0})
        )
        assert (await bench.call(request)).status == "Rejected"


async def test_TC_066_CS_three_purposes(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        default = {0: 6.0, 60: 10.0, 120: 8.0, 180: 15.0, 260: 8.0}
        own = {0: 8.0, 50: 11.0, 140: 16.0, 200: 6.0, 240: 12.0}
        assert await send(bench, profile(MAX, {0: 10.0}, number=1), 0) == "Accepted"
        assert await send(bench, profile(DEFAULT, default, number=2, duration=300)) == "Accepted"
        sent = profile(TX, own, number=3, duration=260, transaction=number)
        assert await send(bench, sent) == "Accepted"
        found = await composite(bench)
        assert near(found, {0: 8.0, 50: 10.0, 200: 6.0, 240: 10.0}), found


async def test_TC_067_CS_clear_profiles(tmp_path: Path) -> None:
    async with rig(tmp_path, OperatorCurrentLimit=16) as bench:

        async def clear(**which: Any) -> str:
            return str((await bench.call(call.ClearChargingProfile(**which))).status)

        assert await send(bench, profile(DEFAULT, {0: 6.0}, number=1, level=0)) == "Accepted"
        assert await send(bench, profile(DEFAULT, {0: 7.0}, number=2, level=1)) == "Accepted"
        assert await send(bench, profile(DEFAULT, {0: 8.0}, number=3, level=2)) == "Accepted"
        assert await composite(bench) == {0: 8.0}
        assert await clear(id=3) == "Accepted"
        assert await composite(bench) == {0: 7.0}
        assert await clear(id=3) == "Unknown"
        assert await clear(charging_profile_purpose=DEFAULT, stack_level=1) == "Accepted"
        assert await composite(bench) == {0: 6.0}
        assert await clear() == "Accepted"
        assert await composite(bench) == {0: 16.0}


async def test_TC_072_CS_stacked_profiles(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        low = {0: 6.0, 50: 5.0, 100: 8.0, 200: 10.0}
        high = {0: 7.0, 100: 9.0}
        for sent in (
            profile(TX, low, number=1, level=0, duration=400, transaction=number),
            profile(TX, high, number=2, level=1, duration=150, transaction=number),
        ):
            assert await send(bench, sent) == "Accepted"
        found = await composite(bench, duration=350)
        assert near(found, {0: 7.0, 100: 9.0, 150: 8.0, 200: 10.0}), found


async def test_TC_082_CS_default_profile_in_a_transaction(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await started(bench)
        assert await send(bench, profile(DEFAULT, {0: 6.0}, duration=600), 0) == "Accepted"
        await bench.station.until(lambda c: c["offered_a"][0] == 6.0)
        assert await composite(bench, duration=300) == {0: 6.0}


async def test_the_station_limit_is_shared(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, profile(MAX, {0: 20.0}, number=1), 0) == "Accepted"
        for connector in (1, 2):
            await bench.charging(connector, max_a=32)

        def shared() -> bool:
            offers = [float(bench.station.connector(n)["offered_a"][0]) for n in (1, 2)]
            return sum(offers) <= 20.0 and min(offers) >= 6.0

        await bench.station.until(lambda _: shared())
        assert await composite(bench, connector=0) == {0: 20.0}


async def test_below_the_minimum_the_session_waits_and_goes_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        assert await send(bench, profile(TX, {0: 0.0}, transaction=number)) == "Accepted"
        await bench.status("SuspendedEVSE")
        assert await send(bench, profile(TX, {0: 9.0}, transaction=number)) == "Accepted"
        await bench.status("Charging", count=2)
        await bench.station.until(lambda c: c["offered_a"][0] == 9.0)
        assert not bench.ledger.of("StopTransaction")


async def test_the_next_period_holds_in_time(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        sent = profile(TX, {0: 8.0, 2: 10.0}, transaction=number)
        assert await send(bench, sent) == "Accepted"
        await bench.station.until(lambda c: c["offered_a"][0] == 8.0)
        await bench.station.until(lambda c: c["offered_a"][0] == 10.0)


async def test_watts_count_the_phases_that_the_car_uses(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging(phases=1)
        await bench.station.until(lambda c: c["measured_a"][0] > 10)
        await bench.settled()
        watts = profile(TX, {0: 2300.0}, transaction=1001, unit="W")
        assert await send(bench, watts) == "Accepted"
        await bench.station.until(lambda c: c["offered_a"][0] == 10.0)


async def test_profiles_survive_a_power_failure(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        number = await started(bench)
        assert await send(bench, profile(TX, {0: 9.0}, number=1, transaction=number)) == "Accepted"
        assert await send(bench, profile(DEFAULT, {0: 7.0}, number=2), 2) == "Accepted"
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.station.until(lambda c: c["offered_a"][0] == 9.0)
        await bench.station.until_online()
        assert await composite(bench, connector=2) == {0: 7.0}


@pytest.mark.parametrize(
    "sent",
    [
        profile(DEFAULT, {0: 6.0}, level=99),
        profile(DEFAULT, {10: 6.0}),
        profile(DEFAULT, dict.fromkeys(range(25), 6.0)),
        profile(MAX, {0: 6.0}),
    ],
    ids=["stack level", "first period", "too many periods", "station on a connector"],
)
async def test_refused_profiles(tmp_path: Path, sent: dict[str, Any]) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, sent) == "Rejected"


async def test_a_schedule_of_an_unknown_connector(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(call.GetCompositeSchedule(connector_id=3, duration=60))
        assert answer.status == "Rejected"


async def test_a_composite_schedule_in_watts(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert await send(bench, profile(DEFAULT, {0: 10.0})) == "Accepted"
        assert await composite(bench, unit="W") == {0: 6900.0}
        assert await composite(bench, unit=None, duration=0) == {0: 10.0}


async def test_phases_are_reported_and_those_that_cannot_be_switched_are_refused(
    tmp_path: Path,
) -> None:
    """OCPP 1.6 section 7.12: a period without a number holds for three phases."""
    async with rig(tmp_path) as bench:
        watts = profile(DEFAULT, {0: 2300.0, 3600: 2300.0}, unit="W")
        first, second = watts["charging_schedule"]["charging_schedule_period"]
        first["number_phases"], second["number_phases"] = 1, 3
        assert await send(bench, watts) == "Accepted"
        request = call.GetCompositeSchedule(1, duration=7200, charging_rate_unit="W")
        sent = (await bench.call(request)).charging_schedule["charging_schedule_period"]
        assert [(p["limit"], p.get("number_phases", 3)) for p in sent] == [(2300.0, 1), (2300.0, 3)]
        amps = profile(DEFAULT, {0: 10.0})
        amps["charging_schedule"]["charging_schedule_period"][0]["number_phases"] = 1
        assert await send(bench, amps) == "Rejected"
