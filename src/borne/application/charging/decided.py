"""A decision of a connector's state machine, for the journal that can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from borne.domain.station.connector_events import Effect, Event
from borne.domain.station.connector_state import ConnectorConfig, ConnectorState
from borne.foundation.events import Signal


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of the machine, with everything that led to it."""

    connector: int
    now_s: float
    config: ConnectorConfig
    before: ConnectorState
    event: Event
    effects: tuple[Effect, ...]
    after: ConnectorState


class Deciding(Protocol):
    """A connector whose decisions can be followed."""

    @property
    def decided(self) -> Signal[Decided]:
        """Emitted for every decision, after its effects were carried out."""
