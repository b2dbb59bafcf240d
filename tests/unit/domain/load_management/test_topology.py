"""Tree of groups and phases of a socket (manual 7.8)."""

from __future__ import annotations

import pytest

from borne.domain.load_management.topology import (
    ROOT,
    GridPhase,
    Group,
    Rotation,
    SocketPhase,
    SupplyLink,
    Topology,
    TopologyError,
    connected_phases,
    loaded_phases,
)
from borne.foundation.units import PerPhase

L1, L2, L3 = SocketPhase
N1, N2, N3 = GridPhase


@pytest.mark.parametrize(
    ("rotation", "grid"),
    [
        ("RST", (N1, N2, N3)),
        ("STR", (N2, N3, N1)),
        ("TRS", (N3, N1, N2)),
        ("RTS", (N1, N3, N2)),
        ("SRT", (N2, N1, N3)),
        ("TSR", (N3, N2, N1)),
    ],
)
def test_rotation(rotation: str, grid: tuple[GridPhase, ...]) -> None:
    assert tuple(Rotation(rotation).grid_phase(phase) for phase in SocketPhase) == grid


@pytest.mark.parametrize(
    ("rotation", "used", "lines"),
    [
        ("RST", {L1}, {N1, N2}),
        ("STR", {L1}, {N2, N3}),
        ("TRS", {L1}, {N3, N1}),
        ("RTS", {L1}, {N1, N3}),
        ("RST", {L1, L2}, {N1, N2, N3}),
        ("RST", {L1, L2, L3}, {N1, N2, N3}),
    ],
)
def test_lines_loaded_in_an_it_network(
    rotation: str, used: set[SocketPhase], lines: set[GridPhase]
) -> None:
    assert loaded_phases(Rotation(rotation), used, it_network=True) == lines


def test_links_from_the_socket_to_the_grid() -> None:
    topology = Topology([Group("leaf", PerPhase(1, 2, 3), "mid"), Group("mid", PerPhase(4, 5, 6))])
    crossed = topology.crossed("leaf", {N2})
    assert [topology.links[number] for number in crossed] == [
        SupplyLink("leaf", N2),
        SupplyLink("mid", N2),
        SupplyLink(ROOT, N2),
    ]
    assert topology.capacities(PerPhase(7, 8, 9)) == [7, 8, 9, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([("a", "b"), ("b", "a")], "below itself"),
        ([("a", "a")], "below itself"),
        ([("a", "nowhere")], "nowhere, which does not exist"),
        ([("a", ROOT), ("a", ROOT)], "two groups are named a"),
        ([(ROOT, ROOT)], "two groups are named root"),
    ],
)
def test_invalid_trees_are_refused(groups: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(TopologyError, match=message):
        Topology(Group(name, PerPhase.same(10), parent) for name, parent in groups)


def test_a_socket_without_a_group_is_refused() -> None:
    with pytest.raises(TopologyError, match="no group lost"):
        Topology().crossed("lost", {N1})


@pytest.mark.parametrize("count", [0, 4])
def test_number_of_connected_phases(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        connected_phases(count)
