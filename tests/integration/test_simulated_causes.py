"""What the simulator's causes do to a whole station: a full disk, a meter exchanged without
power."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from borne.adapters.storage.folder import free_bytes
from borne.application.ports.settings import SettingsNotSaved
from borne.application.ports.storage import StorageFull
from borne.domain.station.faults import Fault
from borne.foundation.files import write_private
from tests.integration.test_outside_contracts import FAST, api
from tests.support.frames import frame
from tests.support.running_station import CARD, RunningStation

FREE = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
SIMULATOR = "/api/v1/simulator"


async def sessions(station: RunningStation) -> list[Any]:
    assert station.host.station is not None
    page, _ = await station.host.station._parts.storage.journal.page()
    return page


async def test_on_a_full_disk_the_running_session_ends_and_nothing_new_begins(
    tmp_path: Path,
) -> None:
    async with api(tmp_path, **FREE) as (station, client):
        put = f"{SIMULATOR}/faults/disk-full"
        await station.plug(1, FAST)
        await station.until_state("charging")
        assert (await client.put(put, json={"active": True})).is_success
        assert free_bytes(tmp_path) == 0
        refused = await client.patch("/api/v1/settings", json={"OperatorCurrentLimit": 10})
        assert not refused.is_success
        await station.plug(2, FAST)
        await station.until(lambda _: Fault.STORAGE_FULL in station_faults(station))
        await station.simulator.unplug(1, force=True)
        await station.until_state("available")
        (ended,) = await sessions(station)
        assert ended.end is not None
        assert (await client.put(put, json={"active": False})).is_success
        assert free_bytes(tmp_path) > 0
        changed = await client.patch("/api/v1/settings", json={"OperatorCurrentLimit": 10})
        assert changed.is_success


def station_faults(station: RunningStation) -> set[str]:
    return {active.fault.value for active in station.services.status.snapshot().faults}


async def test_a_disk_that_fills_during_a_session_is_reported_and_the_session_goes_on(
    tmp_path: Path,
) -> None:
    async with api(tmp_path, **FREE) as (station, client):
        await station.plug(1, FAST)
        await station.until_state("charging")
        put = f"{SIMULATOR}/faults/disk-full"
        assert (await client.put(put, json={"active": True})).is_success
        running = station.host.station
        assert running is not None
        running.faults.check_free_space()  # it does so by itself every half minute
        assert Fault.STORAGE_FULL in station_faults(station)
        assert station.connector(1)["state"] == "charging"


async def test_every_file_of_the_station_is_on_the_full_disk(tmp_path: Path) -> None:
    async with api(tmp_path) as (station, client):
        await client.put(f"{SIMULATOR}/faults/disk-full", json={"active": True})
        assert station.host.station is not None
        storage = station.host.station._parts.storage
        with pytest.raises(StorageFull):
            await storage.state.put("key", "value")
        with pytest.raises(SettingsNotSaved):
            await station.set(OperatorCurrentLimit=10)
        with pytest.raises(OSError, match="No space left"):
            write_private(tmp_path / "certificates" / "own.pem", b"")
        await storage.frames.append([frame()])
        assert await storage.frames.tail() == []
        await client.put(f"{SIMULATOR}/faults/disk-full", json={"active": False})
        await storage.state.put("key", "value")
        await storage.frames.append([frame()])
        assert len(await storage.frames.tail()) == 1


async def test_the_full_disk_of_one_station_is_not_that_of_another(tmp_path: Path) -> None:
    async with api(tmp_path / "one") as (one, client), api(tmp_path / "two") as (two, _):
        await client.put(f"{SIMULATOR}/faults/disk-full", json={"active": True})
        with pytest.raises(SettingsNotSaved):
            await one.set(OperatorCurrentLimit=10)
        await two.set(OperatorCurrentLimit=10)


async def test_the_simulated_world_goes_on_while_the_station_has_no_power(tmp_path: Path) -> None:
    async with api(tmp_path) as (station, client):
        before = (await client.get(SIMULATOR)).json()["sockets"][0]["meter_serial"]
        await client.post(f"{SIMULATOR}/power", json={"action": "cut"})
        exchanged = await client.put(
            f"{SIMULATOR}/faults/meter-exchanged",
            json={"active": True, "connector": 1, "value": 4321},
        )
        assert exchanged.json() == {"power": "off"}
        assert (await client.post(f"{SIMULATOR}/connectors/1/plug", json=FAST)).is_success
        card = await client.post(f"{SIMULATOR}/cards", json={"uid": CARD})
        assert card.status_code == 409
        assert (await client.get("/api/v1/status")).status_code == 503
        await client.post(f"{SIMULATOR}/power", json={"action": "restore"})
        socket = (await client.get(SIMULATOR)).json()["sockets"][0]
        assert socket["meter_serial"] != before
        assert (await station.until_state("preparing"))["register_wh"] == 4321


@pytest.mark.parametrize(
    "body",
    [
        {"active": True, "value": True},
        {"active": True, "value": [1]},
        {"active": True, "value": {"high_a": "much"}},
        {"active": True, "value": {"high_a": -1}},
    ],
)
async def test_a_wrong_value_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with api(tmp_path) as (_, client):
        refused = await client.put(f"{SIMULATOR}/faults/car-pulses", json=body)
        assert refused.status_code == 422
        assert refused.json()["message"]


async def test_a_socket_wired_to_one_phase_lets_a_three_phase_car_draw_on_one(
    tmp_path: Path,
) -> None:
    wired = {"PhasesConnected": "single", "PhasesConnected_2": "single_it"}
    async with api(tmp_path, **FREE, **wired) as (station, client):
        for number in (1, 2):
            await station.plug(number, FAST)
            found = await station.until(lambda c: c["measured_a"][0] > 15, number)
            assert found["measured_a"] == [16, 0, 0]
            assert found["power_w"] == 16 * 230
            assert found["faults"] == []
        assert (await client.get(SIMULATOR)).json()["site"]["grid_a"] == [32, 0, 0]


async def test_changed_wiring_takes_effect_at_the_next_start(tmp_path: Path) -> None:
    async with api(tmp_path, **FREE) as (station, client):
        await station.set(PhasesConnected="single")
        volts = (await client.get(SIMULATOR)).json()["sockets"][0]["voltage_v"]
        assert volts == [230, 230, 230]
        await client.post(f"{SIMULATOR}/power", json={"action": "cut"})
        await client.post(f"{SIMULATOR}/power", json={"action": "restore"})
        volts = (await client.get(SIMULATOR)).json()["sockets"][0]["voltage_v"]
        assert volts == [230, 0, 0]
