"""Input of one distribution: immutable, so that a worker may process it.

A result carries the revision of its snapshot, which shows if it belongs to the newest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import attrgetter

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Participant, phases_loaded
from borne.domain.load_management.topology import (
    ROOT,
    Rotation,
    SocketPhase,
    SupplyLink,
    Topology,
)
from borne.foundation.memo import Memo
from borne.foundation.units import PerPhase

RootSources = tuple[LimitCause, LimitCause, LimitCause]
"""What limits the root, on each grid phase."""


@dataclass(frozen=True, slots=True)
class SharedSupply:
    """The tree, and the limit of its root in amps per grid phase."""

    root_limit_a: PerPhase
    topology: Topology = field(default_factory=Topology)
    it_network: bool = False
    imbalance: Imbalance | None = None
    allow_wakeup: bool = True
    """False: cars that do not resume after a pause get nothing."""
    root_sources: RootSources | None = None
    """Sources of the limit of the root, for the reasons; None: it has one source only."""

    def capacities(self) -> list[float]:
        """Return the limit of every link, in amps, in the order of the topology's links."""
        return self.topology.capacities(self.root_limit_a)

    def source_of(self, link: SupplyLink | None) -> LimitCause | None:
        """Return the source of the limit of a line, if it is one of the root with several."""
        if link is None or link.group != ROOT or self.root_sources is None:
            return None
        return self.root_sources[link.phase - 1]


@dataclass(frozen=True, slots=True)
class Order:
    """Participants in the order of admission: those that keep their place, then class from the
    highest, rank from the lowest, id."""

    participants: Sequence[Participant]
    ids: Sequence[str]
    cells: Sequence[int]
    """Load of each participant: `Topology.cell`."""
    topology: Topology
    of_one_class: bool
    """True if all participants have the same priority."""

    def crossed(self, place: int) -> tuple[int, ...]:
        """Return the numbers of the links that the participant at a place crosses."""
        return self.topology.links_of(self.cells[place])

    def all_crossed(self) -> list[tuple[int, ...]]:
        """Return the same for every participant, in this order."""
        return [self.topology.links_of(cell) for cell in self.cells]


@dataclass(frozen=True)
class Snapshot:
    """A supply and all participants. Derived values are computed once."""

    supply: SharedSupply
    participants: Sequence[Participant]
    revision: int = 0

    @cached_property
    def order(self) -> Order:
        """The participants in order; raises TopologyError for an unknown group and ValueError for a
        repeated id."""
        found = sorted(self.participants, key=attrgetter("id"))
        found.sort(key=attrgetter("rank"))
        of_one_class = len({*map(attrgetter("priority"), found)}) <= 1
        if not of_one_class:
            found.sort(key=attrgetter("priority"), reverse=True)
        if any(map(attrgetter("keeps_place"), found)):
            found.sort(key=attrgetter("keeps_place"), reverse=True)
        ids = [one.id for one in found]
        _refuse_repeated(ids)
        cell = _cells(self.supply.topology, self.supply.it_network)
        cells = [
            cell[
                one.group,
                one.rotation,
                one.connected,
                one.phases if one.reserved_a is None else None,
            ]
            for one in found
        ]
        return Order(found, ids, cells, self.supply.topology, of_one_class)


Wiring = tuple[str, Rotation, frozenset[SocketPhase], frozenset[SocketPhase] | None]
"""Group, rotation, connected phases, and those that the car uses."""


@lru_cache(maxsize=4)
def _cells(topology: Topology, it_network: bool) -> Memo[Wiring, int]:
    """Return the cells by wiring, cached from one snapshot of the topology to the next."""

    def cell(wiring: Wiring) -> int:
        group, rotation, connected, phases = wiring
        return topology.cell(group, phases_loaded(rotation, connected, phases, it_network))

    return Memo(cell)


def _refuse_repeated(ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        for name in ids:
            if name in seen:
                raise ValueError(f"two participants are named {name}")
            seen.add(name)
