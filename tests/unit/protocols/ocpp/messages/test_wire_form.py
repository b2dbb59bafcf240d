"""Field types on the wire: dates, decimals, spellings, strictness (OCPP 1.6 section 7)."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from borne.protocols.ocpp.messages.core import (
    AuthorizeRequest,
    BootNotificationResponse,
    ChangeAvailabilityRequest,
    HeartbeatResponse,
    MeterValuesRequest,
    RemoteStartTransactionRequest,
    SampledValue,
    StartTransactionRequest,
    StopTransactionRequest,
    UnitOfMeasure,
)
from borne.protocols.ocpp.messages.firmware import UpdateFirmwareRequest
from borne.protocols.ocpp.messages.registry import Action, Initiator, action_of, spec_of
from borne.protocols.ocpp.messages.types import ChargingSchedulePeriod

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
        ("2026-11-22T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T13:00:00+0100", NOON),
        ("2026-11-22T12:00:00", NOON),
        ("2026-11-22t12:00:00z", NOON),
        ("2026-11-22T12:00Z", NOON),
    ],
)
def test_dates_are_read_with_fractions_and_offsets(text: str, meant: datetime) -> None:
    assert HeartbeatResponse.from_wire({"currentTime": text}).current_time == meant


@pytest.mark.parametrize(
    "value",
    ["", "2026-11-22", "12:00:00Z", "1763812800", 1763812800, None, "2026-13-01T00:00:00Z",
     "0001-01-01T00:00:00+14:00", "2026-11-22x12:00:00Z", [], "T", "9999-12-31T23:59:59-14:00",
     "2026-11-22T12:00:61Z", "2026-11-22T12:00:00 CET", "٢٠٢٦-11-22T12:00:00Z", "2026-11-22T" * 9],
)  # fmt: skip
def test_invalid_dates_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        UpdateFirmwareRequest.from_wire({"location": "", "retrieveDate": value})


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        (NOON, "2026-11-22T12:00:00Z"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-11-22T12:00:00Z"),
        (NOON.replace(microsecond=123999), "2026-11-22T12:00:00.123Z"),
    ],
)
def test_dates_are_sent_in_utc_with_at_most_milliseconds(when: datetime, sent: str) -> None:
    assert HeartbeatResponse(current_time=when).to_wire() == {"currentTime": sent}


@pytest.mark.parametrize(("limit", "read"), [(16, 16.0), (21.4, 21.4), (0.3, 0.3), (0, 0.0)])
def test_limits_have_one_decimal(limit: float, read: float) -> None:
    period = ChargingSchedulePeriod.from_wire({"startPeriod": 0, "limit": limit})
    assert period.limit == read


@pytest.mark.parametrize("limit", [8.05, 0.01, "16", True, None, float("inf"), float("nan")])
def test_other_limits_are_refused(limit: Any) -> None:
    with pytest.raises(ValidationError):
        ChargingSchedulePeriod.from_wire({"startPeriod": 0, "limit": limit})


def test_the_misspelt_celsius_is_read_and_never_sent() -> None:
    read = SampledValue.from_wire({"value": "21", "unit": "Celcius"})
    assert read.unit is UnitOfMeasure.CELSIUS
    assert read.to_wire() == {"value": "21", "unit": "Celsius"}


@pytest.mark.parametrize(
    ("payload"),
    [
        {"connectorId": "1", "type": "Operative"},
        {"connectorId": 1.0, "type": "Operative"},
        {"connectorId": True, "type": "Operative"},
        {"connectorId": -1, "type": "Operative"},
        {"connectorId": 2**63, "type": "Operative"},
        {"connectorId": 1, "type": "operative"},
        {"connectorId": 1},
        {"connectorId": 1, "type": "Operative", "reason": "none"},
        {"connector_id": 1, "type": "Operative"},
        [],
        None,
    ],
)
def test_values_are_not_converted_between_types(payload: Any) -> None:
    with pytest.raises(ValidationError):
        ChangeAvailabilityRequest.from_wire(payload)


def test_null_counts_as_absent() -> None:
    read = RemoteStartTransactionRequest.from_wire({"idTag": "A", "connectorId": None})
    assert read.to_wire() == {"idTag": "A"}


def test_unknown_members_of_answers_are_ignored() -> None:
    payload = {"status": "Accepted", "currentTime": "2026-11-22T12:00:00Z", "interval": 5, "x": 1}
    with pytest.raises(ValidationError):
        BootNotificationResponse.from_wire(payload)
    assert BootNotificationResponse.from_wire(payload, tolerant=True).interval == 5


def test_an_empty_sample_is_refused_in_meter_values_and_dropped_from_a_stop() -> None:
    empty = {"timestamp": "2026-11-22T12:00:00Z", "sampledValue": []}
    with pytest.raises(ValidationError):
        MeterValuesRequest.from_wire({"connectorId": 1, "meterValue": [empty]})
    stop = {
        "meterStop": 5,
        "timestamp": "2026-11-22T12:00:00Z",
        "transactionId": 1,
        "transactionData": [empty],
    }
    assert StopTransactionRequest.from_wire(stop).to_wire() == stop


def test_stored_fields_are_read_as_a_message() -> None:
    stored = StartTransactionRequest(
        connector_id=1, id_tag="A", meter_start=5, timestamp=NOON
    ).to_plain()
    assert stored == {
        "connector_id": 1,
        "id_tag": "A",
        "meter_start": 5,
        "timestamp": "2026-11-22T12:00:00Z",
    }
    assert StartTransactionRequest.model_validate(stored).to_plain() == stored


def test_actions_have_a_sender() -> None:
    assert action_of(AuthorizeRequest) is Action.AUTHORIZE
    assert spec_of(Action.AUTHORIZE).initiator is Initiator.CHARGE_POINT
    assert spec_of(Action.RESET).initiator is Initiator.CENTRAL_SYSTEM
    assert spec_of(Action.DATA_TRANSFER).initiator is Initiator.BOTH


@pytest.mark.parametrize(
    ("imported", "loaded"),
    [
        ("protocols.ocpp.messages", {"base", "registry"}),
        (
            "adapters.ocpp.charge_point.client",
            {"base", "registry", "core", "types", "remote_trigger", "lenient"},
        ),
    ],
)
def test_models_are_imported_on_demand(imported: str, loaded: set[str]) -> None:
    """Unused profiles cost no time at the start."""
    package = "borne.protocols.ocpp.messages."
    code = f"import sys, borne.{imported}; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    found = {name.removeprefix(package) for name in modules if name.startswith(package)}
    assert found == loaded
