"""The live status of a station as frozen values, independent of any wire format.

Currents are rounded to 0.1 A.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from borne.domain.authorization.decision import Reason
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.sources import LimitScope
from borne.domain.load_management.topology import SupplyLink
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.station.display import Screen
from borne.domain.station.faults import Fault
from borne.domain.station.session import SessionFlag
from borne.domain.station.status import ConnectorStatus
from borne.domain.vehicle import IdentityKind
from borne.foundation.clock import ClockTrust
from borne.foundation.messages import Message
from borne.foundation.units import ZERO, PerPhase


@dataclass(frozen=True, slots=True)
class FaultStatus:
    """A fault that is present."""

    fault: Fault
    since: datetime


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """One limit in A per phase; `until` None: until its owner changes it.

    Limits of a connector are in phases of its socket, those of a station or group in phases of the
    grid.
    """

    source: LimitCause
    scope: LimitScope
    amps: PerPhase
    cause: LimitCause
    """Why the limit has this value."""
    since: datetime
    until: datetime | None = None
    effective: bool = False
    """True if no other limit is lower."""
    detail: str = ""
    """A detail of the cause, for example the number of a profile."""
    link: SupplyLink | None = None
    """The full line of the group that sets it, with its grid phase."""
    limited_by: LimitCause | None = None
    """What limits that line, or the socket."""


@dataclass(frozen=True, slots=True)
class MaskedIdentity:
    """Who charges; of a card number only the end."""

    kind: IdentityKind
    masked: str


@dataclass(frozen=True, slots=True)
class RunningSession:
    """The session at a connector; `started_at` is None while the date is unknown."""

    session_id: str
    started_at: datetime | None
    energy_wh: int
    transaction_id: int | None
    identity: MaskedIdentity
    billable: bool = True
    flags: frozenset[SessionFlag] = frozenset()


@dataclass(frozen=True, slots=True)
class SocketStatus:
    """The status of one connector."""

    id: int
    state: ConnectorStatus
    pilot: str
    """State of the control pilot, A1 to F (IEC 61851-1)."""
    led: str
    """Pattern of the LED ring (manual 6)."""
    name: str = ""
    offered_a: PerPhase = ZERO
    phases: int = 3
    """Phases wired to the socket: 1 or 3."""
    measured_a: PerPhase | None = ZERO
    power_w: int | None = 0
    """Current and power are None while no meter tells them."""
    register_wh: int | None = None
    cable_a: int | None = None
    locked: bool = False
    display: tuple[Screen, ...] = ()
    """Screens of the two-line display; several screens are languages shown in turn."""
    asks_for_card: bool = True
    session: RunningSession | None = None
    limits: tuple[LimitStatus, ...] = ()
    faults: tuple[FaultStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """Summary of the backend connection."""

    link: str = "off"
    boot: str = "none"
    queue: int = 0
    """Number of waiting messages."""


@dataclass(frozen=True, slots=True)
class LastCard:
    """The last card that was shown, and the result."""

    at: datetime
    connectors: tuple[int, ...]
    accepted: bool
    reason: Reason
    why: str
    masked: str


@dataclass(frozen=True, slots=True)
class StationStatus:
    """The complete status. `revision` is incremented with every visible change."""

    revision: int
    time: datetime
    clock_trust: ClockTrust
    sockets: tuple[SocketStatus, ...]
    backend: BackendStatus = BackendStatus()
    load_management_role: str = "disabled"
    limits: tuple[LimitStatus, ...] = ()
    """Limits shared by all sockets: supply line, limit of the station."""
    faults: tuple[FaultStatus, ...] = ()
    """Faults of the station; sockets have their own."""
    last_card: LastCard | None = None
    notices: tuple[Message, ...] = ()
    """Notices about the stored data."""
    site_meter: SiteMeterStatus | None = None
    """The second meter; None if none is set."""

    def socket(self, connector: int) -> SocketStatus:
        """The status of one socket. Raises KeyError."""
        for each in self.sockets:
            if each.id == connector:
                return each
        raise KeyError(connector)

    @property
    def power_w(self) -> int:
        """Power of all sockets together, as far as it is known."""
        return sum(each.power_w or 0 for each in self.sockets)
