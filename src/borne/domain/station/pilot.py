"""Control pilot and proximity pilot: tables and physics of IEC 61851-1 (2017), Annexes A and B.

The EVSE feeds +12 V or a 1 kHz square wave of +/-12 V through 1 kOhm; the vehicle loads the
positive half through a diode, which signals its state. The duty cycle signals the current that the
vehicle may draw; a resistor in the plug codes the capacity of the cable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from borne.domain.station.board import DiodeCheck, PilotState, Plug, PlugKind

# Duty cycle ---------------------------------------------------------------------------------

LOWEST_OFFER_A = 6.0
HIGHEST_OFFER_A = 80.0
FIRST_RANGE_ENDS_A = 51.0
DIGITAL_DUTY_PERCENT = 5.0
NO_PWM_PERCENT = 100.0


def duty_for_current(current_a: float) -> float:
    """Duty cycle in percent that offers `current_a` (Table A.7); ValueError outside 6 to 80 A."""
    if not LOWEST_OFFER_A <= current_a <= HIGHEST_OFFER_A:
        raise ValueError(f"no duty cycle offers {current_a} A, only 6 to 80 A")
    return current_a / 0.6 if current_a <= FIRST_RANGE_ENDS_A else current_a / 2.5 + 64.0


class OfferKind(Enum):
    """Meaning of a duty cycle for a vehicle."""

    NONE = "no charging"
    DIGITAL = "digital communication only"
    CURRENT = "charging"


class Offer(NamedTuple):
    """A duty cycle as read by a vehicle; `current_a` is 0 unless the kind is CURRENT."""

    kind: OfferKind
    current_a: float


NO_OFFER = Offer(OfferKind.NONE, 0.0)


class DutyRange(NamedTuple):
    """Duty cycles up to `up_to_percent` (inclusive or not) mean `(duty - shift) * factor`, or
    `fixed_a` where the factor is 0."""

    up_to_percent: float
    inclusive: bool
    kind: OfferKind
    factor: float = 0.0
    shift: float = 0.0
    fixed_a: float = 0.0


DUTY_RANGES = (
    DutyRange(3.0, False, OfferKind.NONE),
    DutyRange(7.0, True, OfferKind.DIGITAL),
    DutyRange(8.0, False, OfferKind.NONE),
    DutyRange(10.0, False, OfferKind.CURRENT, fixed_a=6.0),
    DutyRange(85.0, True, OfferKind.CURRENT, factor=0.6),
    DutyRange(96.0, True, OfferKind.CURRENT, factor=2.5, shift=64.0),
    DutyRange(97.0, True, OfferKind.CURRENT, fixed_a=80.0),
)
"""Table A.8, in rising order; above the last row: no charging."""


def offer_of_duty(duty_percent: float) -> Offer:
    """The current that a vehicle may draw at a duty cycle (Table A.8), to a thousandth of an
    ampere."""
    for row in DUTY_RANGES:
        if duty_percent < row.up_to_percent or (
            row.inclusive and duty_percent == row.up_to_percent
        ):
            current_a = row.fixed_a or (duty_percent - row.shift) * row.factor
            return Offer(row.kind, round(current_a, 3))
    return NO_OFFER


# Voltages -----------------------------------------------------------------------------------

SOURCE_V = 12.0
SOURCE_OHM = 1000.0
DIODE_V = 0.7
R2_OHM = 2740.0
R3_OHM: Mapping[PilotState, float] = MappingProxyType({PilotState.C: 1300.0, PilotState.D: 270.0})
"""In parallel to R2 while the vehicle's S2 is closed."""
DIODE_LOW_V = -10.0
"""With a diode the negative half stays below this."""


def vehicle_ohm(state: PilotState) -> float:
    """The vehicle's load for B, C or D; infinite for A."""
    if state is PilotState.A:
        return float("inf")
    if state is PilotState.B:
        return R2_OHM
    r3 = R3_OHM[state]
    return R2_OHM * r3 / (R2_OHM + r3)


def loaded_v(source_v: float, load_ohm: float, *, diode: bool = True) -> float:
    """Voltage at the EVSE for one half of the wave; `diode` False: the diode is bridged."""
    if load_ohm == float("inf") or (diode and source_v <= DIODE_V):
        return source_v
    drop_v = DIODE_V if diode else 0.0
    return drop_v + (source_v - drop_v) * load_ohm / (SOURCE_OHM + load_ohm)


@dataclass(frozen=True, slots=True)
class Band:
    """Voltages that an EVSE must accept as `state`."""

    state: PilotState
    low_v: float
    high_v: float


BANDS = (
    Band(PilotState.A, 11.0, 13.0),
    Band(PilotState.B, 8.0, 10.0),
    Band(PilotState.C, 5.0, 7.0),
    Band(PilotState.D, 2.0, 4.0),
    Band(PilotState.E, -1.0, 2.0),
    Band(PilotState.F, -13.0, -11.0),
)


def state_of_voltage(high_v: float, previous: PilotState | None) -> PilotState:
    """The state for a positive level. Between two bands the previous state stays (hysteresis);
    without one, the nearest band counts."""
    for band in BANDS:
        if band.low_v <= high_v <= band.high_v:
            return band.state
    if previous is not None:
        return previous
    return min(BANDS, key=lambda b: min(abs(high_v - b.low_v), abs(high_v - b.high_v))).state


def diode_of_voltage(low_v: float, state: PilotState, *, pwm: bool) -> DiodeCheck:
    """Result of the diode check from the negative half; only meaningful with PWM and a vehicle."""
    if not pwm or state not in (PilotState.B, PilotState.C, PilotState.D):
        return DiodeCheck.UNKNOWN
    return DiodeCheck.GOOD if low_v <= DIODE_LOW_V else DiodeCheck.FAILED


# Proximity ----------------------------------------------------------------------------------

CABLE_OHM: Mapping[int, float] = MappingProxyType({13: 1500.0, 20: 680.0, 32: 220.0, 63: 100.0})
"""Nominal resistor of each cable capacity in A (Table B.2)."""


class ProximityRange(NamedTuple):
    """Resistances below `below_ohm` (and not in a lower row) mean `plug`."""

    below_ohm: float
    plug: Plug


PROXIMITY_RANGES = (
    ProximityRange(50.0, Plug(PlugKind.SHORT)),
    ProximityRange(150.0, Plug(PlugKind.VALID, 63)),
    ProximityRange(330.0, Plug(PlugKind.VALID, 32)),
    ProximityRange(1000.0, Plug(PlugKind.VALID, 20)),
    ProximityRange(2700.0, Plug(PlugKind.VALID, 13)),
    ProximityRange(4500.0, Plug(PlugKind.AMBIGUOUS)),
)
"""In rising order; at and above the last row there is no plug."""


def plug_of_resistance(ohm: float) -> Plug:
    """The plug for the resistance between proximity pilot and earth."""
    for row in PROXIMITY_RANGES:
        if ohm < row.below_ohm:
            return row.plug
    return Plug(PlugKind.NONE)
