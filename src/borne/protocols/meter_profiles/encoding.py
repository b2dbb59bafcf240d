"""From a measurement to registers: what a meter of a profile answers while it measures this."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles.description import MeterDescription
from borne.protocols.meter_profiles.quantities import PHASES, UNITS, by_phase
from borne.protocols.meter_profiles.register_types import (
    RegisterType,
    bits_of,
    power_of_ten,
    split,
    words_of,
)
from borne.protocols.meter_profiles.registers import Identity, Register

_EXPONENTS = {"V": -1, "A": -2, "Hz": -2, "": -3}
"""Of values that have a register for it, by unit; 0 otherwise."""


def registers(profile: MeterDescription, measurement: Measurement) -> dict[tuple[int, int], int]:
    """See `Profile.encode`."""
    found: dict[tuple[int, int], int] = {}
    for register in profile.registers.values():
        value = quantity(register.name, measurement)
        if value and register.name in by_phase("current") and not profile.current_is_signed:
            value = abs(value)
        bits = _bits(profile, register, value)
        if not register.count:
            found[register.function, register.address] = bits
            continue
        _put(profile, found, register, split(bits, register.count, profile.word_order))
        if register.exponent is not None:
            for function in _functions(profile, register):
                found[function, register.exponent] = _exponent(register) & 0xFFFF
    for identity, text in (
        (profile.serial_number, measurement.serial_number or profile.meter_serial),
        (profile.model_id, ""),
    ):
        if identity is not None:
            _put(profile, found, identity.register, _identity_words(profile, identity, text))
    return found


def quantity(name: str, measurement: Measurement) -> Fraction | None:
    """What a register of this name stands for, in its unit. Reactive and apparent power and power
    factors follow from voltage, current and power; energies of phases are thirds."""
    base, _, last = name.rpartition("_")
    if last in PHASES:
        value = _of_phase(base, PHASES.index(last), measurement)
    else:
        value = _of_whole(name, measurement)
    return None if value is None else Fraction(value)


def _of_phase(base: str, phase: int, measurement: Measurement) -> float | None:
    power = measurement.power_w[phase]
    voltage, current = measurement.voltage_v[phase], measurement.current_a[phase]
    match base:
        case "voltage":
            return voltage
        case "current":
            return current
        case "energy_import":
            return None if measurement.import_wh is None else measurement.import_wh // 3
        case "energy_export":
            return None if measurement.export_wh is None else measurement.export_wh // 3
        case _:
            return _from_power(base, power, _apparent(power, voltage, current))


def _of_whole(name: str, measurement: Measurement) -> float | None:
    if name in _SIMPLE:
        return _SIMPLE[name](measurement)
    if name.startswith("voltage_l"):
        first, second = (measurement.voltage_v[int(digit) - 1] for digit in name[-2:])
        if first is None or second is None:
            return None
        return math.sqrt(first**2 + second**2 + first * second)
    power = measurement.power_total_w
    each = [
        _apparent(p, v, c)
        for p, v, c in zip(
            measurement.power_w, measurement.voltage_v, measurement.current_a, strict=True
        )
    ]
    apparent = math.fsum(value for value in each if value is not None)
    return _from_power(name, power, None if power is None else max(abs(power), apparent))


_SIMPLE: dict[str, Callable[[Measurement], float | None]] = {
    "frequency": lambda m: m.frequency_hz,
    "energy_import": lambda m: m.import_wh,
    "energy_export": lambda m: m.export_wh,
    "energy_import_t2": lambda m: None if m.import_wh is None else 0,
    "energy_export_t2": lambda m: None if m.export_wh is None else 0,
    "energy_sum": lambda m: None if m.import_wh is None else m.import_wh + (m.export_wh or 0),
    "digital_input": lambda m: None if m.digital_input is None else int(m.digital_input),
    "current_n": lambda _: 0.0,
    "current_sum": lambda m: math.fsum(abs(c) for c in m.current_a if c is not None),
}


def _apparent(power: float | None, voltage: float | None, current: float | None) -> float | None:
    if power is None:
        return None
    return max(abs(power), abs((voltage or 0.0) * (current or 0.0)))


def _from_power(name: str, power: float | None, apparent: float | None) -> float | None:
    if power is None or apparent is None:
        return None
    match name:
        case "power":
            return power
        case "power_import":
            return max(power, 0.0)
        case "power_export":
            return max(-power, 0.0)
        case "apparent_power" | "apparent_power_pos":
            return apparent
        case "reactive_power" | "reactive_power_pos":
            return math.sqrt(max(apparent**2 - power**2, 0.0))
        case "power_factor":
            return power / apparent if apparent else 1.0
        case _:
            return 0.0


def _bits(profile: MeterDescription, register: Register, value: Fraction | None) -> int:
    invalid = profile.invalid.get(register.type, frozenset())
    if value is None:
        return min(invalid, default=0)
    raw = value / register.scale
    if register.exponent is not None:
        raw /= power_of_ten(_exponent(register))
    if UNITS[register.name] == "Wh" and register.type not in (RegisterType.F32, RegisterType.F64):
        raw = Fraction(math.floor(raw))
    bits = bits_of(register.type, raw)
    if bits and bits in invalid:
        # The code for "no value" is often the end of the range.
        return bits + (1 if raw < 0 else -1)
    return bits


def _exponent(register: Register) -> int:
    return _EXPONENTS.get(UNITS[register.name], 0)


def _functions(profile: MeterDescription, register: Register) -> tuple[int, ...]:
    if register.function == profile.function:
        return (register.function, *profile.also_functions)
    return (register.function,)


def _put(
    profile: MeterDescription,
    found: dict[tuple[int, int], int],
    register: Register,
    words: list[int],
) -> None:
    for function in _functions(profile, register):
        for place, word in enumerate(words):
            found[function, register.address + place] = word


def _identity_words(profile: MeterDescription, identity: Identity, text: str) -> list[int]:
    register = identity.register
    if not text and identity.models:
        text = str(identity.models[0])
    if register.type is RegisterType.TEXT:
        return words_of(text, register.count)
    bits = bits_of(register.type, Fraction(int(text) if text.isdecimal() else 0))
    return split(bits, register.count, profile.word_order)
