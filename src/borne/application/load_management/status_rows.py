"""Rows of the status of a group: its sockets and lines as a master knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from borne.application.load_management.known_slaves import KnownSocket
from borne.application.load_management.remote_station import RemoteStation
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.load_status import GroupRow, ParticipantRow, Trust
from borne.domain.load_management.messages import SocketReport
from borne.domain.load_management.participant import Reason, phases_loaded
from borne.domain.load_management.topology import (
    GRID_PHASES,
    PHASE_SETS,
    ROOT,
    SocketPhase,
    Topology,
    connected_phases,
    grid_currents,
)
from borne.foundation.units import ZERO, PerPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketView:
    """A socket, and what its master concludes of it."""

    station: RemoteStation
    socket: KnownSocket
    group: str
    phases: frozenset[SocketPhase] | None
    """That its car uses; None: not known."""
    reserved_a: float | None
    """None: it obeys."""
    minimum_a: float
    it_network: bool

    @property
    def own(self) -> SocketReport:
        """Its last report."""
        connector = self.socket.connector
        return self.station.reported().get(connector) or SocketReport(connector=connector)

    @property
    def granted_a(self) -> float:
        """What it may offer, or what is reserved for it."""
        if self.reserved_a is not None:
            return self.reserved_a
        target = self.station.targets.get(self.station.participant(self.socket.connector))
        return 0.0 if target is None else target.amps

    @property
    def measured_a(self) -> PerPhase | None:
        """None: not measured, or out of date."""
        return self.own.measured_a if self.reserved_a is None else None

    @property
    def trust(self) -> Trust:
        """Who measured it."""
        if self.reserved_a is not None:
            return Trust.LOST
        return Trust.UNMEASURED if self.measured_a is None else Trust.REPORTED

    def on_grid(self, amps: float) -> PerPhase:
        """Return a current of the socket per grid phase."""
        phases = self.phases if self.reserved_a is None else None
        connected = connected_phases(self.socket.phase_count)
        loaded = phases_loaded(self.socket.rotation, connected, phases, self.it_network)
        return PerPhase(*(amps if phase in PHASE_SETS[loaded] else 0.0 for phase in GRID_PHASES))

    def at(self, now_s: float, now: datetime) -> ParticipantRow:
        """Return the row; `now` is the date that belongs to `now_s`."""
        one, socket, own = self.station, self.socket, self.own
        reason, until_s = self._reason()
        age_s = None if one.report is None else now_s - one.received_s
        measured_a = self.measured_a
        return ParticipantRow(
            id=one.participant(socket.connector),
            station=one.id,
            station_name=one.known.name or one.id,
            connector=socket.connector,
            group=self.group,
            use=own.use,
            since=_date(one.use_since_s.get(socket.connector), now_s, now),
            lost=self.reserved_a is not None,
            phases=self.phases if self.reserved_a is None else None,
            phase_count=socket.phase_count,
            rotation=socket.rotation,
            requested_a=own.upper_a if own.wants else None,
            granted_a=self.granted_a,
            measured_a=measured_a,
            grid_a=self.on_grid(self.granted_a),
            measured_grid_a=(
                ZERO if measured_a is None else grid_currents(measured_a, socket.rotation)
            ),
            minimum_a=max(self.minimum_a, own.minimum_a),
            disconnected_a=socket.disconnected_a,
            priority=own.priority,
            reason=reason,
            until=_date(until_s, now_s, now),
            last_received=None if age_s is None else now - timedelta(seconds=age_s),
            received_s=age_s,
            trust=self.trust,
        )

    def _reason(self) -> tuple[Reason, float | None]:
        """Return the reason of its current, and until when that holds."""
        if self.reserved_a is not None:
            return Reason(LimitCause.NO_CONTACT, amps=self.reserved_a), None
        target = self.station.targets.get(self.station.participant(self.socket.connector))
        if target is None:
            return Reason(LimitCause.NO_DEMAND), None
        return target.reason, target.until_s


def group_rows(
    topology: Topology,
    limit_a: PerPhase,
    participants: Iterable[ParticipantRow],
    group_of: Mapping[str, str],
) -> tuple[GroupRow, ...]:
    """Return a row for each group and line, the root first. `limit_a`: of the root; `group_of`: the
    line of each station."""
    used = [0.0] * len(topology.links)
    measured = [0.0] * len(topology.links)
    for row in participants:
        for phase in GRID_PHASES:
            for link in topology.crossed(group_of[row.station], (phase,)):
                used[link] += row.grid_a[phase - 1]
                measured[link] += row.measured_grid_a[phase - 1]
    limits = topology.capacities(limit_a)
    names = [(ROOT, None), *((name, own.parent) for name, own in topology.groups.items())]
    return tuple(
        GroupRow(
            id=name,
            parent=parent,
            limit_a=_at(limits, place),
            used_a=_at(used, place),
            measured_a=_at(measured, place),
        )
        for place, (name, parent) in enumerate(names)
    )


def _at(links: list[float], place: int) -> PerPhase:
    return PerPhase(*links[3 * place : 3 * place + 3])


def _date(at_s: float | None, now_s: float, now: datetime) -> datetime | None:
    return None if at_s is None else now + timedelta(seconds=at_s - now_s)
