"""The search for meters beside their settings: in addresses, or on a serial line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.meter_searches import MeterSearch
from borne.adapters.web.pages import meter_view
from borne.adapters.web.pages.setting_fields import field_id
from borne.adapters.web.pages.settings import SettingsEditor
from borne.adapters.web.pages.shell import form, is_htmx, part, partial
from borne.adapters.web.routes import Routes
from borne.adapters.web.state import web_state
from borne.application.meters.meter_search import MAX_PLACES, SearchRequest
from borne.application.refusals import Refused
from borne.domain.meters.address import Parity
from borne.foundation.messages import N_, Message

routes = Routes(OPERATOR)

MAX_HOSTS = MAX_PLACES // 2
"""Each is asked as two units."""

MAX_PORT = 65535
MAX_TEXT = 4000
"""Characters of a list of addresses."""
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}", re.ASCII)


def _editor(request: Request) -> SettingsEditor:
    """The visitor's settings. Raises Refused unless they may set meters of the installation."""
    editor = SettingsEditor(request)
    if not editor.may_search:
        raise Refused(
            "forbidden", N_("Only people who may set the installation may search for meters.")
        )
    return editor


@routes.post("/meters/search")
async def start(request: Request) -> Response:
    fields, editor = await form(request), _editor(request)
    find = station(request).find_meters
    if find is None:
        raise ApiError(404, "no_search", N_("This station cannot search for meters."))
    wanted = _wanted(fields)
    searches = web_state(request.app).meter_searches
    return _panel(editor, fields, searches.start(editor.key, wanted, find))


@routes.post("/meters/search/renew")
async def renew(request: Request) -> Response:
    """How far the search is, while its panel is open."""
    fields, editor = await form(request), _editor(request)
    searches = web_state(request.app).meter_searches
    return _panel(editor, fields, searches.renew(editor.key, fields.get("lease", "")[:100]))


@routes.post("/meters/search/end")
async def end(request: Request) -> Response:
    """Cancel the search; what was found stays."""
    fields, editor = await form(request), _editor(request)
    searches = web_state(request.app).meter_searches
    searches.end(editor.key)
    return _panel(editor, fields, searches.shown(editor.key))


@routes.post("/meters/{key}/use/{number}")
async def use(
    request: Request,
    key: Annotated[str, Path(max_length=20)],
    number: Annotated[int, Path(ge=0, le=999)],
) -> Response:
    """Stage type and place of a meter that was found, and show them."""
    await form(request)
    editor = _editor(request)
    slot = meter_view.slot_of(key, editor.service.settings.facts.connectors)
    search = web_state(request.app).meter_searches.shown(editor.key)
    if slot is None or search is None or number >= len(search.found):
        raise ApiError(404, "not_found", N_("There is no such meter."))
    changes = meter_view.changes_for(slot, search.found[number].address)
    editor.staging.stage(editor.key, changes, editor.principal)
    return RedirectResponse(f"/settings/{slot.menu.value}#{field_id(slot.name('Config'))}", 303)


def _wanted(fields: Mapping[str, str]) -> SearchRequest:
    """Raises ApiError."""
    hosts = _hosts(fields.get("hosts", ""))
    device = fields.get("device", "").strip()[:100]
    if not hosts and not device:
        raise ApiError(422, "invalid", N_("Enter addresses or a serial port."))
    baud, parity = fields.get("baud", "9600"), fields.get("parity", Parity.NONE)
    if baud not in map(str, meter_view.BAUD_RATES) or parity not in set(Parity):
        raise ApiError(422, "invalid", N_("Choose a baud rate and a parity from the list."))
    port = fields.get("port") or "502"
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= MAX_PORT:
        raise ApiError(422, "invalid", N_("Enter a port from 1 to 65535."))
    return SearchRequest(tuple(hosts), int(port), device, int(baud), Parity(parity))


def _hosts(text: str) -> list[str]:
    """The addresses that a text names: single ones and networks. Raises ApiError."""
    if len(text) > MAX_TEXT:
        raise _too_many()
    found: dict[str, None] = {}
    for word in re.split(r"[\s,;]+", text.strip()):
        if "/" in word:
            found |= dict.fromkeys(_network(word))
        elif word and not _HOST.fullmatch(word):
            raise ApiError(422, "invalid", N_("Enter addresses such as 192.168.1.50."))
        elif word:
            found[word] = None
    if len(found) > MAX_HOSTS:
        raise _too_many()
    return list(found)


def _network(text: str) -> list[str]:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        message = N_("Enter a network such as 192.168.1.0/25.")
        raise ApiError(422, "invalid", message) from None
    if network.num_addresses > MAX_HOSTS:
        raise _too_many()
    return [str(address) for address in network.hosts()]


def _too_many() -> ApiError:
    sentence = N_("At most {high} addresses at once: the network ends with /25 or a higher number.")
    return ApiError(422, "invalid", Message(sentence, {"high": MAX_HOSTS}))


def _panel(
    editor: SettingsEditor, fields: Mapping[str, str], search: MeterSearch | None
) -> Response:
    menu = fields.get("menu", "")
    if not is_htmx(editor.request):
        return RedirectResponse(f"/settings/{menu}" if menu.isidentifier() else "/settings", 303)
    variables: dict[str, Any] = editor.search_results(menu, search)
    content = part(editor.request, "parts/meter_found.html", **variables)
    return HTMLResponse(partial("#meter-found", content))
