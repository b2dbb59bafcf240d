"""Readings of the meter at the supply of the building, and which of them are usable.

The fuses of the building are guarded per phase, so a reading needs the signed current of each
phase. Where a meter gives powers and voltages only, the current is power by voltage: without the
reactive share, which the headroom must cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, isfinite

from borne.domain.meters.measurement import Measurement, Phases
from borne.domain.meters.plausibility import (
    DEAD_V,
    LOW_V,
    MAX_WH,
    all_finite,
    max_current_a,
    values_of,
)
from borne.domain.station.reading import AHEAD_S, OLD_S, UnusableReading
from borne.foundation.messages import N_, Message
from borne.foundation.units import PHASES, PerPhase

MAX_V = 300.0
FREQUENCY_HZ = (40.0, 70.0)
MAX_PHASE_W = 1_000_000.0
SLACK_W = 10.0
"""Below this the sign of a power says nothing."""

_NO_NUMBERS = N_("it contains values that are no numbers")
_NOT_OF_NOW = N_("it is not of now")
_VOLTAGE = N_("a voltage of {volts} V")
_POWER = N_("a power of {watts} W")
_FREQUENCY = N_("a frequency of {hertz} Hz")
_ENERGY = N_("an energy register of {energy} Wh")
_DEAD = N_("no phase has a voltage")
_NO_CURRENT = N_("the current of L{phase} is missing")
_CURRENT = N_("a current of {amps} A, where at most {most} A is possible")


@dataclass(frozen=True, slots=True)
class SiteReading:
    """A usable reading; amps per grid phase as the meter has them, import positive."""

    current_a: PerPhase
    at_s: float
    measurement: Measurement


def site_reading(answer: object, now_s: float, main_limit_a: PerPhase | None = None) -> SiteReading:
    """Check an answer of the meter: finite numbers in range, of now, with a current of each phase;
    raises UnusableReading."""
    if not isinstance(answer, Measurement):
        raise UnusableReading(f"it answered {type(answer).__name__}")
    _require(_is_plain(answer), _NO_NUMBERS)
    _require(now_s - OLD_S <= answer.at_s <= now_s + AHEAD_S, _NOT_OF_NOW)
    _check_ranges(answer)
    max_a = max_current_a(main_limit_a)
    current_a = PerPhase(*(_current(answer, phase) for phase in PHASES))
    for amps in current_a:
        _require(abs(amps) <= max_a, _CURRENT, amps=f"{amps:g}", most=f"{max_a:g}")
    return SiteReading(current_a, min(answer.at_s, now_s), answer)


def _is_plain(answer: Measurement) -> bool:
    phases: tuple[object, ...] = (answer.voltage_v, answer.current_a, answer.power_w)
    for values in phases:
        if not isinstance(values, tuple) or len(values) != len(PHASES):
            return False
    numbers: list[object] = [*values_of(answer), answer.at_s]
    if not all(isinstance(value, int | float) for value in numbers) or not all_finite(answer):
        return False
    serial_number: object = answer.serial_number
    return isfinite(answer.at_s) and isinstance(serial_number, str)


def _check_ranges(answer: Measurement) -> None:
    for volts in answer.voltage_v:
        _require(volts is None or 0 <= volts <= MAX_V, _VOLTAGE, volts=volts)
    for watts in answer.power_w:
        _require(watts is None or abs(watts) <= MAX_PHASE_W, _POWER, watts=watts)
    total = answer.power_total_w
    _require(total is None or abs(total) <= 3 * MAX_PHASE_W, _POWER, watts=total)
    hertz, (low, high) = answer.frequency_hz, FREQUENCY_HZ
    _require(hertz is None or low <= hertz <= high, _FREQUENCY, hertz=hertz)
    registers: tuple[object, ...] = (answer.import_wh, answer.export_wh)
    for energy_wh in registers:
        good = energy_wh is None or (isinstance(energy_wh, int) and 0 <= energy_wh < MAX_WH)
        _require(good, _ENERGY, energy=energy_wh)
    known = [volts for volts in answer.voltage_v if volts is not None]
    _require(not known or any(volts >= DEAD_V for volts in known), _DEAD)


def _current(answer: Measurement, phase: int) -> float:
    amps, watts = answer.current_a[phase], answer.power_w[phase]
    volts = answer.voltage_v[phase]
    if amps is not None:
        return copysign(amps, watts) if watts is not None and abs(watts) > SLACK_W else amps
    if volts is not None and volts < DEAD_V and _has_currents(answer.current_a):
        return 0.0  # not connected, as in a building with one phase
    if watts is None or volts is None or volts < LOW_V:
        raise UnusableReading(Message(_NO_CURRENT, {"phase": phase + 1}))
    return watts / volts


def _has_currents(current_a: Phases) -> bool:
    return any(amps is not None for amps in current_a)


def _require(good: bool, complaint: str, **values: object) -> None:
    if not good:
        raise UnusableReading(Message(complaint, values))
