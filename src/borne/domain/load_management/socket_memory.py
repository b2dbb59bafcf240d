"""A socket as a participant of the distribution (manual 7.3, 7.6).

The offered current, the current that may still flow, the phases that the car uses, whether it uses
its offer, and whether it wants one: all of it follows from consecutive snapshots of the socket. A
setpoint of an own socket applies as soon as it is set; that of a socket behind a link from its
confirmation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import (
    LOWEST_PILOT_A,
    Demand,
    Participant,
)
from borne.domain.load_management.phases import PhaseDetection, detect_phases
from borne.domain.load_management.reclaim import SETTLED_S, Reclaim
from borne.domain.load_management.redistribution import EV_REACTION_S, SetpointTrack
from borne.domain.load_management.rotation_slots import TIME_SLOT_S
from borne.domain.load_management.topology import (
    ALL_SOCKET_PHASES,
    ROOT,
    Rotation,
    SocketPhase,
    connected_phases,
    grid_currents,
)
from borne.foundation.units import PerPhase

SETTLE_S = EV_REACTION_S + 1.0
"""The current of an old setpoint may flow for this long: the car's reaction time and a margin."""

DECLINED_S = 60.0
"""A car that was offered current for this long without requesting it, including the wake-up
attempt, does not want any."""

SAMPLE_S = 2.0
"""Interval between samples while a current is being observed."""

REPORT_S = 5.0
"""The same for a socket behind a link, which reports this often."""

SAMPLE_GAP_S = 1.0
"""Samples that follow faster count as one."""

OVERDRAWN_A = 0.5
"""A car that draws this much above its offer does not follow it."""

AFTER_S = 0.01
"""Added to the end of a time, so that it has passed at the next plan."""


@dataclass(slots=True, kw_only=True)  # a frozen one takes four times as long to make
class SocketFacts:
    """Snapshot of a socket; never changed."""

    participant: str
    """Its name in the distribution."""
    group: str = ROOT
    """The line or sub-distribution that feeds it."""
    priority: int = 0
    wants: bool = False
    """A session is open that may take energy."""
    asking: bool = False
    """The car is in state C or D."""
    closed: bool = False
    """The contactor is closed."""
    live: bool = False
    """The contactor is closed, or not known to be open."""
    measured_a: PerPhase | None = None
    """Per phase of the socket; None while the meter is silent."""
    measured_s: float | None = None
    """When, monotonic; None: now."""
    entitled_a: float = 0.0
    """The lowest of the socket's own limits."""
    entitled_by: LimitCause | None = None
    minimum_a: float = 0.0
    """The lowest current that its car can use, if known."""
    rotation: Rotation = Rotation.RST
    phase_count: int = 3
    disconnected_a: float = 0.0
    """What it offers without its master."""
    energy_wh: float | None = None
    """Energy that its driver still wants."""
    departs_s: float | None = None
    """Monotonic."""
    reserved_a: float | None = None
    """Reserved while there is no contact; all else is the last known. None: in contact."""

    lingers_a: float = 0.0
    """What others may not use yet of what it drew before."""

    @property
    def connected(self) -> frozenset[SocketPhase]:
        """The wired phases."""
        return connected_phases(self.phase_count)

    @property
    def drawn_a(self) -> float | None:
        """The current of the strongest phase; 0 while the contactor is open."""
        if not self.live:
            return 0.0
        return None if self.measured_a is None else max(self.measured_a)

    @property
    def grid_a(self) -> PerPhase:
        """The measured current, per phase of the grid."""
        if not self.live or self.measured_a is None:
            return PerPhase(0.0, 0.0, 0.0)
        return grid_currents(self.measured_a, self.rotation)


class Entitlement(NamedTuple):
    """What a car is entitled to among others: see `Participant`."""

    rank: float = 0.0
    keeps_place: bool = False
    rests: bool = False
    needed_a: float | None = None


@dataclass(frozen=True, slots=True)
class SocketMemory:
    """State of a socket between two snapshots. Times are monotonic seconds."""

    setpoint_a: float = 0.0
    number: int = 0
    changed_s: float = float("-inf")
    track: SetpointTrack = field(default_factory=SetpointTrack)
    phases: PhaseDetection = field(default_factory=PhaseDetection)
    sampled_s: float = float("-inf")
    closed_since_s: float | None = None
    reclaim: Reclaim = field(default_factory=Reclaim)
    idle_since_s: float | None = None
    """Start of the time in which current is offered and not requested."""
    declined_since_s: float | None = None
    linked: bool = False
    """Behind a link: its setpoints apply from their confirmation."""

    def offered(self, amps: float, now_s: float) -> SocketMemory:
        """Record a setpoint that applies from now on."""
        if amps == self.setpoint_a:
            return self
        number = self.number + 1
        track = self.track.sent(number, amps).confirmed(number, amps, now_s, SETTLE_S)
        return replace(self, setpoint_a=amps, number=number, changed_s=now_s, track=track)

    def sent(self, amps: float, number: int, now_s: float) -> SocketMemory:
        """Record a setpoint on its way to a socket behind a link. Numbers rise; a repetition has a
        new one."""
        return replace(
            self,
            setpoint_a=amps,
            number=number,
            changed_s=self.changed_s if amps == self.setpoint_a else now_s,
            track=self.track.sent(number, amps),
            linked=True,
        )

    def confirmed(self, number: int, amps: float, now_s: float) -> SocketMemory:
        """Record that the socket applies the setpoint `number` of `amps`; an older one than the
        last confirmed changes nothing."""
        changes = number >= self.track.acknowledged and amps != self.track.acknowledged_a
        return replace(
            self,
            changed_s=now_s if changes else self.changed_s,
            track=self.track.confirmed(number, amps, now_s, SETTLE_S),
            linked=True,
        )

    def adopted(self, amps: float, number: int, now_s: float) -> SocketMemory:
        """Record what a socket applies that has forgotten all setpoints up to `number`, after a
        restart or without its master: they can no longer apply, but its car may still follow
        them."""
        before_a = self.track.envelope_a(now_s)
        fading = ((before_a, now_s + SETTLE_S),) if before_a > amps else ()
        track = SetpointTrack(amps, max(number, self.number), (), fading)
        return SocketMemory(amps, track.acknowledged, now_s, track, linked=True)

    def with_setpoints_of(self, present: SocketMemory) -> SocketMemory:
        """Return these observations with the setpoints of another state of the same socket."""
        if self is present or self._setpoints() == present._setpoints():
            return self
        return replace(
            self,
            setpoint_a=present.setpoint_a,
            number=present.number,
            changed_s=present.changed_s,
            track=present.track,
            linked=present.linked,
        )

    def _setpoints(self) -> tuple[object, ...]:
        return self.setpoint_a, self.number, self.changed_s, self.linked, self.track

    def observe(self, facts: SocketFacts, now_s: float) -> SocketMemory:
        """Update the state with a snapshot of the socket."""
        if facts.reserved_a is not None:
            return _setpoints_only(self)
        known = self
        paused = not facts.wants or self.setpoint_a <= 0
        if not facts.live and paused and any(until > now_s for _, until in self.track.fading):
            # The contactor stays open for longer than a car needs to follow a new setpoint.
            known = replace(known, track=replace(self.track, fading=()))
        if not facts.wants:
            return _setpoints_only(known)
        return _with_appetite(_with_phases(known, facts, now_s), facts, now_s)

    def retries(self, now_s: float) -> bool:
        """True if a car that did not want current is offered some again, after a time slot. In a
        group of stations it gets only what others leave, at any time."""
        if self.linked:
            return False
        return self.declined_since_s is not None and now_s - self.declined_since_s >= TIME_SLOT_S

    def envelope_a(self, facts: SocketFacts, now_s: float) -> float:
        """Return the highest current that may flow, per phase."""
        if not facts.live and not facts.wants and not self.linked:
            return 0.0
        return max(self.track.envelope_a(now_s, facts.drawn_a), facts.lingers_a)

    def overdraws(self, facts: SocketFacts, now_s: float) -> bool:
        """True if the car draws more than any recent offer."""
        if facts.reserved_a is not None:
            return False
        allowed_a = self.track.envelope_a(now_s) if facts.wants or facts.live else 0.0
        return (facts.drawn_a or 0.0) > allowed_a + OVERDRAWN_A

    def demand(self, facts: SocketFacts, now_s: float) -> Demand:
        """Return what the socket wants: a car that does not request current gets what others
        leave."""
        if not facts.wants:
            return Demand.NONE
        if self.declined_since_s is not None and not self.retries(now_s):
            return Demand.WAKE_UP
        return Demand.CHARGING

    def participant(
        self, facts: SocketFacts, now_s: float, minimum_a: float, entitlement: Entitlement
    ) -> Participant:
        """Return the socket as a participant. An own limit between the lowest pilot current and the
        minimum of the distribution is used as the minimum."""
        return Participant(
            id=facts.participant,
            group=facts.group,
            priority=facts.priority,
            reserved_a=facts.reserved_a,
            rotation=facts.rotation,
            connected=facts.connected,
            phases=self.phases.used,
            demand=self.demand(facts, now_s),
            minimum_a=max(LOWEST_PILOT_A, min(minimum_a, facts.entitled_a)),
            maximum_a=facts.entitled_a,
            maximum_cause=facts.entitled_by,
            rank=entitlement.rank,
            keeps_place=entitlement.keeps_place,
            rests=entitlement.rests,
            needed_a=entitlement.needed_a,
            settled_a=0.0 if self.retries(now_s) else self.reclaim.settled_a,
            envelope_a=0.0 if facts.reserved_a is not None else self.envelope_a(facts, now_s),
            setpoint_a=self.setpoint_a,
        )

    def learning(self, facts: SocketFacts) -> bool:
        """True while samples are needed to detect the phases."""
        if self.closed_since_s is None or facts.measured_a is None:
            return False
        sample = detect_phases(facts.measured_a)
        return sample is not None and sample & facts.connected != self.phases.used

    def looks_due(self, facts: SocketFacts, now_s: float) -> Iterator[float]:
        """Yield when the socket must be planned again although nothing happens."""
        if not facts.wants:
            return
        if self.learning(facts):
            yield now_s + (REPORT_S if self.linked else SAMPLE_S)
        if self.reclaim.below_since_s is not None:
            settles_s = max(self.reclaim.below_since_s, self.changed_s) + SETTLED_S
            if settles_s >= now_s:
                yield settles_s + AFTER_S
        if self.idle_since_s is not None and self.declined_since_s is None:
            yield self.idle_since_s + DECLINED_S + AFTER_S
        if self.declined_since_s is not None and not self.linked:
            retry_s = self.declined_since_s + TIME_SLOT_S
            yield (retry_s if retry_s > now_s else now_s + DECLINED_S) + AFTER_S

    def fades(self, now_s: float) -> Iterator[float]:
        """Yield when old setpoints of this socket end."""
        return (until_s for _, until_s in self.track.fading if until_s > now_s)


def _setpoints_only(known: SocketMemory) -> SocketMemory:
    """Forget the car: another one may be plugged in next."""
    nothing_seen = known.closed_since_s is known.idle_since_s is known.declined_since_s is None
    if nothing_seen and known.phases == _NO_CAR.phases and known.reclaim == _NO_CAR.reclaim:
        return known
    return _NO_CAR.with_setpoints_of(known)


_NO_CAR = SocketMemory()


def socket_id(connector: int) -> str:
    """Return the participant name of an own socket."""
    return f"socket-{connector}"


def frame_of_socket(amps: PerPhase, rotation: Rotation) -> PerPhase:
    """Convert amps per grid phase to the phases of a socket; the lowest holds for each while the
    rotation is unknown."""
    if rotation is Rotation.UNKNOWN:
        return PerPhase.same(min(amps))
    return PerPhase(*(amps[rotation.grid_phase(phase) - 1] for phase in sorted(ALL_SOCKET_PHASES)))


def _with_phases(known: SocketMemory, facts: SocketFacts, now_s: float) -> SocketMemory:
    since_s = (known.closed_since_s or now_s) if facts.closed else None
    if since_s != known.closed_since_s:
        known = replace(known, closed_since_s=since_s)
    if facts.measured_a is None:
        nothing_seen = known.phases == PhaseDetection()
        return known if nothing_seen else replace(known, phases=PhaseDetection())
    if since_s is None:
        return known
    seen = known.phases.observe(facts.measured_a, now_s - since_s, facts.connected)
    before = known.phases.used
    wider = before is not None and seen.used is not None and seen.used > before
    sampled_s = now_s if facts.measured_s is None else facts.measured_s
    if not wider and sampled_s - known.sampled_s < SAMPLE_GAP_S:
        return known
    return replace(known, phases=seen, sampled_s=sampled_s)


def _with_appetite(known: SocketMemory, facts: SocketFacts, now_s: float) -> SocketMemory:
    offered_a = known.track.acknowledged_a
    reclaim = known.reclaim.observe(now_s, offered_a, known.changed_s, facts.drawn_a)
    idle_s, declined_s = known.idle_since_s, known.declined_since_s
    if facts.asking:
        idle_s = declined_s = None
    elif offered_a <= 0:
        idle_s = None
    else:
        idle_s = now_s if idle_s is None else idle_s
        if now_s - idle_s >= DECLINED_S and (declined_s is None or known.retries(now_s)):
            declined_s = now_s
    before = known.reclaim, known.idle_since_s, known.declined_since_s
    if before == (reclaim, idle_s, declined_s):
        return known
    return replace(known, reclaim=reclaim, idle_since_s=idle_s, declined_since_s=declined_s)
