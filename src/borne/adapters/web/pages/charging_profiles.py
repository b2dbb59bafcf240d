"""Page of the charging profiles of the backend: list, clear one, clear all."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.charging_profiles import profiles_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import visitor
from borne.adapters.web.i18n import NARROW_SPACE, Words
from borne.adapters.web.pages.shell import form, page, words_for, zone_of
from borne.adapters.web.routes import Routes
from borne.domain.smart_charging.profiles import Installed, Purpose, Schedule
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

PATH = "/backend/profiles"
PURPOSES = {
    Purpose.STATION: N_("the whole station"),
    Purpose.DEFAULT: N_("every session"),
    Purpose.TRANSACTION: N_("this session only"),
}
MAX_PERIODS = 6
"""Maximum in a row of the table; the API has all."""
LONGEST_NUMBER = 20


@routes.get(PATH)
async def entries(request: Request) -> Response:
    found = profiles_of(request).entries
    return await page(
        request, "charging_profiles.html", rows=[_row(entry, request) for entry in found]
    )


@routes.post(f"{PATH}/remove")
async def remove(request: Request) -> Response:
    text = (await form(request)).get("id", "")[:LONGEST_NUMBER]
    number = int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
    if number is None:
        raise ApiError(404, "unknown_profile", N_("There is no such charging profile."))
    await profiles_of(request).remove(number, visitor(request).principal)
    return RedirectResponse(PATH, 303)


@routes.post(f"{PATH}/clear")
async def clear(request: Request) -> Response:
    await form(request)
    await profiles_of(request).remove_all(visitor(request).principal)
    return RedirectResponse(PATH, 303)


def _row(entry: Installed, request: Request) -> dict[str, str]:
    words = words_for(request)
    profile = entry.profile
    return {
        "id": str(profile.profile_id),
        "connector": str(entry.connector) if entry.connector else words("all sockets"),
        "purpose": words(PURPOSES[profile.purpose]),
        "limits": _limits(profile.schedule, words),
        "kind": profile.kind.value,
        "level": str(profile.stack_level),
        "received": entry.received_at.astimezone(zone_of(request)).strftime("%Y-%m-%d %H:%M"),
    }


def _limits(schedule: Schedule, words: Words) -> str:
    unit = f"{NARROW_SPACE}{schedule.unit.value}"
    shown = [words.number_short(period.limit) + unit for period in schedule.periods]
    text = ", ".join(shown[:MAX_PERIODS])
    more = len(shown) - MAX_PERIODS
    return text if more <= 0 else words("{limits} and {n} more").format(limits=text, n=more)
