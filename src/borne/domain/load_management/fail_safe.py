"""When master and slave cannot hear each other (manual 7.7).

A slave falls back in two stages: first it only goes down, to its Disconnected Limit; it rises to
that limit only when every other slave must have gone down too. For a slave that it cannot hear a
master reserves the highest current that this slave may still take. So no limit is exceeded, in
whatever order the time-outs end, provided that the disconnected limits together keep every limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from borne.domain.load_management.participant import SLACK_A
from borne.domain.load_management.redistribution import EV_REACTION_S
from borne.domain.load_management.topology import (
    ALL_SOCKET_PHASES,
    ROOT,
    Rotation,
    SocketPhase,
    SupplyLink,
    Topology,
    loaded_phases,
)
from borne.foundation.units import PerPhase

MARGIN_S = 1.0
"""For the time that a message and a timer take."""


class FailSafeStage(Enum):
    """How far a slave has fallen back."""

    CONNECTED = 0
    LIMITED = 1
    """At most the Disconnected Limit; never up."""
    STATIC = 2
    """At the Disconnected Limit."""


@dataclass(frozen=True, slots=True)
class FailSafeTiming:
    """Time-outs of a slave, in seconds of silence of the master."""

    heartbeat_timeout_s: float = 60.0
    max_skew_s: float = 10.0
    """By how much the time-outs of two slaves may differ in time."""

    @property
    def static_after_s(self) -> float:
        """Every slave is limited and every car has followed."""
        return self.heartbeat_timeout_s + self.max_skew_s + EV_REACTION_S + MARGIN_S

    def stage(self, silence_s: float) -> FailSafeStage:
        """The stage of a slave that has not heard its master for `silence_s`."""
        if silence_s < self.heartbeat_timeout_s:
            return FailSafeStage.CONNECTED
        if silence_s < self.static_after_s:
            return FailSafeStage.LIMITED
        return FailSafeStage.STATIC

    def detected_in_time(self, master_timeout_s: float, period_s: float) -> bool:
        """True when a master frees the reserve before a lost slave may rise to its limit."""
        return master_timeout_s + period_s + EV_REACTION_S < self.static_after_s


def fallback_a(setpoint_a: float, disconnected_a: float, stage: FailSafeStage) -> float:
    """The current a slave may offer, in amps per phase; less than 6 A means a pause."""
    match stage:
        case FailSafeStage.CONNECTED:
            return setpoint_a
        case FailSafeStage.LIMITED:
            return min(setpoint_a, disconnected_a)
        case FailSafeStage.STATIC:
            return disconnected_a


def reservation_a(last_setpoint_a: float, disconnected_a: float) -> float:
    """What a master keeps, on all connected phases, for a slave it cannot hear or has not heard
    since its own start."""
    return max(last_setpoint_a, disconnected_a)


@dataclass(frozen=True, slots=True)
class DisconnectedSocket:
    """A socket as it stands when its master is lost."""

    disconnected_a: float
    group: str = ROOT
    connected: frozenset[SocketPhase] = ALL_SOCKET_PHASES
    rotation: Rotation = Rotation.RST


@dataclass(frozen=True, slots=True)
class Overcommitment:
    """A link whose limit the disconnected limits together exceed."""

    link: SupplyLink
    total_a: float
    limit_a: float


def overcommitments(
    topology: Topology,
    root_limit_a: PerPhase,
    sockets: Iterable[DisconnectedSocket],
    *,
    it_network: bool = False,
) -> tuple[Overcommitment, ...]:
    """Check of a configuration: every link on which the sum of disconnected limits is too high.

    Connected phases count, not detected ones. For a main distribution that must hold without the
    master, ask with an empty topology and the main limit less the highest other load of the site.
    """
    limits = topology.capacities(root_limit_a)
    totals = [0.0] * len(limits)
    for socket in sockets:
        phases = loaded_phases(socket.rotation, socket.connected, it_network=it_network)
        for link in topology.crossed(socket.group, phases):
            totals[link] += socket.disconnected_a
    return tuple(
        Overcommitment(link, total, limit)
        for link, total, limit in zip(topology.links, totals, limits, strict=True)
        if total > limit + SLACK_A
    )
