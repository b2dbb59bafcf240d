"""HTTP interface of a station: API, live events and pages for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from borne.adapters.web.contract import WebHost

__all__ = ["close_streams", "create_app"]


def create_app(host: WebHost) -> FastAPI:
    """The ASGI application for the stations of `host`. Imports the framework, which is slow."""
    from borne.adapters.web.factory import build

    return build(host)


def close_streams(app: FastAPI) -> None:
    """End all event streams and tests of meters, so that a shutdown does not wait for them."""
    from borne.adapters.web.state import web_state

    state = web_state(app)
    state.hub.close()
    state.meter_tests.close()
    state.meter_searches.close()
