"""Every fault of the catalogue from its physical cause, in a whole station on virtual time: what
the status, the pages and the log show, whether the transaction stops, and how it is cleared (manual
9, decision 0072). What a backend receives for the same rows: `test_fault_notifications`.

Nothing is injected but causes of the simulated world; the station finds the rest by itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from borne.adapters.simulation.faults import CATALOGUE as CAUSES
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.web import create_app
from borne.app import Host, HostOptions
from borne.application.station import Station
from borne.domain.principals import SYSTEM, Role
from borne.domain.station.faults import CATALOGUE, Fault, FaultScope
from borne.domain.station.session import SessionRecord
from borne.protocols.status_json import status_json
from tests.support.running_station import store_settings
from tests.support.simulated_world import world_of
from tests.support.virtual_time import run_virtual

FREE = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
PLUG: Mapping[str, Any] = {"battery_kwh": 1000}


class Bench:
    """A station and its simulator."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.simulator = Simulator(world_of(host))

    @property
    def station(self) -> Station:
        assert self.host.station is not None
        return self.host.station

    def connector(self, number: int = 1) -> dict[str, Any]:
        snapshot = status_json(self.station.status.snapshot())
        return next(dict(c) for c in snapshot["connectors"] if c["id"] == number)

    @property
    def state(self) -> str:
        return str(self.connector()["state"])

    @property
    def shown(self) -> set[str]:
        """Faults that the status shows, of socket 1 and of the station."""
        status = self.station.status.snapshot()
        return {each.fault.value for each in (*status.socket(1).faults, *status.faults)}

    async def charge(self, **vehicle: Any) -> None:
        await self.simulator.plug(1, {**PLUG, **vehicle})
        await asyncio.sleep(10)
        assert self.state == "charging"

    async def cause(
        self, name: str, active: bool = True, value: Any = None, **extent: float
    ) -> None:
        connector = 1 if CAUSES[name.partition(":")[0]].scope.value == "connector" else None
        await self.simulator.set_fault(
            name, active=active, connector=connector, extent=extent or None, value=value
        )

    async def sessions(self) -> list[SessionRecord]:
        """All sessions of the journal, oldest first."""
        page, _ = await self.station._parts.storage.journal.page()
        return page[::-1]


@asynccontextmanager
async def bench(data: Path, **settings: Any) -> AsyncIterator[Bench]:
    store_settings(data, {**FREE, **{name: str(value) for name, value in settings.items()}})
    options = HostOptions(data, live=False, rng=random.Random(7), control_socket=False)
    host = Host(options)
    await host.start()
    try:
        await asyncio.sleep(1)
        yield Bench(host)
    finally:
        await host.stop()


@asynccontextmanager
async def pages(at: Bench) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Reads pages as an operator does."""
    services = at.host.services()
    assert services is not None
    _, token = await services.accounts.create_token(Role.OPERATOR, "test")
    transport = httpx.ASGITransport(create_app(at.host), client=("127.0.0.1", 4711))
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8080", headers=headers
    ) as client:

        async def read(path: str) -> str:
            answer = await client.get(path)
            assert answer.status_code == 200
            return unescape(answer.text)

        yield read


@dataclass(frozen=True)
class Row:
    """`before` is what happens before the cause, `provoke` what makes it matter, `cleared_by` what
    must happen (in this order) until the fault is gone."""

    cause: str
    fault: Fault
    within_s: float
    before: str = "charge"
    provoke: str = ""
    cleared_by: tuple[str, ...] = ("mend",)
    stops: bool | None = None
    """What is not given is the catalogue's."""
    extent: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    """Such as the input that its contact is connected to."""
    value: object = None


ROWS = [
    Row("residual-current", Fault.RESIDUAL_CURRENT, 6, cleared_by=("mend", "unplug")),
    Row("residual-current", Fault.RESIDUAL_CURRENT, 1, extent={"dc_ma": 0, "ac_ma": 100},
        cleared_by=("mend", "disconnect the car", "wait 10")),
    Row("residual-current", Fault.RESIDUAL_CURRENT, 6, before="",
        cleared_by=("mend", "within 20")),
    Row("rcm-self-test", Fault.SELF_TEST, 1, provoke="unplug", stops=False,
        cleared_by=("mend", "self test")),
    Row("rcm-self-test", Fault.SELF_TEST, 1, provoke="unplug", stops=False,
        cleared_by=("mend", "restart")),
    Row("vehicle-signal", Fault.VEHICLE_SIGNAL, 1),
    Row("diode-check", Fault.DIODE_CHECK, 1, cleared_by=("mend", "unplug")),
    Row("mcb-type2", Fault.MCB_TYPE2, 1, settings={"MCBType2Input": "opto_1"}),
    Row("mcb-schuko", Fault.MCB_DOMESTIC, 1, settings={"MCBDomesticInput": "opto_1"}),
    Row("rcd-tripped", Fault.RCD_TRIPPED, 1, cleared_by=("mend", "wait 5"),
        settings={"RCDInput": "opto_1"}),
    Row("rcd-meter-loss", Fault.RCD_METER_LOSS, 2),
    Row("spd", Fault.SURGE_PROTECTION, 1, settings={"SPDInput": "opto_1"}),
    Row("contactor-welded", Fault.CONTACTOR_WELDED, 12, provoke="stop"),
    Row("contactor-welded", Fault.CONTACTOR_WELDED, 2, before=""),
    Row("contactor-open", Fault.CONTACTOR_OPEN, 2, cleared_by=("mend", "unplug")),
    Row("contactor-open", Fault.CONTACTOR_OPEN, 12, before="", provoke="plug",
        cleared_by=("mend", "unplug")),
    Row("plug-lock", Fault.PLUG_LOCK, 15, before="", provoke="plug",
        cleared_by=("mend", "unplug")),
    Row("lock-stuck", Fault.LOCK_STUCK, 25, provoke="stop", cleared_by=("mend", "unlock")),
    Row("lock-missing", Fault.LOCK_MISSING, 1),
    Row("cable-changed", Fault.CABLE_CHANGED, 1, cleared_by=("mend", "unplug")),
    Row("cable-invalid", Fault.CABLE_INVALID, 4, before="", provoke="plug"),
    Row("proximity-short", Fault.CABLE_INVALID, 1, before="", provoke="plug"),
    Row("meter-ocpp", Fault.METER_BILLING, 12),
    Row("meter-backwards", Fault.METER_IMPLAUSIBLE, 1, cleared_by=("mend", "unplug")),
    Row("meter-jump", Fault.METER_IMPLAUSIBLE, 1, cleared_by=("mend", "unplug")),
    Row("meter-replaced", Fault.METER_IMPLAUSIBLE, 1, cleared_by=("unplug",)),
    Row("meter-step", Fault.METER_IMPLAUSIBLE, 1, value=500, cleared_by=("mend", "unplug")),
    Row("meter-step", Fault.METER_IMPLAUSIBLE, 1, value=-500, cleared_by=("mend", "unplug")),
    Row("meter-exchanged", Fault.METER_IMPLAUSIBLE, 1, cleared_by=("unplug",)),
    Row("meter-frozen", Fault.METER_IMPLAUSIBLE, 65, cleared_by=("mend", "unplug")),
    Row("meter-factor", Fault.METER_IMPLAUSIBLE, 65, cleared_by=("mend", "unplug")),
    Row("meter-nan", Fault.METER_BILLING, 65),
    Row("meter-nan", Fault.METER_BILLING, 65, value="current"),
    Row("meter-garbage", Fault.METER_BILLING, 75),
    Row("car-pulses", Fault.OVER_CURRENT, 30, settings={"OperatorCurrentLimit": "6"},
        cleared_by=("unplug",)),
    Row("meter-external", Fault.METER_EXTERNAL, 12, settings={"DLMExternalMeterSupport": "on"},
        cleared_by=("mend", "within 1")),
    Row("rfid-reader", Fault.CARD_READER, 1),
    Row("over-temperature", Fault.OVER_TEMPERATURE, 1),
    Row("phase-loss", Fault.PHASE_LOSS, 4, cleared_by=("mend", "wait 3")),
    Row("under-voltage", Fault.PHASE_LOSS, 4, cleared_by=("mend", "wait 3")),
    Row("over-voltage", Fault.OVER_VOLTAGE, 4, cleared_by=("mend", "wait 3")),
    Row("over-current", Fault.OVER_CURRENT, 8, cleared_by=("mend", "within 30")),
    Row("over-current", Fault.OVER_CURRENT, 8, cleared_by=("unplug",)),
    Row("board-lost", Fault.BOARD_LOST, 1),
]  # fmt: skip
QUIET = {
    "pilot-open": "for the station the car is gone",
    "brown-out": "the session goes on",
    "master-lost": "load management falls back by itself",
    "usb-link": "the link inside a double station belongs to another service",
    "clock-lost": "reported at the next power-up",
    "meter-polled": "the station asks often enough",
    "disk-full": "when something is to be stored: test_simulated_causes",
    "backend-offline": "needs a backend, below",
    "network-lost": "needs a backend, below",
}
ELSEWHERE = {
    Fault.BACKEND_OFFLINE: "below",
    Fault.VENTILATION: "below: a car's wish",
    Fault.OTHER: "below: any error code",
    Fault.STORAGE_FULL: "a full disk: test_fault_service",
    Fault.SETTINGS_DAMAGED: "a damaged file: the settings' tests",
    Fault.STORAGE_DAMAGED: "a damaged file: test_damaged_folder",
}


def test_no_cause_and_no_fault_is_forgotten() -> None:
    assert {row.cause for row in ROWS} | set(QUIET) == set(CAUSES)
    assert {row.fault for row in ROWS} | set(ELSEWHERE) == set(Fault)
    for row in ROWS:
        assert CAUSES[row.cause].provokes is row.fault


async def _do(at: Bench, row: Row, what: str) -> None:
    simulator = at.simulator
    match what.split():
        case ["mend"]:
            await at.cause(row.cause, active=False)
        case ["plug"]:
            await simulator.plug(1, PLUG)
        case ["unplug"]:
            await simulator.unplug(1, force=True)
        case ["stop"]:
            await at.station.control.stop(1, SYSTEM)
        case ["unlock"]:
            await at.station.control.unlock(1, SYSTEM)
        case ["self", "test"]:
            at.station.faults.self_test(1)
        case ["disconnect", *_]:
            await simulator.set_fault("pilot-open", active=True, connector=1)
        case ["restart"]:
            await at.host.restart(SYSTEM, "now")
            await asyncio.sleep(1)
        case ["wait", seconds]:
            await asyncio.sleep(float(seconds) - 0.7)
            assert row.fault in at.shown, f"{row.fault} was gone too early"
            await asyncio.sleep(0.3)
        case ["within", seconds]:
            await asyncio.sleep(float(seconds))
    await asyncio.sleep(0.2)


async def bring_about(at: Bench, row: Row) -> None:
    """Let the cause act until the fault must be seen."""
    if row.before == "charge":
        await at.charge()
    await at.cause(row.cause, active=True, value=row.value, **row.extent)
    if row.provoke:
        await _do(at, row, row.provoke)
    await asyncio.sleep(row.within_s)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.cause}-{row.cleared_by[-1]}")
def test_manual_9(row: Row, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kind = CATALOGUE[row.fault]
    connector = 0 if kind.scope is FaultScope.STATION else 1
    caplog.set_level(logging.WARNING, "borne.application.charging.fault_service")

    def log(what: str) -> bool:
        return f"socket {connector}: {row.fault} {what}" in caplog.messages

    async def scenario() -> None:
        async with bench(tmp_path, **row.settings) as at:
            await bring_about(at, row)
            assert row.fault in at.shown
            assert (at.state == "faulted") is kind.blocks
            led = at.connector()["led"]
            assert (led == "faulted") is kind.blocks
            assert log("raised")
            async with pages(at) as read:
                shown = await read("/")
                assert kind.activation in shown
                assert f'href="/help/{row.fault}"' in shown
                page = await read(f"/help/{row.fault}")
                assert "Present now:" in page
                assert kind.resolution in page
            await asyncio.sleep(10)
            if row.before == "charge" and not row.provoke:
                [session] = await at.sessions()
                stops = kind.stops if row.stops is None else row.stops
                assert (session.end is not None) is stops
                assert world_of(at.host).sockets[1].contactor.closed is not kind.blocks
            for step in row.cleared_by:
                assert row.fault in at.shown, f"{row.fault} was gone before {step!r}"
                await _do(at, row, step)
            await asyncio.sleep(0.5)
            assert at.shown == set()
            assert at.state != "faulted"
            async with pages(at) as read:
                assert kind.activation not in await read("/")
                assert "Present now:" not in await read(f"/help/{row.fault}")
            if "restart" not in row.cleared_by:
                assert log("cleared")

    run_virtual(scenario())


def _socket(at: Bench) -> Any:
    return world_of(at.host).sockets[1]


def test_a_welded_contactor_keeps_the_plug_locked_and_state_f(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as at:
            await at.charge()
            await at.cause("contactor-welded")
            await at.station.control.stop(1, SYSTEM)
            await asyncio.sleep(600)
            assert at.connector()["pilot"] == "F"
            assert at.connector()["locked"]
            [session] = await at.sessions()
            assert session.end is not None
            await at.cause("contactor-welded", active=False)
            await asyncio.sleep(5)
            assert not at.connector()["locked"]
            assert at.state == "finishing"

    run_virtual(scenario())


def test_a_rogue_car_gets_three_more_chances(tmp_path: Path) -> None:
    """(offer + 0.5 A) * 1.10 for 7 s, then pauses of 30 s, 2 min and 10 min, then for good."""

    async def scenario() -> None:
        async with bench(tmp_path) as at:
            loop = asyncio.get_running_loop()
            times: list[tuple[float, bool]] = []
            at.station.faults.changed.subscribe(
                lambda change: times.append((round(loop.time() - began_s), change.active))
            )
            began_s = loop.time()
            await at.simulator.plug(1, {**PLUG, "rogue_a": 40.0})
            await asyncio.sleep(3605)
            raised = [at_s for at_s, active in times if active]
            cleared = [at_s for at_s, active in times if not active]
            pauses = [end - begin for begin, end in zip(raised, cleared, strict=False)]
            assert pauses == [30, 120, 600]
            assert len(raised) == 4
            [session] = await at.sessions()
            assert session.end is not None
            assert at.state == "faulted"
            await at.simulator.unplug(1, force=True)
            await asyncio.sleep(2)
            assert at.state == "available"

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("board_c", "offered_a", "state"),
    [
        (25.0, 32.0, "charging"),
        (59.9, 32.0, "charging"),
        (67.5, 19.0, "charging"),
        (75.0, 6.0, "charging"),
        (79.0, 6.0, "charging"),
        (80.0, 0.0, "faulted"),
    ],
)
def test_heat_lowers_the_current_before_it_stops_charging(
    board_c: float, offered_a: float, state: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        limits = {"MaximumCurrent": 32, "InstallationCurrentLimit": 32, "OperatorCurrentLimit": 32}
        async with bench(tmp_path, **limits) as at:
            await at.charge(max_a=32)
            await at.cause("over-temperature", board_c=board_c)
            await asyncio.sleep(1)
            assert at.connector()["offered_a"][0] == offered_a
            assert at.state == state
            rows = {row["source"]: row for row in at.connector()["limits"]}
            assert ("temperature" in rows) is (board_c >= 60)
            await at.cause("over-temperature", active=False)
            await asyncio.sleep(10)
            assert "temperature" not in {row["source"] for row in at.connector()["limits"]}

    run_virtual(scenario())


def test_a_residual_current_device_that_recloses_is_accepted_three_times(tmp_path: Path) -> None:
    """Manual 9: corrected automatically up to a certain point."""

    async def scenario() -> None:
        async with bench(tmp_path, RCDInput="opto_2") as at:
            for _ in range(3):
                await at.cause("rcd-tripped")
                await asyncio.sleep(60)
                await at.cause("rcd-tripped", active=False)
                await asyncio.sleep(6)
                assert at.shown == set()
            await at.cause("rcd-tripped")
            await asyncio.sleep(60)
            await at.cause("rcd-tripped", active=False)
            await asyncio.sleep(3600)
            assert at.shown == {"rcd-tripped"}
            await at.host.restart(SYSTEM, "now")
            await asyncio.sleep(5)
            assert at.shown == set()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("RCDInput", Fault.RCD_TRIPPED),
        ("MCBType2Input", Fault.MCB_TYPE2),
        ("MCBDomesticInput", Fault.MCB_DOMESTIC),
        ("SPDInput", Fault.SURGE_PROTECTION),
    ],
)
@pytest.mark.parametrize(("slug", "number"), [("opto_1", 1), ("opto_2", 2), ("disable", None)])
def test_contacts_at_the_digital_inputs(
    setting: str, fault: Fault, slug: str, number: int | None, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with bench(tmp_path, **{setting: slug}) as at:
            await at.charge()
            for each in (1, 2):
                await at.simulator.set_input(each, active=True)
                await asyncio.sleep(1)
                assert at.shown == ({fault.value} if each == number else set())
                await at.simulator.set_input(each, active=False)
                await asyncio.sleep(10)
                assert at.shown == set()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        ("rcd-tripped", {"rcd-meter-loss"}),
        ("mcb-type2", {"rcd-meter-loss"}),
        ("mcb-schuko", set()),
        ("spd", set()),
    ],
)
def test_a_contact_without_a_configured_input_is_ignored(
    cause: str, shown: set[str], tmp_path: Path
) -> None:
    """What it cuts is found at the voltage."""

    async def scenario() -> None:
        async with bench(tmp_path) as at:
            await at.charge()
            await at.cause(cause)
            await asyncio.sleep(5)
            assert at.shown == shown
            await at.cause(cause, active=False)
            await asyncio.sleep(10)
            assert at.shown == set()

    run_virtual(scenario())


@pytest.mark.parametrize("setting", ["RCDInput", "MCBType2Input", "MCBDomesticInput", "SPDInput"])
def test_inputs_are_obeyed(setting: str, tmp_path: Path) -> None:
    """A contact that is open already at the start is found too."""

    async def scenario() -> None:
        store_settings(tmp_path, {**FREE, setting: "opto_1"})
        host = Host(HostOptions(tmp_path, live=False, rng=random.Random(7), control_socket=False))
        world_of(host).set_input(1, active=True)
        await host.start()
        assert Bench(host).shown
        await host.stop()

    run_virtual(scenario())


def test_brown_out_the_session_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as at:
            await at.charge()
            for _ in range(3):
                await at.cause("brown-out")
                await asyncio.sleep(30)
                assert (at.state, at.shown) == ("charging", set())
            assert len(await at.sessions()) == 1

    run_virtual(scenario())


def test_state_d_without_ventilation_is_reported(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as at:
            await at.simulator.plug(1, {**PLUG, "vehicle": "ventilated"})
            await asyncio.sleep(10)
            assert at.shown == {"ventilation-needed"}
            assert at.state == "suspended_evse"
            assert not _socket(at).contactor.closed
            await at.simulator.unplug(1, force=True)
            await asyncio.sleep(1)
            assert at.shown == set()

    run_virtual(scenario())


@pytest.mark.parametrize("code", ["WeakSignal", "HighTemperature", "ResetFailure"])
def test_a_fault_reported_with_a_code_of_the_board(code: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as at:
            await at.charge()
            await at.simulator.set_fault(f"other:{code}", active=True, connector=1)
            await asyncio.sleep(1)
            assert at.shown == {"other"}
            assert at.station.faults.error_code(Fault.OTHER, 1) == code
            await at.simulator.set_fault(f"other:{code}", active=False, connector=1)
            await asyncio.sleep(1)
            assert at.shown == set()

    run_virtual(scenario())


@pytest.mark.parametrize("shown_as_fault", [False, True])
def test_a_backend_that_cannot_be_reached(shown_as_fault: bool, tmp_path: Path) -> None:
    """Manual 4, "Show backend disconnect as error": the ring shows it only when set."""
    backend = {
        "ConnectionType": "ethernet",
        "WebSocketsBackendURL": "ws://127.0.0.1:9/ocpp",
        "ShowBackendDisconnectAsError": "on" if shown_as_fault else "off",
    }

    async def scenario() -> None:
        async with bench(tmp_path, **backend) as at:
            assert at.shown == set()
            await asyncio.sleep(10)
            assert at.shown == {"backend-offline"}
            assert at.state == "available"
            assert at.connector()["led"] == ("faulted" if shown_as_fault else "available")
            at.station.faults.on_backend_online(online=True)
            assert at.shown == set()
            await asyncio.sleep(1)
            assert at.connector()["led"] == "available"

    run_virtual(scenario())


@pytest.mark.parametrize("method", ["pilot_interruption", "state_f", "state_e"])
@pytest.mark.parametrize("allowed", ["on", "off"])
def test_a_sleeping_car_is_woken(method: str, allowed: str, tmp_path: Path) -> None:
    """Decision D7; settings "Allow EV Wakeup" and "EV wake-up method"."""

    async def scenario() -> None:
        settings = {"DLMAllowEVWakeup": allowed, "EVWakeupMethod": method}
        async with bench(tmp_path, **settings) as at:
            await at.simulator.plug(1, {**PLUG, "vehicle": "sleepy"})
            await asyncio.sleep(29)
            assert at.state == "suspended_ev"
            await asyncio.sleep(20)
            assert (at.state == "charging") is (allowed == "on")
            assert at.shown == set()
            assert len(await at.sessions()) == 1

    run_virtual(scenario())


def test_the_method_of_waking_is_obeyed(tmp_path: Path) -> None:
    """What the car sees in the fourth second: nothing, or 0 V, or -12 V."""
    drives: dict[str, str] = {}

    async def scenario(method: str, data: Path) -> None:
        async with bench(data, EVWakeupMethod=method) as at:
            await at.simulator.plug(1, {**PLUG, "vehicle": "sleepy"})
            await asyncio.sleep(33)
            generator = _socket(at).generator
            drives[method] = generator.drive.name if generator.connected else "OPEN"

    for method in ("pilot_interruption", "state_f", "state_e"):
        data = tmp_path / method
        data.mkdir()
        run_virtual(scenario(method, data))
    assert drives == {"pilot_interruption": "OPEN", "state_f": "LOW", "state_e": "ZERO"}
