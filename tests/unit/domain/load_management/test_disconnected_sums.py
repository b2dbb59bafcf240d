"""The sum of the disconnected limits against every line and the main distribution (manual 7.7)."""

from __future__ import annotations

from borne.domain.load_management.disconnected_sums import disconnected_sums
from borne.domain.load_management.fail_safe import DisconnectedSocket
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    SocketPhase,
    Topology,
)
from borne.foundation.units import PerPhase

FIRST = frozenset({SocketPhase.L1})
HALL = Topology([Group("hall", PerPhase(20.0, 16.0, 20.0))])


def rows(*sockets: DisconnectedSocket, **more: PerPhase | bool) -> list[tuple[object, ...]]:
    root = PerPhase.same(40.0)
    found = disconnected_sums(HALL, root, sockets, **more)  # type: ignore[arg-type]  # either
    return [(one.group, one.phase.name, one.amps, one.limit_a, one.fits, one.main) for one in found]


def test_every_line_is_compared_on_its_worst_phase() -> None:
    sockets = [DisconnectedSocket(8.0, "hall"), DisconnectedSocket(8.5, "hall")]
    assert rows(*sockets) == [
        (ROOT, "N1", 16.5, 40.0, True, False),
        ("hall", "N2", 16.5, 16.0, False, False),
    ]


def test_the_main_distribution_counts_with_what_the_building_leaves() -> None:
    main = PerPhase(30.0, 7.0, 30.0)
    assert rows(DisconnectedSocket(8.0), main_left_a=main) == [
        (ROOT, "N1", 8.0, 40.0, True, False),
        (ROOT, "N2", 8.0, 7.0, False, True),
    ]


def test_connected_phases_and_their_rotation_count() -> None:
    turned = DisconnectedSocket(8.0, "hall", FIRST, Rotation.STR)
    straight = DisconnectedSocket(7.0, "hall", FIRST)
    assert rows(turned, straight)[1] == ("hall", "N2", 8.0, 16.0, True, False)
    unknown = DisconnectedSocket(8.0, "hall", FIRST, Rotation.UNKNOWN)
    assert rows(unknown, turned, it_network=False)[1] == ("hall", "N2", 16.0, 16.0, True, False)


def test_an_it_network_loads_two_lines() -> None:
    socket = DisconnectedSocket(8.0, connected=FIRST)
    (row,) = disconnected_sums(Topology(), PerPhase(40.0, 8.0, 40.0), [socket], it_network=True)
    assert (row.phase.name, row.fits) == ("N2", True)


def test_nothing_is_compared_without_sockets() -> None:
    assert rows(main_left_a=PerPhase.same(0.0)) == []
    assert rows(DisconnectedSocket(0.0)) == []
