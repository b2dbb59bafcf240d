"""Every setting of load management: one test each, which fails if it is ignored (manual 7.4, 7.8).

Whole stations on virtual time; what flows is measured in the simulated world. A master with its
internal slave shares the current of its two sockets; master and slave exchange all their messages.
"""
# ruff: noqa: N802 -- a test is named after its setting

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from borne.application.limits.limit_service import STATION
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import OCPP_STATION
from borne.domain.load_management.load_status import LoadStatus
from borne.foundation.units import PerPhase
from tests.support.running_station import RunningStation, running_station
from tests.support.simulated_world import world_of
from tests.support.virtual_time import virtual_time

FREE: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
MASTER: dict[str, Any] = FREE | {
    "DLMRole": "master",
    "DLMEVSESubDistributionLimit": "32",
    "DLMOperatorEVSESubDistributionLimit": "32",
    "DLMSampleRate": "5s",
}
METER: dict[str, Any] = MASTER | {
    "DLMExternalMeterSupport": "on",
    "DLMMainDistributionLimit": "50",
    "DLMExternalMeterLocation": "including",
    "DLMEVSESubDistributionLimit": "100",
    "DLMOperatorEVSESubDistributionLimit": "100",
}
BIG: dict[str, Any] = {"max_a": 32, "reaction_s": 5.0, "battery_kwh": 500}
ONE_PHASE: dict[str, Any] = BIG | {"phases": 1}
SETTLED_S = 60.0
"""All have reacted, the phases are known, and what is left has been given to others."""

LEARNT_S = 120.0
"""The same with a meter whose delay is not known yet: cars may pause once and rest."""


@asynccontextmanager
async def charging(
    data: Path, *cars: dict[str, Any], **changes: Any
) -> AsyncIterator[RunningStation]:
    """A master with internal slave and these cars; two that take all they get unless given."""
    learns = changes.get("DLMExternalMeterSupport") == "on"
    options = changes.pop("given", {})
    settled_s = changes.pop("settled_s", LEARNT_S if learns else SETTLED_S)
    async with running_station(data, **options, **(MASTER | changes)) as station:
        for number, car in enumerate(cars or (BIG, BIG), 1):
            await station.plug(number, car)
        await asyncio.sleep(settled_s)
        yield station


def drawn(station: RunningStation) -> PerPhase:
    """What all sockets draw, per phase of the grid."""
    return world_of(station.host).sockets_current_a


def offers(station: RunningStation) -> tuple[float, float]:
    one, two = (station.connector(number)["offered_a"][0] for number in (1, 2))
    return one, two


def load(station: RunningStation) -> LoadStatus:
    view = station.services.load
    assert view is not None
    return view.status()


def reason(station: RunningStation, number: int) -> str:
    """The reason of the row of load management."""
    rows = station.connector(number)["limits"]
    return str(next(row["reason"] for row in rows if row["source"] == "load_management"))


async def building(station: RunningStation, *amps: float) -> None:
    await station.simulator.set_site({"building_a": list(amps * (3 // len(amps)))})


# The group --------------------------------------------------------------------------------------


@virtual_time
async def test_DLMRole(tmp_path: Path) -> None:
    async with charging(tmp_path / "master") as station:
        assert offers(station) == (16.0, 16.0)
        assert drawn(station) == PerPhase.same(32.0)
        assert reason(station, 1).startswith("fair_share")
    async with charging(tmp_path / "alone", DLMRole="disabled") as station:
        assert offers(station) == (32.0, 32.0)
    async with charging(tmp_path / "standalone", DLMRole="standalone_master") as station:
        assert offers(station) == (0.0, 0.0)


@virtual_time
async def test_DLMEVSESubDistributionLimit(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "DLMEVSESubDistributionLimit": "20,24,32",
        "DLMOperatorEVSESubDistributionLimit": "20",
    }
    async with charging(tmp_path, **given) as station:
        assert sum(offers(station)) == 20.0
        lower = "16,24,32"
        await station.set(
            DLMEVSESubDistributionLimit=lower, DLMOperatorEVSESubDistributionLimit="16"
        )
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 16.0


@virtual_time
async def test_DLMOperatorEVSESubDistributionLimit(tmp_path: Path) -> None:
    """It may change at any time; the backend does so while cars charge (manual 7.4)."""
    async with charging(tmp_path, DLMOperatorEVSESubDistributionLimit="24") as station:
        assert sum(offers(station)) == 24.0
        await station.set(DLMOperatorEVSESubDistributionLimit="30,20,30")
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 20.0
        assert max(drawn(station)) <= 20.0


@virtual_time
async def test_DLMDisconnectedLimit(tmp_path: Path) -> None:
    """A slave that never receives a message of its master."""
    async with charging(
        tmp_path, settled_s=50.0, DLMRole="slave_auto", DLMDisconnectedLimit="9"
    ) as station:
        assert offers(station) == (0.0, 0.0)
        await asyncio.sleep(60.0)
        assert offers(station) == (9.0, 9.0)
        await station.set(DLMDisconnectedLimit="5")
        await asyncio.sleep(10.0)
        assert offers(station) == (0.0, 0.0)


@virtual_time
async def test_DLMGroups(tmp_path: Path) -> None:
    hall = {"DLMGroups": "hall;;12,12,12 | shed;;9,9,9", "DLMGroup": "hall"}
    async with charging(tmp_path, **hall, DLMMinimumCurrentLimit="6") as station:
        assert offers(station) == (6.0, 6.0)
        found = {row.id: row.limit_a for row in load(station).groups}
        assert found["hall"] == PerPhase.same(12.0)


@virtual_time
async def test_DLMGroup(tmp_path: Path) -> None:
    groups = {"DLMGroups": "hall;;12,12,12 | shed;;9,9,9"}
    async with charging(tmp_path, **groups, DLMGroup="shed") as station:
        assert sorted(offers(station)) == [0.0, 9.0]


@virtual_time
async def test_DLMPriority(tmp_path: Path) -> None:
    async with charging(tmp_path, DLMPriority_2="5") as station:
        assert offers(station) == (7.0, 25.0)
        assert reason(station, 1).startswith("higher_priority")
        await station.set(DLMPriority="9")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (25.0, 7.0)


@virtual_time
async def test_DLMTimeSlice(tmp_path: Path) -> None:
    short = {"DLMOperatorEVSESubDistributionLimit": "10"}
    for minutes in (5, 20):
        async with charging(tmp_path / str(minutes), **short, DLMTimeSlice=minutes) as station:
            first = offers(station)
            assert sorted(first) == [0.0, 10.0]
            await asyncio.sleep((minutes - 2) * 60.0)
            assert offers(station) == first
            await asyncio.sleep(3 * 60.0)
            assert offers(station) == first[::-1]


@virtual_time
async def test_DLMSampleRate(tmp_path: Path) -> None:
    """More current that only a measurement shows is given with the next sample."""
    given: dict[str, Any] = METER | {"DLMExternalLoadAveraging": "1"}
    cycles = {}
    for rate in ("1s", "60s"):
        async with charging(tmp_path / rate, **(given | {"DLMSampleRate": rate})) as station:
            seen = []
            for _ in range(60):
                await asyncio.sleep(1.0)
                seen.append(load(station).last_cycle)
            cycles[rate] = len(set(seen))
    assert cycles["1s"] >= 55
    assert cycles["60s"] <= 12


@virtual_time
async def test_DLMITNetwork(tmp_path: Path) -> None:
    """Without neutral a car on one phase loads two lines: two cars on L1 and L2 share one."""
    rotated = {"ConnectorPhaseRotation_2": "STR"}
    async with charging(tmp_path / "tn", ONE_PHASE, ONE_PHASE, **rotated) as station:
        assert offers(station) == (32.0, 32.0)
    async with charging(
        tmp_path / "it", ONE_PHASE, ONE_PHASE, **rotated, DLMITNetwork="on"
    ) as station:
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_an_unknown_rotation_counts_on_every_phase(tmp_path: Path) -> None:
    unknown = {"ConnectorPhaseRotation": "unknown", "ConnectorPhaseRotation_2": "STR"}
    async with charging(tmp_path, ONE_PHASE, ONE_PHASE, **unknown) as station:
        assert offers(station) == (16.0, 16.0)


@virtual_time
async def test_DLMCurrentImbalancePrevention(tmp_path: Path) -> None:
    async with charging(tmp_path, ONE_PHASE, DLMCurrentImbalancePrevention="on") as station:
        assert offers(station)[0] == 20.0
        assert reason(station, 1).startswith("imbalance")
        await station.set(DLMCurrentImbalancePrevention="off")
        await asyncio.sleep(SETTLED_S)
        assert offers(station)[0] == 32.0


@virtual_time
async def test_DLMCurrentImbalanceLimit(tmp_path: Path) -> None:
    prevented = {"DLMCurrentImbalancePrevention": "on", "DLMCurrentImbalanceLimit": "16"}
    async with charging(tmp_path, ONE_PHASE, **prevented) as station:
        assert offers(station)[0] == 16.0
        await station.set(DLMCurrentImbalanceLimit="10")
        await asyncio.sleep(SETTLED_S)
        assert offers(station)[0] == 10.0


# Inputs and times -------------------------------------------------------------------------------


@virtual_time
@pytest.mark.parametrize("number", [1, 2])
async def test_DLMExternalInputConfig(tmp_path: Path, number: int) -> None:
    limit = {f"DLMExternalInput{number}Limit": "14"}
    config = f"DLMExternalInput{number}Config"
    async with charging(tmp_path / "a", **limit, **{config: f"opto_{number}"}) as station:
        assert sum(offers(station)) == 32.0
        await station.simulator.set_input(number, active=True)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 14.0
    async with charging(tmp_path / "b", **limit, **{config: f"opto_{number}_inverted"}) as station:
        assert sum(offers(station)) == 14.0
        await station.simulator.set_input(number, active=True)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 32.0
    async with charging(tmp_path / "c", **limit) as station:
        await station.simulator.set_input(number, active=True)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 32.0


@virtual_time
@pytest.mark.parametrize("number", [1, 2])
async def test_DLMExternalInputLimit(tmp_path: Path, number: int) -> None:
    inverted = {f"DLMExternalInput{number}Config": f"opto_{number}_inverted"}
    async with charging(tmp_path, **inverted) as station:
        assert sum(offers(station)) == 0.0
        await station.set(**{f"DLMExternalInput{number}Limit": "18,20,20"})
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 18.0


@virtual_time
async def test_DLMMaxCurrentScheduler(tmp_path: Path) -> None:
    windows = {"DLMMaxCurrentSchedule": "00:00;24:00;15,15,15"}
    async with charging(tmp_path, **windows, DLMMaxCurrentScheduler="on") as station:
        assert sum(offers(station)) == 15.0
        await station.set(DLMMaxCurrentScheduler="off")
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 32.0


@virtual_time
async def test_DLMMaxCurrentSchedule(tmp_path: Path) -> None:
    """Local time, the end is outside, the lowest of two windows applies (D15)."""
    windows = "17:00;18:00;20,20,20 | 17:30;17:45;14,14,14"
    at_five = datetime(2026, 7, 1, 14, 58, tzinfo=UTC)  # 16:58 in Berlin
    scheduled: dict[str, Any] = {
        "TimeZone": "Europe/Berlin",
        "DLMMaxCurrentScheduler": "on",
        "DLMMaxCurrentSchedule": windows,
        "given": {"wall": lambda: at_five},
    }
    async with charging(tmp_path, **scheduled) as station:
        assert sum(offers(station)) == 32.0
        await asyncio.sleep(120.0)  # 17:01
        assert sum(offers(station)) == 20.0
        await asyncio.sleep(30 * 60.0)  # 17:31
        assert sum(offers(station)) == 14.0
        await asyncio.sleep(15 * 60.0)  # 17:46
        assert sum(offers(station)) == 20.0
        await asyncio.sleep(15 * 60.0)  # 18:01
        assert sum(offers(station)) == 32.0


# The meter of the building ----------------------------------------------------------------------


@virtual_time
async def test_DLMExternalMeterSupport_limits(tmp_path: Path) -> None:
    async with charging(tmp_path / "with", **METER) as station:
        await building(station, 30.0)
        await asyncio.sleep(2 * SETTLED_S)
        assert sum(offers(station)) == pytest.approx(20.0, abs=1.0)
        assert max(drawn(station)) + 30.0 <= 50.0
    async with charging(
        tmp_path / "without", **(METER | {"DLMExternalMeterSupport": "off"})
    ) as station:
        await building(station, 30.0)
        await asyncio.sleep(2 * SETTLED_S)
        assert sum(offers(station)) == 64.0


@virtual_time
async def test_DLMMainDistributionLimit(tmp_path: Path) -> None:
    async with charging(tmp_path, **METER) as station:
        await station.set(DLMMainDistributionLimit="50,40,50")
        await building(station, 20.0)
        await asyncio.sleep(2 * SETTLED_S)
        assert sum(offers(station)) == pytest.approx(20.0, abs=1.0)
        assert drawn(station).l2 + 20.0 <= 40.0


@virtual_time
async def test_DLMExternalLoadHeadroom(tmp_path: Path) -> None:
    async with charging(tmp_path, **METER, DLMExternalLoadHeadroom="5,10,5") as station:
        await building(station, 20.0)
        await asyncio.sleep(2 * SETTLED_S)
        assert sum(offers(station)) == pytest.approx(20.0, abs=1.0)
        assert drawn(station).l2 + 20.0 <= 40.0


@virtual_time
async def test_DLMExternalLoadFallback(tmp_path: Path) -> None:
    async with charging(tmp_path / "a", **METER) as station:
        await station.simulator.set_link("external-meter", up=False)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 0.0
    async with charging(tmp_path / "b", **METER, DLMExternalLoadFallback="26") as station:
        await station.simulator.set_link("external-meter", up=False)
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 24.0


@virtual_time
async def test_DLMExternalMeterLocation_counts(tmp_path: Path) -> None:
    """The simulated meter sees the stations; taken for one that does not, it leaves less."""
    totals = {}
    for location in ("including", "excluding"):
        given = METER | {"DLMExternalMeterLocation": location}
        async with charging(tmp_path / location, **given) as station:
            await building(station, 10.0)
            await asyncio.sleep(2 * SETTLED_S)
            totals[location] = sum(offers(station))
    assert totals["including"] == pytest.approx(40.0, abs=1.0)
    assert totals["excluding"] < 30.0


@virtual_time
async def test_how_late_the_meter_is_is_known_after_a_restart(tmp_path: Path) -> None:
    """The first step of the stations may be the building's, so the cars pause once."""
    pauses = []
    for _ in range(2):
        async with running_station(tmp_path, **METER) as station:
            await station.plug(1, BIG)
            await station.plug(2, BIG)
            seen = []
            for _ in range(100):
                await asyncio.sleep(1.0)
                seen.append(drawn(station).l1 > 0)
            pauses.append(sum(before and not after for before, after in pairwise(seen)))
            assert sum(offers(station)) == pytest.approx(50.0, abs=1.0)
    assert pauses == [1, 0]


@virtual_time
async def test_DLMExternalLoadAveraging(tmp_path: Path) -> None:
    """A load that falls is averaged; one that rises counts at once."""
    for seconds, early in ((5, True), (120, False)):
        given = METER | {"DLMExternalLoadAveraging": str(seconds)}
        async with charging(tmp_path / str(seconds), **given) as station:
            await building(station, 36.0)
            await asyncio.sleep(5.0 + 12.0)
            assert sum(offers(station)) <= 14.0
            await asyncio.sleep(3 * SETTLED_S)
            await building(station, 0.0)
            await asyncio.sleep(75.0)
            assert (sum(offers(station)) > 40.0) is early
            await asyncio.sleep(3 * SETTLED_S)
            assert sum(offers(station)) == pytest.approx(50.0, abs=1.0)


@virtual_time
async def test_DLMBackendLimitIsGroup(tmp_path: Path) -> None:
    def limit(station: RunningStation) -> None:
        running = station.host.station
        assert running is not None
        row = LimitRow(OCPP_STATION, PerPhase.same(18.0), LimitCause.PROFILE, datetime.now(UTC))
        running.limits.put(STATION, row)

    for switch in ("on", "off"):
        async with charging(tmp_path / switch, DLMBackendLimitIsGroup=switch) as station:
            limit(station)
            await asyncio.sleep(SETTLED_S)
            assert sum(offers(station)) == 18.0
            sources = {row.source for row in load(station).limits}
            assert (LimitCause.OCPP_STATION in sources) is (switch == "on")


@virtual_time
async def test_DLMMeterDigitalInputConfig(tmp_path: Path) -> None:
    limit = {"DLMMeterDigitalInputLimit": "14", "SecondMeterConfig": "siemens_7km2200"}
    for switch, total in (("on", 14.0), ("off", 50.0)):
        given = METER | limit | {"DLMMeterDigitalInputConfig": switch}
        async with charging(tmp_path / switch, **given) as station:
            assert sum(offers(station)) == pytest.approx(50.0, abs=1.0)
            await station.simulator.set_site({"meter_input": True})
            await asyncio.sleep(SETTLED_S)
            assert sum(offers(station)) == pytest.approx(total, abs=1.0)


@virtual_time
async def test_DLMMeterDigitalInputLimit(tmp_path: Path) -> None:
    given = METER | {"DLMMeterDigitalInputConfig": "on", "DLMMeterDigitalInputLimit": "20,18,20"}
    async with charging(tmp_path, **given) as station:
        await station.simulator.set_site({"meter_input": True})
        await asyncio.sleep(SETTLED_S)
        assert sum(offers(station)) == 18.0


# Limits of single sockets, with and without load management -------------------------------------


@virtual_time
async def test_EnergyManExternalInput(tmp_path: Path) -> None:
    alone: dict[str, Any] = {"DLMRole": "disabled", "EnergyManExternalInputLimit": "9"}
    for opto, number in (("opto_1", 1), ("opto_2", 2)):
        async with charging(tmp_path / opto, **alone, EnergyManExternalInput=opto) as station:
            assert offers(station) == (32.0, 32.0)
            await station.simulator.set_input(3 - number, active=True)
            await asyncio.sleep(10.0)
            assert offers(station) == (32.0, 32.0)
            await station.simulator.set_input(number, active=True)
            await asyncio.sleep(10.0)
            assert offers(station) == (9.0, 9.0)


@virtual_time
async def test_EnergyManExternalInputLimit(tmp_path: Path) -> None:
    async with charging(tmp_path, EnergyManExternalInput="opto_1") as station:
        await station.simulator.set_input(1, active=True)
        await asyncio.sleep(10.0)
        assert offers(station) == (6.0, 6.0)
        await station.set(EnergyManExternalInputLimit="8")
        await asyncio.sleep(SETTLED_S)
        assert offers(station) == (8.0, 8.0)


@virtual_time
async def test_SinglePhaseLimit(tmp_path: Path) -> None:
    """A car on three phases is released as soon as its phases are known."""
    alone: dict[str, Any] = {"DLMRole": "disabled", "SinglePhaseLimit": "20"}
    async with charging(tmp_path, ONE_PHASE, BIG, **alone) as station:
        assert offers(station) == (20.0, 32.0)
        await station.set(SinglePhaseLimit="0")
        await asyncio.sleep(10.0)
        assert offers(station) == (32.0, 32.0)
