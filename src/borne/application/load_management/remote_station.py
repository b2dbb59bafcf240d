"""What a master knows of one slave: its last report, what was sent to it, and since when it proves
that it receives grants (manual 7.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import NamedTuple

from borne.application.load_management.known_slaves import KnownSlave, KnownSocket
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import MARGIN_S, FailSafeTiming, reservation_a
from borne.domain.load_management.messages import (
    MASTER_TIMEOUT_S,
    REPORT_S,
    MasterGrant,
    SlaveReport,
    SocketGrant,
    SocketReport,
)
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.redistribution import EV_REACTION_S
from borne.foundation.units import ZERO, PerPhase

START_WINDOW_S = 2 * REPORT_S + 1.0
"""After its start a master waits this long for the reports of the known slaves; meanwhile it raises
no current that could meet one of theirs, but takes none away either (decision 0218)."""

UNCONFIRMED_S = 2 * MASTER_TIMEOUT_S
"""A slave that reports but has confirmed no newer grant for this long may not receive any: it is
about to fall back to its disconnected limit."""

FREED_S = EV_REACTION_S + MARGIN_S
"""Time for the cars after the last time-out of a lost slave."""

MAX_UNCONFIRMED = 64
"""Grants that are remembered until a newer one is confirmed."""

REPORTS_PER_S = 20.0
MAX_BURST = 100.0
"""A station that reports more often is answered less often than it reports."""

TWIN_S = 600.0
"""A second station under the same id counts for this long after its last report."""

CERTAIN_S = 2 * REPORT_S
"""A measured current is certain to flow for this long after its report."""


class Contact(Enum):
    """What a master can expect of a slave."""

    EXPECTED = "expected"
    """Known, and not received since the recent start of the master."""
    MISSING = "missing"
    """Known, and not received since the start of the master."""
    PRESENT = "present"
    SILENT = "silent"
    """It has stopped reporting."""
    UNCONFIRMED = "unconfirmed"
    """It reports, but does not confirm what is sent to it."""

    @property
    def lost(self) -> bool:
        """True if a current is reserved, which the slave cannot be asked to lower."""
        return self in {Contact.MISSING, Contact.SILENT, Contact.UNCONFIRMED}


class Target(NamedTuple):
    """What a socket is to offer."""

    amps: float
    reason: Reason
    until_s: float | None = None
    """When a time ends that the reason depends on; monotonic."""


@dataclass(frozen=True, slots=True)
class Twin:
    """Another station that uses the same id. It gets no grants, so it falls back by itself."""

    report: SlaveReport
    received_s: float
    number: int = 1
    """Reports so far: a single one may have been late only, after a restart."""

    def counts(self, now_s: float, timing: FailSafeTiming) -> bool:
        """True while a current is reserved for it."""
        kept_s = TWIN_S if self.number > 1 else timing.static_after_s + FREED_S
        return now_s < self.received_s + kept_s


@dataclass(frozen=True, slots=True)
class SentGrant:
    """A grant on its way, or in force."""

    at_s: float
    proven_s: float
    """The slave cannot have sent the report that it answers earlier."""
    amps: Mapping[str, float]


WAITING = Target(0.0, Reason(LimitCause.WAITS_FOR_OTHERS))


class RemoteStation:
    """A slave of the group, from the first report or from the stored list."""

    def __init__(self, known: KnownSlave, now_s: float) -> None:
        self.known = known
        self.report: SlaveReport | None = None
        self._live = False
        """Something is measured that counts as certain for a while."""
        self.received_s = now_s
        """Of the last report; before it, since when it is expected."""
        self.proven_s = now_s
        """The present grant of the slave counts from this time or later."""
        self.former_boots: Mapping[int, int] = {}
        """Number of the last report of each former boot."""
        self.sent: dict[int, SentGrant] = {}
        self.use_since_s: dict[int, float] = {}
        """Since when a socket is used as it is now."""
        self.twins: dict[int, Twin] = {}
        """By boot."""
        self._burst = MAX_BURST
        self._burst_s = now_s
        self.targets: dict[str, Target] = {}
        self.answer_due = False
        self.changed = False
        """A target differs from what was sent last."""

    @property
    def id(self) -> str:
        """The id of the station."""
        return self.known.station

    def participant(self, connector: int) -> str:
        """Return the name of a socket in the distribution."""
        return f"{self.known.station}/{connector}"

    def contact(self, now_s: float) -> Contact:
        """Return what can be expected of the slave now."""
        if self.report is None:
            expected = now_s < self.received_s + START_WINDOW_S
            return Contact.EXPECTED if expected else Contact.MISSING
        if now_s >= self.received_s + MASTER_TIMEOUT_S:
            return Contact.SILENT
        if now_s >= self.proven_s + UNCONFIRMED_S:
            return Contact.UNCONFIRMED
        return Contact.PRESENT

    def reported(self) -> Mapping[int, SocketReport]:
        """Return the sockets of the last report, by connector."""
        return {} if self.report is None else {own.connector: own for own in self.report.sockets}

    def reserved_a(
        self, socket: KnownSocket, envelope_a: float, now_s: float, timing: FailSafeTiming
    ) -> float | None:
        """Return what is reserved for a socket, in amps per phase; None while the slave obeys.
        `envelope_a`: the highest current that its last grants allow."""
        contact = self.contact(now_s)
        kept_s = timing.static_after_s + FREED_S
        own_a = socket.disconnected_a
        if contact is Contact.MISSING:
            over = now_s >= self.received_s + kept_s
            return own_a if over else reservation_a(socket.upper_a, own_a)
        if contact is Contact.SILENT:
            over = now_s >= self.received_s + kept_s
            return own_a if over else reservation_a(envelope_a, own_a)
        present = self.reported().get(socket.connector)
        if contact is Contact.UNCONFIRMED:
            if now_s < self.proven_s + kept_s or present is None:
                return reservation_a(envelope_a, own_a)
            return reservation_a(present.offered_a, own_a)
        if contact is Contact.PRESENT and present is None:
            return reservation_a(envelope_a, own_a)  # a socket that its station no longer reports
        return None

    def next_due_s(self, after_s: float, timing: FailSafeTiming) -> float:
        """Return when something follows from the silence of the slave, after `after_s`."""
        next_s = inf
        for due_s in self._dues_s(timing):
            if after_s < due_s < next_s:
                next_s = due_s
        return next_s

    def _dues_s(self, timing: FailSafeTiming) -> tuple[float, ...]:
        received_s, proven_s = self.received_s, self.proven_s
        kept_s = timing.static_after_s + FREED_S
        if self.report is None:
            return received_s + START_WINDOW_S, received_s + kept_s
        dues_s = (
            received_s + MASTER_TIMEOUT_S,
            received_s + kept_s,
            proven_s + UNCONFIRMED_S,
            proven_s + kept_s,
        )
        return (received_s + CERTAIN_S, *dues_s) if self._live else dues_s

    # Reports and grants ------------------------------------------------------------------------

    def floods(self, now_s: float) -> bool:
        """Count a report; True if the station sends more than a master reads."""
        regained = (now_s - self._burst_s) * REPORTS_PER_S
        self._burst, self._burst_s = min(MAX_BURST, self._burst + regained), now_s
        if self._burst < 1.0:
            return True
        self._burst -= 1.0
        return False

    def note_twin(self, report: SlaveReport, now_s: float) -> None:
        """Record a report of a boot that another one has followed."""
        last = self.twins.get(report.boot)
        newest = self.former_boots[report.boot] if last is None else last.report.number
        if report.number <= newest:
            return
        twin = Twin(report, now_s, 1 if last is None else last.number + 1)
        self.twins = {**self.twins, report.boot: twin}

    def present_twins(self, now_s: float, timing: FailSafeTiming) -> list[Twin]:
        """Return the other stations under this id for which a current is reserved."""
        if self.twins:
            self.twins = {
                boot: twin for boot, twin in self.twins.items() if twin.counts(now_s, timing)
            }
        return list(self.twins.values())

    def note(self, report: SlaveReport, now_s: float) -> None:
        """Record an accepted report."""
        before = self.report
        if before is not None and before.boot != report.boot:
            kept = {**self.former_boots, before.boot: before.number}
            self.former_boots = dict(list(kept.items())[-8:])
            self.sent = {}
        uses = {} if before is None else {own.connector: own.use for own in before.sockets}
        for own in report.sockets:
            if uses.get(own.connector) is not own.use:
                self.use_since_s[own.connector] = now_s
        absent = self.known.sockets if before is not None and before.boot == report.boot else ()
        self.known = self.known.updated(report, absent)
        self.report, self.received_s = report, now_s
        self._live = any(own.live and own.measured_a is not None for own in report.sockets)
        self.answer_due = True

    def renew(self, now_s: float) -> None:
        """Record that the last report was repeated, and that the slave confirmed what it got a
        heartbeat before."""
        self.received_s = now_s
        self.proven_s = max(self.proven_s, now_s - REPORT_S)

    def aim(self, participant: str, target: Target) -> None:
        """Set what a socket is to offer."""
        before = self.targets.get(participant)
        self.targets[participant] = target
        self.changed |= before is None or before.amps != target.amps

    def grant(self, term: int, number: int, now_s: float, timing: FailSafeTiming) -> MasterGrant:
        """Return a grant of the targets, to be sent now."""
        report = self.report
        assert report is not None
        amps = {}
        sockets = []
        lost = self.contact(now_s).lost
        for own in report.sockets:
            name = self.participant(own.connector)
            target = self.targets.get(name, WAITING)
            # A slave that does not confirm may only follow downwards.
            amps[name] = min(target.amps, own.disconnected_a) if lost else target.amps
            sockets.append(_socket_grant(own.connector, amps[name], target.reason))
        self.sent[number] = SentGrant(now_s, self._report_proven_s(term), amps)
        for oldest in list(self.sent)[:-MAX_UNCONFIRMED]:
            del self.sent[oldest]
        self.answer_due = self.changed = False
        return MasterGrant(
            station=self.id,
            term=term,
            number=number,
            boot=report.boot,
            answers=report.number,
            sockets=tuple(sockets),
            timing=timing,
        )

    def confirmed(self, term: int) -> tuple[int, SentGrant] | None:
        """Return the grant that the last report confirms, if it is one of this master's."""
        confirms = None if self.report is None else self.report.confirms
        if confirms is None or confirms[0] != term:
            return None
        sent = self.sent.get(confirms[1])
        return None if sent is None else (confirms[1], sent)

    def note_confirmation(self, number: int, sent: SentGrant) -> None:
        """Record that the slave applies a grant."""
        self.proven_s = max(self.proven_s, sent.proven_s)
        self.sent = {own: grant for own, grant in self.sent.items() if own >= number}

    def _report_proven_s(self, term: int) -> float:
        """Return a time at which the last report had not been sent yet: it confirms a grant that
        was sent then. The first reports confirm none; they count from their receipt."""
        confirmed = self.confirmed(term)
        return self.received_s if confirmed is None else confirmed[1].at_s

    def certain_a(self, connector: int, now_s: float) -> PerPhase:
        """Return the measured current of a socket that certainly flows, per phase of the socket."""
        own = self.reported().get(connector)
        if own is None or own.measured_a is None or not own.live:
            return ZERO
        return own.measured_a if now_s < self.received_s + CERTAIN_S else ZERO


def _socket_grant(connector: int, amps: float, reason: Reason) -> SocketGrant:
    link = reason.link
    group, phase = (None, None) if link is None else (link.group, link.phase)
    return SocketGrant(connector, amps, reason.cause, group, phase, reason.source)
