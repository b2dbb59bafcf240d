"""The link between the master of a load-managed group and its slaves (manual 7.4).

A link may lose, delay, repeat and reorder messages, and never raises: master and slave are safe
without it. Listeners are called on the loop, not within `send`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from borne.domain.load_management.messages import MasterGrant, SlaveReport
from borne.foundation.events import Unsubscribe


class SlaveLink(Protocol):
    """The link of a slave to its master."""

    @property
    def master(self) -> str:
        """Address or name of the master; empty while none is known."""

    def send(self, report: SlaveReport) -> None:
        """Send a report to the master."""

    def subscribe(self, listener: Callable[[MasterGrant], None]) -> Unsubscribe:
        """Pass every grant for this station to `listener`."""


class MasterLink(Protocol):
    """The link of a master to all slaves of its network."""

    def send(self, grant: MasterGrant) -> None:
        """Send a grant to the station that it names."""

    def subscribe(self, listener: Callable[[SlaveReport], None]) -> Unsubscribe:
        """Pass every report to `listener`."""
