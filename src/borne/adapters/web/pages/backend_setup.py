"""Setup of the backend: presets of providers, connection test, export of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.chosen_messages import KEPT, ChosenMessages, chosen_messages, pieces
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.backend import connection_steps
from borne.adapters.web.pages.settings import SettingsEditor, no_setting
from borne.adapters.web.pages.shell import form, is_htmx, page, part, partial
from borne.adapters.web.routes import Routes
from borne.application.backend.presets import Preset, presets
from borne.application.ports.backend import StepResult, StepState
from borne.application.settings.settings_service import SettingsRejected
from borne.domain.frames import FrameRecord
from borne.domain.settings import CATALOGUE
from borne.domain.settings.entry import Feature
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import to_json
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

NO_BACKEND = "none"
TRIAL_S = 60.0
HOLDS = frozenset({StepState.OK, StepState.SKIPPED})
TRIED = {"interface", "dns", "tcp", "tls", "websocket"}
"""The steps that a test can execute without sending a message to the backend."""
NOTES = (
    N_("The connection is not encrypted."),
    N_("The connection is not encrypted; it is reached through its own access point only."),
    N_(
        "The table in chapter 4 of the manual names another access point, m2m.com: "
        "ask the provider."
    ),
    N_(
        "Chapter 1.3 of the manual writes user and password of the access point in capitals: "
        "ask the provider if the connection fails."
    ),
    N_(
        "Chapter 1.3 of the manual shows a 1 as password of the access point, probably by mistake: "
        "ask the provider."
    ),
)
"""Texts of the presets, for translation."""


@dataclass(frozen=True, slots=True)
class PresetOffer:
    """A preset with its values."""

    key: str
    name: str
    source: str
    notes: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    mobile_rows: tuple[tuple[str, str], ...]


def preset_offers(words: Words) -> list[PresetOffer]:
    """The presets, by name."""
    return [_offer(preset, words) for preset in presets()]


def _offer(preset: Preset, words: Words) -> PresetOffer:
    return PresetOffer(
        preset.key,
        preset.name,
        preset.source,
        tuple(words(note) for note in preset.notes),
        _rows(preset.settings, words),
        _rows(preset.mobile, words),
    )


def _rows(settings: Mapping[str, str], words: Words) -> tuple[tuple[str, str], ...]:
    return tuple(
        (words(CATALOGUE[key].label), _shown(key, value, words)) for key, value in settings.items()
    )


def _shown(key: str, value: str, words: Words) -> str:
    labels = {choice.slug: choice.label for choice in CATALOGUE[key].choices}
    return words(labels[value]) if value in labels else value


@routes.get("/backend/presets")
async def presets_page(request: Request) -> Response:
    editor = SettingsEditor(request)
    variables: dict[str, Any] = {
        "offers": preset_offers(editor.words),
        "mobile": _has_modem(editor.service.settings),
    }
    return await page(request, "backend_presets.html", **variables, **editor.bar())


@routes.post("/backend/presets/{key}")
async def use_preset(request: Request, key: Annotated[str, Path(max_length=40)]) -> Response:
    """Stage the values of a preset."""
    editor, fields = SettingsEditor(request), await form(request)
    settings, mobile = editor.service.settings, fields.get("way") == "mobile"
    known = {preset.key: preset for preset in presets()}
    if key == NO_BACKEND:
        changes: dict[str, object] = {"ConnectionType": "no_backend"}
    elif key in known:
        if mobile and not _has_modem(settings):
            raise ApiError(422, "no_modem", N_("This station has no mobile modem."))
        wanted = known[key].changes(mobile=mobile)
        # A value that is set already may be read-only.
        changes = {
            name: value for name, value in wanted.items() if not _is_so(settings, name, value)
        }
    else:
        raise ApiError(404, "not_found", N_("There is no such preset."))
    try:
        editor.staging.stage(editor.key, changes, editor.principal)
    except SettingsRejected as error:
        raise no_setting(error) from None
    return RedirectResponse("/settings/backend", 303)


def _has_modem(settings: Settings) -> bool:
    return Feature.MODEM in settings.facts.features


def _is_so(settings: Settings, key: str, value: str) -> bool:
    entry = CATALOGUE[key]
    return not entry.type.is_secret and to_json(settings[key]) == value


@routes.post("/backend/test")
async def try_connection(request: Request) -> Response:
    """Test the connection with the unsaved settings."""
    await form(request)
    editor, attempt = SettingsEditor(request), station(request).try_connection
    words = editor.words
    if attempt is None:
        raise ApiError(404, "no_trial", N_("This station cannot test a connection."))
    settings = editor.staging.after(editor.key, editor.principal)
    if not settings.text("WebSocketsBackendURL"):
        raise ApiError(422, "no_address", N_("Enter the address of the backend first."))
    results: Sequence[StepResult] = ()
    problem = ""
    try:
        async with asyncio.timeout(TRIAL_S):
            results = [each for each in await attempt(settings) if each.step in TRIED]
    except TimeoutError:
        problem = words("The backend did not answer in time.")
    content = part(
        request,
        "parts/backend_test.html",
        problem=problem,
        steps=connection_steps(results, words),
        worked=bool(results) and all(each.state in HOLDS for each in results),
        unsaved=bool(editor.draft.items),
    )
    if not is_htmx(request):
        return RedirectResponse("/settings/backend", 303)
    return HTMLResponse(partial("#backend-test", content))


@routes.get("/backend/messages.jsonl")
async def messages(request: Request, chosen: Annotated[ChosenMessages, Query()]) -> Response:
    """All matching messages as a file, one per line; secrets are redacted."""
    log = await chosen_messages(request, chosen.model_copy(update={"limit": KEPT}))
    headers = {"Content-Disposition": 'attachment; filename="ocpp-messages.jsonl"'}
    return StreamingResponse(
        _lines(log), media_type="application/jsonl; charset=utf-8", headers=headers
    )


def _lines(log: Sequence[FrameRecord]) -> Iterator[str]:
    for piece in pieces(log):
        yield "".join(f"{line}\n" for line in piece)
