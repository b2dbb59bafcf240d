"""Whether each phase of a meter counts in the right direction, and is the phase it claims to be.

The evidence is what the own sockets draw: a meter that measures them too must show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from borne.domain.meters.measurement import Measurement
from borne.domain.meters.plausibility import apparent_va, shown
from borne.foundation.messages import N_, Message
from borne.foundation.units import PHASES, PerPhase

FLOWS_W = 100.0
DRAWN_A = 5.0
"""What own sockets must draw, or change by, to be recognised in the current of a building."""
SAME_SHARE = 0.25
SAME_A = 1.0
UNSIGNED_SHARE = 0.6
"""Less power than this share of the currents: some phase may export."""

_EXPORTS = N_(
    "L{phase} exports while the building surely imports: is the transformer turned round? With "
    "photovoltaics on this phase it can be right."
)
_MIRRORED = N_(
    "L{phase} exports {amps} A while the own sockets draw {drawn} A: is the transformer turned "
    "round?"
)
_OPPOSED = N_("L{phase} has {amps} A, but {watts} W: current and power differ in sign.")
_UNSIGNED = N_("The currents have no sign: export looks like import.")
_ORDER = N_("The own sockets draw on L{drawn}, but the meter shows it on L{shown}.")


def sign_doubts(
    measurements: Sequence[Measurement], own_a: Sequence[PerPhase], *, unsigned: bool
) -> Iterator[Message]:
    """Phases whose direction is in doubt."""
    if not measurements:
        return
    last = measurements[-1]
    for phase in PHASES:
        opposed = _opposed(last, phase)
        if opposed is not None:
            yield opposed
        elif own_a and _is_mirrored(measurements, own_a, phase):
            amps, drawn = last.current_a[phase] or 0.0, own_a[-1][phase]
            yield Message(
                _MIRRORED, {"phase": phase + 1, "amps": shown(abs(amps)), "drawn": shown(drawn)}
            )
        elif all(_exports_alone(measurement, phase) for measurement in measurements):
            yield Message(_EXPORTS, {"phase": phase + 1})
    if unsigned and _may_hide_export(last):
        yield Message(_UNSIGNED)


def phase_order_doubts(
    measurements: Sequence[Measurement], own_a: Sequence[PerPhase]
) -> Iterator[Message]:
    """Phases on which the own sockets draw, and which the meter shows on another one. `own_a` has
    an entry for each measurement."""
    currents = [_currents(measurement) for measurement in measurements]
    if not currents or len(own_a) != len(currents) or None in currents:
        return
    known = [each for each in currents if each is not None]
    moved, drawn = known[-1].minus(known[0]), own_a[-1].minus(own_a[0])
    if max(map(abs, drawn)) >= DRAWN_A:
        yield from _moved_elsewhere(drawn, moved)
    elif max(own_a[-1]) >= DRAWN_A:
        yield from _drawn_elsewhere(own_a[-1], known[-1])


def _opposed(measurement: Measurement, phase: int) -> Message | None:
    amps, watts = measurement.current_a[phase], measurement.power_w[phase]
    if amps is None or watts is None or amps >= 0 or watts <= FLOWS_W:
        return None
    values = {"phase": phase + 1, "amps": shown(amps), "watts": shown(watts)}
    return Message(_OPPOSED, values)


def _exports_alone(measurement: Measurement, phase: int) -> bool:
    """One phase exports while the others, and all together, import."""
    powers = _powers(measurement)
    others = [powers[other] for other in PHASES if other != phase]
    return (
        powers[phase] < -FLOWS_W
        and all(watts > FLOWS_W for watts in others)
        and sum(powers) > FLOWS_W
    )


def _powers(measurement: Measurement) -> list[float]:
    return [
        watts if watts is not None else (volts or 0.0) * (amps or 0.0)
        for watts, volts, amps in zip(
            measurement.power_w, measurement.voltage_v, measurement.current_a, strict=True
        )
    ]


def _is_mirrored(
    measurements: Sequence[Measurement], own_a: Sequence[PerPhase], phase: int
) -> bool:
    """What the own sockets draw or change appears with the other sign."""
    first, last = measurements[0].current_a[phase], measurements[-1].current_a[phase]
    if first is None or last is None:
        return False
    drawn = own_a[-1][phase] - own_a[0][phase]
    if abs(drawn) >= DRAWN_A:
        return _same(last - first, -drawn)
    return own_a[-1][phase] >= DRAWN_A and _same(last, -own_a[-1][phase])


def _may_hide_export(measurement: Measurement) -> bool:
    apparent, total = apparent_va(measurement), measurement.power_total_w
    if apparent is None or apparent <= FLOWS_W:
        return False
    return total is None or total < UNSIGNED_SHARE * apparent - FLOWS_W


def _currents(measurement: Measurement) -> PerPhase | None:
    a, b, c = measurement.current_a
    return None if a is None or b is None or c is None else PerPhase(a, b, c)


def _moved_elsewhere(drawn: PerPhase, moved: PerPhase) -> Iterator[Message]:
    """The sockets changed their current: the same change must appear on the same phase."""
    for phase in PHASES:
        if abs(drawn[phase]) < DRAWN_A or abs(moved[phase]) >= abs(drawn[phase]) / 2:
            continue
        for other in PHASES:
            quiet = abs(drawn[other]) < DRAWN_A
            if other != phase and quiet and _same(abs(moved[other]), abs(drawn[phase])):
                yield Message(_ORDER, {"drawn": phase + 1, "shown": other + 1})


def _drawn_elsewhere(own: PerPhase, measured: PerPhase) -> Iterator[Message]:
    """Without a change: what is shown is too little in this order of phases, and enough in another;
    export leaves it open."""
    if min(measured) < 0 or _covers(measured, own):
        return
    for order in permutations(PHASES):
        if _covers(measured, PerPhase(*(own[phase] for phase in order))):
            phase = next(p for p in PHASES if measured[p] < own[p] * (1 - SAME_SHARE) - SAME_A)
            yield Message(_ORDER, {"drawn": phase + 1, "shown": order.index(phase) + 1})
            return


def _covers(measured: PerPhase, own: PerPhase) -> bool:
    return all(
        shown_a >= own_a * (1 - SAME_SHARE) - SAME_A
        for shown_a, own_a in zip(measured, own, strict=True)
    )


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= SAME_SHARE * abs(b) + SAME_A
