"""One distribution: the current of each participant, and the reason (manual 7.4, 7.6).

Admission in order of class, entitlement and id; then per class, from the highest, exact max-min
levels with the minima of lower classes reserved; then wake-ups, one by one, from left-over current.
A pure function of its arguments: the order of the participants does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.balanced_filling import fill_balanced
from borne.domain.load_management.balanced_large import admit_large, fill_large
from borne.domain.load_management.claims import Claims, claim
from borne.domain.load_management.filling import Bottleneck, Refusal, Wanting, subtract
from borne.domain.load_management.filling_method import solve
from borne.domain.load_management.imbalance import (
    DIRECTED_PAIRS,
    Car,
    Constraints,
    Imbalance,
    admit_balanced,
)
from borne.domain.load_management.participant import (
    LOWEST_PILOT_A,
    SLACK_A,
    Demand,
    Reason,
)
from borne.domain.load_management.reasons import Findings, Why, named
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.topology import (
    PHASE_SETS,
    ROOT,
    GridPhase,
    SupplyLink,
)
from borne.foundation.units import PerPhase

EXACT_SIZE = 2000
"""Maximum number of tableau entries for the exact imbalance method (some 300 sockets in leaves of
20); larger groups use the faster method."""

NO_DEMAND = Reason(LimitCause.NO_DEMAND)
RESTS = Reason(LimitCause.PAUSED_RECENTLY)
WAKES_UP = Reason(LimitCause.WAKES_UP)
WAKE_UP_OFF = Reason(LimitCause.WAKE_UP_OFF)
WAITS = LimitCause.WAKE_UP_WAITS


@dataclass(frozen=True)
class Allocation:
    """The result before quantisation, by id. Reasons are computed on request."""

    revision: int
    """Revision of the snapshot that was used."""
    amps: Mapping[str, float]
    scarce: bool
    """True if some participant could use more than there is."""
    findings: Findings

    @cached_property
    def reasons(self) -> Mapping[str, Reason]:
        """Reasons by id."""
        return self.findings.reasons(self.amps.values())

    @property
    def left_a(self) -> tuple[float, ...]:
        """Current that is left on every link."""
        snapshot = self.findings.snapshot
        left = snapshot.supply.capacities()
        subtract(left, self.amps.values(), snapshot.order.all_crossed())
        return tuple(left)


NOTHING: Mapping[str, PerPhase] = {}


def allocate(
    snapshot: Snapshot, *, reclaim: bool = True, loads_a: Mapping[str, PerPhase] = NOTHING
) -> Allocation:
    """Distribute the capacities of the supply's tree.

    Participants without contact keep their reservation even beyond a limit. Without `reclaim`, a
    car that draws less than its offer counts with its whole offer. Participants in `loads_a` (amps
    per grid phase, by id) draw that whatever they are offered, and get 0. Raises TopologyError for
    an unknown group and ValueError for a repeated id.
    """
    return _Distribution(snapshot, reclaim=reclaim, loads_a=loads_a).run()


class _Distribution:
    """The working state of one allocation; lists are in the order of admission."""

    def __init__(
        self, snapshot: Snapshot, *, reclaim: bool, loads_a: Mapping[str, PerPhase]
    ) -> None:
        self.snapshot = snapshot
        self.order = snapshot.order
        self.participants = snapshot.order.participants
        self.topology = snapshot.supply.topology
        self.left = snapshot.supply.capacities()
        self.imbalance = snapshot.supply.imbalance
        self.added = [0.0, 0.0, 0.0]
        """Amps per grid phase that count for imbalance."""
        self.lower = [max(LOWEST_PILOT_A, one.minimum_a) for one in self.participants]
        self.upper = [one.maximum_a for one in self.participants]
        self.reclaim = reclaim
        self.loads_a = loads_a
        self.amps = [0.0] * len(self.participants)
        self.why: list[Why] = [NO_DEMAND] * len(self.participants)
        self.scarce = False

    def run(self) -> Allocation:
        charging, waking = self._wanting()
        if self.imbalance is not None:
            base = self.imbalance.base_a.plus(PerPhase(*self.added))
            self.imbalance = Imbalance(self.imbalance.limit_a, base)
            self.added = [0.0, 0.0, 0.0]
        self._distribute(charging)
        if waking:
            for place in charging:
                self._count(place)
            for place in waking:
                self._wake_up(place)
        return Allocation(
            self.snapshot.revision,
            dict(zip(self.order.ids, self.amps, strict=True)),
            self.scarce,
            Findings(self.snapshot, self.why, self._highest(charging), self.reclaim),
        )

    def _highest(self, charging: Sequence[int]) -> int:
        """Return the highest class that wants current."""
        if self.order.of_one_class:
            return self.participants[charging[0]].priority if charging else 0
        return max((self.participants[place].priority for place in charging), default=0)

    def _grant(self, place: int, amps: float, why: Why) -> None:
        self.amps[place], self.why[place] = amps, why
        self._count(place)

    def _count(self, place: int) -> None:
        amps = self.amps[place]
        for link in self.order.crossed(place):
            self.left[link] -= amps
        for phase in self._phases(place):
            self.added[phase - 1] += amps

    def _count_load(self, group: str, load_a: PerPhase) -> None:
        for phase, amps in zip(GridPhase, load_a, strict=True):
            self.added[phase - 1] += amps
            for link in self.topology.crossed(group, (phase,)):
                self.left[link] -= amps

    def _phases(self, place: int) -> frozenset[GridPhase]:
        return PHASE_SETS[self.order.cells[place] % len(PHASE_SETS)]

    def _wanting(self) -> tuple[list[int], list[int]]:
        """Return the places of cars that charge and of those that may be woken. Participants
        without contact get their fixed currents first."""
        charging: list[int] = []
        waking: list[int] = []
        # Looked up once, not for every participant.
        nothing, charge = Demand.NONE, Demand.CHARGING
        lower, upper, loads_a, reclaim = self.lower, self.upper, self.loads_a, self.reclaim
        for place, one in enumerate(self.participants):
            demand = one.demand
            if reclaim and one.settled_a is not None:
                upper[place] = one.upper_a
            if loads_a and (load_a := loads_a.get(one.id)) is not None:
                self._count_load(one.group, load_a)
            elif one.reserved_a is not None:
                reason = Reason(LimitCause.NO_CONTACT, amps=one.reserved_a)
                self._grant(place, one.reserved_a, reason)
            elif demand is nothing:
                pass
            elif upper[place] + SLACK_A < lower[place]:
                self.why[place] = Reason(
                    LimitCause.LIMIT_BELOW_MINIMUM, amps=one.maximum_a, source=one.maximum_cause
                )
            elif demand is charge:
                if one.rests:
                    self.why[place] = RESTS
                else:
                    charging.append(place)
            elif not (self.snapshot.supply.allow_wakeup or one.setpoint_a):
                self.why[place] = WAKE_UP_OFF
            else:
                waking.append(place)
        return charging, waking

    def _distribute(self, wanting: Sequence[int]) -> None:
        cars = Wanting(
            wanting,
            self.lower,
            self.upper,
            [] if self.order.of_one_class else [one.priority for one in self.participants],
            self.order.cells,
            self._needed(wanting),
        )
        refused: Mapping[int, Refusal] = {}
        if cars.needed:
            claims = self._claims(cars)
            refused = claims.refused
            admitted = [place for place in wanting if place not in refused]
            cars = replace(cars, places=admitted, lower=claims.lower)
        solution = solve(self.topology, self.left, cars)
        filled = solution.filled
        if self.imbalance is not None:
            running = [self._car(place) for place in solution.admitted]
            if self.imbalance.broken(running, filled.amps) is not None:
                self._distribute_balanced(wanting, self.imbalance)
                return
        refused = {**refused, **solution.refused}
        for place, refusal in refused.items():
            self.why[place] = self._waits(Bottleneck(refusal.link), refusal.left_a)
        amps, why = self.amps, self.why
        found = zip(solution.admitted, filled.amps, filled.bottleneck, strict=True)
        for place, current, stop in found:
            amps[place], why[place] = current, stop
        self.scarce = bool(refused) or any(filled.bottleneck)

    def _claims(self, cars: Wanting) -> Claims:
        participants = self.participants
        return claim(
            self.left,
            cars,
            [one.needed_a for one in participants],
            [one.keeps_place for one in participants],
            self.order.crossed,
        )

    def _needed(self, places: Sequence[int]) -> list[float]:
        participants, upper = self.participants, self.upper
        known = {*map(attrgetter("needed_a"), participants)} - {None}
        if not known or all(participants[place].needed_a is None for place in places):
            return []
        return [
            most if one.needed_a is None else one.needed_a
            for one, most in zip(participants, upper, strict=True)
        ]

    def _car(self, place: int) -> Car:
        return Car(
            self.lower[place],
            max(self.lower[place], self.upper[place]),
            self.order.crossed(place),
            self._phases(place),
            self.participants[place].priority,
            self.participants[place].needed_a,
        )

    def _distribute_balanced(self, places: Sequence[int], imbalance: Imbalance) -> None:
        cars = [self._car(place) for place in places]
        order = range(len(cars))
        constraints = Constraints(self.left, imbalance, cars)
        if constraints.size <= EXACT_SIZE:
            refused = admit_balanced(constraints, order)
            filled = fill_balanced(constraints, [car for car in order if car not in refused])
        else:
            refused = admit_large(self.left, imbalance, cars, order)
            admitted = {car: cars[car] for car in order if car not in refused}
            filled = fill_large(self.left, imbalance, admitted)
        for car, stop in refused.items():
            self.why[places[car]] = self._waits(stop, None)
        for car, amps in filled.amps.items():
            self.amps[places[car]], self.why[places[car]] = amps, filled.causes.get(car)
        self.scarce = bool(refused or filled.causes)

    def _waits(self, stop: Bottleneck, left_a: float | None) -> Reason:
        link, against = named(self.topology, stop)
        return Reason(LimitCause.WAITING_FOR_MINIMUM, link=link, against=against, amps=left_a)

    def _wake_up(self, place: int) -> None:
        need = self.lower[place]
        for link in self.order.crossed(place):
            if self.left[link] + SLACK_A < need:
                short = self.topology.links[link]
                self._stay_asleep(place, Reason(WAITS, link=short, amps=self.left[link]))
                return
        if (pair := self._unbalances(place, need)) is not None:
            self._stay_asleep(place, Reason(WAITS, link=SupplyLink(ROOT, pair[0]), against=pair[1]))
            return
        self._grant(place, need, WAKES_UP)

    def _stay_asleep(self, place: int, reason: Reason) -> None:
        self.why[place] = reason
        self.scarce = True

    def _unbalances(self, place: int, amps: float) -> tuple[GridPhase, GridPhase] | None:
        """Return the pair of phases whose difference would exceed its limit with this additional
        current."""
        if self.imbalance is None:
            return None
        phases = self._phases(place)
        for high, low in DIRECTED_PAIRS:
            if high in phases and low not in phases:
                difference = self.added[high - 1] - self.added[low - 1] + amps
                if difference > self.imbalance.headroom_a(high, low) + SLACK_A:
                    return high, low
        return None
