"""The OCPP whitelist (manual 5.4): the backend's answers about cards; look, search, forget."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.pages.shell import day_of, form, page, setting, words_for
from borne.adapters.web.routes import Routes
from borne.application.authorization.token_lists import BackendTokens, is_expired
from borne.application.ports.storage import CachedToken
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

PAGE_ROWS = 50
PATH = "/whitelists/ocpp"
STATUSES = {
    "Accepted": ("ok", N_("accepted")),
    "Blocked": ("fault", N_("blocked")),
    "Expired": ("warn", N_("expired")),
    "Invalid": ("fault", N_("unknown to the backend")),
    "ConcurrentTx": ("warn", N_("was charging elsewhere")),
}
"""Tone and word of each status of the backend."""


@routes.get(PATH)
async def entries(
    request: Request,
    q: Annotated[str, Query(max_length=60)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    everything = _list(request).content()
    wanted = q.strip().casefold()
    found = [token for token in everything if wanted in token.token.casefold()]
    first = (number - 1) * PAGE_ROWS
    return await page(
        request,
        "ocpp_whitelist.html",
        rows=[_row(token, request) for token in found[first : first + PAGE_ROWS]],
        total=len(found),
        everything=len(everything),
        number=number,
        pages=max(1, -(-len(found) // PAGE_ROWS)),
        query=q,
        enabled=setting(request, "AuthorizationCacheEnabled", default=False),
    )


@routes.post(f"{PATH}/remove")
async def remove(request: Request) -> Response:
    token = (await form(request)).get("token", "")[:255]
    if not await _list(request).forget(token, visitor(request).principal):
        raise ApiError(404, "unknown_entry", N_("The whitelist has no such entry."))
    return RedirectResponse(PATH, 303)


@routes.post(f"{PATH}/clear")
async def clear(request: Request) -> Response:
    await form(request)
    await _list(request).forget_all(visitor(request).principal)
    return RedirectResponse(PATH, 303)


def _list(request: Request) -> BackendTokens:
    found = station(request).ocpp_whitelist
    if found is None:
        raise ApiError(404, "no_ocpp_whitelist", N_("There is no OCPP whitelist."))
    return found


def _row(token: CachedToken, request: Request) -> dict[str, str]:
    words, now = words_for(request), station(request).clock.now()
    answer = "Expired" if is_expired(token, now) else token.status
    tone, word = STATUSES.get(answer, ("warn", answer))
    return {
        "token": token.token,
        "tone": tone,
        "status": words(word),
        "group": token.parent or "–",
        "expires": day_of(request, token.expires_at or "") or "–",
        "updated": day_of(request, token.updated_at) or "–",
    }
