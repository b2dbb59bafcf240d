"""`borne meter read`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from borne.adapters.meters import polls
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import load_profile
from borne.protocols.modbus.endpoint import Framing
from borne.protocols.modbus.pdu import Request
from borne.protocols.modbus.server import Reply
from tests.support.in_process import borne
from tests.support.modbus_thread import modbus_device, strict_device
from tests.support.process import Ran

LABEL = "Modbus Siemens 7KM2200 (TCP)"
HOUSE = Measurement(
    at_s=0.0,
    voltage_v=(230.0, 231.5, 229.0),
    current_a=(10.0, 2.0, 0.5),
    power_w=(2300.0, 463.0, 114.5),
    power_total_w=2877.5,
    import_wh=123_456,
    export_wh=789,
    frequency_hz=50.0,
)


@pytest.fixture(autouse=True)
def _polls_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "PERIOD_S", 0.0)


@pytest.fixture
def siemens() -> Iterator[int]:
    with modbus_device(strict_device(load_profile("siemens_7km2200").encode(HOUSE))) as port:
        yield port


def read_meter(port: int, *options: str | Path, type_: str = LABEL) -> Ran:
    return borne(
        "meter", "read", "--type", type_, "--host", "127.0.0.1", "--port", str(port), *options
    )


def test_json_has_the_values_of_the_contract(siemens: int) -> None:
    ran = read_meter(siemens, "--json")
    assert ran.code == 0
    shown = json.loads(ran.out)
    assert shown.pop("at").endswith("Z")
    assert shown == {
        "type": LABEL,
        "serial_number": None,
        "voltage_v": [230.0, 231.5, 229.0],
        "current_a": [10.0, 2.0, 0.5],
        "power_w": [2300.0, 463.0, 114.5],
        "power_total_w": 2877.5,
        "import_wh": 123456,
        "export_wh": 789,
        "frequency_hz": 50.0,
        "findings": [],
    }


def test_people_get_a_table(siemens: int) -> None:
    ran = read_meter(siemens, type_="siemens_7km2200")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == LABEL
    assert lines[1].split() == ["L1", "L2", "L3", "total"]
    assert lines[2].split() == ["voltage", "230.0", "V", "231.5", "V", "229.0", "V"]
    assert lines[4].split()[-2:] == ["2878", "W"]
    assert lines[5].split() == ["import", "123.456", "kWh"]
    assert lines[-1] == "Nothing is in doubt."


def test_implausible_values_are_a_failure() -> None:
    profile = load_profile("siemens_7km2200")
    words = profile.encode(replace(HOUSE, voltage_v=(0.0, 0.0, 0.0)))
    with modbus_device(strict_device(words)) as port:
        ran = read_meter(port, "--json")
    assert ran.code == 1
    assert [finding["code"] for finding in json.loads(ran.out)["findings"]] == ["no-voltage"]


def test_another_type_of_meter_is_a_failure_in_words(siemens: int) -> None:
    ran = read_meter(siemens, "--json", type_="abb_b23")
    assert ran.code == 1
    assert "is it another type of meter?" in ran.sentence
    shown = json.loads(ran.out)
    assert (shown["voltage_v"], shown["import_wh"], shown["at"]) == ([None] * 3, None, None)


def test_a_meter_that_cannot_be_reached_is_a_failure_in_words(siemens: int) -> None:
    ran = read_meter(1)
    assert (ran.code, ran.out) == (1, "")
    assert "127.0.0.1:1 cannot be reached" in ran.sentence


@pytest.mark.parametrize("options", [["--framing", "rtu"], []], ids=["named", "found"])
def test_rtu_frames_through_a_gateway(options: list[str]) -> None:
    words = load_profile("eastron_sdm630").encode(HOUSE)
    with modbus_device(strict_device(words), Framing.RTU) as port:
        ran = read_meter(port, *options, "--json", type_="eastron_sdm630")
    assert ran.code == 0
    assert json.loads(ran.out)["voltage_v"] == [230.0, 231.5, 229.0]


def test_a_user_defined_meter(tmp_path: Path) -> None:
    file = tmp_path / "meter.toml"
    file.write_text(
        'vendor = "Own"\nmodel = "Meter"\ntransport = "tcp"\n[registers]\n'
        'voltage_l1 = { address = 7, type = "u16" }\n'
        'current_l1 = { address = 8, type = "u16", scale = 0.1 }\n'
        'power = { address = 9, type = "i16" }\n'
    )
    with modbus_device(strict_device({(3, 7): 231, (3, 8): 100, (3, 9): 2310})) as port:
        ran = read_meter(port, "--profile", file, "--json", type_="user_defined")
    assert json.loads(ran.out)["current_a"] == [10.0, None, None]
    file.write_text("vendor = 7")
    ran = read_meter(1, "--profile", file, type_="user_defined")
    assert ran.code == 2
    assert file.name in ran.sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            ["--type", "Siemens 7KM2000"],
            f"There is no meter type 'Siemens 7KM2000'. Like it: {LABEL}",
            id="an unknown type",
        ),
        pytest.param(["--type", LABEL], "The address of the meter is not set.", id="no address"),
        pytest.param(
            ["--type", "abb_b23"], "The serial port of the meter is not set.", id="no serial port"
        ),
        pytest.param(
            ["--type", "abb_b23", "--serial-port", "COM1"], "COM1 is no serial port", id="no device"
        ),
        pytest.param(
            ["--type", "abb_b23", "--serial-port", "/dev/null", "--unit", "0"],
            "A serial line has no unit 0",
            id="a broadcast",
        ),
        pytest.param(
            ["--type", LABEL, "--framing", "rtu"], "--framing rtu needs --host.", id="framing"
        ),
        pytest.param(
            ["--type", LABEL, "--host", "h", "--serial-port", "/dev/ttyS0"],
            "Give --host or --serial-port, not both.",
            id="two places",
        ),
        pytest.param(["--type", "user_defined"], "needs --profile FILE", id="no profile"),
        pytest.param(["--type", "user_defined", "--profile", "/nowhere"], "nowhere", id="no file"),
        pytest.param(["--type", LABEL, "--profile", "x"], "--profile is for", id="a profile"),
    ],
)
def test_wrong_options(options: list[str], sentence: str) -> None:
    ran = borne("meter", "read", *options)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.sentence


def test_watching_prints_each_poll_until_it_is_interrupted() -> None:
    siemens = strict_device(load_profile("siemens_7km2200").encode(HOUSE))
    asked = Counter[int]()

    def answer(unit: int, request: Request, client: str) -> Reply | Awaitable[Reply]:
        asked[request.address] += 1
        if asked[request.address] == 6:
            os.kill(os.getpid(), signal.SIGINT)
            return None
        return siemens(unit, request, client)

    # A shell lets what it starts in the background ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with modbus_device(answer) as port:
            ran = read_meter(port, "--watch", "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert len(lines) >= 3
    assert all(line["voltage_v"] == [230.0, 231.5, 229.0] for line in lines)
    assert ran.code == 130
