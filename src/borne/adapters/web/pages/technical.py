"""The tables of the dashboard: the manual's "System Status" (manual 1.3, 3), and all details."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.backend import sentence
from borne.adapters.web.pages.shell import setting, words_for
from borne.domain.settings.messages import N_

Json = Mapping[str, Any]
Rows = list[tuple[str, str]]

OCPP_STATES: dict[str, str] = {
    "available": N_("IDLE (available)"),
    "reserved": N_("RESERVED (reserved)"),
    "preparing": N_("OCCUPIED (preparing)"),
    "authorized": N_("OCCUPIED (authorized)"),
    "charging": N_("OCCUPIED (charging)"),
    "suspended_ev": N_("OCCUPIED (paused by the car)"),
    "suspended_evse": N_("OCCUPIED (paused by the station)"),
    "finishing": N_("OCCUPIED (finishing)"),
    "unavailable": N_("UNAVAILABLE (out of service)"),
    "faulted": N_("FAULTED (out of order)"),
}
TYPE2_STATES: dict[str, str] = {
    "A": N_("(A) Vehicle not connected"),
    "B": N_("(B) Vehicle connected"),
    "C": N_("(C) Vehicle ready to charge"),
    "D": N_("(D) Vehicle ready to charge, with ventilation"),
    "E": N_("(E) Error at the vehicle or cable"),
    "F": N_("(F) Station not available for the vehicle"),
}
"""By the letter of the control pilot (IEC 61851-1, Annex A)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A table with its heading."""

    name: str
    rows: Rows


def system_status(status: Json, names: Mapping[int, str], request: Request) -> list[Group]:
    """The rows that the manual tells to look at, under its names."""
    words = words_for(request)
    backend = station(request).backend
    link, _ = sentence(backend.view() if backend else None, words)
    rows = [
        (
            words("OCPP ChargeBoxIdentity (ChargePointID)"),
            str(setting(request, "ChargePointID", "–")),
        ),
        (words("Connection State (Backend)"), link),
    ]
    return [Group("", rows), *(_socket(item, names, words) for item in status["connectors"])]


def _socket(item: Json, names: Mapping[int, str], words: Words) -> Group:
    state, pilot = str(item["state"]), str(item.get("pilot") or "")[:1]
    attached = bool(item.get("cable_a"))
    cable = words("Cable attached") if attached else words("No cable attached")
    number = item["id"]
    return Group(
        names.get(number) or words("Socket {n}").format(n=number),
        [
            (words("OCPP State"), words(OCPP_STATES.get(state, state))),
            (words("Type2 State"), f"{words(TYPE2_STATES.get(pilot, '–'))} · {cable}"),
            (words("Signaled Current"), words.amps_short(max(item.get("offered_a") or [0.0]))),
        ],
    )


def details(status: Json, words: Words) -> list[Group]:
    """What service asks for beside it."""
    backend = status.get("backend") or {}
    rows = [
        (words("Registration"), str(backend.get("boot", "–"))),
        (words("Messages waiting"), str(backend.get("queue", 0))),
        (words("Time"), f"{status['time']} ({status.get('clock_trust', '–')})"),
        (words("Revision"), str(status["revision"])),
    ]
    return [
        Group(words("Station"), rows),
        *(_details(item, words) for item in status["connectors"]),
    ]


def _wired(item: Json, name: str) -> list[float]:
    """Of the phases that are wired to the socket."""
    return list(item.get(name) or [])[: item.get("phases", 3)]


def _details(item: Json, words: Words) -> Group:
    register = item.get("register_wh")
    cable_a = item.get("cable_a")
    return Group(
        words("Socket {n}").format(n=item["id"]),
        [
            (words("Control pilot"), str(item.get("pilot", "–"))),
            (words("Signalled current"), words.currents(_wired(item, "offered_a"))),
            (words("Measured current"), words.currents(_wired(item, "measured_a"))),
            (words("Meter register"), words.energy(register)),
            (words("Cable"), words.amps_short(cable_a) if cable_a else words("none")),
            (words("Locked"), words("yes") if item.get("locked") else words("no")),
            (words("LED pattern"), str(item.get("led", "–"))),
        ],
    )
