"""Four callers read from three units while answers are late, damaged, missing or foreign, and
connections break: whatever is returned are the words of the registers that were asked for."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import pytest

from borne.protocols.modbus.bus import ModbusBus, Priority, RetryPolicy
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ModbusFailure
from tests.support import modbus_line as device
from tests.support.modbus_line import TURNAROUND_S, MemoryLine, Pieces, words_at
from tests.support.virtual_time import run_virtual

ENDPOINTS: dict[str, Endpoint] = {
    "tcp": TcpEndpoint("meter"),
    "serial": SerialEndpoint("/dev/ttyUSB0"),
    "gateway": TcpEndpoint("gateway", framing=Framing.RTU),
}
LATEST_S = 1.9
"""A time-out of 1 s, and up to 0.9 s after it."""


class FaultyLine(MemoryLine):
    """Three of four answers are right and in time."""

    def __init__(self, kind: str, dice: random.Random) -> None:
        super().__init__(self._faulty)
        self._dice = dice
        self._answer = device.tcp_answer if kind == "tcp" else device.rtu_answer
        self._damages: list[Callable[[bytes], bytes]] = [self._drop, self._repeat, self._insert]
        if kind != "tcp":  # TCP has a checksum of its own
            self._damages.append(self._change)

    def _faulty(self, request: bytes) -> Pieces:
        dice, answer = self._dice, self._answer(request)
        match dice.choices(range(7), [60, 15, 8, 8, 3, 3, 3])[0]:
            case 0:
                return [(dice.choice([TURNAROUND_S, 0.5]), answer)]
            case 1:
                return [(dice.uniform(0.9, LATEST_S), answer)]
            case 2:
                return []
            case 3:
                return [(TURNAROUND_S, dice.choice(self._damages)(answer))]
            case 4:
                at = dice.randrange(len(answer))
                return [(TURNAROUND_S, answer[:at]), (dice.uniform(0.1, LATEST_S), answer[at:])]
            case 5:
                return [(0.01, dice.randbytes(dice.randrange(1, 30))), (0.05, answer)]
            case _:
                self.links[-1].close()
                return []

    def _drop(self, answer: bytes) -> bytes:
        at = self._dice.randrange(len(answer))
        return answer[:at] + answer[at + 1 :]

    def _repeat(self, answer: bytes) -> bytes:
        at = self._dice.randrange(len(answer))
        return answer[: at + 1] + answer[at:]

    def _insert(self, answer: bytes) -> bytes:
        at = self._dice.randrange(len(answer))
        return answer[:at] + self._dice.randbytes(1) + answer[at:]

    def _change(self, answer: bytes) -> bytes:
        at = self._dice.randrange(len(answer))
        return answer[:at] + bytes((answer[at] ^ self._dice.randrange(1, 256),)) + answer[at + 1 :]


async def read_at_random(kind: str, seed: int) -> None:
    dice = random.Random(seed)
    line = FaultyLine(kind, dice)
    bus = ModbusBus(ENDPOINTS[kind], line.open)
    results: Counter[str] = Counter()

    async def read(unit: int) -> None:
        address, count = dice.randrange(1000), dice.choice([1, 2, 2, 2, 3])
        words = await bus.read(
            unit,
            dice.choice([3, 3, 4]),
            address,
            count,
            priority=dice.choice([Priority.COMMAND, Priority.READ]),
            retry=RetryPolicy(attempts=dice.choice([1, 2, 3])),
        )
        assert words == words_at(unit, address, count), f"unit {unit}, {count} from {address}"

    async def poll(unit: int) -> None:
        for _ in range(60):
            try:
                await read(unit)
                results["right"] += 1
            except ModbusFailure:
                results["failed"] += 1
            await asyncio.sleep(dice.choice([0.0, 0.0, 0.3]))

    await asyncio.gather(poll(1), poll(1), poll(2), poll(3))
    await bus.close()
    assert results["right"] > results["failed"] > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ENDPOINTS)
def test_random_faults(kind: str, seed: int) -> None:
    run_virtual(read_at_random(kind, seed))


@pytest.mark.campaign
@pytest.mark.parametrize("kind", ENDPOINTS)
def test_many_random_faults(kind: str) -> None:
    for seed in range(100):
        run_virtual(read_at_random(kind, seed))
