"""Offer, pause and pace: IEC 61851-1 Table A.6 sequences 3 to 10."""

from __future__ import annotations

import pytest

from borne.domain.station.board import AllowContactor, DiodeCheck, PilotNominal, PilotOff, SetPilot
from borne.domain.station.connector_events import (
    Offered,
)
from borne.domain.station.status import ConnectorStatus as Status
from tests.unit.domain.station.machine import OWN_STOP, REMOTE_STOP, A, B, C, D, Machine

OFF = SetPilot(PilotOff())
CLOSE, OPEN = AllowContactor(True), AllowContactor(False)


def _changes(machine: Machine) -> list[tuple[float, float]]:
    """When the pilot showed which current, in the log."""
    found = []
    for at_s, effect in machine.log:
        match effect:
            case SetPilot(PilotNominal(current_a)):
                found.append((round(at_s, 3), current_a))
            case SetPilot(PilotOff()):
                found.append((round(at_s, 3), 0.0))
    return found


def _follow(offers: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What the pilot shows when limits change at these times after the start."""
    machine = Machine().charge().wait(10)
    machine.log.clear()
    began_s = machine.now_s
    for at_s, offer_a in offers:
        machine.wait(began_s + at_s - machine.now_s).feed(Offered(offer_a))
    machine.wait(30)
    return [(round(at_s - began_s, 3), amps) for at_s, amps in _changes(machine)]


@pytest.mark.parametrize(
    ("offers", "shown"),
    [
        ([(0, 10)], [(0, 10)]),
        ([(0, 32)], [(0, 32)]),
        ([(0, 20), (1, 25), (2, 32)], [(0, 20), (5, 32)]),
        ([(0, 20), (1, 8)], [(0, 20), (1, 8)]),
        ([(0, 10), (1, 8), (2, 6)], [(0, 10), (1, 8), (2, 6)]),
        ([(0, 10), (1, 16)], [(0, 10), (5, 16)]),
        ([(0, 10), (1, 16), (2, 10)], [(0, 10)]),
        ([(0, 16.02)], []),
        ([(0, 15.99)], [(0, 15.99)]),
        ([(0, 16)], []),
    ],
    ids=[
        "a fall at once",
        "the first rise at once",
        "then every 5 s, to the newest",
        "a fall does not wait",
        "one fall after the other",
        "a rise after a fall waits",
        "and is forgotten when it is over",
        "no duty cycle for a few milliamperes more",
        "but never more than the offer",
        "nothing for nothing",
    ],
)
def test_sequence_6_pace(
    offers: list[tuple[float, float]], shown: list[tuple[float, float]]
) -> None:
    assert _follow(offers) == shown


class TestPause:
    """Below 6 A the offer is withdrawn; the vehicle gets 3 s, and 6 s before it is cut off."""

    @pytest.mark.parametrize("offer_a", [5.99, 3.0, 0.0])
    def test_below_six_amperes_is_a_pause_not_less(self, offer_a: float) -> None:
        machine = Machine().charge().feed(Offered(offer_a))
        assert machine.offered_a == 0
        assert machine.status is Status.SUSPENDED_EVSE

    def test_six_amperes_is_an_offer(self) -> None:
        machine = Machine().charge().feed(Offered(6.0))
        assert (machine.offered_a, machine.charging) == (6.0, True)

    def _paused(self) -> Machine:
        machine = Machine().charge().wait(10)
        machine.car_follows = False
        machine.log.clear()
        machine.now_s = 100.0
        return machine.feed(Offered(0.0))

    def test_the_vehicle_opens_and_the_contactor_follows_without_load(self) -> None:
        """Sequences 9 and 8.2."""
        machine = self._paused().wait(2.0).pilot(B)
        assert (machine.when(OFF), machine.when(OPEN)) == ([100.0], [102.0])

    def test_a_vehicle_that_ignores_it_is_cut_off_after_six_seconds(self) -> None:
        """Sequence 10.2."""
        machine = self._paused().wait(60)
        assert machine.when(OPEN) == [106.0]
        assert machine.session is not None

    def test_an_offer_within_six_seconds_continues_without_switching(self) -> None:
        machine = self._paused().wait(2).feed(Offered(10.0)).wait(60)
        assert machine.when(OPEN) == []
        assert (machine.offered_a, machine.charging) == (10.0, True)

    def test_afterwards_the_new_limit_holds_at_once(self) -> None:
        machine = self._paused().wait(60).feed(Offered(8.0))
        assert machine.offered_a == 8.0
        machine.pilot(C)
        assert machine.charging

    def test_a_session_that_begins_in_a_pause_waits(self) -> None:
        machine = Machine(offer_a=0.0).plug().authorize()
        assert (machine.status, machine.led) == (Status.SUSPENDED_EVSE, "charging")
        assert machine.effects(AllowContactor) == []
        assert machine.feed(Offered(16.0)).charging


class TestStop:
    def test_the_offer_ends_first_the_contactor_when_the_vehicle_has_opened(self) -> None:
        machine = Machine().charge()
        machine.car_follows = False
        at_s = machine.now_s
        machine.feed(OWN_STOP).wait(1.5).pilot(B)
        assert machine.when(OFF)[-1] == at_s
        assert machine.when(OPEN) == [at_s + 1.5]

    def test_the_contactor_opens_after_six_seconds_under_load(self) -> None:
        machine = Machine().charge()
        machine.car_follows = False
        at_s = machine.now_s
        machine.feed(REMOTE_STOP).wait(60)
        assert machine.when(OPEN) == [at_s + 6.0]

    def test_a_pause_does_not_shorten_the_grace_of_a_stop(self) -> None:
        machine = Machine().charge()
        machine.car_follows = False
        at_s = machine.now_s
        machine.feed(Offered(0.0)).wait(4).feed(OWN_STOP).wait(60)
        assert machine.when(OPEN) == [at_s + 10.0]


class TestContactor:
    def test_it_rests_five_seconds(self) -> None:
        machine = Machine().charge().wait(10)
        machine.car_follows = False
        machine.pilot(B)
        opened_s = machine.now_s
        machine.wait(1).pilot(C).wait(10)
        assert machine.when(CLOSE)[-1] == opened_s + 5.0

    def test_during_the_rest_the_status_is_not_suspended_ev(self) -> None:
        machine = Machine().charge().wait(10)
        machine.car_follows = False
        machine.pilot(B).wait(1).pilot(C)
        assert machine.status is Status.SUSPENDED_EVSE
        assert machine.wait(10).status is Status.CHARGING

    @pytest.mark.parametrize(
        ("diode", "closes"),
        [(DiodeCheck.GOOD, True), (DiodeCheck.UNKNOWN, False), (DiodeCheck.FAILED, False)],
    )
    def test_it_closes_only_after_a_good_diode_check(self, diode: DiodeCheck, closes: bool) -> None:
        machine = Machine()
        machine.car_follows = False
        machine.plug().authorize().pilot(C, diode)
        assert bool(machine.when(CLOSE)) is closes

    def test_on_boards_without_a_diode_check_pwm_is_enough(self) -> None:
        machine = Machine(diode_check=False)
        machine.car_follows = False
        machine.plug().authorize().pilot(C, DiodeCheck.UNKNOWN)
        assert machine.charging

    def test_a_full_vehicle_is_not_charging(self) -> None:
        machine = Machine().charge()
        machine.wants = False
        machine.pilot(B)
        assert (machine.status, machine.state.contactor_closed) == (Status.SUSPENDED_EV, False)

    def test_after_switching_off_by_itself_it_may_come_back(self) -> None:
        machine = Machine().charge().pilot(B).wait(600).pilot(C)
        assert machine.charging


class TestSimplifiedPilot:
    """A vehicle without S2: state C as soon as plugged; B never comes."""

    def _plugged(self) -> Machine:
        machine = Machine()
        machine.car_follows = False
        return machine.plug(C)

    def test_it_charges_after_authorization_only(self) -> None:
        machine = self._plugged()
        assert not machine.when(CLOSE)
        assert machine.authorize().charging

    def test_a_pause_cuts_it_off_after_six_seconds_and_ends_with_the_offer(self) -> None:
        machine = self._plugged().authorize().wait(10).feed(Offered(0.0)).wait(5.9)
        assert machine.state.contactor_closed
        assert not machine.wait(0.2).state.contactor_closed
        machine.wait(10).feed(Offered(10.0))
        assert machine.charging


class TestStateD:
    """Manual 5.1, IEC 61851-1: energy for a vehicle that needs ventilation only where there is."""

    @pytest.mark.parametrize(
        ("ventilation", "status"), [(True, Status.CHARGING), (False, Status.SUSPENDED_EVSE)]
    )
    def test_ventilation_available(self, ventilation: bool, status: Status) -> None:
        machine = Machine(ventilation=ventilation)
        machine.car_follows = False
        machine.plug().authorize().pilot(D)
        assert machine.status is status
        assert bool(machine.when(CLOSE)) is ventilation

    def test_a_vehicle_that_changes_to_d_is_cut_off_at_once(self) -> None:
        machine = Machine().charge().pilot(D)
        assert not machine.state.contactor_closed
        assert machine.session is not None

    def test_charging_goes_on_when_the_vehicle_returns_to_c(self) -> None:
        machine = Machine().charge().pilot(D).wait(10).pilot(C)
        assert machine.charging
        assert not machine.state.faults


def test_without_a_vehicle_there_is_no_pwm() -> None:
    """State A2 is only a passage."""
    machine = Machine().authorize().wait(1)
    assert machine.offered_a == 0
    assert machine.pilot(A).offered_a == 0
