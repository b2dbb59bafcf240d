"""Why everybody gets what they get, from what blocked them.

Most reasons are the same for many (all who share a link), and often only a few are read: they are
made when somebody asks, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.filling import Bottleneck
from borne.domain.load_management.participant import LOWEST_PILOT_A, SLACK_A, Reason
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.topology import ROOT, GridPhase, Link, Topology

Why = Reason | Bottleneck | None
"""A reason, or what blocks more; None: nothing does."""


def named(topology: Topology, stop: Bottleneck) -> tuple[Link | None, GridPhase | None]:
    """The link to name, and for a difference between phases the one that is too low."""
    if stop.pair is not None:
        high, low = stop.pair
        return Link(ROOT, high), low
    return (None if stop.link is None else topology.links[stop.link]), None


@dataclass(frozen=True, slots=True)
class Findings:
    """What an allocation found; `why` is in the order of admission."""

    snapshot: Snapshot
    why: Sequence[Why]
    highest: int
    """The highest class that wants current."""
    reclaim: bool
    """What cars do not take was given to others."""

    def reasons(self, amps: Iterable[float]) -> list[Reason]:
        """The reason of everybody who gets `amps`."""
        held, own_limit = cache(self._held), cache(_own_limit)
        reclaim, highest = self.reclaim, self.highest
        found: list[Reason] = []
        for one, current, why in zip(self.snapshot.order.participants, amps, self.why, strict=True):
            if why is None:
                if one.settled_a is not None and reclaim and one.upper_a < one.maximum_a:
                    found.append(Reason(LimitCause.TAKES_LESS, amps=one.settled_a))
                else:
                    found.append(own_limit(one.maximum_a, one.maximum_cause))
            elif isinstance(why, Reason):
                found.append(why)
            else:
                near_a = current - SLACK_A
                least = near_a <= one.minimum_a or near_a <= LOWEST_PILOT_A
                found.append(held(why, least, least and one.priority < highest))
        return found

    def _held(self, stop: Bottleneck, least: bool, outranked: bool) -> Reason:
        link, against = named(self.snapshot.supply.topology, stop)
        if against is not None:
            return Reason(LimitCause.IMBALANCE, link=link, against=against)
        if least:
            cause = LimitCause.HIGHER_PRIORITY if outranked else LimitCause.MINIMUM_SHARE
            return Reason(cause, link=link)
        cause = LimitCause.GROUP_LIMIT if stop.sharing == 1 else LimitCause.FAIR_SHARE
        return Reason(cause, link=link, sharing=stop.sharing)


def _own_limit(amps: float, source: LimitCause | None) -> Reason:
    return Reason(LimitCause.OWN_LIMIT, amps=amps, source=source)
