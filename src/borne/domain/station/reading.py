"""Readings of a meter, and which of them are usable.

A driver may return anything: incomplete answers, NaN for "not implemented", gigawatts due to a
wrong word order, outdated answers. Values that are impossible for a socket are rejected and count
as a missing answer. `metering` assesses the register of a usable reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from borne.foundation.messages import Explained
from borne.foundation.units import PerPhase

MAX_WH = 10**12
"""No register of a socket reaches this; a wrong word order does."""
MAX_V = 1000.0
MAX_A = 1000.0
MAX_W = 1_000_000.0
CARRIED_FACTOR = 1.25
CARRIED_SLACK_W = 500.0
"""Tolerated power beyond voltage times current, as they are read at slightly different times."""
OLD_S = 10.0
"""A cached answer of this age says nothing about the present current."""
AHEAD_S = 1.0


class UnusableReading(Explained):
    """The reading is not usable; the message says why."""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A reading of a meter. `register_wh` is the imported active energy."""

    register_wh: int
    current_a: PerPhase
    voltage_v: PerPhase
    power_w: float
    at_s: float
    """Monotonic time of the reading."""
    serial_number: str = ""
    """Serial number of the meter; empty if the answer has none."""


def usable(answer: object, now_s: float) -> MeterReading:
    """Check a reading: plain finite numbers in range, currents without a sign; raises
    UnusableReading. A missing power (NaN) is computed from voltage and current."""
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
    _demand(isinstance(serial_number, str), "a serial number that is not a string")
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
