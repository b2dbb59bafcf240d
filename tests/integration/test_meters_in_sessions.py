"""Sessions on a meter in the network, and what the silence of a meter does (manual 9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from borne.adapters.simulation.world_measurement import world_measurement
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.station.faults import Fault
from tests.support.billing import CAR, RunningStation, billed_wh, check_messages, running_station
from tests.support.central_system import Ledger, central_system
from tests.support.running_station import running_station as station_at_once
from tests.support.served_meter import THREE_PHASES, ServedMeter, served_meter
from tests.support.simulated_world import world_of
from tests.support.virtual_time import virtual_time

SETTLED_S = 10.0
POLL_WH = 4
"""What 11 kW add from one poll to the next, rounded up."""
MISSED_S = 12.0
"""Three missed polls, and some time for what follows."""


@asynccontextmanager
async def on_a_meter(
    data: Path, prefix: str, source: str, **settings: Any
) -> AsyncIterator[tuple[RunningStation, ServedMeter]]:
    """A station with a meter in the network that sees what the simulated world has."""
    async with served_meter("siemens_7km2200") as meter:
        settings |= {
            f"{prefix}MeterConfig": "siemens_7km2200",
            f"{prefix}MeterIP": "127.0.0.1",
            f"{prefix}MeterPort": meter.port,
        }
        meter.silent = True
        async with running_station(data, **settings) as at:
            meter.measure = lambda: world_measurement(world_of(at.host), source)
            meter.silent = False
            await asyncio.sleep(SETTLED_S)
            yield at, meter


def site(at: RunningStation) -> SiteMeterStatus:
    service = at.station.services().site_meter
    assert service is not None
    return service.status


@virtual_time
async def test_a_session_is_billed_from_the_register_of_its_meter(tmp_path: Path) -> None:
    async with on_a_meter(tmp_path, "", "socket-1") as (at, _):
        await at.charge(120)
        assert 0 <= at.socket.register_wh - at.connector()["register_wh"] <= POLL_WH
        await at.simulator.unplug(1, force=True)
        await asyncio.sleep(10)
        record = await at.session()
        assert abs(billed_wh(record) - at.socket.energy_wh) <= 2
        assert record.end is not None
        assert not record.flags
        check_messages(await at.messages())


@virtual_time
async def test_a_silent_ocpp_meter_stops_the_transaction_at_its_last_register(
    tmp_path: Path,
) -> None:
    async with on_a_meter(tmp_path, "", "socket-1") as (at, meter):
        await at.charge(120)
        last_wh = at.connector()["register_wh"]
        meter.silent = True
        await asyncio.sleep(MISSED_S)
        assert Fault.METER_BILLING.value in at.faults
        assert (at.connector()["measured_a"], at.connector()["power_w"]) == (None, None)
        record = await at.session()
        assert record.end is not None, "the transaction was not stopped"
        assert 0 <= record.end.meter_stop_wh - last_wh <= 5
        meter.silent = False
        await asyncio.sleep(15)
        assert at.faults == set()
        assert 0 <= at.socket.register_wh - at.connector()["register_wh"] <= POLL_WH


@virtual_time
async def test_without_the_description_of_its_meter_nothing_is_charged_unbilled(
    tmp_path: Path,
) -> None:
    settings = {"MeterConfig": "user_defined", "MeterIP": "127.0.0.1"}
    async with running_station(tmp_path, **settings) as at:
        await at.simulator.plug(1, CAR)
        await asyncio.sleep(30)
        assert Fault.METER_BILLING.value in at.faults
        assert at.socket.energy_wh == 0
        assert at.connector()["session"] is None


@virtual_time
async def test_a_silent_external_meter_stops_nothing_and_shows_its_fallback(
    tmp_path: Path,
) -> None:
    on = {"DLMExternalMeterSupport": "on"}
    async with on_a_meter(tmp_path, "Second", "site", **on) as (at, meter):
        await at.charge(60)
        assert site(at).state is SiteMeterState.OK
        drawn_a = at.connector()["measured_a"]
        assert site(at).current_a == tuple(drawn_a)
        meter.silent = True
        await asyncio.sleep(MISSED_S)
        silent = site(at)
        assert silent.state is SiteMeterState.SILENT
        assert silent.current_a is None
        assert silent.fallback_a == (9999.0, 9999.0, 9999.0)
        assert Fault.METER_EXTERNAL in {each.fault for each in at.station.faults.active()}
        assert at.faults == set()
        assert at.connector()["state"] == "charging"
        assert at.connector()["measured_a"] == drawn_a
        meter.silent = False
        await asyncio.sleep(15)
        assert site(at).state is SiteMeterState.OK
        assert Fault.METER_EXTERNAL not in {each.fault for each in at.station.faults.active()}


@virtual_time
async def test_a_power_cut_leaves_no_meter_polling(tmp_path: Path) -> None:
    async with on_a_meter(tmp_path, "", "socket-1") as (at, meter):
        await at.charge(60)
        await at.host.cut()
        await asyncio.sleep(1)
        before = meter.requests
        await asyncio.sleep(60)
        assert meter.requests == before
        await at.host.restore()
        await asyncio.sleep(60)
        assert meter.requests > before
        assert 0 <= at.socket.register_wh - at.connector()["register_wh"] <= POLL_WH


async def test_a_backend_gets_type_and_serial_number_of_the_meter(tmp_path: Path) -> None:
    """OCPP 1.6, 6.3: both are at most 25 characters long."""
    numbered = replace(THREE_PHASES, serial_number="123456")
    async with (
        central_system(Ledger()) as central,
        served_meter("inepro_pro380", numbered) as meter,
    ):
        settings: dict[str, Any] = {
            "ConnectionType": "ethernet",
            "WebSocketsBackendURL": central.url,
            "ChargePointID": "CP-1",
            "MeterConfig": "inepro_pro380",
            "MeterSerialPort": f"tcp://127.0.0.1:{meter.port}",
        }
        async with station_at_once(tmp_path, **settings):
            await central.ledger.wait_for("BootNotification")
        (boot,) = central.ledger.of("BootNotification")
        assert boot["meter_type"] == "Inepro PRO380 (RTU)"
        assert boot["meter_serial_number"] == "123456"
