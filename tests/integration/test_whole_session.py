"""A whole session: car, card, energy, and an independent central system that can write the bill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocpp.v16 import call

from tests.support.central_system import central_system
from tests.support.running_station import CARD, running_station


def backend_settings(url: str) -> dict[str, Any]:
    """A station that is configured to dial this central system."""
    return {"ConnectionType": "ethernet", "WebSocketsBackendURL": url, "ChargePointID": "CP-1"}


async def test_card_starts_and_stops_a_session(tmp_path: Path) -> None:
    async with (
        central_system() as central,
        running_station(
            tmp_path, MeterValueSampleInterval=1, **backend_settings(central.url)
        ) as station,
    ):
        ledger = central.ledger
        (boot,) = await ledger.wait_for("BootNotification")
        assert boot["charge_point_vendor"] == "borne"
        for connector in (0, 1, 2):
            await ledger.wait_for("StatusNotification", connector_id=connector, status="Available")

        await station.plug(1)
        await ledger.wait_for("StatusNotification", connector_id=1, status="Preparing")
        await station.card(CARD)
        (authorize,) = await ledger.wait_for("Authorize")
        assert authorize["id_tag"] == CARD.lower()
        (start,) = await ledger.wait_for("StartTransaction")
        await ledger.wait_for("StatusNotification", connector_id=1, status="Charging")

        values = await ledger.wait_for("MeterValues", count=3)
        registers = [_register(value) for value in values]
        assert registers == sorted(registers)
        assert registers[-1] > start["meter_start"]

        await station.card(CARD)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["reason"] == "Local"
        assert stop["transaction_id"] == values[0]["transaction_id"] == 1001
        assert stop["meter_stop"] >= registers[-1]
        assert station.connector()["register_wh"] == stop["meter_stop"]
        await ledger.wait_for("StatusNotification", connector_id=1, status="Finishing")
        await station.until(lambda connector: not connector["locked"])
        await station.simulator.unplug(1, force=False)
        await ledger.wait_for("StatusNotification", count=2, connector_id=1, status="Available")
        assert ledger.statuses(2) == ["Available"]


async def test_a_waiting_status_request_ends_when_the_link_changes(tmp_path: Path) -> None:
    async with (
        central_system() as central,
        running_station(tmp_path, **backend_settings(central.url)) as station,
    ):
        await station.until_online()
        status = station.services.status
        before = status.snapshot()
        assert before.backend.link == "connected"
        await station.simulator.set_link("backend", up=False, mode="refuse")
        after = await status.wait(before.revision, 10.0)
        assert after.backend.link != "connected"


async def test_the_backend_starts_and_stops_a_session(tmp_path: Path) -> None:
    async with (
        central_system() as central,
        running_station(tmp_path, **backend_settings(central.url)) as station,
    ):
        await central.ledger.wait_for("StatusNotification", connector_id=2, status="Available")
        await station.plug(2)
        await station.until_state("preparing", 2)
        answer = await central.call(call.RemoteStartTransaction(id_tag="remote", connector_id=2))
        assert answer.status == "Accepted"
        (start,) = await central.ledger.wait_for("StartTransaction")
        assert (start["connector_id"], start["id_tag"]) == (2, "remote")
        await station.until_state("charging", 2)
        answer = await central.call(call.RemoteStopTransaction(transaction_id=1001))
        assert answer.status == "Accepted"
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "Remote"


async def test_unplugging_the_vehicle_ends_the_session(tmp_path: Path) -> None:
    async with (
        central_system() as central,
        running_station(tmp_path, **backend_settings(central.url)) as station,
    ):
        await central.ledger.wait_for("StatusNotification", connector_id=1, status="Available")
        await station.plug(1)
        await station.card()
        await station.until_state("charging")
        await station.simulator.unplug(1, force=True)
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "EVDisconnected"
        await station.until_state("available")


async def test_a_power_cut_keeps_the_session(tmp_path: Path) -> None:
    async with (
        central_system() as central,
        running_station(tmp_path, **backend_settings(central.url)) as station,
    ):
        await station.plug(1)
        await central.ledger.wait_for("StatusNotification", connector_id=1, status="Preparing")
        await station.card()
        await station.until_state("charging")
        await central.ledger.wait_for("StartTransaction")
        await station.host.cut()
        assert station.host.services() is None
        await station.host.restore()
        await station.until_state("charging")
        assert central.ledger.of("StopTransaction") == []
        await station.card()
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["transaction_id"] == 1001
        # The cut may have come before the answer was committed: then it was asked for again.
        assert len(central.ledger.known) == 1


def _register(meter_values: dict[str, Any]) -> int:
    (value,) = meter_values["meter_value"]
    (register,) = [
        int(sampled["value"])
        for sampled in value["sampled_value"]
        if sampled["measurand"] == "Energy.Active.Import.Register"
    ]
    return register
