"""What is wrong with the answers of a meter, in words: for the page before a meter is saved and
for `borne meter read`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from borne.domain.meters.direction import phase_order_doubts, sign_doubts
from borne.domain.meters.measurement import NO_PHASES, Measurement
from borne.domain.meters.plausibility import (
    DEAD_V,
    HIGH_HZ,
    HIGH_V,
    LOW_HZ,
    LOW_V,
    apparent_va,
    contradictions,
    shown,
    values_of,
)
from borne.domain.meters.word_order import value_if_swapped
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase

ENERGY_STEP_WH = 200
"""Registers count in steps of up to 100 Wh."""
ENERGY_FACTOR = 3.0
FROZEN_POLLS = 5
FROZEN_A = 1.0
_SWAPPED_HZ = N_("{right} Hz reads as {read}: wrong word order.")
_SWAPPED_V = N_("{right} V reads as {read}: wrong word order.")
_EMPTY = N_("The meter answers, but gives no value.")
_LACKS = N_("The meter does not give all values that this type has: wrong type of meter?")
_FELL = N_("The register of energy fell from {before} to {after} Wh.")
_ROSE = N_("The register of energy rose from {before} to {after} Wh, more than the power explains.")
_FROZEN = N_("All values are the same in {number} polls: does the meter still measure?")
_NO_VOLTAGE = N_("No phase has a voltage: wrong type of meter, or the meter is not connected?")


class FindingCode(StrEnum):
    """The kind of a finding."""

    WRONG_WORD_ORDER = "wrong-word-order"
    SIGN_UNSURE = "sign-unsure"
    PHASE_ORDER = "phase-order"
    IMPLAUSIBLE = "implausible"
    NO_VOLTAGE = "no-voltage"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or in doubt."""

    code: FindingCode
    text: Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the type of the meter gives; None: not known."""

    has_phase_voltage: bool = True
    has_phase_currents: bool = True
    has_phase_power: bool = True
    has_power: bool = True
    has_energy: bool = True
    has_frequency: bool = True
    signed_current: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known besides the meter."""

    own_current_a: Sequence[PerPhase] = ()
    """What the own sockets draw per grid phase, one entry for each measurement; empty: unknown."""
    includes_sockets: bool = False
    """The meter measures the own sockets too."""
    main_limit_a: PerPhase | None = None
    capabilities: Capabilities | None = None


def findings(
    measurements: Sequence[Measurement], surroundings: Surroundings | None = None
) -> Sequence[Finding]:
    """Findings about one or several polls of a meter, in the order of time. A wrong word order or a
    missing voltage hides what follows from it."""
    around = surroundings or Surroundings()
    swapped = _first(_wrong_word_orders(measurements))
    if swapped is not None:
        return (Finding(FindingCode.WRONG_WORD_ORDER, swapped),)
    if measurements and _no_voltage(measurements, around.capabilities):
        return (Finding(FindingCode.NO_VOLTAGE, Message(_NO_VOLTAGE)),)
    given = around.capabilities
    unsigned = given is not None and not given.signed_current and not given.has_phase_power
    own_a = around.own_current_a if around.includes_sockets else ()
    found = {
        FindingCode.IMPLAUSIBLE: _implausible(measurements, around),
        FindingCode.SIGN_UNSURE: sign_doubts(measurements, own_a, unsigned=unsigned),
        FindingCode.PHASE_ORDER: phase_order_doubts(measurements, own_a),
    }
    return tuple(Finding(code, text) for code, texts in found.items() for text in _unique(texts))


def _wrong_word_orders(measurements: Sequence[Measurement]) -> Iterator[Message]:
    for measurement in measurements:
        hertz = measurement.frequency_hz
        if hertz is not None and not LOW_HZ <= hertz <= HIGH_HZ:
            right = value_if_swapped(hertz, LOW_HZ, HIGH_HZ)
            if right is not None:
                yield Message(_SWAPPED_HZ, {"right": shown(right), "read": shown(hertz)})
        for volts in measurement.voltage_v:
            if volts is not None and not LOW_V <= volts <= HIGH_V:
                right = value_if_swapped(volts, LOW_V, HIGH_V)
                if right is not None:
                    yield Message(_SWAPPED_V, {"right": shown(right), "read": shown(volts)})


def _no_voltage(measurements: Sequence[Measurement], given: Capabilities | None) -> bool:
    """Every voltage is 0, or there is none although the type of the meter gives voltages."""
    volts = [v for measurement in measurements for v in measurement.voltage_v if v is not None]
    if not volts:
        return given is not None and given.has_phase_voltage
    return all(abs(v) < DEAD_V for v in volts)


def _implausible(measurements: Sequence[Measurement], around: Surroundings) -> Iterator[Message]:
    for measurement in measurements:
        yield from contradictions(measurement, around.main_limit_a)
        yield from _missing(measurement, around.capabilities)
    for before, after in pairwise(measurements):
        yield from _energy(before, after)
    if _is_frozen(measurements):
        yield Message(_FROZEN, {"number": len(measurements)})


def _missing(measurement: Measurement, given: Capabilities | None) -> Iterator[Message]:
    if not values_of(measurement) and measurement.import_wh is None:
        yield Message(_EMPTY)
    elif given is not None:
        lacks = (
            given.has_phase_currents and measurement.current_a == NO_PHASES,
            given.has_phase_power and measurement.power_w == NO_PHASES,
            given.has_power and measurement.power_total_w is None,
            given.has_frequency and measurement.frequency_hz is None,
            given.has_energy and measurement.import_wh is None,
        )
        if any(lacks):
            yield Message(_LACKS)


def _energy(before: Measurement, after: Measurement) -> Iterator[Message]:
    """The register of import falls, or rises by far more than the power."""
    if before.import_wh is None or after.import_wh is None:
        return
    grown_wh = after.import_wh - before.import_wh
    values = {"before": before.import_wh, "after": after.import_wh}
    if grown_wh < 0:
        yield Message(_FELL, values)
    elif grown_wh > ENERGY_STEP_WH:
        watts = max(_max_w(before), _max_w(after))
        hours = max(0.0, after.at_s - before.at_s) / 3600
        if grown_wh > ENERGY_STEP_WH + ENERGY_FACTOR * watts * hours:
            yield Message(_ROSE, values)


def _max_w(measurement: Measurement) -> float:
    """The highest power that the poll leaves possible."""
    apparent = apparent_va(measurement)
    total = abs(measurement.power_total_w or 0.0)
    return max(total, sum(abs(watts or 0.0) for watts in measurement.power_w), apparent or 0.0)


def _is_frozen(measurements: Sequence[Measurement]) -> bool:
    """All values are bit for bit the same in several polls while a current flows. Energy that rises
    shows that the meter measures."""
    if len(measurements) < FROZEN_POLLS:
        return False
    first = measurements[0]
    flows = any(abs(amps) >= FROZEN_A for amps in first.current_a if amps is not None)
    return flows and all(replace(each, at_s=first.at_s) == first for each in measurements)


def _first(texts: Iterator[Message]) -> Message | None:
    return next(texts, None)


def _unique(texts: Iterator[Message]) -> list[Message]:
    """A sentence once for each template and phase, however many polls show it."""
    found: dict[tuple[str, object], Message] = {}
    for text in texts:
        found.setdefault((text.template, text.values.get("phase")), text)
    return list(found.values())
