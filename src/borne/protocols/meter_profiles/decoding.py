"""From registers to a measurement."""

from __future__ import annotations

import math
from collections.abc import Collection
from fractions import Fraction

from borne.domain.meters.measurement import Measurement, Phases
from borne.protocols.meter_profiles.description import MeterDescription
from borne.protocols.meter_profiles.quantities import by_phase
from borne.protocols.meter_profiles.register_types import (
    RegisterType,
    join,
    power_of_ten,
    text_of,
    value_of,
)
from borne.protocols.meter_profiles.registers import Identity, Register, Words

MAX_EXPONENT = 12
"""Beyond it a decimal exponent is rubbish, and ten to the power of it a number of any length."""
MAX_ENERGY_WH = (1 << 63) - 1
"""What the station's counters hold."""


def has_power(names: Collection[str], place: str) -> bool:
    """Whether the map gives the power of `place` ("_l1", or "" for the whole)."""
    pair = (f"power_import{place}", f"power_export{place}")
    return f"power{place}" in names or all(name in names for name in pair)


def measurement(profile: MeterDescription, words: Words, at_s: float) -> Measurement:
    """See `Profile.measurement`."""
    values = _Values(profile, words)
    powers = _phases([values.power(place) for place in by_phase("")])
    currents = [values.number(name) for name in by_phase("current")]
    if not profile.current_is_signed:
        currents = [_signed(c, p) for c, p in zip(currents, powers, strict=True)]
    return Measurement(
        at_s=at_s,
        voltage_v=_phases([values.number(name) for name in by_phase("voltage")]),
        current_a=_phases(currents),
        power_w=powers,
        power_total_w=values.power_total(powers),
        import_wh=values.energy("energy_import"),
        export_wh=values.energy("energy_export"),
        frequency_hz=values.number("frequency"),
        serial_number=identity(profile, profile.serial_number, words) or profile.meter_serial,
        digital_input=values.bit("digital_input"),
    )


def identity(profile: MeterDescription, which: Identity | None, words: Words) -> str:
    """The text or number in a register that says which meter this is, or ""."""
    if which is None:
        return ""
    register = which.register
    raw = _raw(register, words)
    if raw is None:
        return ""
    if register.type is RegisterType.TEXT:
        return text_of(raw)
    bits = join(raw, profile.word_order)
    value = (
        None if bits in profile.invalid.get(register.type, ()) else value_of(register.type, bits)
    )
    return "" if value is None else str(value)


def exact(profile: MeterDescription, register: Register, words: Words) -> Fraction | None:
    """The value in its unit, None if `words` lack it or it is invalid."""
    if not register.count:
        bits = words.get((register.function, register.address))
    else:
        raw = _raw(register, words)
        bits = None if raw is None else join(raw, profile.word_order)
    if bits is None or bits in profile.invalid.get(register.type, ()):
        return None
    value = value_of(register.type, bits)
    if value is None:
        return None
    if register.exponent is None:
        return value * register.scale
    bits = words.get((register.function, register.exponent))
    exponent = None if bits is None else value_of(RegisterType.I16, bits & 0xFFFF)
    if exponent is None or not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
        return None
    return value * register.scale * power_of_ten(int(exponent))


class _Values:
    def __init__(self, profile: MeterDescription, words: Words) -> None:
        self._profile = profile
        self._words = words

    def exact(self, name: str) -> Fraction | None:
        register = self._profile.registers.get(name)
        return None if register is None else exact(self._profile, register, self._words)

    def number(self, name: str) -> float | None:
        value = self.exact(name)
        return None if value is None or abs(value) > 10**300 else float(value)

    def bit(self, name: str) -> bool | None:
        value = self.exact(name)
        return None if value is None else int(value) % 2 == 1

    def power(self, place: str) -> float | None:
        if f"power{place}" in self._profile.registers:
            return self.number(f"power{place}")
        gained, given = self.exact(f"power_import{place}"), self.exact(f"power_export{place}")
        return None if gained is None or given is None else float(gained - given)

    def power_total(self, powers: Phases) -> float | None:
        names = self._profile.registers
        if has_power(names, ""):
            return self.power("")
        # A phase with a voltage or a current and no power keeps the sum unknown.
        present = [
            power
            for place, power in zip(by_phase(""), powers, strict=True)
            if any(f"{q}{place}" in names for q in ("voltage", "current"))
            or has_power(names, place)
        ]
        known = [power for power in present if power is not None]
        return math.fsum(known) if known and len(known) == len(present) else None

    def energy(self, name: str) -> int | None:
        counted = self.exact(name)
        if counted is not None and f"{name}_t2" in self._profile.registers:
            second = self.exact(f"{name}_t2")
            counted = None if second is None else counted + second
        if counted is None or not 0 <= counted <= MAX_ENERGY_WH:
            return None
        return math.floor(counted)


def _phases(values: list[float | None]) -> Phases:
    first, second, third = values
    return first, second, third


def _signed(current: float | None, power: float | None) -> float | None:
    """The current with the sign of the power of its phase."""
    if current is None or power is None:
        return current
    return -abs(current) if current and power < 0 else abs(current)


def _raw(register: Register, words: Words) -> list[int] | None:
    places = range(register.address, register.address + register.count)
    found = [words.get((register.function, place)) for place in places]
    known = [word for word in found if word is not None]
    return known if len(known) == len(found) else None
