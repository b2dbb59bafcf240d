"""Every setting that the catalogue calls active: one test each, which fails if it is ignored.

A station in a simulated world of cars is driven from outside: cars, cards, an independent central
system, plain sockets, the status, the pages.
"""
# ruff: noqa: N802 -- a test is named after its setting

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from ocpp.v16 import call
from ocpp.v16.enums import ConfigurationKey
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Opcode
from websockets.typing import Subprotocol

from borne.adapters.control.socket import send_command
from borne.adapters.web import create_app
from borne.application.people.accounts import PasswordRefused
from borne.domain.principals import SYSTEM, Role
from borne.domain.station.faults import Fault
from tests.integration.ocpp.central import Central
from tests.integration.ocpp.central import central_system as strict_central
from tests.integration.ocpp.certificates import issue, make_root, server_context
from tests.integration.ocpp.test_tls_and_proxy import http_proxy
from tests.support.central_system import CentralSystem, Ledger, central_system
from tests.support.process import served
from tests.support.running_station import CARD, RunningStation, running_station
from tests.support.timeouts import TEST_TIMEOUT_S

FAST: dict[str, Any] = {"reaction_s": 0.1, "max_a": 32}
OTHER_CARD = "11223344"
NO_CARD: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "full_fixed_without_auth"}
"""The backend gets every message, and no card is needed."""


def dialling(url: str) -> dict[str, Any]:
    return {"ConnectionType": "ethernet", "WebSocketsBackendURL": url, "ChargePointID": "CP-1"}


OFFLINE = dialling("ws://127.0.0.1:9/ocpp")
"""A backend that does not exist."""


@asynccontextmanager
async def online(
    data: Path, ledger: Ledger | None = None, **changes: Any
) -> AsyncIterator[tuple[RunningStation, CentralSystem]]:
    """A station with its central system, both sockets reported as available."""
    async with (
        central_system(ledger) as central,
        running_station(data, **dialling(central.url) | changes) as station,
    ):
        for connector in (1, 2):
            await central.ledger.wait_for("StatusNotification", connector_id=connector)
        yield station, central


@asynccontextmanager
async def strict(data: Path, **changes: Any) -> AsyncIterator[tuple[RunningStation, Central]]:
    """A station with a central system that keeps the requests of the WebSocket handshake."""
    async with strict_central() as central:
        url = f"ws://127.0.0.1:{central.port}/ocpp"
        async with running_station(data, **dialling(url) | changes) as station:
            await station.until_online()
            yield station, central


@asynccontextmanager
async def pages(station: RunningStation, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the web interface with the rights of a role."""
    _, token = await station.services.accounts.create_token(role, "test")
    transport = httpx.ASGITransport(app=create_app(station.host), client=("127.0.0.1", 4711))
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://127.0.0.1:8080",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


def led(pattern: str) -> Callable[[dict[str, Any]], bool]:
    return lambda connector: connector["led"] == pattern


async def rejected(station: RunningStation, connector: int = 1) -> None:
    await station.until(led("rejected"), connector)


async def charge(station: RunningStation, connector: int = 1, **vehicle: Any) -> dict[str, Any]:
    """A car that needs no card takes current."""
    await station.plug(connector, FAST | vehicle)
    return await station.until(lambda c: c["power_w"] > 0, connector)


async def leave_at_the_car(station: RunningStation, connector: int = 1) -> None:
    """The car leaves and its cable stays in the socket."""
    await station.simulator.set_fault("pilot-open", active=True, connector=connector)


# The way to the backend -----------------------------------------------------------------------


async def test_ConnectionType(tmp_path: Path) -> None:
    async with central_system() as central:
        off = dialling(central.url) | {"ConnectionType": "no_backend"}
        async with running_station(tmp_path, **off) as station:
            await station.until_state("available", 2)
            assert station.services.status.snapshot().backend.link == "off"
        assert central.ledger.seen == []
        async with running_station(tmp_path, ConnectionType="ethernet"):
            await central.ledger.wait_for("BootNotification")


async def test_ChargePointID(tmp_path: Path) -> None:
    async with online(tmp_path, ChargePointID="rue-haute-7") as (_, central):
        assert list(central.charge_points) == ["rue-haute-7"]


async def test_WebSocketsBackendURL(tmp_path: Path) -> None:
    async with strict(tmp_path) as (_, central):
        assert [request.path for request in central.requests] == ["/ocpp/CP-1"]


async def test_WebSocketPingInterval(tmp_path: Path) -> None:
    pinged = asyncio.Event()

    class Pinged(ServerConnection):
        def process_event(self, event: Any) -> None:
            if getattr(event, "opcode", None) is Opcode.PING:
                pinged.set()
            super().process_event(event)

    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()

    protocols = [Subprotocol("ocpp1.6")]
    async with serve(
        silent, "127.0.0.1", 0, subprotocols=protocols, create_connection=Pinged, close_timeout=1
    ) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with (
            running_station(tmp_path, WebSocketPingInterval=0, **dialling(url)) as station,
            asyncio.timeout(TEST_TIMEOUT_S),
        ):
            await station.until_backend(lambda view: view.link == "connected")
            await station.set(WebSocketPingInterval=1)  # at once, on the same connection
            await pinged.wait()


async def test_LightIntensity(tmp_path: Path) -> None:
    def percents() -> list[int]:
        return [socket["led_percent"] for socket in station.simulator.view()["sockets"]]

    async with running_station(tmp_path, LightIntensity=40) as station:
        assert percents() == [40, 40]
        await station.set(LightIntensity=0)
        assert percents() == [0, 0]


async def test_BlinkRepeat(tmp_path: Path) -> None:
    async with running_station(tmp_path, BlinkRepeat=4) as station:
        await station.card()
        await rejected(station)
        await station.until(led("available"))
        await station.set(BlinkRepeat=0)
        running, judged = station.host.station, asyncio.Event()
        assert running is not None
        running.authorization.outcome.subscribe(lambda _: judged.set())
        await station.card()
        await asyncio.wait_for(judged.wait(), 10)
        assert station.connector()["led"] != "rejected"


async def test_AuthorizationKey(tmp_path: Path) -> None:
    async with strict(tmp_path, AuthorizationKey="wattwattwattwatt") as (_, central):
        (request,) = central.requests
        kind, _, value = request.headers["Authorization"].partition(" ")
        assert (kind, base64.b64decode(value)) == ("Basic", b"CP-1:wattwattwattwatt")


async def test_WebSocketsProxy(tmp_path: Path) -> None:
    async with (
        http_proxy() as proxy,
        strict(tmp_path, WebSocketsProxy=f"127.0.0.1:{proxy.port}") as (_, central),
    ):
        (request,) = proxy.requests
        assert request.startswith(f"CONNECT 127.0.0.1:{central.port} ")


ROOT = make_root()
SERVERS = {
    "expired": issue(ROOT, expired=True),
    "other host": issue(ROOT, "192.0.2.1"),
    "both": issue(ROOT, "192.0.2.1", expired=True),
    "stranger": issue(make_root("Stranger")),
}


@pytest.mark.parametrize(
    ("level", "good", "bad"),
    [
        ("encrypt_only", "stranger", None),
        ("allow_expired_skip_host", "both", "stranger"),
        ("skip_host", "other host", "expired"),
        ("allow_expired", "expired", "other host"),
        ("normal", None, "other host"),
    ],
)
async def test_SSLStrictnessClient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, good: str | None, bad: str | None
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ROOT.write(tmp_path, "root")[0]))
    for name in filter(None, (good, bad)):
        folder = tmp_path / name
        folder.mkdir()
        async with strict_central(tls=server_context(SERVERS[name], folder)) as central:
            url = f"wss://127.0.0.1:{central.port}/"
            async with running_station(
                folder, SSLStrictnessClient=level, **dialling(url)
            ) as station:
                view = await station.until_backend(
                    lambda view: view.boot == "accepted" or view.last_error != ""
                )
                assert ("certificate refused" in view.last_error) == (name == bad)


async def test_BackendConnectionTimeout(tmp_path: Path) -> None:
    async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with running_station(tmp_path, BackendConnectionTimeout=1, **dialling(url)) as station:
        view = await station.until_backend(lambda view: view.last_error != "")
        assert "no answer within 1 s" in view.last_error
    server.close()
    await server.wait_closed()


# What the backend receives --------------------------------------------------------------------


async def boot(data: Path, **changes: Any) -> dict[str, Any]:
    async with online(data, **changes) as (_, central):
        return central.ledger.of("BootNotification")[0]


async def test_ChargePointVendor(tmp_path: Path) -> None:
    assert (await boot(tmp_path, ChargePointVendor="Watt"))["charge_point_vendor"] == "Watt"


async def test_ChargePointModel(tmp_path: Path) -> None:
    assert (await boot(tmp_path, ChargePointModel="Twin"))["charge_point_model"] == "Twin"


async def test_ChargePointSerialNumber(tmp_path: Path) -> None:
    answers = await boot(tmp_path, ChargePointSerialNumber="4711")
    assert answers["charge_point_serial_number"] == "4711"


async def test_HeartbeatInterval(tmp_path: Path) -> None:
    async with online(tmp_path) as (_, central):
        key = ConfigurationKey.heartbeat_interval
        answer = await central.call(call.ChangeConfiguration(key=key, value="1"))
        assert answer.status == "Accepted"
        await central.ledger.wait_for("Heartbeat", count=2)


async def test_ForceHeartbeat(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"ForceHeartbeat": "off", "MeterValueSampleInterval": 1}
    async with online(tmp_path, Ledger(interval_s=2), **NO_CARD | changes) as (station, central):
        await charge(station)
        await central.ledger.wait_for("MeterValues", count=3)
        before = len(central.ledger.of("Heartbeat"))
        await central.ledger.wait_for("MeterValues", count=6)
        assert len(central.ledger.of("Heartbeat")) == before
        await station.set(ForceHeartbeat=True)
        await central.ledger.wait_for("Heartbeat", count=before + 1)


async def test_SendErrorStatusNotifications(tmp_path: Path) -> None:
    async with online(tmp_path, SendErrorStatusNotifications="off") as (station, central):
        answers = []
        for connector in (1, 2):
            await station.simulator.set_fault("residual-current", active=True, connector=connector)
            faulted: dict[str, Any] = {"connector_id": connector, "status": "Faulted"}
            answers += await central.ledger.wait_for("StatusNotification", **faulted)
            await station.set(SendErrorStatusNotifications=True)
        assert [bool(status.get("vendor_error_code")) for status in answers] == [False, True]


@pytest.mark.parametrize(("early", "status"), [("on", "Preparing"), ("off", "SuspendedEV")])
async def test_PreparingUntilStateC(tmp_path: Path, early: str, status: str) -> None:
    changes = NO_CARD | {"PreparingUntilStateC": early}
    async with online(tmp_path, **changes) as (station, central):
        await station.plug(1, FAST | {"wants_charge": False})
        await central.ledger.wait_for("StartTransaction")
        await station.until_state("suspended_ev")
        # Statuses are sent in order: this one comes after all of connector 1.
        await station.simulator.set_fault("residual-current", active=True, connector=2)
        await central.ledger.wait_for("StatusNotification", connector_id=2, status="Faulted")
        assert central.ledger.statuses(1)[-1] == status
        await station.simulator.change_vehicle(1, {"wants_charge": True})
        await central.ledger.wait_for("StatusNotification", connector_id=1, status="Charging")


async def test_AllowLongGetConfigurationKeys(tmp_path: Path) -> None:
    async with central_system() as central:
        url = f"{central.url}/".ljust(512, "x")
        async with running_station(tmp_path, **dialling(url)) as station:
            answers = []
            for _ in range(2):
                # The standard's schema knows no longer values.
                answer = await central.call(
                    call.GetConfiguration(key=["WebSocketsBackendURL"]), validated=False
                )
                answers.append(answer.configuration_key[0]["value"])
                await station.set(AllowLongGetConfigurationKeys=True)
            assert answers == [url[:500], url]


async def test_MeterValueSampleInterval(tmp_path: Path) -> None:
    async with online(tmp_path, **NO_CARD) as (station, central):
        request = call.ChangeConfiguration(key="MeterValueSampleInterval", value="1")
        await charge(station)
        assert central.ledger.of("MeterValues") == []
        assert (await central.call(request)).status == "Accepted"
        await central.ledger.wait_for("MeterValues", count=2)


async def test_MeterValuesSampledData(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"MeterValueSampleInterval": 1, "MeterValuesSampledData": "Voltage"}
    async with online(tmp_path, **NO_CARD | changes) as (station, central):
        await charge(station)
        (answers,) = await central.ledger.wait_for("MeterValues")
        (value,) = answers["meter_value"]
        assert {sampled["measurand"] for sampled in value["sampled_value"]} == {"Voltage"}


async def test_StopTxnSampledData(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"StopTxnSampledData": "Energy.Active.Import.Register"}
    async with online(tmp_path, **NO_CARD | changes) as (station, central):
        await charge(station)
        await station.simulator.unplug(1, force=True)
        (stop,) = await central.ledger.wait_for("StopTransaction")
        contexts = [v["sampled_value"][0]["context"] for v in stop["transaction_data"]]
        assert contexts == ["Transaction.Begin", "Transaction.End"]


# Transaction messages -------------------------------------------------------------------------


class Fails(Exception):
    """The central system answers with an error."""


def fail(_: str) -> str:
    raise Fails


async def test_TransactionMessageAttempts(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "TransactionMessageAttempts": 2,
        "TransactionMessageRetryInterval": 0,
    }
    async with online(tmp_path, Ledger(judge=fail), **NO_CARD | changes) as (station, central):
        await charge(station)
        await station.simulator.unplug(1, force=True)
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["transaction_id"] == -1
        assert len(central.ledger.of("StartTransaction")) == 2


async def test_TransactionMessageRetryInterval(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"TransactionMessageRetryInterval": 0}
    async with online(tmp_path, Ledger(judge=fail), **NO_CARD | changes) as (station, central):
        await station.plug(1, FAST)
        await central.ledger.wait_for("StartTransaction", count=3)


# Sessions -------------------------------------------------------------------------------------


async def test_RestartTransactionAfterPowerLoss(tmp_path: Path) -> None:
    changes = NO_CARD | {"RestartTransactionAfterPowerLoss": "off"}
    async with online(tmp_path, **changes) as (station, central):
        await charge(station)
        await central.ledger.wait_for("StartTransaction")
        await station.host.cut()
        await station.host.restore()
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "PowerLoss"
        await station.set(RestartTransactionAfterPowerLoss=True)
        await central.ledger.wait_for("StartTransaction", count=2)
        await station.until_state("charging")
        await station.host.cut()
        await station.host.restore()
        await station.until_state("charging")
        assert len(central.ledger.of("StopTransaction")) == 1


async def test_StopTransactionOnInvalidId(tmp_path: Path) -> None:
    ledger = Ledger(judge=lambda _: "Invalid")
    async with online(tmp_path, ledger, **NO_CARD) as (station, _):
        await station.plug(1, FAST)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["reason"] == "DeAuthorized"
        await station.set(StopTransactionOnInvalidId=False)
        await station.plug(2, FAST)
        await station.until_state("suspended_evse", 2)
        assert len(ledger.of("StopTransaction")) == 1


async def test_StopTransactionOnEVSideDisconnect(tmp_path: Path) -> None:
    changes = NO_CARD | {"StopTransactionOnEVSideDisconnect": "false"}
    async with online(tmp_path, **changes) as (station, central):
        await charge(station)
        await leave_at_the_car(station)
        await station.until(lambda c: c["pilot"].startswith("A"))
        request = call.RemoteStopTransaction(transaction_id=1001)
        assert (await central.call(request)).status == "Accepted"
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "Remote"
        await station.set(StopTransactionOnEVSideDisconnect=True)
        await charge(station, 2)
        await leave_at_the_car(station, 2)
        stops = await central.ledger.wait_for("StopTransaction", count=2)
        assert stops[1]["reason"] == "EVDisconnected"


async def test_UnlockConnectorOnEVSideDisconnect(tmp_path: Path) -> None:
    async with online(tmp_path, UnlockConnectorOnEVSideDisconnect="off") as (station, central):
        for connector in (1, 2):
            await station.plug(connector, FAST)
            await station.card(number=connector)
            await station.until_state("charging", connector)
        await leave_at_the_car(station, 1)
        await central.ledger.wait_for("StopTransaction")
        await station.set(UnlockConnectorOnEVSideDisconnect=True)
        await leave_at_the_car(station, 2)
        await central.ledger.wait_for("StopTransaction", count=2)
        await station.until(lambda c: not c["locked"], 2)
        assert station.connector(1)["locked"]


async def test_StopTransactionMode(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"StopTransactionMode": "only_disconnect"}
    async with online(tmp_path, **changes) as (station, central):
        await station.plug(1, FAST)
        await station.card()
        await station.until_state("charging")
        await station.card(number=None)
        await station.until_state("suspended_evse")
        assert central.ledger.of("StopTransaction") == []
        await station.simulator.unplug(1, force=True)
        (stop,) = await central.ledger.wait_for("StopTransaction")
        assert stop["reason"] == "EVDisconnected"


async def test_LockActuatorOnlyIfAuthorized(tmp_path: Path) -> None:
    async with running_station(
        tmp_path, LockActuatorOnlyIfAuthorized="on", FLLEnable="on"
    ) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.plug(1, FAST)
        await station.until_state("preparing")
        assert not station.connector(1)["locked"]
        await station.set(LockActuatorOnlyIfAuthorized=False)
        await station.until(lambda c: c["locked"], 1)
        await station.plug(2, FAST)
        await station.until(lambda c: c["locked"], 2)
        await station.set(LockActuatorOnlyIfAuthorized=True)
        for connector in (1, 2):
            await station.until(lambda c: not c["locked"], connector)
        await station.card()
        await station.until(lambda c: c["locked"])


async def test_ConnectionTimeOut(tmp_path: Path) -> None:
    async with running_station(tmp_path, ConnectionTimeOut=1, FLLEnable="on") as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.card()
        await station.until_state("authorized")
        await station.until_state("available")


async def test_VentilationAvailable(tmp_path: Path) -> None:
    async with running_station(tmp_path, FreeCharging="on") as station:
        await station.plug(1, FAST | {"ventilation": True})
        await station.until(lambda c: c["pilot"].startswith("D"))
        await station.until_state("suspended_evse")
        await station.set(VentilationAvailable=True)
        await station.until(lambda c: c["power_w"] > 0, 1)
        await station.set(VentilationAvailable=False)
        await station.until_state("suspended_evse")
        await station.set(VentilationAvailable=True)
        assert (await charge(station, 2, ventilation=True))["state"] == "charging"


# Who may charge -------------------------------------------------------------------------------


async def test_FreeCharging(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        await station.plug(1, FAST)
        await station.until_state("preparing")
        await station.set(FreeCharging=True)
        await station.until_state("charging")


async def test_FreeChargingMode(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "status_with_auth"}
    async with online(tmp_path, **changes) as (station, central):
        await station.plug(1, FAST)
        await station.until_state("preparing")
        await station.card()
        await station.until_state("charging")
        await station.set(FreeChargingMode="full_any_rfid")
        await station.plug(2, FAST)
        await station.until_state("preparing", 2)
        await station.card(OTHER_CARD, 2)
        (start,) = await central.ledger.wait_for("StartTransaction")
        assert (start["connector_id"], start["id_tag"]) == (2, OTHER_CARD)


async def test_FreeChargingRfidTag(tmp_path: Path) -> None:
    changes = NO_CARD | {"FreeChargingRfidTag": "commune"}
    async with online(tmp_path, **changes) as (station, central):
        await station.plug(1, FAST)
        (start,) = await central.ledger.wait_for("StartTransaction")
        assert start["id_tag"] == "commune"


async def test_IfInDoubtAllowCharging(tmp_path: Path) -> None:
    async with running_station(tmp_path, **OFFLINE) as station:
        await station.card()
        await rejected(station)
        await station.set(IfInDoubtAllowCharging="on")
        await station.card(number=2)
        await station.until_state("authorized", 2)
        await station.plug(1, FAST)
        await station.until_state("preparing")
        await station.set(IfInDoubtAllowCharging="immediately")
        await station.until_state("charging")


async def test_AllowOfflineTxForUnknownId(tmp_path: Path) -> None:
    async with running_station(tmp_path, AllowOfflineTxForUnknownId="true", **OFFLINE) as station:
        await station.card()
        await station.until_state("authorized")
        await station.set(AllowOfflineTxForUnknownId=False)
        await station.card(number=2)
        await rejected(station, 2)


async def test_AuthorizeRemoteTxRequests(tmp_path: Path) -> None:
    async with online(tmp_path, AuthorizeRemoteTxRequests="off") as (station, central):
        for connector in (1, 2):
            await station.plug(connector, FAST)
            await station.until_state("preparing", connector)
            request = call.RemoteStartTransaction(id_tag=f"R{connector}", connector_id=connector)
            assert (await central.call(request)).status == "Accepted"
            await central.ledger.wait_for("StartTransaction", connector_id=connector)
            await station.set(AuthorizeRemoteTxRequests=True)
        assert [asked["id_tag"] for asked in central.ledger.of("Authorize")] == ["R2"]


async def test_RFIDTagLetterCase(tmp_path: Path) -> None:
    async with online(tmp_path, RFIDTagLetterCase="upper_inverted") as (station, central):
        await station.card("04567DAA5F3580")
        (asked,) = await central.ledger.wait_for("Authorize")
        assert asked["id_tag"] == "80355FAA7D5604"


async def test_EnforceSecureRFID(tmp_path: Path) -> None:
    async with running_station(tmp_path, EnforceSecureRFID="on", FLLEnable="on") as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.card()
        await rejected(station)
        await station.simulator.present_card(uid=CARD, connector=2, secure=True)
        await station.until_state("authorized", 2)


async def test_FLLEnable(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.card()
        await rejected(station)
        await station.set(FLLEnable=True)
        await station.card(number=2)
        await station.until_state("authorized", 2)


async def learn(data: Path, **changes: Any) -> None:
    """A station that has asked its backend about a card, and keeps the answer."""
    async with online(data, **changes) as (station, central):
        await station.card()
        await central.ledger.wait_for("Authorize")
        await station.until_state("authorized")


async def test_AuthorizationCacheEnabled(tmp_path: Path) -> None:
    async with online(tmp_path, AuthorizationCacheEnabled="off") as (station, central):
        for connector, enabled in ((1, False), (2, True)):
            await station.set(AuthorizationCacheEnabled=enabled)
            answer = await central.call(call.ClearCache())
            assert answer.status == ("Accepted" if enabled else "Rejected")
            await station.card(number=connector)
            await station.until_state("authorized", connector)
        assert len(central.ledger.of("Authorize")) == 2
        await station.card(number=None)
        await central.stop()
        await station.until_backend(lambda view: view.link != "connected")
    async with running_station(tmp_path, **OFFLINE) as station:
        await station.card()
        await station.until_state("authorized")
        await station.set(AuthorizationCacheEnabled=False)
        await station.card(number=2)
        await rejected(station, 2)


@pytest.mark.parametrize(("mode", "known"), [("end_2038", True), ("one_year", False)])
async def test_CacheExpiryMode(tmp_path: Path, mode: str, known: bool) -> None:
    await learn(tmp_path, CacheExpiryMode=mode)
    later = datetime.now(UTC) + timedelta(days=400)
    async with running_station(tmp_path, wall=lambda: later, **OFFLINE) as station:
        await station.card()
        await (station.until_state("authorized") if known else rejected(station))


async def test_LocalPreAuthorize(tmp_path: Path) -> None:
    async with online(tmp_path) as (station, central):
        await station.card(number=1)
        await station.until_state("authorized", 1)
        await station.card(number=2)
        await station.until_state("authorized", 2)
        assert len(central.ledger.of("Authorize")) == 1
    async with online(tmp_path, LocalPreAuthorize="off") as (station, central):
        await station.card()
        await central.ledger.wait_for("Authorize")


@pytest.mark.parametrize("asks", [False, True])
async def test_SendAuthorizeForStop(tmp_path: Path, asks: bool) -> None:
    """Another card of the same group, which the station knows, ends a session."""
    ledger = Ledger(parents={CARD.lower(): "family", OTHER_CARD: "family"})
    async with online(tmp_path, ledger, SendAuthorizeForStop=asks) as (station, _):
        await station.card(OTHER_CARD, 2)
        await station.until_state("authorized", 2)
        await station.plug(1, FAST)
        await station.card(CARD)
        await station.until(lambda c: c["power_w"] > 0)
        await station.card(OTHER_CARD)
        (stop,) = await ledger.wait_for("StopTransaction")
        assert stop["id_tag"] == OTHER_CARD
        assert len(ledger.of("Authorize", id_tag=OTHER_CARD)) == 1 + asks


async def test_RFIDEnable(tmp_path: Path) -> None:
    dead = Fault.CARD_READER.value
    listed: dict[str, Any] = {"FLLEnable": "on", "RFIDEnable": "off"}
    async with running_station(tmp_path, **listed) as station:
        await station.services.whitelist.add(CARD, SYSTEM)
        await station.card()
        await station.set(RFIDEnable=True)
        await station.card(number=2)
        await station.until_state("authorized", 2)
        assert station.connector(1)["state"] == "available"
        await station.simulator.set_fault("rfid-reader", active=True, connector=None)
        assert [active.fault for active in station.services.status.snapshot().faults] == [dead]
        await station.set(RFIDEnable=False)
        assert station.services.status.snapshot().faults == ()


async def test_LocalAuthorizeOffline(tmp_path: Path) -> None:
    await learn(tmp_path)
    async with running_station(tmp_path, LocalAuthorizeOffline="off", **OFFLINE) as station:
        await station.card()
        await rejected(station)
        await station.set(LocalAuthorizeOffline=True)
        await station.card(number=2)
        await station.until_state("authorized", 2)


# Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector", [1, 2])
async def test_OperatorCurrentLimit(tmp_path: Path, connector: int) -> None:
    await check_limit(tmp_path, "OperatorCurrentLimit", connector)


async def test_InstallationCurrentLimit(tmp_path: Path) -> None:
    await check_limit(tmp_path, "InstallationCurrentLimit", 2)


async def test_MaximumCurrent(tmp_path: Path) -> None:
    await check_limit(tmp_path, "MaximumCurrent", 2)


async def check_limit(data: Path, key: str, connector: int) -> None:
    """Board, cable and car can do 32 A; the setting of this socket alone says 13 A."""
    name = key if connector == 1 else f"{key}_{connector}"
    changes: dict[str, Any] = {"FreeCharging": "on", name: 13}
    async with running_station(data, **changes) as station:
        limited = await charge(station, connector)
        assert limited["offered_a"] == [13.0] * 3
        assert max(limited["measured_a"]) <= 13.0
        other = await charge(station, 3 - connector)
        assert other["offered_a"] == [32.0] * 3


# People ---------------------------------------------------------------------------------------


async def test_StationName(tmp_path: Path) -> None:
    async with (
        running_station(tmp_path, StationName="Rue Haute 7") as station,
        pages(station, Role.OPERATOR) as client,
    ):
        assert "Rue Haute 7" in (await client.get("/")).text


async def test_ConnectorName(tmp_path: Path) -> None:
    async with running_station(tmp_path, ConnectorName_2="left") as station:
        assert [station.connector(number)["name"] for number in (1, 2)] == ["", "left"]


async def test_OperatorMayInstall(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station, pages(station, Role.OPERATOR) as client:
        answers = []
        for amps in (16, 20):
            body = {"InstallationCurrentLimit": amps}
            answers.append((await client.patch("/api/v1/settings", json=body)).status_code)
            await station.set(OperatorMayInstall=False)
        assert answers == [200, 422]


async def test_installation_settings_need_the_installer_once_a_password_is_set(
    tmp_path: Path,
) -> None:
    raised = {"InstallationCurrentLimit": 20}
    async with running_station(tmp_path) as station, pages(station, Role.OPERATOR) as client:
        answers = [await client.patch("/api/v1/settings", json={"InstallationCurrentLimit": 16})]
        await station.services.accounts.set_password(Role.INSTALLER, "a quite long password")
        answers.append(await client.patch("/api/v1/settings", json=raised))
        assert [answer.status_code for answer in answers] == [200, 422]
    async with running_station(tmp_path) as station, pages(station, Role.OPERATOR) as client:
        assert (await client.patch("/api/v1/settings", json=raised)).status_code == 422
        # A password that is taken away does not give the installation back.
        await station.services.accounts.set_password(Role.INSTALLER, None)
        assert (await client.patch("/api/v1/settings", json=raised)).status_code == 422
        await station.set(OperatorMayInstall=True)
        assert (await client.patch("/api/v1/settings", json=raised)).status_code == 200


async def test_EnforceStrongPasswords(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station:
        accounts = station.services.accounts
        await accounts.set_password(Role.USER, "onlysmallletters")
        await station.set(EnforceStrongPasswords=True)
        with pytest.raises(PasswordRefused):
            await accounts.set_password(Role.USER, "onlysmallletters")


async def test_EnforcePasswordChange(tmp_path: Path) -> None:
    password = "a good password"
    async with running_station(tmp_path) as station:
        accounts = station.services.accounts
        await accounts.set_password(Role.OPERATOR, password)
        _, login = await accounts.login("operator", password, "127.0.0.1")
        assert not login.must_change
        with watched(accounts) as required:
            await station.set(EnforcePasswordChange=True)
            await asyncio.wait_for(required.wait(), TEST_TIMEOUT_S)
        assert await must_change(station, password)
        _, login = await accounts.login("operator", password, "127.0.0.1")
        await accounts.change_password(login, "", "another good password")
        assert not await must_change(station, "another good password")
        await station.set(EnforcePasswordChange=False, EnforceStrongPasswords=True)
        assert not await must_change(station, "another good password")


@contextmanager
def watched(accounts: Any) -> Iterator[asyncio.Event]:
    """Set when the operator's password has become one that must be changed."""
    required = asyncio.Event()
    original = accounts.require_change

    async def watch(role: Role) -> None:
        await original(role)
        required.set()

    with mock.patch.object(accounts, "require_change", watch):
        yield required


async def must_change(station: RunningStation, password: str) -> bool:
    """Whether the operator's login opens only the page for a new password."""
    async with visitors(station) as client:
        fields = {"name": "operator", "password": password}
        answer = await client.post("/login", data=fields)
        return bool(answer.headers["location"] == "/account/password")


@asynccontextmanager
async def visitors(station: RunningStation) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the web interface, not logged in."""
    transport = httpx.ASGITransport(app=create_app(station.host), client=("127.0.0.1", 4711))
    base = "http://127.0.0.1:8080"
    headers = {"Origin": base, "Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        yield client


async def test_EnforceMasterRFID(tmp_path: Path) -> None:
    password = "a good password"
    fields = {"name": "operator", "password": password}
    async with running_station(tmp_path) as station:
        await station.services.accounts.set_password(Role.OPERATOR, password)
        led_to = []
        for changes in ({}, {"EnforceMasterRFID": True}, {"MasterRFID": CARD}):
            await station.set(**changes)
            async with visitors(station) as client:
                answer = await client.post("/login", data=fields)
                led_to.append(answer.headers["location"])
        assert led_to == ["/", "/account?card=enforced", "/"]


async def test_WebHostNames(tmp_path: Path) -> None:
    headers = {"host": "station.example"}
    async with running_station(tmp_path) as station, visitors(station) as client:
        assert (await client.get("/login", headers=headers)).status_code == 421
        await station.set(WebHostNames=["Station.Example"])
        assert (await client.get("/login", headers=headers)).status_code == 200
        await station.host.cut()
        assert (await client.get("/healthz", headers=headers)).status_code == 200


async def test_RestStateOpen(tmp_path: Path) -> None:
    async with running_station(tmp_path, FreeCharging="on") as station, visitors(station) as client:
        await charge(station)
        headers = {"accept": "text/plain"}
        assert (await client.get("/rest/full_state", headers=headers)).status_code == 401
        await station.set(RestStateOpen=True)
        answers = (await client.get("/rest/full_state", headers=headers)).text
        assert "conn_state:vehicle_charging_type2\n" in answers
        await station.set(RestStateOpen=False)
        assert (await client.get("/rest/full_state", headers=headers)).status_code == 401


def test_LogLevel(tmp_path: Path) -> None:
    with served("--data", tmp_path, "--set", "LogLevel=error") as running:
        for change in ({"FLLEnable": "on"}, {"LogLevel": "info"}, {"StationName": "shown"}):
            assert "result" in send_command(tmp_path, "settings-set", {"changes": change})
        running.wait_for(running.err, "settings changed.*StationName")
        assert "FLLEnable" not in "".join(running.lines)


async def test_TimeZone(tmp_path: Path) -> None:
    evening = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    changes: dict[str, Any] = {"TimeZone": "Asia/Tokyo", "FreeCharging": "on"}
    async with (
        running_station(tmp_path, wall=lambda: evening, **changes) as station,
        pages(station, Role.OPERATOR) as client,
    ):
        await charge(station)
        assert "2026-11-23 05:00" in (await client.get("/sessions")).text


# Protection ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "found"), [("opto_c6_5", True), ("disable", False)])
async def test_WeldCheck(tmp_path: Path, mode: str, found: bool) -> None:
    async with running_station(tmp_path, FreeCharging="on", WeldCheck=mode) as station:
        await charge(station)
        await station.simulator.set_fault("contactor-welded", active=True, connector=1)
        await station.services.control.stop(1, SYSTEM)
        ended = await station.until_state("faulted" if found else "finishing")
        answers = [fault["id"] for fault in ended["faults"]]
        assert answers == ([Fault.CONTACTOR_WELDED.value] if found else [])
        if not found:
            await station.until(lambda c: not c["locked"])


# What people read ---------------------------------------------------------------------------------


async def test_WebUILanguage(tmp_path: Path) -> None:
    async with running_station(tmp_path) as station, visitors(station) as client:
        assert "Passwort" not in (await client.get("/login")).text
        await station.set(WebUILanguage="de")
        assert "Passwort" in (await client.get("/login")).text
        client.cookies.set("borne_language", "fr")
        assert "Se connecter" in (await client.get("/login")).text


async def test_DisplayType(tmp_path: Path) -> None:
    async with (
        running_station(tmp_path) as station,
        pages(station, Role.USER) as client,
    ):
        assert 'class="lcd"' not in (await client.get("/")).text
        await station.set(DisplayType="dpm2x16fp")
        html = (await client.get("/")).text
        assert html.count('class="lcd"') == 2
        assert "Show your card" in html


async def test_DisplayLanguage(tmp_path: Path) -> None:
    async with running_station(tmp_path, FreeCharging="on", DisplayLanguage="german") as station:
        await station.until_state("available")
        assert station.connector()["display"] == [["Bereit", "Bitte einstecken"]]
        await charge(station)
        ((first, second),) = (await station.until(lambda c: c["power_w"] > 7000))["display"]
        assert first == "Lädt"
        assert second.startswith("22,1kW 0,")
        await station.set(DisplayLanguage="multi")
        titles = [first for first, _ in station.connector()["display"]]
        assert titles == ["Charging", "Lädt", "Charge en cours", "Laden"]
