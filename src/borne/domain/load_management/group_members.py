"""The sockets of a group as participants: rank, time slots and what their drivers need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from borne.domain.load_management.demands import Need, need, watts_per_amp
from borne.domain.load_management.filling import admit
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.rotation_slots import MINIMUM_ON_S, SlotRecord, ranks
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.socket_memory import Entitlement, SocketFacts, SocketMemory


class Members(Protocol):
    """The part of a snapshot of a group that is needed."""

    @property
    def sockets(self) -> tuple[SocketFacts, ...]: ...
    @property
    def supply(self) -> SharedSupply | None: ...
    @property
    def minimum_a(self) -> float: ...
    @property
    def now_s(self) -> float: ...
    @property
    def slot_s(self) -> float: ...
    @property
    def voltage_v(self) -> float: ...


def participants_of(
    slots: Mapping[str, SlotRecord], sockets: Mapping[str, SocketMemory], snapshot: Members
) -> tuple[Participant, ...]:
    """Return all sockets as participants."""
    now_s, minimum_a = snapshot.now_s, snapshot.minimum_a
    needs = _needs(sockets, snapshot)
    urgency_s = {name: own.urgency_s(upper_a) for name, (own, upper_a) in needs.items()}
    rank = ranks(slots.values(), now_s, snapshot.slot_s, urgency_s)
    last = float(len(snapshot.sockets))
    resting = {name for name, one in slots.items() if one.rests_until_s(now_s) is not None}
    found = tuple(
        sockets[fact.participant].participant(
            fact,
            now_s,
            max(minimum_a, fact.minimum_a),
            Entitlement(
                rank.get(fact.participant, last),
                rests=fact.participant in resting,
                needed_a=needs[fact.participant][0].average_a
                if fact.participant in needs
                else None,
            ),
        )
        for fact in snapshot.sockets
    )
    return _keeping(found, slots, snapshot)


def _needs(sockets: Mapping[str, SocketMemory], snapshot: Members) -> dict[str, tuple[Need, float]]:
    """Return the needs that are known, and the highest current of the socket."""
    it_network = snapshot.supply is not None and snapshot.supply.it_network
    found = {}
    for fact in snapshot.sockets:
        if fact.energy_wh is None or fact.departs_s is None:
            continue
        phases = sockets[fact.participant].phases.used or fact.connected
        power = watts_per_amp(phases, snapshot.voltage_v, it_network=it_network)
        own = need(fact.energy_wh, fact.departs_s, snapshot.now_s, power, len(phases))
        if own is not None:
            found[fact.participant] = own, fact.entitled_a
    return found


def _keeping(
    participants: tuple[Participant, ...], slots: Mapping[str, SlotRecord], snapshot: Members
) -> tuple[Participant, ...]:
    """Let cars that have just begun to charge keep their place before higher classes, as long as
    all that charge still fit: when a limit falls, the classes decide who pauses."""
    if snapshot.supply is None or len({one.priority for one in participants}) <= 1:
        return participants
    keeping = {
        name for name, record in slots.items() if record.holds_slot(snapshot.now_s, MINIMUM_ON_S)
    }
    if not keeping or not _all_fit(participants, snapshot.supply):
        return participants
    return tuple(
        replace(one, keeps_place=True)
        if one.id in keeping and one.demand is Demand.CHARGING
        else one
        for one in participants
    )


def _all_fit(participants: tuple[Participant, ...], supply: SharedSupply) -> bool:
    """True if the minima of all that charge, and what is reserved, fit together."""
    shared = Snapshot(supply, participants)
    order = shared.order
    load = [_minimum_a(one) for one in order.participants]
    return not admit(supply.capacities(), range(len(load)), load, order.all_crossed())


def _minimum_a(one: Participant) -> float:
    if one.reserved_a is not None:
        return one.reserved_a
    charging = one.demand is Demand.CHARGING and bool(one.setpoint_a)
    return one.lower_a if charging else 0.0
