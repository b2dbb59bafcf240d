"""LED ring: the table of manual 6, with its times."""

from __future__ import annotations

from typing import Any

import pytest

from borne.domain.station.board import PilotReport, PilotState
from borne.domain.station.connector_snapshot import snapshot_of
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorState,
    LiveSession,
    Phase,
)
from borne.domain.station.faults import Fault
from borne.domain.station.indication import PATTERNS, Colour, pattern_for
from borne.domain.vehicle import Identity, IdentityKind
from tests.unit.domain.station.machine import CARD

OFF, GREEN, YELLOW, BLUE, WHITE, THREE = (
    Colour.OFF,
    Colour.GREEN,
    Colour.YELLOW,
    Colour.BLUE,
    Colour.WHITE,
    Colour.THREE,
)


def _session(phase: Phase) -> LiveSession:
    return LiveSession(Authorization(Identity(IdentityKind.RFID, "A1")), phase, "s1")


def _plugged(**more: Any) -> ConnectorState:
    pilot = PilotReport(PilotState.B, pwm=False)
    return ConnectorState(connected=True, pilot=pilot, **more)


FAULT = frozenset({Fault.RESIDUAL_CURRENT})
WARNING = frozenset({Fault.SURGE_PROTECTION})

MANUAL_6 = [
    ("ready and free", ConnectorState(), "available"),
    ("reserved by the backend", ConnectorState(reservation_id=1), "reserved"),
    (
        "ending the session before",
        ConnectorState(finished=True, finished_until_s=30.0),
        "finishing",
    ),
    ("ending: contactor", _plugged(session=_session(Phase.STOPPING)), "finishing"),
    ("ending: journal", _plugged(session=_session(Phase.CLOSING)), "finishing"),
    ("card being checked", ConnectorState(checking=True), "checking"),
    ("card accepted", ConnectorState(pending=CARD), "authorized"),
    ("accepted, being locked", _plugged(pending=CARD), "authorized"),
    ("accepted, committing", ConnectorState(session=_session(Phase.OPENING)), "authorized"),
    ("just unplugged", ConnectorState(session=_session(Phase.RUNNING)), "authorized"),
    ("charging", _plugged(session=_session(Phase.RUNNING)), "charging"),
    ("technical fault", ConnectorState(raised=FAULT), "faulted"),
    ("fault while checking", ConnectorState(raised=FAULT, checking=True), "faulted"),
    ("a warning is no fault", ConnectorState(raised=WARNING), "available"),
]
OURS = [
    ("plugged, waiting for a card", _plugged(), "preparing"),
    ("out of service", ConnectorState(operative=False), "unavailable"),
    ("ended long ago, plug still in", ConnectorState(finished=True), "available"),
]


@pytest.mark.parametrize(("meaning", "state", "pattern"), [*MANUAL_6, *OURS])
def test_manual_6(meaning: str, state: ConnectorState, pattern: str) -> None:
    assert pattern_for(snapshot_of(state)) == pattern, meaning


@pytest.mark.parametrize(
    ("state", "rejected", "updating", "pattern"),
    [
        (ConnectorState(), True, False, "rejected"),
        (ConnectorState(checking=True), True, False, "rejected"),
        (ConnectorState(raised=FAULT), True, False, "faulted"),
        (ConnectorState(raised=FAULT), True, True, "updating"),
    ],
)
def test_patterns_by_priority(
    state: ConnectorState, rejected: bool, updating: bool, pattern: str
) -> None:
    assert pattern_for(snapshot_of(state), rejected=rejected, updating=updating) == pattern


@pytest.mark.parametrize(
    ("name", "colours"),
    [
        ("available", [(0.0, GREEN), (10.0, GREEN)]),
        ("reserved", [(0.0, YELLOW), (10.0, YELLOW)]),
        ("finishing", [(0.0, YELLOW), (10.0, YELLOW)]),
        ("checking", [(0.0, WHITE), (10.0, WHITE)]),
        ("authorized", [(0.0, BLUE), (0.24, BLUE), (0.26, OFF), (0.5, BLUE), (0.76, OFF)]),
        ("charging", [(0.0, BLUE), (0.9, BLUE), (1.1, OFF), (2.0, BLUE), (3.1, OFF)]),
        ("rejected", [(0.0, THREE), (0.6, OFF), (4.0, THREE), (4.6, OFF), (5.0, OFF), (9.0, OFF)]),
        ("faulted", [(0.0, THREE), (0.6, OFF), (600.0, THREE), (600.6, OFF)]),
        ("updating", [(0.0, THREE), (599.6, THREE)]),
        ("unavailable", [(0.0, OFF), (10.0, OFF)]),
    ],
)
def test_colours_in_time(name: str, colours: list[tuple[float, Colour]]) -> None:
    pattern = PATTERNS[name]
    assert [(at_s, pattern.colour_at(at_s)) for at_s, _ in colours] == colours


def test_a_refused_card_blinks_five_times() -> None:
    pattern = PATTERNS["rejected"]
    assert (pattern.repeat, pattern.duration_s) == (5, 5.0)
    assert PATTERNS["faulted"].duration_s is None


def test_only_the_ring_that_waits_for_the_backend_turns() -> None:
    assert [name for name, pattern in PATTERNS.items() if pattern.rotates] == ["checking"]
