"""Judging a meter's register: energy is money, so nothing is invented and nothing is negative.

A register may stand still or rise by what the socket can deliver. Anything else (backwards, a
jump, another meter) is a fault; the session then counts to the last plausible value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TOLERANCE_WH = 20
"""Rounding, delayed reading, and the resolution of old pulse meters."""

POWER_MARGIN = 2.5
"""What a fuse lets through for a while: a vehicle that draws too much is no fault of the meter."""


class Verdict(StrEnum):
    """What a new register value means."""

    GOOD = "good"
    BACKWARDS = "backwards"
    """Lower than before: replaced, reset or rolled over."""
    JUMP = "jump"
    """More than the socket could have delivered."""


@dataclass(frozen=True, slots=True)
class RegisterPoint:
    """A register value in Wh and its monotonic time."""

    register_wh: int
    at_s: float


def judge(before: RegisterPoint, now: RegisterPoint, max_power_w: float) -> Verdict:
    """Compare two readings of one boot; `max_power_w` is what the socket can deliver."""
    gained_wh = now.register_wh - before.register_wh
    if gained_wh < 0:
        return Verdict.BACKWARDS
    elapsed_h = max(0.0, now.at_s - before.at_s) / 3600
    possible_wh = elapsed_h * max_power_w * POWER_MARGIN + TOLERANCE_WH
    return Verdict.JUMP if gained_wh > possible_wh else Verdict.GOOD


def judge_after_gap(last_wh: int, now_wh: int, counted_on: bool) -> tuple[int, bool]:
    """Stop value after a power cut: the register when the meter counted on and did not go
    backwards, else the last stored sample; the second answer tells whether it is estimated."""
    if counted_on and now_wh >= last_wh:
        return now_wh, False
    return last_wh, True
