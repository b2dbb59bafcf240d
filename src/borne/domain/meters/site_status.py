"""The status of the meter at the supply of the building, for load management and pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import Message
from borne.foundation.units import PerPhase


class SiteMeterState(StrEnum):
    """Whether its readings count."""

    ABSENT = "absent"
    """None is set."""
    OK = "ok"
    DOUBTED = "doubted"
    """It does not show what the own sockets draw; the higher of the two counts."""
    SILENT = "silent"
    """No reading counts: the fallback applies."""


@dataclass(frozen=True, slots=True)
class SiteMeterStatus:
    """Amps per grid phase, import positive. `fallback_a` is the load to assume while `current_a` is
    None."""

    state: SiteMeterState
    fallback_a: PerPhase
    model: str = ""
    serial_number: str = ""
    current_a: PerPhase | None = None
    """What is believed."""
    measurement: Measurement | None = None
    """The last usable answer, as the meter gave it."""
    age_s: float | None = None
    """Of the measurement."""
    reason: Message | None = None
    """Why the state is not "ok"."""
    accepted_serial_number: str = ""
    """Set while another meter answers: the one that is believed."""
    shown_a: PerPhase | None = None
    """What the meter showed, also where it is doubted."""
    answered_a: PerPhase | None = None
    """The same before a fall is believed, which needs a second answer."""
    changes_only: bool = False
    """True: an unchanged reading is not repeated."""
