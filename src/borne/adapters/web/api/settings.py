"""Settings as one flat object. A change is applied completely or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import JSONResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.answers import SettingsChanged
from borne.adapters.web.api.bodies import JsonObject
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.routes import API, Routes
from borne.application.ports.settings import SettingsNotSaved
from borne.application.services import StationServices
from borne.application.settings.settings_service import (
    ChangeResult,
    SettingsConflict,
    SettingsRejected,
    SettingsService,
)
from borne.domain.principals import Principal
from borne.domain.settings.view import SettingView
from borne.foundation.messages import N_, Message, verbatim

routes = Routes(OPERATOR, API, tag="settings")


def settings_of(services: StationServices) -> SettingsService:
    """The settings of the station."""
    service = services.settings
    assert isinstance(service, SettingsService)
    return service


def setting_json(view: SettingView) -> dict[str, object]:
    """A setting with all details that a form needs."""
    entry = view.entry
    return {
        "key": view.name,
        "label": str(view.label),
        "help": entry.help,
        "menu": entry.menu.value,
        "group": entry.group,
        "type": entry.type.value,
        "unit": entry.unit,
        "value": view.value,
        "set": view.is_set,
        "default": view.default,
        "changed": view.changed,
        "low": entry.low,
        "high": list(view.highest) if view.highest else None,
        "choices": [{"slug": each.slug, "label": each.label} for each in entry.choices],
        "role": entry.role.value,
        "restart": entry.restart,
        "active": view.active,
        "visible": view.visible or view.held,
        "locked": str(view.locked) if view.locked else None,
    }


@routes.get("/settings", summary="All settings")
async def read(
    request: Request,
    details: Annotated[bool, Query(description="With labels, ranges and rights")] = False,
) -> Response:
    """An object of keys and values; secrets are null. The ETag is the revision."""
    service = settings_of(station(request))
    principal, revision = visitor(request).principal, service.settings.revision
    body = await asyncio.to_thread(_listed, service, principal, details=details)
    return JSONResponse(body, headers={"ETag": f'"{revision}"'})


def _listed(service: SettingsService, principal: Principal, *, details: bool) -> dict[str, object]:
    """The answer. It reads immutable settings only, so it may run in a worker thread."""
    views = service.list(principal)
    if not details:
        return {view.name: view.value for view in views}
    return {
        "revision": service.settings.revision,
        "pending_restart": list(service.pending_restart),
        "settings": [setting_json(view) for view in views],
    }


@routes.patch("/settings", summary="Change settings")
async def change(
    request: Request,
    body: JsonObject,
    if_match: Annotated[str | None, Header(description="The revision that was read")] = None,
) -> SettingsChanged:
    """Keys and new values, null for the default. If a value is refused, nothing is changed and
    status 422 has one error per key."""
    service = settings_of(station(request))
    result = await apply(service, body, request, revision_of(if_match))
    return {
        "applied": list(result.applied),
        "restart_required": list(result.restart_required),
        "revision": result.revision,
    }


async def apply(
    service: SettingsService, changes: Mapping[str, object], request: Request, revision: int | None
) -> ChangeResult:
    """Change settings with the rights of the visitor. Raises ApiError."""
    principal = visitor(request).principal
    try:
        return await service.change(changes, principal, principal.name, if_revision=revision)
    except SettingsRejected as error:
        raise rejection(error.errors) from None
    except SettingsConflict:
        message = N_("Another user has changed the settings meanwhile; read them again.")
        raise ApiError(409, "conflict", message) from None
    except SettingsNotSaved as error:
        raise ApiError(507, "not_saved", error.message) from None


def rejection(errors: Mapping[str, Message]) -> ApiError:
    """Status 422 with one message per key."""
    sentences = {name: str(message) for name, message in errors.items()}
    message = "Nothing was changed: " + "; ".join(
        f"{name}: {text}" for name, text in list(sentences.items())[:20]
    )
    return ApiError(422, "invalid", verbatim(message), {"errors": sentences})


def revision_of(if_match: str | None) -> int | None:
    """The revision in an If-Match header. Raises ApiError."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ApiError(400, "bad_request", N_("If-Match must be the revision that was read."))
    return int(text)
