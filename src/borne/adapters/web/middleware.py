"""Outermost layer of every response: own host names only, size and time limits, security headers,
no stack traces.

Pure ASGI, so that event streams pass unbuffered.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from borne.adapters.web.error_answers import unforeseen
from borne.adapters.web.errors import ApiError, BodyRefused, BrokenOff, wants_page
from borne.adapters.web.hosts import refusal
from borne.adapters.web.pages.problem import problem_page
from borne.adapters.web.state import web_state
from borne.foundation.messages import N_

_log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
"""For ordinary requests: a change of all settings has some 30 kB."""
LARGE_BODY_LIMIT = 4 * 1024 * 1024
LARGE_BODIES = ("/whitelists/import",)
BODY_TIMEOUT_S = 20.0
LARGE_BODY_TIMEOUT_S = 120.0
"""For the whole body, so that a slow sender cannot prolong it."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would turn the Origin of forms into "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Shell:
    """Outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        large = scope["path"] in LARGE_BODIES
        limit = LARGE_BODY_LIMIT if large else BODY_LIMIT
        timeout_s = LARGE_BODY_TIMEOUT_S if large else BODY_TIMEOUT_S
        request = Request(scope)
        foreign = await refusal(request, web_state(request.app).host_names())
        if foreign is not None:
            await foreign(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _limited(scope, receive, limit, timeout_s), send_with_headers)
        except BrokenOff:
            _log.info("a response was aborted: its login or token has ended")
        except Exception:
            error_id, body_bytes = unforeseen(scope["path"])
            if answered:
                return
            if wants_page(request):
                message = N_("Something went wrong inside the station.")
                error = ApiError(500, "internal_error", message, {"error_id": error_id})
                response = await problem_page(request, error)
                await response(scope, receive, send_with_headers)
            else:
                await _plain(send_with_headers, 500, body_bytes)


def _limited(scope: Scope, receive: Receive, limit: int, timeout_s: float) -> Receive:
    length = Headers(scope=scope).get("content-length", "")
    announced = int(length) if length.isascii() and length.isdigit() else 0
    received = 0
    complete = False
    deadline_s = asyncio.get_running_loop().time() + timeout_s

    async def limited() -> Message:
        nonlocal received, complete
        if announced > limit:
            raise _too_large(limit)
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline_s):
                message = await receive()
        except TimeoutError:
            raise BodyRefused(408, N_("The body did not arrive in time.")) from None
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > limit:
                raise _too_large(limit)
        return message

    return limited


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(413, N_("The body is larger than {limit} kB."), limit=limit // 1024)


async def _plain(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
