"""The local whitelist: list, search, add, rename, delete with undo, export (manual 5.5).

Import and teach-in have their own modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import list_separator
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
from borne.adapters.web.routes import Routes
from borne.application.refusals import Refused
from borne.application.settings.settings_service import SettingsRejected
from borne.domain.authorization import cards
from borne.domain.settings.choices import LetterCase
from borne.foundation.messages import N_, Message, verbatim

routes = Routes(OPERATOR)

PAGE_ROWS = 50
UNDO_S = 8
SPELLINGS: dict[LetterCase, str] = {
    LetterCase.LOWER: N_("lower case"),
    LetterCase.UPPER: N_("upper case"),
    LetterCase.LOWER_INVERTED: N_("lower case, bytes reversed"),
    LetterCase.UPPER_INVERTED: N_("upper case, bytes reversed"),
}


@routes.get("/whitelists")
async def whitelists(
    request: Request,
    q: Annotated[str, Query(max_length=60)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The page, or the list only while the visitor types in the search field."""
    if is_htmx(request):
        return HTMLResponse(
            part(request, "parts/whitelist.html", **list_variables(request, q, number))
        )
    return await whole_page(request, q, number)


async def whole_page(
    request: Request, query: str = "", number: int = 1, status: int = 200, **typed: str
) -> Response:
    """The page; `typed` keeps invalid input."""
    services = station(request)
    variables = list_variables(request, query, number) | {
        "enabled": setting(request, "FLLEnable", default=True),
        "free_charging": setting(request, "FreeCharging", default=False),
        "cache_enabled": setting(request, "AuthorizationCacheEnabled", default=False),
        "has_backend": services.backend is not None,
        "running": services.teach_in.state() if services.teach_in else None,
        "can_teach": services.teach_in is not None,
        "hears_cars": services.simulator is not None,
        "over": False,
        "problem": typed.get("problem", ""),
        "typed": typed.get("token", ""),
        "typed_name": typed.get("name", ""),
        "spellings": spellings(typed.get("token", ""), request),
    }
    return await page(request, "whitelists.html", status, **variables)


@routes.post("/whitelists/enable")
async def enable(request: Request) -> Response:
    """Enable the local whitelist."""
    await form(request)
    who, words = visitor(request), words_for(request)
    service = settings_of(station(request))
    try:
        await service.change({"FLLEnable": True}, who.principal, who.principal.name)
    except SettingsRejected as error:
        reasons = " ".join(reason.render(words) for reason in error.errors.values())
        raise ApiError(403, "forbidden", verbatim(reasons)) from None
    state = part(
        request,
        "parts/whitelist_state.html",
        enabled=setting(request, "FLLEnable", default=True),
        free_charging=setting(request, "FreeCharging", default=False),
    )
    text = words("The local whitelist is on: its cards may charge.")
    return done(request, text, "/whitelists", partial("#whitelist-state", state))


def list_variables(request: Request, query: str = "", number: int = 1) -> dict[str, Any]:
    """The variables of the list."""
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
        "connectors": [socket.id for socket in services.status.snapshot().sockets],
    }


def connector_in(fields: Mapping[str, str], name: str = "connector") -> int | None:
    """The socket in a form; None for all."""
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def list_piece(request: Request) -> str:
    """The current list, for htmx."""
    return partial("#whitelist", part(request, "parts/whitelist.html", **list_variables(request)))


@routes.post("/whitelists/add")
async def add(request: Request) -> Response:
    fields = await form(request)
    services, words = station(request), words_for(request)
    token, name = fields.get("token", "")[:255], fields.get("name", "")[:60]
    try:
        stored = await services.whitelist.add(
            token, visitor(request).principal, connector=connector_in(fields), name=name
        )
    except Refused as error:
        if is_htmx(request):
            raise
        return await whole_page(
            request, status=422, problem=error.message.render(words), token=token, name=name
        )
    text = words("{token} added.").format(token=stored.token)
    return done(request, text, "/whitelists", list_piece(request))


@routes.post("/whitelists/rename")
async def rename(request: Request) -> Response:
    fields = await form(request)
    renamed = await station(request).whitelist.rename(
        fields.get("token", "")[:255],
        connector_in(fields),
        fields.get("name", "")[:60],
        visitor(request).principal,
    )
    words = words_for(request)
    if not renamed:
        raise _unknown()
    return done(request, words("Saved."), "/whitelists")


@routes.post("/whitelists/remove")
async def remove(request: Request) -> Response:
    """Delete an entry; the message offers to undo it."""
    fields = await form(request)
    token, principal = fields.get("token", "")[:255], visitor(request).principal
    await station(request).whitelist.remove(token, principal, connector=connector_in(fields))
    return _removed(request, words_for(request)(N_("{token} deleted.")).format(token=token))


@routes.post("/whitelists/clear")
async def clear(request: Request) -> Response:
    """Delete all entries, if their number was typed."""
    fields, words = await form(request), words_for(request)
    whitelist = station(request).whitelist
    _, number = whitelist.page(limit=1)
    if fields.get("count", "").strip() != str(number) or not number:
        text = N_("Nothing was deleted: type the number of entries, {n}.")
        raise ApiError(422, "wrong_count", Message(text, {"n": number}))
    gone = await whitelist.remove_all(visitor(request).principal)
    return _removed(request, words.plural("{n} entry deleted.", "{n} entries deleted.", gone))


@routes.post("/whitelists/undo")
async def undo(request: Request) -> Response:
    """Restore the last removal."""
    await form(request)
    words = words_for(request)
    number = await station(request).whitelist.undo(visitor(request).principal)
    if not number:
        raise ApiError(409, "too_late", N_("It is too late to undo this."))
    text = words.plural("{n} entry is back.", "{n} entries are back.", number)
    return done(request, text, "/whitelists", list_piece(request))


@routes.get("/whitelists/export")
async def export(request: Request, form: Annotated[str, Query(max_length=10)] = "csv") -> Response:
    """The list as a file: a table, or the format of the manual (`UID:UID_1:...`)."""
    whitelist = station(request).whitelist
    if form == "colons":
        text, name, kind = await whitelist.export_colons(), "whitelist.txt", "text/plain"
    else:
        separator = list_separator(words_for(request).language)
        text, name, kind = await whitelist.export_csv(separator), "whitelist.csv", "text/csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)


@routes.get("/whitelists/spellings")
async def spelled(request: Request, token: Annotated[str, Query(max_length=60)] = "") -> Response:
    """A number in each of the four spellings, while it is typed."""
    rows = spellings(token, request)
    return HTMLResponse(part(request, "parts/spellings.html", spellings=rows, typed=token))


def spellings(token: str, request: Request) -> list[tuple[str, str, bool]]:
    """Name, number, and True for the spelling of this station; empty for other text."""
    used, words = _spelling(request), words_for(request)
    try:
        uid = cards.parse(token, used)
    except cards.BadCard:
        return []
    return [(words(name), cards.spell(uid, way), way is used) for way, name in SPELLINGS.items()]


def _spelling(request: Request) -> LetterCase:
    slug = str(setting(request, "RFIDTagLetterCase", LetterCase.UPPER))
    return LetterCase(slug) if slug in set(LetterCase) else LetterCase.UPPER


def _removed(request: Request, text: str) -> Response:
    if not is_htmx(request):
        return RedirectResponse("/whitelists", 303)
    undo = part(request, "parts/toast_undo.html", text=text, stay_ms=UNDO_S * 1000)
    return HTMLResponse(list_piece(request) + partial("#toasts", undo, "beforeend"))


def _unknown() -> ApiError:
    return ApiError(404, "unknown_entry", N_("The whitelist has no such entry."))
