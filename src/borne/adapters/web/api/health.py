"""For watchdogs and metrics, and the description of the API."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from borne.adapters.web.access import API
from borne.adapters.web.guard import GuardedRoute
from borne.adapters.web.state import web_state

router = APIRouter(route_class=GuardedRoute, tags=["health"])


@router.get("/healthz", response_model=None, summary="Alive?")
async def healthz() -> dict[str, Any]:
    """Answers as long as the program runs."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None, summary="Ready?")
async def readyz(request: Request) -> Response:
    """Ready when settings are valid and boards armed, else the reasons: with 503 while the station
    cannot serve, with 200 while it only waits for a person who confirms its limits."""
    host = web_state(request.app).host
    if host.services() is None:
        return JSONResponse({"ready": False, "error": "no_power", "reasons": ["no power"]}, 503)
    health = host.health()
    body = {"ready": health.ready, "reasons": list(health.reasons)}
    return JSONResponse(body, 200 if health.works else 503)


@router.get("/metrics", response_class=PlainTextResponse, summary="Metrics")
async def metrics(request: Request) -> PlainTextResponse:
    """Prometheus text format."""
    text = await web_state(request.app).host.metrics()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@cache
def _document() -> bytes:
    return files("borne.adapters.web").joinpath("openapi.json").read_bytes()


@router.get(f"{API}/openapi.json", include_in_schema=False)
async def openapi() -> Response:
    """The description of this API, made at build time."""
    return Response(_document(), media_type="application/json")
