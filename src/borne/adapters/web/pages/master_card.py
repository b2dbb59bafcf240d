"""The master card (manual 5.3, "Enforce Master RFID"): registered on the account page, held to the
reader when a password is forgotten.

The request waits until the card was held. If the browser disconnects, the wait ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR, PUBLIC
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.shell import form, setting
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.authorization.master_card import MasterCard
from borne.application.refusals import Refused
from borne.domain.principals import Role
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

T = TypeVar("T")
SOURCE = "web"
OUTCOMES: dict[str, tuple[str, str]] = {
    "reset": (
        "ok",
        N_("The passwords are reset. Log in as operator with the printed one and set a new one."),
    ),
    "registered": ("ok", N_("This is the master card now. Keep it in a safe place.")),
    "removed": ("ok", N_("There is no master card any more.")),
    "missed": ("fault", N_("The card was not held to the reader in time.")),
    "busy": ("fault", N_("The station is already waiting for a card.")),
    "no_master_card": ("fault", N_(N_("The station knows no master card."))),
    "random_token": ("fault", N_("This card has a different number at every reading.")),
    "unreadable": ("fault", N_("This card cannot be read.")),
    "enforced": (
        "warn",
        N_("This station requires a master card: register one that resets forgotten passwords."),
    ),
}
"""Tone and message of each outcome; the key is in the URL."""


def outcome(key: str, words: Words) -> tuple[str, str] | None:
    """Tone and message for an outcome; None without one."""
    found = OUTCOMES.get(key)
    return (found[0], words(found[1])) if found else None


def is_known(request: Request) -> bool:
    """True if the station has a master card."""
    services = web_state(request.app).host.services()
    return bool(services and services.master_card and services.master_card.known)


def is_missing(request: Request, role: Role) -> bool:
    """True if this role must register a master card first."""
    enforced = setting(request, "EnforceMasterRFID", default=False)
    return bool(enforced) and role.includes(Role.OPERATOR) and not is_known(request)


def first_page(request: Request, role: Role, target: str) -> str:
    """The page after login: `target`, or the account page if the master card is missing."""
    return "/account?card=enforced" if is_missing(request, role) else target


@routes.post("/login/master-card", PUBLIC)
async def reset_passwords(request: Request) -> Response:
    """Wait for the master card. It proves the right, so no login is needed."""
    await form(request)
    try:
        came = await while_connected(request, _card(request).reset_passwords())
    except Refused as refused:
        return _to("/login", refused.code)
    return _to("/login", "reset" if came else "missed")


@routes.post("/account/master-card")
async def register(request: Request) -> Response:
    """Wait for a card and make it the master card."""
    await form(request)
    _people_only(request)
    try:
        card = while_connected(request, _card(request).next_card())
        number = await web_state(request.app).while_admitted(visitor(request), card)
    except Refused as refused:
        return _to("/account", refused.code)
    if number is None:
        return _to("/account", "missed")
    return await _store(request, number, "registered")


@routes.post("/account/master-card/remove")
async def remove(request: Request) -> Response:
    await form(request)
    _people_only(request)
    return await _store(request, "", "removed")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None, with `work` cancelled, if the browser disconnects."""
    waiting = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
        return await waiting if waiting.done() else None
    finally:
        gone.cancel()
        waiting.cancel()


async def _store(request: Request, number: str, note: str) -> Response:
    principal = visitor(request).principal
    await station(request).settings.change({"MasterRFID": number}, principal, SOURCE)
    return _to("/account", note)


def _card(request: Request) -> MasterCard:
    found = station(request).master_card
    if found is None:
        raise Refused("no_master_card", N_("The station knows no master card."))
    return found


def _people_only(request: Request) -> None:
    if visitor(request).login is None:
        raise ApiError(403, "login_only", N_("This needs a login; a token does not suffice."))


def _to(page: str, note: str) -> Response:
    return RedirectResponse(f"{page}?card={note}", 303)
