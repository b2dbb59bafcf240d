"""What a connector does when something is wrong: manual 9, IEC 61851-1 Annex A and B."""

from __future__ import annotations

import pytest

from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    BoardLinkReport,
    BrownOutReport,
    ContactorReport,
    DiodeCheck,
    LockPosition,
    LockReport,
    PilotOff,
    PilotStateF,
    Plug,
    PlugKind,
    PlugReport,
    SetPilot,
)
from borne.domain.station.connector_events import (
    FaultCleared,
    FaultRaised,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_state import Stop
from borne.domain.station.faults import BLOCKING, CATALOGUE, STOPPING, Fault
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus as Status
from tests.unit.domain.station.machine import CARD, OWN_STOP, A, B, C, E, F, Machine

OPEN = AllowContactor(False)
STATE_F = SetPilot(PilotStateF())
OTHER = [Stop(StopReason.OTHER)]
FOUND_OUTSIDE = sorted(set(Fault) - {Fault.VEHICLE_SIGNAL, Fault.CABLE_INVALID, Fault.VENTILATION})


@pytest.mark.parametrize("fault", FOUND_OUTSIDE)
def test_manual_9_whether_a_fault_stops_blocks_or_warns(fault: Fault) -> None:
    machine = Machine().charge().feed(FaultRaised(fault))
    stops, blocks = CATALOGUE[fault].stops, CATALOGUE[fault].blocks
    assert (machine.status is Status.FAULTED) is blocks
    assert machine.charging is not blocks
    machine.wait(20)
    assert machine.stops == (OTHER if stops else [])
    machine.feed(FaultCleared(fault)).wait(20)
    assert machine.status is (Status.FINISHING if stops else Status.CHARGING)


def test_every_stopping_fault_blocks() -> None:
    assert STOPPING <= BLOCKING


class TestStateF:
    """A fault while the vehicle asks: contactor at once, state F (Table A.5), then the plug."""

    def _faulty(self, **config: bool) -> Machine:
        machine = Machine(**config).charge().wait(10)
        machine.log.clear()
        machine.now_s = 100.0
        return machine.feed(FaultRaised(Fault.RESIDUAL_CURRENT))

    def test_the_contactor_opens_at_once_and_before_the_pilot_changes(self) -> None:
        machine = self._faulty()
        assert [effect for _, effect in machine.log[:2]] == [OPEN, STATE_F]
        assert machine.when(OPEN) == [100.0]

    def test_it_lasts_five_seconds_and_then_the_plug_is_released(self) -> None:
        machine = self._faulty().wait(4.9)
        assert isinstance(machine.state.sent_pilot, PilotStateF)
        assert machine.locked
        assert machine.wait(0.2).state.sent_pilot == PilotOff()
        assert not machine.wait(1).locked

    def test_a_fault_that_is_gone_sooner_does_not_shorten_it(self) -> None:
        machine = self._faulty().wait(0.2).feed(FaultCleared(Fault.RESIDUAL_CURRENT)).wait(1)
        assert isinstance(machine.state.sent_pilot, PilotStateF)

    def test_our_own_state_f_is_no_fault_of_the_vehicle(self) -> None:
        machine = self._faulty().wait(60)
        assert machine.state.faults == {Fault.RESIDUAL_CURRENT}
        assert machine.effects(VehicleLeft) == []
        assert machine.effects(VehicleArrived) == []

    def test_without_a_request_of_the_vehicle_there_is_no_state_f(self) -> None:
        machine = Machine().charge().pilot(B)
        machine.feed(FaultRaised(Fault.RESIDUAL_CURRENT))
        assert machine.state.sent_pilot == PilotOff()

    def test_boards_without_state_f_switch_the_pilot_off(self) -> None:
        assert self._faulty(has_state_f=False).state.sent_pilot == PilotOff()

    def test_in_state_f_unplugging_is_seen_by_the_cable_only(self) -> None:
        machine = self._faulty().feed(PlugReport(NO_PLUG))
        assert len(machine.effects(VehicleLeft)) == 1
        machine.wait(10).pilot(A)
        assert len(machine.effects(VehicleLeft)) == 1


class TestWeldedContactor:
    """Manual 9: perhaps a live socket. State F, the plug stays locked until it is open again."""

    def _welded(self) -> Machine:
        machine = Machine().charge()
        machine.contactor_obeys = False
        return machine.feed(OWN_STOP).wait(1)

    def test_feedback_closed_half_a_second_after_the_command(self) -> None:
        machine = Machine().charge()
        machine.contactor_obeys = False
        machine.car_follows = False
        machine.pilot(B).wait(0.4)
        assert Fault.CONTACTOR_WELDED not in machine.state.faults
        machine.wait(0.2)
        assert Fault.CONTACTOR_WELDED in machine.state.faults

    def test_the_session_ends_the_plug_stays(self) -> None:
        machine = self._welded().wait(3600)
        assert len(machine.stops) == 1
        assert machine.session is None
        assert machine.locked
        assert isinstance(machine.state.sent_pilot, PilotStateF)
        assert machine.status is Status.FAULTED

    def test_the_fault_ends_only_when_the_feedback_is_open(self) -> None:
        machine = self._welded()
        machine.feed(FaultCleared(Fault.CONTACTOR_WELDED))
        assert Fault.CONTACTOR_WELDED in machine.state.faults
        machine.feed(ContactorReport(closed=False)).wait(1)
        assert machine.state.faults == frozenset()
        assert not machine.locked

    def test_unplugging_does_not_clear_the_fault(self) -> None:
        machine = self._welded().unplug().wait(10)
        assert Fault.CONTACTOR_WELDED in machine.state.faults

    def test_closed_without_a_command(self) -> None:
        machine = Machine().feed(ContactorReport(closed=True)).wait(0.6)
        assert machine.state.faults == {Fault.CONTACTOR_WELDED}

    def test_without_feedback_there_is_no_fault_and_the_session_ends(self) -> None:
        machine = Machine(weld_check=False).charge()
        machine.contactor_obeys = False
        machine.feed(OWN_STOP).wait(10)
        assert not machine.state.faults
        assert machine.stops == [OWN_STOP.stop]


class TestContactorDoesNotClose:
    def test_no_feedback_within_a_second(self) -> None:
        machine = Machine()
        machine.contactor_obeys = False
        machine.plug().authorize().wait(0.9)
        assert not machine.state.faults
        machine.wait(0.2)
        assert Fault.CONTACTOR_OPEN in machine.state.faults

    def test_the_contactor_opens_while_it_should_be_closed(self) -> None:
        machine = Machine().charge().wait(60).feed(ContactorReport(closed=False)).wait(1.1)
        assert Fault.CONTACTOR_OPEN in machine.state.faults

    def test_it_is_tried_again_after_unplugging(self) -> None:
        machine = Machine()
        machine.contactor_obeys = False
        machine.plug().authorize().wait(20)
        assert machine.stops == OTHER
        machine.contactor_obeys = True
        machine.unplug().wait(10)
        assert not machine.state.faults
        assert machine.charge().charging

    def test_a_vehicle_that_stops_asking_is_no_fault(self) -> None:
        machine = Machine()
        machine.contactor_obeys = False
        machine.plug().authorize().wait(0.5).pilot(B).wait(60)
        assert not machine.state.faults


class TestDiode:
    """In B at once; in C after 100 ms of evidence; before anything closes in any case."""

    def test_in_state_b_at_once(self) -> None:
        machine = Machine()
        machine.car_follows = False
        machine.plug().authorize().pilot(B, DiodeCheck.FAILED)
        assert Fault.DIODE_CHECK in machine.state.faults
        assert machine.when(AllowContactor(True)) == []

    def test_while_charging_after_a_tenth_of_a_second(self) -> None:
        machine = Machine().charge().pilot(C, DiodeCheck.FAILED)
        assert machine.charging
        machine.wait(0.15)
        assert Fault.DIODE_CHECK in machine.state.faults
        assert not machine.state.contactor_closed

    def test_a_short_failure_is_ignored(self) -> None:
        machine = Machine().charge().pilot(C, DiodeCheck.FAILED).wait(0.05).pilot(C).wait(1)
        assert machine.charging

    def test_it_stays_until_that_vehicle_has_gone(self) -> None:
        machine = Machine().charge().pilot(C, DiodeCheck.FAILED).wait(20).pilot(B)
        assert machine.status is Status.FAULTED
        assert machine.stops == OTHER
        assert machine.unplug().status is Status.AVAILABLE


class TestVehicleSignal:
    """States E and F that are not ours (manual 9, "Vehicle signals error"): no energy, no end."""

    @pytest.mark.parametrize("state", [E, F])
    def test_energy_stops_and_the_session_goes_on(self, state: object) -> None:
        machine = Machine().charge().wait(10)
        machine.pilot(E if state is E else F)
        assert not machine.state.contactor_closed
        assert machine.state.faults == {Fault.VEHICLE_SIGNAL}
        machine.wait(60)
        assert machine.stops == []
        machine.pilot(C)
        assert machine.charging

    def test_the_signal_is_ignored_right_after_a_change_of_the_pilot(self) -> None:
        machine = Machine().charge()
        machine.now_s = machine.state.sent_pilot_at_s
        machine.pilot(E)
        assert not machine.state.faults
        assert not machine.state.contactor_closed
        assert machine.wait(0.5).state.faults == {Fault.VEHICLE_SIGNAL}

    def test_the_vehicle_still_counts_as_connected(self) -> None:
        machine = Machine().charge().pilot(E).wait(60).pilot(C)
        assert machine.effects(VehicleLeft) == []


class TestCable:
    """The code is read at plug-in and holds for the session (IEC 61851-1 Annex B)."""

    @pytest.mark.parametrize(
        ("plug", "faults"),
        [
            (Plug(PlugKind.VALID, 32), set()),
            (Plug(PlugKind.VALID, 20), {Fault.CABLE_CHANGED}),
            (Plug(PlugKind.VALID, 63), {Fault.CABLE_CHANGED}),
            (Plug(PlugKind.AMBIGUOUS), {Fault.CABLE_CHANGED}),
            (Plug(PlugKind.SHORT), {Fault.CABLE_CHANGED, Fault.CABLE_INVALID}),
        ],
    )
    def test_change_while_charging(self, plug: Plug, faults: set[Fault]) -> None:
        machine = Machine().charge().feed(PlugReport(plug))
        assert machine.state.faults == faults
        assert bool(machine.wait(10).stops) is bool(faults)

    def test_a_plug_that_seems_gone_cuts_the_energy(self) -> None:
        machine = Machine().charge().feed(PlugReport(NO_PLUG))
        assert not machine.state.contactor_closed
        assert machine.stops == []

    def test_the_plug_stays_locked_while_the_contactor_opens(self) -> None:
        machine = Machine().charge()
        machine.contactor_obeys = False
        machine.feed(PlugReport(NO_PLUG)).wait(0.3)
        assert machine.locked
        machine.feed(ContactorReport(closed=False)).wait(1)
        assert not machine.locked

    def test_half_plugged_is_a_fault_when_it_stays_so(self) -> None:
        machine = Machine().pilot(B).feed(PlugReport(Plug(PlugKind.AMBIGUOUS))).wait(1.9)
        assert not machine.state.faults
        assert machine.wait(0.2).state.faults == {Fault.CABLE_INVALID}
        machine.feed(PlugReport(Plug(PlugKind.VALID, 32)))
        assert not machine.state.faults

    def test_short_circuit_counts_at_once(self) -> None:
        machine = Machine().pilot(B).feed(PlugReport(Plug(PlugKind.SHORT)))
        assert machine.state.faults == {Fault.CABLE_INVALID}

    def test_another_cable_for_another_session_is_no_change(self) -> None:
        machine = Machine().charge().feed(OWN_STOP).unplug().wait(1).plug(cable_a=20)
        assert not machine.authorize().state.faults


class TestBoardLost:
    """An unreachable board is off by its own watchdog; until then the end waits."""

    def test_the_session_ends_when_the_board_is_off_for_certain(self) -> None:
        machine = Machine(watchdog_s=3.0).charge()
        machine.contactor_obeys = False
        machine.feed(BoardLinkReport(alive=False)).wait(3.4)
        assert machine.status is Status.FAULTED
        assert machine.stops == []
        machine.wait(0.2)
        assert machine.stops == OTHER

    def test_commands_sent_just_before_the_loss_may_not_have_arrived(self) -> None:
        machine = Machine(watchdog_s=3.0).charge()
        machine.contactor_obeys = machine.car_follows = False
        machine.pilot(B).wait(0.2).feed(BoardLinkReport(alive=False)).wait(3.3)
        assert machine.state.contactor_closed
        assert Fault.CONTACTOR_WELDED not in machine.state.faults
        assert not machine.wait(0.3).state.contactor_closed

    def test_a_lost_board_has_no_other_faults(self) -> None:
        machine = Machine().charge()
        machine.contactor_obeys = machine.lock_obeys = False
        machine.feed(BoardLinkReport(alive=False)).wait(600)
        assert machine.state.faults == {Fault.BOARD_LOST}

    def test_after_the_return_all_commands_are_sent_again(self) -> None:
        machine = Machine().feed(BoardLinkReport(alive=False)).wait(60)
        machine.log.clear()
        machine.feed(BoardLinkReport(alive=True))
        assert machine.log == []
        machine.unplug()
        assert [effect for _, effect in machine.log] == [OPEN, SetPilot(PilotOff())]
        assert machine.status is Status.AVAILABLE

    def test_a_short_loss_still_opens_the_contactor(self) -> None:
        machine = Machine().charge()
        machine.contactor_obeys = False
        machine.feed(BoardLinkReport(alive=False)).wait(0.5)
        machine.log.clear()
        machine.feed(BoardLinkReport(alive=True)).plug(C)
        assert machine.when(OPEN)


class TestBrownOut:
    """After it the board's outputs are off, and the pilot is read before anything is armed."""

    def test_nothing_is_commanded_before_the_pilot_is_read(self) -> None:
        machine = Machine().charge().wait(10)
        machine.log.clear()
        machine.feed(BrownOutReport()).wait(60)
        assert machine.log == []
        assert not machine.state.contactor_closed

    def test_the_session_goes_on_when_the_vehicle_is_still_there(self) -> None:
        machine = Machine().charge().wait(10).feed(BrownOutReport())
        machine.feed(LockReport(LockPosition.UNLOCKED)).plug(C).wait(10)
        assert machine.charging
        assert machine.stops == []

    def test_it_ends_when_the_vehicle_left_meanwhile(self) -> None:
        machine = Machine().charge().feed(BrownOutReport()).unplug()
        assert machine.stops == [Stop(StopReason.EV_DISCONNECTED)]


class TestLockFailures:
    """Manual 9: three texts for the lock."""

    def test_plug_lock_failed_shows_fault_without_a_session(self) -> None:
        machine = Machine()
        machine.lock_obeys = False
        machine.plug().authorize().wait(15)
        assert machine.state.faults == {Fault.PLUG_LOCK}
        assert machine.status is Status.FAULTED
        machine.lock_obeys = True
        machine.unplug().wait(5)
        assert not machine.state.faults
        assert machine.charge().charging

    def test_actuator_stuck_keeps_the_cable_until_unlocked(self) -> None:
        machine = Machine().charge()
        machine.lock_obeys = False
        machine.feed(OWN_STOP).wait(15)
        assert machine.state.faults == {Fault.LOCK_STUCK}
        assert machine.status is Status.FAULTED
        machine.lock_obeys = True
        machine.wait(600)
        assert machine.locked

    def test_actuator_not_detected_ends_the_session(self) -> None:
        machine = Machine().charge().feed(LockReport(LockPosition.ABSENT))
        assert machine.state.faults == {Fault.LOCK_MISSING}
        assert not machine.state.contactor_closed
        assert machine.wait(10).stops == OTHER

    def test_effects_of_a_lock_failure_happen_in_the_same_step(self) -> None:
        """The lock gives up in the middle of a step; what follows, follows in that step."""
        machine = Machine().charge()
        machine.log.clear()
        machine.feed(LockReport(LockPosition.ABSENT))
        assert machine.stops == OTHER

    def test_another_fault_frees_a_plug_that_only_waits(self) -> None:
        machine = Machine().plug().feed(FaultRaised(Fault.RCD_TRIPPED)).wait(1)
        assert not machine.locked
        machine.feed(FaultCleared(Fault.RCD_TRIPPED)).wait(1)
        assert machine.locked


def test_a_lock_that_opens_by_itself_cuts_the_energy() -> None:
    machine = Machine().charge()
    machine.lock_obeys = False
    machine.feed(LockReport(LockPosition.UNLOCKED))
    assert not machine.state.contactor_closed


def test_card_during_a_fault_waits_and_expires() -> None:
    machine = Machine().plug().feed(FaultRaised(Fault.RCD_TRIPPED)).authorize(CARD).wait(46)
    assert machine.state.pending is None
