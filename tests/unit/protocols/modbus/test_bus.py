"""The owner of a port: order, waiting, retries, silence and recovery, on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from borne.protocols.modbus.bus import (
    ModbusBus,
    Priority,
    RetryPolicy,
)
from borne.protocols.modbus.connection import LONGEST_RECONNECT_S
from borne.protocols.modbus.devices import LONGEST_HOLD_S
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import (
    ExceptionAnswer,
    ModbusFailure,
    NoAnswer,
    QueueFull,
    Unreachable,
    WrongAnswer,
)
from borne.protocols.modbus.job_queue import MAX_WAITING
from borne.protocols.modbus.transports import Link
from tests.support import modbus_line as device
from tests.support.modbus_line import TURNAROUND_S, MemoryLine, Pieces, words_at
from tests.support.virtual_time import virtual_time

TCP = TcpEndpoint("meter")
LINE = SerialEndpoint("/dev/ttyUSB0")
GATEWAY = TcpEndpoint("gateway", framing=Framing.RTU)
ONCE = RetryPolicy(attempts=1)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def is_rtu(endpoint: Endpoint) -> bool:
    return not (isinstance(endpoint, TcpEndpoint) and endpoint.framing is Framing.TCP)


def right_answer(endpoint: Endpoint) -> Callable[[bytes], bytes]:
    return device.rtu_answer if is_rtu(endpoint) else device.tcp_answer


class Bench:
    """A bus on a wire in memory; `silent` units give no answer."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.silent: set[int] = set()
        self.turnaround_s = TURNAROUND_S
        self.line = MemoryLine(self.respond)
        self.bus = ModbusBus(endpoint, self.line.open)

    def respond(self, request: bytes) -> Pieces:
        if device.unit_of(request, is_rtu=is_rtu(self.endpoint)) in self.silent:
            return []
        return [(self.turnaround_s, right_answer(self.endpoint)(request))]

    def read(self, unit: int, address: int = 0, **keywords: Any) -> asyncio.Task[tuple[int, ...]]:
        return asyncio.get_running_loop().create_task(
            self.bus.read(unit, 3, address, 2, **keywords)
        )

    @property
    def asked(self) -> list[int]:
        """The units asked, in order."""
        rtu = is_rtu(self.endpoint)
        return [device.unit_of(request, is_rtu=rtu) for _, request in self.line.requests]


async def failure_of(reading: Coroutine[Any, Any, object] | asyncio.Task[Any]) -> ModbusFailure:
    with pytest.raises(ModbusFailure) as failure:
        await reading
    return failure.value


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# Order


@virtual_time
async def test_a_stop_comes_before_what_waits_and_one_request_is_on_the_wire() -> None:
    bench = Bench(TCP)
    reads = [bench.read(unit) for unit in (1, 2, 3)]
    await turns()
    assert bench.asked == [1]
    scan = bench.read(4, priority=Priority.SCAN)
    late_read = bench.read(5)
    stop = bench.read(6, priority=Priority.STOP)
    command = asyncio.create_task(bench.bus.write(7, 0, [1, 2]))
    await asyncio.gather(*reads, scan, late_read, stop, command)
    assert bench.asked == [1, 6, 7, 2, 3, 5, 4]
    await bench.bus.close()


@virtual_time
async def test_a_stop_comes_between_two_attempts() -> None:
    bench = Bench(TCP)
    bench.silent = {1}
    reading = bench.read(1)
    await turns()
    await bench.bus.write(2, 0, [1, 2], priority=Priority.STOP)
    assert isinstance(await failure_of(reading), NoAnswer)
    assert bench.asked == [1, 2, 1]
    await bench.bus.close()


@virtual_time
async def test_a_full_queue_refuses_reads_and_takes_a_stop() -> None:
    bench = Bench(TCP)
    on_the_wire = bench.read(1)
    await turns()
    reads = [bench.read(1, address) for address in range(MAX_WAITING)]
    assert isinstance(await failure_of(bench.read(1)), QueueFull)
    await bench.read(2, priority=Priority.STOP)
    assert bench.asked[:2] == [1, 2]
    assert str(await failure_of(reads[-1])) == "256 requests wait for this port already."
    await asyncio.gather(on_the_wire, *reads[:-1])
    await bench.bus.close()


@virtual_time
async def test_a_cancelled_request_leaves_the_queue() -> None:
    bench = Bench(TCP)
    first, second, third = (bench.read(unit) for unit in (1, 2, 3))
    await turns()
    second.cancel()
    first.cancel()  # on the wire: its answer is awaited, and belongs to no other request
    assert await third == words_at(3, 0, 2)
    assert bench.asked == [1, 3]
    await bench.bus.close()


@virtual_time
async def test_a_cancelled_request_is_not_tried_again() -> None:
    bench = Bench(TCP)
    bench.silent = {1}
    reading = bench.read(1)
    await turns()
    reading.cancel()
    await bench.read(2)
    assert bench.asked == [1, 2]
    await bench.bus.close()


@virtual_time
async def test_after_close_nothing_is_asked() -> None:
    bench = Bench(TCP)
    bench.silent = {1}
    waiting = [bench.read(1), bench.read(2)]
    await turns()
    await bench.bus.close()
    for reading in [*waiting, bench.read(3)]:
        failure = await failure_of(reading)
        assert isinstance(failure, Unreachable)
        assert str(failure) == "The connection to meter:502 is closed."
    assert bench.line.links[0].lost


# Time on the line


@pytest.mark.parametrize(
    ("baud", "gap_s"), [(9600, 3.5 * 10 / 9600), (19200, 3.5 * 10 / 19200), (115200, 0.00175)]
)
@virtual_time
async def test_frames_are_apart(baud: int, gap_s: float) -> None:
    bench = Bench(SerialEndpoint("/dev/ttyUSB0", baud=baud))
    await asyncio.gather(*(bench.read(unit) for unit in (1, 2, 3, 4)))
    *_, (first_s, _), (second_s, _) = bench.line.requests
    assert second_s - first_s - TURNAROUND_S == pytest.approx(gap_s)
    await bench.bus.close()


@virtual_time
async def test_a_pause_that_a_device_needs_does_not_hold_up_others() -> None:
    bench = Bench(LINE)
    slow = RetryPolicy(pause_s=0.1)
    await bench.read(1)
    answered_s = now_s()
    await asyncio.gather(bench.read(1, 2, retry=slow), bench.read(2))
    assert bench.asked == [1, 2, 1]
    assert bench.line.requests[2][0] - answered_s == pytest.approx(0.1)
    await bench.bus.close()


@virtual_time
async def test_the_line_carries_a_long_answer_as_long_as_it_needs() -> None:
    bench = Bench(SerialEndpoint("/dev/ttyUSB0", baud=1200))
    bench.turnaround_s = 2.2  # 258 characters at 1200 baud
    assert len(await bench.bus.read(1, 3, 0, 125, retry=ONCE)) == 125
    await bench.bus.close()


# No answer, late answers, wrong answers


@pytest.mark.parametrize("endpoint", [TCP, LINE, GATEWAY], ids=["tcp", "serial", "gateway"])
def test_every_attempt_has_its_time(endpoint: Endpoint) -> None:
    @virtual_time
    async def run() -> None:
        bench = Bench(endpoint)
        bench.silent = {1}
        began_s = now_s()
        failure = await failure_of(bench.read(1, retry=RetryPolicy(timeout_s=0.5, attempts=3)))
        assert str(failure) == "Unit 1 does not answer."
        assert bench.asked == [1, 1, 1]
        assert 1.5 <= now_s() - began_s < 1.8
        await bench.bus.close()

    run()


@pytest.mark.parametrize("endpoint", [LINE, GATEWAY], ids=["serial", "gateway"])
@pytest.mark.parametrize("late_s", [1.03, 1.05, 1.2, 1.6, 1.99])
def test_a_late_answer_is_not_that_of_the_next_request(endpoint: Endpoint, late_s: float) -> None:
    @virtual_time
    async def run() -> None:
        bench = Bench(endpoint)
        bench.turnaround_s = late_s
        first = bench.read(1, 0, retry=ONCE)
        second = bench.read(1, 50, retry=RetryPolicy(timeout_s=3.0))
        await failure_of(first)
        assert await second == words_at(1, 50, 2)
        await bench.bus.close()

    run()


@virtual_time
async def test_a_device_slower_than_the_time_out_is_read_right_in_the_second_attempt() -> None:
    for endpoint in (TCP, LINE, GATEWAY):
        bench = Bench(endpoint)
        bench.turnaround_s = 1.3
        for address in (0, 10, 20, 0):
            assert await bench.read(1, address) == words_at(1, address, 2)
        await bench.bus.close()


@virtual_time
async def test_other_units_are_asked_while_a_late_answer_may_come() -> None:
    bench = Bench(LINE)
    bench.silent = {1}
    await failure_of(bench.read(1, 0, retry=ONCE))
    failed_s = now_s()
    bench.silent = set()
    await asyncio.gather(bench.read(1, 50, priority=Priority.COMMAND), bench.read(2, 50))
    assert bench.asked == [1, 2, 1]
    assert bench.line.requests[1][0] - failed_s < 0.1
    assert bench.line.requests[2][0] - failed_s == pytest.approx(1.0)
    answered_s = now_s()
    await bench.read(1, 60)
    assert bench.line.requests[3][0] - answered_s < 0.1
    await bench.bus.close()


@virtual_time
async def test_a_read_that_is_held_back_is_not_overtaken_by_others_of_its_unit() -> None:
    bench = Bench(LINE)
    bench.silent = {1}
    await failure_of(bench.read(1, 0, retry=ONCE))
    bench.silent = set()
    order: list[int] = []

    async def read(address: int) -> None:
        await bench.bus.read(1, 3, address, 2)
        order.append(address)

    await asyncio.gather(read(50), read(0), read(0))
    assert order == [50, 0, 0]
    await bench.bus.close()


@virtual_time
async def test_an_exception_is_not_tried_again() -> None:
    bench = Bench(TCP)
    bench.line.respond = lambda request: [(TURNAROUND_S, request[:4] + b"\0\3\1\x83\2")]
    failure = await failure_of(bench.read(1))
    assert isinstance(failure, ExceptionAnswer)
    assert failure.code == 2
    assert bench.asked == [1]
    await bench.bus.close()


@virtual_time
async def test_a_busy_device_is_asked_again_after_a_pause() -> None:
    bench = Bench(TCP)
    busy = [True, True, True]

    def respond(request: bytes) -> Pieces:
        answer = request[:4] + b"\0\3\1\x83\6" if busy else device.tcp_answer(request)
        del busy[:1]
        return [(TURNAROUND_S, answer)]

    bench.line.respond = respond
    failure = await failure_of(bench.read(1))
    assert isinstance(failure, ExceptionAnswer)
    assert failure.code == 6
    assert await bench.read(1) == words_at(1, 0, 2)
    asked_s = [at_s for at_s, _ in bench.line.requests]
    assert len(asked_s) == 4
    assert asked_s[3] - asked_s[2] == pytest.approx(0.2 + TURNAROUND_S)
    await bench.bus.close()


WRONG_ON_TCP: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("another request", lambda answer: b"\x77\x77" + answer[2:]),
    ("Unit 9 answered instead of unit 1", lambda answer: answer[:6] + b"\x09" + answer[7:]),
    ("another function", lambda answer: answer[:7] + b"\x04" + answer[8:]),
    ("wrong length", lambda answer: answer[:8] + b"\x02" + answer[9:]),
    ("no Modbus TCP", lambda answer: b"HTTP/1.1 400 Bad Request" + answer),
    ("missing", lambda answer: answer[:-1]),
]


@pytest.mark.parametrize(("reason", "wrong"), WRONG_ON_TCP, ids=[row[0] for row in WRONG_ON_TCP])
def test_a_wrong_answer_on_tcp(reason: str, wrong: Callable[[bytes], bytes]) -> None:
    @virtual_time
    async def run() -> None:
        bench = Bench(TCP)
        bench.line.respond = lambda request: [(TURNAROUND_S, wrong(device.tcp_answer(request)))]
        failure = await failure_of(bench.read(1))
        assert isinstance(failure, WrongAnswer)
        assert reason in str(failure)
        assert bench.asked == [1, 1]
        bench.line.respond = bench.respond
        assert await bench.read(1) == words_at(1, 0, 2)
        await bench.bus.close()

    run()


@virtual_time
async def test_a_damaged_answer_is_asked_again_as_soon_as_the_line_is_silent() -> None:
    bench = Bench(LINE)
    damaged = [True]

    def respond(request: bytes) -> Pieces:
        answer = device.rtu_answer(request)
        return [(TURNAROUND_S, answer[:-1] if damaged.pop() else answer)]

    damaged[:0] = [False]
    bench.line.respond = respond
    began_s = now_s()
    assert await bench.read(1) == words_at(1, 0, 2)
    assert now_s() - began_s < 0.4
    await bench.bus.close()


@virtual_time
async def test_a_line_with_echo() -> None:
    bench = Bench(LINE)
    bench.line.respond = lambda request: [(0.0, request), *bench.respond(request)]
    assert await bench.read(1) == words_at(1, 0, 2)
    await bench.bus.write(1, 4, [1])
    bench.line.respond = lambda request: [(0.0, request)]
    for work in (bench.bus.read(1, 3, 0, 2), bench.bus.write(1, 4, [1])):
        assert isinstance(await failure_of(work), NoAnswer)
    await bench.bus.close()


@virtual_time
async def test_on_a_line_of_which_nothing_is_known_an_echo_confirms_no_write() -> None:
    bench = Bench(LINE)
    failure = await failure_of(bench.bus.write(1, 4, [1]))
    assert isinstance(failure, WrongAnswer)
    assert "echo" in str(failure)
    await bench.read(1)
    await bench.bus.write(1, 4, [1])
    await bench.bus.close()


@virtual_time
async def test_a_line_that_is_never_silent() -> None:
    bench = Bench(LINE)
    loop = asyncio.get_running_loop()

    def babble() -> None:
        bench.line.links[0].inbox.put(b"\x55")
        loop.call_later(0.02, babble)

    await bench.read(1)
    babble()
    began_s = now_s()
    failure = await failure_of(bench.read(1))
    assert str(failure) == "The line is never silent."
    assert now_s() - began_s < 2.5, "a second for each attempt"
    await bench.bus.close()


# Silent units


@virtual_time
async def test_a_dead_unit_does_not_take_the_line_from_a_slow_one() -> None:
    """Each is polled every second for a minute; the dead one returns then."""
    bench = Bench(LINE)
    bench.turnaround_s = 0.3
    bench.silent = {1}
    ages: list[float] = []

    async def poll(unit: int) -> None:
        for _ in range(60):
            done_s = now_s() + 1
            with contextlib.suppress(NoAnswer):
                await bench.bus.read(unit, 3, 0, 2)
            age_s = bench.bus.age_s(2)
            if age_s is not None:
                ages.append(age_s)
            await asyncio.sleep(max(0.0, done_s - now_s()))

    await asyncio.gather(poll(2), poll(1))
    assert max(ages) < 2.5, "one time-out and one answer"
    assert 8 <= bench.asked.count(1) <= 12, "tried again after 1, 2, 4, 8, 10, 10 s"
    assert bench.asked.count(2) == 60
    bench.silent = set()
    began_s = now_s()
    while bench.bus.age_s(1) is None:
        await asyncio.gather(bench.read(1), asyncio.sleep(1), return_exceptions=True)
        await bench.read(2)
    assert now_s() - began_s <= LONGEST_HOLD_S + 2
    await bench.bus.close()


@virtual_time
async def test_a_command_to_a_dead_unit_is_sent_at_once() -> None:
    bench = Bench(LINE)
    bench.silent = {1}
    await bench.read(2)
    await failure_of(bench.read(1))
    held = await failure_of(bench.read(1))
    assert str(held) == "Unit 1 at /dev/ttyUSB0 does not answer; it is asked again in 1 s."
    bench.silent = set()
    await bench.bus.write(1, 0, [1, 2], priority=Priority.STOP)
    assert await bench.read(1) == words_at(1, 0, 2)
    await bench.bus.close()


@virtual_time
async def test_a_unit_alone_on_its_port_is_tried_at_each_request() -> None:
    bench = Bench(TCP)
    bench.silent = {1}
    for _ in range(5):
        await failure_of(bench.read(1))
    assert len(bench.asked) == 10
    await bench.bus.close()


@virtual_time
async def test_a_gateway_without_an_answer_of_the_unit_counts_as_silence() -> None:
    bench = Bench(TCP)
    await bench.read(2)
    bench.line.respond = lambda request: [(TURNAROUND_S, request[:4] + b"\0\3\1\x83\x0b")]
    failure = await failure_of(bench.read(1))
    assert isinstance(failure, ExceptionAnswer)
    assert isinstance(await failure_of(bench.read(1)), NoAnswer)
    assert bench.asked == [2, 1]
    await bench.bus.close()


@virtual_time
async def test_the_age_is_that_of_the_last_good_answer() -> None:
    bench = Bench(TCP)
    assert bench.bus.age_s(1) is None
    await bench.read(1)
    await asyncio.sleep(5)
    bench.silent = {1}
    await failure_of(bench.read(1, retry=ONCE))
    assert bench.bus.age_s(1) == pytest.approx(6.0)
    assert bench.bus.age_s(2) is None
    await bench.bus.close()


# Connections


@virtual_time
async def test_a_request_waits_for_a_connection_as_long_as_for_an_answer() -> None:
    bench = Bench(TCP)
    bench.line.unreachable = "No connection to meter:502: the network is down."
    began_s = now_s()
    failure = await failure_of(bench.read(1))
    assert isinstance(failure, Unreachable)
    assert str(failure) == "No connection to meter:502: the network is down."
    assert now_s() - began_s == pytest.approx(1.0)
    waiting = bench.read(1, retry=RetryPolicy(timeout_s=5.0))
    await asyncio.sleep(0.2)
    bench.line.unreachable = ""
    assert await waiting == words_at(1, 0, 2)
    await bench.bus.close()


@virtual_time
async def test_pauses_between_connections_grow_to_ten_seconds() -> None:
    bench = Bench(TCP)
    bench.line.unreachable = "down"
    while len(bench.line.opened_at) < 9:
        await failure_of(bench.read(1))
    opened = bench.line.opened_at
    pauses = [round(later - sooner, 3) for sooner, later in itertools.pairwise(opened)]
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert pauses[5:] == [LONGEST_RECONNECT_S] * 3
    bench.line.unreachable = ""
    while bench.bus.age_s(1) is None:
        await asyncio.gather(bench.read(1), return_exceptions=True)
    bench.line.unreachable = "down again"
    bench.line.links[-1].close()
    before = len(opened)
    while len(opened) < before + 3:
        await failure_of(bench.read(1))
    pauses = [round(later - sooner, 3) for sooner, later in itertools.pairwise(opened[before:])]
    assert pauses == [0.5, 1.0], "the pauses begin again after a good answer"
    await bench.bus.close()


@virtual_time
async def test_nobody_asks_and_no_connection_is_tried() -> None:
    bench = Bench(TCP)
    bench.line.unreachable = "down"
    await failure_of(bench.read(1))
    opened = len(bench.line.opened_at)
    await asyncio.sleep(3600)
    assert len(bench.line.opened_at) == opened
    await bench.bus.close()


@virtual_time
async def test_a_connection_that_the_device_closed_costs_no_reading() -> None:
    bench = Bench(TCP)
    for _ in range(3):
        assert await bench.read(1, retry=ONCE) == words_at(1, 0, 2)
        bench.line.links[-1].close()
    assert len(bench.line.links) == 3
    await bench.bus.close()


@virtual_time
async def test_a_connection_that_the_device_closes_at_a_request_costs_no_reading() -> None:
    bench = Bench(TCP)
    await bench.read(1)
    first = bench.line.links[0]

    def respond(request: bytes) -> Pieces:
        if bench.line.links[-1] is first:
            first.close()
            return []
        return bench.respond(request)

    bench.line.respond = respond
    assert await bench.read(1, retry=ONCE) == words_at(1, 0, 2)
    await bench.bus.close()


@virtual_time
async def test_a_request_repeated_on_a_new_connection_may_be_answered_twice() -> None:
    """A gateway loses the connection, but has passed the request on to its line."""
    bench = Bench(GATEWAY)
    await bench.read(1)

    def respond(request: bytes) -> Pieces:
        if len(bench.line.links) == 1:
            bench.line.links[0].close()
            return []
        copies = 2 if len(bench.line.requests) == 3 else 1
        answer = device.rtu_answer(request)
        return [(TURNAROUND_S * (index + 1), answer) for index in range(copies)]

    bench.line.respond = respond
    assert await bench.read(1, 10) == words_at(1, 10, 2)
    began_s = now_s()
    assert await bench.read(1, 20) == words_at(1, 20, 2)
    assert now_s() - began_s < 0.2
    await bench.bus.close()


@virtual_time
async def test_a_device_that_closes_every_connection() -> None:
    bench = Bench(TCP)

    def respond(request: bytes) -> Pieces:
        del request
        bench.line.links[-1].close()
        return []

    bench.line.respond = respond
    failure = await failure_of(bench.read(1))
    assert isinstance(failure, Unreachable)
    assert "perhaps another program is connected" in str(failure)
    assert len(bench.line.opened_at) <= 4
    await bench.bus.close()


@virtual_time
async def test_a_connection_that_breaks_is_no_fault_of_the_unit() -> None:
    bench = Bench(TCP)
    await bench.read(2)

    def respond(request: bytes) -> Pieces:
        if len(bench.line.links) < 4:
            bench.line.links[-1].close()
            return []
        return bench.respond(request)

    bench.line.respond = respond
    assert isinstance(await failure_of(bench.read(1, retry=ONCE)), Unreachable)
    while bench.bus.age_s(1) is None:
        failure = (await asyncio.gather(bench.read(1), return_exceptions=True))[0]
        assert not isinstance(failure, NoAnswer), "it is not left out"
    await bench.bus.close()


@pytest.mark.parametrize("endpoint", [TCP, GATEWAY], ids=["tcp", "gateway"])
def test_a_connection_without_answers_is_renewed(endpoint: Endpoint) -> None:
    """A router has forgotten the connection: it stays open, and nothing comes any more."""

    @virtual_time
    async def run() -> None:
        bench = Bench(endpoint)
        await bench.read(1)
        forgotten = bench.line.links[0]

        def respond(request: bytes) -> Pieces:
            return [] if bench.line.links[-1] is forgotten else bench.respond(request)

        bench.line.respond = respond
        assert isinstance(await failure_of(bench.read(1)), NoAnswer)
        assert await bench.read(1) == words_at(1, 0, 2)
        assert forgotten.lost
        await bench.bus.close()

    run()


@virtual_time
async def test_a_connection_that_takes_long_is_still_made() -> None:
    """Each request gives up before; the attempt goes on."""
    bench = Bench(TCP)

    async def open_slowly(endpoint: Endpoint) -> Any:
        await asyncio.sleep(3.5)
        return await bench.line.open(endpoint)

    bus = ModbusBus(TCP, open_slowly)
    failures: list[str] = []
    while bus.age_s(1) is None:
        try:
            await bus.read(1, 3, 0, 2)
        except Unreachable as failure:
            failures.append(str(failure))
    assert failures == ["Nothing answers at meter:502."] * 3
    await bus.close()


@pytest.mark.parametrize("unit", [-1, 256])
def test_a_unit_that_cannot_be_is_not_asked(unit: int) -> None:
    @virtual_time
    async def run() -> None:
        bench = Bench(TCP)
        with pytest.raises(ValueError, match="unit"):
            await bench.bus.read(unit, 3, 0, 1)
        assert bench.line.requests == []

    run()


@virtual_time
async def test_unit_0_is_a_device_on_tcp_and_none_on_a_line() -> None:
    bench = Bench(TCP)
    assert await bench.read(0) == words_at(0, 0, 2)
    await bench.bus.close()
    bench = Bench(LINE)
    assert isinstance(await failure_of(bench.read(0)), NoAnswer)
    assert bench.line.requests == []


@virtual_time
async def test_an_internal_error_ends_one_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="borne")
    bench = Bench(TCP)

    def broken(request: bytes) -> Pieces:
        raise RuntimeError(request)

    bench.line.respond = broken
    failure = await failure_of(bench.read(1))
    assert str(failure) == "The request to meter:502 failed by an internal error."
    bench.line.respond = bench.respond
    assert await bench.read(1) == words_at(1, 0, 2)
    await bench.bus.close()


@virtual_time
async def test_an_internal_error_of_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="borne")

    async def broken(endpoint: Endpoint) -> Link:
        raise RuntimeError(endpoint)

    bus = ModbusBus(TCP, broken)
    failure = await failure_of(bus.read(1, 3, 0, 1))
    assert str(failure) == "meter:502 could not be opened by an internal error."
    await bus.close()
