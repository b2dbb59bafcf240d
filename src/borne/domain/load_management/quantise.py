"""Rounds currents to values that the hardware can signal.

Steps of 0.1 A are rounded down. With coarse steps that alone wastes several per cent, so the
remaining current is distributed in whole steps, to the largest remainder first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import ceil, floor

from borne.domain.load_management.filling import subtract
from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.snapshot import Snapshot

FINE_STEP_A = 0.1

NEARLY = 1e-6
"""Fraction of a step: a current that is short of a whole step by less than this counts as that
step."""


def floor_to_step(amps: float, step_a: float = FINE_STEP_A) -> float:
    """Return the highest multiple of the step that is not above `amps`."""
    return round(floor(amps / step_a + NEARLY) * step_a, 6)


def quantise(
    snapshot: Snapshot, amps: Mapping[str, float], step_a: float = FINE_STEP_A
) -> dict[str, float]:
    """Round `amps` (by id) to multiples of `step_a` that respect every link and the participants'
    own bounds.

    A participant whose minimum is not a multiple is raised to the next one, or paused. Currents
    reserved for participants without contact are not rounded.
    """
    rounding = _Rounding(snapshot, amps, step_a)
    rounding.keep_minima()
    if step_a > FINE_STEP_A:
        rounding.hand_out()
    return rounding.amps


class _Rounding:
    """Rounded currents and what they leave of every link."""

    def __init__(self, snapshot: Snapshot, exact: Mapping[str, float], step_a: float) -> None:
        self._snapshot = snapshot
        self._exact = exact
        self._step_a = step_a
        self._cars = {
            one.id: (one, crossed)
            for one, crossed in zip(
                snapshot.order.participants, snapshot.order.all_crossed(), strict=True
            )
            if one.id in exact
        }
        self.amps = {
            name: exact[name] if one.reserved_a is not None else floor_to_step(exact[name], step_a)
            for name, (one, _) in self._cars.items()
        }
        self._tolerance = NEARLY * step_a * max(1, len(self._cars))

    @cached_property
    def _left(self) -> list[float]:
        left = self._snapshot.supply.capacities()
        subtract(left, self.amps.values(), [crossed for _, crossed in self._cars.values()])
        return left

    def keep_minima(self) -> None:
        """Raise or pause participants between zero and their minimum."""
        short = [
            (name, one.lower_a)
            for name, (one, _) in self._cars.items()
            if 0 < self.amps[name] < one.lower_a - SLACK_A and one.reserved_a is None
        ]
        for name, lower_a in short:
            least = round(ceil(lower_a / self._step_a - NEARLY) * self._step_a, 6)
            if not self._raise_to(name, least):
                self._move(name, 0.0)

    def hand_out(self) -> None:
        """Distribute what rounding left, in whole steps, to the largest remainder first."""
        exact = self._exact
        for name in sorted(self._cars, key=lambda name: (self.amps[name] - exact[name], name)):
            rounded, (one, _) = self.amps[name], self._cars[name]
            remainder = exact[name] - rounded
            if one.reserved_a is None and rounded > 0 and remainder > NEARLY * self._step_a:
                self._raise_to(name, rounded + self._step_a)

    def _raise_to(self, name: str, amps: float) -> bool:
        """Change to `amps` if the participant and all its links allow it."""
        one, crossed = self._cars[name]
        more = amps - self.amps[name]
        fits = all(self._left[link] + self._tolerance >= more for link in crossed)
        if amps > one.upper_a + SLACK_A or not fits:
            return False
        self._move(name, amps)
        return True

    def _move(self, name: str, amps: float) -> None:
        for link in self._cars[name][1]:
            self._left[link] -= amps - self.amps[name]
        self.amps[name] = amps
