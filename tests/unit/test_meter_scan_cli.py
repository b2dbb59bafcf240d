"""`borne meter scan`: what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from borne.adapters.meters import scan
from borne.meter_scan_cli import LAST_UNIT
from borne.protocols.modbus.job_queue import RetryPolicy
from borne.protocols.modbus.server import Reply
from tests.support.fake_buses import meter
from tests.support.in_process import borne
from tests.support.modbus_thread import modbus_device, strict_device

LABEL = "Modbus Siemens 7KM2200 (TCP)"
SETTINGS = {
    "SecondMeterConfig": "siemens_7km2200",
    "SecondMeterIP": "127.0.0.1",
    "SecondMeterUnitId": "1",
}


@pytest.fixture
def siemens() -> Iterator[int]:
    with modbus_device(strict_device(meter("siemens_7km2200").words)) as port:
        yield port


def test_people_get_the_type_and_the_settings_to_set(siemens: int) -> None:
    ran = borne("meter", "scan", "--host", "127.0.0.1", "--port", str(siemens))
    assert ran.code == 0
    settings = SETTINGS | {"SecondMeterPort": str(siemens)}
    lines = ran.out.splitlines()
    assert lines[0] == f"127.0.0.1:{siemens} unit 1: {LABEL} (sure)"
    assert dict(pair.split("=") for pair in lines[1].split()) == settings
    assert "2 of 2" in ran.err


def test_programs_get_json(siemens: int) -> None:
    ran = borne("meter", "scan", "--host", "127.0.0.1/32", "--port", str(siemens), "--json")
    assert ran.code == 0
    shown = json.loads(ran.out)
    assert shown["complete"] is True
    device = shown["found"][0]
    assert (device["host"], device["port"], device["unit"]) == ("127.0.0.1", siemens, 1)
    assert (device["device"], device["sure"]) == (None, True)
    best = device["types"][0]
    assert (best["type"], best["slug"], best["plausible"]) == (LABEL, "siemens_7km2200", True)
    assert best["settings"] == SETTINGS | {"SecondMeterPort": str(siemens)}


def test_nothing_found_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_TCP_RETRY", RetryPolicy(timeout_s=0.05, attempts=1))
    ran = borne("meter", "scan", "--host", "127.0.0.1", "--port", "1", "--unit", "1-3")
    assert (ran.code, ran.out) == (1, "No meter found.\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param([], "Give --host or --serial-port.", id="no place"),
        pytest.param(["--unit", "1-x"], "'1-x' is no unit", id="no unit"),
        pytest.param(["--unit", "9-3"], "'9-3' is no unit", id="backwards"),
        pytest.param(["--unit", f"{LAST_UNIT + 1}"], "'248' is no unit", id="beyond the last"),
        pytest.param(["--host", "10.0.0.0/8"], "more than 256 addresses", id="a large network"),
        pytest.param(["--host", ""], "needs an address", id="an empty address"),
        pytest.param(["--host", "10.0.0.0/x"], "is no network", id="no network"),
        pytest.param(["--host", "10.0.0.0/24", "--unit", "1-9"], "Give fewer", id="too many"),
        pytest.param(["--serial-port", "COM1"], "COM1 is no serial port", id="no serial port"),
    ],
)
def test_wrong_options(options: list[str], sentence: str) -> None:
    given = options if not options or "port" in options[0] else ["--host", "127.0.0.1", *options]
    ran = borne("meter", "scan", *given)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.sentence


def test_a_serial_port_that_cannot_be_opened_is_no_port_without_meters() -> None:
    ran = borne("meter", "scan", "--serial-port", "/dev/ttyNONE")
    assert (ran.code, ran.out) == (1, "No meter found.\n")
    assert "There is no serial port /dev/ttyNONE" in ran.err


def test_an_interrupted_scan_prints_what_it_has_found() -> None:
    siemens = strict_device(meter("siemens_7km2200").words)

    def answer(unit: int, request: object, client: str) -> Reply:
        if unit == 2:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
            return None
        reply = siemens(unit, request, client)  # type: ignore[arg-type]  # handed through
        assert not asyncio.iscoroutine(reply)
        return reply  # type: ignore[return-value]  # the device answers at once

    with modbus_device(answer) as port:
        ran = borne("meter", "scan", "--host", "127.0.0.1", "--port", str(port), "--unit", "1-200")
    assert ran.code == 130
    assert LABEL in ran.out
    assert "The scan was interrupted." in ran.err
