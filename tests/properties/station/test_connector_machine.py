"""The connector machine among cars, cards, backends, timers, faults and power cuts that come in
any order: what must never happen does not, and what must end ends (IEC 61851-1, manual 5.1, 9)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from borne.domain.station.connector_events import (
    AuthorizationWithdrawn,
    Authorized,
    AvailabilityAsked,
    CardChecking,
    FaultCleared,
    FaultRaised,
    HoldAsked,
    Offered,
    Reserved,
    StopAsked,
    Tick,
    UnlockAsked,
)
from borne.domain.station.connector_state import Authorization, ConnectorConfig, Stop
from borne.domain.station.faults import Fault
from borne.domain.station.modes import StopMode, WakeUp
from borne.domain.station.session import StopReason
from borne.domain.vehicle import Identity, IdentityKind
from tests.properties.station.bench import Bench, Car, Socket

CONFIGS = tuple(
    ConnectorConfig(
        stop_mode=stop_mode,
        lock_only_if_authorized=lock_late,
        unlock_on_vehicle_disconnect=unlock,
        ventilation=ventilation,
        wake_up=wake_up,
        has_lock=has_lock,
        tethered=tethered,
        has_state_f=has_state_f,
    )
    for stop_mode, (lock_late, unlock, ventilation, has_lock, tethered, has_state_f), wake_up in (
        itertools.product(
            StopMode,
            (
                (False, True, False, True, False, True),
                (True, True, True, True, False, True),
                (False, False, False, True, False, True),
                (False, True, True, False, False, False),
                (False, True, False, True, True, True),
            ),
            (None, *WakeUp),
        )
    )
)
CARS = (
    Car(),
    Car(cable_a=20),
    Car(wants=False),
    Car(stubborn=True),
    Car(simplified=True, cable_a=13),
    Car(ventilation=True),
    Car(diode=False),
)
PERMITS = (
    Authorization(Identity(IdentityKind.RFID, "A1"), card="A1"),
    Authorization(Identity(IdentityKind.RFID, "B2", "group"), card="B2"),
    Authorization(Identity(IdentityKind.FREE, ""), reported=False, expires=False),
    Authorization(Identity(IdentityKind.REMOTE, "A1"), card="A1", reservation_id=7),
)
STOPS = (
    Stop(StopReason.LOCAL, "A1"),
    Stop(StopReason.REMOTE),
    Stop(StopReason.DE_AUTHORIZED),
    Stop(StopReason.UNLOCK_COMMAND),
)
FOUND = (
    Fault.RESIDUAL_CURRENT,
    Fault.RCD_TRIPPED,
    Fault.OVER_CURRENT,
    Fault.METER_BILLING,
    Fault.SURGE_PROTECTION,
    Fault.STORAGE_FULL,
    Fault.SETTINGS_DAMAGED,
    Fault.SELF_TEST,
)
OFFERS_A = (0.0, 5.9, 6.0, 10.0, 13.0, 13.02, 16.0, 32.0)
PAUSES_S = (0.01, 0.03, 0.1, 0.35, 0.6, 1.1, 2.2, 5.0, 6.0, 31.0, 46.0)
DEFECTS = ("welded", "broken", "stuck", "barred", "shorted", "absent", "half_plugged")
side = st.integers(0, 1)


class Connectors(RuleBasedStateMachine):
    """One or two sockets at the same time."""

    steps = 0

    @initialize(config=st.sampled_from(CONFIGS), sockets=st.integers(1, 2))
    def begin(self, config: ConnectorConfig, sockets: int) -> None:
        self.bench = Bench(config, sockets)
        self.bench.advance(0.1)

    def _at(self, index: int) -> Socket:
        return self.bench.sockets[index % len(self.bench.sockets)]

    @rule(at=side, car=st.sampled_from(CARS))
    def plug(self, at: int, car: Car) -> None:
        copy = Car(car.cable_a, car.wants, car.ventilation, car.diode, car.simplified)
        copy.stubborn = car.stubborn
        self._at(at).plug_in(copy)

    @rule(at=side, force=st.booleans())
    def unplug(self, at: int, force: bool) -> None:
        self._at(at).unplug(force=force)

    @rule(at=side, car=st.sampled_from(CARS), after=st.sampled_from(PAUSES_S))
    def come_with_a_card(self, at: int, car: Car, after: float) -> None:
        self.plug(at, car)
        self.bench.advance(after)
        self._at(at).feed(Authorized(PERMITS[0]))
        self.bench.advance(1.0)
        self.bench.commit(self._at(at))
        self.bench.advance(after)

    @rule(at=side, wants=st.booleans())
    def driver(self, at: int, wants: bool) -> None:
        socket = self._at(at)
        if socket.car is not None:
            socket.car.wants = wants
            socket.settle()

    @rule(at=side, amps=st.sampled_from(OFFERS_A))
    def limit(self, at: int, amps: float) -> None:
        socket = self._at(at)
        socket.offer_a = amps
        socket.feed(Offered(amps))

    @rule(at=side, permit=st.sampled_from(PERMITS))
    def authorize(self, at: int, permit: Authorization) -> None:
        self._at(at).feed(Authorized(permit))

    @rule(at=side, stop=st.sampled_from(STOPS))
    def stop(self, at: int, stop: Stop) -> None:
        self._at(at).feed(StopAsked(stop))

    @rule(at=side, what=st.integers(0, 6), yes=st.booleans())
    def set_available(self, at: int, what: int, yes: bool) -> None:
        event = (
            HoldAsked(yes),
            UnlockAsked(),
            AvailabilityAsked(yes),
            Reserved(7 if yes else None),
            CardChecking(yes),
            AuthorizationWithdrawn(),
            Tick(),
        )[what]
        self._at(at).feed(event)

    @rule(at=side, fault=st.sampled_from(FOUND), active=st.booleans())
    def fault(self, at: int, fault: Fault, active: bool) -> None:
        socket = self._at(at)
        if not socket.powered:
            return
        (socket.reported_faults.add if active else socket.reported_faults.discard)(fault)
        socket.feed(FaultRaised(fault) if active else FaultCleared(fault))

    @rule(at=side, defect=st.sampled_from(DEFECTS), present=st.booleans())
    def damage(self, at: int, defect: str, present: bool) -> None:
        socket = self._at(at)
        setattr(socket.defects, defect, present)
        if socket.powered:
            socket._move_contact()
            socket.settle()

    @rule(at=side, silent=st.booleans())
    def board_link(self, at: int, silent: bool) -> None:
        if self._at(at).powered:
            self._at(at).set_silent(silent)

    @rule(at=side)
    def brown_out(self, at: int) -> None:
        if self._at(at).powered:
            self._at(at).brown_out()

    @rule(at=side, well=st.booleans())
    def commit(self, at: int, well: bool) -> None:
        if self._at(at).powered:
            self.bench.commit(self._at(at), well=well)

    @rule(seconds=st.sampled_from(PAUSES_S))
    def wait(self, seconds: float) -> None:
        self.bench.advance(seconds)

    @rule(resume=st.booleans(), seconds=st.sampled_from(PAUSES_S))
    def power_cut(self, resume: bool, seconds: float) -> None:
        self.bench.cut_power()
        self.bench.advance(seconds)
        self.bench.restore_power(resume=resume)
        self.bench.advance(0.1)

    def teardown(self) -> None:
        if hasattr(self, "bench") and not self.bench.failed:
            self.bench.clear_up()
            Connectors.steps += self.bench.steps


STEPS, STEPS_OF_A_CAMPAIGN = 25_000, 100_000
EXAMPLES = 100
"""At a time, of some eighty steps each; each is taken twice, to see that the second one does
nothing."""


def _walk(enough: int) -> None:
    """So many steps at least."""
    Connectors.steps = before = 0
    while Connectors.steps < enough:
        run_state_machine_as_test(
            Connectors, settings=settings(max_examples=EXAMPLES, stateful_step_count=50)
        )
        assert Connectors.steps > before, "no step was taken"
        before = Connectors.steps


def test_many_steps_in_any_order() -> None:
    _walk(STEPS)


@pytest.mark.campaign
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_steps_in_any_order() -> None:
    _walk(STEPS_OF_A_CAMPAIGN)
