"""The sockets of a slave as participants of the distribution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from borne.application.load_management.known_slaves import KnownSocket
from borne.application.load_management.remote_station import RemoteStation, Twin
from borne.domain.load_management.fail_safe import reservation_a
from borne.domain.load_management.messages import SocketReport
from borne.domain.load_management.socket_memory import SocketFacts


def twin_facts(one: RemoteStation, group: str, twins: Iterable[Twin]) -> Iterator[SocketFacts]:
    """Yield the sockets of other stations under the same id: their currents are reserved."""
    for twin in twins:
        for own in twin.report.sockets:
            yield SocketFacts(
                participant=f"{one.participant(own.connector)}:{twin.report.boot}",
                group=group,
                rotation=own.rotation,
                phase_count=own.phase_count,
                live=True,
                reserved_a=reservation_a(own.offered_a, own.disconnected_a),
            )


def unreported_facts(
    one: RemoteStation, socket: KnownSocket, group: str, reserved_a: float | None
) -> SocketFacts:
    """Return what is known of a socket that its station does not report."""
    return SocketFacts(
        participant=one.participant(socket.connector),
        group=group,
        rotation=socket.rotation,
        phase_count=socket.phase_count,
        disconnected_a=socket.disconnected_a,
        entitled_a=socket.upper_a,
        live=True,
        reserved_a=reserved_a,
    )


def reported_facts(
    one: RemoteStation,
    socket: KnownSocket,
    own: SocketReport,
    group: str,
    reserved_a: float | None,
    lingers_a: float,
) -> SocketFacts:
    """Return a socket as its station reported it last."""
    departs_in_s = own.departs_in_s
    return SocketFacts(
        participant=one.participant(socket.connector),
        group=group,
        rotation=socket.rotation,
        phase_count=socket.phase_count,
        disconnected_a=socket.disconnected_a,
        reserved_a=reserved_a,
        lingers_a=lingers_a,
        priority=own.priority,
        wants=own.wants,
        asking=own.asking,
        closed=own.closed,
        live=own.live,
        measured_a=own.measured_a,
        measured_s=one.received_s,
        entitled_a=own.upper_a,
        entitled_by=own.upper_cause,
        minimum_a=own.minimum_a,
        energy_wh=own.energy_wh,
        departs_s=None if departs_in_s is None else one.received_s + departs_in_s,
    )
