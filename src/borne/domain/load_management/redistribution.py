"""From the current setpoints to new ones without exceeding a limit at any instant.

The *envelope* of a participant is the highest current that may still flow: the acknowledged
setpoint, setpoints on their way, the previous one until the car must have followed (IEC 61851-1: 5
s), and at least the measured current. Decreases are sent at once; increases only use what the
envelopes of all others leave free. If the envelopes respect every link before a step, so do the
envelopes after it, whatever is lost or late. When a limit itself drops, only decreases are sent: no
participant rises above its current setpoint, although its envelope is still higher, until the
envelopes respect the link again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.filling import admit, subtract
from borne.domain.load_management.filling_method import filler
from borne.domain.load_management.participant import SLACK_A, Participant, Reason
from borne.domain.load_management.snapshot import Snapshot

EV_REACTION_S = 5.0
"""A car follows a change of the duty cycle within this time (IEC 61851-1)."""

MAX_IN_FLIGHT = 16
"""Maximum number of unconfirmed setpoints that are stored one by one."""


@dataclass(frozen=True, slots=True)
class SetpointTrack:
    """The setpoints of one participant that may still apply.

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
        """Record a sent setpoint. When too many are unconfirmed, the oldest are stored as one, with
        the highest current."""
        flying = self.in_flight
        if len(flying) >= MAX_IN_FLIGHT:
            (_, first_a), (second, second_a), *rest = flying
            flying = ((second, max(first_a, second_a)), *rest)
        return replace(self, in_flight=(*flying, (number, amps)))

    def confirmed(self, number: int, amps: float, now_s: float, settle_s: float) -> SetpointTrack:
        """Record that the participant applies this setpoint; setpoints that it may have applied
        before fade.

        A confirmation of an older setpoint than the last confirmed one changes nothing. `settle_s`:
        how long the car may still draw the old current, from now (at least `EV_REACTION_S`).
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
        """Return the highest current that may still flow, in amps per phase."""
        fading = [amps for amps, until in self.fading if until > now_s]
        flying = [amps for _, amps in self.in_flight]
        return max([self.acknowledged_a, measured_a or 0.0, *flying, *fading])


@dataclass(frozen=True, slots=True)
class Setpoints:
    """The setpoints to send now, by id, and the reasons for those below their target."""

    amps: Mapping[str, float]
    held: Mapping[str, Reason]


def safe_step(snapshot: Snapshot, targets_a: Mapping[str, float]) -> Setpoints:
    """Return the setpoints to send now on the way to `targets_a` (amps by id; absent: 0).

    The participants carry their envelopes. Those without contact get no new setpoint; their
    reservation is in the result. The target is reached after at most two confirmed steps.
    """
    return _SafeStep(snapshot, targets_a).run()


Member = tuple[Participant, tuple[int, ...]]
"""A participant and the links that it crosses."""


class _SafeStep:
    """The working state of one step."""

    def __init__(self, snapshot: Snapshot, targets_a: Mapping[str, float]) -> None:
        self.topology = snapshot.supply.topology
        self.targets_a = targets_a
        self.left = snapshot.supply.capacities()
        order = snapshot.order
        self.members: list[Member] = list(zip(order.participants, order.all_crossed(), strict=True))
        self.amps: dict[str, float] = {}
        self.held: dict[str, Reason] = {}
        self.overloaded: frozenset[int] = frozenset()
        """Links whose limit the envelopes exceed."""

    def run(self) -> Setpoints:
        kept = [max(one.reserved_a or 0.0, one.envelope_a) for one, _ in self.members]
        subtract(self.left, kept, [crossed for _, crossed in self.members])
        self.overloaded = frozenset(link for link, amps in enumerate(self.left) if amps < -SLACK_A)
        rising = [member for member in self.members if not self._settled(*member)]
        running = [own for own in rising if own[0].envelope_a + SLACK_A >= own[0].lower_a]
        starting = [own for own in rising if own[0].envelope_a + SLACK_A < own[0].lower_a]
        self._raise([*running, *self._started(starting)])
        return Setpoints(self.amps, self.held)

    def _settled(self, one: Participant, crossed: tuple[int, ...]) -> bool:
        """Set the setpoint of a participant that does not rise; True if it was set. A decrease
        never exceeds a limit."""
        target = self.targets_a.get(one.id, 0.0)
        if one.reserved_a is not None:
            kept = max(one.reserved_a, one.envelope_a)
            self.amps[one.id] = kept
            self.held[one.id] = Reason(LimitCause.NO_CONTACT, amps=kept)
            return True
        if one.setpoint_a is not None and target > one.setpoint_a:
            stop = self.overloaded.intersection(crossed)
            if stop:
                self._waits(one, one.setpoint_a, min(stop))
                return True
        if target <= one.envelope_a + SLACK_A:
            self.amps[one.id] = target
            return True
        return False

    def _started(self, starting: list[Member]) -> list[Member]:
        """Return those whose minimum fits beside all envelopes; the others stay off."""
        need = [one.lower_a - one.envelope_a for one, _ in starting]
        refused = admit(self.left, range(len(starting)), need, [own for _, own in starting])
        for number, refusal in refused.items():
            self._waits(starting[number][0], 0.0, refusal.link)
        return [member for number, member in enumerate(starting) if number not in refused]

    def _raise(self, members: list[Member]) -> None:
        cars = [one for one, _ in members]
        links = [crossed for _, crossed in members]
        subtract(self.left, [-one.envelope_a for one in cars], links)
        lower = [max(one.envelope_a, one.lower_a) for one in cars]
        upper = [max(least, self.targets_a[one.id]) for least, one in zip(lower, cars, strict=True)]
        fill = filler(len(self.left), lower, upper, links, [0] * len(cars))
        filled = fill(self.left)
        for one, amps, stop in zip(cars, filled.amps, filled.bottleneck, strict=True):
            if stop is None:
                self.amps[one.id] = amps
            else:
                self._waits(one, amps, stop.link)

    def _waits(self, one: Participant, amps: float, link: int | None) -> None:
        self.amps[one.id] = amps
        self.held[one.id] = Reason(
            LimitCause.WAITS_FOR_OTHERS,
            link=None if link is None else self.topology.links[link],
            amps=self.targets_a[one.id],
        )
