"""A charging session, the unit of billing.

Its energy is the difference of two values of one line, in whole Wh: the sum of the accepted
increments of the billing meter (`metering`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Moment
from borne.foundation.units import ZERO, PerPhase


class StopReason(StrEnum):
    """Why a session ended, with the values of OCPP 1.6 (4.10)."""

    EMERGENCY_STOP = "EmergencyStop"
    EV_DISCONNECTED = "EVDisconnected"
    HARD_RESET = "HardReset"
    LOCAL = "Local"
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    UNLOCK_COMMAND = "UnlockCommand"
    DE_AUTHORIZED = "DeAuthorized"


class SessionFlag(StrEnum):
    """Qualifies the figures of a session."""

    NOT_BILLABLE = "not_billable"
    """There is no billing meter."""
    METER_SILENT_AT_START = "meter_silent_at_start"
    METER_SILENT_AT_STOP = "meter_silent_at_stop"
    ESTIMATED_STOP = "estimated_stop"
    """The stop value is the last stored sample."""
    METER_FAULT = "meter_fault"
    """The register fell, jumped, contradicted its own power, or the meter was exchanged: the energy
    is what was accepted, and cannot be billed."""
    UNDATED = "undated"
    """The date was unknown and is estimated."""


UNBILLABLE = frozenset({SessionFlag.NOT_BILLABLE, SessionFlag.METER_FAULT})
"""Flags of sessions that must not be invoiced."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a session."""

    at: Moment
    register_wh: int
    current_a: PerPhase = ZERO
    voltage_v: PerPhase = ZERO
    power_w: float = 0.0
    offered_a: float = 0.0
    context: str = "Sample.Periodic"


@dataclass(frozen=True, slots=True)
class SessionStart:
    """The data of a session's start."""

    session_id: str
    connector: int
    identity: Identity
    at: Moment
    meter_start_wh: int
    reported: bool
    """Whether the session is reported to the backend (not in free charging modes 1 to 3)."""
    reservation_id: int | None = None
    flags: frozenset[SessionFlag] = frozenset()
    meter_serial: str = ""
    """Serial number of the meter; empty if unknown."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The data of a session's end."""

    at: Moment
    meter_stop_wh: int
    reason: StopReason
    id_token: str | None = None
    """The token that stopped the session; None if it was not stopped by a token."""
    flags: frozenset[SessionFlag] = frozenset()
    max_power_w: float = field(default=0.0, compare=False)
    """Highest measured power; samples may be too few to contain it."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as stored."""

    start: SessionStart
    end: SessionEnd | None
    transaction_id: int | None
    last_wh: int
    """Highest stored value of the session's line."""
    max_power_w: float = 0.0
    last_at: Moment | None = None
    """Moment of the last stored sample."""
    doubts: frozenset[SessionFlag] = frozenset()
    """Flags that the end of a running session will have."""

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return self.start.session_id

    @property
    def energy_wh(self) -> int:
        """Energy from the start to the end (or last sample); never negative."""
        stop = self.end.meter_stop_wh if self.end else self.last_wh
        return max(0, stop - self.start.meter_start_wh)

    @property
    def flags(self) -> frozenset[SessionFlag]:
        """Flags of start and end; while the session runs, those known already."""
        return self.start.flags | (self.end.flags if self.end else self.doubts)

    @property
    def billable(self) -> bool:
        """True if the session may be invoiced: the meter is without doubts, and the session was not
        free charging without reports to the backend."""
        given_away = self.start.identity.kind is IdentityKind.FREE and not self.start.reported
        return not given_away and not self.flags & UNBILLABLE
