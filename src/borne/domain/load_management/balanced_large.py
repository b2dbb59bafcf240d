"""Current imbalance for groups too large for the exact method: always safe, nearly always exact.

The difference of phases a and b depends only on X_ab, the sum of the cars on a and not on b. Each
directed pair becomes a link with the capacity d - (B_a - B_b) + X_ba (d: the limit, B: the other
loads). The group is filled and these capacities are recomputed until they no longer change, which
needs a few rounds. The result always respects every difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from borne.domain.load_management.balanced_filling import BalancedFill
from borne.domain.load_management.filling import Bottleneck, Filled
from borne.domain.load_management.filling_method import filler
from borne.domain.load_management.imbalance import (
    DIRECTED_PAIRS,
    Car,
    Imbalance,
    by_phases,
    on_each_phase,
)
from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.topology import GridPhase

ROUNDS = 60
DAMPED_AFTER = 20


def on_one_phase_only(cars: Sequence[Car], amps: Sequence[float]) -> list[float]:
    """Return X of every directed pair: current of the cars on the first phase and not on the
    second."""
    sums = by_phases(cars, amps)
    return [
        sum(current for phases, current in sums.items() if high in phases and low not in phases)
        for high, low in DIRECTED_PAIRS
    ]


def admit_large(
    capacity: Sequence[float], imbalance: Imbalance, cars: Sequence[Car], order: Sequence[int]
) -> dict[int, Bottleneck]:
    """Return the refused cars: those whose minimum does not fit on a link, then the least entitled
    cars on the high phase until the minima respect every difference. The latter are tried once more
    in order."""
    return _Admission(capacity, imbalance, cars, order).run()


class _Admission:
    """The admitted cars, by the phases that they load, and sums of their minima."""

    def __init__(
        self,
        capacity: Sequence[float],
        imbalance: Imbalance,
        cars: Sequence[Car],
        order: Sequence[int],
    ) -> None:
        self.left = list(capacity)
        self.imbalance = imbalance
        self.cars = cars
        self.order = order
        self.refused: dict[int, Bottleneck] = {}
        self.added = [0.0, 0.0, 0.0]
        self.admitted: dict[frozenset[GridPhase], list[int]] = {}
        """Places in `order`, least entitled last."""

    def run(self) -> dict[int, Bottleneck]:
        for place in range(len(self.order)):
            self._enter(place)
        dropped: list[int] = []
        while (pair := self._broken()) is not None:
            dropped.append(self._drop(pair))
        for place in sorted(dropped):
            if self._enter(place) and (pair := self._broken()) is not None:
                self._leave(place, pair)
        return self.refused

    def _enter(self, place: int) -> bool:
        number = self.order[place]
        car = self.cars[number]
        for link in car.crossed:
            if self.left[link] + SLACK_A < car.lower_a:
                self.refused[number] = Bottleneck(link=link)
                return False
        self.refused.pop(number, None)
        self.admitted.setdefault(car.phases, []).append(place)
        self._count(car, 1)
        return True

    def _drop(self, pair: tuple[GridPhase, GridPhase]) -> int:
        """Remove the least entitled car that adds to the difference."""
        high, low = pair
        place = max(
            places[-1]
            for phases, places in self.admitted.items()
            if places and high in phases and low not in phases
        )
        self._leave(place, pair)
        return place

    def _leave(self, place: int, pair: tuple[GridPhase, GridPhase]) -> None:
        """Remove `place`, the last of those with its phases."""
        number = self.order[place]
        self.admitted[self.cars[number].phases].pop()
        self._count(self.cars[number], -1)
        self.refused[number] = Bottleneck(pair=pair)

    def _count(self, car: Car, sign: int) -> None:
        amps = sign * car.lower_a
        for link in car.crossed:
            self.left[link] -= amps
        for phase in car.phases:
            self.added[phase - 1] += amps

    def _broken(self) -> tuple[GridPhase, GridPhase] | None:
        used = [phases for phases, places in self.admitted.items() if places]
        return self.imbalance.broken_by(self.added, used)


def fill_large(
    capacity: Sequence[float], imbalance: Imbalance, admitted: Mapping[int, Car]
) -> BalancedFill:
    """Return the amps of the admitted cars by number; their minima must respect every link and
    difference."""
    cars = list(admitted.values())
    lower = [car.lower_a for car in cars]
    upper = [car.upper_a for car in cars]
    priority = [car.priority for car in cars]
    needed: list[float] = []
    if any(car.needed_a is not None for car in cars):
        needed = [car.upper_a if car.needed_a is None else car.needed_a for car in cars]
    first = len(capacity)
    crossed = [
        car.crossed
        + tuple(first + n for n, pair in enumerate(DIRECTED_PAIRS) if car.adds_to_difference(*pair))
        for car in cars
    ]
    headrooms = [imbalance.headroom_a(*pair) for pair in DIRECTED_PAIRS]
    opposite = [DIRECTED_PAIRS.index(pair[::-1]) for pair in DIRECTED_PAIRS]
    free = filler(first, lower, upper, [car.crossed for car in cars], priority, needed)
    bound = filler(first + len(headrooms), lower, upper, crossed, priority, needed)
    filled = free(capacity)
    best: Filled | None = None
    caps: list[float] = []
    for turn in range(ROUNDS):
        if imbalance.broken(cars, filled.amps) is None and (
            best is None or sorted(filled.amps) > sorted(best.amps)
        ):
            best = filled
        differing = on_one_phase_only(cars, filled.amps)
        renewed = [room + differing[other] for room, other in zip(headrooms, opposite, strict=True)]
        if turn > DAMPED_AFTER:
            renewed = [(new + old) / 2 for new, old in zip(renewed, caps, strict=True)]
        if caps and max(abs(new - old) for new, old in zip(renewed, caps, strict=True)) < SLACK_A:
            break
        caps = renewed
        filled = bound([*capacity, *caps])
    if best is None:
        best = Filled(_between(imbalance, cars, lower, filled.amps), filled.bottleneck)
    causes = {
        number: _cause(stop, first)
        for number, stop in zip(admitted, best.bottleneck, strict=True)
        if stop is not None
    }
    return BalancedFill(dict(zip(admitted, best.amps, strict=True)), causes)


def _cause(stop: Bottleneck, first: int) -> Bottleneck:
    if stop.link is None or stop.link < first:
        return Bottleneck(link=stop.link)
    return Bottleneck(pair=DIRECTED_PAIRS[stop.link - first])


def _between(
    imbalance: Imbalance, cars: Sequence[Car], lower: Sequence[float], amps: Sequence[float]
) -> list[float]:
    """Return the point nearest to `amps` on the line from the minima that respects every
    difference."""
    share = 1.0
    base, full = (on_each_phase(by_phases(cars, each)) for each in (lower, amps))
    for high, low in DIRECTED_PAIRS:
        start = base[high - 1] - base[low - 1]
        gain = full[high - 1] - full[low - 1] - start
        room = imbalance.headroom_a(high, low) - start
        if gain > room and gain > 0:
            share = min(share, max(0.0, room) / gain)
    return [least + share * (most - least) for least, most in zip(lower, amps, strict=True)]
