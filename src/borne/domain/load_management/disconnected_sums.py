"""The disconnected limits together against every line, and against the main distribution (manual
7.7): what could flow while the master is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from borne.domain.load_management.fail_safe import DisconnectedSocket
from borne.domain.load_management.load_status import DisconnectedSum
from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.topology import (
    GRID_PHASES,
    ROOT,
    SupplyLink,
    Topology,
    loaded_phases,
)
from borne.foundation.units import PerPhase


def disconnected_sums(
    topology: Topology,
    root_limit_a: PerPhase,
    sockets: Iterable[DisconnectedSocket],
    *,
    main_left_a: PerPhase | None = None,
    it_network: bool = False,
) -> tuple[DisconnectedSum, ...]:
    """Return the worst phase of every line that feeds a socket, the root first, and of the main
    distribution if it is known what its other loads leave. Connected phases count, not detected
    ones."""
    limits = topology.capacities(root_limit_a)
    totals = [0.0] * len(limits)
    for socket in sockets:
        phases = loaded_phases(socket.rotation, socket.connected, it_network=it_network)
        for link in topology.crossed(socket.group, phases):
            totals[link] += socket.disconnected_a
    count = len(GRID_PHASES)
    found = [
        _worst(topology.links[first].group, totals[first : first + count], limits[first:])
        for first in range(0, len(limits), count)
        if any(totals[first : first + count])
    ]
    if main_left_a is not None and any(totals[:count]):
        found.append(_worst(ROOT, totals[:count], main_left_a, main=True))
    return tuple(found)


def _worst(
    group: str, totals: Sequence[float], limits: Sequence[float], *, main: bool = False
) -> DisconnectedSum:
    links = (SupplyLink(group, phase) for phase in GRID_PHASES)
    rows = zip(links, totals, limits, strict=False)
    link, amps, limit_a = max(rows, key=lambda row: row[1] - row[2])
    return DisconnectedSum(
        group=group,
        phase=link.phase,
        amps=amps,
        limit_a=limit_a,
        fits=amps <= limit_a + SLACK_A,
        main=main,
    )
