"""A second opinion on every message: the station against a central system of another language,
whose strict mode validates requests and answers of both sides with schemas of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.integration.ocpp.node_backend import (
    CouldNotInstall,
    NodeBackend,
    node_backend,
    node_modules,
)
from tests.support.http_files import http_files
from tests.support.running_station import CARD, RunningStation, running_station

TAG = CARD.lower()


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    try:
        node_modules()
    except CouldNotInstall as why:
        pytest.skip(f"could not run: {why}")


@asynccontextmanager
async def session(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[NodeBackend, RunningStation]]:
    """A station that has booted; at the end nothing of what it said was invalid."""
    async with node_backend() as backend:
        url = f"ws://127.0.0.1:{backend.port}/ocpp"
        async with running_station(
            folder,
            ConnectionType="ethernet",
            WebSocketsBackendURL=url,
            ChargePointID="CP-1",
            **settings,
        ) as station:
            for connector in (0, 1, 2):
                await backend.wait_for(
                    "StatusNotification", connectorId=connector, status="Available"
                )
            yield backend, station
        assert backend.invalid == []


async def status(backend: NodeBackend, method: str, **params: Any) -> str:
    return str((await backend.call(method, **params)).get("status"))


def schedule(limit: float, **more: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit, "numberPhases": 3}
    return {"chargingRateUnit": "A", "chargingSchedulePeriod": [period], **more}


async def test_a_session_is_valid(tmp_path: Path) -> None:
    async with session(tmp_path, LocalPreAuthorize="false") as (backend, station):
        change = {"key": "MeterValueSampleInterval", "value": "1"}
        assert await status(backend, "ChangeConfiguration", **change) == "Accepted"
        values = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
        for key in ("MeterValuesSampledData", "StopTxnSampledData"):
            assert await status(backend, "ChangeConfiguration", key=key, value=values) == "Accepted"
        await station.plug(1, {"reaction_s": 0.1})
        await backend.wait_for("StatusNotification", connectorId=1, status="Preparing")
        await station.card()
        await backend.wait_for("Authorize", idTag=TAG)
        await backend.wait_for("StartTransaction", idTag=TAG, connectorId=1)
        await backend.wait_for("StatusNotification", connectorId=1, status="Charging")
        await backend.wait_for("MeterValues", transactionId=7001)
        profile = {
            "chargingProfileId": 1,
            "transactionId": 7001,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": schedule(8.4),
        }
        answer = await status(
            backend, "SetChargingProfile", connectorId=1, csChargingProfiles=profile
        )
        assert answer == "Accepted"
        for unit, limit in (("A", 8.4), ("W", 5796.0)):
            reply = await backend.call(
                "GetCompositeSchedule", connectorId=1, duration=300, chargingRateUnit=unit
            )
            (period,) = reply["chargingSchedule"]["chargingSchedulePeriod"]
            assert (period["startPeriod"], period["limit"]) == (0, limit)
        assert await status(backend, "RemoteStopTransaction", transactionId=7001) == "Accepted"
        stop = await backend.wait_for("StopTransaction", transactionId=7001)
        assert stop["reason"] == "Remote"
        assert stop["transactionData"]
        await backend.wait_for("StatusNotification", connectorId=1, status="Finishing")


async def test_firmware_and_diagnostics(tmp_path: Path) -> None:
    with http_files() as server:
        async with session(tmp_path) as (backend, _):
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            order = {"location": f"{server.location}/none.deb", "retrieveDate": now, "retries": 0}
            assert await backend.call("UpdateFirmware", **order) == {}
            await backend.wait_for("FirmwareStatusNotification", status="DownloadFailed")
            reply = await backend.call("GetDiagnostics", location=f"{server.location}/logs")
            assert reply["fileName"]
            await backend.wait_for("DiagnosticsStatusNotification", status="Uploaded")


TODAY = datetime.now(UTC).replace(microsecond=0)
TOMORROW = (TODAY + timedelta(days=1)).isoformat().replace("+00:00", "Z")
EVERYTHING: list[tuple[str, dict[str, Any], str | None]] = [
    ("GetConfiguration", {}, None),
    ("GetConfiguration", {"key": ["HeartbeatInterval", "None"]}, None),
    ("ChangeConfiguration", {"key": "None", "value": "1"}, "NotSupported"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "-1"}, "Rejected"),
    ("ClearCache", {}, "Accepted"),
    ("DataTransfer", {"vendorId": "none"}, "UnknownVendorId"),
    ("GetLocalListVersion", {}, None),
    (
        "SendLocalList",
        {
            "listVersion": 3,
            "updateType": "Full",
            "localAuthorizationList": [
                {"idTag": "A", "idTagInfo": {"status": "Accepted", "expiryDate": TOMORROW}}
            ],
        },
        "Accepted",
    ),
    ("SendLocalList", {"listVersion": 2, "updateType": "Differential"}, "VersionMismatch"),
    (
        "ReserveNow",
        {"connectorId": 2, "expiryDate": TOMORROW, "idTag": "A", "reservationId": 4},
        "Accepted",
    ),
    ("CancelReservation", {"reservationId": 4}, "Accepted"),
    ("CancelReservation", {"reservationId": 4}, "Rejected"),
    ("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 2, "type": "Operative"}, "Accepted"),
    ("UnlockConnector", {"connectorId": 1}, "Unlocked"),
    ("UnlockConnector", {"connectorId": 9}, "NotSupported"),
    (
        "SetChargingProfile",
        {
            "connectorId": 0,
            "csChargingProfiles": {
                "chargingProfileId": 5,
                "stackLevel": 0,
                "chargingProfilePurpose": "ChargePointMaxProfile",
                "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily",
                "chargingSchedule": schedule(20.0, startSchedule="2026-01-01T00:00:00Z"),
            },
        },
        "Accepted",
    ),
    ("GetCompositeSchedule", {"connectorId": 0, "duration": 600}, "Accepted"),
    ("GetCompositeSchedule", {"connectorId": 7, "duration": 600}, "Rejected"),
    ("ClearChargingProfile", {"id": 5}, "Accepted"),
    ("ClearChargingProfile", {}, "Unknown"),
    ("RemoteStartTransaction", {"idTag": "A", "connectorId": 0}, "Rejected"),
    ("RemoteStopTransaction", {"transactionId": 1}, "Rejected"),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Accepted"),
    ("Reset", {"type": "Soft"}, "Accepted"),
]


async def test_every_command_is_answered_validly(tmp_path: Path) -> None:
    async with session(tmp_path) as (backend, _):
        for method, params, wanted in EVERYTHING:
            answer = await backend.call(method, **params)
            assert "code" not in answer, (method, params, answer)
            assert answer.get("status") == wanted, (method, params, answer)
        for action in ("MeterValues", "Heartbeat", "FirmwareStatusNotification"):
            await backend.wait_for(action)
        await backend.wait_for("DiagnosticsStatusNotification", status="Idle")


async def test_its_validation_finds_an_invalid_message() -> None:
    """Otherwise its silence would prove nothing."""
    async with node_backend() as backend:
        url = f"ws://127.0.0.1:{backend.port}/ocpp/CP-1"
        async with connect(url, subprotocols=[Subprotocol("ocpp1.6")]) as socket:
            await socket.send('[2,"1","BootNotification",{"chargePointModel":"M"}]')
            assert json.loads(await socket.recv())[:2] == [4, "1"]
        assert [message["invalid"] for message in backend.invalid] == ["BootNotification"]
