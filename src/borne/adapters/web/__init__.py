"""HTTP interface of a station: API, live events and pages for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from borne.adapters.web.contract import WebHost

__all__ = ["close_streams", "create_app"]


def create_app(host: WebHost) -> FastAPI:
    """The application that serves the stations of `host`; heavy imports happen here."""
    from borne.adapters.web.factory import build

    return build(host)


def close_streams(app: FastAPI) -> None:
    """End every event stream, so that a polite stop need not wait for its readers."""
    from borne.adapters.web.state import web_state

    web_state(app).hub.close()
