"""Access control: every request passes `admit` before its body is read.

Order of the checks: power, simulator, identity, forged requests, forced password change, role.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from borne.adapters.web.access import Access
from borne.adapters.web.errors import ApiError, BrokenOff, wants_page
from borne.adapters.web.state import WebState, web_state
from borne.adapters.web.visitor import Visitor
from borne.application.people.accounts import Accounts, token_principal
from borne.application.refusals import too_weak
from borne.application.services import StationServices
from borne.domain.principals import Role
from borne.foundation.addresses import is_loopback
from borne.foundation.messages import N_

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
EVENT_STREAM = "text/event-stream"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NO_POWER = ApiError(503, "no_power", N_("The station has no power."))
BEARER_LONGEST = 200


def visitor(request: Request) -> Visitor:
    """The visitor of an admitted request that required a login."""
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found


def maybe_visitor(request: Request) -> Visitor | None:
    """The visitor if logged in; also available on public pages and error pages."""
    found = getattr(request.state, "visitor", None)
    return found if isinstance(found, Visitor) else None


def station(request: Request) -> StationServices:
    """The running station of an admitted request."""
    services = web_state(request.app).host.services()
    if services is None:
        raise NO_POWER
    return services


def client_address(request: Request) -> str:
    """The peer address of the connection; no header is trusted."""
    return request.client.host if request.client else ""


def cookie_name(request: Request) -> str:
    """Contains the port, because browsers do not separate cookies by port."""
    server = request.scope.get("server")
    return f"borne_{server[1]}" if server and server[1] else "borne"


def guarded(access: Access, handle: Handler) -> Handler:
    """Wraps a request handler with access control."""

    async def handle_admitted(request: Request) -> Response:
        turned_away = await admit(request, access)
        if turned_away is not None:
            return turned_away
        response = await handle(request)
        who = maybe_visitor(request)
        # An event stream ends itself, with an event for the client.
        if (
            who is not None
            and isinstance(response, StreamingResponse)
            and response.media_type != EVENT_STREAM
        ):
            web = web_state(request.app)
            response.body_iterator = _while_admitted(web, who, response.body_iterator)
        return response

    return handle_admitted


async def admit(request: Request, access: Access) -> Response | None:
    """None if the visitor may pass, otherwise a redirect. Raises ApiError."""
    web = web_state(request.app)
    accounts = web.accounts()
    if access.power and web.host.services() is None:
        with contextlib.suppress(ApiError):
            request.state.visitor = identify(request, accounts)
        raise NO_POWER
    found = identify(request, accounts)
    request.state.visitor = found
    if access.simulator:
        _check_simulator(request, web)
    if request.method not in SAFE_METHODS and (found is None or found.login is not None):
        _check_origin(request, needed=found is not None)
    if access.role is None or (found is None and _is_open(web, access)):
        return None
    if found is None:
        return _to_login(request)
    if found.login is not None and found.login.must_change and not access.before_change:
        if wants_page(request):
            return RedirectResponse("/account/password", 303)
        raise ApiError(403, "password_change_required", N_("Set a new password first."))
    _check_role(found, access, access.role)
    return None


def access_ended() -> ApiError:
    """The answer if the login or token ended while the request was waiting."""
    return ApiError(401, "login_required", N_("The login or API token has ended meanwhile."))


async def _while_admitted(
    web: WebState, who: Visitor, pieces: AsyncIterable[T]
) -> AsyncIterator[T]:
    async for piece in pieces:
        if not web.admits(who):
            raise BrokenOff
        yield piece


def identify(request: Request, accounts: Accounts | None) -> Visitor | None:
    """The visitor of a valid token or cookie. An invalid token is an error, an invalid cookie is
    ignored."""
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        stored = None
        if scheme.lower() == "bearer" and accounts is not None and len(token) <= BEARER_LONGEST:
            stored = accounts.token(token.strip())
        if stored is None:
            raise ApiError(401, "wrong_token", N_("The API token is not valid."))
        return Visitor(token_principal(stored), None, stored.hash)
    cookie = request.cookies.get(cookie_name(request), "")
    if not cookie or len(cookie) > BEARER_LONGEST or accounts is None:
        return None
    login = accounts.logins.find(cookie)
    return Visitor(login.principal, login, login.key) if login else None


def _check_simulator(request: Request, web: WebState) -> None:
    if web.host.simulator is None or web.host.power is None:
        raise ApiError(404, "no_simulator", N_("The hardware of this station is not simulated."))
    if not web.host.remote_simulator and not is_loopback(client_address(request)):
        message = N_("The simulator can only be used from the machine on which it runs.")
        raise ApiError(403, "loopback_only", message)


def _check_origin(request: Request, *, needed: bool) -> None:
    """Refuse requests that another site made the browser send. Browsers send the site of origin
    over HTTPS and on localhost, and always send the origin of an unsafe request."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif origin is not None:
        allowed = origin.partition("://")[2].lower() == request.headers.get("host", "").lower()
    else:
        allowed = not needed
    if not allowed:
        raise ApiError(403, "foreign_origin", N_("The request comes from another site."))


def _is_open(web: WebState, access: Access) -> bool:
    services = web.host.services()
    return bool(access.open_by and services and services.settings.settings.flag(access.open_by))


def _check_role(found: Visitor, access: Access, role: Role) -> None:
    if not found.role.includes(role):
        details = {"role": found.role.value, "needed": role.value}
        raise ApiError(403, "forbidden", too_weak(found.role, role), details)
    if access.simulator and not found.role.includes(Role.OPERATOR):
        raise ApiError(403, "forbidden", N_("The simulator needs the role operator."))


def _to_login(request: Request) -> Response:
    if wants_page(request) and request.method in SAFE_METHODS:
        target = request.url.path
        if request.url.query:
            target += "?" + request.url.query
        where = "/login" if target == "/" else f"/login?next={quote(target, safe='/')}"
        return RedirectResponse(where, 303)
    raise ApiError(401, "login_required", N_("Log in, or send an API token."))
