"""The second meter, at the supply of the building (manual 7.4.2)."""

from __future__ import annotations

from fastapi import Request

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api import answers
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.routes import API, Routes
from borne.application.meters.site_meter_service import SiteMeterService
from borne.domain.meters.measurement import Phases
from borne.domain.meters.site_status import SiteMeterStatus
from borne.foundation.messages import N_

routes = Routes(OPERATOR, API, tag="meters")


def second_meter_of(request: Request) -> SiteMeterService:
    """The second meter of the station. Raises ApiError."""
    found = station(request).site_meter
    if found is None:
        raise ApiError(404, "no_meter", N_("This station has no second meter."))
    return found


def second_meter_json(status: SiteMeterStatus) -> answers.SecondMeter:
    """The status; what the meter does not give is null."""
    last = status.measurement
    return {
        "state": status.state,
        "model": status.model,
        "serial_number": status.serial_number or None,
        "accepted_serial_number": status.accepted_serial_number or None,
        "reason": str(status.reason) if status.reason else None,
        "current_a": list(status.current_a) if status.current_a is not None else None,
        "fallback_a": list(status.fallback_a),
        "age_s": status.age_s,
        "measured": None
        if last is None
        else {
            "voltage_v": _rounded(last.voltage_v, 2),
            "current_a": _rounded(last.current_a, 3),
            "power_w": _rounded(last.power_w, 1),
            "power_total_w": _round(last.power_total_w, 1),
            "import_wh": last.import_wh,
            "export_wh": last.export_wh,
            "frequency_hz": _round(last.frequency_hz, 3),
        },
    }


def _rounded(values: Phases, digits: int) -> list[float | None]:
    return [_round(value, digits) for value in values]


def _round(value: float | None, digits: int) -> float | None:
    """A 32-bit float has more digits than a meter measures."""
    return None if value is None else round(value, digits)


@routes.get("/meters/second", summary="Second meter, at the supply of the building")
async def second_meter(request: Request) -> answers.SecondMeter:
    """Amps per phase, import positive. `measured` is the last usable answer, also of a meter that
    has become silent: see `age_s`."""
    return second_meter_json(second_meter_of(request).status)
