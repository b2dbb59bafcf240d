"""The charging profiles of the backend (OCPP 1.6 section 3.13)."""

from __future__ import annotations

from fastapi import Request

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api import answers
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.routes import API, Routes
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.domain.smart_charging.profiles import Installed
from borne.foundation.clock import format_utc
from borne.foundation.messages import N_

routes = Routes(OPERATOR, API, tag="limits")


def profile_json(entry: Installed) -> answers.ChargingProfile:
    """A profile in the terms of OCPP 1.6; times are ISO 8601."""
    profile, schedule = entry.profile, entry.profile.schedule
    return {
        "id": profile.profile_id,
        "connector": entry.connector,
        "purpose": profile.purpose.value,
        "kind": profile.kind.value,
        "recurrency": profile.recurrency.value if profile.recurrency else None,
        "stack_level": profile.stack_level,
        "session": entry.session_id,
        "received_at": format_utc(entry.received_at),
        "valid_from": format_utc(profile.valid_from) if profile.valid_from else None,
        "valid_to": format_utc(profile.valid_to) if profile.valid_to else None,
        "start": format_utc(schedule.start) if schedule.start else None,
        "duration_s": schedule.duration_s,
        "unit": schedule.unit.value,
        "periods": [
            {"start_s": period.start_s, "limit": period.limit, "phases": period.phases}
            for period in schedule.periods
        ],
    }


def profiles_of(request: Request) -> ChargingProfiles:
    """The charging profiles of the station; 404 for a station without any."""
    found = station(request).charging_profiles
    if found is None:
        raise ApiError(404, "unknown_profile", N_("There is no such charging profile."))
    return found


@routes.get("/charging-profiles", summary="Charging profiles of the backend")
async def charging_profiles(request: Request) -> answers.ChargingProfiles:
    """All installed profiles, in the order of receipt."""
    return {"profiles": [profile_json(entry) for entry in profiles_of(request).entries]}
