"""What a backend must learn of a transaction, with real instants and in nobody's wire format.

The transaction id is no part of it: it is known late, and resolved when a message is sent.
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
    """In the words of OCPP 1.6."""

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
        """The same with each moment changed."""
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
    """Who ended it; None when nobody with a token did."""
    values: tuple[MeterValue, ...] = ()
    """What is repeated of the whole transaction, oldest first."""

    @property
    def moments(self) -> tuple[Moment, ...]:
        return (self.at, *(value.at for value in self.values))

    def with_moments(self, change: Callable[[Moment], Moment]) -> StopMessage:
        """The same with each moment changed."""
        return replace(self, at=change(self.at), values=_with_moments(self.values, change))


@dataclass(frozen=True, slots=True)
class MeterValuesMessage:
    """What a meter showed, in a transaction or outside of any."""

    kind: ClassVar[MessageKind] = MessageKind.METER_VALUES
    droppable: ClassVar[bool] = True
    """A full queue may lose intermediate values: the energy is in start and stop."""

    session_id: str | None
    connector: int
    values: tuple[MeterValue, ...]

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(value.at for value in self.values)

    def with_moments(self, change: Callable[[Moment], Moment]) -> MeterValuesMessage:
        """The same with each moment changed."""
        return replace(self, values=_with_moments(self.values, change))


TransactionMessage = StartMessage | StopMessage | MeterValuesMessage


def _with_moments(
    values: tuple[MeterValue, ...], change: Callable[[Moment], Moment]
) -> tuple[MeterValue, ...]:
    return tuple(replace(value, at=change(value.at)) for value in values)
