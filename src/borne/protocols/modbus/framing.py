"""Frames of Modbus TCP (MBAP) and of serial lines (RTU), read byte by byte in both directions.

Sources: Modbus Messaging on TCP/IP 1.0b, section 3.1.3; Modbus over Serial Line 1.02, section 2.5.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from borne.protocols.modbus.pdu import (
    EXCEPTION_FLAG,
    MAX_PDU_BYTES,
    Request,
    answer_bytes,
    encode_request,
)

MBAP_BYTES: Final = 7
MAX_RTU_BYTES: Final = 256
MIN_RTU_BYTES: Final = 4
_EXCEPTION_BYTES: Final = 5
_SHORT_REQUEST_BYTES: Final = 8
_MAX_BUFFERED: Final = 3 * MAX_RTU_BYTES


class BrokenStream(Exception):
    """What came cannot be a Modbus TCP frame; nothing after it can be read."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC_TABLE: Final = _crc_table()


def crc16(data: bytes) -> int:
    """The checksum of an RTU frame; it is sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def mbap_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A Modbus TCP frame."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A frame of a serial line."""
    body = bytes((unit,)) + pdu
    return body + struct.pack("<H", crc16(body))


def is_rtu_frame(data: bytes) -> bool:
    """Whether length and checksum are those of an RTU frame."""
    size_ok = MIN_RTU_BYTES <= len(data) <= MAX_RTU_BYTES
    return size_ok and crc16(data[:-2]) == data[-2] | data[-1] << 8


@dataclass(frozen=True, slots=True)
class MbapFrame:
    """A request or answer of Modbus TCP."""

    transaction: int
    unit: int
    pdu: bytes


class MbapReader:
    """Reads the frames of one TCP connection, of either side."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[MbapFrame]:
        """The frames that are complete now. Raises BrokenStream; then the connection is useless."""
        buffer = self._buffer
        buffer += data
        frames: list[MbapFrame] = []
        while len(buffer) >= MBAP_BYTES:
            transaction, protocol, length, unit = struct.unpack_from(">HHHB", buffer)
            if protocol != 0 or not 2 <= length <= MAX_PDU_BYTES + 1:
                raise BrokenStream("no Modbus TCP header")
            end = MBAP_BYTES - 1 + length
            if len(buffer) < end:
                break
            frames.append(MbapFrame(transaction, unit, bytes(buffer[MBAP_BYTES:end])))
            del buffer[:end]
        return frames

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return bool(self._buffer)


class RtuAnswerReader:
    """Finds the answer to one request in what a serial line gives: after noise, after an echo of
    the request (half-duplex adapters), after frames of other units.

    A confirmation of function 5 or 6 has the bytes of its request. `echoes` says whether the line
    is known to give an echo; if that is None, such an answer is not believed.
    """

    def __init__(self, unit: int, request: Request, *, echoes: bool | None) -> None:
        self._sent = rtu_frame(unit, encode_request(request))
        self._head = bytes((unit, request.function))
        self._refusal = bytes((unit, request.function | EXCEPTION_FLAG))
        self._size = answer_bytes(request) + 3
        self._echoes = echoes
        self._buffer = bytearray()
        self.echo_seen = False
        """Whether an echo of the request came before what followed."""
        self.ambiguous = False
        """Whether what came may be an echo or the answer."""

    def feed(self, data: bytes) -> bytes | None:
        """The PDU of the answer, or None while it is not complete."""
        self._buffer += data
        del self._buffer[:-_MAX_BUFFERED]
        start = self._after_echo()
        for offset in range(start, len(self._buffer) - 1):
            frame = self._frame_at(offset)
            if frame is None:
                continue
            if frame == self._sent and self._echoes is None:
                self.ambiguous = True
                continue
            return frame[1:-2]
        return None

    def _after_echo(self) -> int:
        """Where the answer may begin."""
        sent = self._sent
        if self._buffer[: len(sent)] != sent:
            return 0
        answer_like = len(sent) == self._size and sent[:2] == self._head
        if answer_like and self._frame_at(0) == sent:
            # On a line of which nothing is known, a second copy shows that the first was an echo.
            second = self._buffer[len(sent) : 2 * len(sent)] == sent
            self.echo_seen = bool(self._echoes) or second
            if self._echoes is None and second:
                self._echoes = True
            return len(sent) if self._echoes else 0
        self.echo_seen = True
        return len(sent)

    def _frame_at(self, offset: int) -> bytes | None:
        head = bytes(self._buffer[offset : offset + 2])
        if head == self._head:
            size = self._size
        elif head == self._refusal:
            size = _EXCEPTION_BYTES
        else:
            return None
        frame = bytes(self._buffer[offset : offset + size])
        return frame if len(frame) == size and is_rtu_frame(frame) else None

    @property
    def damaged(self) -> bool:
        """Whether an answer has begun; after a silence it will not be completed."""
        start = len(self._sent) if self.echo_seen else 0
        head = bytes(self._buffer[start : start + 2])
        return head in (self._head, self._refusal) and not self.ambiguous

    @property
    def problem(self) -> str:
        """Why what came is no answer, as the end of a sentence; empty if nothing came."""
        received = bytes(self._buffer[len(self._sent) if self.echo_seen else 0 :])
        if not received:
            return ""
        if self.ambiguous:
            return "what came may be an echo of the request; a read shows whether the line echoes"
        if not is_rtu_frame(received):
            return "its checksum is wrong or a part of it is missing"
        if received[0] != self._head[0]:
            return f"unit {received[0]} answered instead"
        if received[1] & ~EXCEPTION_FLAG != self._head[1]:
            return "it answers another function"
        return "its length is wrong"


class RtuRequestReader:
    """Finds requests in what a serial line gives to a device. Frames of other devices go by as
    well; a silence on the line ends whatever was not understood."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Unit and PDU of each request that is complete now."""
        self._buffer += data
        del self._buffer[:-_MAX_BUFFERED]
        found = []
        while (frame := self._next()) is not None:
            found.append((frame[0], frame[1:-2]))
        return found

    def silence(self) -> list[tuple[int, bytes]]:
        """The line was silent: what is left is a request of a function that we do not know (it is
        to be refused), or nothing."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [(rest[0], rest[1:-2])] if is_rtu_frame(rest) else []

    def _next(self) -> bytes | None:
        buffer = self._buffer
        for offset in range(len(buffer) - MIN_RTU_BYTES + 1):
            size = _request_bytes(buffer, offset)
            frame = bytes(buffer[offset : offset + size])
            if size and len(frame) == size and is_rtu_frame(frame):
                del buffer[: offset + size]
                return frame
        return None


def _request_bytes(buffer: bytearray, offset: int) -> int:
    """Length of the request that may begin at `offset`; 0 if its function is not known."""
    function = buffer[offset + 1]
    if 1 <= function <= 6:
        return _SHORT_REQUEST_BYTES
    if function in (15, 16) and len(buffer) > offset + 6:
        return min(9 + buffer[offset + 6], MAX_RTU_BYTES + 1)
    return 0
