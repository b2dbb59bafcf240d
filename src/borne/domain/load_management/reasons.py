"""Why everybody gets what they get, from what blocked them.

Most reasons are the same for many (all who share a link), and often only a few are read: they are
made when somebody asks, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.filling import Bottleneck
from borne.domain.load_management.participant import SLACK_A, Participant, Reason
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
        found: list[Reason] = []
        sharing: dict[Bottleneck, Reason] = {}
        for one, current, why in zip(self.snapshot.order.participants, amps, self.why, strict=True):
            if why is None:
                reason = self._own(one)
            elif isinstance(why, Reason):
                reason = why
            elif current <= one.lower_a + SLACK_A:
                reason = self._held(why, least=True, outranked=one.priority < self.highest)
            else:
                known = sharing.get(why)
                reason = known or self._held(why)
                sharing[why] = reason
            found.append(reason)
        return found

    def _own(self, one: Participant) -> Reason:
        if self.reclaim and one.settled_a is not None and one.upper_a < one.maximum_a:
            return Reason(LimitCause.TAKES_LESS, amps=one.settled_a)
        return Reason(LimitCause.OWN_LIMIT, amps=one.maximum_a, source=one.maximum_cause)

    def _held(self, stop: Bottleneck, *, least: bool = False, outranked: bool = False) -> Reason:
        link, against = named(self.snapshot.supply.topology, stop)
        if against is not None:
            return Reason(LimitCause.IMBALANCE, link=link, against=against)
        if least:
            cause = LimitCause.HIGHER_PRIORITY if outranked else LimitCause.MINIMUM_SHARE
            return Reason(cause, link=link)
        cause = LimitCause.GROUP_LIMIT if stop.sharing == 1 else LimitCause.FAIR_SHARE
        return Reason(cause, link=link, sharing=stop.sharing)
