"""Simulator page: drawing of the station, cars, cards, faults, links, building.

Its buttons use the public simulator API; this module only renders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from borne.adapters.web.access import SIMULATOR
from borne.adapters.web.api.simulator import simulator_of
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages import meter_view
from borne.adapters.web.pages.refused_card import refused
from borne.adapters.web.pages.settings import SettingsEditor
from borne.adapters.web.pages.shell import form, is_htmx, page, part, partial, words_for
from borne.adapters.web.pages.simulated_meters import FAULTS as METER_FAULTS
from borne.adapters.web.pages.simulated_meters import (
    address_of,
    is_readable,
    meter_rows,
    meter_types,
    source_names,
)
from borne.adapters.web.routes import Routes
from borne.adapters.web.states import Look, look
from borne.application.ports.simulator import (
    CauseValue,
    CauseView,
    PluggedView,
    SocketView,
    VehicleView,
    WorldView,
)
from borne.domain.station.station_status import SocketStatus, StationStatus
from borne.foundation.messages import N_

routes = Routes(SIMULATOR)

LINKS: dict[str, str] = {
    "backend": N_("Backend"),
    "meter": N_("Meter"),
    "external-meter": N_("External meter"),
    "master": N_("Load-management master"),
    "usb": N_("USB link"),
}
LINK_MODES: dict[str, str] = {
    "reset": N_("cut"),
    "blackhole": N_("silent"),
    "refuse": N_("refused"),
}
CAR_STATES: dict[str, str] = {
    "A": N_("not connected"),
    "B": N_("connected, does not ask for energy"),
    "C": N_("asks for energy"),
    "D": N_("asks for energy and ventilation"),
}


CHOICES: dict[str, str] = {
    "register": N_("Register"),
    "power": N_("Power"),
    "current": N_("Current"),
}
PARTS: dict[str, str] = {
    "high_a": N_("High current (A)"),
    "high_s": N_("for (s)"),
    "low_a": N_("Low current (A)"),
    "low_s": N_("for (s)"),
}
"""Labels of the members of a compound value."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field for the severity of a cause; `under` for a member of the value."""

    name: str
    under: str
    label: str
    default: object
    minimum: float | None
    maximum: float | None
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outlet:
    """A socket of the drawing."""

    id: int
    led: str
    look: Look
    sentence: str
    plugged: bool
    locked: bool
    charging: bool
    car: str
    car_state: str
    soc: int
    wants_charge: bool
    ventilation: bool
    power: str
    display: Sequence[Sequence[str]]
    """One screen per language, shown in turn."""
    facts: tuple[tuple[str, str], ...]


def outlets(view: WorldView, status: StationStatus, words: Words) -> list[Outlet]:
    """The sockets with their vehicles."""
    return [_outlet(socket, status.socket(socket["id"]), words) for socket in view["sockets"]]


def _outlet(socket: SocketView, status: SocketStatus, words: Words) -> Outlet:
    car = socket["vehicle"]
    name = car["name"] if car else ""
    seen = look(status.state, socket["led"], plugged=car is not None)
    return Outlet(
        id=socket["id"],
        led=socket["led"],
        look=seen,
        sentence=words(seen.sentence),
        plugged=car is not None,
        locked=socket["locked"],
        charging=max(socket["current_a"]) > 1,
        car=words(name) if name else "",
        car_state=_car_state(car, words) if car else "",
        soc=round(car["soc"] * 100) if car else 0,
        wants_charge=car is None or car["wants_charge"],
        ventilation=car is not None and car["ventilation"],
        power=words.power(socket["power_w"]),
        display=status.display,
        facts=_facts(socket, words),
    )


def _car_state(car: PluggedView, words: Words) -> str:
    return words("asleep") if car["asleep"] else words(CAR_STATES.get(car["state"], ""))


def _facts(socket: SocketView, words: Words) -> tuple[tuple[str, str], ...]:
    pilot, lock = socket["pilot"], socket["lock"]
    amps = " / ".join(words.number(value, 1) for value in socket["current_a"])
    contactor = words("closed") if socket["contactor_closed"] else words("open")
    return (
        (words("Pilot"), f"{pilot['high_v']:g} V, {pilot['duty_percent']:g} %"),
        (words("Contactor"), f"{contactor} ({socket['contactor_cycles']})"),
        (words("Lock"), words(lock)),
        (words("Current"), f"{amps} A"),
        (words("Register"), words.energy(socket["register_wh"])),
        (words("Board"), f"{socket['temperature_c']:g} °C"),
    )


def value_fields(value: CauseValue, words: Words) -> list[Field]:
    """The form fields for the severity of a cause."""
    default = value["default"]
    if isinstance(default, Mapping):
        return [
            Field(str(name), "value", words(PARTS.get(str(name), str(name))), number, 0, None, ())
            for name, number in default.items()
        ]
    unit = value["unit"]
    label = f"{words('Value')} ({unit})" if unit else words("Value")
    choices = tuple((slug, words(CHOICES.get(slug, slug))) for slug in value["choices"])
    return [Field("value", "", label, default, value["minimum"], value["maximum"], choices)]


def _cause(fault: CauseView, words: Words) -> dict[str, object]:
    value, label = fault.get("value"), fault["label"]
    fields = value_fields(value, words) if value else []
    return {**fault, "label": words(label), "fields": fields}


def variables(request: Request) -> dict[str, Any]:
    """The variables of the page."""
    words, simulator = words_for(request), simulator_of(request)
    view = simulator.view()
    vehicles = simulator.vehicles()["vehicles"]
    status = station(request).status.snapshot()
    return {
        "outlets": outlets(view, status, words),
        "refused_card": refused(status, words),
        "cars": [_car(key, vehicle, words) for key, vehicle in vehicles.items()],
        "cards": view["cards"],
        "faults": [_cause(fault, words) for fault in view["faults"]],
        "links": [
            (name, words(LINKS.get(name, name)), link) for name, link in view["links"].items()
        ],
        "modes": LINK_MODES,
        "site": view["site"],
        "inputs": view["inputs"],
        "board_c": round(max(socket["temperature_c"] for socket in view["sockets"])),
        "meters": meter_rows(view, words),
        "meter_faults": METER_FAULTS,
        "meter_types": meter_types(),
        "meter_sources": source_names(view, words),
        "broken": sum(1 for fault in view["faults"] if fault["active"]),
    }


def _car(key: str, vehicle: VehicleView, words: Words) -> dict[str, str]:
    phases = words.plural("{n} phase", "{n} phases", vehicle["phases"])
    name, about = vehicle["name"], f"{phases}, {words.amps_short(vehicle['max_a'])}"
    return {"key": key, "name": words(name), "about": about}


def pieces(request: Request) -> dict[str, str]:
    """The live parts of the page."""
    values = variables(request)
    names = ("drawing", "cars", "cards", "faults", "links", "meters")
    return {f"#sim-{name}": part(request, f"parts/sim_{name}.html", **values) for name in names}


@routes.get("/simulator")
async def simulator_page(request: Request) -> Response:
    """The page, or its live parts after a button."""
    if is_htmx(request):
        return HTMLResponse("".join(partial(*piece) for piece in pieces(request).items()))
    return await page(request, "simulator.html", **variables(request))


@routes.get("/simulator/meters")
async def simulated_meters(request: Request) -> Response:
    """The card of the meters, for a page that shows their present values."""
    if not is_htmx(request):
        return RedirectResponse("/simulator", 303)
    words = words_for(request)
    rows = meter_rows(simulator_of(request).view(), words)
    card = part(request, "parts/sim_meters.html", meters=rows, meter_faults=METER_FAULTS)
    return HTMLResponse(partial("#sim-meters", card))


@routes.post("/simulator/meters/{name}/use")
async def use_meter(request: Request, name: Annotated[str, Path(max_length=40)]) -> Response:
    """Stage the settings that make a simulated meter the second one."""
    await form(request)
    served = simulator_of(request).view()["meters"]
    meter = next((each for each in served if each["id"] == name), None)
    if meter is None or not is_readable(meter):
        raise ApiError(404, "not_found", N_("There is no such meter."))
    editor = SettingsEditor(request)
    changes = meter_view.changes_for(meter_view.SECOND, address_of(meter))
    location = "excluding" if meter["source"] == "building" else "including"
    changes |= {"DLMExternalMeterSupport": "on", "DLMExternalMeterLocation": location}
    editor.staging.stage(editor.key, changes, editor.principal)
    return RedirectResponse("/settings/load-management", 303)
