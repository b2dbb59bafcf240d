"""A connector as all services except its owner see it.

`ConnectorRunner` implements it for a local board; an EVSE behind a second controller will be
another implementation.
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
"""Longest wait for the end of a session: the vehicle has 6 s to stop, then the end is committed."""


class Connector(Protocol):
    """One connector of the station. Commands take effect before they return, except for what a
    session must commit first; results are signalled by `changed`."""

    @property
    def id(self) -> int:
        """The connector number, from 1."""

    @property
    def capabilities(self) -> BoardCapabilities:
        """What its board can do."""

    @property
    def status(self) -> ConnectorSnapshot:
        """What is known now."""

    # What happens ----------------------------------------------------------------------------

    @property
    def changed(self) -> Signal[Connector]:
        """The status changed."""

    @property
    def arrived(self) -> Signal[Connector]:
        """A vehicle was connected that is not authorized yet."""

    @property
    def left(self) -> Signal[Connector]:
        """The vehicle was unplugged."""

    @property
    def expired(self) -> Signal[Authorization]:
        """The connection timeout of an authorization expired before a vehicle was plugged in."""

    @property
    def storage_failed(self) -> Signal[bool]:
        """True when a session could not be stored, False when one was stored again."""

    def subscribe_reports(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        """Pass every report of the board to `listener`."""

    # Sessions --------------------------------------------------------------------------------

    def authorize(self, authorization: Authorization) -> None:
        """Allow a session here."""

    def withdraw_authorization(self) -> None:
        """Take back an authorization that waits for its session."""

    def show_card_check(self, *, active: bool) -> None:
        """Whether a card is being checked."""

    def set_group(self, group_id: str) -> None:
        """Note the group of the session's token, as reported by the backend (parentIdTag)."""

    def resume(self, session: LiveSession) -> None:
        """Continue a session that was open at a power cut."""

    def end_session(self, stop: Stop) -> None:
        """End the session, or take back the authorization that waits."""

    def hold(self, *, held: bool) -> None:
        """Withhold energy, or give it again, without ending the session."""

    def unlock(self) -> None:
        """Release the cable; the caller ends a running session first."""

    # What it may do --------------------------------------------------------------------------

    def offer(self, current_a: float) -> None:
        """Set the current that the limits allow, in A per phase; below 6 A is a pause."""

    def set_available(self, *, available: bool, at_once: bool = False) -> None:
        """Take in or out of service; the latter waits for the present user, unless `at_once`."""

    def reserve(self, reservation_id: int | None) -> None:
        """Reserve the connector, or (None) remove the reservation."""

    def set_fault(self, fault: Fault, *, active: bool) -> None:
        """Raise or clear a fault that was found outside the connector machine."""

    def self_test(self) -> None:
        """Test the residual current monitor."""

    def rearm(self) -> None:
        """Reset a latched protection of the board (residual current)."""

    # Waiting ---------------------------------------------------------------------------------

    async def wait_for(
        self, reached: Callable[[ConnectorSnapshot], bool], timeout_s: float
    ) -> bool:
        """Wait until `reached` is true of the status; False at the timeout."""


async def wait_until_idle(connector: Connector, timeout_s: float = IDLE_WAIT_S) -> bool:
    """Wait until there is no session; False at the timeout."""
    return await connector.wait_for(lambda status: status.session is None, timeout_s)
