"""A group of sockets that share a supply: what each may offer until the next plan.

A station's own sockets (manual 7.2 case 3, 7.3), or all sockets of a site, behind links (manual
7.4). A pure function of the stored state and of one snapshot, which may run in a worker: the plan
carries the revision of its snapshot. Without a shared limit every socket gets what its own limits
allow. Its setpoints are recorded all the same: when a shared limit comes, no socket is raised
before others are lower.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.cycle import Overdraw, distribute
from borne.domain.load_management.group_clock import GroupClock
from borne.domain.load_management.group_members import participants_of
from borne.domain.load_management.participant import (
    Demand,
    Grant,
    Participant,
    Reason,
)
from borne.domain.load_management.rotation_slots import (
    TIME_SLOT_S,
    SlotRecord,
    advance,
)
from borne.domain.load_management.shedding import shed
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.socket_memory import (
    SocketFacts,
    SocketMemory,
)
from borne.domain.load_management.topology import GRID_PHASES, loaded_phases
from borne.foundation.units import PerPhase

NOMINAL_V = 230.0

RETRY_S = 60.0
"""Delay after a failed distribution."""


_NEW = SocketMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSnapshot:
    """All sockets and their shared supply at one moment."""

    sockets: tuple[SocketFacts, ...]
    supply: SharedSupply | None
    """None: nothing is shared."""
    minimum_a: float
    now_s: float
    """Monotonic."""
    revision: int = 0
    slot_s: float = TIME_SLOT_S
    """How long a car keeps its place when the minimum does not fit for all (manual 7.4)."""
    voltage_v: float = NOMINAL_V
    """Between a phase and neutral, or between two lines of an IT network (manual 7.4)."""
    remote: bool = False
    """The sockets are behind links: the plan does not record its setpoints as applied; call
    `GroupState.sent` and `confirmed`."""


@dataclass(frozen=True, slots=True)
class GroupState:
    """State between two plans, by participant."""

    sockets: Mapping[str, SocketMemory] = field(default_factory=dict)
    slots: Mapping[str, SlotRecord] = field(default_factory=dict)

    def memory(self, participant: str) -> SocketMemory:
        """Return the state of one socket; empty when it is new."""
        return self.sockets.get(participant, _NEW)

    def sent(self, amps: Mapping[str, float], number: int, now_s: float) -> GroupState:
        """Record setpoints by participant that were sent in one message; numbers rise."""
        return self._with(
            {name: self.memory(name).sent(own_a, number, now_s) for name, own_a in amps.items()}
        )

    def confirmed(self, number: int, amps: Mapping[str, float], now_s: float) -> GroupState:
        """Record that the setpoints of the message `number` are in force."""
        return self._with(
            {
                name: self.memory(name).confirmed(number, own_a, now_s)
                for name, own_a in amps.items()
            }
        )

    def adopted(self, amps: Mapping[str, float], number: int, now_s: float) -> GroupState:
        """Record what sockets apply that have forgotten all setpoints up to `number`."""
        return self._with(
            {name: self.memory(name).adopted(own_a, number, now_s) for name, own_a in amps.items()}
        )

    def with_setpoints_of(self, present: GroupState) -> GroupState:
        """Return this state of a plan with what was sent and confirmed while it was computed."""
        planned = {
            name: memory.with_setpoints_of(present.memory(name))
            for name, memory in self.sockets.items()
        }
        return replace(self, sockets={**present.sockets, **planned})

    def _with(self, sockets: Mapping[str, SocketMemory]) -> GroupState:
        return replace(self, sockets={**self.sockets, **sockets})


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Result of one run."""

    state: GroupState
    grants: Mapping[str, Grant]
    """By participant; empty without a shared limit."""
    due_s: float | None
    """Time of the next plan if nothing happens before."""
    revision: int = 0
    """Revision of the snapshot that was used."""


def plan(state: GroupState, snapshot: GroupSnapshot) -> GroupPlan:
    """Plan all sockets."""
    facts, supply, now_s = snapshot.sockets, snapshot.supply, snapshot.now_s
    seen = {fact.participant: state.memory(fact.participant).observe(fact, now_s) for fact in facts}
    if supply is None:
        if not snapshot.remote:
            own = {fact.participant: fact.entitled_a for fact in facts}
            seen = _offered(seen, own, now_s)
        return GroupPlan(GroupState(seen), {}, None, snapshot.revision)
    snapshot, idle = _without_idle(snapshot, seen)
    shared = Snapshot(supply, participants_of(state.slots, seen, snapshot), snapshot.revision)
    grants = {**distribute(shared, _overdraws(snapshot, seen)), **idle}
    sockets = seen
    if not snapshot.remote:
        sockets = _offered(seen, {name: one.amps for name, one in grants.items()}, now_s)
    lacking = _lacking(grants) if snapshot.remote else ()
    slots = _advanced(state.slots, shared.participants, grants, now_s, lacking)
    clock = GroupClock(snapshot, sockets, slots, shared)
    due_s = min(clock.dues(grants.values()), default=None)
    named = _with_sources(clock.timed(grants), supply)
    return GroupPlan(GroupState(sockets, slots), named, due_s, snapshot.revision)


def _with_sources(grants: Mapping[str, Grant], supply: SharedSupply) -> Mapping[str, Grant]:
    """Name what limits the root, in the reasons that name a full line of it. A difference between
    phases is no limit of the root."""
    if supply.root_sources is None:
        return grants
    return {name: _with_source(grant, supply) for name, grant in grants.items()}


def _with_source(grant: Grant, supply: SharedSupply) -> Grant:
    reason = grant.reason
    source = None if reason.against is not None else supply.source_of(reason.link)
    return grant if source is None else grant._replace(reason=reason._replace(source=source))


def _without_idle(
    snapshot: GroupSnapshot, sockets: Mapping[str, SocketMemory]
) -> tuple[GroupSnapshot, dict[str, Grant]]:
    """Separate the sockets that want and draw nothing: they load no line. In a large group most
    are so."""
    now_s, busy, idle = snapshot.now_s, [], {}
    for fact in snapshot.sockets:
        name = fact.participant
        envelope_a = max(sockets[name].track.envelope_a(now_s, fact.drawn_a), fact.lingers_a)
        if fact.wants or fact.live or fact.reserved_a is not None or envelope_a > 0:
            busy.append(fact)
        else:
            idle[name] = Grant(name, 0.0, _NO_DEMAND)
    return (replace(snapshot, sockets=tuple(busy)), idle) if idle else (snapshot, {})


_NO_DEMAND = Reason(LimitCause.NO_DEMAND)


def paused(state: GroupState, snapshot: GroupSnapshot) -> GroupPlan:
    """Pause all sockets until the next plan; used when planning failed."""
    names = [fact.participant for fact in snapshot.sockets]
    sockets = {name: state.memory(name) for name in names}
    if not snapshot.remote:
        sockets = _offered(sockets, dict.fromkeys(names, 0.0), snapshot.now_s)
    reason = Reason(LimitCause.PAUSED)
    grants = {name: Grant(name, 0.0, reason) for name in names}
    return GroupPlan(GroupState(sockets), grants, snapshot.now_s + RETRY_S, snapshot.revision)


def lowered(
    state: GroupState, snapshot: GroupSnapshot, amps: Mapping[str, float]
) -> Mapping[str, float]:
    """Lower the offers `amps` as far as needed to respect the shared limit now; the next plan
    corrects what was lowered too much."""
    supply = snapshot.supply
    if supply is None:
        return amps
    seen = {fact.participant: state.memory(fact.participant) for fact in snapshot.sockets}
    return shed(Snapshot(supply, participants_of(state.slots, seen, snapshot)), amps)


def _offered(
    sockets: Mapping[str, SocketMemory], amps: Mapping[str, float], now_s: float
) -> dict[str, SocketMemory]:
    return {name: one.offered(amps[name], now_s) for name, one in sockets.items()}


def _overdraws(snapshot: GroupSnapshot, sockets: Mapping[str, SocketMemory]) -> dict[str, Overdraw]:
    found = {}
    for fact in snapshot.sockets:
        memory = sockets[fact.participant]
        if memory.overdraws(fact, snapshot.now_s):
            found[fact.participant] = Overdraw(_drawn_a(snapshot, fact, memory), memory.setpoint_a)
    return found


def _drawn_a(snapshot: GroupSnapshot, fact: SocketFacts, memory: SocketMemory) -> PerPhase:
    """Return the measured current per grid phase. In an IT network the current of a phase returns
    through the next one."""
    supply = snapshot.supply
    if supply is None or not supply.it_network or fact.drawn_a is None:
        return fact.grid_a
    used = memory.phases.used or fact.connected
    loaded = loaded_phases(fact.rotation, used, it_network=True)
    return PerPhase(*(fact.drawn_a if phase in loaded else 0.0 for phase in GRID_PHASES))


def _lacking(grants: Mapping[str, Grant]) -> Collection[str]:
    """Return who gets nothing because less than the minimum is left. In a station of its own no
    limit sways: a person or the backend ends a pause there, which is obeyed at once."""
    return {
        name
        for name, grant in grants.items()
        if grant.reason.cause is LimitCause.WAITING_FOR_MINIMUM
    }


def _advanced(
    slots: Mapping[str, SlotRecord],
    participants: Iterable[Participant],
    grants: Mapping[str, Grant],
    now_s: float,
    lacking: Collection[str],
) -> dict[str, SlotRecord]:
    """Advance the slots. Those of participants without contact stay as they are."""
    lost: dict[str, SlotRecord] = {}
    wanting, resting, served = [], [], set()
    for one in participants:
        if one.reserved_a is not None:
            if one.id in slots:
                lost[one.id] = slots[one.id]
        elif one.demand is Demand.CHARGING:
            wanting.append(one.id)
            if grants[one.id].amps > 0:
                served.add(one.id)
        elif one.demand is Demand.WAKE_UP:
            resting.append(one.id)
    return {**advance(slots, wanting, served, now_s, resting, lacking), **lost}
