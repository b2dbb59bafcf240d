"""What a backend set goes when it is switched off or another one takes its place; what persons set
stays (decision 0146). A whole station, restarted as people would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from borne.domain.principals import SYSTEM
from tests.integration.ocpp.bare_backend import BareBackend, bare_backend
from tests.support.running_station import RunningStation, running_station

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()
ACCEPTED = {"status": "Accepted"}
NO_BACKEND: dict[str, Any] = {
    "ConnectionType": "no_backend",
    "FreeCharging": True,
    "FreeChargingMode": "no_ocpp",
}


def profile(number: int, purpose: str, limit: float, kind: str = "Absolute") -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    return {
        "chargingProfileId": number,
        "stackLevel": number,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
    }


async def order(backend: BareBackend, action: str, **payload: Any) -> None:
    answer = await backend.call(action, payload)
    assert answer[2] == ACCEPTED, answer


async def limit_all(backend: BareBackend) -> None:
    """Everything restrictive that a backend can set."""
    for number, purpose in ((1, "TxDefaultProfile"), (2, "ChargePointMaxProfile")):
        sent = profile(number, purpose, 0)
        await order(backend, "SetChargingProfile", connectorId=0, csChargingProfiles=sent)
    await order(
        backend,
        "ReserveNow",
        connectorId=1,
        expiryDate=LATER,
        idTag="OTHER",
        reservationId=5,
    )
    await order(backend, "ChangeAvailability", connectorId=2, type="Inoperative")
    entry = {"idTag": "FLEET", "idTagInfo": ACCEPTED}
    await order(
        backend,
        "SendLocalList",
        listVersion=3,
        updateType="Full",
        localAuthorizationList=[entry],
    )
    later = {"location": "http://127.0.0.1:9/fw", "retrieveDate": LATER}
    assert (await backend.call("UpdateFirmware", later))[2] == {}


@asynccontextmanager
async def limited(folder: Path, backend: BareBackend, **more: Any) -> AsyncIterator[RunningStation]:
    """A station with everything that a backend can set."""
    made: dict[str, Any] = {
        "ConnectionType": "ethernet",
        "WebSocketsBackendURL": backend.url,
    } | more
    async with running_station(folder, **{"ChargePointID": "CP-1"} | made) as station:
        await backend.wait_for_boot()
        await limit_all(backend)
        await station.until_state("reserved")
        await station.until_state("unavailable", 2)
        yield station


async def restart(station: RunningStation) -> None:
    before = station.host.station
    await station.services.restarter.restart(SYSTEM, "now")
    await station.until_restarted(before)


async def set_and_restart(station: RunningStation, **changes: Any) -> None:
    await station.set(**changes)
    await restart(station)


def left(station: RunningStation) -> tuple[int, int]:
    """Profiles and cards of the list."""
    now = station.host.station
    assert now is not None
    return len(now.charging.profiles.entries), len(now.cards.lists.local_list.content())


async def test_limits_of_a_backend_end_when_it_is_switched_off(tmp_path: Path) -> None:
    async with bare_backend() as backend, limited(tmp_path, backend) as station:
        await set_and_restart(station, **NO_BACKEND)
        await station.until_state("available")
        await station.until_state("available", 2)
        assert left(station) == (0, 1)  # the list is not asked without a backend
        await station.plug(1)
        await station.until(lambda c: c["measured_a"][0] > 5)


async def test_own_limits_stay_when_those_of_the_backend_go(tmp_path: Path) -> None:
    async with (
        bare_backend() as backend,
        limited(tmp_path, backend, OperatorCurrentLimit=9) as station,
    ):
        await set_and_restart(station, **NO_BACKEND)
        await station.plug(1)
        await station.until(lambda c: c["offered_a"][0] == 9.0)


async def test_what_a_person_took_out_of_service_stays_so(tmp_path: Path) -> None:
    async with bare_backend() as backend, limited(tmp_path, backend) as station:
        await station.services.control.set_availability(2, SYSTEM, operative=False)
        await order(backend, "ChangeAvailability", connectorId=2, type="Inoperative")
        await set_and_restart(station, **NO_BACKEND)
        await station.until_state("available")
        await station.until_state("unavailable", 2)


@pytest.mark.parametrize(
    "change", [{"ChargePointID": "CP-2"}, {"WebSocketsBackendURL": "{url}/other"}], ids=str
)
async def test_another_backend_or_identity_starts_without_the_old_profiles_and_lists(
    tmp_path: Path, change: dict[str, str]
) -> None:
    async with bare_backend() as backend, limited(tmp_path, backend) as station:
        sent: dict[str, Any] = {k: v.format(url=backend.url) for k, v in change.items()}
        await set_and_restart(station, **sent)
        await station.until_state("available")
        await station.until_state("available", 2)
        assert left(station) == (0, 0)
        await station.until_online()
        answer = await backend.call("GetLocalListVersion", {})
        assert answer[2] == {"listVersion": 0}


async def test_the_orders_of_the_same_backend_outlive_restarts(tmp_path: Path) -> None:
    async with bare_backend() as backend, limited(tmp_path, backend) as station:
        await set_and_restart(station, WebSocketsBackendURL=backend.url + "/")
        await station.until_state("reserved")
        await station.until_state("unavailable", 2)
        assert left(station) == (2, 1)


async def test_a_relative_limit_of_the_station_counts_from_its_receipt_and_outlives_restarts(
    tmp_path: Path,
) -> None:
    """The first thing that a slider in a home automation sends."""
    async with bare_backend() as backend:
        made: dict[str, Any] = {"ConnectionType": "ethernet", "WebSocketsBackendURL": backend.url}
        async with running_station(tmp_path, ChargePointID="CP-1", **made) as station:
            await backend.wait_for_boot()
            sent = profile(1, "ChargePointMaxProfile", 10, "Relative")
            await order(backend, "SetChargingProfile", connectorId=0, csChargingProfiles=sent)
            await station.plug(1)
            await station.card()
            await station.until(lambda c: c["offered_a"][0] == 10.0)
            await restart(station)
            await station.until_online()
            asked = {"connectorId": 0, "duration": 60, "chargingRateUnit": "A"}
            answer = (await backend.call("GetCompositeSchedule", asked))[2]
            periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
            assert periods == [{"startPeriod": 0, "limit": 10.0}]
