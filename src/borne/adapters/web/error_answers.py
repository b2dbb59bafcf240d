"""Error responses: JSON for programs, pages for people."""

from __future__ import annotations

import json
import logging
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from borne.adapters.web.errors import ApiError, BodyRefused, wants_page
from borne.adapters.web.pages.problem import problem_page
from borne.adapters.web.pages.shell import words_for
from borne.application.people.accounts import Busy
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.application.refusals import Refused
from borne.foundation.messages import N_, Message, verbatim

_log = logging.getLogger(__name__)

CODES = {
    400: "bad_request",
    401: "login_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    421: "foreign_host",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
HTTP_SENTENCES = {404: N_("Not Found"), 405: N_("Method Not Allowed")}
"""Messages of the framework, by status."""
JSON_PROBLEMS = {"json_invalid"}


async def answer(request: Request, error: ApiError) -> Response:
    """The error as a page or as JSON."""
    if wants_page(request):
        return await problem_page(request, error)
    message = for_reader(request, error.message)
    body = {"error": error.code, "message": message, **error.details}
    # ASCII: a message may quote what cannot be written as UTF-8.
    response = Response(json.dumps(body), error.status, media_type="application/json")
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="borne"'
    if "retry_after_s" in error.details:
        response.headers["Retry-After"] = str(int(error.details["retry_after_s"]) + 1)
    return response


def for_reader(request: Request, message: Message) -> str:
    """The message in the visitor's language for background requests of a page, in English for
    programs."""
    if "hx-request" not in request.headers:
        return str(message)
    return message.render(words_for(request))


def install(app: FastAPI) -> None:
    """Register handlers for all expected exceptions."""

    @app.exception_handler(ApiError)
    async def _known(request: Request, error: ApiError) -> Response:
        return await answer(request, error)

    @app.exception_handler(Refused)
    async def _refused(request: Request, error: Refused) -> Response:
        return await answer(request, ApiError(status_of(error.code), error.code, error.message))

    @app.exception_handler(StorageFull)
    async def _full(request: Request, error: StorageFull) -> Response:  # noqa: ARG001 -- its text is for logs
        return await answer(
            request, ApiError(507, "disk_full", N_("The disk is full; nothing was stored."))
        )

    @app.exception_handler(StorageFailed)
    async def _failed(request: Request, error: StorageFailed) -> Response:
        _log.error("nothing was stored while answering %s: %s", request.scope["path"], error)
        message = N_("The station's memory does not answer; nothing was stored.")
        return await answer(request, ApiError(503, "storage_failed", message))

    @app.exception_handler(Busy)
    async def _busy(request: Request, error: Busy) -> Response:  # noqa: ARG001 -- it has no text
        return await answer(
            request,
            ApiError(503, "busy", N_("Too many logins at once; try again."), {"retry_after_s": 1}),
        )

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, from_validation(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        code = CODES.get(error.status_code, "error")
        response = await answer(request, ApiError(error.status_code, code, _sentence(error)))
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response


def status_of(refusal: str) -> int:
    """HTTP status of a refusal by its code: 403 for `forbidden`, 404 for `not_found` and
    `unknown_...`, 422 for `invalid...`, otherwise 409 (conflict with the state of the station)."""
    if refusal == "forbidden":
        return 403
    if refusal == "not_found" or refusal.startswith("unknown_"):
        return 404
    return 422 if refusal.startswith("invalid") else 409


def _sentence(error: HTTPException) -> Message | str:
    if isinstance(error, BodyRefused):
        return error.message
    return HTTP_SENTENCES.get(error.status_code) or verbatim(str(error.detail))


def from_validation(error: RequestValidationError) -> ApiError:
    """The problems of a request, one sentence per field."""
    problems = list(error.errors())
    if any(problem["type"] in JSON_PROBLEMS for problem in problems):
        return ApiError(400, "bad_json", N_("The body is not valid JSON."))
    fields = {_place(problem["loc"]): str(problem["msg"]) for problem in problems[:20]}
    message = "; ".join(f"{place}: {text}" for place, text in fields.items())
    return ApiError(422, "invalid", verbatim(message), {"errors": fields})


def _place(location: tuple[int | str, ...]) -> str:
    parts = location[1:] if len(location) > 1 else location
    return ".".join(str(part) for part in parts)[:200]


def unforeseen(path: str) -> tuple[str, bytes]:
    """Log the current exception under an id; returns the id and a JSON body for the client."""
    error_id = secrets.token_hex(4)
    _log.exception("error %s while answering %s", error_id, path)
    body = {
        "error": "internal_error",
        "message": f"Something went wrong inside the station (error {error_id}).",
        "error_id": error_id,
    }
    return error_id, json.dumps(body).encode()
