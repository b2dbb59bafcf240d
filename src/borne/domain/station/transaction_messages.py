"""The messages of a transaction for the backend, with moments instead of dates, and independent of
any wire format.

The transaction id is not included: it becomes known later, and is resolved when a message is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from borne.domain.station.measurands import MeterValue
from borne.domain.station.session import StopReason
from borne.foundation.clock import Moment


class MessageKind(StrEnum):
    """With the names of OCPP 1.6."""

    START = "StartTransaction"
    STOP = "StopTransaction"
    METER_VALUES = "MeterValues"


@dataclass(frozen=True, slots=True)
class StartMessage:
    """A transaction began."""

    kind: ClassVar[MessageKind] = MessageKind.START
    droppable: ClassVar[bool] = False

    session_id: str
    connector: int
    id_token: str
    meter_start_wh: int
    at: Moment
    reservation_id: int | None = None

    @property
    def moments(self) -> tuple[Moment, ...]:
        return (self.at,)

    def with_moments(self, change: Callable[[Moment], Moment]) -> StartMessage:
        """A copy with each moment converted."""
        return replace(self, at=change(self.at))


@dataclass(frozen=True, slots=True)
class StopMessage:
    """A transaction ended."""

    kind: ClassVar[MessageKind] = MessageKind.STOP
    droppable: ClassVar[bool] = False

    session_id: str
    connector: int
    meter_stop_wh: int
    at: Moment
    reason: StopReason
    id_token: str | None = None
    """The token that ended the transaction; None if it was not ended by a token."""
    values: tuple[MeterValue, ...] = ()
    """Values repeated from the whole transaction, oldest first."""

    @property
    def moments(self) -> tuple[Moment, ...]:
        return (self.at, *(value.at for value in self.values))

    def with_moments(self, change: Callable[[Moment], Moment]) -> StopMessage:
        """A copy with each moment converted."""
        return replace(self, at=change(self.at), values=_with_moments(self.values, change))


@dataclass(frozen=True, slots=True)
class MeterValuesMessage:
    """Values of a meter, within or outside a transaction."""

    kind: ClassVar[MessageKind] = MessageKind.METER_VALUES
    droppable: ClassVar[bool] = True
    """A full queue may drop intermediate values: the energy is in start and stop."""

    session_id: str | None
    connector: int
    values: tuple[MeterValue, ...]

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(value.at for value in self.values)

    def with_moments(self, change: Callable[[Moment], Moment]) -> MeterValuesMessage:
        """A copy with each moment converted."""
        return replace(self, values=_with_moments(self.values, change))


TransactionMessage = StartMessage | StopMessage | MeterValuesMessage


def _with_moments(
    values: tuple[MeterValue, ...], change: Callable[[Moment], Moment]
) -> tuple[MeterValue, ...]:
    return tuple(replace(value, at=change(value.at)) for value in values)
