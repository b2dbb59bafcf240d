"""Limits as charging sees them: faults put rows, the status shows what holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from borne.domain.limits.rows import LimitRow, Offer
from borne.domain.limits.sources import Source
from borne.foundation.events import Signal


class LimitRows(Protocol):
    """Where a service puts its rows."""

    def put(self, connector: int, row: LimitRow) -> None:
        """Set the row of a source."""

    def withdraw(self, connector: int, source: Source) -> None:
        """Take it back."""


class Limits(Protocol):
    """What holds now."""

    @property
    def changed(self) -> Signal[int]:
        """The offer of a connector is another one."""

    @property
    def shared(self) -> Sequence[LimitRow]:
        """What all connectors together may draw, per phase of the grid."""

    def offer(self, connector: int) -> Offer:
        """What a connector may offer, and why."""
