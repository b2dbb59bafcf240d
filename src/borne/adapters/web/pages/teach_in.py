"""Teach-in: a dialogue during which every card shown is added (manual 5.5).

The dialogue has a lease and renews it every few seconds; it expires when the page is closed.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.shell import form, part, partial, toast, words_for
from borne.adapters.web.pages.whitelists import connector_in, list_piece
from borne.adapters.web.routes import Routes
from borne.application.authorization.teach_in import TeachIn, TeachInResult, TeachInState
from borne.application.refusals import Refused
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

RESULTS: dict[TeachInResult, tuple[str, str, str]] = {
    TeachInResult.ADDED: ("circle-check", "ok", N_("{token} added")),
    TeachInResult.KNOWN: ("rotate-ccw", "", N_("{token} is in the list already")),
    TeachInResult.UNREADABLE: ("circle-x", "fault", N_("Not readable: hold the card for 2 s")),
    TeachInResult.RANDOM: (
        "circle-x",
        "fault",
        N_("This card has a different number at every reading: it cannot be added"),
    ),
    TeachInResult.NOT_SECURE: (
        "circle-x",
        "fault",
        N_("{token}: only cards protected against copying are accepted"),
    ),
    TeachInResult.LIST_FULL: ("circle-x", "fault", N_("{token}: the list is full")),
}
"""Icon, tone and message of each result."""


def teach_in_of(request: Request) -> TeachIn:
    """The teach-in of the running station. Raises ApiError."""
    found = station(request).teach_in
    if found is None:
        raise ApiError(404, "no_teach_in", N_("This station does not support teach-in."))
    return found


def events(state: TeachInState | None, words: Words) -> list[dict[str, Any]]:
    """The lines of the log, newest first."""
    if state is None:
        return []
    found: list[dict[str, Any]] = []
    for index, event in enumerate(state.events):
        icon, tone, text = RESULTS[event.result]
        found.append(
            {
                "number": len(state.events) - index,
                "icon": icon,
                "tone": tone,
                "text": words(text).format(token=event.token),
                "named": event.result is TeachInResult.ADDED,
                "token": event.token,
                "connector": event.connector or "",
            }
        )
    return found


def pieces(request: Request) -> dict[str, str]:
    """The live part of the whitelists page: the running teach-in and its log."""
    services, words = station(request), words_for(request)
    state = services.teach_in.state() if services.teach_in else None
    found = {"#teach-note": part(request, "parts/teach_note.html", running=state)}
    if state is not None:
        found["#teach-log"] = _log(request, state, words)
    return found


def _log(request: Request, state: TeachInState | None, words: Words) -> str:
    return part(request, "parts/teach_log.html", events=events(state, words))


def _running(request: Request, lease: str, state: TeachInState) -> str:
    words = words_for(request)
    simulator = station(request).simulator
    content = part(
        request,
        "parts/teach_running.html",
        lease=lease,
        remaining_s=round(state.remaining_s),
        reader=state.reader,
        bind=state.bind,
        connectors=_connectors(request),
        sample_cards=simulator.view()["cards"] if simulator else (),
    )
    return partial("#teach-body", content) + partial("#teach-log", _log(request, state, words))


@routes.post("/whitelists/teach")
async def start(request: Request) -> Response:
    fields, teach_in = await form(request), teach_in_of(request)
    lease = teach_in.start(
        visitor(request).principal,
        reader=connector_in(fields, "reader"),
        bind=connector_in(fields, "bind"),
    )
    return HTMLResponse(_running(request, lease, teach_in.renew(lease)))


@routes.post("/whitelists/teach/renew")
async def renew(request: Request) -> Response:
    """Keep the teach-in alive while its dialogue is open."""
    return await _go_on(request, longer=False)


@routes.post("/whitelists/teach/prolong")
async def prolong(request: Request) -> Response:
    return await _go_on(request, longer=True)


@routes.post("/whitelists/teach/choose")
async def choose(request: Request) -> Response:
    """Restrict to a reader, or bind entries to a socket."""
    fields, teach_in = await form(request), teach_in_of(request)
    lease = fields.get("lease", "")[:100]
    reader, bind = connector_in(fields, "reader"), connector_in(fields, "bind")
    try:
        state = teach_in.choose(lease, reader=reader, bind=bind)
    except Refused:
        return HTMLResponse(_beginning(request, over=True) + list_piece(request))
    return HTMLResponse(_running(request, lease, state))


async def _go_on(request: Request, *, longer: bool) -> Response:
    lease, teach_in = (await form(request)).get("lease", "")[:100], teach_in_of(request)
    try:
        state = teach_in.prolong(lease) if longer else teach_in.renew(lease)
    except Refused:
        return HTMLResponse(_beginning(request, over=True) + list_piece(request))
    return HTMLResponse(_running(request, lease, state))


@routes.post("/whitelists/teach/finish")
async def finish(request: Request) -> Response:
    """The dialogue was closed: end, and show the added cards."""
    lease, words = (await form(request)).get("lease", "")[:100], words_for(request)
    text = ""
    try:
        taught = teach_in_of(request).finish(lease)
    except Refused:
        pass
    else:
        added = sum(1 for event in taught if event.result is TeachInResult.ADDED)
        text = words.plural("{n} card added.", "{n} cards added.", added)
        if added:
            text = f"{text} {words('They apply at once: no restart is needed.')}"
    fresh = partial("#teach-log", _log(request, None, words)) + list_piece(request)
    message = toast(request, text) if text else ""
    return HTMLResponse(_beginning(request, over=False) + fresh + message)


def _beginning(request: Request, *, over: bool) -> str:
    return partial("#teach-body", part(request, "parts/teach_start.html", over=over))


def _connectors(request: Request) -> list[int]:
    return [socket.id for socket in station(request).status.snapshot().sockets]
