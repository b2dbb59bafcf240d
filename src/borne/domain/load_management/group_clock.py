"""When a plan of a group must be repeated, and until when its reasons hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import Grant
from borne.domain.load_management.rotation_slots import MINIMUM_ON_S, SlotRecord
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.socket_memory import (
    AFTER_S,
    DECLINED_S,
    REPORT_S,
    SocketFacts,
    SocketMemory,
)
from borne.domain.load_management.topology import SupplyLink

URGENCY_S = 60.0
"""While cars wait whose departure is known, their order is renewed this often."""


class Timed(Protocol):
    """The part of a snapshot of a group that is needed."""

    @property
    def sockets(self) -> tuple[SocketFacts, ...]: ...
    @property
    def now_s(self) -> float: ...
    @property
    def slot_s(self) -> float: ...


class GroupClock:
    """The coming times of a group after a distribution."""

    def __init__(
        self,
        snapshot: Timed,
        sockets: Mapping[str, SocketMemory],
        slots: Mapping[str, SlotRecord],
        shared: Snapshot,
    ) -> None:
        self.now_s = snapshot.now_s
        self.slot_s = snapshot.slot_s
        self.facts = snapshot.sockets
        self.sockets = sockets
        self.slots = slots
        self.shared = shared

    def dues(self, grants: Iterable[Grant]) -> Iterator[float]:
        """Yield the times at which to plan again although nothing happens."""
        for fact in self.facts:
            memory = self.sockets[fact.participant]
            yield from memory.looks_due(fact, self.now_s)
            for until_s in memory.fades(self.now_s):
                yield until_s + AFTER_S
            if fact.lingers_a > (fact.drawn_a or 0.0):
                yield self.now_s + REPORT_S
        for record in self.slots.values():
            rests_until_s = record.rests_until_s(self.now_s)
            if rests_until_s is not None:
                yield rests_until_s
        if any(grant.reason.cause is LimitCause.WAITING_FOR_MINIMUM for grant in grants):
            yield from self._slot_dues()

    def _slot_dues(self) -> Iterator[float]:
        """A car that waits for the minimum may get it when an entitlement changes."""
        yield self.now_s + self.slot_s
        lengths = [self.slot_s]
        if self._some_keep_their_place():
            lengths.append(MINIMUM_ON_S)
        for record in self.slots.values():
            for length_s in lengths:
                end_s = record.ends(self.now_s, length_s)
                if end_s is not None:
                    yield end_s + AFTER_S
        if any(fact.departs_s is not None for fact in self.facts):
            yield self.now_s + URGENCY_S

    def _some_keep_their_place(self) -> bool:
        """True if a car that has just begun may stand in the way of one that is entitled more."""
        return not self.shared.order.of_one_class or any(
            record.overdue(self.now_s, self.slot_s) for record in self.slots.values()
        )

    def timed(self, grants: Mapping[str, Grant]) -> Mapping[str, Grant]:
        """Return the grants with the times until which their reasons hold."""
        return {name: self._timed(grant) for name, grant in grants.items()}

    def _timed(self, grant: Grant) -> Grant:
        until_s: float | None = None
        match grant.reason.cause:
            case LimitCause.WAITING_FOR_MINIMUM if grant.reason.link is not None:
                until_s = self._slot_ends.get(grant.reason.link)
            case LimitCause.WAITS_FOR_OTHERS if grant.reason.link is not None:
                until_s = self._fade_ends.get(grant.reason.link)
            case LimitCause.PAUSED_RECENTLY:
                until_s = self.slots[grant.participant].rests_until_s(self.now_s)
            case LimitCause.WAKES_UP:
                idle_s = self.sockets[grant.participant].idle_since_s
                until_s = None if idle_s is None else idle_s + DECLINED_S
        return (
            grant if until_s is None or until_s <= self.now_s else grant._replace(until_s=until_s)
        )

    @cached_property
    def _slot_ends(self) -> Mapping[SupplyLink, float]:
        """The first end of a time slot on each link."""
        ends: dict[str, float] = {}
        for record in self.slots.values():
            if record.holds_slot(self.now_s, self.slot_s) and record.serving_since_s is not None:
                ends[record.id] = record.serving_since_s + self.slot_s
        return self._by_link(ends)

    @cached_property
    def _fade_ends(self) -> Mapping[SupplyLink, float]:
        """The first time at which a car on each link must have followed a lower setpoint."""
        ends: dict[str, float] = {}
        for name, memory in self.sockets.items():
            end_s = min(memory.fades(self.now_s), default=None)
            if end_s is not None:
                ends[name] = end_s
        return self._by_link(ends)

    def _by_link(self, ends: Mapping[str, float]) -> Mapping[SupplyLink, float]:
        order, links = self.shared.order, self.shared.supply.topology.links
        first: dict[SupplyLink, float] = {}
        for place, name in enumerate(order.ids):
            end_s = ends.get(name)
            if end_s is not None:
                for link in order.crossed(place):
                    first[links[link]] = min(end_s, first.get(links[link], end_s))
        return first
