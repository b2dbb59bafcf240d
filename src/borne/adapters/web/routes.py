"""The routes of a module: each is declared once, with what it demands.

Rights, description of the API and the tests that walk through all routes follow from that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypedDict, TypeVar, Unpack

from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from borne.adapters.web.access import Access
from borne.adapters.web.guard import guarded

API = "/api/v1"
Endpoint = Callable[..., Awaitable[object]]
F = TypeVar("F", bound=Endpoint)


class About(TypedDict, total=False):
    """What the description of the API says of a route."""

    summary: str
    status_code: int
    """Of success; else 200."""
    response_class: type[Response]
    answer: object
    """Type of the JSON answer, where the endpoint returns a ready response; else it is the type
    that the endpoint returns."""
    described: bool
    """False: left out of the description."""


class GuardedRoute(APIRoute):
    """A route behind the guard."""

    def __init__(
        self, method: str, path: str, endpoint: Endpoint, access: Access, tag: str, about: About
    ) -> None:
        self.method = method
        self.access = access
        self.answer = about.get("answer")
        super().__init__(
            path,
            endpoint,
            methods=[method],
            response_model=None,
            tags=[tag],
            summary=about.get("summary"),
            status_code=about.get("status_code"),
            response_class=about.get("response_class", JSONResponse),
            include_in_schema=about.get("described", bool(tag)),
        )

    def get_route_handler(self) -> Callable[..., Any]:
        """Admission first, then FastAPI's handling."""
        return guarded(self.access, super().get_route_handler())


class Routes:
    """The routes of a module; `access` holds for each that names no other. Those with a tag are
    part of the description of the API."""

    def __init__(self, access: Access, prefix: str = "", tag: str = "") -> None:
        self._access = access
        self._prefix = prefix
        self._tag = tag
        self._routes: list[GuardedRoute] = []

    def __iter__(self) -> Iterator[GuardedRoute]:
        return iter(self._routes)

    def add(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        access: Access | None = None,
        **about: Unpack[About],
    ) -> None:
        """Add a route; `path` comes after the prefix of the module."""
        where, demanded = self._prefix + path, access or self._access
        self._routes.append(GuardedRoute(method, where, endpoint, demanded, self._tag, about))

    def get(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a route that only reads."""
        return self._declare("GET", path, access, about)

    def post(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a route that does something."""
        return self._declare("POST", path, access, about)

    def put(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a route that sets something."""
        return self._declare("PUT", path, access, about)

    def patch(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a route that changes some members."""
        return self._declare("PATCH", path, access, about)

    def delete(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a route that removes something."""
        return self._declare("DELETE", path, access, about)

    def _declare(
        self, method: str, path: str, access: Access | None, about: About
    ) -> Callable[[F], F]:
        def declare(endpoint: F) -> F:
            self.add(method, path, endpoint, access, **about)
            return endpoint

        return declare
