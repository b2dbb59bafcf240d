"""Driving the plug lock: pulses, feedback, retries, and its three distinct failures.

One pulse moves the actuator; the feedback must follow within a second. A failed locking is tried
again after the opposite pulse (the plug was perhaps not fully in); pulses keep a pause, because
actuators overheat (reference data of common actuators: 300 to 600 ms pulse, 3 s pause).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.station.board import LockPosition
from borne.domain.station.faults import Fault

FEEDBACK_S = 1.0
PAUSE_S = 3.0
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class LockDrive:
    """What was asked of the actuator, and what it told."""

    position: LockPosition = LockPosition.UNLOCKED
    wanted: bool = False
    attempts: int = 0
    deadline_s: float | None = None
    """Until when feedback is awaited, or the pause before the next pulse."""
    backing_off: bool = False
    """The opposite pulse was given; the next one tries again."""
    failure: Fault | None = None

    @property
    def is_locked(self) -> bool:
        """Confirmed by feedback."""
        return self.position is LockPosition.LOCKED


@dataclass(frozen=True, slots=True)
class LockStep:
    """The next state and the pulse to give, if any."""

    drive: LockDrive
    pulse: bool | None = None


def reached(drive: LockDrive) -> bool:
    """Whether the feedback agrees with what is wanted."""
    target = LockPosition.LOCKED if drive.wanted else LockPosition.UNLOCKED
    return drive.position is target


def advance(drive: LockDrive, wanted: bool, now_s: float) -> LockStep:
    """Decide the next pulse. `now_s` is monotonic; call again at `drive.deadline_s`."""
    if drive.position is LockPosition.ABSENT:
        missing = replace(drive, wanted=wanted, failure=Fault.LOCK_MISSING, deadline_s=None)
        return LockStep(missing)
    if wanted is not drive.wanted:
        fresh = LockDrive(position=drive.position, wanted=wanted)
        return LockStep(fresh) if reached(fresh) else _pulse(fresh, now_s)
    if reached(drive):
        if drive.backing_off:
            return _wait_for_pause(drive, now_s)
        return LockStep(LockDrive(position=drive.position, wanted=wanted))
    if drive.failure is Fault.LOCK_MISSING:
        return _pulse(LockDrive(position=drive.position, wanted=wanted), now_s)
    if drive.failure is not None:
        return LockStep(drive)
    if drive.deadline_s is None:
        return _pulse(drive, now_s)
    if now_s < drive.deadline_s:
        return LockStep(drive)
    return _after_deadline(drive, now_s)


def retry(drive: LockDrive) -> LockDrive:
    """Forget a failure so that the next `advance` tries again (unlock command, hard reset)."""
    return LockDrive(position=drive.position, wanted=drive.wanted)


def _pulse(drive: LockDrive, now_s: float) -> LockStep:
    moved = replace(
        drive, attempts=drive.attempts + 1, deadline_s=now_s + FEEDBACK_S, backing_off=False
    )
    return LockStep(moved, drive.wanted)


def _after_deadline(drive: LockDrive, now_s: float) -> LockStep:
    if drive.backing_off:
        return _pulse(drive, now_s)
    if drive.attempts >= ATTEMPTS:
        failure = Fault.PLUG_LOCK if drive.wanted else Fault.LOCK_STUCK
        return LockStep(
            replace(drive, failure=failure, deadline_s=None), False if drive.wanted else None
        )
    backing_off = replace(drive, deadline_s=now_s + PAUSE_S, backing_off=True)
    return LockStep(backing_off, not drive.wanted)


def _wait_for_pause(drive: LockDrive, now_s: float) -> LockStep:
    if drive.deadline_s is not None and now_s < drive.deadline_s:
        return LockStep(drive)
    return LockStep(LockDrive(position=drive.position, wanted=drive.wanted))
