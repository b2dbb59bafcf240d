"""One cycle of the distribution: from snapshots to the next setpoints, with reasons.

Allocation, rounding and the safe step in one pure function. What a car leaves of its offer is given
to others only when they can use it. A car that draws more than its offer is a fixed load for the
others, and is never raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.participant import Grant, Reason
from borne.domain.load_management.quantise import FINE_STEP_A, floor_to_step, quantise
from borne.domain.load_management.redistribution import safe_step
from borne.domain.load_management.snapshot import Snapshot
from borne.foundation.units import PerPhase


@dataclass(frozen=True, slots=True)
class Overdraw:
    """A participant that draws more than its offer."""

    grid_a: PerPhase
    """Drawn current, per phase of the grid."""
    setpoint_a: float
    """Present offer."""


def distribute(
    snapshot: Snapshot,
    overdrawn: Mapping[str, Overdraw] | None = None,
    step_a: float = FINE_STEP_A,
) -> Mapping[str, Grant]:
    """Return the next setpoints (amps per phase, multiples of `step_a`), by id."""
    targets = allocate(snapshot, reclaim=False)
    if targets.scarce and any(one.settled_a is not None for one in snapshot.participants):
        targets = allocate(snapshot)
    amps, reasons = targets.amps, targets.reasons
    if overdrawn:
        amps, reasons = _beside_overdrawn(snapshot, amps, overdrawn)
    setpoints = safe_step(snapshot, quantise(snapshot, amps, step_a))
    held = setpoints.held
    return {
        name: Grant(
            name,
            _rounded(setpoints.amps[name], held.get(name), step_a),
            held.get(name, reasons[name]),
        )
        for name in amps
    }


Targets = tuple[Mapping[str, float], Mapping[str, Reason]]
"""Amps and reasons, by id."""


def _beside_overdrawn(
    snapshot: Snapshot, targets_a: Mapping[str, float], overdrawn: Mapping[str, Overdraw]
) -> Targets:
    found = allocate(
        snapshot, loads_a={name: overdraw.grid_a for name, overdraw in overdrawn.items()}
    )
    amps, reasons = dict(found.amps), dict(found.reasons)
    for name, overdraw in overdrawn.items():
        amps[name] = min(targets_a[name], overdraw.setpoint_a)
        reasons[name] = Reason(LimitCause.TAKES_MORE, amps=max(overdraw.grid_a))
    return amps, reasons


def _rounded(amps: float, held: Reason | None, step_a: float) -> float:
    """Round a setpoint; the reservation of a participant without contact is not rounded."""
    if held is not None and held.cause is LimitCause.NO_CONTACT:
        return amps
    return floor_to_step(amps, step_a)
