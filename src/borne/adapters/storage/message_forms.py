"""The stored form of transaction messages: JSON text with a form number, written by hand.

Form 1 is written and read by every version since 0.1.0. Equal messages have equal texts. A moment
is ISO 8601 in UTC, or `moment:<boot>:<seconds>` without a date.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from borne.application.state.kept_state import mapping, sequence, text, whole
from borne.domain.station.measurands import MeterValue, SampledValue
from borne.domain.station.session import StopReason
from borne.domain.station.transaction_messages import (
    MessageKind,
    MeterValuesMessage,
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.foundation.clock import Moment

FORM = 1
OF_OLDER = 0
"""Form 1, written by a version without form numbers."""
_REASONS = frozenset(reason.value for reason in StopReason)
_Row = tuple[str | None, int, dict[str, Any]]
"""Session, connector, content."""


class Unreadable(Exception):
    """A stored message cannot be read."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"message {seq} cannot be read")
        self.seq = seq


def encode(message: TransactionMessage) -> str:
    """Encode in the newest form; raises TypeError or ValueError for data that is not JSON."""
    return json_text(_content(message))


def decode(
    form: int, kind: str, session_id: str | None, connector: int, stored: str
) -> TransactionMessage:
    """The inverse; raises ValueError, TypeError, LookupError or RecursionError."""
    if form not in (OF_OLDER, FORM):
        raise ValueError(f"form {form} is of another version")
    content = dict(mapping(json.loads(stored)))
    return _READ[MessageKind(kind)]((session_id, whole(connector), content))


def read(
    seq: int, form: int, kind: str, session_id: str | None, connector: int, stored: str
) -> TransactionMessage:
    """Like `decode`, but raises Unreadable."""
    try:
        return decode(form, kind, session_id, connector, stored)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Unreadable(seq) from None


def without_tokens(stored: str, tokens: set[str]) -> str:
    """Return the stored text with these tokens erased, for any form or none."""
    try:
        return json_text(_without(json.loads(stored), tokens))
    except (ValueError, RecursionError):
        for token in tokens:
            stored = stored.replace(token, "")
        return stored


def json_text(data: Any) -> str:
    """Return JSON text as it is stored; raises TypeError or ValueError for data that is not
    JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _content(message: TransactionMessage) -> dict[str, Any]:
    match message:
        case StartMessage():
            return {
                "connector_id": message.connector,
                "id_tag": message.id_token,
                "meter_start": message.meter_start_wh,
                "timestamp": message.at.to_text(),
                **_known("reservation_id", message.reservation_id),
            }
        case StopMessage():
            values = _values(message.values) if message.values else None
            return {
                "meter_stop": message.meter_stop_wh,
                "timestamp": message.at.to_text(),
                "reason": message.reason.value,
                **_known("id_tag", message.id_token),
                **_known("transaction_data", values),
            }
        case MeterValuesMessage():
            return {"connector_id": message.connector, "meter_value": _values(message.values)}


def _known(name: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {name: value}


def _values(values: tuple[MeterValue, ...]) -> list[dict[str, Any]]:
    return [
        {"timestamp": value.at.to_text(), "sampled_value": [_sampled(one) for one in value.sampled]}
        for value in values
    ]


def _sampled(sampled: SampledValue) -> dict[str, str]:
    return {
        "value": sampled.value,
        "unit": sampled.unit,
        **_known("phase", sampled.phase),
        "measurand": sampled.measurand,
        "context": sampled.context,
        "location": sampled.location,
    }


def _start(row: _Row) -> StartMessage:
    session_id, connector, content = row
    reservation_id = content.get("reservation_id")
    return StartMessage(
        session_id=text(session_id),
        connector=connector,
        id_token=text(content["id_tag"]),
        meter_start_wh=whole(content["meter_start"]),
        at=_moment(content["timestamp"]),
        reservation_id=None if reservation_id is None else whole(reservation_id),
    )


def _stop(row: _Row) -> StopMessage:
    session_id, connector, content = row
    id_token, reason = content.get("id_tag"), content.get("reason")
    return StopMessage(
        session_id=text(session_id),
        connector=connector,
        meter_stop_wh=whole(content["meter_stop"]),
        at=_moment(content["timestamp"]),
        # A reason of another version must not make the end of the transaction unreadable.
        reason=StopReason(reason) if reason in _REASONS else StopReason.OTHER,
        id_token=None if id_token is None else text(id_token),
        values=_read_values(content.get("transaction_data", [])),
    )


def _meter_values(row: _Row) -> MeterValuesMessage:
    session_id, connector, content = row
    session_id = None if session_id is None else text(session_id)
    return MeterValuesMessage(session_id, connector, _read_values(content["meter_value"]))


_READ: dict[MessageKind, Callable[[_Row], TransactionMessage]] = {
    MessageKind.START: _start,
    MessageKind.STOP: _stop,
    MessageKind.METER_VALUES: _meter_values,
}


def _read_values(stored: Any) -> tuple[MeterValue, ...]:
    if not isinstance(stored, list):
        raise TypeError("meter values are a list")
    return tuple(
        MeterValue(
            _moment(value["timestamp"]),
            tuple(_read_sampled(mapping(one)) for one in sequence(value["sampled_value"])),
        )
        for value in map(mapping, stored)
    )


def _read_sampled(stored: Any) -> SampledValue:
    phase = stored.get("phase")
    return SampledValue(
        value=text(stored["value"]),
        unit=text(stored["unit"]),
        measurand=text(stored["measurand"]),
        context=text(stored["context"]),
        phase=None if phase is None else text(phase),
        location=text(stored["location"]),
    )


def _moment(stored: Any) -> Moment:
    return Moment.from_text(text(stored))


def _without(data: Any, tokens: set[str]) -> Any:
    match data:
        case dict():
            return {key: _without(value, tokens) for key, value in data.items()}
        case list():
            return [_without(value, tokens) for value in data]
        case str() if data in tokens:
            return ""
        case _:
            return data
