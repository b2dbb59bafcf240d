"""The simulator page: the station drawn, cars, cards, faults, links, the building.

Its buttons call the public simulator API; this module only shows the world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from borne.adapters.web.access import SIMULATOR
from borne.adapters.web.api.simulator import world
from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.refused_card import refused
from borne.adapters.web.pages.shell import is_htmx, page, part, partial, words_for
from borne.adapters.web.routes import Routes
from borne.adapters.web.states import Look, look
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
"""Members of a value that has several."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field for the value of a cause; `under` when it is a member of the value."""

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
    """A screen for each language that takes turns."""
    facts: tuple[tuple[str, str], ...]


def outlets(view: Mapping[str, Any], status: StationStatus, words: Words) -> list[Outlet]:
    """The sockets with what hangs on them."""
    return [_outlet(socket, status.socket(socket["id"]), words) for socket in view["sockets"]]


def _outlet(socket: Mapping[str, Any], status: SocketStatus, words: Words) -> Outlet:
    car = socket.get("vehicle") or {}
    seen = look(status.state, str(socket.get("led", "")), plugged=bool(car))
    car_state = CAR_STATES.get(str(car.get("state", "")), "")
    return Outlet(
        id=socket["id"],
        led=str(socket.get("led", "")),
        look=seen,
        sentence=words(seen.sentence),
        plugged=bool(car),
        locked=bool(socket.get("locked")),
        charging=max(socket.get("current_a") or [0]) > 1,
        car=words(str(car.get("name", ""))),
        car_state=words("asleep") if car.get("asleep") else words(car_state),
        soc=round(float(car.get("soc", 0)) * 100),
        wants_charge=bool(car.get("wants_charge", True)),
        ventilation=bool(car.get("ventilation", False)),
        power=words.power(float(socket.get("power_w") or 0)),
        display=status.display,
        facts=_facts(socket, words),
    )


def _facts(socket: Mapping[str, Any], words: Words) -> tuple[tuple[str, str], ...]:
    pilot = socket.get("pilot") or {}
    amps = " / ".join(words.number(value, 1) for value in socket.get("current_a") or ())
    contactor = words("closed") if socket.get("contactor_closed") else words("open")
    return (
        (words("Pilot"), f"{pilot.get('high_v', 0):g} V, {pilot.get('duty_percent', 0):g} %"),
        (words("Contactor"), f"{contactor} ({socket.get('contactor_cycles', 0)})"),
        (words("Lock"), words(str(socket.get("lock", "–")))),
        (words("Current"), f"{amps} A"),
        (words("Register"), words.energy(socket.get("register_wh") or 0)),
        (words("Board"), f"{socket.get('temperature_c', 0):g} °C"),
    )


def value_fields(value: Mapping[str, Any], words: Words) -> list[Field]:
    """How the value of a cause is asked for."""
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


def _cause(fault: Mapping[str, Any], words: Words) -> dict[str, Any]:
    value = fault.get("value")
    fields = value_fields(value, words) if value else []
    return dict(fault, label=words(str(fault["label"])), fields=fields)


def variables(request: Request) -> dict[str, Any]:
    """All that the page shows."""
    words, simulator = words_for(request), world(request)
    view = simulator.view()
    vehicles = simulator.vehicles()["vehicles"]
    status = station(request).status.snapshot()
    return {
        "outlets": outlets(view, status, words),
        "refused_card": refused(status, words),
        "cars": [_car(key, vehicle, words) for key, vehicle in vehicles.items()],
        "cards": view.get("cards", ()),
        "faults": [_cause(fault, words) for fault in view["faults"]],
        "links": [
            (name, words(LINKS.get(name, name)), link) for name, link in view["links"].items()
        ],
        "modes": LINK_MODES,
        "site": view["site"],
        "inputs": view.get("inputs", {}),
        "board_c": round(max(socket.get("temperature_c", 0) for socket in view["sockets"])),
        "broken": sum(1 for fault in view["faults"] if fault["active"]),
    }


def _car(key: str, vehicle: Mapping[str, Any], words: Words) -> dict[str, str]:
    phases = words.plural("{n} phase", "{n} phases", int(vehicle.get("phases", 3)))
    about = f"{phases}, {words.amps_short(vehicle.get('max_a'))}"
    return {"key": key, "name": words(str(vehicle.get("name", key))), "about": about}


def pieces(request: Request) -> dict[str, str]:
    """The live parts of the page."""
    values = variables(request)
    names = ("drawing", "cars", "cards", "faults", "links")
    return {f"#sim-{name}": part(request, f"parts/sim_{name}.html", **values) for name in names}


@routes.get("/simulator")
async def simulator_page(request: Request) -> Response:
    """The page, or its live parts after a button."""
    if is_htmx(request):
        return HTMLResponse("".join(partial(*piece) for piece in pieces(request).items()))
    return await page(request, "simulator.html", **variables(request))
