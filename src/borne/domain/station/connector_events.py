"""Input and output of a connector's state machine: events and effects.

Reports of the board are events; an effect is a command to the board, or a request that the runner
executes and answers with an event.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.station.board import AllowContactor, BoardReport, MoveLock, SetPilot
from borne.domain.station.connector_state import Authorization, LiveSession, Stop
from borne.domain.station.faults import Fault


@dataclass(frozen=True, slots=True)
class Authorized:
    """A user may charge here."""

    authorization: Authorization


@dataclass(frozen=True, slots=True)
class AuthorizationWithdrawn:
    """The pending authorization is withdrawn."""


@dataclass(frozen=True, slots=True)
class CardChecking:
    """A card is being checked (True), or the check is over (False)."""

    active: bool


@dataclass(frozen=True, slots=True)
class StopAsked:
    """End the session."""

    stop: Stop


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """Withhold energy, or allow it again, without ending the session."""

    held: bool


@dataclass(frozen=True, slots=True)
class GroupReported:
    """The group of the running session's card, from the backend (parentIdTag)."""

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
    """A session that was open at a power failure continues."""

    session: LiveSession


@dataclass(frozen=True, slots=True)
class Offered:
    """Current that the limits allow, in A per phase; below 6 A is a pause."""

    current_a: float


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """A fault that was detected outside this machine."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """A fault that was detected outside has ended."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class UnlockAsked:
    """Release the cable; the caller ends a running session first."""


@dataclass(frozen=True, slots=True)
class AvailabilityAsked:
    """Put the connector in or out of service. Out of service waits for the end of a session or of
    its preparation, unless `at_once`."""

    operative: bool
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Reserved:
    """Reserve the connector, or (None) end its reservation."""

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
    """The vehicle connection timeout expired before a vehicle was plugged in."""

    authorization: Authorization


@dataclass(frozen=True, slots=True)
class VehicleArrived:
    """A vehicle is connected that is not authorized yet."""


@dataclass(frozen=True, slots=True)
class VehicleLeft:
    """The vehicle was unplugged; faults that wait for this may clear."""


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
