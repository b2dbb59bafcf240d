"""Patterns of the LED ring (manual section 6) as data.

A pattern is a list of frames (colour, seconds) and a number of repetitions. LED driver, pages and
help use the same table. Patterns for states that the manual does not name are marked as ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.faults import Fault
from borne.domain.station.status import ConnectorStatus


class Colour(StrEnum):
    """Colours of the ring."""

    OFF = "off"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    WHITE = "white"
    THREE = "green-yellow-blue"
    """A third of the ring in each colour."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Frames repeat `repeat` times, without end if None; a single frame is steady."""

    name: str
    frames: tuple[tuple[Colour, float], ...]
    repeat: int | None = None
    rotates: bool = False

    def colour_at(self, elapsed_s: float) -> Colour:
        """Colour at this time after the start of the pattern; dark after its end."""
        whole_s = sum(seconds for _, seconds in self.frames)
        if self.repeat is not None and elapsed_s >= self.repeat * whole_s:
            return Colour.OFF
        left_s = elapsed_s % whole_s
        for colour, seconds in self.frames:
            if left_s < seconds:
                return colour
            left_s -= seconds
        return self.frames[-1][0]

    @property
    def period_s(self) -> float:
        """Duration of all frames."""
        return sum(seconds for _, seconds in self.frames)

    @property
    def duration_s(self) -> float | None:
        """Duration of the pattern; None without end."""
        if self.repeat is None:
            return None
        return self.repeat * sum(seconds for _, seconds in self.frames)


def _steady(name: str, colour: Colour) -> Pattern:
    return Pattern(name, ((colour, 1.0),))


def _blinks(name: str, colour: Colour, period_s: float, repeat: int | None = None) -> Pattern:
    """Lit for the first half of every period."""
    half_s = period_s / 2
    return Pattern(name, ((colour, half_s), (Colour.OFF, half_s)), repeat)


PATTERNS = {
    pattern.name: pattern
    for pattern in (
        _steady("available", Colour.GREEN),
        _steady("reserved", Colour.YELLOW),
        _steady("finishing", Colour.YELLOW),
        Pattern("checking", ((Colour.WHITE, 1.0),), rotates=True),
        _blinks("authorized", Colour.BLUE, 0.5),
        _blinks("charging", Colour.BLUE, 2.0),
        _blinks("rejected", Colour.THREE, 1.0, repeat=5),
        _blinks("faulted", Colour.THREE, 1.0),
        _steady("updating", Colour.THREE),
        # Not in the manual: out of service is dark; a vehicle that waits for a card stays green; a
        # station that is looked for blinks white.
        _blinks("identifying", Colour.WHITE, 1.0),
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


_UNUSED = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED})


def pattern_for(
    state: ConnectorSnapshot,
    *,
    rejected: bool = False,
    updating: bool = False,
    identifying: bool = False,
    backend_matters: bool = False,
) -> str:
    """The name of the pattern. A refused card is shown unless there is a fault or an update. If
    `backend_matters` (manual 4, "Show backend disconnect as error"), a lost backend is shown as a
    fault on sockets that are not in use."""
    status = state.state
    if updating:
        return "updating"
    if identifying:
        return "identifying"
    if status is ConnectorStatus.FAULTED:
        return "faulted"
    if rejected:
        return "rejected"
    if state.checking:
        return "checking"
    if backend_matters and status in _UNUSED and Fault.BACKEND_OFFLINE in state.faults:
        return "faulted"
    if state.running and not state.connected:
        # "Vehicle just unplugged": the session waits for the vehicle, as after a card (LED of
        # RFID110).
        return "authorized"
    if status is ConnectorStatus.FINISHING:
        ending = state.session is not None or state.just_finished
        return "finishing" if ending else "available"
    return _BY_STATUS[status]
