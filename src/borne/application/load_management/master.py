"""The master of a load-managed group: what all slaves may draw together (manual 7.4, 7.7).

No I/O and no clock: every method gets the monotonic time of the master's station. To drive it, with
`plan` from `domain.load_management.group`:

- For each report received: `on_report`. `NOW`: run a cycle at once; `SAMPLE`: within the sample
  rate; after either, and after `NOTHING`, send what `outgoing` returns.
- A cycle: `plan(master.state, master.snapshot(limit_a, now_s))`, then `apply`, then send what
  `outgoing` returns. The plan may be computed in a worker; it is stale (`fresh=False`) if
  `revision` has changed or a limit has fallen meanwhile.
- A limit that falls: `lower` and send what `outgoing` returns, then a cycle at once.
- At `due_s`: a cycle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from borne.application.load_management.known_slaves import MAX_SLAVES, KnownSlave, KnownSocket
from borne.application.load_management.remote_station import Contact, RemoteStation, Target
from borne.application.load_management.report_changes import differ, wiring
from borne.application.load_management.report_check import cleaned, refusal
from borne.application.load_management.station_facts import (
    reported_facts,
    twin_facts,
    unreported_facts,
)
from borne.application.load_management.status_rows import SocketView, group_rows
from borne.application.load_management.supply_tree import SupplyTree
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import (
    DisconnectedSocket,
    FailSafeTiming,
    reservation_a,
)
from borne.domain.load_management.group import (
    NOMINAL_V,
    GroupPlan,
    GroupSnapshot,
    GroupState,
    lowered,
)
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.load_status import GroupRow, ParticipantRow
from borne.domain.load_management.messages import (
    DEFAULT_TIMING,
    MasterGrant,
    SlaveReport,
)
from borne.domain.load_management.participant import LOWEST_PILOT_A, Reason
from borne.domain.load_management.rotation_slots import TIME_SLOT_S
from borne.domain.load_management.snapshot import RootSources, SharedSupply
from borne.domain.load_management.socket_memory import OVERDRAWN_A, SocketFacts, SocketMemory
from borne.domain.load_management.topology import (
    Group,
    Topology,
    certain_grid_currents,
    connected_phases,
    grid_currents,
)
from borne.foundation.messages import N_, Message
from borne.foundation.units import ZERO, PerPhase

MAX_REFUSED = 50
"""Stations whose refused reports are remembered."""
_TOO_MANY = N_("There are {n} slaves already.")
_FLOODS = N_("It reports too often; some reports are left out.")
_TWINS = N_("More than one station reports as {station}.")
_NO_GROUP = N_("{station} names the group {group}, which does not exist.")
_REFUSED = N_("{station}: {problem}")


class Urgency(Enum):
    """When a report needs a cycle."""

    NOTHING = 0
    SAMPLE = 1
    """With the sample rate."""
    NOW = 2


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


class Master:
    """All slaves, what was sent to them, and what they confirmed."""

    def __init__(
        self, term: int, config: MasterConfig, known: Iterable[KnownSlave], now_s: float
    ) -> None:
        """`term` differs after every start. `known`: the slaves of former starts."""
        self.term = term
        self.state = GroupState()
        self.refused: dict[str, Message] = {}
        """Why reports were refused, by station; the newest ones."""
        self._config = config
        self.known_changes = 0
        """Rises whenever `known` changes."""
        self._number = 0
        self._revision = 0
        self._cycle_s = now_s
        self._plan_due_s: float | None = now_s
        self._tree = SupplyTree(config.groups)
        self._stations = {slave.station: RemoteStation(slave, now_s) for slave in known}
        for one in self._stations.values():
            self._expect(one, now_s)

    # Configuration -----------------------------------------------------------------------------

    def configure(self, config: MasterConfig, now_s: float) -> None:
        """Change the settings; run a cycle afterwards."""
        if config.groups != self._config.groups:
            self._tree = SupplyTree(config.groups)
        self._config = config
        self._revision += 1
        self._plan_due_s = now_s

    @property
    def revision(self) -> int:
        """Rises with every change by which a plan of an older snapshot could be too high."""
        return self._revision

    def known(self) -> tuple[KnownSlave, ...]:
        """Return what is to be stored of all slaves."""
        return tuple(one.known for one in self._stations.values())

    def forget(self, stations: Collection[str]) -> int:
        """Forget slaves, and the current that is reserved for them; return how many. One that still
        reports is taken up again."""
        gone = [name for name in stations if name in self._stations]
        for name in gone:
            del self._stations[name]
        sockets = {name: self.state.memory(name) for name in self._participants()}
        self.state = replace(self.state, sockets=sockets)
        self._revision += 1
        self.known_changes += 1
        return len(gone)

    # Reports -----------------------------------------------------------------------------------

    def on_report(self, report: SlaveReport, now_s: float) -> Urgency:
        """Accept a report, and return when it needs a cycle. Every accepted one is answered by
        `outgoing`."""
        problem = refusal(report)
        if problem is not None:
            return self._refuse(report.station, problem)
        report = cleaned(report)
        one = self._stations.get(report.station)
        if one is None:
            if len(self._stations) >= MAX_SLAVES:
                return self._refuse(report.station, Message(_TOO_MANY, {"n": MAX_SLAVES}))
            one = self._stations[report.station] = RemoteStation(
                KnownSlave(station=report.station), now_s
            )
        if one.floods(now_s):
            return self._refuse(report.station, Message(_FLOODS))
        self.refused.pop(report.station, None)
        before = one.report
        if report.boot in one.former_boots:
            one.note_twin(report, now_s)
            self._revision += bool(one.twins)
            return Urgency.NOW if one.twins else Urgency.NOTHING
        if before is not None and before.boot == report.boot and report.number <= before.number:
            return Urgency.NOTHING
        contact, known = one.contact(now_s), one.known
        one.note(report, now_s)
        self.known_changes += one.known != known
        if before is None or before.boot != report.boot:
            self._adopt(one, now_s)
        else:
            self._note_cars(one, before, now_s)
            if contact is Contact.SILENT:
                self._rejoin(one, now_s)
        changed = self._confirm(one, now_s)
        assert one.report is not None
        urgency = self._urgency(one, before, report)
        return Urgency.NOW if changed or contact is not Contact.PRESENT else urgency

    def renew(self, station: str, now_s: float) -> bool:
        """Record a heartbeat that changed nothing: the station repeated its last report, and is
        answered with its present grant. False if that cannot be, because something is on its way or
        unconfirmed: reports and grants are needed then."""
        one = self._stations.get(station)
        if one is None or one.changed or one.answer_due:
            return False
        if one.contact(now_s) is not Contact.PRESENT or one.confirmed(self.term) is None:
            return False
        sockets = self.state.sockets
        for name in one.targets:
            memory = sockets.get(name)
            if memory is None or memory.track.in_flight:
                return False
        one.renew(now_s)
        return True

    def _refuse(self, station: str, problem: Message) -> Urgency:
        name = station[:MAX_REFUSED]
        self.refused.pop(name, None)
        self.refused[name] = problem
        for oldest in list(self.refused)[:-MAX_REFUSED]:
            del self.refused[oldest]
        return Urgency.NOTHING

    def _urgency(
        self, one: RemoteStation, before: SlaveReport | None, report: SlaveReport
    ) -> Urgency:
        same = before is not None and before.sockets == report.sockets
        if before is None or differ(before, report, same_sockets=same):
            self._revision += before is None or wiring(before) != wiring(report)
            return Urgency.NOW
        for own in report.sockets:
            target = one.targets.get(one.participant(own.connector))
            offered_a = max(own.offered_a, 0.0 if target is None else target.amps)
            if own.measured_a is not None and max(own.measured_a) > offered_a + OVERDRAWN_A:
                self._revision += 1
                return Urgency.NOW
        return Urgency.NOTHING if same else Urgency.SAMPLE

    def _note_cars(self, one: RemoteStation, before: SlaveReport, now_s: float) -> None:
        """Begin again with sockets that have another car, also if the report of the departure was
        lost: what was granted to the former car does not count for the new one."""
        visits = {own.connector: own.visit for own in before.sockets}
        for own in one.reported().values():
            if visits.get(own.connector) != own.visit:
                name = one.participant(own.connector)
                memory = SocketMemory().adopted(own.offered_a, self._number, now_s)
                one.aim(name, Target(own.offered_a, Reason(LimitCause.WAITS_FOR_OTHERS)))
                self._revision += 1
                self.state = replace(self.state, sockets={**self.state.sockets, name: memory})

    # Taking over -------------------------------------------------------------------------------

    def _expect(self, one: RemoteStation, now_s: float) -> None:
        """Count a known slave at its own limits until it reports."""
        self._number += 1
        for socket in one.known.sockets:
            name = one.participant(socket.connector)
            upper_a = reservation_a(socket.upper_a, socket.disconnected_a)
            self._set_aside(name, 0.0, upper_a, now_s, fresh=True)

    def _adopt(self, one: RemoteStation, now_s: float) -> None:
        """Take over a slave that was started, or served another master: what it offers now. Until
        it confirms a grant, an older one may still reach it, so its own limits count."""
        self._join(one, now_s)
        for own in one.reported().values():
            name = one.participant(own.connector)
            upper_a = max(own.upper_a, own.offered_a, own.disconnected_a)
            self._set_aside(name, own.offered_a, upper_a, now_s, fresh=True)

    def _rejoin(self, one: RemoteStation, now_s: float) -> None:
        """Take up a slave again that was silent. It may fall back until it confirms a grant."""
        self._join(one, now_s)
        for own in one.reported().values():
            name = one.participant(own.connector)
            upper_a = max(own.offered_a, own.disconnected_a)
            self._set_aside(name, own.offered_a, upper_a, now_s, fresh=False)

    def _join(self, one: RemoteStation, now_s: float) -> None:
        self._number += 1
        self._revision += 1
        one.proven_s = now_s
        one.targets = {
            one.participant(own.connector): Target(
                own.offered_a, Reason(LimitCause.WAITS_FOR_OTHERS)
            )
            for own in one.reported().values()
        }

    def _set_aside(
        self, name: str, offered_a: float, upper_a: float, now_s: float, *, fresh: bool
    ) -> None:
        """Let a socket stay at `offered_a`, and count `upper_a` until it confirms a grant that is
        sent from now on."""
        memory = self.state.memory(name)
        if fresh:
            memory = memory.adopted(offered_a, self._number - 1, now_s)
        memory = memory.sent(upper_a, self._number, now_s)
        memory = replace(memory, setpoint_a=offered_a)
        self.state = replace(self.state, sockets={**self.state.sockets, name: memory})

    def _confirm(self, one: RemoteStation, now_s: float) -> bool:
        """Record the grant that the last report confirms; True if a current changed by it."""
        found = one.confirmed(self.term)
        if found is None:
            return False
        number, sent = found
        one.note_confirmation(number, sent)
        offers = one.reported()
        amps = {
            one.participant(connector): max(
                own.offered_a, sent.amps.get(one.participant(connector), 0.0)
            )
            for connector, own in offers.items()
        }
        new = {name: own_a for name, own_a in amps.items() if self._news(name, number, own_a)}
        if new:
            self.state = self.state.confirmed(number, new, now_s)
        return bool(new)

    def _news(self, name: str, number: int, amps: float) -> bool:
        track = self.state.memory(name).track
        return track.acknowledged_a != amps or any(own <= number for own, _ in track.in_flight)

    # Cycles ------------------------------------------------------------------------------------

    def snapshot(
        self, limit_a: PerPhase, now_s: float, sources: RootSources | None = None
    ) -> GroupSnapshot:
        """Return the input of a plan. `limit_a`: of the root, per grid phase; `sources`: what sets
        it, for the reasons."""
        config = self._config
        return GroupSnapshot(
            sockets=tuple(self._facts(now_s)),
            supply=SharedSupply(
                limit_a,
                self.topology(),
                it_network=config.it_network,
                imbalance=config.imbalance,
                allow_wakeup=config.allow_wakeup,
                root_sources=sources,
            ),
            minimum_a=config.minimum_a,
            now_s=now_s,
            revision=self._revision,
            slot_s=config.slot_s,
            voltage_v=config.voltage_v,
            remote=True,
        )

    def apply(self, plan: GroupPlan, now_s: float, *, fresh: bool) -> None:
        """Apply a plan; a stale one (`fresh=False`) only lowers."""
        if fresh:
            self.state = plan.state.with_setpoints_of(self.state)
            self._cycle_s, self._plan_due_s = now_s, plan.due_s
        owners = self._owners()
        for name, grant in plan.grants.items():
            one = owners.get(name)
            if one is None or one.contact(now_s) is not Contact.PRESENT:
                continue
            present = one.targets.get(name)
            if fresh or (present is not None and grant.amps < present.amps):
                one.aim(name, Target(grant.amps, grant.reason, grant.until_s))

    def lower(self, limit_a: PerPhase, now_s: float) -> None:
        """Lower the currents at once to a limit that has fallen, without a distribution."""
        amps = {
            name: target.amps
            for one in self._stations.values()
            for name, target in one.targets.items()
        }
        owners = self._owners()
        kept = lowered(self.state, self.snapshot(limit_a, now_s), amps)
        for name, own_a in kept.items():
            if name in amps and own_a < amps[name]:
                owners[name].aim(name, Target(own_a, Reason(LimitCause.GROUP_LIMIT)))

    def outgoing(self, now_s: float) -> list[MasterGrant]:
        """Return the grants to send now: those that changed, and the answers to reports."""
        due = [
            one
            for one in self._stations.values()
            if one.answer_due or (one.changed and one.contact(now_s) is Contact.PRESENT)
        ]
        if not due:
            return []
        self._number += 1
        grants = [one.grant(self.term, self._number, now_s, self._config.timing) for one in due]
        amps = {name: own_a for one in due for name, own_a in one.sent[self._number].amps.items()}
        # A repetition needs no record: what was sent before with the same current counts for it.
        new = {
            name: own_a
            for name, own_a in amps.items()
            if self.state.memory(name).setpoint_a != own_a
        }
        if new:
            self.state = self.state.sent(new, self._number, now_s)
        return grants

    def due_s(self, now_s: float) -> float | None:
        """Return when the next cycle is due if nothing happens before."""
        quiet_until_s = self.quiet_until_s(now_s)
        return max(now_s, min(self._cycle_s + self._config.sample_s, quiet_until_s))

    def quiet_until_s(self, now_s: float) -> float:
        """Return until when a cycle would change nothing, if no report asks for one and no limit
        changes."""
        due_s = float("inf") if self._plan_due_s is None else self._plan_due_s
        for one in self._stations.values():
            due_s = min(due_s, one.next_due_s(self._cycle_s, self._config.timing))
        return max(now_s, due_s)

    # Sockets and groups ------------------------------------------------------------------------

    def topology(self) -> Topology:
        """Return the tree: the configured groups, and a line for each station with a shared
        limit."""
        return self._tree.topology(one.known for one in self._stations.values())

    def problems(self, now_s: float) -> tuple[Message, ...]:
        """Return what is wrong with the stations of the group, for people: refused reports, groups
        that are not configured (the station counts in the root only), two stations of one id."""
        found = [
            Message(_REFUSED, {"station": name, "problem": problem})
            for name, problem in self.refused.items()
        ]
        for one in self._stations.values():
            if not self._tree.knows(one.known):
                found.append(Message(_NO_GROUP, {"station": one.id, "group": one.known.group}))
            if one.present_twins(now_s, self._config.timing):
                found.append(Message(_TWINS, {"station": one.id}))
        return tuple(found)

    def _participants(self) -> Iterator[str]:
        for one in self._stations.values():
            yield from (one.participant(own.connector) for own in one.known.sockets)

    def _owners(self) -> dict[str, RemoteStation]:
        return {
            one.participant(own.connector): one
            for one in self._stations.values()
            for own in one.known.sockets
        }

    def _facts(self, now_s: float) -> Iterator[SocketFacts]:
        for one in self._stations.values():
            group, reported = self._tree.group_of(one.known), one.reported()
            yield from twin_facts(one, group, one.present_twins(now_s, self._config.timing))
            obeys = one.contact(now_s) is Contact.PRESENT
            for socket in one.known.sockets:
                own = reported.get(socket.connector)
                if own is not None and obeys:
                    yield reported_facts(one, socket, own, group, None)
                    continue
                reserved_a = self._reserved_a(one, socket, now_s)
                if own is not None:
                    yield reported_facts(one, socket, own, group, reserved_a)
                else:
                    yield unreported_facts(one, socket, group, reserved_a)

    def _reserved_a(self, one: RemoteStation, socket: KnownSocket, now_s: float) -> float | None:
        track = self.state.memory(one.participant(socket.connector)).track
        own = one.reported().get(socket.connector)
        drawn_a = None if own is None or own.measured_a is None else max(own.measured_a)
        envelope_a = track.envelope_a(now_s, drawn_a)
        return one.reserved_a(socket, envelope_a, now_s, self._config.timing)

    def drawn_a(self, now_s: float) -> tuple[PerPhase, PerPhase]:
        """Return the current of all slaves per grid phase, measured and reported recently: what
        certainly flows, and the most that it may be while cars follow lower currents."""
        least, most = ZERO, ZERO
        for one in self._stations.values():
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
                self._tree.group_of(one.known),
                connected_phases(own.phase_count),
                own.rotation,
            )
            for one in self._stations.values()
            for own in one.known.sockets
        )

    # Status ------------------------------------------------------------------------------------

    def stations(self) -> Collection[str]:
        """Return all stations that are known."""
        return self._stations.keys()

    def missing(self, now_s: float) -> tuple[str, ...]:
        """Return the stations without contact."""
        return tuple(
            one.id for one in self._stations.values() if one.contact(now_s) is not Contact.PRESENT
        )

    def participants(self, now_s: float, now: datetime) -> tuple[ParticipantRow, ...]:
        """Return a row for each socket; `now` is the date that belongs to `now_s`."""
        return tuple(
            self._row(one, socket, now_s).at(now_s, now)
            for one in self._stations.values()
            for socket in one.known.sockets
        )

    def groups(
        self, limit_a: PerPhase, participants: Iterable[ParticipantRow]
    ) -> tuple[GroupRow, ...]:
        """Return a row for each group and line, the root first. `limit_a`: of the root;
        `participants`: the rows of all sockets."""
        groups = {one.id: self._tree.group_of(one.known) for one in self._stations.values()}
        return group_rows(self.topology(), limit_a, participants, groups)

    def _row(self, one: RemoteStation, socket: KnownSocket, now_s: float) -> SocketView:
        return SocketView(
            station=one,
            socket=socket,
            group=self._tree.parent(one.known),
            phases=self.state.memory(one.participant(socket.connector)).phases.used,
            reserved_a=self._reserved_a(one, socket, now_s),
            minimum_a=self._config.minimum_a,
            it_network=self._config.it_network,
        )
