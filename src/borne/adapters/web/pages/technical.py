"""The tables of the dashboard: the manual's "System Status" (manual 1.3, 3), and all details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request

from borne.adapters.web.guard import station
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages import site_meter
from borne.adapters.web.pages.backend import link_sentence
from borne.adapters.web.pages.shell import setting, words_for
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.station.station_status import SocketStatus, StationStatus
from borne.domain.station.status import ConnectorStatus
from borne.foundation.clock import format_utc
from borne.foundation.messages import N_

Rows = list[tuple[str, str]]

OCPP_STATES: dict[ConnectorStatus, str] = {
    ConnectorStatus.AVAILABLE: N_("IDLE (available)"),
    ConnectorStatus.RESERVED: N_("RESERVED (reserved)"),
    ConnectorStatus.PREPARING: N_("OCCUPIED (preparing)"),
    ConnectorStatus.AUTHORIZED: N_("OCCUPIED (authorized)"),
    ConnectorStatus.CHARGING: N_("OCCUPIED (charging)"),
    ConnectorStatus.SUSPENDED_EV: N_("OCCUPIED (paused by the car)"),
    ConnectorStatus.SUSPENDED_EVSE: N_("OCCUPIED (paused by the station)"),
    ConnectorStatus.FINISHING: N_("OCCUPIED (finishing)"),
    ConnectorStatus.UNAVAILABLE: N_("UNAVAILABLE (out of service)"),
    ConnectorStatus.FAULTED: N_("FAULTED (out of order)"),
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


def system_status(status: StationStatus, names: Mapping[int, str], request: Request) -> list[Group]:
    """The rows of the manual's "System Status", with its labels."""
    words = words_for(request)
    backend = station(request).backend
    link, _ = link_sentence(backend.view() if backend else None, words)
    rows = [
        (
            words("OCPP ChargeBoxIdentity (ChargePointID)"),
            str(setting(request, "ChargePointID", "–")),
        ),
        (words("Connection State (Backend)"), link),
    ]
    return [Group("", rows), *(_socket(socket, names, words) for socket in status.sockets)]


def _socket(socket: SocketStatus, names: Mapping[int, str], words: Words) -> Group:
    cable = words("Cable attached") if socket.cable_a else words("No cable attached")
    return Group(
        names.get(socket.id) or words("Socket {n}").format(n=socket.id),
        [
            (words("OCPP State"), words(OCPP_STATES[socket.state])),
            (words("Type2 State"), f"{words(TYPE2_STATES.get(socket.pilot[:1], '–'))} · {cable}"),
            (words("Signaled Current"), words.amps_short(max(socket.offered_a))),
        ],
    )


def details(
    status: StationStatus, words: Words, second_meter: SiteMeterStatus | None = None
) -> list[Group]:
    """Further rows for service."""
    backend = status.backend
    rows = [
        (words("Registration"), backend.boot),
        (words("Messages waiting"), str(backend.queue)),
        (words("Time"), f"{format_utc(status.time)} ({status.clock_trust.value})"),
        (words("Revision"), str(status.revision)),
    ]
    second = site_meter.site_facts(second_meter, words) if second_meter is not None else ()
    return [
        Group(words("Station"), rows),
        *(_details(socket, words) for socket in status.sockets),
        *([Group(words("External meter"), list(second))] if second else []),
    ]


def _details(socket: SocketStatus, words: Words) -> Group:
    cable_a = socket.cable_a
    return Group(
        words("Socket {n}").format(n=socket.id),
        [
            (words("Control pilot"), socket.pilot),
            (words("Signalled current"), words.currents(socket.offered_a[: socket.phases])),
            (words("Measured current"), words.currents(_measured(socket))),
            (words("Meter register"), words.energy(socket.register_wh)),
            (words("Cable"), words.amps_short(cable_a) if cable_a else words("none")),
            (words("Locked"), words("yes") if socket.locked else words("no")),
            (words("LED pattern"), socket.led),
        ],
    )


def _measured(socket: SocketStatus) -> Sequence[float] | None:
    return None if socket.measured_a is None else socket.measured_a[: socket.phases]
