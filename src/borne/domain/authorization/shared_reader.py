"""Chooses the connector for a card at a reader shared by several sockets (decision D18).

The card of a running session belongs to that session. Otherwise the vehicle that has waited longest
for a card gets it. If none waits, the card applies to the next vehicle plugged in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """The state of a socket that matters for the choice."""

    connector: int
    session_tokens: frozenset[str] = frozenset()
    """Tokens that may end the running session, casefolded."""
    waiting_since_s: float | None = None
    """Time at which an unauthorized vehicle was connected; None if there is none."""
    free: bool = False
    """A vehicle could be plugged in now."""


def connector_for(token: str, candidates: Sequence[Candidate]) -> int | None:
    """The connector for the card; None: the next one where a vehicle is plugged in."""
    own = [c for c in candidates if token.casefold() in c.session_tokens]
    if own:
        return own[0].connector
    waiting = [
        (c.waiting_since_s, c.connector) for c in candidates if c.waiting_since_s is not None
    ]
    if waiting:
        return min(waiting)[1]
    free = [c.connector for c in candidates if c.free]
    return free[0] if len(free) == 1 else None
