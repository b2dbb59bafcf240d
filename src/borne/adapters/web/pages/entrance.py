"""Login, logout, one-time links, preferences, and addresses of older controllers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import HOST, LOGOUT, PUBLIC
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import (
    client_address,
    cookie_name,
    maybe_visitor,
)
from borne.adapters.web.i18n import COOKIE as LANGUAGE_COOKIE
from borne.adapters.web.i18n import available
from borne.adapters.web.pages.master_card import first_page, is_known, outcome
from borne.adapters.web.pages.shell import (
    CALM_COOKIE,
    THEME_COOKIE,
    THEMES,
    form,
    local_path,
    page,
    words_for,
)
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.people.accounts import Accounts, LinkRefused, TryLater, WrongPassword
from borne.foundation.messages import N_

routes = Routes(HOST)

CHAPTERS_OF_KEYS = {"doc_1", "doc_2"}
YEAR_S = 365 * 24 * 3600
SECRET_LONGEST = 100


def accounts_of(request: Request) -> Accounts:
    """The accounts of the station."""
    accounts = web_state(request.app).accounts()
    if accounts is None:
        raise ApiError(503, "no_power", N_("The station has no power."))
    return accounts


@routes.get("/login", PUBLIC)
async def login_page(
    request: Request,
    next: str = "/",  # noqa: A002 -- name in the URL
    card: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The login form; redirects if logged in already."""
    if maybe_visitor(request) is not None:
        return RedirectResponse(local_path(next), 303)
    card_outcome = outcome(card, words_for(request))
    name = "operator" if card == "reset" else ""
    return await _login_page(request, next=local_path(next), name=name, card_outcome=card_outcome)


async def _login_page(request: Request, status: int = 200, **variables: Any) -> Response:
    known = is_known(request)
    defaults = {"next": "/", "problem": "", "name": "", "wait_s": 0, "card_outcome": None}
    return await page(request, "login.html", status, **defaults | variables, master_card=known)


@routes.post("/login", PUBLIC)
async def login(request: Request) -> Response:
    """Check name and password."""
    fields = await form(request)
    words = words_for(request)
    name, target = fields.get("name", "")[:60], local_path(fields.get("next", "/"))
    problem, wait_s = "", 0
    try:
        cookie, opened = await accounts_of(request).login(
            name, fields.get("password", "")[:1000], client_address(request)
        )
    except WrongPassword:
        problem = words("The user name or the password is wrong.")
    except TryLater as error:
        wait_s = int(error.wait_s) + 1
        problem = words("Too many wrong attempts.")
    else:
        if opened.must_change:
            target = "/account/password"
        else:
            target = first_page(request, opened.principal.role, target)
        return with_login(request, RedirectResponse(target, 303), cookie)
    status = 429 if wait_s else 401
    response = await _login_page(
        request, status, next=target, problem=problem, name=name, wait_s=wait_s
    )
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


@routes.get("/login/{secret}", PUBLIC)
async def login_link(
    request: Request, secret: Annotated[str, Path(max_length=SECRET_LONGEST)]
) -> Response:
    """Use a one-time link that was created on this machine."""
    try:
        cookie, _ = await accounts_of(request).use_link(secret, client_address(request))
    except LinkRefused:
        words = words_for(request)
        problem = words("This link was used already, has expired, or is for another machine.")
        return await _login_page(request, 403, problem=problem)
    return with_login(request, RedirectResponse("/", 303), cookie)


@routes.post("/logout", LOGOUT)
async def logout(request: Request) -> Response:
    who, accounts = maybe_visitor(request), web_state(request.app).accounts()
    if who is not None and who.login is not None and accounts is not None:
        accounts.logout(who.login)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(cookie_name(request), path="/")
    return response


@routes.post("/preferences")
async def preferences(request: Request) -> Response:
    """Set language, theme and calm display of this browser."""
    fields = await form(request)
    response = RedirectResponse(local_path(fields.get("next", "/")), 303)
    if fields.get("language") in available():
        remember(response, LANGUAGE_COOKIE, fields["language"])
    if fields.get("theme") in THEMES:
        remember(response, THEME_COOKIE, fields["theme"])
    if fields.get("calm") in {"0", "1"}:
        remember(response, CALM_COOKIE, fields["calm"])
    return response


@routes.get("/operator")
@routes.get("/operator/operator")
@routes.get("/legacy")
@routes.get("/legacy/{chapter:path}")
async def old_address() -> Response:
    """Redirect the addresses that the manual names (2, 7.3)."""
    return RedirectResponse("/login?next=/settings/installation", 303)


@routes.get("/doc")
async def old_documentation() -> Response:
    """Redirect the documentation of older controllers."""
    return RedirectResponse("/login?next=/help", 303)


@routes.get("/doc/{chapter}")
async def old_chapter(chapter: Annotated[str, Path(max_length=40)]) -> Response:
    """Redirect a chapter; two of them are lists of keys."""
    target = "/settings/search" if chapter in CHAPTERS_OF_KEYS else "/help"
    return RedirectResponse(f"/login?next={target}", 303)


def with_login(request: Request, response: Response, cookie: str) -> Response:
    """Add the login cookie to a response."""
    response.set_cookie(
        cookie_name(request),
        cookie,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


def remember(response: Response, name: str, value: str) -> None:
    """Set a preference cookie for one year."""
    response.set_cookie(name, value, max_age=YEAR_S, path="/", httponly=True, samesite="lax")
