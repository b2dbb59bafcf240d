"""What the values of one poll must have in common: voltages of a grid, powers that the currents
carry, a total that is the sum of its phases. Limits are wide: registers of one poll are read up to
a second apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from borne.domain.meters.measurement import Measurement, Phases
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase

LOW_V, HIGH_V = 80.0, 300.0
BETWEEN_PHASES_V = (300.0, 520.0)
DEAD_V = 1.0
"""A phase that is not connected reads less."""
APART_V = 60.0
LOW_HZ, HIGH_HZ = 45.0, 65.0
MAX_A = 1000.0
MAX_OF_MAIN_LIMIT = 5.0
MAX_POWER_FACTOR = 1.05
SLACK_W = 60.0
"""Inaccuracy and registers of coarse steps."""
SKEW = 0.1
"""Share of a power that may change between two registers of a poll."""
IDLE_W = 1500.0
MIN_POWER_FACTOR = 0.02
"""Above `IDLE_W`, less than this means that power and current do not have the same scale."""
ZERO_W = 1e-3
MAX_WH = 10**12
FLOWS_A = 0.5

_VOLTAGE = N_("L{phase} has {volts} V: not a voltage between line and neutral.")
_BETWEEN = N_("L{phase} has {volts} V: is this the voltage between two phases?")
_APART = N_("The voltages of the phases differ by {volts} V.")
_FREQUENCY = N_("The frequency is {hertz} Hz, which no grid has.")
_CURRENT = N_("L{phase} carries {amps} A, more than this installation can.")
_DEAD = N_("L{phase} has no voltage, but carries {amps} A.")
_CARRIED = N_("L{phase} has {watts} W, but its voltage and current make {apparent} VA.")
_TOTAL = N_("The power is {total} W, but the phases together have {sum} W.")
_POWER = N_("The power is {watts} W, more than this installation can have.")
_ALL_ZERO = N_("Power and energy are 0: wrong type of meter?")
_CARRIED_TOTAL = N_("The power is {total} W, but voltages and currents make {apparent} VA.")
_ENERGY = N_("The energy register shows {energy} Wh, which cannot be true.")
_NUMBER = N_("The answer contains values that are no numbers.")


def max_current_a(main_limit_a: PerPhase | None) -> float:
    """The highest current that a meter of this installation can show, in A."""
    if main_limit_a is None or max(main_limit_a) <= 0:
        return MAX_A
    return MAX_OF_MAIN_LIMIT * max(main_limit_a)


def contradictions(
    measurement: Measurement, main_limit_a: PerPhase | None = None
) -> Iterator[Message]:
    """What cannot be true of one poll."""
    if not all_finite(measurement):
        yield Message(_NUMBER)
        return
    yield from _voltages(measurement.voltage_v)
    hertz = measurement.frequency_hz
    if hertz is not None and not LOW_HZ <= hertz <= HIGH_HZ:
        yield Message(_FREQUENCY, {"hertz": shown(hertz)})
    yield from _currents(measurement, max_current_a(main_limit_a))
    yield from _phase_powers(measurement)
    yield from _total(measurement)
    yield from _power_alone(measurement, max_current_a(main_limit_a))
    for energy_wh in (measurement.import_wh, measurement.export_wh):
        if energy_wh is not None and not 0 <= energy_wh < MAX_WH:
            yield Message(_ENERGY, {"energy": shown(energy_wh)})


def all_finite(measurement: Measurement) -> bool:
    """Whether every value that is there is a number."""
    return all(isfinite(value) for value in values_of(measurement))


def values_of(measurement: Measurement) -> list[float]:
    """Every value that is there, without the registers of energy."""
    values: list[float | None] = [
        *measurement.voltage_v,
        *measurement.current_a,
        *measurement.power_w,
        measurement.power_total_w,
        measurement.frequency_hz,
    ]
    return [value for value in values if value is not None]


def apparent_va(measurement: Measurement) -> float | None:
    """Voltages times currents, all phases; None unless every current with a voltage is known."""
    pairs = [
        (volts, amps)
        for volts, amps in zip(measurement.voltage_v, measurement.current_a, strict=True)
        if volts is not None or amps is not None
    ]
    if not pairs or any(volts is None or amps is None for volts, amps in pairs):
        return None
    return sum(abs(volts * amps) for volts, amps in pairs if volts is not None and amps is not None)


def shown(value: float) -> str:
    """A value of four digits for people."""
    return "0" if abs(value) < 1e-3 else f"{value:.4g}"


def _voltages(voltage_v: Phases) -> Iterator[Message]:
    live: list[float] = []
    for phase, volts in enumerate(voltage_v, 1):
        if volts is None or abs(volts) < DEAD_V:
            continue
        if LOW_V <= volts <= HIGH_V:
            live.append(volts)
        else:
            between = BETWEEN_PHASES_V[0] < volts <= BETWEEN_PHASES_V[1]
            template = _BETWEEN if between else _VOLTAGE
            yield Message(template, {"phase": phase, "volts": shown(volts)})
    if live and max(live) - min(live) > APART_V:
        yield Message(_APART, {"volts": shown(max(live) - min(live))})


def _currents(measurement: Measurement, max_a: float) -> Iterator[Message]:
    for phase, amps in enumerate(measurement.current_a, 1):
        if amps is None:
            continue
        volts = measurement.voltage_v[phase - 1]
        values = {"phase": phase, "amps": shown(amps)}
        if abs(amps) > max_a:
            yield Message(_CURRENT, values)
        elif volts is not None and abs(volts) < DEAD_V and abs(amps) > FLOWS_A:
            yield Message(_DEAD, values)


def _phase_powers(measurement: Measurement) -> Iterator[Message]:
    for phase, watts in enumerate(measurement.power_w):
        volts, amps = measurement.voltage_v[phase], measurement.current_a[phase]
        if watts is None or volts is None or amps is None:
            continue
        apparent = abs(volts * amps)
        if not _carries(apparent, watts):
            yield Message(
                _CARRIED,
                {"phase": phase + 1, "watts": shown(watts), "apparent": shown(apparent)},
            )


def _carries(apparent_va: float, watts: float) -> bool:
    if abs(watts) > apparent_va * (MAX_POWER_FACTOR + SKEW) + SLACK_W:
        return False
    return apparent_va < IDLE_W or abs(watts) >= MIN_POWER_FACTOR * apparent_va


def _total(measurement: Measurement) -> Iterator[Message]:
    total = measurement.power_total_w
    if total is None:
        return
    phases = [watts for watts in measurement.power_w if watts is not None]
    if phases and (len(phases) == len(measurement.power_w) or _single_phase(measurement)):
        if abs(total - sum(phases)) > SKEW * sum(map(abs, phases)) + SLACK_W:
            yield Message(_TOTAL, {"total": shown(total), "sum": shown(sum(phases))})
        return
    apparent = apparent_va(measurement)
    if apparent is not None and abs(total) > apparent * (MAX_POWER_FACTOR + SKEW) + SLACK_W:
        yield Message(_CARRIED_TOTAL, {"total": shown(total), "apparent": shown(apparent)})


def _power_alone(measurement: Measurement, max_a: float) -> Iterator[Message]:
    """A total has no voltages and currents to be compared with at every meter."""
    total = measurement.power_total_w
    if total is None:
        return
    if abs(total) > len(measurement.voltage_v) * HIGH_V * max_a:
        yield Message(_POWER, {"watts": shown(total)})
    elif abs(total) < ZERO_W and values_of(measurement) == [total] and not measurement.import_wh:
        yield Message(_ALL_ZERO)


def _single_phase(measurement: Measurement) -> bool:
    known: Sequence[bool] = [volts is not None for volts in measurement.voltage_v]
    return list(known) == [watts is not None for watts in measurement.power_w]
