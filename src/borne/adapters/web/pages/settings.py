"""Settings pages, generated from the catalogue. Changes are staged, then saved together."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.meter_searches import MeterSearch
from borne.adapters.web.meter_tests import loop_time_s
from borne.adapters.web.pages import meter_view, setting_fields, setting_search
from borne.adapters.web.pages.meter_view import MeterCard, MeterSlot, Panel
from borne.adapters.web.pages.shell import (
    form,
    form_items,
    is_htmx,
    large_part,
    page,
    part,
    partial,
    toast,
    words_for,
)
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.maintenance.log_upload import packed
from borne.application.ports.settings import SettingsNotSaved
from borne.application.services import When
from borne.application.settings.settings_service import SettingsConflict, SettingsRejected
from borne.application.settings.settings_staging import Draft, SettingsStaging
from borne.domain.settings import load_rules
from borne.domain.settings.addressing import resolve
from borne.domain.settings.entry import Entry, Menu
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.view import SettingView
from borne.foundation.messages import N_, Message
from borne.foundation.units import PHASES

routes = Routes(OPERATOR)

LISTS = "/whitelists"
"""Page of the manual's menu "Whitelists"; its few settings are found by the search."""
SHOWS = ("", "changed", "planned")
BAR_SLOT = "#bar-slot"
WHEN: dict[str, When] = {"now": "now", "idle": "idle"}
Where = Annotated[str, Path(max_length=40)]


class SettingsEditor:
    """The visitor's staged changes on top of the current settings."""

    def __init__(self, request: Request) -> None:
        who = visitor(request)
        if who.login is None:
            raise ApiError(
                403, "login_only", N_("These pages need a login; a token does not suffice.")
            )
        services = station(request)
        self.request = request
        self.words = words_for(request)
        self.principal = who.principal
        self.key = who.login.key
        self.service = settings_of(services)
        self.staging: SettingsStaging = web_state(request.app).staging.of(services)
        self._views: tuple[Settings, list[SettingView]] | None = None

    @property
    def draft(self) -> Draft:
        return self.staging.draft(self.key, self.principal)

    @property
    def views(self) -> list[SettingView]:
        """The settings that are visible to the visitor; made once for each revision."""
        settings = self.service.settings
        if self._views is None or self._views[0] is not settings:
            self._views = settings, self.service.list(self.principal)
        return self._views[1]

    def may_set(self, slot: MeterSlot) -> bool:
        """True if the visitor may choose this meter, and so may test it."""
        name = slot.name("Config")
        return any(view.name == name and view.active and not view.locked for view in self.views)

    @property
    def may_search(self) -> bool:
        """True if the visitor has the rights of the installation, and so may search for meters."""
        return any(
            self.may_set(slot)
            for slot in meter_view.slots(self.service.settings.facts.connectors)
            if slot is not meter_view.SECOND
        )

    def search_results(self, menu: str, search: MeterSearch | None) -> dict[str, Any]:
        """The variables of the results of a search."""
        settings = self.service.settings
        chosen = [
            slot
            for slot in meter_view.slots(settings.facts.connectors)
            if slot.menu.value == menu and self.may_set(slot)
        ]
        return {
            "menu": menu,
            "search": meter_view.search_view(search, chosen, self.words) if search else None,
        }

    def panels(self, settings: Settings) -> dict[str, Panel]:
        """The visitor's tests of the meters of these settings, by the keys of the meters."""
        tests, at_s, found = web_state(self.request.app).meter_tests, loop_time_s(), {}
        for slot in meter_view.slots(settings.facts.connectors):
            test = tests.shown(slot.key, self.key)
            if test is not None and test.address == meter_view.address_of(slot, settings):
                found[slot.key] = meter_view.panel_of(test, at_s, self.words)
        return found

    @property
    def typed(self) -> Settings:
        """The settings as the draft has them: they decide which fields are shown."""
        return self.staging.typed(self.key, self.principal)

    def bar(self, problem: str = "", *, saved: bool = False) -> dict[str, Any]:
        """The variables of the bar of unsaved changes."""
        draft = self.draft
        return {
            "draft": draft,
            "changes": setting_fields.changes(draft, self.entries(draft), self.words),
            "pending_restart": self.service.pending_restart,
            "problem": problem,
            "saved": saved,
            "charging": charging(self.request),
        }

    def entries(self, draft: Draft) -> dict[str, Entry]:
        """The catalogue entries of the changed settings."""
        facts = self.service.settings.facts
        found = {item.name: resolve(item.name, facts) for item in draft.items}
        return {name: address.entry for name, address in found.items() if address is not None}


def charging(request: Request) -> bool:
    """True if a session runs that a restart would end."""
    return any(socket.session for socket in station(request).status.snapshot().sockets)


def menus(editor: SettingsEditor, draft: Draft) -> list[dict[str, Any]]:
    """The settings pages, with the number of unsaved changes on each."""
    entries = editor.entries(draft)
    found: list[dict[str, Any]] = []
    for menu, (label, icon, about) in setting_fields.MENUS.items():
        staged = sum(1 for entry in entries.values() if entry.menu is menu)
        found.append(
            {
                "url": LISTS if menu is Menu.WHITELISTS else f"/settings/{menu.value}",
                "label": editor.words(label),
                "icon": icon,
            }
            | {"about": editor.words(about), "staged": staged, "menu": menu.value}
        )
    return found


@routes.get("/settings")
async def index(request: Request) -> Response:
    editor = SettingsEditor(request)
    return await page(
        request, "settings_index.html", menus=menus(editor, editor.draft), query="", **editor.bar()
    )


@routes.get("/settings/search")
async def search(request: Request, q: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Settings and pages that match the query."""
    editor = SettingsEditor(request)
    results = await asyncio.to_thread(_found, editor, q) if q.strip() else []
    if is_htmx(request):
        return HTMLResponse(part(request, "parts/search_results.html", results=results, query=q))
    return await page(request, "settings_search.html", results=results, query=q, **editor.bar())


def _found(editor: SettingsEditor, query: str) -> list[setting_search.Result]:
    return setting_search.find(editor.views, editor.principal.role, query, editor.words)


@routes.get("/settings/draft.json")
async def download(request: Request) -> Response:
    """The unsaved changes as a file, in case they cannot be saved."""
    items = SettingsEditor(request).draft.items
    content = {item.name: item.new for item in items if not item.secret}
    headers = {"Content-Disposition": 'attachment; filename="settings.json"'}
    text = json.dumps(content, indent=1)
    return Response(text, media_type="application/json", headers=headers)


@routes.get("/settings/system/logs.zip")
async def log_files(request: Request) -> Response:
    """All files that support needs, without secrets (manual 10)."""
    web, services = web_state(request.app), station(request)
    if web.packing.locked():
        message = N_("The log files are being packed already; try again.")
        raise ApiError(503, "busy", message, {"retry_after_s": 5})
    async with web.packing:
        files = await services.collect_logs()
        content = await asyncio.to_thread(packed, files)
    name = f"borne-{services.clock.now():%Y%m%dT%H%M%SZ}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/zip", headers=headers)


@routes.get("/settings/{menu}")
async def menu_page(
    request: Request, menu: Where, show: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    editor = SettingsEditor(request)
    variables = await _page(editor, menu, show)
    return await page(request, "settings.html", **variables, **editor.bar())


async def _page(editor: SettingsEditor, menu: str, show: str) -> dict[str, Any]:
    """The variables of a page. They come from immutable settings, so a worker thread makes them."""
    draft, after = editor.draft, editor.typed
    return await asyncio.to_thread(_variables, editor, draft, after, menu, show) | {
        "meter_section": meter_view.SECTION,
        "meter_cards": _meter_cards(editor, after, menu) if not show else [],
        "may_search": not show and editor.may_search and station(editor.request).find_meters,
        "baud_rates": meter_view.BAUD_RATES,
        **editor.search_results(
            menu, web_state(editor.request.app).meter_searches.shown(editor.key)
        ),
    }


def _meter_cards(editor: SettingsEditor, after: Settings, menu: str) -> list[MeterCard]:
    """Guidance and test for each meter of a page that the visitor may set."""
    panels = editor.panels(after)
    cards = [
        meter_view.card_of(slot, after, panels.get(slot.key), editor.words)
        for slot in meter_view.slots(after.facts.connectors)
        if slot.menu.value == menu and editor.may_set(slot)
    ]
    return [card for card in cards if card is not None]


def _variables(
    editor: SettingsEditor, draft: Draft, after: Settings, menu: str, show: str
) -> dict[str, Any]:
    known = {each.value: each for each in setting_fields.MENUS}
    if menu not in known:
        raise ApiError(404, "not_found", N_("There is no such page of settings."))
    show = show if show in SHOWS else ""
    chosen: Menu = known[menu]
    label, icon, about = setting_fields.MENUS[chosen]
    views = [view for view in editor.views if view.entry.menu is chosen]
    warnings = _warnings(after, editor.words)
    return {
        "menu": menu,
        "menu_label": editor.words(label),
        "menu_icon": icon,
        "about": editor.words(about),
        "show": show,
        "groups": setting_fields.groups(views, draft, after, show, editor.words, warnings),
        "menus": menus(editor, draft),
        "counts": {
            "changed": sum(1 for view in views if view.changed),
            "planned": sum(1 for view in views if not view.active),
        },
    }


def _warnings(settings: Settings, words: Words) -> dict[str, str]:
    """Sentences beside settings, by their names."""
    found = {name: words(text) for name, text in load_rules.warnings(settings).items()}
    return meter_view.address_warnings(settings, words) | found


@routes.post("/settings/stage")
async def stage(request: Request) -> Response:
    """Stage one changed field. Several fields of one name (L1, L2, L3) are joined by commas."""
    editor = SettingsEditor(request)
    fields: dict[str, list[str]] = {}
    for name, value in await form_items(request):
        fields.setdefault(name, []).append(value)
    context = {name: fields.pop(name, [""])[-1] for name in ("_menu", "_show")}
    default = fields.pop("_default", None)
    changes: dict[str, object] = {
        name: _joined(values) for name, values in fields.items() if not name.startswith("_")
    }
    if default:
        changes = {default[-1]: None}
    try:
        editor.staging.stage(editor.key, changes, editor.principal)
    except SettingsRejected as error:
        raise no_setting(error) from None
    return await answer(editor, context["_menu"], context["_show"], fresh=default is not None)


def no_setting(error: SettingsRejected) -> ApiError:
    """The answer to an unknown setting."""
    names = {"name": ", ".join(error.errors)}
    return ApiError(422, "invalid", Message(N_("There is no setting {name}."), names))


def _joined(values: list[str]) -> str:
    """Three values are L1, L2, L3; of two the last applies (a switch sends "off" and "on")."""
    if len(values) != len(PHASES):
        return values[-1]
    return ",".join(value.strip() for value in values) if any(values) else ""


@routes.post("/settings/undo/{name}")
async def undo(request: Request, name: Annotated[str, Path(max_length=80)]) -> Response:
    """Drop one change."""
    editor, fields = SettingsEditor(request), await form(request)
    editor.staging.undo(editor.key, name, editor.principal)
    return await answer(editor, fields.get("_menu", ""), fields.get("_show", ""), fresh=True)


@routes.post("/settings/keep/{name}")
async def keep(request: Request, name: Annotated[str, Path(max_length=80)]) -> Response:
    """Keep the own value in a conflict."""
    editor, fields = SettingsEditor(request), await form(request)
    editor.staging.keep_mine(editor.key, name, editor.principal)
    return await answer(editor, fields.get("_menu", ""), fields.get("_show", ""), fresh=True)


@routes.post("/settings/reset")
async def reset(request: Request) -> Response:
    """Drop all changes."""
    editor, fields = SettingsEditor(request), await form(request)
    editor.staging.reset(editor.key)
    return await answer(editor, fields.get("_menu", ""), fields.get("_show", ""), fresh=True)


@routes.post("/settings/save")
async def save(request: Request) -> Response:
    """Save all changes; `restart` "now" or "idle" restarts afterwards."""
    editor, fields = SettingsEditor(request), await form(request)
    menu, show, restart = (fields.get(name, "") for name in ("_menu", "_show", "restart"))
    words, problem = editor.words, ""
    try:
        await editor.staging.save(editor.key, editor.principal, editor.principal.name)
    except SettingsConflict:
        problem = words("Not saved: another user changed the same settings.")
    except SettingsRejected:
        problem = words("Not saved: some changes need attention.")
    except SettingsNotSaved as error:
        problem = words("Not saved: {reason}").format(reason=error)
    if problem:
        return await answer(editor, menu, show, problem=problem)
    if restart in WHEN:
        return await _restart(editor, WHEN[restart], saved=True)
    return await answer(editor, menu, show, fresh=True, saved=True)


@routes.post("/settings/restart")
async def restart(request: Request) -> Response:
    editor, fields = SettingsEditor(request), await form(request)
    return await _restart(editor, WHEN.get(fields.get("restart", ""), "now"))


async def _restart(editor: SettingsEditor, when: When, *, saved: bool = False) -> Response:
    await station(editor.request).restarter.restart(editor.principal, when)
    if when == "idle" and charging(editor.request):
        text = (
            editor.words("Saved. The station restarts as soon as no car is charging.")
            if saved
            else editor.words("The station restarts as soon as no car is charging.")
        )
        return await answer(editor, "", "", message=text)
    if not is_htmx(editor.request):
        return RedirectResponse("/settings", 303)
    return HTMLResponse(
        partial(BAR_SLOT, part(editor.request, "parts/restarting.html"), "innerHTML")
    )


async def answer(
    editor: SettingsEditor,
    menu: str,
    show: str,
    *,
    problem: str = "",
    message: str = "",
    fresh: bool = False,
    saved: bool = False,
) -> Response:
    """The current fields and bar. `fresh` replaces the typed values."""
    request = editor.request
    if not is_htmx(request):
        return RedirectResponse(f"/settings/{menu}" if menu else "/settings", 303)
    pieces = [
        partial(
            BAR_SLOT,
            part(
                request, "parts/bar.html", menu=menu, show=show, **editor.bar(problem, saved=saved)
            ),
            "innerMorph",
        )
    ]
    if menu:
        variables = await _page(editor, menu, show)
        content = await large_part(request, "parts/setting_groups.html", **variables)
        pieces.append(partial("#settings", content, "innerHTML" if fresh else "innerMorph"))
    if saved:
        pieces.append(toast(request, editor.words("Saved.")))
    if message:
        pieces.append(toast(request, message))
    return HTMLResponse("".join(pieces))
