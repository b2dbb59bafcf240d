"""What a meter tells, and which of it can be used at all.

A driver may hand over anything: half an answer, "not implemented" as NaN, a word order that makes
a power of gigawatts, an old answer. What cannot be true of a socket is no reading: it counts as
silence, and nobody sees its numbers. Whether a usable register is believed: `metering`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from borne.foundation.units import PerPhase

MAX_WH = 10**12
"""No register of a socket comes that far; a wrong word order does."""
MAX_V = 1000.0
MAX_A = 1000.0
MAX_W = 1_000_000.0
CARRIED_FACTOR = 1.25
CARRIED_SLACK_W = 500.0
"""Power beyond voltage times current: read a moment apart while a car changes its power."""
OLD_S = 10.0
"""An answer from a cache is no news of what flows now."""
AHEAD_S = 1.0


class UnusableReading(Exception):
    """No reading; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """What a meter tells. `register_wh` is the imported active energy."""

    register_wh: int
    current_a: PerPhase
    voltage_v: PerPhase
    power_w: float
    at_s: float
    """Monotonic time of the reading."""
    serial_number: str = ""
    """Of the meter that answered; empty when the answer does not tell it."""


def usable(answer: object, now_s: float) -> MeterReading:
    """The reading, of plain finite numbers in range, currents without a sign; raises
    UnusableReading. A power that the meter does not give (NaN) follows from the rest."""
    if not isinstance(answer, MeterReading):
        raise UnusableReading(f"it answered {type(answer).__name__}")
    current_a = _phases("current", answer.current_a, MAX_A)
    current_a = PerPhase(*(abs(amps) for amps in current_a))
    voltage_v = _phases("voltage", answer.voltage_v, MAX_V)
    apparent_w = current_a.times(voltage_v).total
    power_w = _power(answer.power_w, apparent_w)
    if apparent_w > 0 or any(voltage_v):
        _demand(
            power_w <= apparent_w * CARRIED_FACTOR + CARRIED_SLACK_W,
            f"a power of {power_w:.0f} W, where its currents carry {apparent_w:.0f} W",
        )
    at_s = _number("time", answer.at_s)
    _demand(now_s - OLD_S <= at_s <= now_s + AHEAD_S, "the answer is not of now")
    serial_number = answer.serial_number
    _demand(isinstance(serial_number, str), "a serial number that is no text")
    return replace(
        answer,
        register_wh=_register(answer.register_wh),
        current_a=current_a,
        voltage_v=voltage_v,
        power_w=power_w,
        at_s=min(at_s, now_s),
    )


def _register(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnusableReading(f"a register of {value!r}")
    _demand(0 <= value < MAX_WH, f"a register of {value} Wh")
    return value


def _power(value: object, apparent_w: float) -> float:
    if isinstance(value, float) and math.isnan(value):
        return apparent_w
    power_w = _number("power", value)
    _demand(abs(power_w) <= MAX_W, f"a power of {power_w:g} W")
    return power_w


def _phases(name: str, values: object, most: float) -> PerPhase:
    if not isinstance(values, tuple) or len(values) != len(PerPhase._fields):
        raise UnusableReading(f"no {name} of three phases")
    numbers = [_number(name, value) for value in values]
    _demand(all(abs(number) <= most for number in numbers), f"a {name} out of range: {numbers}")
    return PerPhase(*numbers)


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UnusableReading(f"a {name} of {value!r}")
    _demand(math.isfinite(value), f"a {name} of {value}")
    return float(value)


def _demand(good: bool, complaint: str) -> None:
    if not good:
        raise UnusableReading(complaint)
