"""The driver of Speedwire meters on a multicast group of the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from borne.adapters.meters import multicast
from borne.adapters.meters import speedwire as driver
from borne.adapters.meters.speedwire import SpeedwireMeter
from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.measurement import Measurement
from tests.support.speedwire_packets import INVERTER, house
from tests.support.virtual_time import VirtualTimeLoop

GROUP = "239.12.255.253"
METER, OTHER = 1901234567, 1907654321
Answer = Measurement | MeterSilent


class Sender:
    """Sends packets to the group on the loopback interface."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
        )

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self._socket.sendto(packet, (GROUP, self.port))

    def close(self) -> None:
        self._socket.close()


def received_by_group(sender: Sender) -> bool:
    """Whether this machine delivers multicast on its loopback interface."""
    try:
        with multicast.open_socket(GROUP, sender.port) as receiver:
            multicast.join(receiver, GROUP, "127.0.0.1")
            receiver.settimeout(1.0)
            sender.send(b"?")
            return receiver.recv(10) == b"?"
    except OSError:
        return False


@pytest.fixture
def sender() -> Iterator[Sender]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    sender = Sender(port)
    try:
        if not received_by_group(sender):
            pytest.skip("this machine delivers no multicast on its loopback interface")
        yield sender
    finally:
        sender.close()


@contextlib.asynccontextmanager
async def listening(
    sender: Sender, serial_number: str = "", host: str = ""
) -> AsyncIterator[tuple[SpeedwireMeter, asyncio.Queue[Answer]]]:
    meter = SpeedwireMeter(serial_number, host, group=GROUP, port=sender.port)
    answers: asyncio.Queue[Answer] = asyncio.Queue()
    meter.subscribe(answers.put_nowait)
    await meter.start()
    try:
        yield meter, answers
    finally:
        await meter.stop()


async def next_serial_number(answers: asyncio.Queue[Answer]) -> str:
    answer = await answers.get()
    assert isinstance(answer, Measurement)
    return answer.serial_number


async def test_every_packet_is_a_measurement(sender: Sender) -> None:
    async with listening(sender) as (meter, answers):
        sender.send(house(METER))
        answer = await answers.get()
        assert isinstance(answer, Measurement)
        assert answer.current_a == (-10.0, 2.0, 0.0)
        assert answer.at_s <= asyncio.get_running_loop().time()
        assert meter.serial_number == answer.serial_number == str(METER)


async def test_a_read_waits_for_the_next_packet(sender: Sender) -> None:
    async with listening(sender, host="127.0.0.1") as (meter, _):
        reads = [asyncio.ensure_future(meter.read()) for _ in range(2)]
        await asyncio.sleep(0)
        sender.send(house(METER))
        assert [read.import_wh for read in await asyncio.gather(*reads)] == [1999, 1999]


async def test_the_selected_meter_is_used_among_others_and_noise(sender: Sender) -> None:
    async with listening(sender, str(METER)) as (_, answers):
        noise = (b"", b"SMA\0", house(METER)[:100], house(METER) * 3)
        sender.send(house(OTHER), house(METER, protocol=INVERTER), *noise, house(METER))
        assert await next_serial_number(answers) == str(METER)
        assert answers.empty()


async def test_the_first_meter_received_stays_the_one_that_is_used(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "MIN_INTERVAL_S", 0.0)
    async with listening(sender) as (_, answers):
        sender.send(house(METER), house(OTHER), house(METER))
        assert [await next_serial_number(answers) for _ in range(2)] == [str(METER)] * 2


async def test_a_flood_is_thinned(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "MIN_INTERVAL_S", 60.0)
    async with listening(sender) as (_, answers):
        sender.send(*[house(METER)] * 10)
        await answers.get()
        assert answers.empty()


async def test_packets_from_another_address_are_ignored(sender: Sender) -> None:
    async with listening(sender, host="127.0.0.2") as (meter, answers), listening(sender) as other:
        sender.send(house(OTHER))
        assert await next_serial_number(other[1]) == str(OTHER)
        await asyncio.sleep(0)
        assert (answers.empty(), meter.serial_number) == (True, "")


async def test_a_stopped_meter_ends_its_reads(sender: Sender) -> None:
    async with listening(sender) as (meter, _):
        read = asyncio.ensure_future(meter.read())
        await asyncio.sleep(0)
        await meter.stop()
        with pytest.raises(MeterSilent):
            await read
        with pytest.raises(MeterSilent):
            await meter.read()


class FedMeter(SpeedwireMeter):
    """Receives what is passed to it, instead of what a multicast socket receives."""

    def _listen(self) -> None:
        if self._receiver is None:
            self._receiver, self.feed = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def test_silence_is_reported_after_ten_seconds_and_then_each_second() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        meter = FedMeter(str(METER))
        silent_at: list[float] = []
        meter.subscribe(lambda answer: silent_at.append(loop.time()))
        began = loop.time()
        await meter.start()
        with pytest.raises(MeterSilent, match="No packets of the meter arrive"):
            await meter.read()
        assert loop.time() - began == 3.0
        await asyncio.sleep(9.5)
        assert [at - began for at in silent_at] == [10.0, 11.0, 12.0]
        await meter.stop()
        meter.feed.close()
        await asyncio.sleep(5)
        assert len(silent_at) == 3

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scenario())
