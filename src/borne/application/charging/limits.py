"""Limits as the charging services use them: faults put rows, the status shows which row holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from borne.domain.limits.rows import LimitRow, Offer
from borne.domain.limits.sources import Source
from borne.foundation.events import Signal


class LimitRows(Protocol):
    """Where a service puts its rows of limits."""

    def put(self, connector: int, row: LimitRow) -> None:
        """Set the row of a source."""

    def withdraw(self, connector: int, source: Source) -> None:
        """Remove the row of a source."""


class Limits(Protocol):
    """The limits in force."""

    @property
    def changed(self) -> Signal[int]:
        """The offer of a connector changed."""

    @property
    def shared(self) -> Sequence[LimitRow]:
        """What all connectors together may draw, per phase of the grid."""

    def offer(self, connector: int) -> Offer:
        """The offer of a connector, with the rows that bind it."""
