"""Selects the messages and values of a session for the backend.

Sources: OCPP 1.6 sections 3.16 and 9.1, errata 3.13 to 3.16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from borne.domain.station import measurands
from borne.domain.station.measurands import meter_value
from borne.domain.station.session import Sample, SessionEnd, SessionStart
from borne.domain.station.transaction_messages import (
    MeterValuesMessage,
    StartMessage,
    StopMessage,
)

T = TypeVar("T")
MAX_STOP_VALUES = 120
"""Maximum number of meter values in a stop message; intermediate ones are dropped first (errata
3.14)."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """The values requested by the backend, and their interval (0 = never)."""

    backend: bool = True
    """False without a backend: no session is reported."""
    interval_s: float = 60.0
    sampled: tuple[str, ...] = ("Energy.Active.Import.Register",)
    stop_sampled: tuple[str, ...] = ()
    aligned_s: float = 0.0
    aligned: tuple[str, ...] = ("Energy.Active.Import.Register",)
    stop_aligned: tuple[str, ...] = ()

    def repeated(self, context: str) -> tuple[str, ...]:
        """The measurands of a sample that the stop message repeats."""
        match context:
            case measurands.CLOCK if self.aligned_s > 0:
                return self.stop_aligned
            case measurands.PERIODIC if self.interval_s > 0:
                return self.stop_sampled
        return ()

    @property
    def at_ends(self) -> tuple[str, ...]:
        """The measurands of the stop message for begin and end."""
        return tuple(dict.fromkeys((*self.stop_sampled, *self.stop_aligned)))


def start_message(start: SessionStart) -> StartMessage | None:
    """The start message; None if the session is not reported to the backend."""
    if not start.reported:
        return None
    return StartMessage(
        session_id=start.session_id,
        connector=start.connector,
        id_token=start.identity.id_token,
        meter_start_wh=start.meter_start_wh,
        at=start.at,
        reservation_id=start.reservation_id,
    )


def stop_message(
    start: SessionStart, end: SessionEnd, samples: Sequence[Sample], sampling: SamplingSettings
) -> StopMessage | None:
    """The stop message with the samples to repeat; None as for `start_message`."""
    if not start.reported:
        return None
    at_ends = sampling.at_ends
    first = Sample(start.at, start.meter_start_wh, context=measurands.BEGIN)
    last = Sample(end.at, end.meter_stop_wh, context=measurands.END)
    repeated = [
        meter_value(first, at_ends),
        *(meter_value(sample, sampling.repeated(sample.context)) for sample in samples),
        meter_value(last, at_ends),
    ]
    return StopMessage(
        session_id=start.session_id,
        connector=start.connector,
        meter_stop_wh=end.meter_stop_wh,
        at=end.at,
        reason=end.reason,
        id_token=end.id_token or None,
        values=_thinned([value for value in repeated if value]) if at_ends else (),
    )


def values_message(
    connector: int, session_id: str | None, sample: Sample, names: Sequence[str]
) -> MeterValuesMessage | None:
    """The values `names` of a sample, or its register; None if it has none of them."""
    value = meter_value(sample, names or (measurands.REGISTER,))
    return MeterValuesMessage(session_id, connector, (value,)) if value else None


def _thinned(values: Sequence[T]) -> tuple[T, ...]:
    """The first and the last value, and evenly chosen ones in between up to the maximum."""
    if len(values) <= MAX_STOP_VALUES:
        return tuple(values)
    step = (len(values) - 1) / (MAX_STOP_VALUES - 1)
    return tuple(values[round(number * step)] for number in range(MAX_STOP_VALUES))
