"""Commands of the smart charging profile (OCPP 1.6 sections 5.5, 5.7, 5.16)."""

from __future__ import annotations

from typing import Final

from borne.application.backend.backend_services import BackendServices
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.domain.smart_charging.profiles import (
    Period,
    Profile,
    ProfileKind,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
    Selection,
)
from borne.protocols.ocpp.messages import types as wire
from borne.protocols.ocpp.messages.smart_charging import (
    ChargingProfileStatus,
    ClearChargingProfileRequest,
    ClearChargingProfileResponse,
    ClearChargingProfileStatus,
    GetCompositeScheduleRequest,
    GetCompositeScheduleResponse,
    SetChargingProfileRequest,
    SetChargingProfileResponse,
)
from borne.protocols.ocpp.messages.types import AcceptedOrRejected
from borne.protocols.ocpp.rpc.handlers import Handlers

ASSUMED_PHASES: Final = 3
"""Assumed if a period names none (section 7.12)."""


def register_smart_charging(handlers: Handlers, services: BackendServices) -> None:
    """Register the commands of this profile."""
    smart = _SmartCharging(services.profiles)
    handlers.register(SetChargingProfileRequest, smart.set)
    handlers.register(ClearChargingProfileRequest, smart.clear)
    handlers.register(GetCompositeScheduleRequest, smart.composite)


def charging_profile(received: wire.ChargingProfile) -> Profile:
    """Convert a profile to the domain's type."""
    schedule = received.charging_schedule
    recurrency = received.recurrency_kind
    return Profile(
        profile_id=received.charging_profile_id,
        stack_level=received.stack_level,
        purpose=Purpose(received.charging_profile_purpose.value),
        kind=ProfileKind(received.charging_profile_kind.value),
        schedule=Schedule(
            unit=RateUnit(schedule.charging_rate_unit.value),
            periods=tuple(
                Period(period.start_period, period.limit, period.number_phases)
                for period in schedule.charging_schedule_period
            ),
            duration_s=schedule.duration,
            start=schedule.start_schedule,
        ),
        recurrency=Recurrency(recurrency.value) if recurrency else None,
        valid_from=received.valid_from,
        valid_to=received.valid_to,
        transaction_id=received.transaction_id,
    )


class _SmartCharging:
    def __init__(self, profiles: ChargingProfiles) -> None:
        self._profiles = profiles

    async def set(self, request: SetChargingProfileRequest) -> SetChargingProfileResponse:
        profile = charging_profile(request.cs_charging_profiles)
        accepted = await self._profiles.set(request.connector_id, profile)
        status = ChargingProfileStatus.ACCEPTED if accepted else ChargingProfileStatus.REJECTED
        return SetChargingProfileResponse(status=status)

    async def clear(self, request: ClearChargingProfileRequest) -> ClearChargingProfileResponse:
        purpose = request.charging_profile_purpose
        selection = Selection(
            profile_id=request.id,
            connector=request.connector_id,
            purpose=Purpose(purpose.value) if purpose else None,
            stack_level=request.stack_level,
        )
        cleared = await self._profiles.clear(selection)
        status = ClearChargingProfileStatus
        return ClearChargingProfileResponse(status=status.ACCEPTED if cleared else status.UNKNOWN)

    async def composite(self, request: GetCompositeScheduleRequest) -> GetCompositeScheduleResponse:
        asked = request.charging_rate_unit
        unit = RateUnit(asked.value) if asked else None
        found = self._profiles.composite(request.connector_id, request.duration, unit)
        if found is None or not found.periods:
            return GetCompositeScheduleResponse(status=AcceptedOrRejected.REJECTED)
        return GetCompositeScheduleResponse(
            status=AcceptedOrRejected.ACCEPTED,
            connector_id=request.connector_id,
            schedule_start=found.start,
            charging_schedule=wire.ChargingSchedule(
                duration=found.duration_s,
                charging_rate_unit=wire.ChargingRateUnit(found.unit.value),
                charging_schedule_period=tuple(
                    wire.ChargingSchedulePeriod(
                        start_period=start_s,
                        limit=limit,
                        number_phases=phases if phases < ASSUMED_PHASES else None,
                    )
                    for start_s, limit, phases in found.periods
                ),
            ),
        )
