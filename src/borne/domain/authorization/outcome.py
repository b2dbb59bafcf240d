"""The result of presenting a card."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.authorization.decision import Reason


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """The result of a card for the lights, the pages and the log."""

    connectors: tuple[int, ...]
    accepted: bool
    reason: Reason
    masked: str
    why: str = ""
    """See `decision.Refuse`."""
