"""The frame of every page: language, theme, navigation, header; and parsing of forms."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from functools import partial as partial_of
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import maybe_visitor
from borne.adapters.web.i18n import NAMES, Words, available, negotiate
from borne.adapters.web.pages.present import chips
from borne.adapters.web.state import web_state
from borne.adapters.web.static_files import static_url
from borne.adapters.web.visitor import Visitor
from borne.application.settings.settings_staging import Draft
from borne.domain.principals import Role
from borne.domain.settings.catalogue import CATALOGUE
from borne.foundation.calendar import zone_named
from borne.foundation.clock import parse_utc
from borne.foundation.messages import N_

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "borne_theme"
CALM_COOKIE = "borne_calm"
MAX_FIELDS = 400
LONG_FORM = 64 * 1024
"""Forms above this size in bytes are parsed in a worker thread."""
MAX_TABS = 4
"""Maximum in the bottom bar of a phone, beside "More"."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the navigation."""

    url: str
    label: str
    icon: str
    role: Role
    simulator: bool = False
    tab: bool = False
    """Shown in the bottom bar of a phone if there is space; the others are under "More"."""
    also: str = ""
    """Another path of the same page."""
    ends_group: bool = False


NAVIGATION = (
    Item("/", N_("Dashboard"), "layout-dashboard", Role.USER, tab=True),
    Item("/settings/network", N_("Network"), "network", Role.OPERATOR),
    Item("/settings/backend", N_("Backend"), "cloud", Role.OPERATOR, also="/backend"),
    Item("/settings/authorization", N_("Authorization"), "key-round", Role.OPERATOR),
    Item("/whitelists", N_("Whitelists"), "id-card", Role.OPERATOR, also="/settings/whitelists"),
    Item("/settings/load-management", N_("Load management"), "share-2", Role.OPERATOR),
    Item("/settings/installation", N_("Installation"), "wrench", Role.OPERATOR),
    Item("/settings/system", N_("System"), "server", Role.OPERATOR, ends_group=True),
    Item("/load", N_("Live load"), "gauge", Role.OPERATOR),
    Item("/sessions", N_("Sessions"), "history", Role.USER, tab=True),
    Item("/settings", N_("Settings"), "settings", Role.OPERATOR, tab=True),
    Item("/simulator", N_("Simulator"), "flask-conical", Role.OPERATOR, simulator=True, tab=True),
    Item("/help", N_("Help"), "circle-help", Role.USER, tab=True),
    Item("/account", N_("Account"), "user", Role.USER),
)
"""The menu of the manual, in its order and with its names (manual 3), then additional pages."""


@cache
def environment() -> Environment:
    """The templates, compiled once."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        cache_size=200,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    env.globals.update(static_url=static_url, icon=icon, language_names=NAMES, stream="")
    return env


def icon(name: str, size: int = 20) -> Markup:
    """A symbol of the sprite, hidden from screen readers, as it always stands beside its word."""
    sprite = static_url("icons.svg")
    return Markup(
        '<svg class="icon" width="{size}" height="{size}" aria-hidden="true">'
        '<use href="{sprite}#{name}"></use></svg>'
    ).format(size=size, sprite=sprite, name=name)


def current(items: Sequence[Item], path: str) -> str:
    """The navigation entry for the page at `path`; empty without one."""
    found = [
        (len(url), item.url)
        for item in items
        for url in (item.url, item.also)
        if path == url or (len(url) > 1 and path.startswith(f"{url}/"))
    ]
    return max(found, default=(0, ""))[1]


def staged_on(draft: Draft) -> Counter[str]:
    """Number of unsaved changes by page address, and in total for "/settings"."""
    known = CATALOGUE.settings
    keys = (
        item.name if item.name in known else item.name.rpartition("_")[0] for item in draft.items
    )
    found = Counter(f"/settings/{known[key].menu.value}" for key in keys if key in known)
    found["/settings"] = len(draft.items)
    return found


def words_for(request: Request) -> Words:
    """Language of the visitor."""
    found = getattr(request.state, "words", None)
    if not isinstance(found, Words):
        found = Words(negotiate(request, _station_language(request)))
        request.state.words = found
    return found


def _station_language(request: Request) -> str:
    return str(setting(request, "WebUILanguage", "en"))


def setting(request: Request, key: str, default: object) -> object:
    """A setting for the frame; the default while there is no station."""
    services = web_state(request.app).host.services()
    if services is None:
        return default
    try:
        value = services.settings.settings[key]
    except KeyError:
        return default
    return default if value is None else value


def zone_of(request: Request) -> tzinfo:
    """The station's time zone."""
    return zone_named(str(setting(request, "TimeZone", "UTC")))


def day_of(request: Request, text: str) -> str:
    """The date of a stored time, formatted; empty without one."""
    try:
        return words_for(request).date(parse_utc(text).astimezone(zone_of(request)))
    except ValueError:
        return ""


def frame(request: Request) -> dict[str, Any]:
    """The variables of every template."""
    web = web_state(request.app)
    services = web.host.services()
    who = maybe_visitor(request)
    words = words_for(request)
    theme = request.cookies.get(THEME_COOKIE, "auto")
    path, draft = request.url.path, web.staging.draft(services, who)
    navigation = _navigation(who, simulated=web.host.power is not None)
    tabs = [item for item in navigation if item.tab][:MAX_TABS]
    return {
        "_": words,
        "ngettext": words.plural,
        "words": words,
        "day": partial_of(day_of, request),
        "language": words.language,
        "languages": available(),
        "theme": theme if theme in THEMES else "auto",
        "calm": request.cookies.get(CALM_COOKIE) == "1",
        "who": who,
        "role": who.role if who else None,
        "locked_in": bool(who and who.login and who.login.must_change),
        "path": path,
        "station_name": str(setting(request, "StationName", "") or "Station"),
        "version": web.host.version,
        "simulated": web.host.power is not None,
        "power": services is not None,
        "navigation": navigation,
        "tabs": tabs,
        "current": current(navigation, path),
        "current_tab": current(tabs, path),
        "chips": chips(services.status.snapshot() if services else None, words),
        "draft": draft,
        "staged": staged_on(draft),
        "pending_restart": services.settings.pending_restart if services else (),
    }


def _navigation(who: Visitor | None, *, simulated: bool) -> list[Item]:
    if who is None or (who.login is not None and who.login.must_change):
        return []
    return [
        item
        for item in NAVIGATION
        if who.role.includes(item.role) and (simulated or not item.simulator)
    ]


async def page(
    request: Request, template: str, http_status: int = 200, **variables: Any
) -> HTMLResponse:
    """Render a whole page."""
    return HTMLResponse(await large_part(request, template, **variables), http_status)


async def large_part(request: Request, template: str, **variables: Any) -> str:
    """Render a large piece in a worker thread, from immutable values."""
    values = frame(request) | variables
    return await asyncio.to_thread(lambda: environment().get_template(template).render(values))


def part(request: Request, template: str, **variables: Any) -> str:
    """Render a piece of a page."""
    return environment().get_template(template).render(frame(request) | variables)


def partial(target: str, content: str, swap: str = "outerMorph") -> str:
    """Wrap a piece for htmx with its target."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{content}</hx-partial>'


def is_htmx(request: Request) -> bool:
    """True if htmx requests a piece, not a page."""
    return request.headers.get("hx-request") == "true"


def toast(request: Request, text: str, tone: str = "ok") -> str:
    """A notification at the edge of the page."""
    content = part(request, "parts/toast.html", text=text, tone=tone)
    return partial("#toasts", content, "beforeend")


def done(request: Request, text: str, where: str, *pieces: str, tone: str = "ok") -> Response:
    """The answer to a form: pieces and a notification for htmx, otherwise a redirect."""
    if is_htmx(request):
        return HTMLResponse("".join(pieces) + toast(request, text, tone))
    return RedirectResponse(where, 303)


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a form; the last one of each name."""
    return dict(await form_items(request))


async def form_items(request: Request) -> list[tuple[str, str]]:
    """The fields of a form in order. Raises ApiError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    body = await request.body()
    if body and kind != "application/x-www-form-urlencoded":
        raise ApiError(415, "unsupported_media_type", N_("A form is expected."))
    try:
        return _read(body) if len(body) < LONG_FORM else await asyncio.to_thread(_read, body)
    except ValueError:
        raise ApiError(400, "bad_request", N_("The form cannot be read.")) from None


def _read(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
    )


def local_path(target: str) -> str:
    """A path on this station; any other value becomes the dashboard."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\", "/login", "/logout"))
    return target if plain and target.isprintable() and len(target) <= 500 else "/"
