"""What a station shows of load management: the group as its master sees it, and its own part."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from borne.domain.limits.cause import LimitCause
from borne.domain.limits.sources import LimitKind
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.messages import SocketUse
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.topology import ROOT, GridPhase, Rotation, SocketPhase
from borne.domain.settings.choices import DlmRole
from borne.foundation.messages import Message
from borne.foundation.units import ZERO, PerPhase

NO_DEMAND = Reason(LimitCause.NO_DEMAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLimitRow:
    """A source of the limit of the whole group, in amps per grid phase."""

    source: LimitCause
    amps: PerPhase
    reason: Message
    """One sentence with the numbers."""
    kind: LimitKind = LimitKind.OBLIGATION
    since: datetime | None = None
    until: datetime | None = None
    age_s: float | None = None
    """Of the reading behind it."""
    fallback_a: PerPhase | None = None
    """The row while its source is silent."""
    effective: tuple[bool, bool, bool] = (False, False, False)
    """The phases on which it is the lowest."""

    @property
    def binds(self) -> bool:
        """True if it is the lowest on a phase."""
        return any(self.effective)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A sub-distribution, a supply line or the root, in amps per grid phase."""

    id: str
    parent: str | None
    limit_a: PerPhase
    used_a: PerPhase
    """The sum of what is granted or reserved below it."""
    measured_a: PerPhase = ZERO


class Trust(StrEnum):
    """Who measured a participant's current."""

    REPORTED = "reported"
    """The participant itself."""
    UNMEASURED = "unmeasured"
    """No meter: its grant counts."""
    LOST = "lost"
    """It is silent: what is reserved counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRow:
    """A socket of the group. Currents of the socket unless the name says grid."""

    id: str
    station: str
    station_name: str
    connector: int
    group: str = ROOT
    use: SocketUse = SocketUse.FREE
    since: datetime | None = None
    lost: bool = False
    phases: frozenset[SocketPhase] | None = None
    """That the car uses; None: not known, all connected ones count."""
    phase_count: int = 3
    rotation: Rotation = Rotation.RST
    requested_a: float | None = None
    """What it could use at most; None: no car wants current."""
    granted_a: float = 0.0
    measured_a: PerPhase | None = None
    grid_a: PerPhase = ZERO
    """What is granted or reserved, per grid phase."""
    measured_grid_a: PerPhase = ZERO
    minimum_a: float = 0.0
    disconnected_a: float = 0.0
    priority: int = 0
    reason: Reason = NO_DEMAND
    until: datetime | None = None
    """When the reason may end."""
    last_received: datetime | None = None
    received_s: float | None = None
    trust: Trust = Trust.REPORTED
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectedSum:
    """The check of the disconnected limits against one line, on its worst phase (manual 7.7)."""

    group: str
    phase: GridPhase
    amps: float
    limit_a: float
    fits: bool
    main: bool = False
    """Against the main distribution less the assumed load of the building."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaveStatus:
    """The station's own part as a slave."""

    stage: FailSafeStage
    master: str = ""
    """Its address or name; empty: nothing was received from any."""
    received_s: float | None = None
    limited_in_s: float | None = None
    """Until it falls to its disconnected limit at most."""
    static_in_s: float | None = None
    """Until it offers its disconnected limit."""
    disconnected_a: float = 0.0
    granted_a: tuple[tuple[int, float], ...] = ()
    """By connector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStatus:
    """Everything that is shown of load management."""

    role: DlmRole
    network_id: int = 0
    revision: int = 0
    limits: tuple[SiteLimitRow, ...] = ()
    limit_a: PerPhase | None = None
    """Of the root: the lowest of `limits`; None unless the station is a master."""
    external_a: PerPhase | None = None
    """The load beside the stations that counts now; None without an external meter."""
    groups: tuple[GroupRow, ...] = ()
    participants: tuple[ParticipantRow, ...] = ()
    missing: tuple[str, ...] = ()
    """Known stations that have not reported since the start or are lost."""
    disconnected: tuple[DisconnectedSum, ...] = ()
    problems: tuple[Message, ...] = ()
    """What is wrong with stations of the group, in sentences."""
    slave: SlaveStatus | None = None
    last_cycle: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDecision:
    """A line of the history: what a cycle changed, and why."""

    at: datetime
    cycle: int
    participant: str
    before_a: float
    after_a: float
    reason: Reason
    grid_a: PerPhase = ZERO
    """After the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSample:
    """A point of the curves of the last ten minutes."""

    at: datetime
    limit_a: PerPhase
    granted_a: PerPhase
    measured_a: PerPhase
    external_a: PerPhase | None = None
    by_participant: tuple[tuple[str, PerPhase], ...] = field(default=())
    """Granted, per grid phase."""
