"""Errors with a sentence for people, whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from borne.foundation.messages import Explained, Message


class ApiError(Explained):
    """An answer that is an error; `details` join the JSON object."""

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
    """A body too large or too late: what reads bodies lets only the framework's errors through."""

    def __init__(self, status: int, template: str, **values: object) -> None:
        self.message = Message(template, values)
        super().__init__(status, str(self.message), {"Connection": "close"})


class BrokenOff(Exception):
    """A long answer that nobody may read any more."""


def wants_page(request: Request) -> bool:
    """Whether a person looks at it: not under /api, and the browser asks for HTML."""
    path = request.scope["path"]
    if path.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
        return False
    if "hx-request" in request.headers:
        return False
    return "text/html" in request.headers.get("accept", "")
