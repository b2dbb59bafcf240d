"""The own sockets as a group: one look at all of them, and what each may offer until the next.

A pure function of what is remembered and of one snapshot (manual 7.2 case 3, 7.3). Without a
shared limit everybody has what its own limits allow, and is watched all the same: when a shared
limit comes, nobody is raised before others are lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from borne.domain.load_management.cycle import Overdraw, Supply, distribute
from borne.domain.load_management.own_socket import (
    LATE_S,
    SocketFacts,
    SocketMemory,
    socket_id,
)
from borne.domain.load_management.participant import (
    Demand,
    Grant,
    Participant,
    Reason,
    ReasonKind,
)
from borne.domain.load_management.rotation_slots import (
    TIME_SLOT_S,
    SlotRecord,
    advance,
    ranks,
)

AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class GroupState:
    """What is remembered between two looks, by connector and by the name of the participant."""

    sockets: Mapping[int, SocketMemory] = field(default_factory=dict)
    slots: Mapping[str, SlotRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The answer to one look."""

    state: GroupState
    grants: Mapping[int, Grant]
    """By connector; empty without a shared limit."""
    due_s: float | None
    """When to look again if nothing happens before."""


def plan(
    state: GroupState,
    facts: Sequence[SocketFacts],
    supply: Supply | None,
    minimum_a: float,
    now_s: float,
) -> GroupPlan:
    """Look at all sockets at monotonic time `now_s`; `supply` None: nothing is shared."""
    seen = {
        fact.connector: state.sockets.get(fact.connector, SocketMemory()).observe(fact, now_s)
        for fact in facts
    }
    if supply is None:
        own = {fact.connector: fact.entitled_a for fact in facts}
        return GroupPlan(GroupState(_offered(seen, own, now_s)), {}, None)
    rank = ranks(state.slots.values(), now_s)
    last = float(len(facts))
    participants = [
        replace(one, rank=rank.get(one.id, last))
        for one in (seen[fact.connector].participant(fact, now_s, minimum_a) for fact in facts)
    ]
    by_id = distribute(supply, participants, _overdraws(facts, seen, now_s))
    grants = {fact.connector: by_id[socket_id(fact.connector)] for fact in facts}
    sockets = _offered(seen, {number: one.amps for number, one in grants.items()}, now_s)
    slots = _advanced(state.slots, participants, by_id, now_s)
    dues = [*_dues(facts, sockets, now_s), *_slot_dues(slots, by_id.values(), now_s)]
    return GroupPlan(GroupState(sockets, slots), grants, min(dues, default=None))


def paused(state: GroupState, facts: Sequence[SocketFacts], now_s: float) -> GroupPlan:
    """Nobody gets anything until the next look: the answer when there is no other."""
    sockets = {
        fact.connector: state.sockets.get(fact.connector, SocketMemory()).offered(0.0, now_s)
        for fact in facts
    }
    grants = {
        fact.connector: Grant(socket_id(fact.connector), 0.0, Reason(ReasonKind.PAUSED))
        for fact in facts
    }
    return GroupPlan(GroupState(sockets), grants, now_s + AGAIN_S)


def _offered(
    sockets: Mapping[int, SocketMemory], amps: Mapping[int, float], now_s: float
) -> dict[int, SocketMemory]:
    return {number: one.offered(amps[number], now_s) for number, one in sockets.items()}


def _overdraws(
    facts: Iterable[SocketFacts], sockets: Mapping[int, SocketMemory], now_s: float
) -> dict[str, Overdraw]:
    return {
        socket_id(fact.connector): Overdraw(fact.grid_a, sockets[fact.connector].setpoint_a)
        for fact in facts
        if sockets[fact.connector].overdraws(fact, now_s)
    }


def _advanced(
    slots: Mapping[str, SlotRecord],
    participants: Iterable[Participant],
    grants: Mapping[str, Grant],
    now_s: float,
) -> dict[str, SlotRecord]:
    wanting = [one.id for one in participants if one.demand is Demand.CHARGING]
    served = {name for name in wanting if grants[name].amps > 0}
    return advance(slots, wanting, served, now_s)


def _dues(
    facts: Iterable[SocketFacts], sockets: Mapping[int, SocketMemory], now_s: float
) -> Iterator[float]:
    for fact in facts:
        memory = sockets[fact.connector]
        yield from memory.looks_due(fact, now_s)
        for until_s in memory.fades(now_s):
            yield until_s + LATE_S


def _slot_dues(
    slots: Mapping[str, SlotRecord], grants: Iterable[Grant], now_s: float
) -> Iterator[float]:
    """Whoever waits for the minimum may have it when a time slot ends."""
    if not any(grant.reason.kind is ReasonKind.WAITING_FOR_MINIMUM for grant in grants):
        return
    for record in slots.values():
        since_s = record.serving_since_s
        begun_s = record.waiting_since_s if since_s is None else since_s
        if begun_s is not None:
            ends_s = begun_s + TIME_SLOT_S + LATE_S
            yield ends_s if ends_s > now_s else now_s + TIME_SLOT_S
