"""Current imbalance for groups too large for the exact method: always safe, nearly always exact.

The difference of phases a and b depends only on X_ab, the sum of the cars on a and not on b. Each
directed pair becomes a link with capacity d - (B_a - B_b) + X_ba; filling and renewing these
capacities settles within a few rounds. What is returned keeps every difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from borne.domain.load_management.balanced_filling import BalancedFill
from borne.domain.load_management.filling import Bottleneck, Filled
from borne.domain.load_management.filling_method import filler
from borne.domain.load_management.imbalance import DIRECTED_PAIRS, Car, Imbalance
from borne.domain.load_management.participant import SLACK_A

ROUNDS = 60
DAMPED_AFTER = 20


def tilt(cars: Sequence[Car], amps: Sequence[float]) -> list[float]:
    """X of every directed pair: current on the first phase that is not on the second."""
    return [
        sum(current for car, current in zip(cars, amps, strict=True) if car.tilts(high, low))
        for high, low in DIRECTED_PAIRS
    ]


def _added(cars: Sequence[Car], amps: Sequence[float]) -> list[float]:
    total = [0.0, 0.0, 0.0]
    for car, current in zip(cars, amps, strict=True):
        for phase in car.phases:
            total[phase - 1] += current
    return total


def admit_large(
    capacity: Sequence[float], imbalance: Imbalance, cars: Sequence[Car], order: Sequence[int]
) -> dict[int, Bottleneck]:
    """The refused cars: what no link has room for, then the least entitled cars on the high phase
    until the minima keep every difference; those are tried once more in order."""
    left = list(capacity)
    refused: dict[int, Bottleneck] = {}
    admitted: list[int] = []

    def enter(car: int) -> bool:
        for link in cars[car].crossed:
            if left[link] + SLACK_A < cars[car].lower_a:
                refused[car] = Bottleneck(link=link)
                return False
        _move(left, cars[car], -1)
        refused.pop(car, None)
        admitted.append(car)
        return True

    def broken() -> Bottleneck | None:
        chosen = [cars[car] for car in admitted]
        pair = imbalance.broken(chosen, [car.lower_a for car in chosen])
        return None if pair is None else Bottleneck(pair=pair)

    for car in order:
        enter(car)
    dropped: list[int] = []
    while (cause := broken()) is not None and cause.pair is not None:
        car = next(car for car in reversed(admitted) if cars[car].tilts(*cause.pair))
        admitted.remove(car)
        _move(left, cars[car], 1)
        refused[car] = cause
        dropped.append(car)
    for car in sorted(dropped, key=order.index):
        if enter(car) and (cause := broken()) is not None:
            admitted.remove(car)
            _move(left, cars[car], 1)
            refused[car] = cause
    return refused


def _move(left: list[float], car: Car, sign: int) -> None:
    for link in car.crossed:
        left[link] += sign * car.lower_a


def fill_large(
    capacity: Sequence[float], imbalance: Imbalance, admitted: Mapping[int, Car]
) -> BalancedFill:
    """Amps of the admitted cars by number; their minima keep every link and difference."""
    cars = list(admitted.values())
    lower = [car.lower_a for car in cars]
    upper = [car.upper_a for car in cars]
    priority = [car.priority for car in cars]
    first = len(capacity)
    crossed = [
        car.crossed + tuple(first + n for n, pair in enumerate(DIRECTED_PAIRS) if car.tilts(*pair))
        for car in cars
    ]
    rooms = [imbalance.room_a(*pair) for pair in DIRECTED_PAIRS]
    opposite = [DIRECTED_PAIRS.index(pair[::-1]) for pair in DIRECTED_PAIRS]
    free = filler(first, lower, upper, [car.crossed for car in cars], priority)
    bound = filler(first + len(rooms), lower, upper, crossed, priority)
    filled = free(capacity)
    best: Filled | None = None
    caps: list[float] = []
    for turn in range(ROUNDS):
        if imbalance.broken(cars, filled.amps) is None and (
            best is None or sorted(filled.amps) > sorted(best.amps)
        ):
            best = filled
        tilts = tilt(cars, filled.amps)
        renewed = [room + tilts[other] for room, other in zip(rooms, opposite, strict=True)]
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
    """The point nearest to `amps` on the way from the minima that keeps every difference."""
    share = 1.0
    base, full = _added(cars, lower), _added(cars, amps)
    for high, low in DIRECTED_PAIRS:
        start = base[high - 1] - base[low - 1]
        gain = full[high - 1] - full[low - 1] - start
        room = imbalance.room_a(high, low) - start
        if gain > room and gain > 0:
            share = min(share, max(0.0, room) / gain)
    return [least + share * (most - least) for least, most in zip(lower, amps, strict=True)]
