"""How a session begins: OCPP 1.6 chapter 3.6 (TC_003, TC_004), manual 5.1, complaint Q14."""

from __future__ import annotations

import pytest

from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    MoveLock,
    PilotNominal,
    Plug,
    PlugKind,
    PlugReport,
    SetPilot,
)
from borne.domain.station.connector_events import (
    AuthorizationExpired,
    AuthorizationWithdrawn,
    Authorized,
    AvailabilityAsked,
    FaultCleared,
    FaultRaised,
    OpenSession,
    Reserved,
    SessionNotOpened,
    SessionOpened,
    SessionResumed,
    UnlockAsked,
    VehicleArrived,
)
from borne.domain.station.connector_state import LiveSession, Phase, Stop
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
    Machine,
)


def test_plug_first_then_card() -> None:
    """TC_003."""
    machine = Machine().plug()
    assert (machine.status, machine.locked) == (Status.PREPARING, True)
    assert machine.effects(VehicleArrived)
    assert not machine.effects(OpenSession)
    machine.authorize()
    assert machine.charging
    assert machine.effects(OpenSession) == [OpenSession(CARD)]


def test_card_first_then_plug() -> None:
    """TC_004_1."""
    machine = Machine().authorize()
    assert machine.status is Status.AUTHORIZED
    machine.plug()
    assert machine.charging
    assert not machine.effects(VehicleArrived)


def test_energy_only_after_lock_and_commit() -> None:
    machine = Machine()
    machine.journal_obeys = False
    machine.plug(C).authorize()
    order = [type(effect) for _, effect in machine.log]
    assert order == [VehicleArrived, MoveLock, OpenSession]
    machine.feed(SessionOpened("s1"))
    order = [type(effect) for _, effect in machine.log[3:]]
    assert order == [SetPilot, AllowContactor]


@pytest.mark.parametrize("timeout_s", [10.0, 45.0])
def test_card_expires_without_plug(timeout_s: float) -> None:
    """TC_004_2, manual 5.1 "Vehicle connection timeout"."""
    machine = Machine(connection_timeout_s=timeout_s).authorize()
    machine.wait(timeout_s - 0.1)
    assert machine.status is Status.AUTHORIZED
    assert machine.wait(0.1).status is Status.AVAILABLE
    assert machine.effects(AuthorizationExpired) == [AuthorizationExpired(CARD)]
    assert not machine.plug().session


def test_a_second_card_restarts_the_timeout() -> None:
    machine = Machine().authorize().wait(40).authorize(OTHER_CARD).wait(40)
    assert machine.status is Status.AUTHORIZED
    machine.plug()
    assert machine.effects(OpenSession) == [OpenSession(OTHER_CARD)]


def test_withdrawn_card_starts_nothing() -> None:
    machine = Machine().authorize().feed(AuthorizationWithdrawn()).plug()
    assert machine.status is Status.PREPARING


@pytest.mark.parametrize(
    ("only_if_authorized", "locked_before", "locked_after"),
    [(False, True, True), (True, False, True)],
)
def test_lock_actuator_only_if_authorized(
    only_if_authorized: bool, locked_before: bool, locked_after: bool
) -> None:
    """Manual 5.1, last setting."""
    machine = Machine(lock_only_if_authorized=only_if_authorized).plug()
    assert machine.locked is locked_before
    machine.authorize()
    assert machine.locked is locked_after
    assert machine.charging


@pytest.mark.parametrize("stop", [OWN_STOP, REMOTE_STOP])
def test_starts_again_without_replugging(stop: object) -> None:
    """Complaint Q14: after a RemoteStop with the cable in, another start works."""
    machine = Machine().charge()
    machine.feed(REMOTE_STOP if stop is REMOTE_STOP else OWN_STOP)
    assert (machine.status, machine.locked) == (Status.FINISHING, False)
    machine.wait(10).authorize(OTHER_CARD)
    assert machine.charging
    assert machine.effects(OpenSession) == [OpenSession(CARD), OpenSession(OTHER_CARD)]


def test_free_charging_starts_at_every_plug_and_only_there() -> None:
    """Modes 1, 2 and 5: plugging in starts; a stop holds until the next plug."""
    machine = Machine().plug().authorize(FREE)
    assert machine.charging
    machine.feed(REMOTE_STOP).wait(3600)
    assert machine.status is Status.FINISHING
    assert len(machine.effects(VehicleArrived)) == 1
    machine.unplug().wait(1).plug()
    assert len(machine.effects(VehicleArrived)) == 2


def test_a_vehicle_that_leaves_and_returns_arrives_again_though_the_cable_stays() -> None:
    machine = Machine().charge().feed(OWN_STOP).leave()
    assert machine.status is Status.FINISHING
    assert machine.pilot(B).status is Status.PREPARING
    assert len(machine.effects(VehicleArrived)) == 2


def test_a_free_authorization_ends_with_its_vehicle() -> None:
    machine = Machine()
    machine.lock_obeys = False
    machine.plug().authorize(FREE)
    assert machine.status is Status.AUTHORIZED
    assert machine.unplug().status is Status.AVAILABLE


def test_a_free_authorization_needs_a_vehicle() -> None:
    assert Machine().authorize(FREE).status is Status.AVAILABLE


@pytest.mark.parametrize(
    ("plug", "why"),
    [
        (NO_PLUG, "no cable"),
        (Plug(PlugKind.AMBIGUOUS), "half plugged"),
        (Plug(PlugKind.SHORT), "short circuit"),
    ],
)
def test_no_session_without_a_readable_cable(plug: Plug, why: str) -> None:
    machine = Machine()
    machine.pilot(B).feed(PlugReport(plug)).authorize()
    assert not machine.effects(OpenSession), why
    assert not machine.effects(MoveLock)


@pytest.mark.parametrize(
    ("config", "plugged"),
    [({"has_lock": False}, True), ({"tethered": True}, False)],
    ids=["socket without lock", "attached cable"],
)
def test_stations_without_a_lock(config: dict[str, bool], plugged: bool) -> None:
    machine = Machine(**config)
    machine = machine.plug() if plugged else machine.pilot(B)
    machine.authorize()
    assert machine.charging
    assert not machine.effects(MoveLock)


@pytest.mark.parametrize(
    "fault", [Fault.RESIDUAL_CURRENT, Fault.STORAGE_FULL, Fault.SETTINGS_DAMAGED]
)
def test_no_session_while_a_fault_forbids_it(fault: Fault) -> None:
    machine = Machine().feed(FaultRaised(fault)).plug().authorize()
    assert not machine.effects(OpenSession)
    machine.feed(FaultCleared(fault))
    assert machine.charging


def test_a_warning_does_not_prevent_charging() -> None:
    assert Machine().feed(FaultRaised(Fault.SURGE_PROTECTION)).plug().authorize().charging


class TestWhileTheStartIsCommitted:
    def _opening(self) -> Machine:
        machine = Machine()
        machine.journal_obeys = False
        machine.plug().authorize()
        session = machine.session
        assert session is not None
        assert session.phase is Phase.OPENING
        return machine

    @pytest.mark.parametrize("wanted_s", [0.0, 30.0, 3600.0])
    def test_no_energy_however_long_it_takes(self, wanted_s: float) -> None:
        machine = self._opening().pilot(C).wait(wanted_s)
        assert not machine.effects(AllowContactor)
        assert machine.offered_a == 0
        machine.feed(SessionOpened("s1"))
        assert machine.charging

    def test_unplugged_meanwhile_it_ends_at_once_and_without_energy(self) -> None:
        machine = self._opening().unplug()
        assert not machine.stops
        machine.feed(SessionOpened("s1"))
        assert machine.stops == [Stop(StopReason.EV_DISCONNECTED)]
        assert not machine.effects(AllowContactor)

    def test_stopped_meanwhile_it_ends_at_once_and_without_energy(self) -> None:
        machine = self._opening().feed(OWN_STOP)
        machine.feed(SessionOpened("s1"))
        assert machine.stops == [OWN_STOP.stop]
        assert not machine.effects(AllowContactor)

    def test_a_start_that_is_not_committed_leaves_no_session(self) -> None:
        machine = self._opening().feed(SessionNotOpened())
        assert machine.status is Status.PREPARING
        machine.journal_obeys = True
        assert machine.authorize().charging

    def test_an_answer_that_comes_twice_changes_nothing(self) -> None:
        machine = self._opening().feed(SessionOpened("s1"), SessionOpened("s2"), SessionNotOpened())
        session = machine.session
        assert session is not None
        assert session.session_id == "s1"

    def test_no_second_session(self) -> None:
        machine = self._opening().authorize(OTHER_CARD).feed(SessionOpened("s1"))
        machine.authorize(OTHER_CARD).wait(60)
        assert machine.effects(OpenSession) == [OpenSession(CARD)]


class TestAvailability:
    """TC_017 and on: OCPP 1.6 chapter 5.2, behaviour C23."""

    def test_idle_it_is_out_of_service_at_once(self) -> None:
        machine = Machine().feed(AvailabilityAsked(operative=False))
        assert (machine.status, machine.led) == (Status.UNAVAILABLE, "unavailable")
        machine.authorize().plug()
        assert (machine.status, machine.locked) == (Status.UNAVAILABLE, False)
        machine.feed(AvailabilityAsked(operative=True))
        assert (machine.status, machine.locked) == (Status.PREPARING, True)

    def test_a_session_ends_first(self) -> None:
        machine = Machine().charge().feed(AvailabilityAsked(operative=False))
        assert machine.charging
        assert machine.state.inoperative_later
        machine.feed(OWN_STOP)
        assert machine.status is Status.UNAVAILABLE

    def test_out_of_service_is_kept_when_the_start_is_not_committed(self) -> None:
        machine = Machine()
        machine.journal_obeys = False
        machine.plug().authorize().feed(AvailabilityAsked(operative=False), SessionNotOpened())
        assert machine.status is Status.UNAVAILABLE

    def test_out_of_service_can_be_withdrawn(self) -> None:
        machine = Machine().charge()
        machine.feed(AvailabilityAsked(operative=False), AvailabilityAsked(operative=True))
        machine.feed(OWN_STOP)
        assert machine.status is Status.FINISHING


def test_reserved_until_its_session_begins() -> None:
    machine = Machine().feed(Reserved(7))
    assert (machine.status, machine.led) == (Status.RESERVED, "reserved")
    machine.plug().authorize().feed(OWN_STOP).unplug()
    assert machine.status is Status.AVAILABLE


def test_reservation_ends() -> None:
    assert Machine().feed(Reserved(7), Reserved(None)).status is Status.AVAILABLE


class TestResumeAfterPowerCut:
    """Manual 4, "Restart transaction after power loss"; TC_032."""

    def _resumed(self) -> Machine:
        machine = Machine()
        fresh = type(machine.state)(offer_a=16.0)
        machine.state = fresh
        return machine.feed(SessionResumed(LiveSession(CARD, Phase.RUNNING, "s9")))

    def test_nothing_is_commanded_before_the_first_reports_of_the_board(self) -> None:
        machine = self._resumed().wait(60)
        assert machine.log == []
        assert machine.session is not None

    def test_it_goes_on_with_the_vehicle(self) -> None:
        machine = self._resumed().plug()
        assert machine.charging
        assert not machine.effects(OpenSession)

    def test_without_the_vehicle_it_ends(self) -> None:
        machine = self._resumed().unplug()
        assert machine.stops == [Stop(StopReason.EV_DISCONNECTED)]

    def test_a_cable_still_in_the_station_is_not_taken_as_pulled(self) -> None:
        machine = self._resumed()
        machine.config = type(machine.config)(stop_mode=StopMode.ONLY_DISCONNECT)
        machine.leave().feed(PlugReport(Plug(PlugKind.VALID, 32)))
        assert machine.session is not None
        assert not machine.stops

    def test_it_does_not_replace_a_session_that_runs(self) -> None:
        machine = Machine().charge()
        machine.feed(SessionResumed(LiveSession(OTHER_CARD, Phase.RUNNING, "s9")))
        session = machine.session
        assert session is not None
        assert session.session_id == "s1"


class TestUnlock:
    """TC_030, TC_031: UnlockConnector."""

    def test_a_waiting_vehicle_is_unlocked(self) -> None:
        machine = Machine().plug().feed(UnlockAsked())
        assert (machine.locked, machine.status) == (False, Status.FINISHING)
        machine.wait(3600)
        assert not machine.locked
        assert machine.authorize().charging

    def test_a_pending_authorization_ends(self) -> None:
        machine = Machine()
        machine.feed(FaultRaised(Fault.STORAGE_FULL)).plug().authorize()
        assert machine.locked
        machine.feed(UnlockAsked())
        assert (machine.locked, machine.status) == (False, Status.FINISHING)

    def test_the_contactor_opens_before_the_plug_is_released(self) -> None:
        machine = Machine().charge()
        stop = Stop(StopReason.UNLOCK_COMMAND)
        machine.car_follows = machine.contactor_obeys = False
        machine.feed(type(OWN_STOP)(stop), UnlockAsked()).wait(5.9)
        assert machine.locked
        machine.contactor_obeys = True
        machine.pilot(B)
        machine.wait(2)
        assert not machine.locked


def test_without_authorization_the_plug_stays_locked() -> None:
    machine = Machine().plug().wait(60)
    assert (machine.status, machine.locked) == (Status.PREPARING, True)
    assert machine.when(SetPilot(PilotNominal(16.0))) == []


def test_an_authorization_is_owned_by_its_card() -> None:
    assert Authorized(CARD).authorization.owned_by("a1")
    assert not CARD.owned_by("")
