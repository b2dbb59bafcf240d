"""Smart charging profile (OCPP 1.6 edition 2 sections 5.5, 5.7, 5.16)."""

from __future__ import annotations

from enum import StrEnum

from borne.protocols.ocpp.messages.base import ConnectorId, DateTime, Integer, Request, Response
from borne.protocols.ocpp.messages.types import (
    AcceptedOrRejected,
    ChargingProfile,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
)


class ChargingProfileStatus(StrEnum):
    """Section 7.11."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    NOT_SUPPORTED = "NotSupported"


class ClearChargingProfileStatus(StrEnum):
    """Section 7.21."""

    ACCEPTED = "Accepted"
    UNKNOWN = "Unknown"


class ClearChargingProfileRequest(Request):
    """Section 6.13; nothing given clears all."""

    id: Integer | None = None
    connector_id: ConnectorId | None = None
    charging_profile_purpose: ChargingProfilePurpose | None = None
    stack_level: Integer | None = None


class ClearChargingProfileResponse(Response):
    """Section 6.14."""

    status: ClearChargingProfileStatus


class GetCompositeScheduleRequest(Request):
    """Section 6.21; `duration` in seconds."""

    connector_id: ConnectorId
    duration: Integer
    charging_rate_unit: ChargingRateUnit | None = None


class GetCompositeScheduleResponse(Response):
    """Section 6.22."""

    status: AcceptedOrRejected
    connector_id: ConnectorId | None = None
    schedule_start: DateTime | None = None
    charging_schedule: ChargingSchedule | None = None


class SetChargingProfileRequest(Request):
    """Section 6.43."""

    connector_id: ConnectorId
    cs_charging_profiles: ChargingProfile


class SetChargingProfileResponse(Response):
    """Section 6.44."""

    status: ChargingProfileStatus
