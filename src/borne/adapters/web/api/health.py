"""Routes for watchdogs and metrics, and the API description."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from borne.adapters.web.access import HOST, METRICS, USER
from borne.adapters.web.api.answers import Health, Ready
from borne.adapters.web.routes import API, Routes
from borne.adapters.web.state import web_state

routes = Routes(HOST, tag="health")


@routes.get("/healthz", summary="Alive?")
async def healthz() -> Health:
    """Answers while the program runs."""
    return {"status": "ok"}


@routes.get("/readyz", summary="Ready?", answer=Ready)
async def readyz(request: Request) -> Response:
    """Ready if the settings are valid and the boards armed, else the reasons: with status 503 while
    the station cannot serve, with 200 while it only waits for a confirmation of its limits."""
    host = web_state(request.app).host
    if host.services() is None:
        return JSONResponse({"ready": False, "error": "no_power", "reasons": ["no power"]}, 503)
    health = host.health()
    body = {"ready": health.ready, "reasons": list(health.reasons)}
    return JSONResponse(body, 200 if health.works else 503)


@routes.get("/metrics", METRICS, response_class=PlainTextResponse, summary="Metrics")
async def metrics(request: Request) -> PlainTextResponse:
    """In Prometheus text format."""
    text = await web_state(request.app).host.metrics()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@cache
def _document() -> bytes:
    return files("borne.adapters.web").joinpath("openapi.json").read_bytes()


@routes.get(f"{API}/openapi.json", USER, described=False)
async def openapi() -> Response:
    """The description of this API, generated at build time."""
    return Response(_document(), media_type="application/json")
