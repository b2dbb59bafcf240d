"""One of ten words for a connector, and the nine of OCPP 1.6 (chapter 4.9, errata 3.20, 3.64)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.domain.station.board import (
    LockPosition,
    PilotNominal,
    PilotReport,
    PilotState,
    Plug,
    PlugKind,
)
from borne.domain.station.connector_state import ConnectorState, LiveSession, Phase
from borne.domain.station.faults import Fault
from borne.domain.station.lock import LockDrive
from borne.domain.station.status import (
    BACKEND_STATUS,
    ConnectorStatus,
    cable_a,
    connector_status,
    offered_a,
    pilot_text,
    plug_held,
)
from tests.unit.domain.station.machine import CARD

RUNNING = LiveSession(CARD, Phase.RUNNING, "s1", energised=True)
BLOCKED = frozenset({Fault.RCD_TRIPPED})


def _in(state: PilotState, **more: object) -> ConnectorState:
    base = ConnectorState(
        connected=True, pilot=PilotReport(state, pwm=True), session=RUNNING, offer_a=16.0
    )
    return replace(base, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (ConnectorState(), "available"),
        (ConnectorState(reservation_id=3), "reserved"),
        (ConnectorState(connected=True), "preparing"),
        (ConnectorState(connected=True, reservation_id=3), "preparing"),
        (ConnectorState(connected=True, reservation_id=3, reserved_first=True), "reserved"),
        (ConnectorState(finished=True, reservation_id=3, reserved_first=True), "reserved"),
        (ConnectorState(pending=CARD, reservation_id=3, reserved_first=True), "authorized"),
        (ConnectorState(pending=CARD), "authorized"),
        (ConnectorState(session=LiveSession(CARD)), "authorized"),
        (_in(PilotState.C, sent_allow=True, contactor_closed=True), "charging"),
        (_in(PilotState.C, session=replace(RUNNING, energised=False)), "charging"),
        (_in(PilotState.C, rests=True), "suspended_evse"),
        (_in(PilotState.C), "charging"),
        (_in(PilotState.B), "suspended_ev"),
        (_in(PilotState.B, session=replace(RUNNING, may_ask_until_s=9.0)), "charging"),
        (_in(PilotState.B, offer_a=0.0), "suspended_evse"),
        (_in(PilotState.C, session=replace(RUNNING, held=True)), "suspended_evse"),
        (_in(PilotState.A, connected=False), "suspended_ev"),
        (_in(PilotState.C, session=replace(RUNNING, phase=Phase.STOPPING)), "finishing"),
        (_in(PilotState.C, session=replace(RUNNING, phase=Phase.CLOSING)), "finishing"),
        (ConnectorState(connected=True, finished=True), "finishing"),
        (ConnectorState(operative=False), "unavailable"),
        (ConnectorState(operative=False, connected=True), "unavailable"),
        (ConnectorState(operative=False, raised=BLOCKED), "faulted"),
        (_in(PilotState.C, raised=BLOCKED), "faulted"),
        (_in(PilotState.C, raised=frozenset({Fault.CARD_READER}), sent_allow=True), "charging"),
    ],
)
def test_the_status_by_priority(state: ConnectorState, status: str) -> None:
    assert connector_status(state).value == status


def test_every_status_maps_to_one_of_ocpp_16() -> None:
    assert set(BACKEND_STATUS) == set(ConnectorStatus)
    assert set(BACKEND_STATUS.values()) == {
        "Available",
        "Preparing",
        "Charging",
        "SuspendedEVSE",
        "SuspendedEV",
        "Finishing",
        "Reserved",
        "Unavailable",
        "Faulted",
    }


@pytest.mark.parametrize(
    ("state", "pwm", "text"),
    [("A", False, "A1"), ("B", True, "B2"), ("C", True, "C2"), ("E", False, "E"), ("F", True, "F")],
)
def test_pilot_as_the_standard_writes_it(state: str, pwm: bool, text: str) -> None:
    assert pilot_text(ConnectorState(pilot=PilotReport(PilotState(state), pwm))) == text


def test_the_cable_rating() -> None:
    assert cable_a(ConnectorState()) is None
    assert cable_a(ConnectorState(plug=Plug(PlugKind.VALID, 20))) == 20
    assert cable_a(ConnectorState(plug=Plug(PlugKind.SHORT))) is None


@pytest.mark.parametrize(
    ("position", "wanted", "held"),
    [
        (LockPosition.LOCKED, True, True),
        (LockPosition.LOCKED, False, True),
        (LockPosition.MOVING, True, False),
        (LockPosition.MOVING, False, True),
        (LockPosition.UNLOCKED, True, False),
        (LockPosition.ABSENT, True, False),
    ],
)
def test_whether_the_plug_can_be_pulled(position: LockPosition, wanted: bool, held: bool) -> None:
    assert plug_held(ConnectorState(lock=LockDrive(position, wanted))) is held


def test_the_reported_offer_is_zero_while_nothing_is_offered() -> None:
    """Current.Offered and Power.Offered (OCPP 1.6 section 7.31)."""
    offers = {"sent_pilot": PilotNominal(16.0)}
    cases: list[tuple[ConnectorState, float]] = [
        (_in(PilotState.C, sent_allow=True, **offers), 16.0),
        (_in(PilotState.B, **offers), 16.0),  # it could draw that much
        (_in(PilotState.C, **offers), 0.0),  # the contactor must not close yet
        (_in(PilotState.C, rests=True, **offers), 0.0),
        (_in(PilotState.B, offer_a=5.3), 0.0),  # a pause
        (_in(PilotState.C, sent_allow=True, session=replace(RUNNING, held=True), **offers), 0.0),
        (_in(PilotState.A, connected=False), 0.0),
        (_in(PilotState.C, raised=BLOCKED, **offers), 0.0),
        (ConnectorState(connected=True, offer_a=32.0), 0.0),  # preparing
        (ConnectorState(offer_a=32.0), 0.0),
    ]
    assert [offered_a(state) for state, _ in cases] == [expected for _, expected in cases]
