"""Measurands of OCPP 1.6 (7.31) that this station supports, from one sample of a meter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from borne.domain.station.session import Sample
from borne.foundation.clock import Moment
from borne.foundation.units import PerPhase

REGISTER = "Energy.Active.Import.Register"
PERIODIC, CLOCK, TRIGGER = "Sample.Periodic", "Sample.Clock", "Trigger"
BEGIN, END = "Transaction.Begin", "Transaction.End"
"""Reading contexts (OCPP 1.6 section 7.35)."""
_LINES = ("L1", "L2", "L3")
_TO_NEUTRAL = ("L1-N", "L2-N", "L3-N")


@dataclass(frozen=True, slots=True)
class SampledValue:
    """One quantity of a sample. `value` is decimal text, so that repeated values are identical."""

    value: str
    unit: str
    measurand: str
    context: str
    phase: str | None = None
    location: str = "Outlet"


@dataclass(frozen=True, slots=True)
class MeterValue:
    """The values of one moment."""

    at: Moment
    sampled: tuple[SampledValue, ...]


_Quantity = tuple[str, str, str | None]
"""Value, unit, phase."""


def _register(sample: Sample) -> list[_Quantity]:
    return [(str(sample.register_wh), "Wh", None)]


def _power(sample: Sample) -> list[_Quantity]:
    return [(f"{sample.power_w:.1f}", "W", None)]


def _power_offered(sample: Sample) -> list[_Quantity]:
    return [(f"{sample.offered_a * sample.voltage_v.total:.1f}", "W", None)]


def _per_phase(values: PerPhase, phases: tuple[str, ...], unit: str) -> list[_Quantity]:
    return [(f"{value:.1f}", unit, phase) for value, phase in zip(values, phases, strict=True)]


_GIVE: dict[str, Callable[[Sample], list[_Quantity]]] = {
    REGISTER: _register,
    "Power.Active.Import": _power,
    "Current.Import": lambda sample: _per_phase(sample.current_a, _LINES, "A"),
    "Voltage": lambda sample: _per_phase(sample.voltage_v, _TO_NEUTRAL, "V"),
    "Current.Offered": lambda sample: [(f"{sample.offered_a:.1f}", "A", None)],
    "Power.Offered": _power_offered,
}
_POINT_CONTEXTS = frozenset({BEGIN, END})

SUPPORTED = tuple(_GIVE)
PHASES = {"Current.Import": _LINES, "Voltage": _TO_NEUTRAL}
"""Measurands that can be requested for a single phase, as in `Current.Import.L1`."""
_BY_FOLDED = {name.casefold(): name for name in SUPPORTED}


def canonical(text: str) -> str | None:
    """The canonical name of a measurand, possibly with a phase; None if it is not supported.
    Voltages are to neutral, even if only the line is named."""
    whole = _BY_FOLDED.get(text.casefold())
    if whole is not None:
        return whole
    base, _, phase = text.rpartition(".")
    name = _BY_FOLDED.get(base.casefold())
    wanted = phase.upper().removesuffix("-N")
    for each in PHASES.get(name or "", ()):
        if each.removesuffix("-N") == wanted and phase.upper() in (wanted, each):
            return f"{name}.{each}"
    return None


def _given(sample: Sample, name: str) -> list[_Quantity]:
    give = _GIVE.get(name)
    if give is not None:
        return give(sample)
    base, _, phase = name.rpartition(".")
    if base not in PHASES:
        return []
    return [quantity for quantity in _GIVE[base](sample) if quantity[2] == phase]


def meter_value(sample: Sample, names: Iterable[str]) -> MeterValue | None:
    """One value per measurand and phase; None if there is none. Samples at the begin and the end of
    a transaction only have the register."""
    point = sample.context in _POINT_CONTEXTS
    sampled = tuple(
        SampledValue(value, unit, _measurand(name), sample.context, phase)
        for name in names
        if name == REGISTER or not point
        for value, unit, phase in _given(sample, name)
    )
    return MeterValue(sample.at, sampled) if sampled else None


def _measurand(name: str) -> str:
    return name if name in _GIVE else name.rpartition(".")[0]
