"""What may happen to a connector, and what follows: the machine's input and output.

Reports of the board are events as they are; an effect is a command to the board or an intent that
the runner carries out and answers with an event.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.station.board import AllowContactor, BoardReport, MoveLock, SetPilot
from borne.domain.station.connector_state import Authorization, LiveSession, Stop
from borne.domain.station.faults import Fault


@dataclass(frozen=True, slots=True)
class Authorized:
    """Somebody may charge here."""

    authorization: Authorization


@dataclass(frozen=True, slots=True)
class AuthorizationWithdrawn:
    """The permission that waits is taken back."""


@dataclass(frozen=True, slots=True)
class CardChecking:
    """A card is being checked (True) or no longer (False)."""

    active: bool


@dataclass(frozen=True, slots=True)
class StopAsked:
    """End the session."""

    stop: Stop


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """Withhold energy, or give it again, without ending the session."""

    held: bool


@dataclass(frozen=True, slots=True)
class GroupReported:
    """The group of whoever charges, as the backend says (parentIdTag)."""

    group_id: str


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The start is committed."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionNotOpened:
    """The start could not be committed; nothing was stored."""


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The end is committed."""


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """A session found open after a power cut goes on."""

    session: LiveSession


@dataclass(frozen=True, slots=True)
class Offered:
    """Current that the limits allow, in A per phase; below 6 A is a pause."""

    current_a: float


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """A fault that was found outside this machine."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """Its cause is gone."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class UnlockAsked:
    """Release the cable; a running session is stopped by the caller first."""


@dataclass(frozen=True, slots=True)
class AvailabilityAsked:
    """In service or not; out of service waits for the end of a session, and for whoever prepares
    one, unless it is to be at once."""

    operative: bool
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Reserved:
    """Kept for somebody, or (None) for nobody any more."""

    reservation_id: int | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    BoardReport
    | Authorized
    | AuthorizationWithdrawn
    | CardChecking
    | StopAsked
    | HoldAsked
    | GroupReported
    | SessionOpened
    | SessionNotOpened
    | SessionClosed
    | SessionResumed
    | Offered
    | FaultRaised
    | FaultCleared
    | UnlockAsked
    | AvailabilityAsked
    | Reserved
    | Tick
)


# Effects ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Commit the start, then answer SessionOpened or SessionNotOpened."""

    authorization: Authorization


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Commit the end, then answer SessionClosed."""

    session_id: str
    stop: Stop


@dataclass(frozen=True, slots=True)
class AuthorizationExpired:
    """Nobody plugged in within the vehicle connection timeout."""

    authorization: Authorization


@dataclass(frozen=True, slots=True)
class VehicleArrived:
    """A vehicle is connected and nobody has authorized it yet."""


@dataclass(frozen=True, slots=True)
class VehicleLeft:
    """The vehicle is gone; faults that wait for it may clear."""


Effect = (
    AllowContactor
    | SetPilot
    | MoveLock
    | OpenSession
    | CloseSession
    | AuthorizationExpired
    | VehicleArrived
    | VehicleLeft
)
