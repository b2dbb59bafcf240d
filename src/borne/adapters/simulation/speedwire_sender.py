"""A simulated SMA energy meter: sends its values by multicast, as the real ones do.

Written from the description of the packets alone, as a counterpart of the reader of the station.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator

from borne.adapters.simulation.meter_setup import CannotServe, MeterFault, MeterSetup, number_of
from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import N_, Message

GROUP, PORT = "239.12.255.254", 9522
PERIOD_S, SLOW_S = 1.0, 3.0
SUSY_ID = 349
"""Of an energy meter EMETER-20."""
PROTOCOL = 0x6069
OTHER_PROTOCOL = 0x6065
"""Of inverters; sent by the fault "wrong-unit"."""
ACTUAL, COUNTER = 4, 8
MAX_ACTUAL = 2**32 - 1
WS_PER_WH = 3600
SOFTWARE_VERSION = 0x02001252


def packet(measured: Measurement, serial_number: int, ticks_ms: int, protocol: int) -> bytes:
    """A packet with the values of a measurement; values that it lacks are left out."""
    content = b"".join(_entries(measured))
    content += struct.pack(">II", 0x90000000, SOFTWARE_VERSION)
    head = struct.pack(">HHII", protocol, SUSY_ID, serial_number, ticks_ms % 2**32)
    payload = head + content
    opening = b"SMA\x00" + struct.pack(">HHI", 4, 0x02A0, 1)
    return opening + struct.pack(">HH", len(payload), 0x0010) + payload + bytes(4)


def _entries(measured: Measurement) -> Iterator[bytes]:
    yield from _both_directions(0, measured.power_total_w)
    for channel, register_wh in ((1, measured.import_wh), (2, measured.export_wh)):
        if register_wh is not None:
            yield bytes((0, channel, COUNTER, 0)) + struct.pack(">Q", register_wh * WS_PER_WH)
    if measured.frequency_hz is not None:
        yield _actual(14, measured.frequency_hz * 1000)
    phases = zip(measured.power_w, measured.current_a, measured.voltage_v, strict=True)
    for base, (power_w, current_a, voltage_v) in zip((20, 40, 60), phases, strict=True):
        yield from _both_directions(base, power_w)
        if current_a is not None:
            yield _actual(base + 11, abs(current_a) * 1000)
        if voltage_v is not None:
            yield _actual(base + 12, voltage_v * 1000)


def _both_directions(base: int, power_w: float | None) -> Iterator[bytes]:
    if power_w is not None:
        yield _actual(base + 1, max(0.0, power_w) * 10)
        yield _actual(base + 2, max(0.0, -power_w) * 10)


def _actual(channel: int, value: float) -> bytes:
    raw = min(round(value), MAX_ACTUAL)
    return bytes((0, channel, ACTUAL, 0)) + struct.pack(">I", raw)


class SpeedwireSender:
    """Sends each second. `setup.host` is the address of the interface on which it sends."""

    def __init__(
        self,
        setup: MeterSetup,
        measure: Callable[[], Measurement],
        *,
        group: str = GROUP,
        port: int = PORT,
    ) -> None:
        self.address = f"{group}:{port}"
        self.port = port
        self.unit = setup.unit
        self.requests = 0
        self.last_client = ""
        self.fault = setup.fault
        self._setup = setup
        self._measure = measure
        self._to = (group, port)
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the socket and send the first packet. Raises CannotServe."""
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sender.setblocking(False)
            interface = socket.inet_aton(self._setup.host)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        except OSError as error:
            sender.close()
            values = {"host": self._setup.host, "reason": error.strerror or str(error)}
            message = N_("Nothing can be sent on the interface {host}: {reason}.")
            raise CannotServe(Message(message, values)) from None
        self._socket = sender
        self._send()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        period_s = SLOW_S if self.fault is MeterFault.SLOW else PERIOD_S
        self._timer = loop.call_later(period_s, self._send)
        content = self._content(loop.time())
        if self._socket is None or not content:
            return
        try:
            self._socket.sendto(content, self._to)
        except OSError:
            return  # the network is down; the next packet follows in a second
        self.requests += 1

    def _content(self, now_s: float) -> bytes:
        if self.fault in {MeterFault.SILENT, MeterFault.EXCEPTION}:
            return b""
        measured = self._measure()
        protocol = OTHER_PROTOCOL if self.fault is MeterFault.WRONG_UNIT else PROTOCOL
        number = number_of(measured.serial_number)
        content = packet(measured, number, round(now_s * 1000), protocol)
        return content[:-40] if self.fault is MeterFault.GARBAGE else content
