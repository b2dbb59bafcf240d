"""Envelopes and safe steps; steps with numbers are in the vectors."""

from __future__ import annotations

import pytest

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import Participant, Reason
from borne.domain.load_management.redistribution import (
    MAX_IN_FLIGHT,
    Setpoints,
    SetpointTrack,
    safe_step,
)
from borne.domain.load_management.snapshot import SharedSupply, Snapshot
from borne.domain.load_management.topology import ROOT, GridPhase, SupplyLink
from borne.foundation.units import PerPhase

N1 = SupplyLink(ROOT, GridPhase.N1)


def test_a_setpoint_in_flight_counts_with_the_one_in_force() -> None:
    track = SetpointTrack(16.0).sent(1, 10.0).sent(2, 20.0)
    assert track.envelope_a(0.0) == 20.0
    assert SetpointTrack(16.0).sent(1, 10.0).envelope_a(0.0) == 16.0


def test_after_a_confirmed_decrease_the_car_has_time_to_follow() -> None:
    track = SetpointTrack(16.0).sent(1, 10.0).confirmed(1, 10.0, now_s=100.0, settle_s=5.0)
    assert [track.envelope_a(now_s) for now_s in (100.0, 104.9, 105.0)] == [16.0, 16.0, 10.0]


def test_an_older_setpoint_without_confirmation_may_have_been_in_force() -> None:
    track = SetpointTrack(6.0).sent(1, 20.0).sent(2, 8.0).confirmed(2, 8.0, 10.0, 5.0)
    assert (track.envelope_a(10.0), track.envelope_a(15.0)) == (20.0, 8.0)


def test_a_lost_decrease_stays_in_the_envelope() -> None:
    track = SetpointTrack(16.0).sent(1, 6.0).sent(2, 6.0)
    assert track.envelope_a(1000.0) == 16.0


def test_a_late_confirmation_leaves_newer_setpoints_in_flight() -> None:
    track = SetpointTrack(0.0).sent(1, 10.0).sent(2, 30.0).confirmed(1, 10.0, 0.0, 5.0)
    assert track.envelope_a(100.0) == 30.0


def test_an_overtaken_confirmation_is_ignored() -> None:
    track = SetpointTrack(0.0).sent(1, 6.0).sent(2, 20.0).confirmed(2, 20.0, 1.0, 5.0)
    assert track.confirmed(1, 6.0, 2.0, 5.0) == track


def test_the_record_of_a_silent_participant_stays_small_and_safe() -> None:
    track = SetpointTrack(0.0).sent(1, 32.0)
    for number in range(2, 100):
        track = track.sent(number, 6.0)
    assert len(track.in_flight) == MAX_IN_FLIGHT
    assert track.envelope_a(0.0) == 32.0
    assert track.confirmed(99, 6.0, 0.0, 5.0).envelope_a(5.0) == 6.0


def test_an_old_fading_current_survives_further_confirmations_until_its_time() -> None:
    track = SetpointTrack(32.0).sent(1, 16.0).confirmed(1, 16.0, 0.0, 5.0)
    track = track.sent(2, 6.0).confirmed(2, 6.0, 2.0, 5.0)
    assert [track.envelope_a(now_s) for now_s in (4.0, 5.0, 7.0)] == [32.0, 16.0, 6.0]


@pytest.mark.parametrize(("measured_a", "envelope_a"), [(None, 10.0), (9.0, 10.0), (12.0, 12.0)])
def test_the_envelope_is_never_below_the_measured_current(
    measured_a: float | None, envelope_a: float
) -> None:
    assert SetpointTrack(10.0).envelope_a(0.0, measured_a) == envelope_a


def step(limit_a: float, *cars: Participant, **targets_a: float) -> Setpoints:
    return safe_step(Snapshot(SharedSupply(PerPhase.same(limit_a)), cars), targets_a)


def test_a_waiting_participant_has_a_reason() -> None:
    setpoints = step(32, Participant(id="A", envelope_a=32), Participant(id="B"), A=16, B=16)
    assert setpoints.amps == {"A": 16, "B": 0}
    assert setpoints.held == {"B": Reason(LimitCause.WAITS_FOR_OTHERS, link=N1, amps=16)}


def test_an_unreachable_participant_keeps_its_reservation() -> None:
    lost = Participant(id="A", reserved_a=8, envelope_a=10)
    reasons = step(16, lost, Participant(id="B"), B=16).held
    assert reasons["A"] == Reason(LimitCause.NO_CONTACT, amps=10)
    assert reasons["B"].cause is LimitCause.WAITS_FOR_OTHERS


def test_standby_current_below_the_minimum_does_not_count_as_charging() -> None:
    car = Participant(id="A", envelope_a=0.4)
    assert step(6, car, A=6).amps == {"A": 6}


def test_what_is_reserved_is_kept_though_nothing_was_sent_yet() -> None:
    lost, other = Participant(id="a", reserved_a=12.0), Participant(id="b")
    found = step(20.0, lost, other, b=20.0)
    assert dict(found.amps) == {"a": 12.0, "b": 8.0}
