"""Behaviour when master and slave lose contact (manual 7.7).

A slave falls back in two stages: first it may only lower its current, to its Disconnected Limit; it
rises to that limit only when every other slave must have lowered its current too. For a slave
without contact a master reserves the highest current that this slave may still draw. So no limit is
exceeded, in whatever order the time-outs end, provided that the disconnected limits together
respect every limit.
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
"""Time for a message and a timer."""


class FailSafeStage(Enum):
    """Fallback stage of a slave."""

    CONNECTED = 0
    LIMITED = 1
    """At most the Disconnected Limit; never raised."""
    STATIC = 2
    """At the Disconnected Limit."""


@dataclass(frozen=True, slots=True)
class FailSafeTiming:
    """Time-outs of a slave, in seconds since the master's last message."""

    heartbeat_timeout_s: float = 60.0
    max_skew_s: float = 10.0
    """Maximum difference in time between the time-outs of two slaves."""

    @property
    def static_after_s(self) -> float:
        """Time after which every slave is limited and every car has followed."""
        return self.heartbeat_timeout_s + self.max_skew_s + EV_REACTION_S + MARGIN_S

    def stage(self, silence_s: float) -> FailSafeStage:
        """Return the stage of a slave after `silence_s` without a message of its master."""
        if silence_s < self.heartbeat_timeout_s:
            return FailSafeStage.CONNECTED
        if silence_s < self.static_after_s:
            return FailSafeStage.LIMITED
        return FailSafeStage.STATIC

    def detected_in_time(self, master_timeout_s: float, period_s: float) -> bool:
        """True if a master releases its reserve before a lost slave may rise to its limit."""
        return master_timeout_s + period_s + EV_REACTION_S < self.static_after_s


def fallback_a(setpoint_a: float, disconnected_a: float, stage: FailSafeStage) -> float:
    """Return the current that a slave may offer, in amps per phase; less than 6 A means a pause."""
    match stage:
        case FailSafeStage.CONNECTED:
            return setpoint_a
        case FailSafeStage.LIMITED:
            return min(setpoint_a, disconnected_a)
        case FailSafeStage.STATIC:
            return disconnected_a


def reservation_a(last_setpoint_a: float, disconnected_a: float) -> float:
    """Return what a master reserves, on all connected phases, for a slave without contact, also
    since its own start."""
    return max(last_setpoint_a, disconnected_a)


@dataclass(frozen=True, slots=True)
class DisconnectedSocket:
    """A socket at the time when its master is lost."""

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
    """Check a configuration: return every link on which the sum of disconnected limits is too high.

    Connected phases count, not detected ones. For a main distribution that must be protected
    without the master, call it with an empty topology and the main limit less the highest other
    load of the site.
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
