"""Registers of a meter, written from its description alone.

It answers as strict meters do: exception 2 for an address that is not listed, for an odd one where
only even ones exist, and for more words than allowed.
"""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import borne.protocols.meter_profiles
from borne.protocols.modbus.failures import ExceptionAnswer

DATA = Path(borne.protocols.meter_profiles.__file__).parent / "data"
FORMATS = {
    "u16": ">H",
    "i16": ">h",
    "u32": ">I",
    "i32": ">i",
    "u64": ">Q",
    "i64": ">q",
    "f32": ">f",
    "f64": ">d",
}


def description(slug: str) -> dict[str, Any]:
    """The parsed file of a profile, with the registers of its family."""
    found = tomllib.loads((DATA / f"{slug}.toml").read_text("utf-8"))
    family = found.get("same_registers_as")
    if family:
        base = description(family)
        found["registers"] = base["registers"] | found.get("registers", {})
    return found


def scale_of(register: Mapping[str, Any]) -> float:
    """The value of one unit of the number in a register."""
    scale = register.get("scale", 1)
    if isinstance(scale, str):
        above, below = scale.split("/")
        return int(above) / int(below)
    return float(scale)


def packed(kind: str, number: float) -> bytes:
    """The bytes of a number, high byte first."""
    if kind in ("t5", "t6"):
        exponent = next(e for e in range(-4, 9) if abs(round(number * 10.0**-e)) < 1 << 23)
        mantissa = round(number * 10.0**-exponent) & 0xFFFFFF
        return struct.pack(">b", exponent) + mantissa.to_bytes(3, "big")
    return struct.pack(FORMATS[kind], number if kind.startswith("f") else int(number))


class MeterBank:
    """The registers of a profile with values by name, in V, A, W, Wh, Hz; missing ones are 0."""

    def __init__(
        self,
        slug: str,
        values: Mapping[str, float],
        *,
        word_order: str = "",
        max_words: int = 0,
    ) -> None:
        self.slug = slug
        self.meter = description(slug)
        self.order = word_order or self.meter.get("word_order", "big")
        self.max_words = max_words or self.meter.get("max_words", 120)
        self.words: dict[tuple[int, int], int] = {}
        for name, register in self.meter["registers"].items():
            value = values.get(name, 0)
            if "exponent" in register:
                self.words[self._function(register), register["exponent"]] = 0
            number = value / scale_of(register)
            self.put(
                name,
                packed(register["type"], number if self._is_float(register) else round(number)),
            )

    def _function(self, register: Mapping[str, Any]) -> int:
        function: int = register.get("function", self.meter.get("function", 3))
        return function

    @staticmethod
    def _is_float(register: Mapping[str, Any]) -> bool:
        return register["type"] in ("f32", "f64", "t5", "t6")

    def put(self, name: str, raw: bytes) -> None:
        """Write the bytes of a value."""
        register = self.meter["registers"][name]
        words = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
        if self.order == "little":
            words.reverse()
        for place, word in enumerate(words):
            self.words[self._function(register), register["address"] + place] = word

    def read(self, function: int, address: int, count: int) -> list[int]:
        """What a strict meter answers. Raises ExceptionAnswer."""
        wanted = [(function, address + place) for place in range(count)]
        odd = self.meter.get("even", False) and (address % 2 or count % 2)
        if odd or count > self.max_words or not all(place in self.words for place in wanted):
            raise ExceptionAnswer(1, 2)
        return [self.words[place] for place in wanted]
