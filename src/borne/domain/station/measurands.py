"""Measurands of OCPP 1.6 (7.31) that this station can give, from one sample of a meter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from borne.domain.station.session import Sample
from borne.foundation.units import PerPhase

REGISTER = "Energy.Active.Import.Register"
PERIODIC, CLOCK, TRIGGER = "Sample.Periodic", "Sample.Clock", "Trigger"
"""Reading contexts (OCPP 1.6 section 7.35)."""
_LINES = ("L1", "L2", "L3")
_TO_NEUTRAL = ("L1-N", "L2-N", "L3-N")


def _register(sample: Sample) -> list[dict[str, Any]]:
    return [{"value": str(sample.register_wh), "unit": "Wh"}]


def _power(sample: Sample) -> list[dict[str, Any]]:
    return [{"value": f"{sample.power_w:.1f}", "unit": "W"}]


def _per_phase(values: PerPhase, phases: tuple[str, ...], unit: str) -> list[dict[str, Any]]:
    return [
        {"value": f"{value:.1f}", "unit": unit, "phase": phase}
        for value, phase in zip(values, phases, strict=True)
    ]


_GIVE: dict[str, Callable[[Sample], list[dict[str, Any]]]] = {
    REGISTER: _register,
    "Power.Active.Import": _power,
    "Current.Import": lambda sample: _per_phase(sample.current_a, _LINES, "A"),
    "Voltage": lambda sample: _per_phase(sample.voltage_v, _TO_NEUTRAL, "V"),
    "Current.Offered": lambda sample: [{"value": f"{sample.offered_a:.1f}", "unit": "A"}],
    "Power.Offered": lambda sample: [
        {"value": f"{sample.offered_a * sample.voltage_v.total:.1f}", "unit": "W"}
    ],
}
_POINT_CONTEXTS = frozenset({"Transaction.Begin", "Transaction.End"})

SUPPORTED = tuple(_GIVE)
PHASES = {"Current.Import": _LINES, "Voltage": _TO_NEUTRAL}
"""Of these one phase alone can be asked for, as in `Current.Import.L1`."""
_BY_FOLDED = {name.casefold(): name for name in SUPPORTED}


def canonical(text: str) -> str | None:
    """The name of a quantity as we write it, perhaps with one phase; None for what cannot be sent.
    A voltage is one to neutral, also where only the line is named."""
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


def _given(sample: Sample, name: str) -> list[dict[str, Any]]:
    give = _GIVE.get(name)
    if give is not None:
        return give(sample)
    base, _, phase = name.rpartition(".")
    if base not in PHASES:
        return []
    return [value for value in _GIVE[base](sample) if value["phase"] == phase]


def sampled_values(sample: Sample, names: Iterable[str]) -> list[dict[str, Any]]:
    """One entry for each measurand and phase, in neutral names, with context and location. The
    begin and the end of a transaction have only their register."""
    result: list[dict[str, Any]] = []
    for name in names:
        if sample.context in _POINT_CONTEXTS and name != REGISTER:
            continue
        measurand = name if name in _GIVE else name.rpartition(".")[0]
        common = {"measurand": measurand, "context": sample.context, "location": "Outlet"}
        result.extend({**value, **common} for value in _given(sample, name))
    return result
