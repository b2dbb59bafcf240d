"""Search of the settings pages: settings, and pages for actions and lists.

It matches the words of the manual in all languages, whatever the language of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from borne.adapters.web import search
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.setting_fields import MENUS, field_id
from borne.domain.principals import Role
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.entry import Entry, Origin, SettingKind
from borne.domain.settings.manual_words import PAGE_WORDS
from borne.domain.settings.view import SettingView
from borne.foundation.messages import N_

PAGES: dict[str, tuple[str, Role]] = {
    "/": (N_("Dashboard"), Role.USER),
    "/whitelists": (N_("Whitelists"), Role.OPERATOR),
    "/settings": (N_("Settings"), Role.OPERATOR),
    **{f"/settings/{menu.value}": (label, Role.OPERATOR) for menu, (label, _, _) in MENUS.items()},
    "/whitelists/ocpp": (N_("OCPP Whitelist"), Role.OPERATOR),
    "/backend": (N_("State of the connection"), Role.OPERATOR),
    "/backend/presets": (N_("Presets"), Role.OPERATOR),
    "/load": (N_("Live load"), Role.OPERATOR),
    "/sessions": (N_("Sessions"), Role.USER),
    "/help": (N_("Help"), Role.USER),
    "/account": (N_("Account"), Role.USER),
}
TARGETS: dict[str, str] = {
    "FLLEntries": "/whitelists",
    "action.teach_in": "/whitelists",
    "action.whitelist_tools": "/whitelists",
    "CacheEntries": "/whitelists/ocpp",
    "action.download_logs": "/settings/system#overview",
    "action.restart": "/settings/system#overview",
    "action.clear_dlm_slaves": "/load#load-known",
    "reading.dlm": "/load",
    "OperatorPassword": "/account",
    "UserPassword": "/account",
    "InstallerPassword": "/account",
    "ManufacturerPassword": "/account",
    "reading.sessions_total": "/",
    "reading.mean_duration": "/",
    "reading.mean_energy": "/",
    "reading.last_month": "/",
    "reading.identity": "/",
    "reading.ocpp_state": "/",
    "reading.type2_state": "/",
    "reading.signaled_current": "/",
    "reading.backend_state": "/",
}
"""Pages of the actions, lists and readings of the catalogue; the others are planned."""
OTHERS = tuple(
    entry
    for entry in CATALOGUE
    if entry.kind is not SettingKind.SETTING and not entry.key.startswith("rest.")
)


@dataclass(frozen=True, slots=True)
class Result:
    """A search result. Without `url`: planned, there is no page."""

    label: str
    help: str
    name: str
    where: str
    url: str
    planned: bool


def find(views: Sequence[SettingView], role: Role, query: str, words: Words) -> list[Result]:
    """Matches of the query, best first."""
    candidates: list[search.Candidate[str | Entry | SettingView]] = [
        search.Candidate(url, _page_text(url))
        for url, (_, needed) in PAGES.items()
        if role.includes(needed)
    ]
    candidates += [
        search.Candidate(view, search.text_of(view.entry.key), not view.active, _expert(view))
        for view in views
        if view.entry.menu in MENUS
    ]
    candidates += [
        search.Candidate(entry, search.text_of(entry.key), entry.key not in TARGETS)
        for entry in OTHERS
        if role.includes(entry.role)
    ]
    return [_result(item, words) for item in search.best_matches(candidates, query)]


def _result(item: str | Entry | SettingView, words: Words) -> Result:
    match item:
        case str():
            return _page(item, words)
        case Entry():
            return _other(item, words)
        case _:
            return _setting(item, words)


def _expert(view: SettingView) -> bool:
    return view.entry.constant or view.entry.origin is Origin.OCPP


def _setting(view: SettingView, words: Words) -> Result:
    entry = view.entry
    return Result(
        label=view.label.render(words),
        help=words(entry.help),
        name=view.name,
        where=f"{words(MENUS[entry.menu][0])} › {words(entry.group)}",
        url=f"/settings/{entry.menu.value}{'' if view.active else '?show=planned'}"
        f"#{field_id(view.name)}",
        planned=not view.active,
    )


def _page(url: str, words: Words) -> Result:
    return Result(words(PAGES[url][0]), "", "", words(N_("Page")), url, planned=False)


@cache
def _page_text(url: str) -> search.Text:
    return search.texts(PAGES[url][0], PAGE_WORDS.get(url, "").split(";"))


def _other(entry: Entry, words: Words) -> Result:
    url = TARGETS.get(entry.key, "")
    where = words(PAGES[url.partition("#")[0]][0]) if url else words(entry.group)
    return Result(words(entry.label), words(entry.help), "", where, url, planned=not url)
