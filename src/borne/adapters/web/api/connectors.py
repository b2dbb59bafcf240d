"""Commands on connectors and on the station."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request

from borne.adapters.web.access import API
from borne.adapters.web.api.bodies import Availability, Restart, Start
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import GuardedRoute, station, visitor
from borne.domain.settings.messages import N_, Message

router = APIRouter(prefix=API, route_class=GuardedRoute, tags=["connectors"])

ConnectorId = Annotated[int, Path(ge=1, le=64)]


def known(request: Request, connector: int) -> int:
    """The connector, if the station has it; else 404."""
    ids = {socket.id for socket in station(request).status.snapshot().sockets}
    if connector not in ids:
        raise ApiError(
            404,
            "unknown_connector",
            Message(N_("There is no connector {socket}."), {"socket": connector}),
        )
    return connector


@router.post("/connectors/{connector}/start", response_model=None, summary="Start a session")
async def start(
    request: Request, connector: ConnectorId, body: Annotated[Start | None, Body()] = None
) -> dict[str, Any]:
    """Authorize a session without a card. 409 when the state does not allow it."""
    services = station(request)
    token = body.id_token if body else None
    await services.control.start(known(request, connector), visitor(request).principal, token)
    return {"revision": services.status.revision}


@router.post("/connectors/{connector}/stop", response_model=None, summary="Stop the session")
async def stop(request: Request, connector: ConnectorId) -> dict[str, Any]:
    """End the running session and release the cable. 409 when none runs."""
    services = station(request)
    await services.control.stop(known(request, connector), visitor(request).principal)
    return {"revision": services.status.revision}


@router.post("/connectors/{connector}/unlock", response_model=None, summary="Unlock the cable")
async def unlock(request: Request, connector: ConnectorId) -> dict[str, Any]:
    """Stop what runs and unlock the cable."""
    services = station(request)
    await services.control.unlock(known(request, connector), visitor(request).principal)
    return {"revision": services.status.revision}


@router.post("/connectors/{connector}/availability", response_model=None, summary="In service?")
async def availability(
    request: Request, connector: ConnectorId, body: Availability
) -> dict[str, Any]:
    """Take in or out of service: `accepted`, or `scheduled` until the running session ends."""
    services = station(request)
    result = await services.control.set_availability(
        known(request, connector), visitor(request).principal, operative=body.operative
    )
    return {"status": result, "revision": services.status.revision}


@router.post("/system/restart", response_model=None, status_code=202, summary="Restart")
async def restart(
    request: Request, body: Annotated[Restart | None, Body()] = None
) -> dict[str, Any]:
    """Restart the software now, or as soon as no session runs."""
    when = body.when if body else "now"
    await station(request).restarter.restart(when, visitor(request).principal)
    return {"status": "accepted", "when": when}
