"""How a session ends: Stop Transaction Mode (manual 5.1), decisions D27, D29 and D30, OCPP 1.6
chapter 4.9 and 4.10 (TC_005, TC_037, TC_068)."""

from __future__ import annotations

import pytest

from borne.domain.station.board import NO_PLUG, PilotOff, Plug, PlugKind, PlugReport, SetPilot
from borne.domain.station.connector_events import (
    CloseSession,
    FaultRaised,
    HoldAsked,
    SessionClosed,
    StopAsked,
    UnlockAsked,
    VehicleArrived,
    VehicleLeft,
)
from borne.domain.station.connector_state import Stop
from borne.domain.station.faults import Fault
from borne.domain.station.modes import StopMode
from borne.domain.station.session import StopReason
from borne.domain.station.status import ConnectorStatus as Status
from tests.unit.domain.station.machine import (
    CARD,
    FREE,
    OTHER_CARD,
    OWN_STOP,
    REMOTE_STOP,
    B,
    C,
    D,
    Machine,
)

DISCONNECTED = Stop(StopReason.EV_DISCONNECTED)
OTHER = Stop(StopReason.OTHER)
NORMAL, DISCONNECT, RFID, MODE_D = StopMode
"""In the order of the manual."""


def _happen(machine: Machine, what: str) -> None:
    match what:
        case "pulled out of the vehicle":
            machine.leave()
        case "pulled out of the station":
            machine.unplug()
        case "remote stop":
            machine.feed(REMOTE_STOP)
        case "vehicle in state D":
            machine.pilot(D)
        case "RCD triggers":
            machine.feed(FaultRaised(Fault.RCD_TRIPPED))


@pytest.mark.parametrize(
    ("mode", "what", "ends"),
    [
        (NORMAL, "pulled out of the vehicle", DISCONNECTED),
        (NORMAL, "pulled out of the station", DISCONNECTED),
        (NORMAL, "remote stop", REMOTE_STOP.stop),
        (NORMAL, "vehicle in state D", None),
        (NORMAL, "RCD triggers", OTHER),
        (DISCONNECT, "pulled out of the vehicle", None),
        (DISCONNECT, "pulled out of the station", DISCONNECTED),
        (DISCONNECT, "remote stop", REMOTE_STOP.stop),
        (DISCONNECT, "vehicle in state D", None),
        (DISCONNECT, "RCD triggers", OTHER),
        (RFID, "pulled out of the vehicle", None),
        (RFID, "pulled out of the station", None),
        (RFID, "remote stop", REMOTE_STOP.stop),
        (RFID, "vehicle in state D", None),
        (RFID, "RCD triggers", OTHER),
        (MODE_D, "pulled out of the vehicle", DISCONNECTED),
        (MODE_D, "pulled out of the station", DISCONNECTED),
        (MODE_D, "remote stop", REMOTE_STOP.stop),
        (MODE_D, "vehicle in state D", OTHER),
        (MODE_D, "RCD triggers", OTHER),
    ],
)
def test_manual_5_1_stop_transaction_mode(mode: StopMode, what: str, ends: Stop | None) -> None:
    machine = Machine(stop_mode=mode).charge()
    _happen(machine, what)
    machine.wait(10)
    assert machine.stops == ([ends] if ends else [])
    assert (machine.session is None) is (ends is not None)


@pytest.mark.parametrize("mode", StopMode)
def test_the_right_card_stops_or_holds(mode: StopMode) -> None:
    """The card of the session ends it; in "only stop by disconnect" it pauses and frees the cable
    (the flow says which)."""
    machine = Machine(stop_mode=mode).charge()
    if mode is DISCONNECT:
        machine.feed(HoldAsked(held=True))
        assert (machine.status, machine.locked) == (Status.SUSPENDED_EVSE, False)
        assert machine.session is not None
        machine.unplug()
        assert machine.stops == [DISCONNECTED]
    else:
        machine.feed(OWN_STOP)
        assert machine.stops == [OWN_STOP.stop]
        assert (machine.status, machine.locked) == (Status.FINISHING, False)


def test_a_held_session_goes_on_when_asked_again() -> None:
    machine = Machine(stop_mode=DISCONNECT).charge().feed(HoldAsked(held=True)).wait(10)
    assert machine.offered_a == 0
    machine.feed(HoldAsked(held=False)).wait(10)
    assert (machine.charging, machine.locked) == (True, True)
    assert machine.stops == []


def test_an_id_that_is_refused_later_is_held_and_keeps_the_cable() -> None:
    """C14, StopTransactionOnInvalidId false: no energy, the transaction goes on."""
    machine = Machine().charge().feed(HoldAsked(held=True))
    assert (machine.status, machine.locked) == (Status.SUSPENDED_EVSE, True)


class TestOnlyByRfidSurvivesUnplugging:
    """Manual 5.1: removing the cable does not end the transaction. TC_005_3."""

    def _without_cable(self) -> Machine:
        return Machine(stop_mode=RFID).charge().unplug()

    def test_it_waits_without_pilot_and_energy(self) -> None:
        machine = self._without_cable().wait(3600)
        assert machine.status is Status.SUSPENDED_EV
        assert machine.led == "authorized"
        assert not machine.state.sent_allow
        assert machine.offered_a == 0

    @pytest.mark.parametrize("cable_a", [32, 20])
    def test_it_goes_on_with_whatever_cable_comes_next(self, cable_a: int) -> None:
        machine = self._without_cable().wait(10).plug(cable_a=cable_a)
        assert machine.charging
        assert machine.stops == []
        assert not machine.state.faults

    def test_pulled_out_of_the_vehicle_only_the_cable_stays_locked(self) -> None:
        """D30: StopTransactionOnEVSideDisconnect false overrides the unlocking."""
        machine = Machine(stop_mode=RFID).charge().leave()
        assert (machine.locked, machine.session is not None) == (True, True)
        assert machine.pilot(B).wait(10).charging

    def test_card_and_backend_end_it(self) -> None:
        assert self._without_cable().feed(OWN_STOP).stops == [OWN_STOP.stop]
        assert self._without_cable().feed(REMOTE_STOP).stops == [REMOTE_STOP.stop]


class TestVehicleSideDisconnect:
    """TC_005, C16: who gets the cable when the vehicle's end is pulled."""

    @pytest.mark.parametrize(
        ("mode", "unlock", "session_lives", "locked"),
        [
            (NORMAL, True, False, False),
            (NORMAL, False, False, True),
            (RFID, True, True, True),
            (RFID, False, True, True),
            (DISCONNECT, True, True, False),
        ],
    )
    def test_unlock_connector_on_ev_side_disconnect(
        self, mode: StopMode, unlock: bool, session_lives: bool, locked: bool
    ) -> None:
        machine = Machine(stop_mode=mode, unlock_on_vehicle_disconnect=unlock).charge().leave()
        assert (machine.session is not None) is session_lives
        assert machine.wait(3600).locked is locked

    def _kept(self) -> Machine:
        machine = Machine(unlock_on_vehicle_disconnect=False).charge().leave().wait(60)
        assert (machine.status, machine.locked) == (Status.FINISHING, True)
        return machine

    def test_the_owner_gets_the_cable_by_card(self) -> None:
        machine = self._kept().authorize(CARD)
        assert not machine.locked
        assert machine.status is Status.FINISHING
        assert machine.unplug().status is Status.AVAILABLE

    def test_after_a_forced_unplugging_the_cable_is_not_held(self) -> None:
        machine = self._kept().unplug().wait(1).plug()
        assert machine.state.cable_held_for is None
        assert machine.effects(VehicleArrived)[1:]

    def test_the_unlock_command_releases_a_held_cable(self) -> None:
        assert not self._kept().feed(UnlockAsked()).locked

    def test_another_card_charges_with_it(self) -> None:
        machine = self._kept().authorize(OTHER_CARD)
        assert machine.status is Status.AUTHORIZED

    def test_only_sessions_with_a_card_hold_the_cable(self) -> None:
        machine = Machine(unlock_on_vehicle_disconnect=False).plug().authorize(FREE).leave()
        assert not machine.wait(1).locked

    def test_in_only_by_disconnect_the_held_cable_is_free(self) -> None:
        machine = Machine(stop_mode=DISCONNECT, unlock_on_vehicle_disconnect=False).charge()
        machine.leave()
        assert machine.locked
        assert not machine.feed(HoldAsked(held=True)).wait(1).locked
        assert machine.unplug().stops == [DISCONNECTED]


class TestDeAuthorized:
    """TC_037_3, errata 3.17: the cable is kept for the id that was refused."""

    REFUSED = StopAsked(Stop(StopReason.DE_AUTHORIZED))

    def test_it_is_kept_for_its_owner(self) -> None:
        machine = Machine().charge().feed(self.REFUSED).wait(60)
        assert (machine.status, machine.locked) == (Status.FINISHING, True)
        assert not machine.authorize(CARD).locked

    def test_a_free_session_is_not_kept(self) -> None:
        machine = Machine().plug().authorize(FREE).feed(self.REFUSED)
        assert not machine.wait(1).locked

    def test_a_cable_requested_meanwhile_is_released(self) -> None:
        machine = Machine().charge()
        machine.journal_obeys = False
        machine.feed(self.REFUSED, UnlockAsked()).wait(5).feed(SessionClosed())
        assert not machine.wait(1).locked


def test_the_end_is_committed_after_the_contactor_opened() -> None:
    machine = Machine().charge()
    machine.car_follows = machine.contactor_obeys = False
    machine.feed(OWN_STOP).wait(4)
    assert machine.effects(CloseSession) == []
    machine.contactor_obeys = True
    machine.pilot(B)
    assert machine.effects(CloseSession) == [CloseSession("s1", OWN_STOP.stop)]


def test_until_the_end_is_committed_the_plug_is_kept() -> None:
    machine = Machine().charge()
    machine.journal_obeys = False
    machine.feed(OWN_STOP).wait(100)
    assert (machine.status, machine.locked, machine.led) == (Status.FINISHING, True, "finishing")
    machine.feed(SessionClosed())
    assert not machine.locked


def test_only_the_first_reason_counts() -> None:
    machine = Machine().charge()
    machine.journal_obeys = False
    machine.feed(OWN_STOP, REMOTE_STOP).unplug().feed(FaultRaised(Fault.OTHER))
    assert machine.stops == [OWN_STOP.stop]


def test_unplugged_while_charging_the_contactor_opens_first() -> None:
    """IEC 61851-1 Table A.6, sequence 2.2."""
    machine = Machine().charge()
    machine.log.clear()
    machine.leave()
    effects = [effect for _, effect in machine.log]
    assert effects[0].__class__.__name__ == "VehicleLeft"
    assert str(effects[1]) == "AllowContactor(allowed=False)"
    assert effects[2] == SetPilot(PilotOff())


def test_the_yellow_light_ends_with_the_plug_or_after_30_s() -> None:
    """Manual 6: finishing the last session, up to 30 s."""
    machine = Machine().charge().feed(OWN_STOP)
    assert machine.led == "finishing"
    assert machine.wait(29.9).led == "finishing"
    assert machine.wait(0.2).led == "available"
    assert machine.status is Status.FINISHING
    assert machine.unplug().status is Status.AVAILABLE
    assert Machine().charge().feed(OWN_STOP).unplug().led == "available"


def test_cable_without_vehicle_is_still_finishing() -> None:
    """C25: Finishing while the cable is in."""
    machine = Machine().charge().leave().wait(100)
    assert machine.status is Status.FINISHING
    assert machine.feed(PlugReport(NO_PLUG)).status is Status.AVAILABLE


def test_the_departure_is_signalled_once() -> None:
    machine = Machine().charge().leave().feed(PlugReport(NO_PLUG)).wait(60)
    assert len(machine.effects(VehicleLeft)) == 1


def test_attached_cable_ends_with_the_vehicle_in_every_mode_that_can() -> None:
    for mode in (NORMAL, DISCONNECT, MODE_D):
        machine = Machine(stop_mode=mode, tethered=True)
        machine.feed(PlugReport(Plug(PlugKind.VALID, 32))).pilot(C).authorize()
        machine.leave()
        assert machine.stops == [DISCONNECTED]
        assert machine.status is Status.AVAILABLE
