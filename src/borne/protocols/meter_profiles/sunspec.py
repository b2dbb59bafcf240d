"""Registers of a SunSpec meter, found by walking along its models.

A device begins with the mark "SunS"; models follow, each with its number, its length and as many
words. Offsets count from the number of the model. Source: SunSpec Alliance, models 1, 201 to 204
and 211 to 214.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from borne.protocols.meter_profiles.description import MeterDescription
from borne.protocols.meter_profiles.quantities import by_phase
from borne.protocols.meter_profiles.register_types import WORDS, RegisterType
from borne.protocols.meter_profiles.registers import Identity, Register

_Meter = TypeVar("_Meter", bound=MeterDescription)

Read = Callable[[int, int, int], Awaitable[Sequence[int]]]
"""Reads words by function, address and count; raises ModbusFailure."""

BASES = (40000, 50000, 0)
MARK = (0x5375, 0x6E53)
END = 0xFFFF
LONGEST = 126
"""Words of the longest model that is read."""
COMMON = 1
INTEGER_MODELS = range(201, 205)
FLOAT_MODELS = range(211, 215)
MAX_MODELS = 50
"""A device has some ten models."""
_SERIAL_AT, _SERIAL_WORDS = 50, 16

_INVALID = {
    RegisterType.I16: frozenset({0x8000}),
    RegisterType.U32: frozenset({0, 0x80000000}),
}
"""What is not implemented reads so; a counter that never counted does, too. The highest bit alone
comes from a KOSTAL Smart Energy Meter."""

# Offset and offset of the scale factor.
_INTEGERS = {
    **dict(zip(by_phase("current"), ((3, 6), (4, 6), (5, 6)), strict=True)),
    **dict(zip(by_phase("voltage"), ((8, 15), (9, 15), (10, 15)), strict=True)),
    "frequency": (16, 17),
    "power": (18, 22),
    **dict(zip(by_phase("power"), ((19, 22), (20, 22), (21, 22)), strict=True)),
    "energy_export": (38, 54),
    "energy_import": (46, 54),
}
_FLOATS = {
    **dict(zip(by_phase("current"), (4, 6, 8), strict=True)),
    **dict(zip(by_phase("voltage"), (12, 14, 16), strict=True)),
    "frequency": 26,
    "power": 28,
    **dict(zip(by_phase("power"), (30, 32, 34), strict=True)),
    "energy_export": 60,
    "energy_import": 68,
}


def with_model(profile: _Meter, model: int, at: int, common_at: int | None) -> _Meter:
    """The profile with the registers of a meter's `model` at address `at`."""
    registers = {}
    if model in FLOAT_MODELS:
        for name, offset in _FLOATS.items():
            registers[name] = _register(profile, name, at + offset, RegisterType.F32, None)
    else:
        for name, (offset, exponent) in _INTEGERS.items():
            kind = RegisterType.U32 if name.startswith("energy") else RegisterType.I16
            registers[name] = _register(profile, name, at + offset, kind, at + exponent)
    serial = None
    if common_at is not None:
        serial = Identity(
            Register(
                name="serial_number",
                address=common_at + _SERIAL_AT,
                type=RegisterType.TEXT,
                count=_SERIAL_WORDS,
                function=profile.function,
            )
        )
    # All of a model may be read, and a poll reads inside one model only.
    return replace(profile, registers=registers, serial_number=serial, invalid=_INVALID, holes=True)


def _register(
    profile: MeterDescription, name: str, address: int, kind: RegisterType, exponent: int | None
) -> Register:
    return Register(
        name=name,
        address=address,
        type=kind,
        count=WORDS[kind],
        function=profile.function,
        scale=Fraction(1),
        exponent=exponent,
    )


async def models(profile: MeterDescription, read: Read, base: int) -> dict[int, int]:
    """The first place of each model of the device whose mark stands at `base`; empty if there is
    no mark."""
    if tuple(await read(profile.function, base, 2)) != MARK:
        return {}
    found: dict[int, int] = {}
    at = base + 2
    for _ in range(MAX_MODELS):
        if at + LONGEST > END:
            break
        number, length = await read(profile.function, at, 2)
        if number in (0, END):
            break
        found.setdefault(number, at)
        at += 2 + length
    return found
