"""Types of values in registers: between a value and the bits that stand for it.

Bits are an unsigned integer of the whole value; inside a 16-bit word the high byte comes first
(Modbus application protocol 1.1b3, 4.2), the order of the words is the meter's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction


class RegisterType(StrEnum):
    """How a value is written."""

    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    T5 = "t5"
    """Iskra: bits 31..24 a signed decimal exponent, bits 23..0 an unsigned mantissa."""
    T6 = "t6"
    """As t5 with a signed mantissa."""
    TEXT = "text"
    """ASCII, two characters in a word; ends at the first zero."""


class WordOrder(StrEnum):
    """Which word of a value of several words has the lowest address."""

    BIG = "big"
    LITTLE = "little"


WORDS = {
    RegisterType.U16: 1,
    RegisterType.I16: 1,
    RegisterType.U32: 2,
    RegisterType.I32: 2,
    RegisterType.U64: 4,
    RegisterType.I64: 4,
    RegisterType.F32: 2,
    RegisterType.F64: 4,
    RegisterType.T5: 2,
    RegisterType.T6: 2,
}
"""Length of each type but text."""

_UNSIGNED = {RegisterType.U16: 16, RegisterType.U32: 32, RegisterType.U64: 64}
_SIGNED = {RegisterType.I16: 16, RegisterType.I32: 32, RegisterType.I64: 64}
_FLOATS = {RegisterType.F32: (">I", ">f"), RegisterType.F64: (">Q", ">d")}
_MAX_FLOAT = {RegisterType.F32: 3.4028234663852886e38, RegisterType.F64: 1.7976931348623157e308}
_MANTISSAS = {RegisterType.T5: (0, 0xFFFFFF), RegisterType.T6: (-0x800000, 0x7FFFFF)}


def join(words: Sequence[int], order: WordOrder) -> int:
    """The bits of a value from its words in the order of their addresses."""
    bits = 0
    for word in words if order is WordOrder.BIG else reversed(words):
        bits = bits << 16 | word & 0xFFFF
    return bits


def split(bits: int, count: int, order: WordOrder) -> list[int]:
    """The inverse of `join`."""
    words = [bits >> 16 * place & 0xFFFF for place in range(count)]
    return words if order is WordOrder.LITTLE else words[::-1]


def value_of(kind: RegisterType, bits: int) -> int | Fraction | None:
    """The exact value, None for NaN and infinity. `kind` is not text."""
    if kind in _SIGNED:
        return _signed(bits, _SIGNED[kind])
    if kind in _FLOATS:
        as_bits, as_float = _FLOATS[kind]
        number: float = struct.unpack(as_float, struct.pack(as_bits, bits))[0]
        return Fraction(number) if math.isfinite(number) else None
    if kind in _MANTISSAS:
        mantissa = bits & 0xFFFFFF
        if kind is RegisterType.T6:
            mantissa = _signed(mantissa, 24)
        return mantissa * power_of_ten(_signed(bits >> 24, 8))
    return bits


def bits_of(kind: RegisterType, value: Fraction) -> int:
    """The bits of the nearest value that the type has; beyond its range its lowest or highest."""
    if kind in _UNSIGNED:
        return min(max(round(value), 0), (1 << _UNSIGNED[kind]) - 1)
    if kind in _SIGNED:
        size = _SIGNED[kind]
        low, high = -(1 << size - 1), (1 << size - 1) - 1
        return min(max(round(value), low), high) & (1 << size) - 1
    if kind in _FLOATS:
        as_bits, as_float = _FLOATS[kind]
        limit = _MAX_FLOAT[kind]
        number = min(max(float(value), -limit), limit) if abs(value) < 10**308 else _signum(value)
        bits: int = struct.unpack(as_bits, struct.pack(as_float, number))[0]
        return bits
    return _with_exponent(kind, value)


def text_of(words: Sequence[int]) -> str:
    """The text up to the first zero, without blanks around it; "" if it is not printable ASCII."""
    raw = b"".join((word & 0xFFFF).to_bytes(2, "big") for word in words).partition(b"\0")[0]
    text = raw.decode("ascii", "replace").strip()
    return text if text.isascii() and text.isprintable() else ""


def words_of(text: str, count: int) -> list[int]:
    """The inverse of `text_of`, cut to `count` words."""
    raw = text.encode("ascii", "replace")[: 2 * count].ljust(2 * count, b"\0")
    return [int.from_bytes(raw[place : place + 2], "big") for place in range(0, 2 * count, 2)]


def power_of_ten(exponent: int) -> Fraction:
    """10 to the `exponent`, exact."""
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def _signed(bits: int, size: int) -> int:
    return bits - (1 << size) if bits >> size - 1 else bits


def _signum(value: Fraction) -> float:
    limit = _MAX_FLOAT[RegisterType.F32]
    return limit if value > 0 else -limit


def _with_exponent(kind: RegisterType, value: Fraction) -> int:
    low, high = _MANTISSAS[kind]
    value = max(value, Fraction(low))
    exponent = -6
    while exponent < 12 and not low <= round(value / power_of_ten(exponent)) <= high:
        exponent += 1
    mantissa = min(max(round(value / power_of_ten(exponent)), low), high)
    return (exponent & 0xFF) << 24 | mantissa & 0xFFFFFF
