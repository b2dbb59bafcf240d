"""The slaves that a master knows, also after its restart (manual 7.7).

For each of them a current stays reserved while it is silent. Only what the reservation needs is
stored, and only when it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from borne.application.ports.storage import StateStore
from borne.application.state.kept_state import (
    mapping,
    number,
    of_form,
    sequence,
    stored_entries,
    text,
    whole,
)
from borne.domain.load_management.messages import SlaveReport, SocketReport
from borne.domain.load_management.topology import ROOT, Rotation
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.units import PerPhase

STATE_KEY = "load_management_slaves"
FORM = 1

MAX_SLAVES = 1000
"""Slaves of one master; reports of others are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSocket:
    """What a master must know of a silent socket, in amps per phase."""

    connector: int
    upper_a: float
    """The highest of its own limits so far."""
    disconnected_a: float
    rotation: Rotation = Rotation.RST
    phase_count: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSlave:
    """A station that has reported at least once."""

    station: str
    name: str = ""
    group: str = ROOT
    limit_a: PerPhase | None = None
    sockets: tuple[KnownSocket, ...] = ()

    def updated(self, report: SlaveReport, absent: Iterable[KnownSocket] = ()) -> KnownSlave:
        """Return what is known after a report; a socket's upper limit never falls, because it may
        rise again while the station is silent. `absent`: sockets that are kept although the report
        may lack them."""
        uppers = {own.connector: own.upper_a for own in self.sockets}
        present = {own.connector for own in report.sockets}
        kept = tuple(own for own in absent if own.connector not in present)
        return KnownSlave(
            station=report.station,
            name=report.name,
            group=report.group,
            limit_a=report.limit_a,
            sockets=(
                *(_known(own, uppers.get(own.connector, 0.0)) for own in report.sockets),
                *kept,
            ),
        )


def _known(own: SocketReport, before_a: float) -> KnownSocket:
    return KnownSocket(
        connector=own.connector,
        upper_a=max(before_a, own.upper_a),
        disconnected_a=own.disconnected_a,
        rotation=own.rotation,
        phase_count=own.phase_count,
    )


async def load_known_slaves(state: StateStore) -> tuple[KnownSlave, ...]:
    """Return the stored slaves; unreadable ones are put aside with a notice."""
    found, _ = await stored_entries(state, STATE_KEY, _from_stored)
    by_station = {slave.station: slave for slave in found}
    return tuple(by_station.values())[:MAX_SLAVES]


async def store_known_slaves(state: StateStore, slaves: Iterable[KnownSlave]) -> None:
    """Replace the stored slaves. Raises StorageFailed."""
    stored: list[JsonValue] = [_to_stored(slave) for slave in slaves]
    await state.put(STATE_KEY, stored or None)


def _to_stored(slave: KnownSlave) -> JsonObject:
    return {
        "form": FORM,
        "station": slave.station,
        "name": slave.name,
        "group": slave.group,
        "limit_a": None if slave.limit_a is None else list(slave.limit_a),
        "sockets": [
            {
                "connector": own.connector,
                "upper_a": own.upper_a,
                "disconnected_a": own.disconnected_a,
                "rotation": own.rotation.value,
                "phases": own.phase_count,
            }
            for own in slave.sockets
        ],
    }


def _from_stored(value: JsonValue) -> KnownSlave:
    stored = of_form(value, FORM)
    limit = stored["limit_a"]
    return KnownSlave(
        station=text(stored["station"]),
        name=text(stored["name"]),
        group=text(stored["group"]),
        limit_a=None if limit is None else PerPhase(*map(_amps, sequence(limit))),
        sockets=tuple(map(_socket, sequence(stored["sockets"]))),
    )


def _socket(value: JsonValue) -> KnownSocket:
    stored = mapping(value)
    phases = whole(stored["phases"])
    if not 1 <= phases <= 3:
        raise ValueError(f"{phases} phases")
    return KnownSocket(
        connector=whole(stored["connector"]),
        upper_a=_amps(stored["upper_a"]),
        disconnected_a=_amps(stored["disconnected_a"]),
        rotation=Rotation(text(stored["rotation"])),
        phase_count=phases,
    )


def _amps(value: JsonValue) -> float:
    amps = number(value)
    if amps < 0:
        raise ValueError(f"{amps} A")
    return amps
