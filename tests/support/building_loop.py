"""A building, its meter, and cars that follow a limit: the loop that the external load closes.

A small model of a group: equal shares, decreases at once, rises once per cycle.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from random import Random

from borne.domain.load_management.external_load import MARGIN_S, ExternalLoad
from borne.domain.load_management.meter_skew import KNOWN_WITHIN_S
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import PHASES, ZERO, PerPhase

STEP_S = 0.25
POLL_S = 1.0
LINK_S = 0.3
REACTION_S = 5.0
CYCLE_S = 5.0
MINIMUM_A = 6.0
MAXIMUM_A = 32.0
UNSURE_S = KNOWN_WITHIN_S + 2 * MARGIN_S
"""So exactly the stations' own steps tell the skew."""
LEARNT_S = 60.0
"""The first step of the stations counts as the building's until it has shown the skew: cars may
pause, and no swinging is judged."""
REPORTED_A = 0.1
"""A change that is reported."""
ROUNDING_A = 1e-6
TURN_A = 2.0


@dataclass(frozen=True)
class Building:
    """A load that switches on and off."""

    times_s: tuple[float, ...]
    low_a: float = 10.0
    step_a: float = 30.0

    @classmethod
    def switching(cls, seed: int, until_s: float, pause_s: tuple[float, float]) -> Building:
        rng, now_s, times = Random(seed), 0.0, []
        while now_s < until_s:
            now_s += rng.uniform(*pause_s)
            times.append(now_s)
        return cls(tuple(times))

    def at(self, now_s: float) -> float:
        return self.low_a + self.step_a * (bisect_right(self.times_s, now_s) % 2)


@dataclass
class Car:
    """Follows its pilot after a while; its current is read once a second."""

    lag_s: float
    reads_at_s: float
    pilot_a: float = 0.0
    draws_a: float = 0.0
    reported_a: float = 0.0
    orders: deque[tuple[float, float]] = field(default_factory=deque)

    def order(self, now_s: float, amps: float) -> None:
        if amps != self.pilot_a:
            self.pilot_a = amps
            self.orders.append((now_s + self.lag_s, amps))

    def step(self, now_s: float) -> bool:
        """True if it reports a change."""
        while self.orders and self.orders[0][0] <= now_s:
            self.draws_a = self.orders.popleft()[1]
        if now_s < self.reads_at_s:
            return False
        self.reads_at_s += 1.0
        changed = abs(self.draws_a - self.reported_a) >= REPORTED_A
        self.reported_a = self.draws_a if changed else self.reported_a
        return changed


@dataclass
class Totals:
    beyond_as: float = 0.0
    """Ampere-seconds above the main limit that no delay explains."""
    drawn_as: float = 0.0
    ideal_as: float = 0.0
    reversals: int = 0
    """How often the limit changed its direction."""
    pauses: int = 0


class BuildingLoop:
    """The meter shows what was `skew_s` ago, with the stations or without."""

    def __init__(
        self,
        building: Building,
        skew_s: float,
        location: MeterLocation = MeterLocation.INCLUDING,
        *,
        phases: int = 3,
        seed: int = 1,
        main_a: float = 80.0,
    ) -> None:
        rng = Random(seed)
        self.totals = Totals()
        self.load = ExternalLoad(PerPhase.same(main_a)).drawn(-20.0, ZERO)
        self._building = building
        self._skew_s = skew_s
        self._location = location
        self._phases = phases
        self._main_a = main_a
        self._cars = [Car(rng.uniform(1, REACTION_S), rng.random()) for _ in range(4)]
        self._poll_at_s, self._cycle_at_s = rng.random(), 0.0
        first_a = building.at(0.0)
        self._past = deque([(0.0, self._grid(first_a, 0.0))])
        self._reports: deque[tuple[float, PerPhase]] = deque()
        self._lows: deque[tuple[float, float]] = deque()
        self._turn_a = 0.0
        self._rising: bool | None = None

    def run(self, until_s: float) -> Totals:
        for step in range(int(until_s / STEP_S)):
            now_s = step * STEP_S
            reports = [car.step(now_s) for car in self._cars]
            base_a = self._building.at(now_s)
            own_a = sum(car.draws_a for car in self._cars)
            self._report(now_s, any(reports))
            self._measure(now_s, base_a, own_a)
            limit_a = self._limit_a(now_s)
            self._share(now_s, limit_a)
            self._judge(now_s, base_a, own_a)
            self._count_turns(limit_a)
        return self.totals

    def _grid(self, base_a: float, own_a: float) -> PerPhase:
        return PerPhase(*(base_a + (own_a if n < self._phases else 0.0) for n in PHASES))

    def _report(self, now_s: float, changed: bool) -> None:
        if changed:
            reported_a = sum(car.reported_a for car in self._cars)
            self._reports.append((now_s + LINK_S, self._grid(0.0, reported_a)))
        while self._reports and self._reports[0][0] <= now_s:
            self.load = self.load.drawn(now_s, self._reports.popleft()[1])

    def _measure(self, now_s: float, base_a: float, own_a: float) -> None:
        including = self._location is MeterLocation.INCLUDING
        self._past.append((now_s, self._grid(base_a, own_a if including else 0.0)))
        while len(self._past) > 1 and self._past[1][0] <= now_s - self._skew_s:
            self._past.popleft()
        if now_s >= self._poll_at_s:
            self._poll_at_s += POLL_S
            self.load = self.load.measured(now_s, self._past[0][1])

    def _limit_a(self, now_s: float) -> float:
        external = self.load.load_a(now_s, self._location, 10.0)
        return 0.0 if external is None else max(0.0, self._main_a - external.l1)

    def _share(self, now_s: float, limit_a: float) -> None:
        count = min(len(self._cars), int(limit_a / MINIMUM_A))
        share_a = min(MAXIMUM_A, int(limit_a / count * 10) / 10) if count else 0.0
        rises = now_s >= self._cycle_at_s
        self._cycle_at_s += CYCLE_S if rises else 0.0
        for number, car in enumerate(self._cars):
            amps = share_a if number < count else 0.0
            if amps < car.pilot_a or rises:
                self.totals.pauses += amps == 0.0 < car.pilot_a and now_s >= LEARNT_S
                car.order(now_s, amps)

    def _judge(self, now_s: float, base_a: float, own_a: float) -> None:
        """Above the limit is only what the building left at some time in the last moments: until
        the meter has shown its rise, the cars have followed, and a cycle has passed."""
        self._lows.append((now_s, base_a))
        unsure_s = UNSURE_S if self._location is MeterLocation.INCLUDING else 0.0
        delay_s = self._skew_s + unsure_s + POLL_S + REACTION_S + CYCLE_S
        while self._lows[0][0] < now_s - delay_s:
            self._lows.popleft()
        permitted_a = self._main_a - min(low_a for _, low_a in self._lows)
        beyond_a = min(own_a + base_a - self._main_a, own_a - permitted_a)
        if beyond_a > len(self._cars) * REPORTED_A + ROUNDING_A:
            self.totals.beyond_as += beyond_a * STEP_S
        if now_s < LEARNT_S:
            return
        self.totals.drawn_as += own_a * STEP_S
        ideal_a = min(len(self._cars) * MAXIMUM_A, self._main_a - base_a)
        self.totals.ideal_as += ideal_a * STEP_S

    def _count_turns(self, limit_a: float) -> None:
        if abs(limit_a - self._turn_a) >= TURN_A:
            rising = limit_a > self._turn_a
            self.totals.reversals += self._rising is (not rising)
            self._turn_a, self._rising = limit_a, rising
