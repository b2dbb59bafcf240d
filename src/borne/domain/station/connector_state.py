"""What the machine of a connector knows: configuration, session, state.

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
    """Settings and hardware that the machine obeys; may change between steps."""

    stop_mode: StopMode = StopMode.NORMAL
    lock_only_if_authorized: bool = False
    unlock_on_vehicle_disconnect: bool = True
    connection_timeout_s: float = 45.0
    ventilation: bool = False
    wake_up: WakeUp | None = None
    """How a vehicle that does not react is woken; None: not at all."""
    has_lock: bool = True
    tethered: bool = False
    weld_check: bool = True
    diode_check: bool = True
    has_state_f: bool = True
    watchdog_s: float = 3.0
    """A board that hears nothing is off after this."""


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

    def owned_by(self, token: str) -> bool:
        """Whether a card with this token is the one that got the permission."""
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
    """The vehicle has asked for energy since the session began."""
    may_ask_until_s: float | None = None
    """The session has just begun: until then a vehicle that does not ask is not yet pausing."""
    energised: bool = False
    """The contactor was closed in this session."""
    held: bool = False
    """Energy is withheld without ending the session (an id that the backend refused, or a card
    in the mode "only stop by disconnect")."""
    released: bool = False
    """Somebody asked for the cable: it is not kept for anybody afterwards."""


NO_VEHICLE = PilotReport(PilotState.A, pwm=False)
PILOT_OFF = PilotOff()


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """All that the machine knows of its connector."""

    at_s: float = field(default=NEVER_S, compare=False)
    """When the last step was taken; what was due until then is done."""
    known: bool = False
    """The board has told pilot and plug since it was armed; before that nobody is taken as
    unplugged and nothing is commanded."""
    seen_pilot: bool = False
    seen_plug: bool = False
    pilot: PilotReport = NO_VEHICLE
    plug: Plug = NO_PLUG
    connected: bool = False
    """A vehicle is at the cable. States E and F do not tell: they keep what was known."""
    session_plug: Plug = NO_PLUG
    """The cable as read when the session began; a change is a fault."""
    lock: locks.LockDrive = field(default_factory=locks.LockDrive)
    contactor_closed: bool = False
    board_alive: bool = True
    raised: frozenset[Fault] = frozenset()
    """Faults found outside, and those that are gone when the pilot is in order again."""
    latched: frozenset[Fault] = frozenset()
    """Faults found here that stay until the vehicle is unplugged."""
    bad_plug_due_s: float | None = None
    """An unreadable cable is a fault then."""
    diode_due_s: float | None = None
    """A missing diode is a fault then."""
    operative: bool = True
    inoperative_later: bool = False
    inoperative_due_s: float | None = None
    """Whoever prepares to charge has until then, before the connector goes out of service."""
    reservation_id: int | None = None
    reserved_first: bool = False
    """The reservation stood before whoever is plugged in came: it stays what is told."""
    checking: bool = False
    pending: Authorization | None = None
    pending_deadline_s: float | None = None
    session: LiveSession | None = None
    finished: bool = False
    """A session ended (or the cable was released) and the plug is still in."""
    finished_until_s: float | None = None
    cable_held_for: Authorization | None = None
    """The session is over, but only this owner gets the cable (OCPP 4.9, errata 3.17)."""
    offer_a: float = 0.0
    # What the board was told, and when.
    resend: bool = False
    """The board may have forgotten or missed what it was told."""
    sent_pilot: PilotCommand = PILOT_OFF
    sent_pilot_at_s: float = NEVER_S
    sent_allow: bool = False
    opened_at_s: float = NEVER_S
    rests: bool = False
    """The contactor was closed in this session and has been open for a while."""
    open_deadline_s: float | None = None
    """Until then the contactor must have opened."""
    close_deadline_s: float | None = None
    state_f_until_s: float | None = None
    """A fault came while the vehicle was asking: it sees state F until then."""
    # Waking a vehicle.
    woken: bool = False
    """It reacted to this offer, or was woken for it already."""
    wake_due_s: float | None = None
    wake_ends_s: float | None = None
    """The pilot is interrupted until then."""
    ignore_pilot_until_s: float | None = None
    """Until then the pilot may show nothing but our own interruption."""
    ignored_pilot: PilotReport | None = None
    """What it showed meanwhile, to be believed when that is over."""

    @property
    def faults(self) -> frozenset[Fault]:
        """Everything that is wrong here."""
        found = self.raised | self.latched
        if self.lock.failure is not None:
            found |= {self.lock.failure}
        return found

    @property
    def preparing(self) -> bool:
        """Somebody has begun to use the connector and has no session yet."""
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
        """The contactor is open for certain, or known to be welded."""
        if self.sent_allow or self.open_deadline_s is not None:
            return False
        return not self.contactor_closed or Fault.CONTACTOR_WELDED in self.latched

    @property
    def plugged(self) -> bool:
        """Something is in the socket."""
        return self.plug.kind is not PlugKind.NONE
