"""What a slave and its master tell each other (manual 7.4, 7.7).

Values only: a transport within one process passes them as they are, one between stations encodes
them. Times are durations or belong to the sender's own monotonic clock; clocks are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeTiming
from borne.domain.load_management.topology import ROOT, GridPhase, Rotation
from borne.foundation.units import PerPhase

DEFAULT_TIMING = FailSafeTiming()


class SocketUse(StrEnum):
    """What happens at a socket, for people."""

    FREE = "free"
    PLUGGED = "plugged"
    """A car is there, but its session may not take energy."""
    WAITING = "waiting"
    """It may take energy and is offered none."""
    OFFERED = "offered"
    """It is offered current and does not draw it."""
    CHARGING = "charging"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketReport:
    """One socket of a slave. Currents in amps per phase of the socket."""

    connector: int
    use: SocketUse = SocketUse.FREE
    wants: bool = False
    """A session is open that may take energy."""
    visit: int = 0
    """Rises with every car that wants current: another one may use other phases. Set by the
    slave."""
    asking: bool = False
    """The car is in state C or D."""
    closed: bool = False
    """The contactor is closed."""
    live: bool = False
    """The contactor is closed, or not known to be open."""
    measured_a: PerPhase | None = None
    """None while the meter is silent."""
    offered_a: float = 0.0
    """The offer in force."""
    upper_a: float = 0.0
    """The lowest of the socket's own limits, without load management and what the station shares
    among its sockets."""
    upper_cause: LimitCause | None = None
    minimum_a: float = 0.0
    disconnected_a: float = 0.0
    rotation: Rotation = Rotation.RST
    phase_count: int = 3
    priority: int = 0
    energy_wh: float | None = None
    """Energy that the driver still wants."""
    departs_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaveReport:
    """A station, at every change and at least every `REPORT_S`."""

    station: str
    """Unique within the group."""
    name: str = ""
    """For people."""
    boot: int = 0
    """Differs after every start of the slave: it has forgotten all grants then."""
    number: int = 0
    """Rises with every report of this boot."""
    confirms: tuple[int, int] | None = None
    """Term and number of the last grant that is in force; None since the start."""
    group: str = ROOT
    """The sub-distribution that feeds the station."""
    limit_a: PerPhase | None = None
    """What all its sockets together may draw, per grid phase; None: they share nothing."""
    sockets: tuple[SocketReport, ...] = ()


@dataclass(frozen=True, slots=True)
class SocketGrant:
    """The current that a socket may offer, and why not more."""

    connector: int
    amps: float
    cause: LimitCause
    group: str | None = None
    """The line that is full, and its phase."""
    phase: GridPhase | None = None
    limited_by: LimitCause | None = None
    """The row behind it (`Reason.source`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterGrant:
    """The currents of all sockets of one slave. It is valid for the time-outs in `timing`, counted
    from the moment at which the slave sent the report that it answers: a grant that was on its way
    for long is short-lived."""

    station: str
    term: int
    """Differs after every start of the master."""
    number: int
    """Rises with every grant of this term."""
    boot: int
    """Of the slave that is addressed; after a restart of the slave the grant does not count."""
    answers: int
    """Number of the newest report of that boot."""
    sockets: tuple[SocketGrant, ...] = ()
    timing: FailSafeTiming = DEFAULT_TIMING


REPORT_S = 5.0
"""A slave reports at least this often, a master answers every report: the heartbeat of both."""

MEASURED_STEP_A = 1.0
"""A measured current that changed by this much is reported before the next heartbeat."""

MASTER_TIMEOUT_S = 20.0
"""A slave that was silent for this long is lost: a current is reserved for it."""
