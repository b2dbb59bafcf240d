"""The lock actuator: pulses, feedback, retries with an opposite pulse between, and the three
failures of manual 9."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.domain.station.board import LockPosition as Position
from borne.domain.station.faults import Fault
from borne.domain.station.lock import LockDrive, advance, retry

Pulses = list[tuple[float, bool]]


def _drive(
    wanted: bool, positions: dict[float, Position], until_s: float, drive: LockDrive | None = None
) -> tuple[LockDrive, Pulses]:
    """Ask for a position at 0 s; the feedback changes at the given times."""
    drive = drive or LockDrive()
    pulses: Pulses = []
    now_s = 0.0
    changes = sorted(positions.items())
    while True:
        step = advance(drive, wanted, now_s)
        drive = step.drive
        if step.pulse is not None:
            pulses.append((round(now_s, 3), step.pulse))
        times = [at_s for at_s, _ in changes if at_s > now_s]
        if drive.deadline_s is not None and drive.deadline_s > now_s:
            times.append(drive.deadline_s)
        if not times or min(times) > until_s:
            return drive, pulses
        now_s = min(times)
        drive = replace(drive, position=dict(changes).get(now_s, drive.position))


@pytest.mark.parametrize(
    ("wanted", "positions", "pulses", "failure"),
    [
        (True, {0.4: Position.LOCKED}, [(0, True)], None),
        (True, {0.1: Position.MOVING, 0.4: Position.LOCKED}, [(0, True)], None),
        (
            True,
            {4.5: Position.LOCKED},
            [(0, True), (1, False), (4, True)],
            None,
        ),
        (
            True,
            {},
            [(0, True), (1, False), (4, True), (5, False), (8, True), (9, False)],
            Fault.PLUG_LOCK,
        ),
        (False, {}, [], None),
        (True, {0.2: Position.ABSENT}, [(0, True)], Fault.LOCK_MISSING),
    ],
    ids=[
        "one pulse",
        "on its way",
        "the second try holds",
        "failed after three tries, and left open",
        "already there",
        "not detected",
    ],
)
def test_locking(
    wanted: bool, positions: dict[float, Position], pulses: Pulses, failure: Fault | None
) -> None:
    drive, given = _drive(wanted, positions, 60)
    assert given == pulses
    assert drive.failure is failure


def test_unlocking_fails_after_three_tries() -> None:
    locked = LockDrive(position=Position.LOCKED, wanted=True)
    drive, pulses = _drive(False, {}, 60, locked)
    assert [locks for _, locks in pulses] == [False, True, False, True, False]
    assert drive.failure is Fault.LOCK_STUCK


def test_an_unlock_command_is_one_more_try() -> None:
    stuck, _ = _drive(False, {}, 60, LockDrive(position=Position.LOCKED, wanted=True))
    drive, pulses = _drive(False, {61.0: Position.UNLOCKED}, 100, retry(stuck))
    assert pulses[-1][1] is False
    assert drive.failure is None


def test_a_lock_freed_by_hand_has_recovered() -> None:
    stuck, _ = _drive(False, {}, 60, LockDrive(position=Position.LOCKED, wanted=True))
    freed = advance(replace(stuck, position=Position.UNLOCKED), False, 70.0)
    assert freed.drive.failure is None
    assert freed.pulse is None


def test_a_lock_detected_again_has_recovered() -> None:
    missing = advance(LockDrive(position=Position.ABSENT), True, 0.0).drive
    assert missing.failure is Fault.LOCK_MISSING
    step = advance(replace(missing, position=Position.UNLOCKED), True, 5.0)
    assert (step.drive.failure, step.pulse) == (None, True)


def test_a_new_command_waits_for_the_running_pulse() -> None:
    drive = advance(LockDrive(), True, 0.0).drive
    step = advance(replace(drive, position=Position.LOCKED), False, 0.3)
    assert (step.pulse, step.drive.deadline_s) == (None, 0.6)
    assert advance(step.drive, False, 0.6).pulse is False


def test_secure_means_locked_and_no_pulse_running() -> None:
    locked = LockDrive(position=Position.LOCKED, wanted=True)
    assert locked.secure
    assert not replace(locked, wanted=False).secure
    assert not replace(locked, backing_off=True).secure
    assert not replace(locked, position=Position.MOVING).secure
