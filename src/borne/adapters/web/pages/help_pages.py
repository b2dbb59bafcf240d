"""Help: present faults, meaning of the lights, and a page for every fault.

The content is data of the domain (`domain/help/remedies.py`); this module renders it, ticks the
steps that the station can check, and adds the buttons (manual 9 and 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import HTMLResponse, Response

from borne.adapters.web import search
from borne.adapters.web.access import OPERATOR, USER
from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages import help_checks, help_meters, present
from borne.adapters.web.pages.dashboard import site_meter_card, socket_names
from borne.adapters.web.pages.meter_view import Panel
from borne.adapters.web.pages.refused_card import refused
from borne.adapters.web.pages.setting_fields import field_id, value_text
from borne.adapters.web.pages.shell import done, form, is_htmx, page, part, words_for
from borne.adapters.web.routes import Routes
from borne.application.ports.settings import SettingsNotSaved
from borne.application.services import StationServices
from borne.application.settings.settings_service import MayNotConfirm, SettingsConflict
from borne.domain.help.remedies import (
    CAN_CHARGE,
    LIGHTS,
    REMEDIES,
    WHO,
    Remedy,
    RemedyAction,
    RemedyStep,
    Who,
)
from borne.domain.principals import Role
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.manual_words import HELP_WORDS
from borne.domain.station.faults import Clears, Fault, FaultKind, FaultScope, vendor_code
from borne.domain.station.indication import PATTERNS, Pattern
from borne.domain.station.station_status import StationStatus
from borne.foundation.messages import N_

routes = Routes(USER)

SEEN: dict[str, str] = {
    "available": N_("Green"),
    "reserved": N_("Yellow"),
    "checking": N_("White, turning"),
    "authorized": N_("Blue, blinking fast"),
    "charging": N_("Blue, blinking slowly"),
    "rejected": N_("Green, yellow, blue: five times"),
    "faulted": N_("Green, yellow, blue: blinking"),
    "updating": N_("Green, yellow, blue: steady"),
    "identifying": N_("White, blinking"),
    "unavailable": N_("Dark"),
}
"""Description of the appearance, by the first pattern that looks so."""
HELPERS: dict[Who, str] = {
    Who.YOU: N_("You can fix this"),
    Who.OPERATOR: N_("The operator can fix this"),
    Who.ELECTRICIAN: N_("An electrician must come"),
    Who.SERVICE: N_("The manufacturer's service must come"),
}
"""Headings of the list, by the person to ask first."""
LINKS: dict[RemedyAction, tuple[str, str]] = {
    RemedyAction.CONNECTION_STEPS: ("/backend", N_("Steps of the connection")),
    RemedyAction.SHOW_CURVE: ("/sessions", N_("Sessions")),
    RemedyAction.TEACH_CARD: ("/whitelists", N_("Whitelists")),
    RemedyAction.DIAGNOSTICS: ("/settings/system#overview", N_("Download log files")),
}
COMMANDS: dict[RemedyAction, tuple[str, str]] = {
    RemedyAction.UNLOCK: ("unlock", N_("Unlock socket {n}")),
    RemedyAction.OUT_OF_SERVICE: ("disable", N_("Socket {n}: out of service")),
}
ANSWERED = {
    RemedyAction.RESTART,
    RemedyAction.CONFIRM_SETTINGS,
    RemedyAction.OPEN_SETTINGS,
    RemedyAction.TAKE_NOTE,
    RemedyAction.READ_METER,
}
"""Actions whose buttons depend on the visitor and the station; see `buttons`."""
CLEARS: dict[Clears, str] = {
    Clears.BY_ITSELF: N_("when the cause is gone"),
    Clears.UNPLUG: N_("at unplugging"),
    Clears.UNPLUG_OR_DELAY: N_("at unplugging, or after a delay"),
    Clears.UNLOCK_OR_RESET: N_("at an unlock command or a hard reset"),
    Clears.RESET: N_("at a hard reset"),
}


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a step. `post` sends a form, otherwise it is a link."""

    label: str
    url: str
    post: bool = False
    dialog: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A step. `done` None: the station cannot know."""

    text: str
    done: bool | None
    buttons: tuple[Button, ...]
    panels: tuple[tuple[str, Panel | None], ...] = ()
    """Live tests of meters, by the meter's key."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Light:
    """A ring that can be selected."""

    pattern: str
    seen: str
    meanings: tuple[str, ...]
    pages: tuple[Remedy, ...]


@cache
def lights() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Patterns that look alike, merged: the first of them, and all of them."""
    found: dict[tuple[object, ...], list[str]] = {}
    for name, pattern in PATTERNS.items():
        found.setdefault(_appearance(pattern), []).append(name)
    return tuple((names[0], tuple(names)) for names in found.values())


def _appearance(pattern: Pattern) -> tuple[object, ...]:
    return pattern.frames, pattern.repeat, pattern.rotates


def light_of(chosen: str, words: Words) -> Light | None:
    """The meaning of a ring, and links to further help."""
    names = next((names for first, names in lights() if first == chosen), ())
    if not names:
        return None
    slugs = dict.fromkeys(slug for name in names for slug in LIGHTS[name][1])
    return Light(
        chosen,
        words(SEEN[chosen]),
        tuple(words(LIGHTS[name][0]) for name in names),
        tuple(REMEDIES[slug] for slug in slugs),
    )


def matching_pages(query: str) -> list[Remedy]:
    """The pages that match the query in any language; all for an empty query."""
    everything = [search.Candidate(each, _text(each.slug)) for each in REMEDIES.values()]
    return search.best_matches(everything, query) if query.strip() else list(REMEDIES.values())


@cache
def _text(slug: str) -> search.Text:
    remedy = REMEDIES[slug]
    also = [slug, *HELP_WORDS.get(slug, "").split(";")]
    if remedy.kind is not None:
        also += [remedy.kind.code_16, remedy.kind.code_15, vendor_code(remedy.kind.fault)]
    steps = [text_of(step) for step in remedy.steps]
    return search.texts(remedy.title, also, [remedy.explanation, *steps])


def by_helper(remedies: list[Remedy], words: Words) -> list[tuple[str, list[Remedy]]]:
    """The pages, grouped by who is asked first."""
    return [
        (words(HELPERS[who]), group)
        for who in Who
        if (group := [remedy for remedy in remedies if remedy.who[0] is who])
    ]


@routes.get("/help")
async def help_index(
    request: Request,
    q: Annotated[str, Query(max_length=80)] = "",
    seen: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The index, or the list only while the visitor types in the search field."""
    words = words_for(request)
    groups = by_helper(matching_pages(q), words)
    if is_htmx(request):
        return HTMLResponse(part(request, "parts/help_list.html", groups=groups, query=q))
    status = station(request).status.snapshot()
    return await page(
        request,
        "help.html",
        groups=groups,
        query=q,
        lights=[(first, words(SEEN[first])) for first, _ in lights()],
        light=light_of(seen, words),
        problems=present.problems(status, socket_names(request), words),
        refused_card=refused(status, words),
    )


@routes.get("/help/{slug}")
async def help_page(request: Request, slug: Annotated[str, Path(max_length=60)]) -> Response:
    if slug not in REMEDIES:
        raise ApiError(404, "not_found", N_("There is no such page of help."))
    words, remedy = words_for(request), REMEDIES[slug]
    return await page(
        request,
        "help_page.html",
        stream=f"help?slug={slug}",
        can_charge=words(CAN_CHARGE[remedy.can_charge]),
        who_mends=[words(WHO[who]) for who in remedy.who],
        facts=facts(remedy.kind, words) if remedy.kind else (),
        restarts=any(step.action is RemedyAction.RESTART for step in remedy.steps),
        charging=any(socket.session for socket in station(request).status.snapshot().sockets),
        **variables(request, remedy),
    )


def variables(request: Request, remedy: Remedy) -> dict[str, Any]:
    """The variables of the live part."""
    services, words = station(request), words_for(request)
    status = services.status.snapshot()
    names = socket_names(request)
    where = help_checks.present_faults(status).get(remedy.fault, ()) if remedy.fault else ()
    steps = services.backend.view().steps if services.backend else ()
    judged = bool(where) or remedy.fault is None
    lines = [
        Line(
            words(text_of(step)),
            help_checks.passes(step.check, remedy, status, steps)
            if step.check and judged
            else None,
            buttons(step, remedy, request, status),
            *_about_meters(step, remedy, request),
        )
        for step in remedy.steps
    ]
    return {
        "remedy": remedy,
        "places": [_place(number, names, words) for number in where],
        "lines": lines,
        "limits": limits(request, remedy),
        "site_meter": site_meter_card(request) if remedy.fault is Fault.METER_EXTERNAL else None,
        "notices": _notices(services, words) if remedy.fault is Fault.STORAGE_DAMAGED else (),
    }


def _about_meters(
    step: RemedyStep, remedy: Remedy, request: Request
) -> tuple[tuple[tuple[str, Panel | None], ...], tuple[str, ...]]:
    if step.action is not RemedyAction.READ_METER:
        return (), ()
    return help_meters.panels(remedy, request), help_meters.places(remedy, request)


def _notices(services: StationServices, words: Words) -> list[str]:
    waiting = services.notices.entries if services.notices else ()
    return [notice.render(words) for notice in waiting]


def _place(number: int, names: Mapping[int, str], words: Words) -> str:
    if not number:
        return words("Station")
    return names.get(number) or words("Socket {n}").format(n=number)


def buttons(
    step: RemedyStep, remedy: Remedy, request: Request, status: StationStatus
) -> tuple[Button, ...]:
    """The buttons of a step, by the visitor's rights."""
    words, action = words_for(request), step.action
    if action is None or not visitor(request).role.includes(Role.OPERATOR):
        return ()
    if action in LINKS:
        url, label = LINKS[action]
        return (Button(words(label), url),)
    if action in COMMANDS:
        command, label = COMMANDS[action]
        return tuple(
            Button(
                words(label).format(n=socket.id), f"/connectors/{socket.id}/{command}", post=True
            )
            for socket in help_checks.affected_sockets(remedy, status)
        )
    match action:
        case RemedyAction.RESTART:
            return (Button(words("Restart …"), "", dialog="help-restart"),)
        case RemedyAction.CONFIRM_SETTINGS:
            revision = settings_of(station(request)).settings.revision
            url = f"/settings/confirm?revision={revision}"
            return (Button(words("Confirm the settings"), url, post=True),)
        case RemedyAction.TAKE_NOTE:
            return (Button(words("Acknowledge"), "/notices/acknowledge", post=True),)
        case RemedyAction.OPEN_SETTINGS:
            return setting_buttons(step, request)
        case RemedyAction.READ_METER:
            found = help_meters.read_buttons(remedy, request)
            return tuple(Button(label, url, post=True) for label, url in found)
        case _:
            return ()


def is_supported(step: RemedyStep) -> bool:
    """True if this version supports every setting of the step."""
    return all(key in ACTIVE for key in step.settings)


def text_of(step: RemedyStep) -> str:
    """The step's text, adapted to what this version supports."""
    return step.text if is_supported(step) or not step.without else step.without


def setting_buttons(step: RemedyStep, request: Request) -> tuple[Button, ...]:
    """The settings of a step that the visitor can see on their page."""
    words, principal = words_for(request), visitor(request).principal
    offered = {
        view.entry.key: view
        for view in settings_of(station(request)).list(principal)
        if view.active and view.visible and view.entry.key in step.settings
    }
    return tuple(
        Button(
            words(offered[key].entry.label),
            f"/settings/{offered[key].entry.menu.value}#{field_id(key)}",
        )
        for key in step.settings
        if key in offered
    )


def _translated(text: str, words: Words) -> str:
    """The text in the visitor's language, and in English as the backend receives it."""
    translated = words(text)
    return text if translated == text else f"{translated} ({text})"


def facts(kind: FaultKind, words: Words) -> tuple[tuple[str, str], ...]:
    """The technical details of a fault, as in backend and manual."""
    yes, no = words("yes"), words("no")
    codes = (
        kind.code_16 if kind.code_16 == kind.code_15 else f"{kind.code_16} (1.5: {kind.code_15})"
    )
    scope = words("Station") if kind.scope is FaultScope.STATION else words("Socket")
    return (
        (words("OCPP error code"), codes),
        (words("Vendor error code"), vendor_code(kind.fault)),
        (words("Reported at the beginning"), _translated(kind.activation, words)),
        (words("Reported at the end"), _translated(kind.resolution, words)),
        (words("Ends the session"), yes if kind.stops else no),
        (words("Prevents charging at the socket"), yes if kind.blocks else no),
        (words("Where"), scope),
        (words("Ends"), words(CLEARS[kind.clears])),
    )


def pieces(request: Request) -> dict[str, str]:
    """The live part of the page of this stream."""
    remedy = REMEDIES.get(request.query_params.get("slug", ""))
    if remedy is None:
        return {}
    return {"#help-now": part(request, "parts/help_now.html", **variables(request, remedy))}


def limits(request: Request, remedy: Remedy) -> list[tuple[str, str]]:
    """The limits to confirm: label and current value."""
    operator = visitor(request).role.includes(Role.OPERATOR)
    if remedy.fault is not Fault.SETTINGS_DAMAGED or not operator:
        return []
    words, settings = words_for(request), settings_of(station(request))
    return [
        (view.label.render(words), value_text(view.entry, view.value, words))
        for view in settings.limits_to_confirm(visitor(request).principal)
        if view.visible
    ]


@routes.post("/notices/acknowledge", OPERATOR)
async def acknowledge(request: Request) -> Response:
    """Acknowledge the notices about damaged data."""
    await form(request)
    notices = station(request).notices
    if notices is not None:
        await notices.acknowledge(visitor(request).principal)
    return done(request, words_for(request)(N_("Noted.")), "/help/storage-damaged")


@routes.post("/settings/confirm", OPERATOR)
async def confirm(request: Request, revision: int | None = None) -> Response:
    """Confirm the limits of a station that lost its settings."""
    await form(request)
    service = settings_of(station(request))
    try:
        await service.confirm_limits(visitor(request).principal, revision)
    except MayNotConfirm as error:
        raise ApiError(403, "login_only", error.message) from None
    except SettingsConflict:
        sentence = N_("The settings have changed meanwhile: compare them again.")
        raise ApiError(409, "changed", sentence) from None
    except SettingsNotSaved as error:
        raise ApiError(507, "not_saved", error.message) from None
    text = words_for(request)(N_("The settings are confirmed."))
    return done(request, text, "/help/settings-damaged")
