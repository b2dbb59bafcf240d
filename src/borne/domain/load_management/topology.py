"""The tree of supply lines and the phases a socket loads in it (manual 7.3, 7.6, 7.8).

A *link* is one grid phase of one group. A socket crosses, in its group and in all groups above,
the links of the grid phases that its car loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from math import isnan
from typing import NamedTuple

from borne.foundation.units import PerPhase

ROOT = "root"
"""The group of the EVSE sub-distribution; its limit comes from the site."""


class SocketPhase(IntEnum):
    """A phase as the socket names it."""

    L1 = 1
    L2 = 2
    L3 = 3


class GridPhase(IntEnum):
    """A phase as the grid names it."""

    N1 = 1
    N2 = 2
    N3 = 3


ALL_SOCKET_PHASES = frozenset(SocketPhase)
GRID_PHASES = tuple(GridPhase)
PHASE_SETS = tuple(
    frozenset(phase for phase in GRID_PHASES if number >> (phase - 1) & 1) for number in range(8)
)
"""Every set of grid phases; its index has a bit for each phase."""
NUMBER_OF_PHASES = {phases: number for number, phases in enumerate(PHASE_SETS)}


class Rotation(StrEnum):
    """Phase rotation of a charge point (manual 7.8): letter k is the grid phase of socket phase Lk
    (R = N1, S = N2, T = N3).

    UNKNOWN: not proven yet; its car counts on every phase with its strongest current.
    """

    RST = "RST"
    STR = "STR"
    TRS = "TRS"
    RTS = "RTS"
    SRT = "SRT"
    TSR = "TSR"
    UNKNOWN = "UNKNOWN"

    def grid_phase(self, phase: SocketPhase) -> GridPhase:
        """Return the grid phase that feeds a phase of the socket; ValueError if it is unknown."""
        return GridPhase("RST".index(self.value[phase - 1]) + 1)


_SOCKET_PLACES = {
    rotation: tuple(rotation.value.index(letter) for letter in "RST")
    for rotation in Rotation
    if rotation is not Rotation.UNKNOWN
}
"""Which phase of the socket (from 0) loads each grid phase."""


def grid_currents(measured_a: PerPhase, rotation: Rotation) -> PerPhase:
    """Convert amps per phase of a socket to the phases of the grid; the strongest counts on each
    while the rotation is unknown."""
    if rotation is Rotation.UNKNOWN:
        return PerPhase.same(max(measured_a))
    return PerPhase(*(measured_a[place] for place in _SOCKET_PLACES[rotation]))


def certain_grid_currents(measured_a: PerPhase, rotation: Rotation) -> PerPhase:
    """Convert amps per phase of a socket to those that certainly flow in each phase of the grid:
    the weakest counts on each while the rotation is unknown."""
    if rotation is Rotation.UNKNOWN:
        return PerPhase.same(min(measured_a))
    return grid_currents(measured_a, rotation)


@cache
def connected_phases(count: int) -> frozenset[SocketPhase]:
    """Return the phases of a socket that is connected with `count` of them (1 to 3), L1 first."""
    if not 1 <= count <= len(SocketPhase):
        raise ValueError(f"a socket has 1 to 3 connected phases, not {count}")
    return frozenset(SocketPhase(number) for number in range(1, count + 1))


def loaded_phases(
    rotation: Rotation, phases: Iterable[SocketPhase], *, it_network: bool = False
) -> frozenset[GridPhase]:
    """Return the grid phases loaded by a car that uses `phases` of its socket.

    In an IT network (no neutral) every phase returns through the next line, so a single-phase car
    loads two lines with its whole current: the linear, safe model.
    """
    return _loaded(rotation, frozenset(phases), it_network)


@cache
def _loaded(
    rotation: Rotation, used: frozenset[SocketPhase], it_network: bool
) -> frozenset[GridPhase]:
    if rotation is Rotation.UNKNOWN:
        return PHASE_SETS[-1]
    if it_network:
        used |= {SocketPhase(phase % len(SocketPhase) + 1) for phase in used}
    return PHASE_SETS[sum(1 << (rotation.grid_phase(phase) - 1) for phase in used)]


class SupplyLink(NamedTuple):
    """One grid phase of one group."""

    group: str
    phase: GridPhase


class TopologyError(ValueError):
    """The groups are not a tree."""


@dataclass(frozen=True, slots=True)
class Group:
    """A sub-distribution or a supply line with its own limit, in amps per grid phase."""

    id: str
    limit_a: PerPhase
    parent: str = ROOT


class Topology:
    """The tree of groups; numbers every link once so that algorithms work with plain lists."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self.groups: Mapping[str, Group] = _by_id(groups)
        self._numbers = {ROOT: 0} | {name: i for i, name in enumerate(self.groups, start=1)}
        self._lines = tuple(self._line_upwards(name) for name in self._numbers)
        self._cells: dict[int, tuple[int, ...]] = {}
        self.links: Sequence[SupplyLink] = tuple(
            SupplyLink(group, phase) for group in self._numbers for phase in GRID_PHASES
        )

    def _line_upwards(self, name: str) -> tuple[int, ...]:
        line = []
        here = name
        while here != ROOT:
            if here not in self.groups:
                raise TopologyError(f"group {name} hangs below {here}, which does not exist")
            number = self._numbers[here]
            if number in line:
                raise TopologyError(f"group {name} hangs below itself")
            line.append(number)
            here = self.groups[here].parent
        return (*line, self._numbers[ROOT])

    def cell(self, group: str, phase_set: int) -> int:
        """Return the cell of a socket, from its group and the number of the phases that it loads:
        sockets of one cell cross the same links."""
        number = self._numbers.get(group)
        if number is None:
            raise TopologyError(f"there is no group {group}")
        return len(PHASE_SETS) * number + phase_set

    @property
    def cell_count(self) -> int:
        """All numbers of cells are below it."""
        return len(PHASE_SETS) * len(self._numbers)

    def links_of(self, cell: int) -> tuple[int, ...]:
        """Return the numbers of the links between a socket of the cell and the grid, the nearest
        first."""
        known = self._cells.get(cell)
        if known is None:
            number, phases = divmod(cell, len(PHASE_SETS))
            known = tuple(
                3 * above + phase - 1
                for above in self._lines[number]
                for phase in sorted(PHASE_SETS[phases])
            )
            self._cells[cell] = known
        return known

    def crossed(self, group: str, phases: Iterable[GridPhase]) -> tuple[int, ...]:
        """Return the numbers of the links between a socket in `group` and the grid, on these
        phases."""
        return self.links_of(self.cell(group, NUMBER_OF_PHASES[frozenset(phases)]))

    def capacities(self, root_limit_a: PerPhase) -> list[float]:
        """Return the limit of every link, in amps, in the order of `links`. What is not a number
        allows nothing."""
        amps = list(root_limit_a)
        for group in self.groups.values():
            amps.extend(group.limit_a)
        return [0.0 if isnan(limit) else limit for limit in amps]


def _by_id(groups: Iterable[Group]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for group in groups:
        if group.id == ROOT or group.id in found:
            raise TopologyError(f"two groups are named {group.id}")
        found[group.id] = group
    return found
