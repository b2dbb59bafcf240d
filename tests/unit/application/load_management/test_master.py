"""A master shares the limit among its slaves, and reserves a current for those that are silent
(manual 7.4, 7.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from borne.application.load_management.group_record import MasterConfig
from borne.application.load_management.known_slaves import KnownSlave, KnownSocket
from borne.application.load_management.master import Master, Urgency
from borne.application.load_management.report_check import MAX_SOCKETS
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.group import plan
from borne.domain.load_management.load_status import ParticipantRow, Trust
from borne.domain.load_management.messages import SlaveReport, SocketReport
from borne.domain.load_management.topology import Group as Line
from borne.domain.load_management.topology import Rotation
from borne.foundation.units import PerPhase
from tests.unit.application.load_management.engine_doubles import Group, OneSlave, socket

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def known(station: str, upper_a: float = 32.0, disconnected_a: float = 7.0) -> KnownSlave:
    own = KnownSocket(connector=1, upper_a=upper_a, disconnected_a=disconnected_a)
    return KnownSlave(station=station, sockets=(own,))


def row(group: Group, station: str) -> ParticipantRow:
    rows = group.master.group.participants(group.now_s, NOW)
    return next(one for one in rows if one.station == station)


def reserved_a(master: Master, now_s: float, station: str) -> float | None:
    facts = master.snapshot(PerPhase.same(32.0), now_s).sockets
    return next(one.reserved_a for one in facts if one.participant == f"{station}/1")


def test_the_limit_is_shared_equally() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    assert group.amps() == [16.0, 16.0]
    assert row(group, "alpha").reason.cause is LimitCause.FAIR_SHARE


def test_every_report_is_answered() -> None:
    group = Group(32.0, "alpha")
    group.run(20.0)
    group.grants.clear()
    group.run(5.0)
    assert [grant.answers for grant in group.grants] == sorted(
        {grant.answers for grant in group.grants}
    )
    assert len(group.grants) >= 5


def test_a_car_that_starts_waits_until_the_others_are_confirmed_lower() -> None:
    group = Group(32.0, "alpha", "beta")
    group.slaves["beta"].wants = False
    group.run(20.0)
    assert group.amps() == [32.0, 0.0]
    group.slaves["beta"].wants = True
    sums = []
    for _ in range(15):
        group.run(1.0)
        sums.append(sum(group.amps()))
    assert group.amps() == [16.0, 16.0]
    assert max(sums) <= 32.0
    assert group.amps() == [16.0, 16.0]


def test_a_lower_limit_is_sent_without_a_distribution() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    group.master.lower(PerPhase.same(20.0), group.now_s)
    group.send()
    assert group.amps() == [10.0, 10.0]


def test_a_stale_plan_only_lowers() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    master, now_s = group.master, group.now_s
    for limit_a, expected in ((64.0, [16.0, 16.0]), (20.0, [10.0, 10.0])):
        stale = plan(master.state, master.snapshot(PerPhase.same(limit_a), now_s))
        master.apply(stale, now_s, fresh=False)
        group.send()
        assert group.amps() == expected


def test_a_silent_slave_gets_no_more_grants_and_keeps_its_current_reserved() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    group.silent.add("beta")
    group.run(19.0)
    assert row(group, "beta").lost is False
    group.run(1.0)
    assert (row(group, "beta").lost, row(group, "beta").granted_a) == (True, 16.0)
    assert row(group, "beta").trust is Trust.LOST
    assert group.master.group.missing(group.now_s) == ("beta",)
    group.grants.clear()
    group.run(40.0)
    assert {grant.station for grant in group.grants} == {"alpha"}
    assert group.amps()[0] == 16.0


def test_a_lost_slave_is_counted_at_its_disconnected_limit_once_it_must_have_fallen_back() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    group.silent.add("beta")
    sums = []
    for _ in range(100):
        group.run(1.0)
        sums.append(sum(group.amps()))
    assert max(sums) <= 32.0
    assert group.amps() == [25.0, 7.0]


def test_a_slave_that_comes_back_is_taken_up_with_what_it_offers() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    group.silent.add("beta")
    group.run(100.0)
    group.silent.clear()
    sums = []
    for _ in range(30):
        group.run(1.0)
        sums.append(sum(group.amps()))
    assert group.amps() == [16.0, 16.0]
    assert max(sums) <= 32.0


def test_a_slave_that_receives_no_grants_is_lost_although_it_reports() -> None:
    group = Group(20.0, "alpha", "beta")
    group.slaves["beta"].wants = False
    group.run(20.0)
    assert group.amps() == [20.0, 0.0]
    group.unreached.add("beta")
    sums = []
    for _ in range(120):
        group.run(1.0)
        sums.append(sum(group.amps()))
    assert group.amps() == [13.0, 7.0]
    assert max(sums) <= 20.0


@pytest.mark.parametrize(
    ("after_s", "expected_a"),
    [(0.0, None), (10.9, None), (11.0, 32.0), (81.9, 32.0), (82.0, 7.0)],
)
def test_after_its_start_a_master_reserves_for_the_known_slaves(
    after_s: float, expected_a: float | None
) -> None:
    master = Master(2, MasterConfig(), (known("beta"),), 1000.0)
    assert reserved_a(master, 1000.0 + after_s, "beta") == expected_a


def test_a_restarted_master_raises_no_current_before_the_known_slaves_report() -> None:
    group = Group(32.0, "alpha", known=(known("alpha"), known("beta")))
    group.run(10.0)
    assert group.amps() == [0.0]


def test_a_restarted_master_takes_nothing_away_from_slaves_that_report_in_time() -> None:
    first = Group(32.0, "alpha", "beta")
    first.run(20.0)
    second = Group(32.0, known=first.master.group.known(), term=2, now_s=first.now_s)
    second.slaves = first.slaves
    seen = []
    for _ in range(30):
        second.run(1.0)
        seen.append(second.amps())
    assert all(amps == [16.0, 16.0] for amps in seen)


def test_a_restarted_slave_begins_with_nothing() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    group.slaves["beta"] = OneSlave("beta", group.now_s, boot=2)
    sums = []
    for _ in range(30):
        group.run(1.0)
        sums.append(sum(group.amps()))
    assert group.amps() == [16.0, 16.0]
    assert max(sums) <= 32.0


def test_two_stations_of_one_id_are_contained_and_shown() -> None:
    group = Group(32.0, "alpha", "beta")
    group.run(20.0)
    twin = group.slaves["beta"]
    group.slaves["beta"] = OneSlave("beta", group.now_s, boot=2)
    for _ in range(100):
        group.run(1.0)
        group.master.on_report(twin.report(group.now_s), group.now_s)
    sums = sum(group.amps()) + twin.amps(group.now_s)
    assert sums <= 32.0
    assert "beta" in str(group.master.group.problems(group.now_s)[0])


def report(station: str = "alpha", *sockets: SocketReport, **fields: object) -> SlaveReport:
    made = SlaveReport(station=station, boot=1, number=1, sockets=sockets or (socket(),))
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of a report


REFUSED = {
    "no name": report(""),
    "a long name": report("x" * 65),
    "control characters": report("a\nb"),
    "a hundred sockets": report("alpha", *(socket(connector=n) for n in range(1, 99))),
    "one more socket than allowed": report(
        "alpha", *(socket(connector=n) for n in range(1, MAX_SOCKETS + 2))
    ),
    "a socket twice": report("alpha", socket(), socket()),
    "socket 0": report("alpha", socket(connector=0)),
    "an offer that is no number": report("alpha", replace(socket(), offered_a=float("nan"))),
    "a negative limit": report("alpha", replace(socket(), upper_a=-1.0)),
    "a billion amps": report("alpha", replace(socket(), upper_a=1e9)),
    "an infinite disconnected limit": report(
        "alpha", replace(socket(), disconnected_a=float("inf"))
    ),
    "a line that is no number": report(limit_a=PerPhase(16.0, float("nan"), 16.0)),
    "four phases": report("alpha", replace(socket(), phase_count=4)),
    "a negative number": report(number=-1),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_report_is_refused_and_shown(case: str) -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    assert master.on_report(REFUSED[case], 0.0) is Urgency.NOTHING
    assert master.group.known() == ()
    assert len(master.group.problems(0.0)) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_an_absurd_measured_current_counts_as_not_measured(value: float) -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    own = replace(socket(), measured_a=PerPhase(value, 0.0, 0.0), live=True)
    assert master.on_report(report("alpha", own), 0.0) is Urgency.NOW
    assert master.group.participants(0.0, NOW)[0].measured_a is None
    assert master.group.drawn_a(0.0)[0] == PerPhase.same(0.0)


def test_an_unknown_group_counts_in_the_root_and_is_shown() -> None:
    config = MasterConfig(groups=(Line("hall", PerPhase.same(10.0)),))
    master = Master(1, config, (), 0.0)
    for station, group in (("alpha", "hall"), ("beta", "attic")):
        master.on_report(report(station, group=group), 0.0)
    assert [one.group for one in master.group.participants(0.0, NOW)] == ["hall", "root"]
    assert ["attic" in str(text) for text in master.group.problems(0.0)] == [True]


def test_a_station_with_a_shared_limit_is_a_line_of_its_own() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    own = (socket(), socket(connector=2))
    master.on_report(report("alpha", *own, limit_a=PerPhase.same(20.0)), 0.0)
    rows = master.group.groups(PerPhase.same(63.0), master.group.participants(0.0, NOW))
    assert [(one.id, one.parent, one.limit_a.l1) for one in rows] == [
        ("root", None, 63.0),
        ("alpha", "root", 20.0),
    ]


def test_a_flood_of_reports_is_bounded() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    made = report()
    answers = 0
    for number in range(1, 1001):
        master.on_report(replace(made, number=number), 0.001 * number)
        answers += len(master.outgoing(0.001 * number))
    assert answers <= 130
    assert "too often" in str(master.group.problems(1.0)[0])
    assert master.on_report(replace(made, number=1001), 10.0) is not None
    assert len(master.outgoing(10.0)) == 1


def test_repeated_and_older_reports_change_nothing() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    master.on_report(report(number=2), 0.0)
    master.outgoing(0.0)
    for number in (2, 1):
        assert master.on_report(report(number=number), 1.0) is Urgency.NOTHING
        assert master.outgoing(1.0) == []


def test_what_is_certainly_drawn_is_fresh_and_on_known_phases() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    own = replace(socket(10.0), measured_a=PerPhase(10.0, 0.0, 0.0), rotation=Rotation.STR)
    unknown = replace(own, connector=2, rotation=Rotation.UNKNOWN)
    master.on_report(report("alpha", own, unknown), 0.0)
    assert master.group.drawn_a(5.0)[0] == PerPhase(0.0, 10.0, 0.0)
    assert master.group.drawn_a(10.0)[0] == PerPhase.same(0.0)


def test_a_forgotten_slave_keeps_nothing_reserved() -> None:
    master = Master(2, MasterConfig(), (known("beta"), known("gamma")), 0.0)
    assert master.forget(("beta", "nobody")) == 1
    assert [one.station for one in master.group.known()] == ["gamma"]
    assert [one.participant for one in master.snapshot(PerPhase.same(32.0), 50.0).sockets] == [
        "gamma/1"
    ]


def unproven(master: Master) -> None:
    """A socket of unknown rotation draws a current that the meter has shown."""
    own = replace(socket(10.0), rotation=Rotation.UNKNOWN, measured_a=PerPhase(10.0, 0.0, 0.0))
    master.on_report(report("alpha", own, number=1), 0.0)
    master.group.unproven.shown(0.0)
    assert next(master.group.facts(1.0)).lingers_a == 10.0


def test_a_rotation_that_becomes_known_holds_nothing() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    unproven(master)
    own = replace(socket(), rotation=Rotation.RST, live=False, measured_a=PerPhase.same(0.0))
    master.on_report(report("alpha", own, number=2), 100.0)
    master.group.unproven.shown(200.0)
    assert next(master.group.facts(200.0)).lingers_a == 0.0


def test_a_forgotten_slave_holds_nothing() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    unproven(master)
    master.forget(("alpha",))
    assert master.group.unproven.highest_a("alpha/1", 1.0) == 0.0


def test_the_upper_limit_of_a_known_slave_never_falls() -> None:
    master = Master(1, MasterConfig(), (), 0.0)
    for number, upper_a in ((1, 32.0), (2, 13.0)):
        own = replace(socket(), upper_a=upper_a)
        master.on_report(report("alpha", own, number=number), float(number))
    assert master.group.known()[0].sockets[0].upper_a == 32.0
