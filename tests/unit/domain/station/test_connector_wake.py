"""Waking a vehicle that does not react (IEC 61851-1 Annex A.5.3, decision D7)."""

from __future__ import annotations

import pytest

from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    PilotInterrupt,
    PilotNominal,
    PilotStateE,
    PilotStateF,
    PlugReport,
    SetPilot,
)
from borne.domain.station.connector_events import (
    Offered,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_state import Stop
from borne.domain.station.modes import WakeUp
from borne.domain.station.session import StopReason
from tests.unit.domain.station.machine import OWN_STOP, A, B, C, Machine

SHOWS = {
    WakeUp.PILOT_INTERRUPTION: SetPilot(PilotInterrupt(4.0)),
    WakeUp.STATE_F: SetPilot(PilotStateF()),
    WakeUp.STATE_E: SetPilot(PilotStateE()),
}
OFFER = SetPilot(PilotNominal(16.0))


def _sleeping(method: WakeUp | None = WakeUp.PILOT_INTERRUPTION) -> Machine:
    """Authorized and offered, but it does not react; times count from the offer."""
    machine = Machine(wake_up=method)
    machine.wants = False
    machine.now_s = -1.0
    return machine.plug().authorize()


@pytest.mark.parametrize("method", WakeUp)
def test_after_thirty_seconds_in_b2_for_four_seconds(method: WakeUp) -> None:
    machine = _sleeping(method).wait(29.9)
    assert machine.when(SHOWS[method]) == []
    machine.wait(100)
    assert machine.when(SHOWS[method]) == [30.0]
    if method is not WakeUp.PILOT_INTERRUPTION:
        assert machine.when(OFFER) == [0.0, 34.0]


@pytest.mark.parametrize("method", WakeUp)
def test_a_vehicle_is_woken_once_for_each_offer(method: WakeUp) -> None:
    machine = _sleeping(method).wait(3600)
    assert len(machine.when(SHOWS[method])) == 1
    machine.feed(Offered(0.0)).wait(600)
    assert len(machine.when(SHOWS[method])) == 1
    machine.feed(Offered(16.0)).wait(3600)
    assert len(machine.when(SHOWS[method])) == 2


def test_when_switched_off_no_vehicle_is_woken() -> None:
    machine = _sleeping(None).wait(3600)
    assert [effect for effect in SHOWS.values() if machine.when(effect)] == []


@pytest.mark.parametrize("reacts_s", [1.0, 29.0, 40.0])
def test_a_vehicle_that_reacts_is_left_alone(reacts_s: float) -> None:
    machine = _sleeping().wait(reacts_s).pilot(C)
    woken = len(machine.effects(SetPilot))
    assert machine.charging
    machine.wait(60).pilot(B).wait(3600)
    assert len(machine.effects(SetPilot)) == woken


def test_no_vehicle_is_woken_before_authorization() -> None:
    machine = Machine(wake_up=WakeUp.STATE_F).plug().wait(3600)
    assert machine.effects(SetPilot) == []


def test_no_vehicle_is_woken_in_a_pause() -> None:
    machine = _sleeping().feed(Offered(0.0)).wait(3600)
    assert machine.when(SHOWS[WakeUp.PILOT_INTERRUPTION]) == []


class TestOurOwnInterruptionIsNotTheVehicleLeaving:
    @pytest.mark.parametrize("method", WakeUp)
    def test_reports_during_the_interruption_are_ignored(self, method: WakeUp) -> None:
        machine = _sleeping(method).wait(30)
        machine.pilot(A).wait(3.9).pilot(B).wait(60)
        assert machine.effects(VehicleLeft) == []
        assert len(machine.effects(VehicleArrived)) == 1
        assert machine.stops == []
        assert not machine.state.faults

    def test_a_vehicle_that_left_is_noticed_after_the_interruption(self) -> None:
        machine = _sleeping().wait(31).pilot(A).wait(60)
        assert machine.stops == [Stop(StopReason.EV_DISCONNECTED)]

    def test_a_pulled_cable_is_noticed_at_once(self) -> None:
        machine = _sleeping().wait(31).feed(PlugReport(NO_PLUG))
        assert machine.stops == [Stop(StopReason.EV_DISCONNECTED)]

    def test_a_vehicle_that_wakes_charges(self) -> None:
        machine = _sleeping().wait(31).pilot(C)
        assert machine.when(AllowContactor(True))

    def test_a_stop_ends_it(self) -> None:
        machine = _sleeping(WakeUp.STATE_F).wait(31).feed(OWN_STOP).wait(10)
        assert machine.stops == [OWN_STOP.stop]
        assert not machine.state.faults
