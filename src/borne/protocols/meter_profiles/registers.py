"""Registers of a meter, and requests for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from borne.protocols.meter_profiles.register_types import RegisterType

Words = Mapping[tuple[int, int], int]
"""Words of registers by function and address (0-based, as on the wire). With Speedwire: whole
values by 0 and OBIS number."""


@dataclass(frozen=True, slots=True)
class Block:
    """One request: `count` words from `address` on."""

    function: int
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class Register:
    """A value of the meter: the number in `count` words times `scale`, and times ten to the
    exponent (i16) at `exponent` if there is one. Units: see `quantities.UNITS`."""

    name: str
    address: int
    type: RegisterType
    count: int
    function: int
    scale: Fraction = Fraction(1)
    exponent: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A register that says which meter this is: a serial number, or a model with its `models`
    (values that meters of this profile give; empty if any)."""

    register: Register
    models: tuple[int | str, ...] = ()


def areas(register: Register) -> list[tuple[int, int, int]]:
    """Function, address and number of words of what a value needs."""
    own = [(register.function, register.address, register.count)]
    if register.exponent is not None:
        own.append((register.function, register.exponent, 1))
    return own
