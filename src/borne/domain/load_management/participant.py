"""The participants of the distribution, and the result for each.

A participant is an own socket, a slave behind the group link or a foreign station; the allocator
sees the snapshot only. Every result carries its reason, for the page "Why 13 A?".
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
"""IEC 61851-1: the lowest current that a duty cycle can signal."""

RECLAIM_MARGIN_A = 1.0
"""Margin of the offer above the current of a car that does not use its whole offer."""

SLACK_A = 1e-9
"""Currents closer than this are equal: sums of floats rarely match a limit exactly."""


class Demand(StrEnum):
    """What the participant wants from the distribution."""

    NONE = "none"
    CHARGING = "charging"
    """A car charges or requests current."""
    WAKE_UP = "wake_up"
    """A car that does not resume after a pause; one attempt at the minimum, from left-over current
    only."""


@dataclass(slots=True, kw_only=True)  # a frozen one takes four times as long to make
class Participant:
    """Snapshot of one participant; never changed. Currents in amps per phase of the socket."""

    id: str
    group: str = ROOT
    rotation: Rotation = Rotation.RST
    connected: frozenset[SocketPhase] = ALL_SOCKET_PHASES
    phases: frozenset[SocketPhase] | None = None
    """Phases that the car uses; None while unknown: all connected ones count."""
    demand: Demand = Demand.CHARGING
    minimum_a: float = LOWEST_PILOT_A
    maximum_a: float = 32.0
    """The lowest of the socket's own rows: hardware, installation, operator, cable, profile, ..."""
    maximum_cause: LimitCause | None = None
    """The row that sets `maximum_a`."""
    priority: int = 0
    """Class: a higher one is served first."""
    rank: float = 0
    """Entitlement within the class: lower is served first (`rotation_slots`)."""
    keeps_place: bool = False
    """It started a moment ago: it is admitted before others of any class."""
    rests: bool = False
    """It was paused for lack of current a moment ago, and is not started again yet."""
    needed_a: float | None = None
    """What it needs on average to be ready when its driver leaves; None: not known."""
    settled_a: float | None = None
    """Current of a car that does not use its whole offer (`reclaim`); None: no bound."""
    reserved_a: float | None = None
    """Current reserved for a participant without contact (`fail_safe.reservation_a`)."""
    envelope_a: float = 0.0
    """The highest current that may still flow (`redistribution.SetpointTrack`)."""
    setpoint_a: float | None = None
    """The last setpoint; None: unknown, the envelope counts."""

    @property
    def lower_a(self) -> float:
        """The lowest current that can be offered."""
        return max(LOWEST_PILOT_A, self.minimum_a)

    @property
    def upper_a(self) -> float:
        """The highest useful current: its own limit or, for a car that draws less, what it
        draws."""
        if self.settled_a is None:
            return self.maximum_a
        return min(self.maximum_a, max(self.lower_a, self.settled_a + RECLAIM_MARGIN_A))

    def loads(self, *, it_network: bool = False) -> frozenset[GridPhase]:
        """Return the grid phases to count; all connected ones while they are unknown or contact is
        lost.

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
    """Return the number (in `PHASE_SETS`) of the grid phases of `Participant.loads`."""
    used = connected if phases is None else (phases & connected) or connected
    return NUMBER_OF_PHASES[loaded_phases(rotation, used, it_network=it_network)]


class Reason(NamedTuple):
    """The reason of a current, with its numbers."""

    cause: LimitCause
    link: SupplyLink | None = None
    """The grid phase of a group that is full."""
    against: GridPhase | None = None
    """Imbalance: the phase that is too low compared with `link`."""
    amps: float | None = None
    """What is left, what is allowed, or what the car draws."""
    sharing: int | None = None
    """How many share what `link` has left."""
    source: LimitCause | None = None
    """The row behind it: the socket's own or, where `link` is of the root, the source that limits
    the whole group there."""


class Grant(NamedTuple):
    """The current that a participant may offer, and the reason."""

    participant: str
    amps: float
    reason: Reason
    until_s: float | None = None
    """When a time ends that the reason depends on, such as a time slot; monotonic."""
