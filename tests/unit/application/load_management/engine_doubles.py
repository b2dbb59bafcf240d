"""A master and slaves whose messages the test carries, at times of the test."""

from __future__ import annotations

from borne.application.load_management.group_record import MasterConfig
from borne.application.load_management.known_slaves import KnownSlave
from borne.application.load_management.master import Master, Urgency
from borne.application.load_management.slave import Slave
from borne.domain.load_management.group import plan
from borne.domain.load_management.messages import (
    MasterGrant,
    SlaveReport,
    SocketReport,
    SocketUse,
)
from borne.foundation.units import PerPhase


def socket(offered_a: float = 0.0, *, wants: bool = True, connector: int = 1) -> SocketReport:
    """A socket whose three-phase car draws what it is offered."""
    draws = wants and offered_a > 0
    return SocketReport(
        connector=connector,
        use=SocketUse.CHARGING if draws else SocketUse.FREE,
        wants=wants,
        asking=wants,
        closed=draws,
        live=draws,
        measured_a=PerPhase.same(offered_a if draws else 0.0),
        offered_a=offered_a,
        upper_a=32.0,
    )


class OneSlave:
    """A slave with a car at its socket."""

    def __init__(self, name: str, now_s: float, boot: int = 1, disconnected_a: float = 7.0) -> None:
        self.wants = True
        self.slave = Slave(name, name.title(), boot, {1: disconnected_a}, now_s)

    def amps(self, now_s: float) -> float:
        return self.slave.currents(now_s)[1].amps

    def accept(self, grant: MasterGrant, now_s: float) -> None:
        self.slave.on_grant(grant, now_s)

    def report(self, now_s: float) -> SlaveReport:
        own = socket(self.amps(now_s), wants=self.wants)
        return self.slave.report([own], None, now_s)


class Group:
    """A master with slaves on a network without delay."""

    def __init__(
        self,
        limit_a: float = 32.0,
        *names: str,
        known: tuple[KnownSlave, ...] = (),
        term: int = 1,
        now_s: float = 0.0,
        config: MasterConfig | None = None,
    ) -> None:
        self.now_s = now_s
        self.limit_a = PerPhase.same(limit_a)
        self.master = Master(term, config or MasterConfig(minimum_a=6.0), known, now_s)
        self.slaves = {name: OneSlave(name, now_s) for name in names}
        self.silent: set[str] = set()
        """Stations whose reports are lost."""
        self.unreached: set[str] = set()
        """Stations whose grants are lost."""
        self.grants: list[MasterGrant] = []

    def cycle(self) -> None:
        found = plan(self.master.state, self.master.snapshot(self.limit_a, self.now_s))
        self.master.apply(found, self.now_s, fresh=True)

    def exchange(self, name: str) -> Urgency:
        """A report, and the grants that follow."""
        report = self.slaves[name].report(self.now_s)
        if name in self.silent:
            return Urgency.NOTHING
        urgency = self.master.on_report(report, self.now_s)
        if urgency is Urgency.NOW:
            self.cycle()
        self.send()
        return urgency

    def send(self) -> None:
        for grant in self.master.outgoing(self.now_s):
            self.grants.append(grant)
            one = self.slaves.get(grant.station)
            if one is not None and grant.station not in self.unreached:
                one.slave.on_grant(grant, self.now_s)

    def run(self, for_s: float) -> None:
        """Let every station report each second."""
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            self.now_s += 1.0
            for name in self.slaves:
                self.exchange(name)
            due_s = self.master.due_s(self.now_s)
            if due_s is not None and due_s <= self.now_s:
                self.cycle()
                self.send()

    def amps(self) -> list[float]:
        return [one.amps(self.now_s) for one in self.slaves.values()]
