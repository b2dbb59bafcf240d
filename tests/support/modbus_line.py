"""A Modbus device on a wire in memory, written from the specification and not from the product's
codec, so that both can be wrong only independently. For tests on virtual time."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable

from borne.protocols.modbus.endpoint import Endpoint
from borne.protocols.modbus.failures import Unreachable
from borne.protocols.modbus.transports import Inbox, Link, LinkLost

Pieces = Iterable[tuple[float, bytes]]
"""What the device sends, each piece so many seconds after the request."""
TURNAROUND_S = 0.02


def crc(data: bytes) -> bytes:
    """Bit by bit, as in the appendix of the specification."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            odd = register & 1
            register >>= 1
            if odd:
                register ^= 0xA001
    return struct.pack("<H", register)


def rtu(body: bytes) -> bytes:
    return body + crc(body)


def word_at(unit: int, address: int) -> int:
    """What register `address` of `unit` holds: no two are alike."""
    return (unit << 10) + address


def words_at(unit: int, address: int, count: int) -> tuple[int, ...]:
    return tuple(word_at(unit, address + index) for index in range(count))


def answer_pdu(unit: int, pdu: bytes) -> bytes:
    """Reads get words, writes their confirmation."""
    function, address, number = struct.unpack(">BHH", pdu[:5])
    if function in (3, 4):
        words = words_at(unit, address, number)
        return struct.pack(f">BB{number}H", function, 2 * number, *words)
    return pdu[:5]


def tcp_answer(request: bytes) -> bytes:
    transaction, _, _, unit = struct.unpack(">HHHB", request[:7])
    pdu = answer_pdu(unit, request[7:])
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def rtu_answer(request: bytes) -> bytes:
    assert crc(request[:-2]) == request[-2:]
    return rtu(request[:1] + answer_pdu(request[0], request[1:-2]))


def unit_of(request: bytes, *, is_rtu: bool) -> int:
    return request[0 if is_rtu else 6]


class MemoryLink:
    """One connection to the line."""

    def __init__(self, line: MemoryLine) -> None:
        self._line = line
        self.inbox = Inbox()

    def send(self, data: bytes) -> None:
        if self.lost:
            raise LinkLost
        self._line.on_request(data, self)

    async def receive(self, until_s: float) -> bytes:
        return await self.inbox.receive(until_s)

    @property
    def lost(self) -> bool:
        return self.inbox.lost

    def close(self) -> None:
        self.inbox.lose()


class MemoryLine:
    """Opens connections and answers each request by `respond`."""

    def __init__(self, respond: Callable[[bytes], Pieces]) -> None:
        self.respond = respond
        self.requests: list[tuple[float, bytes]] = []
        """With the time of the loop."""
        self.opened_at: list[float] = []
        self.unreachable = ""
        self.links: list[MemoryLink] = []

    async def open(self, endpoint: Endpoint) -> Link:
        del endpoint
        self.opened_at.append(asyncio.get_running_loop().time())
        if self.unreachable:
            raise Unreachable(self.unreachable)
        self.links.append(MemoryLink(self))
        return self.links[-1]

    def on_request(self, data: bytes, link: MemoryLink) -> None:
        loop = asyncio.get_running_loop()
        self.requests.append((loop.time(), data))
        for delay_s, piece in self.respond(data):
            loop.call_later(delay_s, self._deliver, link, piece)

    @staticmethod
    def _deliver(link: MemoryLink, piece: bytes) -> None:
        if not link.lost:
            link.inbox.put(piece)
