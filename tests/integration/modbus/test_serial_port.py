"""A serial port on a pseudo-terminal: pulled out and put back, in use, missing, not permitted."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import serial

from borne.domain.meters.address import Parity
from borne.protocols.modbus import connection
from borne.protocols.modbus.bus import ModbusBus, RetryPolicy
from borne.protocols.modbus.endpoint import SerialEndpoint
from borne.protocols.modbus.failures import Unreachable
from borne.protocols.modbus.pdu import Read, Request
from borne.protocols.modbus.server import ModbusServer, Reply
from borne.protocols.modbus.transports import MAX_UNREAD_BYTES, LinkLost, open_pty, open_serial
from tests.support.timeouts import TEST_TIMEOUT_S

PATIENT = RetryPolicy(timeout_s=TEST_TIMEOUT_S)
SHORT = RetryPolicy(timeout_s=0.02, attempts=1)


def handle(unit: int, request: Request, client: str) -> Reply:
    del unit, client
    return [request.address] * request.count if isinstance(request, Read) else ()


async def plugged_in(path: Path) -> ModbusServer:
    """An adapter under the name that udev gives it."""
    server = ModbusServer(SerialEndpoint(""), handle, pty=True)
    await server.start()
    name_device(path, server.device)
    return server


def name_device(path: Path, device: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(device)


async def test_an_adapter_is_pulled_out_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_RECONNECT_S", 0.01)
    path = tmp_path / "usb-RS485"
    adapter = await plugged_in(path)
    bus = ModbusBus(SerialEndpoint(str(path)))
    assert await bus.read(1, 3, 7, 1, retry=PATIENT) == (7,)
    await adapter.close()
    path.unlink()
    with pytest.raises(Unreachable, match=r"^There is no serial port .*: is the adapter plugged"):
        await bus.read(1, 3, 7, 1, retry=SHORT)
    adapter = await plugged_in(path)
    assert await bus.read(1, 3, 8, 1, retry=PATIENT) == (8,)
    await bus.close()
    await adapter.close()


async def test_a_port_has_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_RECONNECT_S", 0.01)
    path = tmp_path / "usb-RS485"
    adapter = await plugged_in(path)
    first, second = (ModbusBus(SerialEndpoint(str(path))) for _ in range(2))
    assert await first.read(1, 3, 7, 1, retry=PATIENT) == (7,)
    with pytest.raises(Unreachable, match=r"usb-RS485 is in use by another program\.$"):
        await second.read(1, 3, 7, 1, retry=SHORT)
    await first.close()
    assert await second.read(1, 3, 7, 1, retry=PATIENT) == (7,)
    await second.close()
    await adapter.close()


async def test_only_a_serial_port_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "watchdog").symlink_to("/dev/null")
    for name in ("file", "watchdog", "."):
        with pytest.raises(Unreachable, match=r"is no serial port\.$"):
            await open_serial(SerialEndpoint(str(tmp_path / name)))
    for device in ("", "/dev/ttyUSB77", str(tmp_path / "missing")):
        with pytest.raises(Unreachable, match="no serial port"):
            await open_serial(SerialEndpoint(device))


REASONS = [
    (errno.EACCES, "No permission for /dev/ttyUSB0: add the user to the group dialout."),
    (errno.ENOENT, "There is no serial port /dev/ttyUSB0: is the adapter plugged in?"),
    (errno.EBUSY, "/dev/ttyUSB0 is in use by another program."),
    (errno.EIO, "/dev/ttyUSB0 cannot be opened as a serial port."),
]


@pytest.mark.parametrize(("number", "sentence"), REASONS)
async def test_why_a_port_cannot_be_opened(
    number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise serial.SerialException(number, "could not open port")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(Unreachable) as failure:
        await open_serial(SerialEndpoint("/dev/ttyUSB0"))
    assert str(failure.value) == sentence


async def test_settings_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def note(*positional: Any, **keywords: Any) -> None:
        asked.append((*positional, keywords["parity"], keywords["stopbits"], keywords["exclusive"]))
        raise ValueError("not a valid baudrate")

    monkeypatch.setattr(serial, "Serial", note)
    with pytest.raises(Unreachable, match="cannot run at 2400 baud"):
        await open_serial(SerialEndpoint("/dev/ttyS1", 2400, Parity.EVEN, 2))
    assert asked == [("/dev/ttyS1", 2400, "E", 2, True)]


async def test_a_line_that_takes_nothing_is_opened_anew() -> None:
    link, _ = open_pty()

    def fill() -> None:
        for _ in range(MAX_UNREAD_BYTES):
            link.send(bytes(10))

    with pytest.raises(LinkLost):
        fill()
    assert link.lost
