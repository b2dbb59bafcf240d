"""A car at a socket on virtual time: it follows offers late, and takes less near its end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from borne.adapters.site.car_models import WAKES_AFTER_S
from borne.adapters.site.event_heap import EventHeap, Timer
from borne.adapters.site.site_model import CarVisit
from borne.adapters.site.traffic import VOLTS
from borne.domain.load_management.participant import LOWEST_PILOT_A

FASTEST_REACTION_S = 0.2
STOPS_WITHIN_S = 3.0
"""A car stops within this time when it is offered nothing (IEC 61851-1)."""
FALLS_ASLEEP_S = 60.0
TAIL = (0.75, 0.5, 0.25)
"""Shares of its highest current in the steps after the taper."""
NEARLY_FULL_WH = 1e-6


@dataclass(slots=True)
class CarRecord:
    """What a car got."""

    visit: CarVisit
    delivered_wh: float = 0.0
    waited_s: float = 0.0
    """In which it wanted energy and none flowed."""
    starts: int = 0

    @property
    def served(self) -> float:
        """Share of the wanted energy."""
        return min(1.0, self.delivered_wh / self.visit.energy_wh)


@dataclass
class VirtualCar:
    """A plugged-in car. `flows(amps)` is called when its current changes, `asks()` when it begins
    or ends to ask for current."""

    record: CarRecord
    phases: int
    heap: EventHeap
    rng: random.Random
    flows: Callable[[float], None]
    asks: Callable[[], None]
    offered_now: Callable[[], bool]
    """True while the station offers current: it closes the contactor only then."""
    amps: float = 0.0
    asking: bool = False
    _offer_a: float = 0.0
    """What it follows now."""
    _offers: int = 0
    _followed: int = 0
    """Number of the offer that it follows: it never goes back to an earlier one."""
    _since_s: float = 0.0
    _idle_since_s: float | None = None
    """Since when it was offered nothing."""
    _asleep: bool = False
    _gone: bool = False
    _step: Timer = field(init=False)
    _wakes: Timer = field(init=False)
    _ends: tuple[tuple[float, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._since_s = self._idle_since_s = self.heap.now_s
        self._step = Timer(self.heap, self._adjust)
        self._wakes = Timer(self.heap, self._wake)
        visit = self.record.visit
        begin_wh = visit.model.taper * visit.energy_wh
        width_wh = (visit.energy_wh - begin_wh) / len(TAIL)
        falls = [(begin_wh + number * width_wh, share) for number, share in enumerate(TAIL)]
        self._ends = ((0.0, 1.0), *falls, (visit.energy_wh, 0.0))

    @property
    def full(self) -> bool:
        """True if it has what it wanted."""
        return self.record.delivered_wh >= self.record.visit.energy_wh - NEARLY_FULL_WH

    @property
    def obedient_a(self) -> float:
        """The highest current that it may draw for what it follows."""
        return (
            self.amps if self.record.visit.model.rogue_a is None else min(self.amps, self._offer_a)
        )

    def offered(self, amps: float) -> None:
        """The pilot changed: follow it after a while."""
        longest_s = self.record.visit.model.reaction_s
        if amps < LOWEST_PILOT_A:
            longest_s = min(longest_s, STOPS_WITHIN_S)
        delay_s = self.rng.uniform(min(FASTEST_REACTION_S, longest_s), longest_s)
        self._offers += 1
        number = self._offers
        self.heap.after(delay_s, lambda: self._follow(number, amps))

    def cut_off(self) -> None:
        """The contactor opens at once: the station lost its power, or the car leaves."""
        self._followed = self._offers
        self._offer_a = 0.0
        self._draw(0.0)
        self._ask(False)

    def leave(self) -> CarRecord:
        """Unplug; returns what it got."""
        self.cut_off()
        self._gone = True
        return self.record

    def settle(self) -> None:
        """Count the energy up to now."""
        now_s = self.heap.now_s
        past_s, self._since_s = now_s - self._since_s, now_s
        if self.amps > 0:
            self.record.delivered_wh += self.amps * self.phases * VOLTS * past_s / 3600
        elif not self.full:
            self.record.waited_s += past_s

    def _follow(self, number: int, offer_a: float) -> None:
        if self._gone or number <= self._followed:
            return
        self._followed, self._offer_a = number, offer_a
        now_s, model = self.heap.now_s, self.record.visit.model
        if offer_a < LOWEST_PILOT_A:
            if self._idle_since_s is None:
                self._idle_since_s = now_s
            self._wakes.set(None)
        elif self._idle_since_s is not None:
            self._asleep = model.sleeps and now_s - self._idle_since_s >= FALLS_ASLEEP_S
            self._idle_since_s = None
            self._wakes.set(now_s + WAKES_AFTER_S if self._asleep else None)
        self._adjust()

    def _wake(self) -> None:
        self._asleep = False
        self._adjust()

    def _adjust(self) -> None:
        """Draw what fits the offer and the charge."""
        if self._gone:
            return
        self.settle()
        self._draw(self._wanted_a())
        self._ask(self.amps > 0)
        self._plan_step()

    def _wanted_a(self) -> float:
        model = self.record.visit.model
        if self._asleep or self.full or self._offer_a < max(LOWEST_PILOT_A, model.min_a):
            return 0.0
        if self.amps <= 0 and not self.offered_now():
            return 0.0
        if model.rogue_a is not None:
            return model.rogue_a
        done_wh = self.record.delivered_wh + NEARLY_FULL_WH
        share = next(one for begin_wh, one in reversed(self._ends) if done_wh >= begin_wh)
        return min(self._offer_a, model.max_a * share)

    def _draw(self, amps: float) -> None:
        if amps == self.amps:
            return
        self.settle()
        if amps > 0 and self.amps <= 0:
            self.record.starts += 1
        self.amps = amps
        self.flows(amps)

    def _ask(self, asking: bool) -> None:
        if asking != self.asking:
            self.asking = asking
            self.asks()

    def _plan_step(self) -> None:
        """Plan the moment at which its charge lowers its current."""
        if self.amps <= 0:
            self._step.set(None)
            return
        done_wh = self.record.delivered_wh + NEARLY_FULL_WH
        for (_, _), (next_wh, _) in pairwise(self._ends):
            if next_wh > done_wh:
                watts = self.amps * self.phases * VOLTS
                left_s = (next_wh - self.record.delivered_wh) / watts * 3600
                self._step.set(self.heap.now_s + max(left_s, 0.001))
                return
