"""Who takes part in the distribution, and the answer each participant gets.

A participant is an own socket, a slave behind the group link or a foreign station; the allocator
sees the snapshot only. Every answer carries its reason, for the page "Why 13 A?".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.topology import (
    ALL_SOCKET_PHASES,
    NUMBER_OF_PHASES,
    PHASE_SETS,
    ROOT,
    GridPhase,
    Rotation,
    SocketPhase,
    SupplyLink,
    loaded_phases,
)

LOWEST_PILOT_A = 6.0
"""IEC 61851-1: a duty cycle cannot say less."""

RECLAIM_MARGIN_A = 1.0
"""Offered above what a car takes that does not use its whole offer."""

SLACK_A = 1e-9
"""Currents closer than this are equal: sums of floats never meet a limit exactly."""


class Demand(StrEnum):
    """What the participant wants from the distribution."""

    NONE = "none"
    CHARGING = "charging"
    """A car charges or asks to."""
    WAKE_UP = "wake_up"
    """A car that fell asleep while paused; one attempt at the minimum, from left-overs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Snapshot of one participant. Currents in amps per phase of the socket."""

    id: str
    group: str = ROOT
    rotation: Rotation = Rotation.RST
    connected: frozenset[SocketPhase] = ALL_SOCKET_PHASES
    phases: frozenset[SocketPhase] | None = None
    """Phases the car was seen to use; None while unknown: all connected ones count."""
    demand: Demand = Demand.CHARGING
    minimum_a: float = LOWEST_PILOT_A
    maximum_a: float = 32.0
    """The lowest of the socket's own rows: hardware, installation, operator, cable, profile, ..."""
    maximum_cause: LimitCause | None = None
    """The row that sets `maximum_a`."""
    priority: int = 0
    """Class: a higher one is served first."""
    rank: float = 0
    """Entitlement within the class: the lower, the sooner (`rotation_slots`)."""
    settled_a: float | None = None
    """What a car takes that does not use its whole offer (`reclaim`); None: no bound."""
    reserved_a: float | None = None
    """Fixed current kept for a participant that cannot be heard (`fail_safe.reservation_a`)."""
    envelope_a: float = 0.0
    """The highest current that may still flow (`redistribution.SetpointTrack`)."""
    setpoint_a: float | None = None
    """What was offered last; None: not known, the envelope counts."""

    @property
    def lower_a(self) -> float:
        """The least that can be offered."""
        return max(LOWEST_PILOT_A, self.minimum_a)

    @property
    def upper_a(self) -> float:
        """The most that is of use: own limit and, for a car that takes less, what it takes."""
        if self.settled_a is None:
            return self.maximum_a
        return min(self.maximum_a, max(self.lower_a, self.settled_a + RECLAIM_MARGIN_A))

    def loads(self, *, it_network: bool = False) -> frozenset[GridPhase]:
        """The grid phases to count; all connected ones while it is not known better or not heard.

        A car cannot load phases that are not connected. An empty detection counts as unknown.
        """
        phases = None if self.reserved_a is not None else self.phases
        return PHASE_SETS[phases_loaded(self.rotation, self.connected, phases, it_network)]


@cache
def phases_loaded(
    rotation: Rotation,
    connected: frozenset[SocketPhase],
    phases: frozenset[SocketPhase] | None,
    it_network: bool,
) -> int:
    """The number (in `PHASE_SETS`) of the grid phases of `Participant.loads`."""
    used = connected if phases is None else (phases & connected) or connected
    return NUMBER_OF_PHASES[loaded_phases(rotation, used, it_network=it_network)]


class Reason(NamedTuple):
    """Why, with the numbers that belong to it."""

    cause: LimitCause
    link: SupplyLink | None = None
    """The grid phase of a group that has no more."""
    against: GridPhase | None = None
    """Imbalance: the phase that lies too low beside `link`."""
    amps: float | None = None
    """What is left, what is allowed, or what the car takes."""
    sharing: int | None = None
    """How many share what `link` has left."""
    source: LimitCause | None = None
    """The socket's own row."""


class Grant(NamedTuple):
    """The current a participant may offer, and why."""

    participant: str
    amps: float
    reason: Reason
