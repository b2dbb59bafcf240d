"""HTTP interface of a station: API, live events and pages for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from borne.adapters.web.contract import WebHost

__all__ = ["create_app"]


def create_app(host: WebHost) -> FastAPI:
    """The application that serves the stations of `host`; heavy imports happen here."""
    from borne.adapters.web.factory import build

    return build(host)
