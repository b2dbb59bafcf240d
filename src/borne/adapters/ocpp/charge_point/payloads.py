"""Converts transaction messages to requests of OCPP 1.6.

Sources: OCPP 1.6 sections 6.31, 6.45 and 6.49; errata 3.18.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from borne.application.ports.backend import IdTagInfo
from borne.domain.station.measurands import MeterValue, SampledValue
from borne.domain.station.transaction_messages import (
    MeterValuesMessage,
    StartMessage,
    StopMessage,
    TransactionMessage,
)
from borne.foundation.clock import Clock, Moment
from borne.protocols.ocpp.messages.core import (
    MeterValuesRequest,
    StartTransactionRequest,
    StopTransactionRequest,
)
from borne.protocols.ocpp.messages.types import IdTagInfo as WireIdTagInfo

UNKNOWN_TRANSACTION: Final = -1
"""Used if the StartTransaction could not be delivered (errata 3.18)."""

Request = StartTransactionRequest | StopTransactionRequest | MeterValuesRequest


def request_of(message: TransactionMessage, transaction_id: int | None, clock: Clock) -> Request:
    """The request; a moment with unknown date becomes the present. Raises ValidationError."""
    match message:
        case StartMessage():
            return StartTransactionRequest.model_validate(_start(message, clock), by_name=True)
        case StopMessage():
            stop = {**_stop(message, clock), "transaction_id": _known(transaction_id)}
            return StopTransactionRequest.model_validate(stop, by_name=True)
        case MeterValuesMessage():
            return meter_values_request(message, transaction_id, clock)


def meter_values_request(
    message: MeterValuesMessage, transaction_id: int | None, clock: Clock
) -> MeterValuesRequest:
    """The MeterValues request; like `request_of`."""
    fields = {
        "connector_id": message.connector,
        "transaction_id": transaction_id,
        "meter_value": [_value(value, clock) for value in message.values],
    }
    return MeterValuesRequest.model_validate(fields, by_name=True)


def id_tag_info(wire: WireIdTagInfo) -> IdTagInfo:
    """Convert the backend's information about a card."""
    return IdTagInfo(wire.status.value, wire.parent_id_tag, wire.expiry_date)


def _start(message: StartMessage, clock: Clock) -> dict[str, Any]:
    return {
        "connector_id": message.connector,
        "id_tag": message.id_token,
        "meter_start": message.meter_start_wh,
        "timestamp": _date(message.at, clock),
        "reservation_id": message.reservation_id,
    }


def _stop(message: StopMessage, clock: Clock) -> dict[str, Any]:
    return {
        "id_tag": message.id_token,
        "meter_stop": message.meter_stop_wh,
        "timestamp": _date(message.at, clock),
        "reason": message.reason.value,
        "transaction_data": [_value(value, clock) for value in message.values] or None,
    }


def _value(value: MeterValue, clock: Clock) -> dict[str, Any]:
    return {
        "timestamp": _date(value.at, clock),
        "sampled_value": [_sampled(sampled) for sampled in value.sampled],
    }


def _sampled(sampled: SampledValue) -> dict[str, str | None]:
    return {
        "value": sampled.value,
        "context": sampled.context,
        "measurand": sampled.measurand,
        "phase": sampled.phase,
        "location": sampled.location,
        "unit": sampled.unit,
    }


def _known(transaction_id: int | None) -> int:
    return UNKNOWN_TRANSACTION if transaction_id is None else transaction_id


def _date(moment: Moment, clock: Clock) -> datetime:
    return clock.date(moment) or clock.now()
