"""What the machine of a connector knows: configuration, session, state.

Sources: manual 5.1, OCPP 1.6 chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.settings.choices import StopMode
from borne.domain.station import lock as locks
from borne.domain.station.board import (
    NO_PLUG,
    PilotCommand,
    PilotOff,
    PilotReport,
    PilotState,
    Plug,
)
from borne.domain.station.faults import Fault
from borne.domain.station.session import StopReason
from borne.domain.vehicle import Identity

CONNECTED = frozenset({PilotState.B, PilotState.C, PilotState.D})
ASKING = frozenset({PilotState.C, PilotState.D})


@dataclass(frozen=True, slots=True)
class ConnectorConfig:
    """Settings and hardware that the machine obeys; may change between steps."""

    stop_mode: StopMode = StopMode.NORMAL
    lock_only_if_authorized: bool = False
    unlock_on_vehicle_disconnect: bool = True
    connection_timeout_s: float = 45.0
    ventilation: bool = False
    has_lock: bool = True
    tethered: bool = False
    weld_check: bool = True


class Phase(StrEnum):
    """Life of a session inside the machine."""

    OPENING = "opening"
    """The journal is asked to commit its start; no energy may flow yet."""
    RUNNING = "running"
    STOPPING = "stopping"
    """The offer is withdrawn; the vehicle may open S2 before the contactor opens."""
    CLOSING = "closing"
    """The contactor is open; the journal is asked to commit the end."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why and by whom a session ends."""

    reason: StopReason
    id_token: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """A permission to charge that waits for its session."""

    identity: Identity
    reported: bool = True
    """Whether the backend learns of the session."""
    reservation_id: int | None = None
    card: str = ""
    """The card that was shown; with free charging its token differs from the identity's."""
    expires: bool = True
    """False: no vehicle connection timeout (free charging without a card)."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The session of this connector."""

    authorization: Authorization
    phase: Phase = Phase.OPENING
    session_id: str = ""
    stop: Stop | None = None
    stop_deadline_s: float | None = None
    held: bool = False
    """Energy is withheld without ending the session (an id that the backend refused, or a card
    in the mode "only stop by disconnect")."""


NOBODY = PilotReport(PilotState.A, pwm=False)
PILOT_OFF = PilotOff()


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """All that the machine knows of its connector."""

    known: bool = False
    """The board has reported since it was armed; before that nobody is taken as unplugged."""
    pilot: PilotReport = NOBODY
    plug: Plug = NO_PLUG
    session_plug: Plug = NO_PLUG
    """The cable as read when the session began; a change is a fault."""
    lock: locks.LockDrive = field(default_factory=locks.LockDrive)
    contactor_closed: bool = False
    board_alive: bool = True
    raised: frozenset[Fault] = frozenset()
    """Faults found outside."""
    latched: frozenset[Fault] = frozenset()
    """Faults found here that stay until the vehicle is unplugged."""
    operative: bool = True
    inoperative_later: bool = False
    reservation_id: int | None = None
    checking: bool = False
    pending: Authorization | None = None
    pending_deadline_s: float | None = None
    session: LiveSession | None = None
    finished: bool = False
    """A session ended and the plug is still in."""
    finished_until_s: float | None = None
    offer_a: float = 0.0
    # What the board was told, and when.
    sent_pilot: PilotCommand = PILOT_OFF
    sent_pilot_at_s: float = float("-inf")
    sent_allow: bool = False
    opened_at_s: float = float("-inf")
    open_deadline_s: float | None = None
    close_deadline_s: float | None = None

    @property
    def faults(self) -> frozenset[Fault]:
        """Everything that is wrong here."""
        found = self.raised | self.latched
        if self.lock.failure is not None:
            found |= {self.lock.failure}
        return found

    @property
    def connected(self) -> bool:
        """A vehicle is at the cable."""
        return self.pilot.state in CONNECTED

    @property
    def running(self) -> bool:
        """A session is committed and not being stopped."""
        return self.session is not None and self.session.phase is Phase.RUNNING
