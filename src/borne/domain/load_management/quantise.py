"""Currents as the hardware can signal them.

Steps of 0.1 A are rounded down. With coarse steps that alone wastes several per cent, so what is
left is given out in whole steps, to the largest remainder first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, floor

from borne.domain.load_management.allocation import entitlement
from borne.domain.load_management.participant import SLACK_A, Participant
from borne.domain.load_management.topology import Topology
from borne.foundation.units import PerPhase

FINE_STEP_A = 0.1

NEARLY = 1e-6
"""Of a step: what misses a whole step by less is one."""


def floor_to_step(amps: float, step_a: float = FINE_STEP_A) -> float:
    """The highest multiple of the step that is not above `amps`."""
    return round(floor(amps / step_a + NEARLY) * step_a, 6)


def quantise(
    topology: Topology,
    root_limit_a: PerPhase,
    participants: Iterable[Participant],
    amps: Mapping[str, float],
    step_a: float = FINE_STEP_A,
    *,
    it_network: bool = False,
) -> dict[str, float]:
    """Multiples of `step_a` near to `amps` (by id) that keep every link and the own bounds.

    A participant whose minimum is no multiple is lifted to the next one, or paused. Currents
    reserved for participants that cannot be heard stay as they are.
    """
    cars = {one.id: one for one in participants if one.id in amps}
    rounding = _Rounding(topology, root_limit_a, cars, step_a, it_network=it_network)
    for one in sorted(cars.values(), key=entitlement):
        rounding.set(one, floor_to_step(amps[one.id], step_a), amps[one.id])
    for one in sorted(cars.values(), key=entitlement):
        if one.reserved_a is None and 0 < rounding.amps[one.id] < one.lower_a - SLACK_A:
            least = round(ceil(one.lower_a / step_a - NEARLY) * step_a, 6)
            if not rounding.raise_to(one, least):
                rounding.pause(one)
    if step_a > FINE_STEP_A:
        for name in sorted(cars, key=lambda name: (rounding.amps[name] - amps[name], name)):
            one, current = cars[name], rounding.amps[name]
            if one.reserved_a is None and current > 0 and amps[name] - current > NEARLY * step_a:
                rounding.raise_to(one, current + step_a)
    return rounding.amps


class _Rounding:
    """Rounded currents and what they leave of every link."""

    def __init__(
        self,
        topology: Topology,
        root_limit_a: PerPhase,
        cars: Mapping[str, Participant],
        step_a: float,
        *,
        it_network: bool,
    ) -> None:
        self.amps: dict[str, float] = {}
        self._left = topology.capacities(root_limit_a)
        self._tolerance = NEARLY * step_a * max(1, len(cars))
        self._crossed = {
            name: topology.crossed(one.group, one.loads(it_network=it_network))
            for name, one in cars.items()
        }

    def set(self, one: Participant, rounded: float, exact: float) -> None:
        """A first value, without a question."""
        self.amps[one.id] = 0.0
        self._move(one.id, exact if one.reserved_a is not None else rounded)

    def raise_to(self, one: Participant, amps: float) -> bool:
        """Change to `amps` when the participant and all its links allow it."""
        more = amps - self.amps[one.id]
        fits = all(self._left[link] + self._tolerance >= more for link in self._crossed[one.id])
        if amps > one.upper_a + SLACK_A or not fits:
            return False
        self._move(one.id, amps)
        return True

    def pause(self, one: Participant) -> None:
        """No current at all."""
        self._move(one.id, 0.0)

    def _move(self, name: str, amps: float) -> None:
        for link in self._crossed[name]:
            self._left[link] -= amps - self.amps[name]
        self.amps[name] = amps
