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

from collections.abc import Collection, Iterable
from dataclasses import replace
from enum import Enum

from borne.application.load_management.group_record import GroupRecord, MasterConfig
from borne.application.load_management.known_slaves import MAX_SLAVES, KnownSlave
from borne.application.load_management.remote_station import Contact, RemoteStation, Target
from borne.application.load_management.report_changes import differ, wiring
from borne.application.load_management.report_check import cleaned, refusal
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import reservation_a
from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState, lowered
from borne.domain.load_management.messages import MasterGrant, SlaveReport
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.snapshot import RootSources, SharedSupply
from borne.domain.load_management.socket_memory import OVERDRAWN_A, SocketMemory
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase

MAX_REFUSED = 50
"""Stations whose refused reports are remembered."""
_TOO_MANY = N_("There are {n} slaves already.")
_FLOODS = N_("It reports too often; some reports are left out.")


class Urgency(Enum):
    """When a report needs a cycle."""

    NOTHING = 0
    SAMPLE = 1
    """With the sample rate."""
    NOW = 2


class Master:
    """Takes reports and plans, and makes grants. What it knows is in `group`."""

    def __init__(
        self, term: int, config: MasterConfig, known: Iterable[KnownSlave], now_s: float
    ) -> None:
        """`term` differs after every start. `known`: the slaves of former starts."""
        self.term = term
        self.group = GroupRecord(config, known, now_s)
        self.known_changes = 0
        """Rises whenever `known` changes."""
        self._number = 0
        self._revision = 0
        self._cycle_s = now_s
        self._plan_due_s: float | None = now_s
        for one in self.group.stations.values():
            self._expect(one, now_s)

    # Configuration -----------------------------------------------------------------------------

    def configure(self, config: MasterConfig, now_s: float) -> None:
        """Change the settings; run a cycle afterwards."""
        self.group.configure(config)
        self._revision += 1
        self._plan_due_s = now_s

    @property
    def revision(self) -> int:
        """Rises with every change by which a plan of an older snapshot could be too high."""
        return self._revision

    @property
    def state(self) -> GroupState:
        """The state for the next plan."""
        return self.group.state

    def forget(self, stations: Collection[str]) -> int:
        """Forget slaves, and the current that is reserved for them; return how many. One that still
        reports is taken up again."""
        gone = [name for name in stations if name in self.group.stations]
        for name in gone:
            one = self.group.stations.pop(name)
            for own in one.known.sockets:
                self.group.unproven.forget(one.participant(own.connector))
        sockets = {name: self.state.memory(name) for name in self.group.names()}
        self.group.state = replace(self.state, sockets=sockets)
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
        one = self.group.stations.get(report.station)
        if one is None:
            if len(self.group.stations) >= MAX_SLAVES:
                return self._refuse(report.station, Message(_TOO_MANY, {"n": MAX_SLAVES}))
            one = self.group.stations[report.station] = RemoteStation(
                KnownSlave(station=report.station), now_s
            )
        if one.floods(now_s):
            return self._refuse(report.station, Message(_FLOODS))
        self.group.refused.pop(report.station, None)
        before = one.report
        if report.boot in one.former_boots:
            one.note_twin(report, now_s)
            self._revision += bool(one.twins)
            return Urgency.NOW if one.twins else Urgency.NOTHING
        if before is not None and before.boot == report.boot and report.number <= before.number:
            return Urgency.NOTHING
        contact, known = one.contact(now_s), one.known
        one.note(report, now_s)
        self.group.note_unproven(one, report, now_s)
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
        one = self.group.stations.get(station)
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
        self.group.refused.pop(name, None)
        self.group.refused[name] = problem
        for oldest in list(self.group.refused)[:-MAX_REFUSED]:
            del self.group.refused[oldest]
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
                self.group.state = replace(self.state, sockets={**self.state.sockets, name: memory})

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
        self.group.state = replace(self.state, sockets={**self.state.sockets, name: memory})

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
            self.group.state = self.state.confirmed(number, new, now_s)
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
        config = self.group.config
        return GroupSnapshot(
            sockets=tuple(self.group.facts(now_s)),
            supply=SharedSupply(
                limit_a,
                self.group.topology(),
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
            self.group.state = plan.state.with_setpoints_of(self.state)
            self._cycle_s, self._plan_due_s = now_s, plan.due_s
        owners = self.group.owners()
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
            for one in self.group.stations.values()
            for name, target in one.targets.items()
        }
        owners = self.group.owners()
        kept = lowered(self.state, self.snapshot(limit_a, now_s), amps)
        for name, own_a in kept.items():
            if name in amps and own_a < amps[name]:
                owners[name].aim(name, Target(own_a, Reason(LimitCause.GROUP_LIMIT)))

    def outgoing(self, now_s: float) -> list[MasterGrant]:
        """Return the grants to send now: those that changed, and the answers to reports."""
        due = [
            one
            for one in self.group.stations.values()
            if one.answer_due or (one.changed and one.contact(now_s) is Contact.PRESENT)
        ]
        if not due:
            return []
        self._number += 1
        grants = [
            one.grant(self.term, self._number, now_s, self.group.config.timing) for one in due
        ]
        amps = {name: own_a for one in due for name, own_a in one.sent[self._number].amps.items()}
        # A repetition needs no record: what was sent before with the same current counts for it.
        new = {
            name: own_a
            for name, own_a in amps.items()
            if self.state.memory(name).setpoint_a != own_a
        }
        if new:
            self.group.state = self.state.sent(new, self._number, now_s)
        return grants

    def due_s(self, now_s: float) -> float | None:
        """Return when the next cycle is due if nothing happens before."""
        quiet_until_s = self.quiet_until_s(now_s)
        return max(now_s, min(self._cycle_s + self.group.config.sample_s, quiet_until_s))

    def quiet_until_s(self, now_s: float) -> float:
        """Return until when a cycle would change nothing, if no report asks for one and no limit
        changes."""
        due_s = float("inf") if self._plan_due_s is None else self._plan_due_s
        for one in self.group.stations.values():
            due_s = min(due_s, one.next_due_s(self._cycle_s, self.group.config.timing))
        return max(now_s, due_s)
