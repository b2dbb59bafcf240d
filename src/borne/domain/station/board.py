"""Commands to a charge controller board, and its reports.

A board generates the control pilot, drives lock and contactor, and protects without the station: it
opens the contactor within 100 ms in states A, E, F and on faults of its own, and switches the pilot
off if the keep-alive is missing (IEC 61851-1 and docs/safety.md). The station only permits and
restricts.
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
    """The coding of the proximity pilot (IEC 61851-1 Table B.2)."""

    NONE = "none"
    VALID = "valid"
    AMBIGUOUS = "ambiguous"
    """Between two codes, or half plugged in."""
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
    """Result of the check for the vehicle's diode; only evaluated while PWM runs."""

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
    """Interrupt the pilot for `duration_s`, as if unplugged; then the previous command applies
    again."""

    duration_s: float


PilotCommand = PilotOff | PilotNominal | PilotDigital | PilotStateE | PilotStateF | PilotInterrupt


@dataclass(frozen=True, slots=True)
class SetPilot:
    """Set the pilot; after an interruption the previous command applies again."""

    command: PilotCommand


@dataclass(frozen=True, slots=True)
class AllowContactor:
    """Permit the board to close the contactor when the vehicle asks for energy (C or D); False
    opens it at once."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class MoveLock:
    """One pulse of the actuator; the result is reported by the feedback."""

    locked: bool


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Must be sent more often than `watchdog_s` while anything is permitted."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Test the residual current monitor; the result is a report."""


@dataclass(frozen=True, slots=True)
class Rearm:
    """Reset a latched protection (residual current)."""


BoardCommand = SetPilot | AllowContactor | MoveLock | KeepAlive | SelfTest | Rearm


# Reports ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PilotReport:
    """The pilot as measured and debounced by the board; `pwm` distinguishes B1 from B2 and C1 from
    C2."""

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
    """State sensed behind the contactor (mirror contact or voltage), not the coil command."""

    closed: bool


@dataclass(frozen=True, slots=True)
class ResidualCurrentReport:
    """State of the residual current monitor, with its values in mA."""

    tripped: bool
    rms_ma: float = 0.0
    dc_ma: float = 0.0
    self_test_passed: bool | None = None


@dataclass(frozen=True, slots=True)
class TemperatureReport:
    """Temperature of the board in degrees Celsius."""

    board_c: float


@dataclass(frozen=True, slots=True)
class BoardLinkReport:
    """False: the board does not answer and is switched off by its own watchdog. After True, every
    other report is sent again."""

    alive: bool


@dataclass(frozen=True, slots=True)
class BrownOutReport:
    """The board lost its supply for a moment and is armed again with all outputs off. Every other
    report is sent again."""


class Contact(StrEnum):
    """Auxiliary contacts of protective devices that a board can read."""

    RCD = "rcd"
    MCB_TYPE2 = "mcb_type2"
    MCB_DOMESTIC = "mcb_domestic"
    SPD = "spd"


@dataclass(frozen=True, slots=True)
class ContactReport:
    """An auxiliary contact: its device has tripped, or is closed again."""

    contact: Contact
    tripped: bool


@dataclass(frozen=True, slots=True)
class SupplyReport:
    """The supply before the contactor, from boards that sense it; reported when it fails or
    returns."""

    present: bool


@dataclass(frozen=True, slots=True)
class OtherFaultReport:
    """A fault with the board's own error code (any of OCPP), which began or ended."""

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
    """Abilities and limits of a board."""

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
    """The board switches the pilot off after this time without a command."""
    residual_reset_s: float = 10.0
    """A tripped residual current monitor may be re-armed this long after the vehicle left (manual
    9; 900 s with sensors up to D0469)."""
    names: tuple[str, ...] = field(default=())
