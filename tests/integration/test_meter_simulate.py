"""`borne meter simulate`: a meter in a process of its own, without a station."""

from __future__ import annotations

import re
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient

from tests.support.process import borne, command, plain_environment
from tests.support.timeouts import TEST_TIMEOUT_S

SDM = "Modbus Eastron SDM630 (RTU)"


def asked(port: int, address: int) -> float:
    """One float of an input register, by bytes of our own."""
    with socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_S) as link:
        link.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, address, 2))
        answer = link.recv(100)
    return float(struct.unpack(">f", answer[9:])[0])


@contextmanager
def simulated(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the line that it prints."""
    process = subprocess.Popen(
        command("meter", "simulate", "--type", SDM, *map(str, arguments)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=plain_environment(),
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_what_is_asked_until_it_is_interrupted(end: signal.Signals) -> None:
    arguments = ("--port", "0", "--current", "10,8,-3", "--voltage", "231", "--energy", "5000000")
    with simulated(*arguments) as (process, line):
        assert line.startswith(f"{SDM}: 127.0.0.1:"), line
        port = int(line.partition("127.0.0.1:")[2].partition(",")[0])
        assert asked(port, 0) == 231
        assert asked(port, 16) == -693
        assert asked(port, 72) == 5000
        process.send_signal(end)
        assert process.communicate(timeout=TEST_TIMEOUT_S)[0] == ""
        assert process.returncode == 0


async def test_a_curve_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("time_s,l1_a,l2_a,l3_a\n0,10,0,-4\n3600,1,1,1\n")
    with simulated("--serial", "--curve", path, "--unit", "3") as (_, line):
        device = line.partition(f"{SDM}: ")[2].removesuffix(", unit 3\n")
        client = AsyncModbusSerialClient(device, timeout=TEST_TIMEOUT_S, retries=0)
        assert await client.connect(), line
        answer = await client.read_input_registers(6, count=6, device_id=3)
        current_a = struct.unpack(">fff", struct.pack(">6H", *answer.registers))
        assert current_a == pytest.approx((10, 0, 4)), "an SDM630 shows magnitudes"
        client.close()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--type", "Modbus Easton SDM63"), 2, f"There is no meter type .* Is it {re.escape(SDM)}"),
        (("--type", SDM, "--current", "1,2"), 2, "--current: a number is needed"),
        (("--type", SDM, "--curve", "no such file"), 2, "cannot be read"),
        (("--type", SDM, "--framing", "ascii"), 2, "tcp, rtu"),
        (("--type", SDM, "--host", "meter.example"), 2, "not an IP address"),
        (("--type", SDM, "--host", "192.0.2.1"), 1, "does not have that address"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    ran = borne("meter", "simulate", *arguments)
    assert ran.code == code
    assert re.search(sentence, ran.sentence)


def test_a_wrong_curve_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("time_s,l1_a,l2_a,l3_a\n0,1,2,three\n")
    ran = borne("meter", "simulate", "--type", SDM, "--curve", path)
    assert ran.code == 2
    assert "line 2" in ran.sentence
