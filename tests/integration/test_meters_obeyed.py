"""Every setting of the meters: one test each, which fails if it is ignored (manual 7.4.2, 7.5).

The meters answer at real sockets and pseudo-terminals.
"""
# ruff: noqa: N802 -- a test is named after its setting

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import serial

from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.protocols.modbus.endpoint import Framing
from tests.support.running_station import RunningStation, running_station
from tests.support.served_meter import THREE_PHASES, ServedMeter, served_meter
from tests.support.timeouts import TEST_TIMEOUT_S

OTHER = replace(
    THREE_PHASES,
    import_wh=777_000,
    current_a=(1.0, 1.0, 1.0),
    power_w=(230.0, 231.0, 229.0),
    power_total_w=690.0,
)


async def until_site(
    station: RunningStation, reached: Callable[[SiteMeterStatus], bool]
) -> SiteMeterStatus:
    service = station.services.site_meter
    assert service is not None
    changed = asyncio.Event()
    forget = service.changed.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while not reached(service.status):
                changed.clear()
                await changed.wait()
            return service.status
    finally:
        forget()


def is_ok(status: SiteMeterStatus) -> bool:
    return status.state is SiteMeterState.OK


async def register_of(data: Path, number: int = 1, **changes: Any) -> int:
    """The register that a station shows with these settings."""
    async with running_station(data, **changes) as station:
        found = await station.until(lambda c: c["register_wh"] is not None, number)
        return int(found["register_wh"])


async def site_current(data: Path, **changes: Any) -> tuple[float, ...]:
    """The current at the second meter that a station shows with these settings."""
    on: dict[str, Any] = {"DLMExternalMeterSupport": "on"}
    async with running_station(data, **on, **changes) as station:
        status = await until_site(station, is_ok)
        assert status.current_a is not None
        return tuple(status.current_a)


def reached_at(meter: ServedMeter, slug: str, prefix: str = "") -> dict[str, Any]:
    return {
        f"{prefix}MeterConfig": slug,
        f"{prefix}MeterIP": "127.0.0.1",
        f"{prefix}MeterPort": meter.port,
    }


# The OCPP meter -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
async def test_MeterConfig(tmp_path: Path, number: int) -> None:
    async with served_meter("tq_em300") as meter:
        changes = reached_at(meter, "tq_em300")
        if number > 1:
            changes = {f"{name}_{number}": value for name, value in changes.items()}
        async with running_station(tmp_path, **changes) as station:
            found = await station.until(lambda c: c["register_wh"] == 123_000, number)
            assert found["measured_a"] == [10.0, 5.0, 2.0]
            assert station.connector(3 - number)["register_wh"] != 123_000


async def test_no_meter_is_a_choice(tmp_path: Path) -> None:
    async with running_station(tmp_path, MeterConfig="no_meter") as station:
        assert station.connector(1)["register_wh"] is None
        assert station.connector(2)["register_wh"] is not None


async def test_MeterIP(tmp_path: Path) -> None:
    async with served_meter("tq_em300", OTHER, host="127.0.0.2") as meter:
        changes = reached_at(meter, "tq_em300") | {"MeterIP": "127.0.0.2"}
        assert await register_of(tmp_path, **changes) == 777_000


async def test_MeterPort(tmp_path: Path) -> None:
    async with served_meter("tq_em300"), served_meter("tq_em300", OTHER) as meter:
        assert await register_of(tmp_path, **reached_at(meter, "tq_em300")) == 777_000


async def test_MeterUnitId(tmp_path: Path) -> None:
    async with served_meter("abb_b23", unit=17, framing=Framing.RTU) as meter:
        place = f"rtu://127.0.0.1:{meter.port}"
        changes: dict[str, Any] = {
            "MeterConfig": "abb_b23",
            "MeterSerialPort": place,
            "MeterUnitId": 17,
        }
        assert await register_of(tmp_path, **changes) == 123_000


@pytest.mark.parametrize("gateway", ["", "rtu", "tcp"])
async def test_MeterSerialPort(tmp_path: Path, gateway: str) -> None:
    framing = Framing.RTU if gateway == "rtu" else Framing.TCP
    async with served_meter("eastron_sdm630", framing=framing, pty=not gateway) as meter:
        place = f"{gateway}://127.0.0.1:{meter.port}" if gateway else meter.device
        changes: dict[str, Any] = {"MeterConfig": "eastron_sdm630", "MeterSerialPort": place}
        assert await register_of(tmp_path, **changes) == 123_000


async def line_settings(data: Path, prefix: str = "", **changes: Any) -> list[Any]:
    """The attributes of the serial line that a station has opened."""
    async with served_meter("eastron_sdm630", pty=True) as meter:
        changes |= {
            f"{prefix}MeterConfig": "eastron_sdm630",
            f"{prefix}MeterSerialPort": meter.device,
        }
        async with running_station(data, **changes) as station:
            if prefix:
                await until_site(station, is_ok)
            else:
                await station.until(lambda c: c["register_wh"] is not None)
            line = os.open(meter.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                return termios.tcgetattr(line)
            finally:
                os.close(line)


def opened_ports() -> AbstractContextManager[mock.Mock]:
    """Records how serial ports are opened: a pseudo-terminal has no parity to look at."""
    return mock.patch("serial.Serial", wraps=serial.Serial)


async def test_MeterBaudRate(tmp_path: Path) -> None:
    settings = await line_settings(tmp_path, MeterBaudRate=19200)
    assert settings[4:6] == [termios.B19200] * 2


async def test_MeterParity(tmp_path: Path) -> None:
    with opened_ports() as opened:
        await line_settings(tmp_path, MeterParity="odd")
    assert {each.kwargs["parity"] for each in opened.call_args_list} == {serial.PARITY_ODD}


# The second meter -----------------------------------------------------------------------------


async def test_DLMExternalMeterSupport(tmp_path: Path) -> None:
    """Without an address it is the meter of the simulated building."""
    async with running_station(tmp_path / "on", DLMExternalMeterSupport="on") as station:
        await station.simulator.set_site({"building_a": [7, 8, 9]})
        status = await until_site(station, lambda s: s.current_a == (7.0, 8.0, 9.0))
        assert "imulated" in status.model
    async with running_station(tmp_path / "off") as station:
        assert station.services.site_meter is not None
        assert station.services.site_meter.status.state is SiteMeterState.ABSENT


@pytest.mark.parametrize("location", ["including", "excluding"])
async def test_DLMExternalMeterLocation(tmp_path: Path, location: str) -> None:
    """A meter that sees the sockets, but does not follow a car that begins, is doubted."""
    nothing = replace(THREE_PHASES, current_a=(0.0,) * 3, power_w=(0.0,) * 3, power_total_w=0.0)
    on: dict[str, Any] = {"DLMExternalMeterSupport": "on", "FreeCharging": "on"}
    async with served_meter("siemens_7km2200", nothing) as meter:
        on |= {"DLMExternalMeterLocation": location, "SecondMeterPort": meter.port}
        async with running_station(tmp_path, SecondMeterIP="127.0.0.1", **on) as station:
            await until_site(station, is_ok)
            await station.plug(1, {"reaction_s": 0.1, "max_a": 10})
            await station.until(lambda c: max(c["measured_a"]) > 9)
            if location == "including":
                doubted = await until_site(station, lambda s: s.state is SiteMeterState.DOUBTED)
                assert doubted.current_a is not None
                assert min(doubted.current_a) > 9, "at least what the own sockets draw"
            else:
                await meter.until_asked(12)
                status = await until_site(station, is_ok)
                assert status.current_a == (0.0, 0.0, 0.0)


async def test_SecondMeterConfig(tmp_path: Path) -> None:
    async with served_meter("janitza_umg") as meter:
        changes = reached_at(meter, "janitza_umg", "Second")
        assert await site_current(tmp_path, **changes) == (10.0, 5.0, 2.0)


async def test_SecondMeterIP(tmp_path: Path) -> None:
    async with served_meter("siemens_7km2200", OTHER, host="127.0.0.2") as meter:
        changes: dict[str, Any] = {"SecondMeterIP": "127.0.0.2", "SecondMeterPort": meter.port}
        assert await site_current(tmp_path, **changes) == (1.0, 1.0, 1.0)


async def test_SecondMeterPort(tmp_path: Path) -> None:
    async with served_meter("siemens_7km2200"), served_meter("siemens_7km2200", OTHER) as meter:
        changes: dict[str, Any] = {"SecondMeterIP": "127.0.0.1", "SecondMeterPort": meter.port}
        assert await site_current(tmp_path, **changes) == (1.0, 1.0, 1.0)


async def test_SecondMeterUnitId(tmp_path: Path) -> None:
    async with served_meter("janitza_umg", unit=2) as meter:
        changes = reached_at(meter, "janitza_umg", "Second") | {"SecondMeterUnitId": 2}
        assert await site_current(tmp_path, **changes) == (10.0, 5.0, 2.0)


async def test_SecondMeterSerialPort(tmp_path: Path) -> None:
    async with served_meter("cg_em340", pty=True) as meter:
        changes: dict[str, Any] = {
            "SecondMeterConfig": "cg_em340",
            "SecondMeterSerialPort": meter.device,
        }
        assert await site_current(tmp_path, **changes) == (10.0, 5.0, 2.0)


async def test_SecondMeterBaudRate(tmp_path: Path) -> None:
    on: dict[str, Any] = {"DLMExternalMeterSupport": "on", "SecondMeterBaudRate": 38400}
    settings = await line_settings(tmp_path, "Second", **on)
    assert settings[4:6] == [termios.B38400] * 2


async def test_SecondMeterParity(tmp_path: Path) -> None:
    on: dict[str, Any] = {"DLMExternalMeterSupport": "on", "SecondMeterParity": "even"}
    with opened_ports() as opened:
        await line_settings(tmp_path, "Second", **on)
    assert {each.kwargs["parity"] for each in opened.call_args_list} == {serial.PARITY_EVEN}


# What is not there ----------------------------------------------------------------------------


async def test_a_user_defined_meter_is_described_in_a_file(tmp_path: Path) -> None:
    profile = files("borne.protocols.meter_profiles").joinpath("data/janitza_umg604_alt.toml")
    (tmp_path / "user_defined_meter.toml").write_bytes(profile.read_bytes())
    async with served_meter("janitza_umg604_alt") as meter:
        assert await register_of(tmp_path, **reached_at(meter, "user_defined")) == 123_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "user_defined_meter.toml"),
        ("[registers]\nvoltage_l1 = 7", "Line 2"),
    ],
)
async def test_a_meter_without_description_is_silent_and_says_why(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "user_defined_meter.toml").write_text(content)
    changes: dict[str, Any] = {"SecondMeterConfig": "user_defined", "SecondMeterIP": "127.0.0.1"}
    async with running_station(tmp_path, DLMExternalMeterSupport="on", **changes) as station:
        status = await until_site(station, lambda s: reason in str(s.reason))
        assert status.state is SiteMeterState.SILENT
        assert status.current_a is None
