"""All that a master knows of its group: the settings, the slaves, and what was sent to them and
confirmed. It answers what is asked of the group at a moment; only the master changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from borne.application.load_management.known_slaves import KnownSlave, KnownSocket
from borne.application.load_management.remote_station import Contact, RemoteStation
from borne.application.load_management.station_facts import (
    reported_facts,
    twin_facts,
    unreported_facts,
)
from borne.application.load_management.status_rows import SocketView, group_rows
from borne.application.load_management.supply_tree import SupplyTree
from borne.domain.load_management.fail_safe import DisconnectedSocket, FailSafeTiming
from borne.domain.load_management.group import NOMINAL_V, GroupState
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.load_status import GroupRow, ParticipantRow
from borne.domain.load_management.messages import DEFAULT_TIMING, SlaveReport
from borne.domain.load_management.participant import LOWEST_PILOT_A
from borne.domain.load_management.rotation_slots import TIME_SLOT_S
from borne.domain.load_management.socket_memory import SocketFacts
from borne.domain.load_management.topology import (
    Group,
    Rotation,
    Topology,
    certain_grid_currents,
    connected_phases,
    grid_currents,
)
from borne.domain.load_management.unproven_draws import UnprovenDraws
from borne.foundation.messages import N_, Message
from borne.foundation.units import ZERO, PerPhase

_TWINS = N_("More than one station reports as {station}.")
_NO_GROUP = N_("{station} names the group {group}, which does not exist.")
_REFUSED = N_("{station}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterConfig:
    """The settings of the group."""

    groups: tuple[Group, ...] = ()
    """The sub-distributions below the root; a tree."""
    it_network: bool = False
    imbalance: Imbalance | None = None
    allow_wakeup: bool = True
    slot_s: float = TIME_SLOT_S
    sample_s: float = 30.0
    timing: FailSafeTiming = DEFAULT_TIMING
    minimum_a: float = LOWEST_PILOT_A
    voltage_v: float = NOMINAL_V


class GroupRecord:
    """The group as its master knows it."""

    def __init__(self, config: MasterConfig, known: Iterable[KnownSlave], now_s: float) -> None:
        self.config = config
        self.tree = SupplyTree(config.groups)
        self.stations = {slave.station: RemoteStation(slave, now_s) for slave in known}
        self.state = GroupState()
        self.unproven = UnprovenDraws()
        self.refused: dict[str, Message] = {}
        """Why reports were refused, by station; the newest ones."""

    def configure(self, config: MasterConfig) -> None:
        """Change the settings."""
        if config.groups != self.config.groups:
            self.tree = SupplyTree(config.groups)
        self.config = config

    def known(self) -> tuple[KnownSlave, ...]:
        """Return what is to be stored of all slaves."""
        return tuple(one.known for one in self.stations.values())

    def note_unproven(self, one: RemoteStation, report: SlaveReport, now_s: float) -> None:
        """Take note of what the sockets of unknown rotation draw."""
        for own in report.sockets:
            name = one.participant(own.connector)
            if own.rotation is Rotation.UNKNOWN:
                amps = max(own.measured_a or ZERO) if own.live else 0.0
                self.unproven.note(name, amps, now_s)
            else:
                self.unproven.forget(name)

    # Sockets and groups ------------------------------------------------------------------------

    def topology(self) -> Topology:
        """Return the tree: the configured groups, and a line for each station with a shared
        limit."""
        return self.tree.topology(one.known for one in self.stations.values())

    def problems(self, now_s: float) -> tuple[Message, ...]:
        """Return what is wrong with the stations of the group, for people: refused reports, groups
        that are not configured (the station counts in the root only), two stations of one id."""
        found = [
            Message(_REFUSED, {"station": name, "problem": problem})
            for name, problem in self.refused.items()
        ]
        for one in self.stations.values():
            if not self.tree.knows(one.known):
                found.append(Message(_NO_GROUP, {"station": one.id, "group": one.known.group}))
            if one.present_twins(now_s, self.config.timing):
                found.append(Message(_TWINS, {"station": one.id}))
        return tuple(found)

    def names(self) -> Iterator[str]:
        """Yield the names of all sockets in the distribution."""
        for one in self.stations.values():
            yield from (one.participant(own.connector) for own in one.known.sockets)

    def owners(self) -> dict[str, RemoteStation]:
        """Return the station of each socket, by the name of the socket."""
        return {
            one.participant(own.connector): one
            for one in self.stations.values()
            for own in one.known.sockets
        }

    def facts(self, now_s: float) -> Iterator[SocketFacts]:
        """Yield all sockets as members of the distribution."""
        for one in self.stations.values():
            group, reported = self.tree.group_of(one.known), one.reported()
            yield from twin_facts(one, group, one.present_twins(now_s, self.config.timing))
            obeys = one.contact(now_s) is Contact.PRESENT
            for socket in one.known.sockets:
                own = reported.get(socket.connector)
                reserved_a = None
                if own is None or not obeys:
                    reserved_a = self._reserved_a(one, socket, now_s)
                if own is None:
                    yield unreported_facts(one, socket, group, reserved_a)
                    continue
                name = one.participant(socket.connector)
                lingers_a = self.unproven.highest_a(name, now_s)
                yield reported_facts(one, socket, own, group, reserved_a, lingers_a)

    def _reserved_a(self, one: RemoteStation, socket: KnownSocket, now_s: float) -> float | None:
        track = self.state.memory(one.participant(socket.connector)).track
        own = one.reported().get(socket.connector)
        drawn_a = None if own is None or own.measured_a is None else max(own.measured_a)
        envelope_a = track.envelope_a(now_s, drawn_a)
        return one.reserved_a(socket, envelope_a, now_s, self.config.timing)

    def drawn_a(self, now_s: float) -> tuple[PerPhase, PerPhase]:
        """Return the current of all slaves per grid phase, measured and reported recently: what
        certainly flows, and the most that it may be while cars follow lower currents."""
        least, most = ZERO, ZERO
        for one in self.stations.values():
            for socket in one.known.sockets:
                amps = one.certain_a(socket.connector, now_s)
                low_a = self._followed(one.participant(socket.connector), amps, now_s)
                least = least.plus(certain_grid_currents(low_a, socket.rotation))
                most = most.plus(grid_currents(amps, socket.rotation))
        return least, most

    def _followed(self, name: str, measured_a: PerPhase, now_s: float) -> PerPhase:
        """Return the lowest that a socket may draw now: its car follows a lower current before the
        lower current is reported."""
        memory = self.state.memory(name)
        if memory.track.envelope_a(now_s) <= memory.setpoint_a:
            return measured_a
        return PerPhase(*(min(amps, memory.setpoint_a) for amps in measured_a))

    def disconnected(self) -> tuple[DisconnectedSocket, ...]:
        """Return the disconnected limits of all known sockets, for the check of their sum."""
        return tuple(
            DisconnectedSocket(
                own.disconnected_a,
                self.tree.group_of(one.known),
                connected_phases(own.phase_count),
                own.rotation,
            )
            for one in self.stations.values()
            for own in one.known.sockets
        )

    # Status ------------------------------------------------------------------------------------

    def missing(self, now_s: float) -> tuple[str, ...]:
        """Return the stations without contact."""
        return tuple(
            one.id for one in self.stations.values() if one.contact(now_s) is not Contact.PRESENT
        )

    def participants(self, now_s: float, now: datetime) -> tuple[ParticipantRow, ...]:
        """Return a row for each socket; `now` is the date that belongs to `now_s`."""
        return tuple(
            self._row(one, socket, now_s).at(now_s, now)
            for one in self.stations.values()
            for socket in one.known.sockets
        )

    def groups(
        self, limit_a: PerPhase, participants: Iterable[ParticipantRow]
    ) -> tuple[GroupRow, ...]:
        """Return a row for each group and line, the root first. `limit_a`: of the root;
        `participants`: the rows of all sockets."""
        groups = {one.id: self.tree.group_of(one.known) for one in self.stations.values()}
        return group_rows(self.topology(), limit_a, participants, groups)

    def _row(self, one: RemoteStation, socket: KnownSocket, now_s: float) -> SocketView:
        return SocketView(
            station=one,
            socket=socket,
            group=self.tree.parent(one.known),
            phases=self.state.memory(one.participant(socket.connector)).phases.used,
            reserved_a=self._reserved_a(one, socket, now_s),
            minimum_a=self.config.minimum_a,
            it_network=self.config.it_network,
        )
