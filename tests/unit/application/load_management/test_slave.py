"""A slave obeys the newest grant, and falls back in two stages (manual 7.4, 7.7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.application.load_management.slave import Slave, SlaveCurrent
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage, FailSafeTiming
from borne.domain.load_management.messages import MasterGrant, SocketGrant
from borne.domain.load_management.topology import GridPhase, SupplyLink
from tests.unit.application.load_management.engine_doubles import socket

START_S = 1000.0


def new_slave(disconnected_a: float = 7.0) -> Slave:
    return Slave("alpha", "Alpha", 5, {1: disconnected_a}, START_S)


def grant(amps: float, answers: int, number: int = 1, term: int = 9) -> MasterGrant:
    own = SocketGrant(1, amps, LimitCause.FAIR_SHARE, "root", GridPhase.N2, LimitCause.OPERATOR)
    return MasterGrant(
        station="alpha", term=term, number=number, boot=5, answers=answers, sockets=(own,)
    )


def granted(amps: float = 16.0) -> Slave:
    """A slave that reported at its start, and got a grant at once."""
    slave = new_slave()
    slave.report([socket()], None, START_S)
    assert slave.on_grant(grant(amps, 1), START_S)
    return slave


def amps(slave: Slave, now_s: float) -> float:
    return slave.currents(now_s)[1].amps


def test_a_grant_is_obeyed_with_its_reason() -> None:
    current = granted().currents(START_S)[1]
    line = SupplyLink("root", GridPhase.N2)
    assert current == SlaveCurrent(16.0, LimitCause.FAIR_SHARE, line, LimitCause.OPERATOR)


@pytest.mark.parametrize(
    ("after_s", "expected_a", "stage"),
    [
        (0.0, 16.0, FailSafeStage.CONNECTED),
        (59.9, 16.0, FailSafeStage.CONNECTED),
        (60.0, 7.0, FailSafeStage.LIMITED),
        (75.9, 7.0, FailSafeStage.LIMITED),
        (76.0, 7.0, FailSafeStage.STATIC),
    ],
)
def test_a_slave_without_contact_falls_to_its_disconnected_limit(
    after_s: float, expected_a: float, stage: FailSafeStage
) -> None:
    slave = granted()
    assert amps(slave, START_S + after_s) == expected_a
    assert slave.status(START_S + after_s).stage is stage


@pytest.mark.parametrize(("after_s", "expected_a"), [(60.0, 0.0), (75.0, 0.0), (76.0, 7.0)])
def test_a_paused_slave_rises_to_its_disconnected_limit_only_when_all_are_limited(
    after_s: float, expected_a: float
) -> None:
    assert amps(granted(0.0), START_S + after_s) == expected_a


def test_a_disconnected_limit_below_6_a_is_a_pause() -> None:
    slave = Slave("alpha", "", 5, {1: 5.0}, START_S)
    assert amps(slave, START_S + 100.0) == 0.0


def test_a_slave_that_was_never_granted_anything_offers_nothing_and_then_its_limit() -> None:
    slave = new_slave()
    assert [amps(slave, START_S + after_s) for after_s in (0.0, 75.0, 76.0)] == [0.0, 0.0, 7.0]


def test_the_lease_counts_from_the_report_that_a_grant_answers() -> None:
    slave = new_slave()
    slave.report([socket()], None, START_S)
    assert slave.on_grant(grant(16.0, 1), START_S + 50.0)
    assert amps(slave, START_S + 60.0) == 7.0


def test_the_due_time_is_the_next_report_or_stage() -> None:
    slave = granted()
    assert slave.due_s(START_S) == START_S + 5.0
    for second in range(5, 60, 5):
        slave.report([socket(16.0)], None, START_S + second)
    slave.report([socket(16.0)], None, START_S + 57.0)
    assert slave.due_s(START_S + 57.0) == START_S + 60.0
    assert amps(slave, START_S + 60.0) == 7.0


BAD = {
    "another station": replace(grant(20.0, 2, 2), station="beta"),
    "another boot": replace(grant(20.0, 2, 2), boot=4),
    "a report that was never sent": grant(20.0, 7, 2),
    "an older number of the term": grant(20.0, 2, 0),
    "the same number": grant(20.0, 2, 1),
    "another term for the same report": grant(20.0, 1, 2, term=8),
    "a time-out that is too long": replace(grant(20.0, 2, 2), timing=FailSafeTiming(1e9)),
    "a time-out that is no number": replace(grant(20.0, 2, 2), timing=FailSafeTiming(float("nan"))),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_grant_does_not_count_for(case: str) -> None:
    slave = granted()
    slave.report([socket(16.0)], None, START_S + 5.0)
    assert not slave.on_grant(BAD[case], START_S + 5.0)
    assert amps(slave, START_S + 5.0) == 16.0


def test_a_grant_that_answers_an_older_report_than_the_last_does_not_count() -> None:
    slave = new_slave()
    slave.report([socket()], None, START_S)
    slave.report([socket()], None, START_S + 1.0)
    assert slave.on_grant(grant(10.0, 2, 5), START_S + 1.0)
    assert not slave.on_grant(grant(20.0, 1, 6), START_S + 2.0)


def test_an_expired_grant_does_not_count() -> None:
    slave = new_slave()
    slave.report([socket()], None, START_S)
    assert not slave.on_grant(grant(16.0, 1), START_S + 60.0)


def test_a_late_grant_of_a_former_master_does_not_count() -> None:
    slave = granted()
    for second in (5.0, 10.0):
        slave.report([socket(16.0)], None, START_S + second)
    assert slave.on_grant(grant(8.0, 2, 1, term=10), START_S + 5.0)
    assert not slave.on_grant(grant(20.0, 3, 2, term=9), START_S + 10.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3.0])
def test_an_unusable_current_is_a_pause(value: float) -> None:
    assert amps(granted(value), START_S) == 0.0


def test_a_socket_that_a_grant_lacks_gets_nothing() -> None:
    slave = Slave("alpha", "", 5, {1: 7.0, 2: 7.0}, START_S)
    slave.report([socket(), socket(connector=2)], None, START_S)
    assert slave.on_grant(grant(16.0, 1), START_S)
    assert [own.amps for own in slave.currents(START_S).values()] == [16.0, 0.0]


def test_a_grant_is_confirmed_at_once_only_if_it_changes_something() -> None:
    slave = granted()
    seen = [slave.unconfirmed]
    assert slave.report([socket(16.0)], None, START_S + 5.0).confirms == (9, 1)
    seen.append(slave.unconfirmed)
    for number, amps_now in ((2, 16.0), (3, 12.0)):
        assert slave.on_grant(grant(amps_now, 2, number), START_S + 5.0)
        seen.append(slave.unconfirmed)
    assert seen == [True, False, False, True]


def test_the_grant_of_a_car_that_left_does_not_count_for_the_next_car() -> None:
    slave = granted()
    first = slave.report([socket(16.0)], None, START_S + 1.0)
    slave.report([socket(16.0, wants=False)], None, START_S + 2.0)
    assert amps(slave, START_S + 2.0) == 0.0
    assert slave.on_grant(grant(16.0, 2, 2), START_S + 2.5)  # on its way since before
    assert amps(slave, START_S + 2.5) == 0.0
    second = slave.report([socket()], None, START_S + 3.0)
    assert second.sockets[0].visit != first.sockets[0].visit
    assert slave.on_grant(grant(10.0, 4, 3), START_S + 3.5)
    assert amps(slave, START_S + 3.5) == 10.0


def test_a_changed_disconnected_limit_counts_at_once() -> None:
    slave = granted()
    slave.configure({1: 9.0})
    assert amps(slave, START_S + 80.0) == 9.0
    assert slave.report([socket()], None, START_S + 80.0).sockets[0].disconnected_a == 9.0
