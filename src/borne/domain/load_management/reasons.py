"""Reasons for the distributed currents, from what blocked them.

Most reasons are the same for many participants (all that share a link), and often only a few are
read: each is created once, on request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.filling import Bottleneck
from borne.domain.load_management.participant import LOWEST_PILOT_A, SLACK_A, Reason
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.topology import ROOT, GridPhase, SupplyLink, Topology
from borne.foundation.memo import Memo

Why = Reason | Bottleneck | None
"""A reason, or what blocks more current; None: nothing does."""


def named(topology: Topology, stop: Bottleneck) -> tuple[SupplyLink | None, GridPhase | None]:
    """Return the link to name, and for a difference between phases the one that is too low."""
    if stop.pair is not None:
        high, low = stop.pair
        return SupplyLink(ROOT, high), low
    return (None if stop.link is None else topology.links[stop.link]), None


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of an allocation; `why` is in the order of admission."""

    snapshot: Snapshot
    why: Sequence[Why]
    highest: int
    """The highest class that wants current."""
    reclaim: bool
    """True if what cars leave of their offers was given to others."""

    def reasons(self, amps: Iterable[float]) -> dict[str, Reason]:
        """Return the reason of every participant with its `amps`, by id."""
        share, least, own_limit = Memo(self._share), Memo(self._at_minimum), Memo(_own_limit)
        reclaim, highest = self.reclaim, self.highest
        found: dict[str, Reason] = {}
        for one, current, why in zip(self.snapshot.order.participants, amps, self.why, strict=True):
            if isinstance(why, Bottleneck):
                near_a = current - SLACK_A
                if near_a <= LOWEST_PILOT_A or near_a <= one.minimum_a:
                    found[one.id] = least[why, one.priority < highest]
                else:
                    found[one.id] = share[why]
            elif why is not None:
                found[one.id] = why
            elif one.settled_a is not None and reclaim and one.upper_a < one.maximum_a:
                found[one.id] = Reason(LimitCause.TAKES_LESS, amps=one.settled_a)
            else:
                found[one.id] = own_limit[one.maximum_a, one.maximum_cause]
        return found

    def _share(self, stop: Bottleneck) -> Reason:
        """Return the reason of a current above the lowest possible offer."""
        link, against = named(self.snapshot.supply.topology, stop)
        if against is not None:
            return Reason(LimitCause.IMBALANCE, link, against)
        # A car whose claim fills the line shares it with no other: 0.
        alone = stop.sharing in {0, 1}
        cause = LimitCause.GROUP_LIMIT if alone else LimitCause.FAIR_SHARE
        return Reason(cause, link, sharing=stop.sharing)

    def _at_minimum(self, held: tuple[Bottleneck, bool]) -> Reason:
        """Return the reason of a current at the lowest possible offer; `outranked`: a higher class
        wants current."""
        stop, outranked = held
        link, against = named(self.snapshot.supply.topology, stop)
        if against is not None:
            return Reason(LimitCause.IMBALANCE, link, against)
        return Reason(LimitCause.HIGHER_PRIORITY if outranked else LimitCause.MINIMUM_SHARE, link)


def _own_limit(limit: tuple[float, LimitCause | None]) -> Reason:
    amps, source = limit
    return Reason(LimitCause.OWN_LIMIT, amps=amps, source=source)
