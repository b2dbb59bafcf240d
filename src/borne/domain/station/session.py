"""A charging session: the thing that is invoiced.

Energy is the difference of two values of one line, in whole Wh: the sum of what the billing meter
counted and was believed (`metering`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Moment
from borne.foundation.units import ZERO, PerPhase


class StopReason(StrEnum):
    """Why a session ended, in the words of OCPP 1.6 (4.10)."""

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
    """What a reader of the session must know about its figures."""

    NOT_BILLABLE = "not_billable"
    """There is no billing meter."""
    METER_SILENT_AT_START = "meter_silent_at_start"
    METER_SILENT_AT_STOP = "meter_silent_at_stop"
    ESTIMATED_STOP = "estimated_stop"
    """The stop value is the last stored sample."""
    METER_FAULT = "meter_fault"
    """The register fell, jumped, contradicted its own power, or another meter answered: the energy
    is what was believed, and cannot be billed."""
    UNDATED = "undated"
    """The date was not known; it is estimated."""


UNBILLABLE = frozenset({SessionFlag.NOT_BILLABLE, SessionFlag.METER_FAULT})
"""Flags of sessions that must not be invoiced."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of a session's curve."""

    at: Moment
    register_wh: int
    current_a: PerPhase = ZERO
    voltage_v: PerPhase = ZERO
    power_w: float = 0.0
    offered_a: float = 0.0
    context: str = "Sample.Periodic"


@dataclass(frozen=True, slots=True)
class SessionStart:
    """Everything that is fixed when a session begins."""

    session_id: str
    connector: int
    identity: Identity
    at: Moment
    meter_start_wh: int
    reported: bool
    """Whether the backend is told (free charging modes 1 to 3 are not)."""
    reservation_id: int | None = None
    flags: frozenset[SessionFlag] = frozenset()
    meter_serial: str = ""
    """Of the meter that counts it; empty when unknown."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """Everything that is fixed when it ends."""

    at: Moment
    meter_stop_wh: int
    reason: StopReason
    id_token: str | None = None
    """Who stopped it; None when nobody with a token did."""
    flags: frozenset[SessionFlag] = frozenset()
    max_power_w: float = field(default=0.0, compare=False)
    """Highest power that the meter told, for the record's; samples may be too few to see it."""


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
    """Of the last stored sample."""
    doubts: frozenset[SessionFlag] = frozenset()
    """Of a running session: flags that its end will have."""

    @property
    def session_id(self) -> str:
        """Same as that of its start."""
        return self.start.session_id

    @property
    def energy_wh(self) -> int:
        """End (or last sample) minus start; never negative."""
        stop = self.end.meter_stop_wh if self.end else self.last_wh
        return max(0, stop - self.start.meter_start_wh)

    @property
    def flags(self) -> frozenset[SessionFlag]:
        """Those of start and end; while it runs, those that are known already."""
        return self.start.flags | (self.end.flags if self.end else self.doubts)

    @property
    def billable(self) -> bool:
        """Whether it may be invoiced: there was a billing meter without doubts, and it was not
        given away (free charging that no backend is told of)."""
        given_away = self.start.identity.kind is IdentityKind.FREE and not self.start.reported
        return not given_away and not self.flags & UNBILLABLE
