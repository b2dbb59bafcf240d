"""Computes offers from rows in one direction: the rows of a connector give its entitlement, the
shared current is distributed, and every offer carries the row that binds it. Pure functions of one
snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce

from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import (
    LimitBook,
    LimitRow,
    Offer,
    holding,
    minimum_a,
    offer_of,
)
from borne.domain.limits.sources import LimitScope
from borne.domain.load_management import group as load_group
from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState
from borne.domain.load_management.participant import Grant
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import SocketFacts, frame_of_socket
from borne.domain.load_management.topology import GRID_PHASES, SupplyLink
from borne.foundation.units import ZERO, PerPhase


@dataclass(frozen=True, slots=True)
class SocketSnapshot:
    """A connector: its own rows, its observed state, and its present offer."""

    connector: int
    facts: SocketFacts
    rows: tuple[LimitRow, ...]
    offer: Offer = field(default_factory=Offer)

    @property
    def shares(self) -> LimitBook:
        """The rows of the present offer that came from the distribution."""
        return LimitBook({row.key: row for row in _shares_of(self.offer)})


@dataclass(frozen=True, slots=True)
class LimitSnapshot:
    """All inputs of a plan."""

    now: datetime
    now_s: float
    sockets: tuple[SocketSnapshot, ...]
    station: tuple[LimitRow, ...] = ()
    """Rows of what all connectors share, per grid phase."""
    group: GroupState = field(default_factory=GroupState)
    it_network: bool = False


@dataclass(frozen=True, slots=True)
class LimitPlan:
    """Offers by connector, and the state that the distribution keeps."""

    offers: Mapping[int, Offer]
    group: GroupState
    due_s: float | None = None
    """When to plan again if nothing happens before."""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """What all connectors may draw together, per grid phase, with the row that sets each."""

    amps: PerPhase
    rows: tuple[LimitRow, ...]

    def row_of(self, link: SupplyLink | None) -> LimitRow:
        """Return the row that limits a supply link; without a link, the row of the lowest phase."""
        if link is not None:
            return self.rows[link.phase - 1]
        return self.rows[self.amps.index(min(self.amps))]


def shared_limit(rows: Iterable[LimitRow]) -> SharedLimit | None:
    """Return the lowest of the rows of the station; None if there is no shared limit."""
    held = holding(rows)
    if not held:
        return None
    lowest = tuple(min(held, key=lambda row: row.amps[phase - 1]) for phase in GRID_PHASES)
    amps = reduce(PerPhase.lowest, (row.amps for row in held))
    return SharedLimit(PerPhase(*(max(0.0, value) for value in amps)), lowest)


def plan(snapshot: LimitSnapshot) -> LimitPlan:
    """Compute what every connector may offer now."""
    limit = shared_limit(snapshot.station)
    group = load_group.plan(snapshot.group, _group_snapshot(snapshot, limit))
    return _planned(snapshot, limit, group)


def paused(snapshot: LimitSnapshot) -> LimitPlan:
    """Pause all connectors until the next plan; used when planning failed."""
    group = load_group.paused(snapshot.group, _group_snapshot(snapshot, None))
    offers = {
        socket.connector: offer_of((*socket.rows, _pause(snapshot.now)), socket.facts.phase_count)
        for socket in snapshot.sockets
    }
    return LimitPlan(offers, group.state, group.due_s, shared=True)


def lowered(snapshot: LimitSnapshot) -> Mapping[int, Offer]:
    """Lower the present offers to rows that have fallen below them. No offer rises, and together
    they respect the shared limit. It needs no distribution, so decreases never wait for one."""
    limit = shared_limit(snapshot.station)
    own = {
        socket.connector: lowered_offer(socket.offer, socket.rows, socket.facts.phase_count)
        for socket in snapshot.sockets
    }
    if limit is None:
        return own
    amps = {socket.facts.participant: own[socket.connector].amps for socket in snapshot.sockets}
    kept = load_group.lowered(snapshot.group, _group_snapshot(snapshot, limit), amps)
    return {
        socket.connector: _cut(snapshot, limit, socket, own[socket.connector], kept)
        for socket in snapshot.sockets
    }


def lowered_offer(offer: Offer, rows: Iterable[LimitRow], phases: int) -> Offer:
    """Lower an offer to the connector's own rows."""
    new = offer_of((*rows, *_shares_of(offer)), phases)
    return new if new.amps < offer.amps else offer


def _shares_of(offer: Offer) -> Iterable[LimitRow]:
    return (row for row in offer.rows if row.source.scope is LimitScope.STATION)


def _cut(
    snapshot: LimitSnapshot,
    limit: SharedLimit,
    socket: SocketSnapshot,
    offer: Offer,
    kept: Mapping[str, float],
) -> Offer:
    kept_a = kept[socket.facts.participant]
    if kept_a >= offer.amps:
        return offer
    share = _share(limit.row_of(None), kept_a, LimitCause.GROUP_LIMIT, snapshot.now)
    others = (row for row in offer.rows if row.key != share.key)
    return offer_of((*others, share), socket.facts.phase_count)


def _group_snapshot(snapshot: LimitSnapshot, limit: SharedLimit | None) -> GroupSnapshot:
    def entitled(socket: SocketSnapshot) -> SocketFacts:
        own = offer_of(socket.rows, socket.facts.phase_count)
        return replace(
            socket.facts,
            entitled_a=own.amps,
            entitled_by=own.binding.source.cause if own.binding else None,
            minimum_a=minimum_a(socket.rows),
        )

    return GroupSnapshot(
        sockets=tuple(map(entitled, snapshot.sockets)),
        supply=None if limit is None else SharedSupply(limit.amps, it_network=snapshot.it_network),
        minimum_a=minimum_a(snapshot.station),
        now_s=snapshot.now_s,
    )


def _planned(snapshot: LimitSnapshot, limit: SharedLimit | None, group: GroupPlan) -> LimitPlan:
    offers: dict[int, Offer] = {}
    for socket in snapshot.sockets:
        shares: Sequence[LimitRow] = ()
        if limit is not None:
            grant = group.grants[socket.facts.participant]
            shares = _shares(snapshot, limit, grant, socket)
        rows = (*socket.rows, *shares)
        offers[socket.connector] = offer_of(rows, socket.facts.phase_count)
    return LimitPlan(offers, group.state, group.due_s, shared=limit is not None)


def _shares(
    snapshot: LimitSnapshot, limit: SharedLimit, grant: Grant, socket: SocketSnapshot
) -> Sequence[LimitRow]:
    """Return the share, labelled with the row that sets it, and the other rows of the station."""
    owner = limit.row_of(grant.reason.link)
    old = socket.shares
    share = _share(owner, grant.amps, grant.reason.cause, snapshot.now)
    others = [
        replace(row, amps=frame_of_socket(row.amps, socket.facts.rotation))
        for row in holding(snapshot.station)
        if row.key != owner.key
    ]
    return tuple(old.dated(row) for row in (share, *others))


def _share(owner: LimitRow, amps: float, cause: LimitCause, now: datetime) -> LimitRow:
    return replace(owner, amps=PerPhase.same(amps), cause=cause, detail="", since=now)


def _pause(now: datetime) -> LimitRow:
    return LimitRow(sources.LOAD_MANAGEMENT, ZERO, LimitCause.PAUSED, now)
