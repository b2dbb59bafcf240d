"""The commands of a `Connector` as events of the machine."""

from __future__ import annotations

from abc import ABC, abstractmethod

from borne.domain.station.connector_events import (
    AuthorizationWithdrawn,
    Authorized,
    AvailabilityAsked,
    CardChecking,
    Event,
    FaultCleared,
    FaultRaised,
    GroupReported,
    HoldAsked,
    Offered,
    Reserved,
    SessionResumed,
    StopAsked,
    UnlockAsked,
)
from borne.domain.station.connector_state import Authorization, LiveSession, Stop
from borne.domain.station.faults import Fault


class MachineCommands(ABC):
    """The commands of `Connector`, for a state machine that takes events."""

    @abstractmethod
    def post(self, event: Event) -> None:
        """Process an event."""

    def authorize(self, authorization: Authorization) -> None:
        self.post(Authorized(authorization))

    def withdraw_authorization(self) -> None:
        self.post(AuthorizationWithdrawn())

    def show_card_check(self, *, active: bool) -> None:
        self.post(CardChecking(active=active))

    def set_group(self, group_id: str) -> None:
        self.post(GroupReported(group_id))

    def resume(self, session: LiveSession) -> None:
        self.post(SessionResumed(session))

    def end_session(self, stop: Stop) -> None:
        self.post(StopAsked(stop))

    def hold(self, *, held: bool) -> None:
        self.post(HoldAsked(held=held))

    def unlock(self) -> None:
        self.post(UnlockAsked())

    def offer(self, current_a: float) -> None:
        self.post(Offered(current_a))

    def set_available(self, *, available: bool, at_once: bool = False) -> None:
        self.post(AvailabilityAsked(operative=available, at_once=at_once))

    def reserve(self, reservation_id: int | None) -> None:
        self.post(Reserved(reservation_id))

    def set_fault(self, fault: Fault, *, active: bool) -> None:
        self.post(FaultRaised(fault) if active else FaultCleared(fault))
