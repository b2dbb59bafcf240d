"""Whitelists: the local list of cards, and what the backend said (OCPP whitelist)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import GuardedRoute, station, visitor
from borne.adapters.web.pages.shell import (
    done,
    form,
    is_htmx,
    page,
    part,
    partial,
    setting,
    words_for,
)
from borne.application.ports import WhitelistEntry
from borne.application.services import Refused

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

PAGE_ROWS = 50
UNDO_S = 8


@router.get("/whitelists")
async def whitelists(
    request: Request,
    q: Annotated[str, Query(max_length=60)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The page, or the list alone while somebody types in the search field."""
    variables = _list(request, q, number)
    if is_htmx(request):
        return HTMLResponse(part(request, "parts/whitelist.html", **variables))
    return await page(request, "whitelists.html", problem="", typed="", typed_name="", **variables)


def _list(request: Request, query: str, number: int) -> dict[str, Any]:
    services = station(request)
    entries, total = services.whitelist.page(
        search=query, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS
    )
    _, everything = services.whitelist.page(search="", offset=0, limit=1)
    return {
        "entries": entries,
        "total": total,
        "everything": everything,
        "number": number,
        "pages": max(1, -(-total // PAGE_ROWS)),
        "query": query,
        "connectors": [item["id"] for item in services.status.snapshot()["connectors"]],
        "enabled": setting(request, "FLLEnable", default=True),
        "free_charging": setting(request, "FreeCharging", default=False),
        "cache_enabled": setting(request, "AuthorizationCacheEnabled", default=False),
        "has_backend": services.backend is not None,
    }


@router.post("/whitelists/add")
async def add(request: Request) -> Response:
    """A new entry, or one that was deleted a moment ago."""
    fields = await form(request)
    services, words = station(request), words_for(request)
    token, name = fields.get("token", "")[:255], fields.get("name", "")[:60]
    socket = fields.get("connector", "")
    entry = WhitelistEntry(
        token=token,
        kind="MAC" if fields.get("kind") == "MAC" else "RFID",
        connector=int(socket) if socket.isascii() and socket.isdigit() else None,
        name=name.strip(),
        added_at=services.clock.moment().to_text(),
    )
    try:
        stored = await services.whitelist.add(entry, visitor(request).principal)
    except Refused as error:
        if is_htmx(request):
            raise
        variables = _list(request, "", 1) | {"problem": str(error), "typed": token}
        return await page(request, "whitelists.html", 422, typed_name=name, **variables)
    text = words("{token} added.").format(token=stored.token)
    return done(request, text, "/whitelists", _piece(request))


@router.post("/whitelists/remove")
async def remove(request: Request) -> Response:
    """Delete an entry; the message offers to undo it."""
    fields = await form(request)
    services, words = station(request), words_for(request)
    token, socket = fields.get("token", "")[:255], fields.get("connector", "")
    connector = int(socket) if socket.isascii() and socket.isdigit() else None
    if not await services.whitelist.remove(token, connector, visitor(request).principal):
        raise ApiError(404, "unknown_entry", words("The whitelist has no such entry."))
    if not is_htmx(request):
        return RedirectResponse("/whitelists", 303)
    undo = part(
        request,
        "parts/toast_undo.html",
        text=words("{token} deleted.").format(token=token),
        token=token,
        connector=socket,
        name=fields.get("name", ""),
        kind=fields.get("kind", ""),
        stay_ms=UNDO_S * 1000,
    )
    return HTMLResponse(_piece(request) + partial("#toasts", undo, "beforeend"))


def _piece(request: Request) -> str:
    return partial("#whitelist", part(request, "parts/whitelist.html", **_list(request, "", 1)))
