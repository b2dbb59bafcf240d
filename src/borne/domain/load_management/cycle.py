"""One cycle of the distribution: from snapshots to the setpoints to give now, with reasons.

Allocation, rounding and the safe step in one pure function. What a car takes below its offer is
given to others only when somebody can use it. A car that takes more than it was offered is a fixed
load for the others, and is never raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.participant import Grant, Participant, Reason
from borne.domain.load_management.quantise import FINE_STEP_A, floor_to_step, quantise
from borne.domain.load_management.redistribution import safe_step
from borne.domain.load_management.topology import Topology
from borne.foundation.units import PerPhase

SCARCE = frozenset(
    {
        LimitCause.FAIR_SHARE,
        LimitCause.GROUP_LIMIT,
        LimitCause.MINIMUM_SHARE,
        LimitCause.HIGHER_PRIORITY,
        LimitCause.IMBALANCE,
        LimitCause.WAITING_FOR_MINIMUM,
        LimitCause.WAKE_UP_WAITS,
    }
)
"""Somebody could use more than there is."""


@dataclass(frozen=True, slots=True)
class Overdraw:
    """A participant that takes more than it may."""

    grid_a: PerPhase
    """What it draws, per phase of the grid."""
    setpoint_a: float
    """What it is offered now."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What is distributed: the tree, and the limit of its root per grid phase."""

    root_limit_a: PerPhase
    topology: Topology = field(default_factory=Topology)
    it_network: bool = False


def distribute(
    supply: Supply,
    participants: Sequence[Participant],
    overdrawn: Mapping[str, Overdraw] | None = None,
    step_a: float = FINE_STEP_A,
) -> Mapping[str, Grant]:
    """The setpoints to give now (amps per phase, multiples of `step_a`), by id."""
    rogues = overdrawn or {}
    targets = _targets(supply, participants)
    if rogues:
        targets = _beside_rogues(supply, participants, targets, rogues)
    amps = quantise(
        supply.topology,
        supply.root_limit_a,
        participants,
        {name: grant.amps for name, grant in targets.items()},
        step_a,
        it_network=supply.it_network,
    )
    steps = safe_step(
        supply.topology,
        supply.root_limit_a,
        participants,
        amps,
        it_network=supply.it_network,
    )
    return {name: _rounded(steps[name], targets[name].reason, step_a) for name in targets}


def _targets(supply: Supply, participants: Iterable[Participant]) -> Mapping[str, Grant]:
    generous = [replace(one, settled_a=None) for one in participants]
    grants = _allocated(supply, generous)
    if any(grant.reason.cause in SCARCE for grant in grants.values()):
        return _allocated(supply, participants)
    return grants


def _allocated(supply: Supply, participants: Iterable[Participant]) -> Mapping[str, Grant]:
    return allocate(
        supply.topology, supply.root_limit_a, participants, it_network=supply.it_network
    ).grants


def _beside_rogues(
    supply: Supply,
    participants: Iterable[Participant],
    targets: Mapping[str, Grant],
    rogues: Mapping[str, Overdraw],
) -> Mapping[str, Grant]:
    left_a = supply.root_limit_a
    for rogue in rogues.values():
        left_a = left_a.minus(rogue.grid_a)
    left_a = PerPhase(*(max(0.0, amps) for amps in left_a))
    others = [one for one in participants if one.id not in rogues]
    grants = dict(_allocated(replace(supply, root_limit_a=left_a), others))
    for name, rogue in rogues.items():
        amps = min(targets[name].amps, rogue.setpoint_a)
        grants[name] = Grant(name, amps, Reason(LimitCause.TAKES_MORE, amps=max(rogue.grid_a)))
    return grants


def _rounded(step: Grant, target: Reason, step_a: float) -> Grant:
    if step.reason.cause is LimitCause.NOT_HEARD:
        return step
    reason = target if step.reason.cause is LimitCause.TARGET else step.reason
    return Grant(step.participant, floor_to_step(step.amps, step_a), reason)
