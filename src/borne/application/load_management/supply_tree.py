"""The tree of a site: configured sub-distributions, and a line for each station whose sockets share
one (manual 7.3, 7.4)."""

from __future__ import annotations

from collections.abc import Iterable

from borne.application.load_management.known_slaves import KnownSlave
from borne.domain.load_management.topology import ROOT, Group, Topology


class SupplyTree:
    """Makes the topology again only when a line has changed."""

    def __init__(self, groups: tuple[Group, ...]) -> None:
        """Raises TopologyError if the groups are no tree."""
        self._groups = groups
        self._ids = frozenset(group.id for group in groups)
        self._lines: tuple[Group, ...] = ()
        self._topology = Topology(groups)

    def topology(self, slaves: Iterable[KnownSlave]) -> Topology:
        """Return the tree with the lines of these stations."""
        lines = tuple(
            Group(self._line(slave), slave.limit_a, self.parent(slave))
            for slave in slaves
            if slave.limit_a is not None
        )
        if lines != self._lines:
            self._lines = lines
            self._topology = Topology((*self._groups, *lines))
        return self._topology

    def knows(self, slave: KnownSlave) -> bool:
        """True if the group that a station names is configured."""
        return slave.group == ROOT or slave.group in self._ids

    def parent(self, slave: KnownSlave) -> str:
        """Return the group that feeds a station: the root if it names an unknown one."""
        return slave.group if slave.group in self._ids else ROOT

    def group_of(self, slave: KnownSlave) -> str:
        """Return the group of the sockets of a station."""
        return self.parent(slave) if slave.limit_a is None else self._line(slave)

    def _line(self, slave: KnownSlave) -> str:
        taken = slave.station == ROOT or slave.station in self._ids
        return f"{slave.station} (line)" if taken else slave.station
