"""Account page: passwords, API tokens, appearance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import ACCOUNT, OPERATOR, USER
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.entrance import accounts_of
from borne.adapters.web.pages.master_card import first_page, is_missing, outcome
from borne.adapters.web.pages.shell import form, page, setting, words_for
from borne.adapters.web.routes import Routes
from borne.adapters.web.visitor import Visitor
from borne.application.people.accounts import (
    NotAllowed,
    PasswordRefused,
    TooManyTokens,
    TryLater,
    WrongPassword,
)
from borne.application.people.logins import LoginWay
from borne.application.people.passwords import SHORTEST, Weakness
from borne.application.ports.simulator import CardView
from borne.domain.principals import Role
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

WEAKNESSES: dict[Weakness, str] = {
    Weakness.TOO_SHORT: N_("Use at least {n} characters."),
    Weakness.TOO_LONG: N_("That is too long."),
    Weakness.PRINTED: N_("This password is printed in the manual. Choose another one."),
    Weakness.SAME_AS_NAME: N_("It must not be the user name."),
    Weakness.NOT_STRONG: N_("Use lower and upper case letters, digits and a special character."),
}


def weakness_text(words: Words, why: Weakness) -> str:
    """Explains why a new password is refused."""
    return words(WEAKNESSES[why]).format(n=SHORTEST)


@routes.get("/account", USER)
async def account(request: Request, card: Annotated[str, Query(max_length=20)] = "") -> Response:
    return await _account(request, card_outcome=outcome(card, words_for(request)))


async def _account(
    request: Request,
    *,
    http_status: int = 200,
    problem: str = "",
    shown_token: str = "",
    card_outcome: tuple[str, str] | None = None,
) -> Response:
    who, accounts = visitor(request), accounts_of(request)
    weaker = [role for role in Role if who.role.includes(role) and role is not who.role]
    others = [(role, await accounts.has_password(role)) for role in weaker]
    return await page(
        request,
        "account.html",
        http_status,
        others=others,
        own_password=await accounts.has_password(who.role),
        tokens=accounts.tokens(who.principal),
        token_roles=[role for role in Role if who.role.includes(role)],
        problem=problem,
        shown_token=shown_token,
        by_person=who.login is not None,
        card_outcome=card_outcome,
        master_card=_tail(str(setting(request, "MasterRFID", ""))),
        card_missing=is_missing(request, who.role),
        sample_cards=_sample_cards(request),
    )


def _tail(number: str) -> str:
    return Identity(IdentityKind.RFID, number).masked.replace("...", "…") if number else ""


def _sample_cards(request: Request) -> Sequence[CardView]:
    simulator = station(request).simulator
    return simulator.view()["cards"] if simulator else ()


@routes.get("/account/password", ACCOUNT)
async def password_page(request: Request) -> Response:
    return await _password_page(request, "", 200)


async def _password_page(request: Request, problem: str, http_status: int) -> Response:
    who = visitor(request)
    forced = who.login is not None and who.login.must_change
    proved = forced or (who.login is not None and who.login.way is LoginWay.LINK)
    template = "password_first.html" if forced else "password.html"
    return await page(
        request,
        template,
        http_status,
        problem=problem,
        needs_current=not proved and await accounts_of(request).has_password(who.role),
        shortest=SHORTEST,
    )


@routes.post("/account/password", ACCOUNT)
async def change_password(request: Request) -> Response:
    """Change the visitor's own password."""
    who, words, fields = visitor(request), words_for(request), await form(request)
    if who.login is None:
        raise ApiError(403, "login_only", N_("An API token has no password."))
    new = fields.get("new", "")[:1000]
    if new != fields.get("again", ""):
        problem = words("The two new passwords are not the same.")
        return await _password_page(request, problem, 422)
    try:
        await accounts_of(request).change_password(who.login, fields.get("current", ""), new)
    except PasswordRefused as error:
        return await _password_page(request, weakness_text(words, error.why), 422)
    except WrongPassword:
        return await _password_page(request, words("The current password is wrong."), 422)
    except TryLater as error:
        problem = words("Too many wrong attempts. Try again in {n} s.").format(
            n=int(error.wait_s) + 1
        )
        return await _password_page(request, problem, 429)
    if not who.login.must_change:
        return RedirectResponse("/account?saved=1", 303)
    return RedirectResponse(first_page(request, who.role, "/"), 303)


@routes.post("/account/passwords/{role}")
async def set_password(request: Request, role: Role) -> Response:
    """Set or remove the password of a weaker role; it must be changed at first use."""
    who, words, fields = visitor(request), words_for(request), await form(request)
    person_only(who)
    new = fields.get("new", "")[:1000]
    try:
        await accounts_of(request).set_password(role, new or None, who.principal, temporary=True)
    except NotAllowed:
        raise ApiError(
            403, "forbidden", N_("Only a stronger role can set this password.")
        ) from None
    except PasswordRefused as error:
        name = words(role.value)
        problem = f"{name}: {weakness_text(words, error.why)}"
        return await _account(request, http_status=422, problem=problem)
    return RedirectResponse("/account?saved=1", 303)


@routes.post("/account/tokens")
async def create_token(request: Request) -> Response:
    """Create an API token; it is shown once, in the response."""
    who, words, fields = visitor(request), words_for(request), await form(request)
    person_only(who)
    try:
        role = Role(fields.get("role", ""))
        _, token = await accounts_of(request).create_token(
            role, fields.get("name", "").strip() or words("unnamed"), who.principal
        )
    except (ValueError, NotAllowed):
        raise ApiError(403, "forbidden", N_("A token cannot have more rights than you.")) from None
    except TooManyTokens:
        problem = words("There are too many API tokens. Remove one first.")
        return await _account(request, http_status=409, problem=problem)
    return await _account(request, shown_token=token)


@routes.post("/account/tokens/{token_id}/delete")
async def remove_token(request: Request, token_id: Annotated[str, Path(max_length=40)]) -> Response:
    who, accounts = visitor(request), accounts_of(request)
    person_only(who)
    await form(request)
    if not await accounts.remove_token(token_id, who.principal):
        raise ApiError(404, "not_found", N_("There is no such token."))
    return RedirectResponse("/account", 303)


def person_only(who: Visitor) -> None:
    """Tokens must not create tokens: a leaked one would outlive its removal."""
    if who.login is None:
        raise ApiError(403, "login_only", N_("This needs a login; a token does not suffice."))
