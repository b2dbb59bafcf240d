"""From the setpoints in force to new ones without being above a limit at any instant.

The *envelope* of a participant is the highest current that may still flow: acknowledged setpoint,
setpoints on their way, the previous one until the car must have followed (IEC 61851-1: 5 s), and
never less than measured. Decreases are sent at once; increases only use what the envelopes of all
others leave free. If the envelopes keep every link before a step, so do the envelopes after it,
whatever is lost or late. When a limit itself drops, only decreases are sent: nobody goes above the
setpoint in force, though its envelope is still higher, until the envelopes keep the link again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.allocation import entitlement
from borne.domain.load_management.filling import admit, fill
from borne.domain.load_management.participant import (
    SLACK_A,
    Grant,
    Participant,
    Reason,
)
from borne.domain.load_management.topology import Topology
from borne.foundation.units import PerPhase

EV_REACTION_S = 5.0
"""A car follows a change of the duty cycle within this time (IEC 61851-1)."""


MOST_IN_FLIGHT = 16


@dataclass(frozen=True, slots=True)
class SetpointTrack:
    """The setpoints of one participant that may still be in force.

    Setpoints are numbered by the sender; a participant never goes back to a lower number.
    """

    acknowledged_a: float = 0.0
    acknowledged: int = 0
    """Number of the setpoint `acknowledged_a`."""
    in_flight: tuple[tuple[int, float], ...] = ()
    """(number, amps) sent and not confirmed."""
    fading: tuple[tuple[float, float], ...] = ()
    """(amps, until when the car may still draw them, monotonic seconds)."""

    def sent(self, number: int, amps: float) -> SetpointTrack:
        """A setpoint left for the participant. Of very many unconfirmed ones the oldest are kept
        as one, with the highest current."""
        flying = self.in_flight
        if len(flying) >= MOST_IN_FLIGHT:
            (_, first_a), (second, second_a), *rest = flying
            flying = ((second, max(first_a, second_a)), *rest)
        return replace(self, in_flight=(*flying, (number, amps)))

    def confirmed(self, number: int, amps: float, now_s: float, settle_s: float) -> SetpointTrack:
        """The participant applies this setpoint; whatever it may have applied before fades.

        A confirmation that was overtaken by a newer one tells nothing any more. `settle_s`: how
        long the car may still draw the old current, counted from now (at least `EV_REACTION_S`).
        """
        if number < self.acknowledged:
            return self
        older = [flying for own, flying in self.in_flight if own < number]
        former = max([self.acknowledged_a, *older])
        fading = tuple(pair for pair in self.fading if pair[1] > now_s)
        if former > amps:
            fading = (*fading, (former, now_s + settle_s))
        flying_on = tuple(own for own in self.in_flight if own[0] > number)
        return SetpointTrack(amps, number, flying_on, fading)

    def envelope_a(self, now_s: float, measured_a: float | None = None) -> float:
        """The highest current that may still flow, in amps per phase."""
        fading = [amps for amps, until in self.fading if until > now_s]
        flying = [amps for _, amps in self.in_flight]
        return max([self.acknowledged_a, measured_a or 0.0, *flying, *fading])


def safe_step(
    topology: Topology,
    root_limit_a: PerPhase,
    participants: Iterable[Participant],
    targets_a: Mapping[str, float],
    *,
    it_network: bool = False,
) -> Mapping[str, Grant]:
    """The setpoints to send now on the way to `targets_a` (amps by id; absent: 0).

    `participants` carry their envelopes. Those that cannot be heard get no new setpoint; their
    grant tells what is kept for them. The target is reached after at most two confirmed steps.
    """
    return _Step(topology, root_limit_a, participants, targets_a, it_network).run()


class _Step:
    """The working state of one step."""

    def __init__(
        self,
        topology: Topology,
        root_limit_a: PerPhase,
        participants: Iterable[Participant],
        targets_a: Mapping[str, float],
        it_network: bool,
    ) -> None:
        self.topology = topology
        self.targets_a = targets_a
        self.left = topology.capacities(root_limit_a)
        self.participants = sorted(participants, key=entitlement)
        self.crossed = {
            one.id: topology.crossed(one.group, one.loads(it_network=it_network))
            for one in self.participants
        }
        self.grants: dict[str, Grant] = {}
        self.overloaded: frozenset[int] = frozenset()
        """Links that the envelopes do not keep."""

    def run(self) -> Mapping[str, Grant]:
        self._find_overloaded()
        rising = [one for one in self.participants if not self._settled(one)]
        running = [one for one in rising if one.envelope_a + SLACK_A >= one.lower_a]
        starting = [one for one in rising if one.envelope_a + SLACK_A < one.lower_a]
        for one in running:
            self._keep(one, -one.envelope_a)
        started = self._start(starting)
        for one in running:
            self._keep(one, one.envelope_a)
        self._raise(running, started)
        return self.grants

    def _find_overloaded(self) -> None:
        left = list(self.left)
        for one in self.participants:
            for link in self.crossed[one.id]:
                left[link] -= max(one.reserved_a or 0.0, one.envelope_a)
        self.overloaded = frozenset(link for link, amps in enumerate(left) if amps < -SLACK_A)

    def _keep(self, one: Participant, amps: float) -> None:
        for link in self.crossed[one.id]:
            self.left[link] += amps

    def _settled(self, one: Participant) -> bool:
        """Everybody who does not rise keeps the envelope; decreases need nothing else."""
        target = self.targets_a.get(one.id, 0.0)
        if one.reserved_a is not None:
            kept = max(one.reserved_a, one.envelope_a)
            self._keep(one, -kept)
            self.grants[one.id] = Grant(one.id, kept, Reason(LimitCause.NOT_HEARD, amps=kept))
            return True
        if one.setpoint_a is not None and target > one.setpoint_a:
            stop = self.overloaded.intersection(self.crossed[one.id])
            if stop:
                self._keep(one, -one.envelope_a)
                self._waits(one, one.setpoint_a, min(stop))
                return True
        if target <= one.envelope_a + SLACK_A:
            self._keep(one, -one.envelope_a)
            self.grants[one.id] = Grant(one.id, target, Reason(LimitCause.TARGET, amps=target))
            return True
        return False

    def _start(self, starting: list[Participant]) -> list[Participant]:
        """Those whose minimum fits beside all envelopes; the others stay off."""
        for one in starting:
            self._keep(one, -one.envelope_a)
        need = [one.lower_a - one.envelope_a for one in starting]
        links = [self.crossed[one.id] for one in starting]
        refused = admit(self.left, range(len(starting)), need, links)
        for number, one in enumerate(starting):
            if number in refused:
                self._waits(one, 0.0, refused[number].link)
        started = [one for number, one in enumerate(starting) if number not in refused]
        for one in started:
            self._keep(one, one.envelope_a)
        return started

    def _raise(self, running: list[Participant], started: list[Participant]) -> None:
        cars = [*running, *started]
        lower = [max(one.envelope_a, one.lower_a) for one in cars]
        upper = [max(least, self.targets_a[one.id]) for least, one in zip(lower, cars, strict=True)]
        filled = fill(self.left, lower, upper, [self.crossed[one.id] for one in cars])
        for one, amps, stop in zip(cars, filled.amps, filled.bottleneck, strict=True):
            if stop is None:
                self.grants[one.id] = Grant(one.id, amps, Reason(LimitCause.TARGET, amps=amps))
            else:
                self._waits(one, amps, stop.link)

    def _waits(self, one: Participant, amps: float, link: int) -> None:
        reason = Reason(
            LimitCause.WAITS_FOR_OTHERS,
            link=self.topology.links[link],
            amps=self.targets_a[one.id],
        )
        self.grants[one.id] = Grant(one.id, amps, reason)
