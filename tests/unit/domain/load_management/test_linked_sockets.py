"""Sockets behind links: a setpoint counts from when it was sent until another one is confirmed."""

from __future__ import annotations

from dataclasses import replace

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState, plan
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.socket_memory import SETTLE_S, SocketFacts
from borne.domain.load_management.topology import SocketPhase
from borne.foundation.units import PerPhase

NOW_S = 1000.0
CAR = SocketFacts(
    participant="first",
    wants=True,
    asking=True,
    closed=True,
    live=True,
    measured_a=PerPhase.same(0.0),
    entitled_a=32.0,
)


def planned(state: GroupState, *sockets: SocketFacts, now_s: float = NOW_S) -> GroupPlan:
    return plan(
        state,
        GroupSnapshot(
            sockets=sockets,
            supply=SharedSupply(PerPhase.same(32.0)),
            minimum_a=6.0,
            now_s=now_s,
            remote=True,
        ),
    )


def test_a_plan_does_not_record_its_setpoints() -> None:
    found = planned(GroupState(), CAR)
    assert found.grants["first"].amps == 32.0
    assert found.state.memory("first").setpoint_a == 0.0


def test_current_is_given_to_others_when_the_lower_setpoint_is_confirmed_and_followed() -> None:
    second = replace(CAR, participant="second")
    state = GroupState().sent({"first": 32.0}, 1, NOW_S).confirmed(1, {"first": 32.0}, NOW_S)
    found = planned(state, CAR, second)
    assert [one.amps for one in found.grants.values()] == [16.0, 0.0]
    state = found.state.sent({"first": 16.0}, 2, NOW_S)
    late_s = NOW_S + 60.0
    assert planned(state, CAR, second, now_s=late_s).grants["second"].amps == 0.0
    state = state.confirmed(2, {"first": 16.0}, late_s)
    early = planned(state, CAR, second, now_s=late_s + SETTLE_S - 0.1)
    assert early.grants["second"].amps == 0.0
    assert early.grants["second"].reason.cause is LimitCause.WAITS_FOR_OTHERS
    assert planned(state, CAR, second, now_s=late_s + SETTLE_S).grants["second"].amps == 16.0


def test_a_setpoint_on_its_way_counts_although_the_contactor_is_open() -> None:
    free = SocketFacts(participant="second", entitled_a=32.0)
    state = GroupState().sent({"second": 10.0}, 1, NOW_S)
    assert planned(state, CAR, free).grants["first"].amps == 22.0
    state = state.sent({"second": 0.0}, 2, NOW_S).confirmed(2, {"second": 0.0}, NOW_S)
    assert planned(state, CAR, free).grants["first"].amps == 32.0


def test_what_was_sent_during_a_plan_is_kept() -> None:
    state = GroupState()
    found = planned(state, CAR)
    state = state.sent({"first": 20.0}, 1, NOW_S)
    merged = found.state.with_setpoints_of(state)
    assert merged.memory("first").track.envelope_a(NOW_S) == 20.0
    assert merged.slots == found.state.slots


def test_a_restarted_slave_has_what_it_reports_and_its_car_what_it_may_still_follow() -> None:
    state = GroupState().sent({"first": 16.0}, 7, NOW_S).adopted({"first": 0.0}, 7, NOW_S)
    track = state.memory("first").track
    assert track.envelope_a(NOW_S) == 16.0
    assert track.envelope_a(NOW_S + SETTLE_S) == 0.0
    assert state.confirmed(6, {"first": 32.0}, NOW_S).memory("first").track == track


def test_a_participant_without_contact_has_its_reservation_on_all_connected_phases() -> None:
    lost = SocketFacts(participant="second", reserved_a=13.0, measured_a=PerPhase(20.0, 0.0, 0.0))
    state = GroupState().sent({"second": 20.0}, 1, NOW_S)
    found = planned(state, CAR, lost)
    assert found.grants["first"].amps == 19.0
    assert found.grants["second"].amps == 13.0
    assert found.grants["second"].reason.cause is LimitCause.NO_CONTACT


def test_a_report_is_one_sample_of_the_phases_however_often_it_is_planned() -> None:
    state = GroupState().sent({"first": 16.0}, 1, NOW_S).confirmed(1, {"first": 16.0}, NOW_S)
    state = planned(state, CAR).state
    on_one = replace(CAR, measured_a=PerPhase(16.0, 0.0, 0.0))
    for report in range(3):
        measured_s = NOW_S + 10.0 + 5.0 * report
        known = state.memory("first").phases.used
        assert known is None
        for again_s in (0.0, 1.5, 3.0):
            facts = replace(on_one, measured_s=measured_s)
            state = planned(state, facts, now_s=measured_s + again_s).state
    assert state.memory("first").phases.used == frozenset({SocketPhase.L1})
