"""The live test of a meter, before its settings are saved or with the saved ones (manual 7.5, 9).

The panel of a test renews it every second; it ends soon after the panel was closed, and after a
minute.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.api.meters import second_meter_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.meter_tests import MeterTest, MeterTests, loop_time_s
from borne.adapters.web.pages import meter_view
from borne.adapters.web.pages.meter_view import MeterSlot
from borne.adapters.web.pages.settings import SettingsEditor
from borne.adapters.web.pages.shell import done, form, is_htmx, part, partial, words_for
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.commands import command_of
from borne.application.meters.site_meter_service import SiteMeterService
from borne.application.refusals import Refused
from borne.domain.help import meter_help
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.snapshot import Settings
from borne.domain.station.faults import Fault
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

Key = Annotated[str, Path(max_length=20)]
_HELP = {True: Fault.METER_EXTERNAL, False: Fault.METER_BILLING}
"""Faults whose pages read the saved meters; True: the second one."""


def _slot(editor: SettingsEditor, key: str) -> MeterSlot:
    """The meter that a page names. Raises ApiError."""
    slot = meter_view.slot_of(key, editor.service.settings.facts.connectors)
    if slot is None:
        raise ApiError(404, "not_found", N_("There is no such meter."))
    return slot


_ACCEPT = command_of(SiteMeterService.accept)


def _tests(request: Request) -> MeterTests:
    return web_state(request.app).meter_tests


@routes.post("/meters/{key}/test")
async def start(request: Request, key: Key, saved: bool = False) -> Response:
    """Test a meter with the unsaved settings; `saved`: with the saved ones, which every operator
    may."""
    await form(request)
    editor = SettingsEditor(request)
    slot = _slot(editor, key)
    trial = station(request).try_meter
    if trial is None:
        raise ApiError(404, "no_trial", N_("This station cannot test a meter."))
    if not saved and not editor.may_set(slot):
        raise Refused("forbidden", N_("Only people who may set this meter may test it."))
    settings = editor.service.settings if saved else _typed(editor, slot)
    address = meter_view.address_of(slot, settings)
    if address is None:
        raise ApiError(422, "no_meter", N_("There is no meter to ask: choose its type first."))
    if not meter_help.is_complete(address):
        raise ApiError(422, "no_address", meter_help.MISSING[PROFILES[address.slug].reach])
    test = _tests(request).start(slot.key, editor.key, address, trial)
    if saved and not is_htmx(request):
        return RedirectResponse(f"/help/{_HELP[slot is meter_view.SECOND].value}", 303)
    return _answer(editor, slot, test)


def _typed(editor: SettingsEditor, slot: MeterSlot) -> Settings:
    """The settings as typed. Raises ApiError if one of the meter cannot be read: another meter than
    the one on the page would be asked."""
    own = {slot.name(what) for what in meter_view.PARTS}
    if own & set(editor.staging.malformed(editor.key)):
        raise ApiError(422, "invalid", N_("Correct the settings of the meter first."))
    return editor.typed


@routes.post("/meters/{key}/test/renew")
async def renew(request: Request, key: Key) -> Response:
    """The newest values, while the panel is open."""
    fields, editor = await form(request), SettingsEditor(request)
    slot = _slot(editor, key)
    lease = fields.get("lease", "")[:100]
    return _answer(editor, slot, _tests(request).renew(slot.key, editor.key, lease))


@routes.post("/meters/{key}/test/end")
async def end(request: Request, key: Key) -> Response:
    """The panel was closed."""
    await form(request)
    editor = SettingsEditor(request)
    slot = _slot(editor, key)
    _tests(request).end(slot.key, editor.key)
    return _answer(editor, slot, None)


@routes.post("/meters/second/accept")
async def accept(request: Request) -> Response:
    """Believe the meter that answers in the place of the second one."""
    await form(request)
    meter = second_meter_of(request)
    await _ACCEPT.execute(meter, visitor(request).principal, {})
    return done(request, words_for(request)(N_("The new meter is accepted.")), "/")


def _answer(editor: SettingsEditor, slot: MeterSlot, test: MeterTest | None) -> Response:
    if not is_htmx(editor.request):
        return RedirectResponse(f"/settings/{slot.menu.value}", 303)
    panel = meter_view.panel_of(test, loop_time_s(), editor.words) if test is not None else None
    content = part(editor.request, "parts/meter_test.html", key=slot.key, panel=panel)
    return HTMLResponse(partial(f"#meter-test-{slot.key}", content))
