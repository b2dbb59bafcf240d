"""What the LED ring shows (manual section 6), as data.

A pattern is a list of frames (colour, seconds) and how often it runs. LED driver, page and help
use the same table. States that the manual does not name are marked as ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.station.connector_state import ConnectorState
from borne.domain.station.status import ConnectorStatus, connector_status


class Colour(StrEnum):
    """What the ring can show."""

    OFF = "off"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    WHITE = "white"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Frames repeat `repeat` times, for ever when None; one frame alone is steady."""

    name: str
    frames: tuple[tuple[Colour, float], ...]
    repeat: int | None = None
    rotates: bool = False

    @property
    def duration_s(self) -> float | None:
        """How long it lasts; None for ever."""
        if self.repeat is None:
            return None
        return self.repeat * sum(seconds for _, seconds in self.frames)


def _steady(name: str, colour: Colour) -> Pattern:
    return Pattern(name, ((colour, 1.0),))


_THREE = (Colour.GREEN, Colour.YELLOW, Colour.BLUE)
_THREE_ONCE = tuple((colour, 0.2) for colour in _THREE)

PATTERNS = {
    pattern.name: pattern
    for pattern in (
        _steady("available", Colour.GREEN),
        _steady("reserved", Colour.YELLOW),
        _steady("finishing", Colour.YELLOW),
        Pattern("checking", ((Colour.WHITE, 1.0),), rotates=True),
        Pattern("authorized", ((Colour.BLUE, 0.25), (Colour.OFF, 0.25))),
        Pattern("charging", ((Colour.BLUE, 1.0), (Colour.OFF, 1.0))),
        Pattern("rejected", (*_THREE_ONCE, (Colour.OFF, 0.4)), repeat=5),
        Pattern("faulted", (*_THREE_ONCE, (Colour.OFF, 0.4))),
        Pattern("updating", ((Colour.GREEN, 1.0), (Colour.YELLOW, 1.0), (Colour.BLUE, 1.0))),
        # Not in the manual: out of service is dark, a vehicle that waits for a card stays green.
        _steady("unavailable", Colour.OFF),
        _steady("preparing", Colour.GREEN),
    )
}

_BY_STATUS = {
    ConnectorStatus.AVAILABLE: "available",
    ConnectorStatus.RESERVED: "reserved",
    ConnectorStatus.PREPARING: "preparing",
    ConnectorStatus.AUTHORIZED: "authorized",
    ConnectorStatus.CHARGING: "charging",
    ConnectorStatus.SUSPENDED_EV: "charging",
    ConnectorStatus.SUSPENDED_EVSE: "charging",
    ConnectorStatus.UNAVAILABLE: "unavailable",
    ConnectorStatus.FAULTED: "faulted",
}


def pattern_for(state: ConnectorState, *, rejected: bool = False, updating: bool = False) -> str:
    """Name of the pattern; a refused card is shown over everything but faults and updates."""
    status = connector_status(state)
    if updating:
        return "updating"
    if status is ConnectorStatus.FAULTED:
        return "faulted"
    if rejected:
        return "rejected"
    if state.checking:
        return "checking"
    if status is ConnectorStatus.FINISHING:
        ending = state.session is not None or state.finished_until_s is not None
        return "finishing" if ending else "available"
    return _BY_STATUS[status]
