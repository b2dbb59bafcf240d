"""Errors with a translatable message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from borne.foundation.messages import Explained, Message


class ApiError(Explained):
    """An error response; `details` are added to the JSON object."""

    def __init__(
        self,
        status: int,
        code: str,
        message: Message | str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details or {}


class BodyRefused(HTTPException):
    """The body is too large or too late. Derived from HTTPException, the only exceptions that pass
    through the body parser."""

    def __init__(self, status: int, template: str, **values: object) -> None:
        self.message = Message(template, values)
        super().__init__(status, str(self.message), {"Connection": "close"})


class BrokenOff(Exception):
    """A long response was aborted because its login or token ended."""


def wants_page(request: Request) -> bool:
    """True if the client expects a page: not under /api, and HTML is accepted."""
    path = request.scope["path"]
    if path.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
        return False
    if "hx-request" in request.headers:
        return False
    return "text/html" in request.headers.get("accept", "")
