"""What a meter of the field says, as the reading of a billing meter.

A billing meter needs a register of imported energy and a total power or a current; the rest is
completed as `docs/meters.md` says: nominal voltage where voltages are unknown, an even division
of the power where currents are unknown. Energy is never completed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from borne.domain.meters.measurement import Measurement, Phases
from borne.domain.station.reading import MeterReading, UnusableReading
from borne.foundation.units import PerPhase

UNKNOWN = float("nan")
NOMINAL_V = 230.0


def billing_reading(
    measurement: Measurement, *, phases: Sequence[int] = (0, 1, 2), nominal_v: float = NOMINAL_V
) -> MeterReading:
    """The reading of the meter of a socket; raises UnusableReading without a register of energy,
    or without anything that tells the current.

    `phases` are the connected phases of the socket, 0 for L1. A missing power is NaN, which
    `domain.station.reading` computes from voltage and current.
    """
    if measurement.import_wh is None:
        raise UnusableReading("it gives no register of imported energy")
    voltage_v = _voltages(measurement.voltage_v, phases, nominal_v)
    power_w = _power(measurement)
    return MeterReading(
        register_wh=measurement.import_wh,
        current_a=_currents(measurement, voltage_v, power_w, phases),
        voltage_v=voltage_v,
        power_w=power_w,
        at_s=measurement.at_s,
        serial_number=measurement.serial_number,
    )


def _power(measurement: Measurement) -> float:
    if measurement.power_total_w is not None:
        return measurement.power_total_w
    known = [watts for watts in measurement.power_w if watts is not None]
    return sum(known) if len(known) == len(measurement.power_w) else UNKNOWN


def _voltages(values: Phases, phases: Sequence[int], nominal_v: float) -> PerPhase:
    """A meter that gives a voltage for one phase at least is believed: the others are without."""
    if all(volts is None for volts in values):
        return _on_phases(nominal_v, phases)
    return PerPhase(*(volts or 0.0 for volts in values))


def _currents(
    measurement: Measurement, voltage_v: PerPhase, power_w: float, phases: Sequence[int]
) -> PerPhase:
    values = measurement.current_a
    if any(amps is not None for amps in values):
        if any(values[phase] is None for phase in phases):
            raise UnusableReading("it does not give the current of every connected phase")
        return PerPhase(*(abs(amps or 0.0) for amps in values))
    if isnan(power_w):
        raise UnusableReading("it gives neither currents nor power")
    mean_v = sum(voltage_v[phase] for phase in phases) / len(phases)
    if mean_v <= 0:
        raise UnusableReading("it gives no currents, and no voltage to derive them from")
    return _on_phases(abs(power_w) / len(phases) / mean_v, phases)


def _on_phases(value: float, phases: Sequence[int]) -> PerPhase:
    return PerPhase(*(value if phase in phases else 0.0 for phase in range(3)))
