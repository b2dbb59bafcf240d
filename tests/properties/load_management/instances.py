"""Random groups of sockets, small enough for the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    SocketPhase,
    Topology,
    connected_phases,
)
from borne.foundation.units import ZERO, PerPhase


@dataclass(frozen=True)
class Instance:
    topology: Topology
    root_limit_a: PerPhase
    participants: tuple[Participant, ...]
    imbalance: Imbalance | None = None
    it_network: bool = False

    def snapshot(self, participants: Sequence[Participant] | None = None) -> Snapshot:
        supply = SharedSupply(self.root_limit_a, self.topology, self.it_network, self.imbalance)
        return Snapshot(supply, self.participants if participants is None else participants)


USED = (
    None,
    frozenset({SocketPhase.L1}),
    frozenset({SocketPhase.L1, SocketPhase.L2}),
    frozenset({SocketPhase.L1, SocketPhase.L3}),
    frozenset(SocketPhase),
)


def amps_per_phase(low: int, high: int) -> st.SearchStrategy[PerPhase]:
    tenths = st.integers(low * 10, high * 10).map(lambda value: value / 10)
    different = st.builds(PerPhase, tenths, tenths, tenths)
    return st.one_of(st.integers(low, high).map(PerPhase.same), different)


def participants(group: st.SearchStrategy[str]) -> st.SearchStrategy[Participant]:
    minimum = st.sampled_from((6.0, 7.0, 8.0, 10.0))
    maximum = st.one_of(
        st.sampled_from((5.0, 10.0, 13.0, 16.0, 20.0, 32.0)),
        st.integers(60, 320).map(lambda value: value / 10),
    )
    return st.builds(
        Participant,
        id=st.just(""),
        group=group,
        rotation=st.sampled_from(Rotation),
        connected=st.sampled_from((3, 3, 3, 1)).map(connected_phases),
        phases=st.sampled_from(USED),
        demand=st.sampled_from((Demand.CHARGING,) * 5 + (Demand.NONE,)),
        minimum_a=minimum,
        maximum_a=maximum,
        priority=st.sampled_from((0, 0, 0, 1, 2)),
        rank=st.integers(0, 3).map(float),
        settled_a=st.one_of(st.none(), st.none(), st.sampled_from((3.0, 7.5, 12.0))),
        reserved_a=st.one_of(st.none(), st.none(), st.none(), st.sampled_from((7.0, 16.0))),
    )


@st.composite
def instances(
    draw: st.DrawFn,
    *,
    balanced: bool = False,
    needs: bool = False,
    most: int = 6,
    root: tuple[int, int] = (5, 70),
) -> Instance:
    parents = draw(st.lists(st.integers(0, 2), max_size=3))
    groups = [
        Group(
            f"g{number}",
            draw(amps_per_phase(5, 50)),
            f"g{parent}" if parent < number else ROOT,
        )
        for number, parent in enumerate(parents)
    ]
    names = st.sampled_from([ROOT, *(group.id for group in groups)])
    drawn = draw(st.lists(participants(names), min_size=1, max_size=most))
    named = tuple(replace(one, id=f"car {number}") for number, one in enumerate(drawn))
    if needs:
        needed = st.one_of(st.none(), st.integers(0, 400).map(lambda value: value / 10))
        named = tuple(replace(one, needed_a=draw(needed)) for one in named)
    imbalance = None
    if balanced:
        limit_a = draw(st.sampled_from((0.0, 3.0, 8.0, 12.0, 20.0)))
        base_a = draw(st.one_of(st.just(ZERO), st.just(ZERO), amps_per_phase(0, 30)))
        imbalance = Imbalance(limit_a, base_a)
    return Instance(
        Topology(groups),
        draw(amps_per_phase(*root)),
        named,
        imbalance,
        draw(st.sampled_from((False, False, False, True))),
    )
