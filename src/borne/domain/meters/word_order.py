"""Recognises a number of 32 bits whose two words were read in the wrong order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import isfinite

SCALES = (1.0, 0.1, 0.01, 0.001, 0.0001)
"""Units per count of the integer registers of meters."""
_WORD = 16
_ALL = 0xFFFFFFFF


def value_if_swapped(value: float, low: float, high: float) -> float | None:
    """What `value` would be with its words in the other order, if that lies between `low` and
    `high`; tried as a float and as an integer with the usual scales."""
    return next((each for each in _swapped(value) if low <= each <= high), None)


def _swapped(value: float) -> Iterator[float]:
    if not isfinite(value) or value == 0:
        return
    try:
        (raw,) = struct.unpack(">I", struct.pack(">f", value))
    except OverflowError:
        return
    yield struct.unpack(">f", struct.pack(">I", _other_order(raw)))[0]
    for scale in SCALES:
        counts = round(value / scale)
        if counts and -(_ALL + 1) // 2 <= counts <= _ALL:
            yield _other_order(counts & _ALL) * scale


def _other_order(raw: int) -> int:
    return (raw << _WORD | raw >> _WORD) & _ALL
