"""A station as a member of a load-managed group: what its master grants, and what it may offer
without a master (manual 7.4, 7.7).

No I/O and no clock: every method gets the monotonic time of the station. To drive it:

- At each change of a socket, and at `due_s`: set the offers to `currents`, then send `report`, and
  set the offers again: a socket whose car has left loses its grant with the report that says so.
- For each grant received: `on_grant`; if it returns True, set the offers to `currents`; then, if
  `unconfirmed`, send `report`, which confirms the grant. Offers are set before the report is made.
  A grant that changes nothing is confirmed by the next regular report: a report for each would
  never end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import NamedTuple

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage, FailSafeTiming, fallback_a
from borne.domain.load_management.load_status import SlaveStatus
from borne.domain.load_management.messages import (
    DEFAULT_TIMING,
    REPORT_S,
    MasterGrant,
    SlaveReport,
    SocketGrant,
    SocketReport,
)
from borne.domain.load_management.participant import LOWEST_PILOT_A
from borne.domain.load_management.topology import ROOT, SupplyLink
from borne.foundation.units import PerPhase

MAX_TIMEOUT_S = 600.0
"""Longest heartbeat time-out that a slave accepts: it would notice a lost master too late."""

MAX_OPEN_REPORTS = 512
"""Reports whose time is remembered; a grant that answers an older one is out of date."""


class SlaveCurrent(NamedTuple):
    """What a socket may offer as a member of the group, in amps per phase; 0 is a pause."""

    amps: float
    cause: LimitCause
    link: SupplyLink | None = None
    """The line that is full."""
    limited_by: LimitCause | None = None
    """The row behind it."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """An accepted grant. It counts from the moment at which the report that it answers was sent."""

    term: int
    number: int
    answers: int
    since_s: float
    received_s: float
    sockets: Mapping[int, SocketGrant] = field(default_factory=dict)
    timing: FailSafeTiming = DEFAULT_TIMING

    @property
    def limited_s(self) -> float:
        """When its sockets fall to their disconnected limit at most."""
        return self.since_s + self.timing.heartbeat_timeout_s

    @property
    def static_s(self) -> float:
        """When its sockets offer their disconnected limit."""
        return self.since_s + self.timing.static_after_s


class Slave:
    """The grants of one station since its start."""

    def __init__(
        self,
        station: str,
        name: str,
        boot: int,
        disconnected_a: Mapping[int, float],
        now_s: float,
        *,
        group: str = ROOT,
    ) -> None:
        """`disconnected_a`: the Disconnected Limit of each socket, by connector. `boot` differs
        after every start."""
        self.station = station
        self.name = name
        self.boot = boot
        self.group = group
        self.unconfirmed = False
        """A grant has changed a current, its reason or the term since the last report."""
        self._disconnected_a = dict(disconnected_a)
        # As after an expired grant of 0 A: nothing until every other slave is limited too.
        start_s = now_s - DEFAULT_TIMING.heartbeat_timeout_s
        self._start_static_s = now_s + DEFAULT_TIMING.static_after_s
        self._lease = _Lease(0, 0, 0, start_s, start_s)
        self._accepted = False
        self._renewed_s = float("-inf")
        self._former_terms: tuple[int, ...] = ()
        self._visits: dict[int, int] = {}
        self._left: dict[int, int] = {}
        """Number of the last report without a car at a socket: older grants were for another
        car, which may have used fewer phases."""
        self._number = 0
        self._sent_s: dict[int, float] = {}
        self._reported_s = float("-inf")

    def configure(self, disconnected_a: Mapping[int, float]) -> None:
        """Change the Disconnected Limits; set the offers and send a report afterwards."""
        self._disconnected_a = dict(disconnected_a)

    # Grants ------------------------------------------------------------------------------------

    def on_grant(self, grant: MasterGrant, now_s: float) -> bool:
        """Accept a grant; False if it does not count: for another station or boot, of a former
        term, older than the present one, or expired."""
        since_s = self._sent_s.get(grant.answers)
        if grant.station != self.station or grant.boot != self.boot or since_s is None:
            return False
        lease = _Lease(
            grant.term,
            grant.number,
            grant.answers,
            since_s,
            now_s,
            {own.connector: own for own in grant.sockets},
            grant.timing,
        )
        if not _usable(grant.timing) or now_s >= lease.limited_s:
            return False
        if not self._newer(lease, now_s):
            return False
        before, known = self.currents(now_s), self._accepted and lease.term == self._lease.term
        if self._accepted and not known:
            self._former_terms = (*self._former_terms[-7:], self._lease.term)
        self._lease, self._accepted = lease, True
        self._renewed_s = since_s
        self._forget_reports(before=grant.answers)
        self.unconfirmed |= not known or self.currents(now_s) != before
        return True

    def renew(self, since_s: float, now_s: float) -> None:
        """Record a heartbeat that changed nothing: the last report was repeated at `since_s`, and
        answered with the present grant."""
        if self._accepted and self._stage(now_s) is FailSafeStage.CONNECTED:
            self._renewed_s = max(self._renewed_s, since_s)
            self._sent_s[self._number] = self._renewed_s
            self._reported_s = now_s

    def _newer(self, lease: _Lease, now_s: float) -> bool:
        if not self._accepted:
            return True
        present = self._lease
        if lease.term == present.term:
            return lease.number > present.number and lease.answers >= present.answers
        if self._stage(now_s) is not FailSafeStage.CONNECTED:
            self._former_terms = ()
            return lease.answers >= present.answers
        # A delayed grant of a master that was replaced would be unknown to its successor.
        return lease.answers > present.answers and lease.term not in self._former_terms

    def _forget_reports(self, before: int) -> None:
        self._sent_s = {number: at_s for number, at_s in self._sent_s.items() if number >= before}

    # What the sockets may offer ----------------------------------------------------------------

    def currents(self, now_s: float) -> Mapping[int, SlaveCurrent]:
        """Return what each socket may offer now, by connector."""
        stage = self._stage(now_s)
        return {
            connector: self._current(connector, stage) for connector in sorted(self._disconnected_a)
        }

    def _current(self, connector: int, stage: FailSafeStage) -> SlaveCurrent:
        grant = self._lease.sockets.get(connector)
        if self._lease.answers < self._left.get(connector, 0):
            grant = None
        granted_a = _amps(grant.amps) if grant is not None else 0.0
        amps = fallback_a(granted_a, _amps(self._disconnected_a[connector]), stage)
        amps = amps if amps >= LOWEST_PILOT_A else 0.0
        if stage is not FailSafeStage.CONNECTED:
            return SlaveCurrent(amps, LimitCause.FALLBACK)
        if grant is None:
            left = connector in self._left
            return SlaveCurrent(0.0, LimitCause.NO_DEMAND if left else LimitCause.PAUSED)
        full = grant.group is not None and grant.phase is not None
        link = SupplyLink(grant.group, grant.phase) if full else None  # type: ignore[arg-type]
        return SlaveCurrent(amps, grant.cause, link, grant.limited_by)

    def _stage(self, now_s: float) -> FailSafeStage:
        if now_s < self._limited_s:
            return FailSafeStage.CONNECTED
        return FailSafeStage.LIMITED if now_s < self._static_s else FailSafeStage.STATIC

    @property
    def _limited_s(self) -> float:
        if self._renewed_s <= self._lease.since_s:
            return self._lease.limited_s
        return self._renewed_s + self._lease.timing.heartbeat_timeout_s

    @property
    def _static_s(self) -> float:
        if not self._accepted:
            return self._start_static_s
        if self._renewed_s <= self._lease.since_s:
            return self._lease.static_s
        return self._renewed_s + self._lease.timing.static_after_s

    def due_s(self, now_s: float) -> float | None:
        """Return when the next report or change of stage is due, not before `now_s`."""
        dues = [max(now_s, self._reported_s + REPORT_S)]
        dues += [due for due in (self._limited_s, self._static_s) if due > now_s]
        return min(dues)

    # Reports -----------------------------------------------------------------------------------

    def report(
        self, sockets: Sequence[SocketReport], limit_a: PerPhase | None, now_s: float
    ) -> SlaveReport:
        """Return the next report, to be sent now. `limit_a`: what all sockets together may draw,
        per grid phase."""
        self._number += 1
        self._sent_s[self._number] = now_s
        self._note_cars(sockets)
        self._forget_reports(before=self._number - MAX_OPEN_REPORTS)
        self._reported_s = now_s
        self.unconfirmed = False
        return SlaveReport(
            station=self.station,
            name=self.name,
            boot=self.boot,
            number=self._number,
            confirms=(self._lease.term, self._lease.number) if self._accepted else None,
            group=self.group,
            limit_a=limit_a,
            sockets=tuple(self._stamped(own) for own in sockets),
        )

    def _stamped(self, own: SocketReport) -> SocketReport:
        """Return the report with what the slave knows better."""
        limit_a = _amps(self._disconnected_a.get(own.connector, 0.0))
        visit = self._visits.get(own.connector, 0)
        if (own.disconnected_a, own.visit) == (limit_a, visit):
            return own
        return replace(own, disconnected_a=limit_a, visit=visit)

    def _note_cars(self, sockets: Sequence[SocketReport]) -> None:
        for own in sockets:
            if not own.wants:
                self._left[own.connector] = self._number
            elif self._left.get(own.connector) == self._number - 1:
                self._visits[own.connector] = self._visits.get(own.connector, 0) + 1

    def status(self, now_s: float, master: str = "") -> SlaveStatus:
        """Return the part that is shown; `master`: its address."""
        stage = self._stage(now_s)
        connected = stage is FailSafeStage.CONNECTED
        return SlaveStatus(
            stage=stage,
            master=master,
            received_s=now_s - self._lease.received_s if self._accepted else None,
            limited_in_s=self._limited_s - now_s if connected else None,
            static_in_s=None if stage is FailSafeStage.STATIC else self._static_s - now_s,
            disconnected_a=max(map(_amps, self._disconnected_a.values()), default=0.0),
            granted_a=tuple(
                (connector, current.amps) for connector, current in self.currents(now_s).items()
            ),
        )


def _amps(amps: float) -> float:
    """Return a usable current: what is not a number, infinite or negative allows nothing."""
    return amps if isfinite(amps) and amps > 0 else 0.0


def _usable(timing: FailSafeTiming) -> bool:
    return (
        0 < timing.heartbeat_timeout_s <= MAX_TIMEOUT_S and 0 <= timing.max_skew_s <= MAX_TIMEOUT_S
    )
