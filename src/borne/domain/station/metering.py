"""The account of a billing meter: the sum of all plausible increments.

Energy is billed, so none is invented, none is negative, and no measured energy is lost. Of the
meter's register only its growth is used: plausible growth is added to `line_wh`, which is reported
as the register everywhere. Within a session it never falls or jumps, whatever the meter shows;
between sessions it equals the register. Decisions 0125 and 0127.
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
"""A fuse carries this multiple for some time: a vehicle that draws too much is not a fault of the
meter."""
UNKNOWN_GAP_S = 900.0
"""Assumed time without power if neither clock nor serial number allow a longer one."""

CLASS = 0.1
"""Tolerated difference between register and power of a meter, due to accuracy classes and because
power is only read once a second."""
IDLE_W = 100.0
"""Power that a meter may miss, or wrongly show, for a sleeping car."""
LATENCY_S = 10.0
"""The register may be older than the power in the same reading by this time."""


class Verdict(StrEnum):
    """Assessment of a new register value. All but the first are doubts."""

    GOOD = "good"
    BACKWARDS = "backwards"
    """Lower than before: replaced, reset or overflowed."""
    JUMP = "jump"
    """More than the socket could have delivered."""
    EXCHANGED = "exchanged"
    """Another serial number, so another meter."""
    TOO_FAST = "too_fast"
    """The register counts more than the power of the same meter."""
    TOO_SLOW = "too_slow"
    """The register counts less than the power, or nothing."""


@dataclass(frozen=True, slots=True)
class Account:
    """The accepted energy of one meter."""

    serial_number: str
    """Empty while unknown."""
    register_wh: int
    """The last register value of the meter."""
    line_wh: int
    """The reported register: its value at the start of the session plus all accepted increments."""
    at: Moment
    """Time of the last reading."""
    power_w: float = 0.0
    session_id: str = ""
    """The session being counted; empty between sessions."""
    doubts: frozenset[Verdict] = frozenset()
    """Doubts about this session: its energy is what was accepted, and cannot be billed."""
    surplus_wh: float = 0.0
    """Energy that the register counted beyond its power, as far as accepted."""
    deficit_wh: float = 0.0
    """Energy according to the power that the register did not count."""

    def begin(self, session_id: str, at: Moment) -> Account:
        """Start a session at the present register."""
        return replace(
            self.closed(), session_id=session_id, line_wh=self.register_wh, at=at, power_w=0.0
        )

    def closed(self) -> Account:
        """End the session."""
        return replace(self, session_id="", doubts=frozenset(), surplus_wh=0.0, deficit_wh=0.0)

    def update(
        self, reading: MeterReading, at: Moment, max_w: float, *, watched: bool = True
    ) -> tuple[Account, Verdict]:
        """Process a reading of moment `at`. `max_w` is the highest power of the socket; `watched`
        is False if the power since the last reading is unknown (the meter did not answer)."""
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
        """Assess the register alone."""
        serial, known = reading.serial_number, self.serial_number
        gained_wh = reading.register_wh - self.register_wh
        if serial and known and serial != known:
            return Verdict.EXCHANGED
        if gained_wh < 0:
            return Verdict.BACKWARDS
        possible_wh = self._possible_wh(at, max_w, vouched=bool(known))
        return Verdict.JUMP if gained_wh > possible_wh else Verdict.GOOD

    def _possible_wh(self, at: Moment, max_w: float, *, vouched: bool) -> float:
        """The most energy that can have flowed since the last reading."""
        if at.boot_id == self.at.boot_id:
            elapsed_s = max(0.0, at.monotonic_s - self.at.monotonic_s)
            return elapsed_s / 3600 * max_w * POWER_MARGIN + TOLERANCE_WH
        gap_s = UNKNOWN_GAP_S
        if at.wall is not None and self.at.wall is not None:
            gap_s = max(0.0, (at.wall - self.at.wall).total_seconds())
            gap_s = gap_s if vouched else min(gap_s, UNKNOWN_GAP_S)
        return gap_s / 3600 * max_w + TOLERANCE_WH

    def _count(self, seen: Account, *, watched: bool) -> tuple[Account, Verdict]:
        """Add a plausible increment, limited by the power that the meter measured."""
        gained_wh = seen.register_wh - self.register_wh
        if not watched or seen.at.boot_id != self.at.boot_id:
            # The power is unknown, so only the bound of the gap applies.
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
    """The account of a new meter."""
    return Account(
        reading.serial_number, reading.register_wh, reading.register_wh, at, reading.power_w
    )
