"""Which socket a card at a shared reader means (decision D18).

A card of a running session means that session. Otherwise, if exactly one vehicle waits for a
card, its socket; if several wait, the one that came first; if none waits, the card waits for
whichever is plugged next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A socket as the reader's rule sees it."""

    connector: int
    session_tokens: frozenset[str] = frozenset()
    """Tokens that own the running session, casefolded."""
    waiting_since_s: float | None = None
    """A vehicle is connected and not authorized since then."""
    free: bool = False
    """Could take a vehicle now."""


def connector_for(token: str, candidates: Sequence[Candidate]) -> int | None:
    """The connector that is meant; None: the next one that is plugged."""
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
