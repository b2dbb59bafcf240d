"""The distribution of one moment: who gets how much, and why (manual 7.4, 7.6).

Admission in the order class, entitlement, id; then per class, from the highest, exact max-min
levels with the minima of lower classes protected; then wake-ups, one by one, from left-overs.
A pure function of its arguments: the order of the participants does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.balanced_filling import fill_balanced
from borne.domain.load_management.balanced_large import admit_large, fill_large
from borne.domain.load_management.filling import Bottleneck, Filled, admit, fill_by_class
from borne.domain.load_management.imbalance import (
    DIRECTED_PAIRS,
    Car,
    Cause,
    Constraints,
    Imbalance,
    admit_balanced,
)
from borne.domain.load_management.participant import (
    SLACK_A,
    Demand,
    Grant,
    Participant,
    Reason,
)
from borne.domain.load_management.topology import ROOT, GridPhase, Link, Topology
from borne.foundation.units import PerPhase

EXACT_SIZE = 2000
"""Entries of the tableau up to which imbalance is solved exactly (some 300 sockets in leaves of
20); larger groups take the quicker method."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A grant for every participant, by id, and what is left on every link."""

    grants: Mapping[str, Grant]
    left_a: tuple[float, ...]


def allocate(
    topology: Topology,
    root_limit_a: PerPhase,
    participants: Iterable[Participant],
    *,
    imbalance: Imbalance | None = None,
    it_network: bool = False,
) -> Allocation:
    """Distribute the capacities of `topology` and `root_limit_a` (amps per grid phase).

    Grants are before quantisation. Participants that cannot be heard keep their reservation even
    beyond a limit. Raises TopologyError for an unknown group and ValueError for a repeated id.
    """
    return _Distribution(topology, root_limit_a, participants, imbalance, it_network).run()


def entitlement(participant: Participant) -> tuple[int, float, str]:
    """Sort key of admission: class from the highest, rank from the lowest, id."""
    return -participant.priority, participant.rank, participant.id


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Cars by number: why refused, or amps and what blocks more."""

    refused: Mapping[int, Reason]
    amps: Mapping[int, float]
    causes: Mapping[int, Cause | Bottleneck | None]


class _Distribution:
    """The working state of one allocation."""

    def __init__(
        self,
        topology: Topology,
        root_limit_a: PerPhase,
        participants: Iterable[Participant],
        imbalance: Imbalance | None,
        it_network: bool,  # the keyword of `allocate`
    ) -> None:
        self.topology = topology
        self.participants = sorted(participants, key=entitlement)
        self.imbalance = imbalance
        self.left = topology.capacities(root_limit_a)
        self.added = [0.0, 0.0, 0.0]
        self.phases: dict[str, frozenset[GridPhase]] = {}
        self.crossed: dict[str, tuple[int, ...]] = {}
        self.grants: dict[str, Grant] = {}
        for one in self.participants:
            if one.id in self.phases:
                raise ValueError(f"two participants are named {one.id}")
            self.phases[one.id] = one.loads(it_network=it_network)
            self.crossed[one.id] = topology.crossed(one.group, self.phases[one.id])

    def run(self) -> Allocation:
        self._reserve()
        wanting = [one for one in self.participants if self._wants(one)]
        self._distribute([one for one in wanting if one.demand is Demand.CHARGING])
        for one in wanting:
            if one.demand is Demand.WAKE_UP:
                self._wake_up(one)
        return Allocation(self.grants, tuple(self.left))

    def _reserve(self) -> None:
        """Fixed currents of those that cannot be heard, before anybody else."""
        for one in self.participants:
            if one.reserved_a is not None:
                self._grant(one, one.reserved_a, Reason(LimitCause.NOT_HEARD, amps=one.reserved_a))
        if self.imbalance is not None:
            base = self.imbalance.base_a.plus(PerPhase(*self.added))
            self.imbalance = Imbalance(self.imbalance.limit_a, base)
            self.added = [0.0, 0.0, 0.0]

    def _grant(self, one: Participant, amps: float, reason: Reason) -> None:
        self.grants[one.id] = Grant(one.id, amps, reason)
        for link in self.crossed[one.id]:
            self.left[link] -= amps
        for phase in self.phases[one.id]:
            self.added[phase - 1] += amps

    def _wants(self, one: Participant) -> bool:
        if one.id in self.grants:
            return False
        if one.demand is Demand.NONE:
            self._grant(one, 0.0, Reason(LimitCause.NO_DEMAND))
            return False
        if one.upper_a + SLACK_A < one.lower_a:
            source = one.maximum_cause
            reason = Reason(LimitCause.LIMIT_BELOW_MINIMUM, amps=one.maximum_a, source=source)
            self._grant(one, 0.0, reason)
            return False
        return True

    def _distribute(self, wanting: Sequence[Participant]) -> None:
        """`wanting` is in the order of admission."""
        cars = [
            Car(
                one.lower_a,
                max(one.lower_a, one.upper_a),
                self.crossed[one.id],
                self.phases[one.id],
                one.priority,
            )
            for one in wanting
        ]
        outcome = self._solve(cars)
        highest = max((car.priority for car in cars), default=0)
        for car, one in enumerate(wanting):
            if car in outcome.refused:
                self._grant(one, 0.0, outcome.refused[car])
            else:
                amps = outcome.amps[car]
                reason = self._reason(one, amps, outcome.causes.get(car), highest)
                self._grant(one, amps, reason)

    def _solve(self, cars: Sequence[Car]) -> _Outcome:
        order = range(len(cars))
        lower = [car.lower_a for car in cars]
        misfits = admit(self.left, order, lower, [car.crossed for car in cars])
        admitted = [car for car in order if car not in misfits]
        filled = self._fill([cars[car] for car in admitted])
        if self.imbalance is not None:
            chosen = [cars[car] for car in admitted]
            if self.imbalance.broken(chosen, filled.amps) is not None:
                return self._solve_balanced(cars, self.imbalance)
        return _Outcome(
            {car: self._waits(misfit.link, misfit.left_a) for car, misfit in misfits.items()},
            dict(zip(admitted, filled.amps, strict=True)),
            dict(zip(admitted, filled.bottleneck, strict=True)),
        )

    def _fill(self, cars: Sequence[Car]) -> Filled:
        return fill_by_class(
            self.left,
            [car.lower_a for car in cars],
            [car.upper_a for car in cars],
            [car.crossed for car in cars],
            [car.priority for car in cars],
        )

    def _solve_balanced(self, cars: Sequence[Car], imbalance: Imbalance) -> _Outcome:
        order = range(len(cars))
        constraints = Constraints(self.left, imbalance, cars)
        if constraints.size <= EXACT_SIZE:
            refused = admit_balanced(constraints, order)
            filled = fill_balanced(constraints, [car for car in order if car not in refused])
        else:
            refused = admit_large(self.left, imbalance, cars, order)
            admitted = [car for car in order if car not in refused]
            filled = fill_large(self.left, imbalance, {car: cars[car] for car in admitted})
        reasons = {car: self._waits(cause.link, None, cause.pair) for car, cause in refused.items()}
        return _Outcome(reasons, filled.amps, filled.causes)

    def _waits(
        self,
        link: int | None,
        left_a: float | None,
        pair: tuple[GridPhase, GridPhase] | None = None,
    ) -> Reason:
        kind = LimitCause.WAITING_FOR_MINIMUM
        if pair is not None:
            return Reason(kind, link=Link(ROOT, pair[0]), against=pair[1])
        return Reason(kind, link=self._link(link), amps=left_a)

    def _link(self, number: int | None) -> Link | None:
        return None if number is None else self.topology.links[number]

    def _reason(
        self, one: Participant, amps: float, cause: Cause | Bottleneck | None, highest: int
    ) -> Reason:
        if cause is None:
            if one.upper_a < one.maximum_a:
                return Reason(LimitCause.TAKES_LESS, amps=one.settled_a)
            return Reason(LimitCause.OWN_LIMIT, amps=one.maximum_a, source=one.maximum_cause)
        if isinstance(cause, Cause) and cause.pair is not None:
            high, low = cause.pair
            return Reason(LimitCause.IMBALANCE, link=Link(ROOT, high), against=low)
        link = self._link(cause.link)
        if amps <= one.lower_a + SLACK_A:
            higher = one.priority < highest
            kind = LimitCause.HIGHER_PRIORITY if higher else LimitCause.MINIMUM_SHARE
            return Reason(kind, link=link)
        count = cause.count if isinstance(cause, Bottleneck) else None
        kind = LimitCause.GROUP_LIMIT if count == 1 else LimitCause.FAIR_SHARE
        return Reason(kind, link=link, count=count)

    def _wake_up(self, one: Participant) -> None:
        need = one.lower_a
        for link in self.crossed[one.id]:
            if self.left[link] + SLACK_A < need:
                reason = Reason(
                    LimitCause.WAKE_UP_WAITS, link=self.topology.links[link], amps=self.left[link]
                )
                self._grant(one, 0.0, reason)
                return
        if (pair := self._tilted_by(one, need)) is not None:
            reason = Reason(LimitCause.WAKE_UP_WAITS, link=Link(ROOT, pair[0]), against=pair[1])
            self._grant(one, 0.0, reason)
            return
        self._grant(one, need, Reason(LimitCause.WAKES_UP))

    def _tilted_by(self, one: Participant, amps: float) -> tuple[GridPhase, GridPhase] | None:
        """The pair of phases that this much more would unbalance."""
        if self.imbalance is None:
            return None
        for high, low in DIRECTED_PAIRS:
            if high in self.phases[one.id] and low not in self.phases[one.id]:
                difference = self.added[high - 1] - self.added[low - 1] + amps
                if difference > self.imbalance.room_a(high, low) + SLACK_A:
                    return high, low
        return None
