"""A connector as everybody but its owner sees it: what it is, what it does, what it may be asked.

The runner of a local board is one implementation; an EVSE elsewhere is another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from borne.domain.station.board import BoardCapabilities, BoardReport
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Authorization, LiveSession, Stop
from borne.domain.station.faults import Fault
from borne.foundation.events import Signal, Unsubscribe

IDLE_WAIT_S = 15.0
"""Longest wait for the end of a session: the vehicle has 6 s, the commit some more."""


class Connector(Protocol):
    """One connector of the station. Commands take effect before they return, but for what a
    session has to commit; what follows is told by `changed`."""

    @property
    def id(self) -> int:
        """Its number, from 1."""

    @property
    def capabilities(self) -> BoardCapabilities:
        """What its board can do."""

    @property
    def status(self) -> ConnectorSnapshot:
        """What is known now."""

    # What happens ----------------------------------------------------------------------------

    @property
    def changed(self) -> Signal[Connector]:
        """Its status is another one."""

    @property
    def arrived(self) -> Signal[Connector]:
        """A vehicle is connected and nobody has authorized it yet."""

    @property
    def left(self) -> Signal[Connector]:
        """The vehicle is gone."""

    @property
    def expired(self) -> Signal[Authorization]:
        """Nobody plugged in for this permission in time."""

    @property
    def storage_failed(self) -> Signal[bool]:
        """True when a session could not be stored, False when one could again."""

    def subscribe_reports(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        """Every report of its board."""

    # Sessions --------------------------------------------------------------------------------

    def authorize(self, authorization: Authorization) -> None:
        """Somebody may charge here."""

    def withdraw_authorization(self) -> None:
        """The permission that waits is taken back."""

    def show_card_check(self, *, active: bool) -> None:
        """A card is being checked, or no longer."""

    def set_group(self, group_id: str) -> None:
        """The backend has named the group of whoever charges (parentIdTag)."""

    def resume(self, session: LiveSession) -> None:
        """A session found open after a power cut goes on."""

    def end_session(self, stop: Stop) -> None:
        """End the session, or the permission that waits."""

    def hold(self, *, held: bool) -> None:
        """Withhold energy, or give it again, without ending the session."""

    def unlock(self) -> None:
        """Release the cable; a running session is stopped first by the caller."""

    # What it may do --------------------------------------------------------------------------

    def offer(self, current_a: float) -> None:
        """Current that the limits allow, in A per phase; below 6 A is a pause."""

    def set_available(self, *, available: bool, at_once: bool = False) -> None:
        """In service or not; out of service waits for whoever uses it, unless it is to be at
        once."""

    def reserve(self, reservation_id: int | None) -> None:
        """Kept for somebody, or (None) for nobody any more."""

    def set_fault(self, fault: Fault, *, active: bool) -> None:
        """A fault that was found outside has come, or its cause is gone."""

    def self_test(self) -> None:
        """Test the residual current monitor."""

    def rearm(self) -> None:
        """Clear a latched protection of the board (residual current)."""

    # Waiting ---------------------------------------------------------------------------------

    async def wait_for(
        self, reached: Callable[[ConnectorSnapshot], bool], timeout_s: float
    ) -> bool:
        """Wait until its status is as wanted; False at the timeout."""


async def wait_until_idle(connector: Connector, timeout_s: float = IDLE_WAIT_S) -> bool:
    """Wait until no session is left; False at the timeout."""
    return await connector.wait_for(lambda status: status.session is None, timeout_s)
