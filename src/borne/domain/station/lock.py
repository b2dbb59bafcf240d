"""Control of the plug lock: pulses, feedback, retries, and three different failures.

One pulse moves the actuator; the feedback must follow within a second. After a failed pulse an
opposite one precedes the retry (the plug may not have been fully inserted). Retries keep a pause,
because actuators overheat (data of common actuators: 300 to 600 ms pulse, 3 s pause).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from borne.domain.station.board import LockPosition
from borne.domain.station.faults import Fault

PULSE_S = 0.6
"""Length of the longest pulse; the next one starts after it."""
FEEDBACK_S = 1.0
PAUSE_S = 3.0
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class LockDrive:
    """The requested position of the actuator, and its feedback."""

    position: LockPosition = LockPosition.UNLOCKED
    wanted: bool = False
    attempts: int = 0
    deadline_s: float | None = None
    """Deadline for the feedback, or end of the pause before the next pulse."""
    backing_off: bool = False
    """The opposite pulse was sent; the next one is the retry."""
    failure: Fault | None = None
    pulsed_at_s: float = float("-inf")

    @property
    def is_locked(self) -> bool:
        return self.position is LockPosition.LOCKED

    @property
    def secure(self) -> bool:
        """Locked, and no movement is in progress."""
        return self.is_locked and self.wanted and not self.backing_off


@dataclass(frozen=True, slots=True)
class LockStep:
    """The next state, and the pulse to send, if any."""

    drive: LockDrive
    pulse: bool | None = None


def reached(drive: LockDrive) -> bool:
    """True if the feedback matches the requested position."""
    target = LockPosition.LOCKED if drive.wanted else LockPosition.UNLOCKED
    return drive.position is target


def advance(drive: LockDrive, wanted: bool, now_s: float) -> LockStep:
    """Decide the next pulse. `now_s` is monotonic; call again at `drive.deadline_s`."""
    if drive.position is LockPosition.ABSENT:
        return LockStep(_fresh(drive, wanted, failure=Fault.LOCK_MISSING))
    if wanted is not drive.wanted or drive.failure is Fault.LOCK_MISSING:
        drive = _fresh(drive, wanted)
    if reached(drive) and not drive.backing_off:
        return LockStep(_fresh(drive, wanted))
    if drive.failure is not None:
        return LockStep(drive)
    if drive.attempts == 0:
        return _first_pulse(drive, now_s)
    if drive.deadline_s is not None and now_s < drive.deadline_s:
        return LockStep(drive)
    return _after_deadline(drive, now_s)


def retry(drive: LockDrive) -> LockDrive:
    """Reset a failure, so that the next `advance` retries (unlock command, hard reset)."""
    return _fresh(drive, drive.wanted)


def _fresh(drive: LockDrive, wanted: bool, failure: Fault | None = None) -> LockDrive:
    return LockDrive(drive.position, wanted, failure=failure, pulsed_at_s=drive.pulsed_at_s)


def _first_pulse(drive: LockDrive, now_s: float) -> LockStep:
    """Send the first pulse once the previous, opposite one is over."""
    due_s = drive.pulsed_at_s + PULSE_S
    if now_s < due_s:
        return LockStep(replace(drive, deadline_s=due_s))
    return _pulse(drive, now_s)


def _pulse(drive: LockDrive, now_s: float) -> LockStep:
    moved = replace(
        drive,
        attempts=drive.attempts + 1,
        deadline_s=now_s + FEEDBACK_S,
        backing_off=False,
        pulsed_at_s=now_s,
    )
    return LockStep(moved, drive.wanted)


def _after_deadline(drive: LockDrive, now_s: float) -> LockStep:
    if drive.backing_off:
        if reached(drive):
            return LockStep(_fresh(drive, drive.wanted))
        return _pulse(drive, now_s)
    if drive.attempts < ATTEMPTS:
        waiting = replace(drive, deadline_s=now_s + PAUSE_S, backing_off=True, pulsed_at_s=now_s)
        return LockStep(waiting, not drive.wanted)
    if drive.wanted:
        failed = replace(drive, failure=Fault.PLUG_LOCK, deadline_s=None, pulsed_at_s=now_s)
        return LockStep(failed, False)
    return LockStep(replace(drive, failure=Fault.LOCK_STUCK, deadline_s=None))
