"""An answer is damaged at every byte. A read gives the right words or a failure, and the bus
recovers: the next read is right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from borne.protocols.modbus.bus import ModbusBus, RetryPolicy
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ModbusFailure
from tests.support import modbus_line as device
from tests.support.modbus_line import TURNAROUND_S, MemoryLine, Pieces
from tests.support.virtual_time import run_virtual

UNIT, FUNCTION, ADDRESS, COUNT = 3, 3, 0x40, 2
RIGHT = device.words_at(UNIT, ADDRESS, COUNT)
OTHER_ADDRESS = 0x60
MBAP_BYTES = 9
"""Header, function and byte count. A changed byte behind them is for TCP's checksum to find."""
ANSWER_BYTES = {"tcp": MBAP_BYTES + 2 * COUNT, "rtu": 5 + 2 * COUNT}


@dataclass(frozen=True)
class Kind:
    name: str
    endpoint: Endpoint
    answer: Callable[[bytes], bytes]


KINDS = [
    Kind("tcp", TcpEndpoint("meter"), device.tcp_answer),
    Kind("rtu", SerialEndpoint("/dev/ttyUSB0"), device.rtu_answer),
    Kind("rtu", TcpEndpoint("gateway", framing=Framing.RTU), device.rtu_answer),
]


def dropped(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at] + answer[at + 1 :])]


def changed(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at] + bytes((answer[at] ^ 0x05,)) + answer[at + 1 :])]


def set_high(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at] + b"\xff" + answer[at + 1 :])]


def duplicated(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[: at + 1] + answer[at:])]


def inserted(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at] + b"\x00" + answer[at:])]


def split(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at]), (TURNAROUND_S + 0.05, answer[at:])]


def ended(answer: bytes, at: int) -> Pieces:
    return [(TURNAROUND_S, answer[:at])]


def held_up(answer: bytes, at: int) -> Pieces:
    """The rest comes after the time-out, in the next attempt or request."""
    return [(TURNAROUND_S, answer[:at]), (1.1, answer[at:])]


def late(answer: bytes, at: int) -> Pieces:
    return [(0.9 + at * 0.08, answer)]


def twice(answer: bytes, at: int) -> Pieces:
    """A copy follows, as quick as the line carries it."""
    return [(TURNAROUND_S, answer + answer[: at + 1]), (TURNAROUND_S + 0.002, answer[at + 1 :])]


FAULTS = [dropped, changed, set_high, duplicated, inserted, split, ended, held_up, late, twice]
ALWAYS_RIGHT = (split,)
FROM_THE_PAYLOAD_ON_UNSEEN = (changed, set_high)


def cases() -> list[object]:
    return [
        pytest.param(kind, fault, id=f"{kind.name}-{kind.endpoint}-{fault.__name__}")
        for kind in KINDS
        for fault in FAULTS
    ]


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize(("kind", "fault"), cases())
def test_a_fault_at_every_byte(
    kind: Kind, fault: Callable[[bytes, int], Pieces], attempts: int
) -> None:
    size = ANSWER_BYTES[kind.name]
    if kind.name == "tcp" and fault in FROM_THE_PAYLOAD_ON_UNSEEN:
        size = MBAP_BYTES
    for at in range(size):
        run_virtual(_one_fault(kind, fault, at, attempts))


async def _one_fault(
    kind: Kind, fault: Callable[[bytes, int], Pieces], at: int, attempts: int
) -> None:
    """One answer is damaged; the request after it has an answer of the same form."""
    faulty = [True]

    def respond(request: bytes) -> Pieces:
        answer = kind.answer(request)
        if faulty:
            faulty.clear()
            return fault(answer, at)
        return [(TURNAROUND_S, answer)]

    line = MemoryLine(respond)
    bus = ModbusBus(kind.endpoint, line.open)
    values: tuple[int, ...] | None = None
    with contextlib.suppress(ModbusFailure):
        values = await bus.read(UNIT, FUNCTION, ADDRESS, COUNT, retry=_retry(attempts))
    assert values in (None, RIGHT)
    if fault in ALWAYS_RIGHT or attempts == 2:
        assert values == RIGHT, f"the second attempt was not used, byte {at}"
    following = await bus.read(UNIT, FUNCTION, OTHER_ADDRESS, COUNT)
    assert following == device.words_at(UNIT, OTHER_ADDRESS, COUNT)
    await bus.close()


def _retry(attempts: int) -> RetryPolicy:
    return RetryPolicy(timeout_s=1.0, attempts=attempts)
