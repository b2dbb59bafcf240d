"""What anybody may know of a connector at a moment, whoever runs it.

The machine's own state stays with its owner; this is what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.station.board import PilotNominal
from borne.domain.station.connector_state import (
    ASKING,
    Authorization,
    ConnectorState,
    LiveSession,
    Phase,
)
from borne.domain.station.faults import Fault
from borne.domain.station.status import (
    ConnectorStatus,
    cable_a,
    connector_status,
    offered_a,
    pilot_text,
    plug_held,
)


@dataclass(frozen=True, slots=True)
class ConnectorSnapshot:
    """One connector."""

    state: ConnectorStatus = ConnectorStatus.AVAILABLE
    known: bool = True
    """Pilot and plug have been reported since the start."""
    pilot: str = "A1"
    """As the standard writes it."""
    connected: bool = False
    """A vehicle is at the cable."""
    asking: bool = False
    """The vehicle asks for energy."""
    plugged: bool = False
    """Something is in the socket."""
    cable_a: int | None = None
    """Capacity of the plugged cable."""
    plug_held: bool = False
    """The plug cannot be pulled."""
    locked: bool = False
    """The actuator reports so."""
    contactor_closed: bool = False
    contactor_settled: bool = True
    """Open for certain, or known to be welded."""
    pilot_a: float = 0.0
    """What the control pilot offers, in A per phase; 0 without an offer."""
    offered_a: float = 0.0
    """What the vehicle may draw now; 0 while the contactor must not close for it."""
    faults: frozenset[Fault] = frozenset()
    out_of_service_later: bool = False
    """Taken out of service as soon as nobody uses it."""
    reservation_id: int | None = None
    checking: bool = False
    """A card is being checked."""
    pending: Authorization | None = None
    """A permission that waits for its vehicle."""
    cable_held_for: Authorization | None = None
    """The session is over; only this owner gets the cable."""
    session: LiveSession | None = None
    finished: bool = False
    """A session ended and the plug is still in."""
    just_finished: bool = False
    """So short a time ago that people are told."""

    @property
    def running(self) -> bool:
        """A session is committed and not being stopped."""
        return self.session is not None and self.session.phase is Phase.RUNNING


def snapshot_of(state: ConnectorState) -> ConnectorSnapshot:
    """What follows from the machine's state."""
    sent = state.sent_pilot
    return ConnectorSnapshot(
        state=connector_status(state),
        known=state.known,
        pilot=pilot_text(state),
        connected=state.connected,
        asking=state.pilot.state in ASKING,
        plugged=state.plugged,
        cable_a=cable_a(state),
        plug_held=plug_held(state),
        locked=state.lock.is_locked,
        contactor_closed=state.contactor_closed,
        contactor_settled=state.settled,
        pilot_a=sent.current_a if isinstance(sent, PilotNominal) else 0.0,
        offered_a=offered_a(state),
        faults=state.faults,
        out_of_service_later=state.inoperative_later,
        reservation_id=state.reservation_id,
        checking=state.checking,
        pending=state.pending,
        cable_held_for=state.cable_held_for,
        session=state.session,
        finished=state.finished,
        just_finished=state.finished_until_s is not None,
    )
