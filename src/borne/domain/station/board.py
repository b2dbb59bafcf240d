"""The vocabulary between a charge controller board and the station.

A board makes the control pilot, drives lock and contactor, and protects by itself: it opens the
contactor on A, E, F and on its own faults within 100 ms, and falls to pilot off when no keep-alive
comes (IEC 61851-1 and docs/safety.md). The station only allows and restricts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PilotState(StrEnum):
    """State of the control pilot (IEC 61851-1 Annex A)."""

    A = "A"
    """No vehicle: +12 V."""
    B = "B"
    """Vehicle connected, does not ask for energy: +9 V."""
    C = "C"
    """Vehicle asks for energy: +6 V."""
    D = "D"
    """Vehicle asks for energy and ventilation: +3 V."""
    E = "E"
    """0 V: short circuit, or the board has no power."""
    F = "F"
    """-12 V: the station is not available."""


class PlugKind(StrEnum):
    """What the proximity pilot tells (IEC 61851-1 Table B.2)."""

    NONE = "none"
    VALID = "valid"
    AMBIGUOUS = "ambiguous"
    """Between two codes, or half plugged."""
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Plug:
    """The plug in the socket; `cable_a` is the coded capacity of the cable, 13 to 80 A."""

    kind: PlugKind
    cable_a: int = 0


NO_PLUG = Plug(PlugKind.NONE)


class LockPosition(StrEnum):
    """Feedback of the lock actuator."""

    UNLOCKED = "unlocked"
    LOCKED = "locked"
    MOVING = "moving"
    ABSENT = "absent"
    """No actuator is detected."""


class DiodeCheck(StrEnum):
    """Result of the check for the vehicle's diode; judged only while PWM runs."""

    UNKNOWN = "unknown"
    GOOD = "good"
    FAILED = "failed"


# Commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PilotOff:
    """Constant +12 V, no PWM (x1): no current is offered."""


@dataclass(frozen=True, slots=True)
class PilotNominal:
    """PWM that offers `current_a` (6 to 80 A)."""

    current_a: float


@dataclass(frozen=True, slots=True)
class PilotDigital:
    """5 % duty cycle: only digital communication (ISO 15118)."""


@dataclass(frozen=True, slots=True)
class PilotStateE:
    """0 V."""


@dataclass(frozen=True, slots=True)
class PilotStateF:
    """Constant -12 V."""


@dataclass(frozen=True, slots=True)
class PilotInterrupt:
    """Opens the pilot for `duration_s`, as if unplugged; then back to what was before."""

    duration_s: float


PilotCommand = PilotOff | PilotNominal | PilotDigital | PilotStateE | PilotStateF | PilotInterrupt


@dataclass(frozen=True, slots=True)
class SetPilot:
    """What the pilot shall show; an interruption returns to the command before it."""

    command: PilotCommand


@dataclass(frozen=True, slots=True)
class AllowContactor:
    """Allow the board to close when the vehicle asks (C, or D); False opens at once."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class MoveLock:
    """One pulse of the actuator; the feedback tells the result."""

    locked: bool


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Must come more often than `watchdog_s` while anything is allowed."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Test the residual current monitor; the result is a report."""


@dataclass(frozen=True, slots=True)
class Rearm:
    """Clear a latched protection (residual current)."""


BoardCommand = SetPilot | AllowContactor | MoveLock | KeepAlive | SelfTest | Rearm


# Reports ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PilotReport:
    """The pilot as measured, debounced by the board; `pwm` tells B1 from B2 and C1 from C2."""

    state: PilotState
    pwm: bool
    diode: DiodeCheck = DiodeCheck.UNKNOWN


@dataclass(frozen=True, slots=True)
class PlugReport:
    """The proximity pilot as measured."""

    plug: Plug


@dataclass(frozen=True, slots=True)
class LockReport:
    """Feedback of the lock."""

    position: LockPosition


@dataclass(frozen=True, slots=True)
class ContactorReport:
    """Sensed behind the contactor (mirror contact or voltage), not the coil command."""

    closed: bool


@dataclass(frozen=True, slots=True)
class ResidualCurrentReport:
    """The residual current monitor: tripped or not, values in mA."""

    tripped: bool
    rms_ma: float = 0.0
    dc_ma: float = 0.0
    self_test_passed: bool | None = None


@dataclass(frozen=True, slots=True)
class TemperatureReport:
    """Of the board, in degrees Celsius."""

    board_c: float


@dataclass(frozen=True, slots=True)
class BoardLinkReport:
    """False: the board does not answer; it is then off by its own watchdog. After True every other
    report follows anew."""

    alive: bool


@dataclass(frozen=True, slots=True)
class BrownOutReport:
    """The board lost its supply for a moment and is armed again: all outputs are off. Every other
    report follows anew."""


class Contact(StrEnum):
    """Auxiliary contacts of protective devices that a board can read."""

    RCD = "rcd"
    MCB_TYPE2 = "mcb_type2"
    MCB_DOMESTIC = "mcb_domestic"
    SPD = "spd"


@dataclass(frozen=True, slots=True)
class ContactReport:
    """An auxiliary contact: the device behind it tripped, or is in order again."""

    contact: Contact
    tripped: bool


@dataclass(frozen=True, slots=True)
class SupplyReport:
    """The mains before the contactor, from boards that sense it; told when it goes or comes."""

    present: bool


@dataclass(frozen=True, slots=True)
class OtherFaultReport:
    """A fault that the board words itself: any OCPP error code, begun or ended."""

    error_code: str
    active: bool


BoardReport = (
    PilotReport
    | PlugReport
    | LockReport
    | ContactorReport
    | ResidualCurrentReport
    | TemperatureReport
    | BoardLinkReport
    | BrownOutReport
    | ContactReport
    | SupplyReport
    | OtherFaultReport
)


@dataclass(frozen=True, slots=True)
class BoardCapabilities:
    """What a board can do and must be given."""

    max_current_a: int = 32
    phases: int = 3
    has_lock: bool = True
    has_pilot_interrupt: bool = True
    has_state_f: bool = True
    has_residual_current_monitor: bool = True
    has_digital_pilot: bool = False
    has_diode_check: bool = True
    has_contactor_feedback: bool = True
    tethered_cable_a: int | None = None
    watchdog_s: float = 3.0
    """Silence after which the board goes to pilot off by itself."""
    residual_reset_s: float = 10.0
    """A tripped residual current monitor may be re-armed this long after the vehicle left (manual
    9; 900 s with sensors up to D0469)."""
    names: tuple[str, ...] = field(default=())
