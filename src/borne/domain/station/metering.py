"""The account of a billing meter: the sum of the increments that are believed.

Energy is money, so nothing is invented, nothing is negative, and nothing that was measured is
forgotten. The register that a meter shows is only looked at for how much it has grown. What grew
by as much as can have flowed is added to `line_wh`; that line is what everybody is told as the
register. In a session it never falls and never leaps, whatever the meter shows; between sessions
it is the register itself. Decisions 0125 and 0127.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Moment

TOLERANCE_WH = 20
"""Rounding, delayed reading, and the resolution of old pulse meters."""
POWER_MARGIN = 2.5
"""What a fuse lets through for a while: a vehicle that draws too much is no fault of the meter."""
UNKNOWN_GAP_S = 900.0
"""How long the station was off, when no clock or no serial number vouches for more."""

CLASS = 0.1
"""Register and power of one meter may differ by this much: their classes, and that power is seen
once a second only."""
IDLE_W = 100.0
"""What a meter may not see of a car that sleeps, or take for one."""
LATENCY_S = 10.0
"""A register may be this much older than the power beside it."""


class Verdict(StrEnum):
    """What a new register value means. All but the first are doubts."""

    GOOD = "good"
    BACKWARDS = "backwards"
    """Lower than before: replaced, reset or rolled over."""
    JUMP = "jump"
    """More than the socket could have delivered."""
    EXCHANGED = "exchanged"
    """Another serial number: another meter."""
    TOO_FAST = "too_fast"
    """It counts more than the power that the same meter tells."""
    TOO_SLOW = "too_slow"
    """It counts less, or not at all."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is believed of one meter."""

    serial_number: str
    """Empty while unknown."""
    register_wh: int
    """What the meter itself showed last."""
    line_wh: int
    """What is told as its register: the start of the session and all increments believed since."""
    at: Moment
    """Of the last reading."""
    power_w: float = 0.0
    session_id: str = ""
    """The session that is counted; empty between sessions."""
    doubts: frozenset[Verdict] = frozenset()
    """Of this session: its energy is no more than what was believed, and cannot be billed."""
    surplus_wh: float = 0.0
    """What the register counted beyond its power, as far as that was believed."""
    deficit_wh: float = 0.0
    """What its power carried and the register did not count."""

    def begin(self, session_id: str, at: Moment) -> Account:
        """A session begins at what the meter shows."""
        return replace(
            self.closed(), session_id=session_id, line_wh=self.register_wh, at=at, power_w=0.0
        )

    def closed(self) -> Account:
        """No session is counted any more."""
        return replace(self, session_id="", doubts=frozenset(), surplus_wh=0.0, deficit_wh=0.0)

    def see(
        self, reading: MeterReading, at: Moment, max_w: float, *, watched: bool = True
    ) -> tuple[Account, Verdict]:
        """Take in a reading of moment `at`. `max_w` is what the socket can deliver; `watched` is
        False when nobody knows what flowed since the last reading (the meter was silent)."""
        serial_number = reading.serial_number or self.serial_number
        seen = replace(
            self,
            serial_number=serial_number,
            register_wh=reading.register_wh,
            at=at,
            power_w=reading.power_w,
        )
        verdict = self._judge(reading, at, max_w)
        if not self.session_id:
            rebooted = at.boot_id != self.at.boot_id
            return replace(seen, line_wh=reading.register_wh), (
                Verdict.GOOD if rebooted else verdict
            )
        if verdict is Verdict.GOOD:
            seen, verdict = self._count(seen, watched=watched)
        if verdict is not Verdict.GOOD:
            seen = replace(seen, doubts=self.doubts | {verdict})
        return seen, verdict

    def _judge(self, reading: MeterReading, at: Moment, max_w: float) -> Verdict:
        """What the register alone says."""
        serial, known = reading.serial_number, self.serial_number
        gained_wh = reading.register_wh - self.register_wh
        if serial and known and serial != known:
            return Verdict.EXCHANGED
        if gained_wh < 0:
            return Verdict.BACKWARDS
        possible_wh = self._possible_wh(at, max_w, vouched=bool(known))
        return Verdict.JUMP if gained_wh > possible_wh else Verdict.GOOD

    def _possible_wh(self, at: Moment, max_w: float, *, vouched: bool) -> float:
        """What can have flowed since the last reading."""
        if at.boot_id == self.at.boot_id:
            elapsed_s = max(0.0, at.monotonic_s - self.at.monotonic_s)
            return elapsed_s / 3600 * max_w * POWER_MARGIN + TOLERANCE_WH
        gap_s = UNKNOWN_GAP_S
        if at.wall is not None and self.at.wall is not None:
            gap_s = max(0.0, (at.wall - self.at.wall).total_seconds())
            gap_s = gap_s if vouched else min(gap_s, UNKNOWN_GAP_S)
        return gap_s / 3600 * max_w + TOLERANCE_WH

    def _count(self, seen: Account, *, watched: bool) -> tuple[Account, Verdict]:
        """Add a plausible increment, as far as the power that the meter told can carry it."""
        gained_wh = seen.register_wh - self.register_wh
        if not watched or seen.at.boot_id != self.at.boot_id:
            # Nobody saw the power: the bound of the gap is all that there is.
            return replace(seen, line_wh=self.line_wh + gained_wh), Verdict.GOOD
        hours = max(0.0, seen.at.monotonic_s - self.at.monotonic_s) / 3600
        powers_w = (max(0.0, self.power_w), max(0.0, seen.power_w))
        min_wh = max(0.0, min(powers_w) * (1 - CLASS) - IDLE_W) * hours
        highest_wh = (max(powers_w) * (1 + CLASS) + IDLE_W) * hours
        believed_wh = min(gained_wh, math.floor(highest_wh + TOLERANCE_WH - self.surplus_wh))
        surplus_wh = self.surplus_wh + gained_wh - highest_wh
        deficit_wh = max(0.0, self.deficit_wh + min_wh - gained_wh)
        tolerance_wh = TOLERANCE_WH + LATENCY_S / 3600 * max(powers_w)
        counted = replace(
            seen,
            line_wh=self.line_wh + believed_wh,
            surplus_wh=min(max(0.0, surplus_wh), TOLERANCE_WH),
            deficit_wh=min(deficit_wh, tolerance_wh),
        )
        if believed_wh < gained_wh:
            return counted, Verdict.TOO_FAST
        return counted, Verdict.TOO_SLOW if deficit_wh > tolerance_wh else Verdict.GOOD


def opened(reading: MeterReading, at: Moment) -> Account:
    """The account of a meter that was never seen before."""
    return Account(
        reading.serial_number, reading.register_wh, reading.register_wh, at, reading.power_w
    )
