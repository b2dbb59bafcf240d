"""Detection of the phases a car uses (manual 7.6); single samples are in the vectors."""

from __future__ import annotations

from math import nan

import pytest

from borne.domain.load_management.phases import PhaseDetection, detect_phases
from borne.domain.load_management.topology import ALL_SOCKET_PHASES, SocketPhase
from borne.foundation.units import PerPhase

L1, L2, L3 = SocketPhase
ONE = PerPhase(15.8, 0.1, 0.0)
TWO = PerPhase(15.8, 15.6, 0.0)
THREE = PerPhase(15.8, 15.6, 15.1)
NOTHING = PerPhase(0.3, 0.2, 0.1)
SETTLED = 5.0


def after(*samples: PerPhase, since_s: float = SETTLED) -> frozenset[SocketPhase] | None:
    detection = PhaseDetection()
    for sample in samples:
        detection = detection.observe(sample, since_s, ALL_SOCKET_PHASES)
    return detection.used


@pytest.mark.parametrize(
    ("samples", "used"),
    [
        ([], None),
        ([ONE, ONE], None),
        ([ONE, ONE, ONE], {L1}),
        ([ONE, TWO, ONE], None),
        ([ONE, ONE, NOTHING, ONE], None),
        ([ONE, ONE, ONE, TWO], {L1, L2}),
        ([ONE, ONE, ONE, THREE], {L1, L2, L3}),
        ([THREE, THREE, THREE, ONE, ONE], {L1, L2, L3}),
        ([THREE, THREE, THREE, ONE, ONE, ONE], {L1}),
        ([THREE, THREE, THREE, ONE, ONE, THREE, ONE], {L1, L2, L3}),
        ([ONE, ONE, ONE, NOTHING, NOTHING, NOTHING], {L1}),
    ],
)
def test_detected_phases(samples: list[PerPhase], used: set[SocketPhase] | None) -> None:
    assert after(*samples) == (None if used is None else frozenset(used))


def test_soon_after_closing_no_phase_is_released() -> None:
    assert after(ONE, ONE, ONE, ONE, since_s=4.9) is None


def test_soon_after_closing_a_phase_can_be_added() -> None:
    detection = PhaseDetection(used=frozenset({L1}))
    assert detection.observe(TWO, 0.0, ALL_SOCKET_PHASES).used == frozenset({L1, L2})


def test_only_connected_phases_count() -> None:
    detection = PhaseDetection()
    for _ in range(3):
        detection = detection.observe(THREE, SETTLED, frozenset({L1}))
    assert detection.used == frozenset({L1})
    assert detection.observe(PerPhase(0, 9, 0), SETTLED, frozenset({L1})).used == frozenset({L1})


def test_an_invalid_sample_is_ignored() -> None:
    assert detect_phases(PerPhase(nan, nan, nan)) is None
