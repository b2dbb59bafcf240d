"""B4: the safe step in a closed loop, second by second: lost messages, slow cars.

Twenty-four sockets; every ten seconds a distribution. One message of twenty is lost, as is one
confirmation of twenty; a car follows a new setpoint after 0 to 5 s. Cars come, go and change what
they can draw. Compared with sending all targets at once.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.cycle import distribute
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.quantise import quantise
from borne.domain.load_management.redistribution import SetpointTrack
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from tests.benchmarks.load_management.timing import instance

SOCKETS = 24
SECONDS = 30 * 60
PERIOD_S = 10
LOSS = 0.05
LONGEST_LAG_S = 5.0
SETTLE_S = 6.0
SEEDS = range(8)
CHANGE = 0.02
"""Share of the cars that come, go or change in each period."""


@dataclass
class Socket:
    """What the master knows, and what really happens."""

    track: SetpointTrack = field(default_factory=SetpointTrack)
    setpoint_a: float = 0.0
    applied: tuple[int, float] = (0, 0.0)
    drawn_a: float = 0.0
    follows: deque[tuple[float, float]] = field(default_factory=deque)
    """(when, amps)"""


@dataclass(frozen=True)
class Result:
    over_s: int
    highest_over_a: float
    phase_ah: float


class Loop:
    """One run."""

    def __init__(self, seed: int, *, safe: bool) -> None:
        self.dice = Random(seed)
        group = instance(SOCKETS, seed, 0.6)
        self.supply: SharedSupply = group.supply
        self.cars = {one.id: one for one in group.participants}
        self.sockets = {name: Socket() for name in self.cars}
        self.safe = safe
        self.number = 0
        self.lags = Random(seed + 1000)
        self.losses = Random(seed + 2000)

    def run(self) -> Result:
        over_s, highest_a, amp_s = 0, 0.0, 0.0
        for second in range(SECONDS):
            if second % PERIOD_S == 0:
                self._change()
                self._send(self._setpoints(second), second)
            excess_a, phase_a = self._flow(second)
            over_s += excess_a > 1e-6
            highest_a = max(highest_a, excess_a)
            amp_s += phase_a
        return Result(over_s, highest_a, amp_s / 3600)

    def _change(self) -> None:
        for name, car in self.cars.items():
            if self.dice.random() < CHANGE:
                demand = self.dice.choice((Demand.CHARGING, Demand.CHARGING, Demand.NONE))
                maximum_a = float(self.dice.choice((10, 16, 20, 32)))
                self.cars[name] = replace(car, demand=demand, maximum_a=maximum_a)

    def _participant(self, car: Participant, second: int) -> Participant:
        socket = self.sockets[car.id]
        envelope_a = socket.track.envelope_a(second, socket.drawn_a)
        return replace(car, envelope_a=envelope_a, setpoint_a=socket.setpoint_a)

    def _setpoints(self, second: int) -> Mapping[str, float]:
        cars = [self._participant(car, second) for car in self.cars.values()]
        snapshot = Snapshot(self.supply, cars)
        if self.safe:
            return {name: grant.amps for name, grant in distribute(snapshot).items()}
        return quantise(snapshot, allocate(snapshot).amps)

    def _send(self, setpoints_a: Mapping[str, float], second: int) -> None:
        self.number += 1
        for name, amps in setpoints_a.items():
            socket = self.sockets[name]
            if amps == socket.setpoint_a == socket.track.acknowledged_a:
                continue
            socket.setpoint_a = amps
            socket.track = socket.track.sent(self.number, amps)
            if self.losses.random() < LOSS:
                continue
            socket.applied = (self.number, amps)
            socket.follows.append((second + self.lags.uniform(0, LONGEST_LAG_S), amps))
            if self.losses.random() >= LOSS:
                socket.track = socket.track.confirmed(self.number, amps, second, SETTLE_S)

    def _flow(self, second: int) -> tuple[float, float]:
        left = self.supply.capacities()
        phase_a = 0.0
        for name, socket in self.sockets.items():
            while socket.follows and socket.follows[0][0] <= second:
                socket.drawn_a = socket.follows.popleft()[1]
            car = self.cars[name]
            phase_a += socket.drawn_a * len(car.loads())
            for link in self.supply.topology.crossed(car.group, car.loads()):
                left[link] -= socket.drawn_a
        return -min(left), phase_a


def measure(*, safe: bool) -> Result:
    """Sums over the seeds."""
    found = [Loop(seed, safe=safe).run() for seed in SEEDS]
    return Result(
        sum(one.over_s for one in found),
        max(0.0, *(one.highest_over_a for one in found)),
        sum(one.phase_ah for one in found) / len(found),
    )


def main() -> None:
    """Print both."""
    safe, naive = measure(safe=True), measure(safe=False)
    total_s = len(SEEDS) * SECONDS
    sys.stdout.write(
        f"B4: {total_s} s of {SOCKETS} sockets, 5 % of messages lost, cars 0 to 5 s late.\n"
        f"safe step: {safe.over_s} s over a limit, {safe.phase_ah:.1f} phase-Ah; all at once:"
        f" {naive.over_s} s, up to {naive.highest_over_a:.1f} A, {naive.phase_ah:.1f} phase-Ah"
        f" ({safe.phase_ah / naive.phase_ah:.3f})\n"
    )
