"""Routes of the web modules, each declared once together with its access.

The guard, the API description and the tests of all routes read them from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypedDict, TypeVar, Unpack

from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from borne.adapters.web.access import Access
from borne.adapters.web.guard import guarded
from borne.application.commands import Command

API = "/api/v1"
Endpoint = Callable[..., Awaitable[object]]
F = TypeVar("F", bound=Endpoint)


class About(TypedDict, total=False):
    """Details of a route for the API description."""

    summary: str
    status_code: int
    """On success; 200 if missing."""
    response_class: type[Response]
    answer: object
    """Type of the JSON answer, if the endpoint returns a `Response`."""
    command: Command
    """The command that the route executes; it declares the answer."""
    described: bool
    """False: not part of the API description."""


class GuardedRoute(APIRoute):
    """A route behind the guard."""

    def __init__(
        self, method: str, path: str, endpoint: Endpoint, access: Access, tag: str, about: About
    ) -> None:
        self.method = method
        self.access = access
        self.answer = about.get("answer")
        self.command = about.get("command")
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
        """Check the access, then call FastAPI's handler."""
        return guarded(self.access, super().get_route_handler())


class Routes:
    """The routes of a module; `access` applies unless a route has its own. With a tag they are part
    of the API description."""

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
        """Add a route; `path` is relative to the prefix."""
        where, demanded = self._prefix + path, access or self._access
        self._routes.append(GuardedRoute(method, where, endpoint, demanded, self._tag, about))

    def get(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a GET route."""
        return self._declare("GET", path, access, about)

    def post(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a POST route."""
        return self._declare("POST", path, access, about)

    def put(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a PUT route."""
        return self._declare("PUT", path, access, about)

    def patch(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, access, about)

    def delete(
        self, path: str, access: Access | None = None, **about: Unpack[About]
    ) -> Callable[[F], F]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, access, about)

    def _declare(
        self, method: str, path: str, access: Access | None, about: About
    ) -> Callable[[F], F]:
        def declare(endpoint: F) -> F:
            self.add(method, path, endpoint, access, **about)
            return endpoint

        return declare
