"""The public state of a connector, independent of the kind of its runner.

The machine's state is private to its owner; these values are derived from it.
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
    """The public state of one connector."""

    state: ConnectorStatus = ConnectorStatus.AVAILABLE
    known: bool = True
    """Pilot and plug have been reported since the start."""
    pilot: str = "A1"
    """In the notation of the standard."""
    connected: bool = False
    """A vehicle is connected."""
    asking: bool = False
    """The vehicle asks for energy."""
    plugged: bool = False
    """A plug is in the socket."""
    cable_a: int | None = None
    """Capacity of the plugged cable."""
    plug_held: bool = False
    """The plug cannot be pulled."""
    locked: bool = False
    """The actuator reports that the plug is locked."""
    contactor_closed: bool = False
    contactor_settled: bool = True
    """The contactor is certainly open, or known to be welded."""
    pilot_a: float = 0.0
    """Current signalled by the control pilot, in A per phase; 0 without an offer."""
    offered_a: float = 0.0
    """Current that the vehicle may draw now; 0 while the contactor must not close."""
    faults: frozenset[Fault] = frozenset()
    out_of_service_later: bool = False
    """Goes out of service once it is no longer used."""
    reservation_id: int | None = None
    checking: bool = False
    """A card is being checked."""
    pending: Authorization | None = None
    """An authorization that waits for a vehicle."""
    cable_held_for: Authorization | None = None
    """The session is over, and the cable is locked for this owner."""
    session: LiveSession | None = None
    finished: bool = False
    """A session ended and the plug is still inserted."""
    just_finished: bool = False
    """The session ended recently, which is still shown to users."""

    @property
    def running(self) -> bool:
        """A session is committed and not being stopped."""
        return self.session is not None and self.session.phase is Phase.RUNNING


def snapshot_of(state: ConnectorState) -> ConnectorSnapshot:
    """Derive the public state from the machine's state."""
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
