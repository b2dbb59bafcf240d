"""Data of a connector's state machine: configuration, session, state.

Sources: manual 5.1, OCPP 1.6 chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.station import lock as locks
from borne.domain.station.board import (
    NO_PLUG,
    PilotCommand,
    PilotOff,
    PilotReport,
    PilotState,
    Plug,
    PlugKind,
)
from borne.domain.station.faults import Fault
from borne.domain.station.modes import StopMode, WakeUp
from borne.domain.station.session import StopReason
from borne.domain.vehicle import Identity

CONNECTED = frozenset({PilotState.B, PilotState.C, PilotState.D})
ASKING = frozenset({PilotState.C, PilotState.D})
NEVER_S = float("-inf")


@dataclass(frozen=True, slots=True)
class ConnectorConfig:
    """Settings and hardware facts for the machine; may change between steps."""

    stop_mode: StopMode = StopMode.NORMAL
    lock_only_if_authorized: bool = False
    unlock_on_vehicle_disconnect: bool = True
    connection_timeout_s: float = 45.0
    ventilation: bool = False
    wake_up: WakeUp | None = None
    """How a vehicle that does not react is woken up; None if it is not."""
    has_lock: bool = True
    tethered: bool = False
    weld_check: bool = True
    diode_check: bool = True
    has_state_f: bool = True
    watchdog_s: float = 3.0
    """The board switches off after this time without a command."""


class Phase(StrEnum):
    """Phase of a session in the machine."""

    OPENING = "opening"
    """The start is being committed; no energy may flow yet."""
    RUNNING = "running"
    STOPPING = "stopping"
    """The offer is withdrawn; the vehicle may open S2 before the contactor opens."""
    CLOSING = "closing"
    """The contactor is open; the end is being committed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The reason of a stop, and the token that requested it."""

    reason: StopReason
    id_token: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization that waits for its session."""

    identity: Identity
    reported: bool = True
    """Whether the session is reported to the backend."""
    reservation_id: int | None = None
    card: str = ""
    """The card that was shown; with free charging its token differs from that of the identity."""
    expires: bool = True
    """False: no vehicle connection timeout (free charging without a card)."""

    def owned_by(self, token: str) -> bool:
        """True if a card with this token belongs to the authorization."""
        own = {self.card.casefold(), self.identity.id_token.casefold()} - {""}
        return token.casefold() in own


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The session of this connector."""

    authorization: Authorization
    phase: Phase = Phase.OPENING
    session_id: str = ""
    stop: Stop | None = None
    stop_deadline_s: float | None = None
    asked: bool = False
    """The vehicle has asked for energy in this session."""
    may_ask_until_s: float | None = None
    """Until then a vehicle that does not ask for energy does not count as paused."""
    energised: bool = False
    """The contactor was closed in this session."""
    held: bool = False
    """Energy is withheld without ending the session (a card that the backend refused, or a card in
    the mode "only stop by disconnect")."""
    released: bool = False
    """An unlock was requested: the cable is not held after the session."""


NO_VEHICLE = PilotReport(PilotState.A, pwm=False)
PILOT_OFF = PilotOff()


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """The complete state of the machine."""

    at_s: float = field(default=NEVER_S, compare=False)
    """Time of the last step; everything due before it has been processed."""
    known: bool = False
    """The board has reported pilot and plug since it was armed. Before that, nothing counts as
    unplugged and no command is sent."""
    seen_pilot: bool = False
    seen_plug: bool = False
    pilot: PilotReport = NO_VEHICLE
    plug: Plug = NO_PLUG
    connected: bool = False
    """A vehicle is connected. States E and F leave this unchanged."""
    session_plug: Plug = NO_PLUG
    """The cable at the start of the session; a change is a fault."""
    lock: locks.LockDrive = field(default_factory=locks.LockDrive)
    contactor_closed: bool = False
    board_alive: bool = True
    raised: frozenset[Fault] = frozenset()
    """Faults detected elsewhere, and those that clear once the pilot is in order."""
    latched: frozenset[Fault] = frozenset()
    """Faults detected here that stay until the vehicle is unplugged."""
    bad_plug_due_s: float | None = None
    """When an unreadable cable becomes a fault."""
    diode_due_s: float | None = None
    """When a missing diode becomes a fault."""
    operative: bool = True
    inoperative_later: bool = False
    inoperative_due_s: float | None = None
    """When the connector goes out of service although a user prepares to charge."""
    reservation_id: int | None = None
    reserved_first: bool = False
    """The reservation is older than the plugged-in vehicle, so it is still shown."""
    checking: bool = False
    pending: Authorization | None = None
    pending_deadline_s: float | None = None
    session: LiveSession | None = None
    finished: bool = False
    """A session ended (or the cable was released) and the plug is still inserted."""
    finished_until_s: float | None = None
    cable_held_for: Authorization | None = None
    """The session is over, and the cable is locked for this owner (OCPP 4.9, errata 3.17)."""
    offer_a: float = 0.0
    # Commands sent to the board, and when.
    resend: bool = False
    """The board may have lost or missed commands, so they are sent again."""
    sent_pilot: PilotCommand = PILOT_OFF
    sent_pilot_at_s: float = NEVER_S
    sent_allow: bool = False
    opened_at_s: float = NEVER_S
    rests: bool = False
    """The contactor was closed in this session and has been open for some time."""
    open_deadline_s: float | None = None
    """Deadline for the contactor to open."""
    close_deadline_s: float | None = None
    state_f_until_s: float | None = None
    """A fault occurred while the vehicle asked for energy: it sees state F until then."""
    # Wake-up of a vehicle.
    woken: bool = False
    """The vehicle reacted to this offer, or was already woken up for it."""
    wake_due_s: float | None = None
    wake_ends_s: float | None = None
    """End of the interruption of the pilot."""
    ignore_pilot_until_s: float | None = None
    """Until then the pilot is not evaluated, because of our own interruption."""
    ignored_pilot: PilotReport | None = None
    """The pilot as reported during that time, to be evaluated afterwards."""

    @property
    def faults(self) -> frozenset[Fault]:
        """All present faults."""
        found = self.raised | self.latched
        if self.lock.failure is not None:
            found |= {self.lock.failure}
        return found

    @property
    def preparing(self) -> bool:
        """A user has begun to use the connector, and there is no session yet."""
        if self.session is not None:
            return False
        kept = self.reservation_id is not None and self.reserved_first
        return self.pending is not None or (self.connected and not (self.finished or kept))

    @property
    def running(self) -> bool:
        """A session is committed and not being stopped."""
        return self.session is not None and self.session.phase is Phase.RUNNING

    @property
    def settled(self) -> bool:
        """The contactor is certainly open, or known to be welded."""
        if self.sent_allow or self.open_deadline_s is not None:
            return False
        return not self.contactor_closed or Fault.CONTACTOR_WELDED in self.latched

    @property
    def plugged(self) -> bool:
        """A plug is in the socket."""
        return self.plug.kind is not PlugKind.NONE
