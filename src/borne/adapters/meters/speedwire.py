"""The driver of SMA Speedwire meters: it listens to the packets that a meter sends each second.

The packets are not authenticated. One meter is used: the one with the serial number that is set,
else the first that is received. Packets of others are ignored; their serial numbers are remembered
for the message that the right one is silent.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from borne.adapters.meters import multicast
from borne.adapters.meters.failures import STOPPED, NoMeasurement
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message
from borne.protocols import speedwire
from borne.protocols.meter_profiles import load_profile

SILENCE_S = 10.0
"""Ten missed packets; a switch that drops multicast passes none at all."""
REPEAT_S = 1.0
"""Between two reports of silence; each time the group is joined again, as interfaces come and
go."""
READ_TIMEOUT_S = 3.0
MIN_INTERVAL_S = 0.1
"""Packets of the meter that follow each other more quickly are dropped."""
MAX_OTHERS = 16
"""Serial numbers of other meters that are remembered."""
MAX_AT_ONCE = 16
"""Packets that are read before the loop does something else."""
PORT_IN_USE = N_("UDP port {port} cannot be used: {reason}.")
ONLY_OTHERS = N_("No packets of meter {serial_number} arrive, only of {others}.")
NO_PACKETS = N_("No packets of the meter arrive: does a switch in the network block multicast?")
_log = logging.getLogger(__name__)

Answer = Measurement | MeterSilent


class SpeedwireMeter:
    """A meter that sends by multicast.

    `serial_number` selects one of several. With `host`, only packets from this address are
    accepted, and the group is joined on the interface that leads to it, else on all.
    """

    model = "SMA Speedwire"
    polls_itself = True
    has_energy = True

    def __init__(
        self,
        serial_number: str = "",
        host: str = "",
        *,
        group: str = speedwire.GROUP,
        port: int = speedwire.PORT,
    ) -> None:
        self._selected = serial_number.strip()
        self._host = host
        self._group = group
        self._port = port
        self._profile = load_profile("sma_speedwire")
        self._news: Signal[Answer] = Signal()
        self._others: list[str] = []
        self._waiting: list[asyncio.Future[Measurement]] = []
        self._receiver: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_s = 0.0
        self._accepted_s = float("-inf")
        self._problem: Message | None = None

    @property
    def serial_number(self) -> str:
        """Of the selected meter; empty until the first packet if none was selected."""
        return self._selected

    async def start(self) -> None:
        """Listen. Without a network, it begins as soon as there is one."""
        if self._timer is None:
            self._last_s = asyncio.get_running_loop().time()
            self._listen()
            self._schedule(SILENCE_S)

    async def stop(self) -> None:
        """Stop listening; pending reads end with MeterSilent."""
        self.abort()

    def abort(self) -> None:
        """As `stop`, without waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._receiver is not None:
            asyncio.get_running_loop().remove_reader(self._receiver)
            self._receiver.close()
            self._receiver = None
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(NoMeasurement(Message(STOPPED)))

    async def read(self) -> Measurement:
        """The next packet; raises MeterSilent if there is none within 3 s."""
        if self._receiver is None:
            raise NoMeasurement(self._complaint())
        waiter: asyncio.Future[Measurement] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await waiter
        except TimeoutError:
            raise NoMeasurement(self._complaint()) from None
        finally:
            self._waiting.remove(waiter)

    def subscribe(self, listener: Callable[[Answer], None]) -> Unsubscribe:
        """Call `listener` with every packet, and after 10 s without one with MeterSilent, once a
        second."""
        return self._news.subscribe(listener)

    def _listen(self) -> None:
        if self._receiver is None:
            try:
                self._receiver = multicast.open_socket(self._group, self._port)
            except OSError as error:
                values = {"port": self._port, "reason": error.strerror}
                self._problem = Message(PORT_IN_USE, values)
                _log.warning("Speedwire: %s", self._problem)
                return
            self._problem = None
            asyncio.get_running_loop().add_reader(self._receiver, self._on_readable)
        multicast.join(self._receiver, self._group, self._host)

    def _schedule(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        since_s = asyncio.get_running_loop().time() - self._last_s
        if since_s < SILENCE_S:
            self._schedule(SILENCE_S - since_s)
            return
        self._listen()
        self._schedule(REPEAT_S)
        self._news.emit(NoMeasurement(self._complaint()))

    def _on_readable(self) -> None:
        for _ in range(MAX_AT_ONCE):
            if self._receiver is None:
                return
            try:
                data, (source, _port) = self._receiver.recvfrom(speedwire.MAX_PACKET_BYTES + 1)
            except OSError:
                return
            if not self._host or source == self._host:
                self._on_packet(data)

    def _on_packet(self, data: bytes) -> None:
        try:
            packet = speedwire.parse(data)
        except speedwire.NotAPacket:
            return
        found = str(packet.serial_number)
        if self._selected and found != self._selected:
            self._remember(found)
            return
        now_s = asyncio.get_running_loop().time()
        if now_s - self._accepted_s < MIN_INTERVAL_S:
            return
        if not self._selected:
            _log.info("Speedwire: using the meter with serial number %s", found)
            self._selected = found
        self._last_s = self._accepted_s = now_s
        self._publish(speedwire.measurement(packet, self._profile, now_s))

    def _publish(self, measurement: Measurement) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(measurement)
        self._news.emit(measurement)

    def _remember(self, serial_number: str) -> None:
        if serial_number not in self._others and len(self._others) < MAX_OTHERS:
            self._others.append(serial_number)

    def _complaint(self) -> Message:
        if self._problem:
            return self._problem
        if self._others:
            others = ", ".join(self._others)
            return Message(ONLY_OTHERS, {"serial_number": self._selected, "others": others})
        return Message(NO_PACKETS)
