"""What the distributions of current look at in the state of a connector."""

from __future__ import annotations

from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.connector_state import Phase
from borne.domain.station.faults import Fault, blocking

DRAWING = frozenset({Phase.OPENING, Phase.RUNNING})


def wants_current(status: ConnectorSnapshot) -> bool:
    """True if a session is open that may take energy."""
    session = status.session
    return (
        session is not None
        and session.phase in DRAWING
        and not session.held
        and status.connected
        and not blocking(status.faults)
    )


def may_be_live(status: ConnectorSnapshot) -> bool:
    """True if the contactor is closed, or not known to be open."""
    return not status.contactor_settled or Fault.CONTACTOR_WELDED in status.faults
