"""Requests and answers of Modbus without their frame (Application Protocol 1.1b3, section 6).

Both directions; no I/O. Words are 16-bit unsigned, bits are 0 or 1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from borne.protocols.modbus.failures import ExceptionAnswer, ExceptionCode, WrongAnswer

READ_COILS: Final = 1
READ_DISCRETE_INPUTS: Final = 2
READ_HOLDING_REGISTERS: Final = 3
READ_INPUT_REGISTERS: Final = 4
WRITE_COIL: Final = 5
WRITE_REGISTER: Final = 6
WRITE_COILS: Final = 15
WRITE_REGISTERS: Final = 16

READ_FUNCTIONS: Final = (1, 2, 3, 4)
BIT_FUNCTIONS: Final = (1, 2, 5, 15)
MAX_COUNT: Final = {1: 2000, 2: 2000, 3: 125, 4: 125, 5: 1, 6: 1, 15: 1968, 16: 123}
"""Values of one request, by function."""
MAX_PDU_BYTES: Final = 253
EXCEPTION_FLAG: Final = 0x80
_COIL_ON: Final = 0xFF00


@dataclass(frozen=True, slots=True)
class Read:
    """Functions 1 to 4."""

    function: int
    address: int
    count: int

    def __post_init__(self) -> None:
        if self.function not in READ_FUNCTIONS:
            raise ValueError(f"function {self.function} does not read")
        _check_range(self.function, self.address, self.count)


@dataclass(frozen=True, slots=True)
class Write:
    """Functions 5, 6, 15, 16."""

    function: int
    address: int
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.function not in MAX_COUNT or self.function in READ_FUNCTIONS:
            raise ValueError(f"function {self.function} does not write")
        _check_range(self.function, self.address, len(self.values))
        highest = 1 if self.function in BIT_FUNCTIONS else 0xFFFF
        if not all(0 <= value <= highest for value in self.values):
            raise ValueError(f"a value is outside 0 to {highest}")


Request = Read | Write


class RefusedRequest(Exception):
    """A request that is answered with an exception; `code` says which."""

    def __init__(self, function: int, code: ExceptionCode) -> None:
        super().__init__(f"function {function}: {code.name}")
        self.function = function
        self.code = code


def _check_range(function: int, address: int, count: int) -> None:
    if not 1 <= count <= MAX_COUNT[function]:
        raise ValueError(f"function {function} takes 1 to {MAX_COUNT[function]} values")
    if not 0 <= address <= 0xFFFF or address + count > 0x10000:
        raise ValueError("addresses go from 0 to 65535")


def encode_request(request: Request) -> bytes:
    """The PDU of a request."""
    head = struct.pack(">BH", request.function, request.address)
    if isinstance(request, Read):
        return head + struct.pack(">H", request.count)
    values = request.values
    match request.function:
        case 5:
            return head + struct.pack(">H", _COIL_ON if values[0] else 0)
        case 6:
            return head + struct.pack(">H", values[0])
        case _:
            data = _encode_values(request.function, values)
            return head + struct.pack(">HB", len(values), len(data)) + data


def decode_request(pdu: bytes) -> Request:
    """The request of a PDU. Raises RefusedRequest with the exception that answers it."""
    function = pdu[0] if pdu else 0
    if function not in MAX_COUNT:
        raise RefusedRequest(function, ExceptionCode.ILLEGAL_FUNCTION)
    try:
        return _decode_known(function, pdu)
    except (ValueError, struct.error):
        raise RefusedRequest(function, _range_code(function, pdu)) from None


def _decode_known(function: int, pdu: bytes) -> Request:
    if function in (15, 16):
        address, count, size = struct.unpack_from(">HHB", pdu, 1)
        data = pdu[6:]
        if len(data) != size or size != _data_bytes(function, count):
            raise ValueError("wrong number of bytes")
        return Write(function, address, _decode_values(function, data, count))
    address, number = struct.unpack(">HH", pdu[1:])
    if function == WRITE_COIL:
        if number not in (0, _COIL_ON):
            raise ValueError("a coil is on or off")
        return Write(function, address, (int(number == _COIL_ON),))
    if function == WRITE_REGISTER:
        return Write(function, address, (number,))
    return Read(function, address, number)


def _range_code(function: int, pdu: bytes) -> ExceptionCode:
    """Illegal address if only the end of the range is too high, as the specification's diagrams."""
    if len(pdu) >= 5 and function not in (5, 6):
        address, count = struct.unpack_from(">HH", pdu, 1)
        if 1 <= count <= MAX_COUNT[function] and address + count > 0x10000:
            return ExceptionCode.ILLEGAL_ADDRESS
    return ExceptionCode.ILLEGAL_VALUE


def encode_answer(request: Request, values: Sequence[int]) -> bytes:
    """The PDU that answers a request: `values` are those read, and are ignored for a write.

    Raises ValueError if their number is not the number requested.
    """
    if isinstance(request, Write):
        return encode_request(request)[:5]
    if len(values) != request.count:
        raise ValueError(f"{len(values)} values answer a request for {request.count}")
    data = _encode_values(request.function, values)
    return struct.pack(">BB", request.function, len(data)) + data


def encode_exception(function: int, code: int) -> bytes:
    """The PDU that refuses a request."""
    return bytes((function | EXCEPTION_FLAG, code))


def decode_answer(unit: int, request: Request, pdu: bytes) -> tuple[int, ...]:
    """The values read, or none for a write. Raises ExceptionAnswer, WrongAnswer."""
    if len(pdu) == 2 and pdu[0] == request.function | EXCEPTION_FLAG:
        raise ExceptionAnswer(unit, pdu[1])
    if not pdu or pdu[0] != request.function:
        raise WrongAnswer(f"Unit {unit} answered with another function than requested.")
    if len(pdu) != answer_bytes(request):
        raise WrongAnswer(f"Unit {unit} sent an answer of the wrong length.")
    if isinstance(request, Write):
        if pdu != encode_request(request)[:5]:
            raise WrongAnswer(f"Unit {unit} confirmed another write than requested.")
        return ()
    if pdu[1] != len(pdu) - 2:
        raise WrongAnswer(f"Unit {unit} sent an answer of the wrong length.")
    return _decode_values(request.function, pdu[2:], request.count)


def answer_bytes(request: Request) -> int:
    """Length of the PDU that answers a request, unless it is an exception (2 bytes)."""
    if isinstance(request, Write):
        return 5
    return 2 + _data_bytes(request.function, request.count)


def _data_bytes(function: int, count: int) -> int:
    return (count + 7) // 8 if function in BIT_FUNCTIONS else 2 * count


def _encode_values(function: int, values: Sequence[int]) -> bytes:
    if function not in BIT_FUNCTIONS:
        return struct.pack(f">{len(values)}H", *values)
    packed = sum(1 << index for index, bit in enumerate(values) if bit)
    return packed.to_bytes(_data_bytes(function, len(values)), "little")


def _decode_values(function: int, data: bytes, count: int) -> tuple[int, ...]:
    if function not in BIT_FUNCTIONS:
        return struct.unpack(f">{count}H", data)
    packed = int.from_bytes(data, "little")
    return tuple(packed >> index & 1 for index in range(count))
