"""View models of the dashboard, made from the status. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from borne.adapters.web.i18n import NO_BREAK, Words
from borne.adapters.web.states import FAULTS, REASONS, SOURCES, Look, look, phrase
from borne.domain.limits.sources import LimitScope
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.reason_text import reason_text
from borne.domain.load_management.topology import Rotation, grid_currents
from borne.domain.settings.choices import DlmRole
from borne.domain.station.station_status import (
    FaultStatus,
    LimitStatus,
    MaskedIdentity,
    SocketStatus,
    StationStatus,
)
from borne.domain.station.status import ConnectorStatus
from borne.domain.vehicle import IdentityKind
from borne.foundation.clock import ClockTrust
from borne.foundation.messages import N_
from borne.foundation.units import ZERO, PerPhase

BAR_WIDTH = 1000.0
"""Of the drawing; the red zone above the limit is the last eighth."""
LIMIT_AT = 0.875
DEFAULT_LIMIT_A = 32.0
OVER_A = 0.5
"""Meters and cars are inaccurate: only more than this above a limit is shown as an overload."""
PLUGGED = {
    ConnectorStatus.PREPARING,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.FINISHING,
}
RUNNING = {
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.AUTHORIZED,
}
STARTABLE = {ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING}


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One phase: current against the limit."""

    phase: str
    segments: tuple[Segment, ...]
    limit_x: float | None
    """None: the sum is unlimited."""
    text: str
    label: str
    over: bool


@dataclass(frozen=True, slots=True)
class PowerFlow:
    """The card of the power flow."""

    headline: str
    charging: bool
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str], ...]
    limit: str
    """The limit of the sum, formatted."""
    limited: bool


@dataclass(frozen=True, slots=True)
class LimitStep:
    """A line of the waterfall of limits."""

    name: str
    amps: str
    share: float
    reason: str
    lowest: bool


@dataclass(frozen=True, slots=True)
class Socket:
    """The card of a socket."""

    id: int
    name: str
    state: ConnectorStatus
    led: str
    look: Look
    sentence: str
    big: str
    display: Sequence[Sequence[str]]
    """One screen per language, shown in turn; empty without a display."""
    facts: tuple[tuple[str, str], ...]
    phases: tuple[tuple[str, str, float], ...]
    why: str
    steps: tuple[LimitStep, ...]
    faults: tuple[str, ...]
    running: bool
    startable: bool
    locked: bool
    out_of_service: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of the problem strip at the top."""

    text: str
    since: str
    severe: bool
    slug: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A short state in the header."""

    icon: str
    text: str
    tone: str
    url: str = ""


def sockets(
    status: StationStatus, names: Mapping[int, str], words: Words, *, display: bool = False
) -> list[Socket]:
    """The cards, by connector; `display`: the station has a display."""
    return [
        _socket(socket, names.get(socket.id, ""), status.time, words, display=display)
        for socket in status.sockets
    ]


def _socket(
    socket: SocketStatus, name: str, now: datetime, words: Words, *, display: bool
) -> Socket:
    state = socket.state
    plugged = bool(socket.cable_a) or state in PLUGGED
    seen = look(state, socket.led, plugged=plugged, asks_for_card=socket.asks_for_card)
    faults = tuple(words(phrase(FAULTS, active.fault)) for active in socket.faults)
    charging = state is ConnectorStatus.CHARGING
    steps = _steps(socket.limits, words)
    lowest = next((step.amps for step in steps if step.lowest), "")
    return Socket(
        id=socket.id,
        name=name or words("Socket {n}").format(n=socket.id),
        state=state,
        led=socket.led,
        look=seen,
        sentence=_sentence(seen, socket, faults, words),
        big=words.power(socket.power_w) if (socket.power_w or 0) > 0 or charging else "–",
        display=socket.display if display else (),
        facts=_facts(socket, now, words),
        phases=_phases(socket, words),
        why=words("Why {amps}?").format(amps=lowest) if lowest else words("Limits"),
        steps=steps,
        faults=faults,
        running=state in RUNNING,
        startable=state in STARTABLE,
        locked=socket.locked,
        out_of_service=state is ConnectorStatus.UNAVAILABLE,
    )


def _sentence(seen: Look, socket: SocketStatus, faults: Sequence[str], words: Words) -> str:
    if socket.state is ConnectorStatus.CHARGING and (socket.power_w or 0) >= 1:
        return words("Charging at {power}").format(power=words.power(socket.power_w))
    if socket.state is ConnectorStatus.FAULTED and faults:
        return words("Out of order: {fault}").format(fault=faults[0])
    return words(seen.sentence)


def _facts(socket: SocketStatus, now: datetime, words: Words) -> tuple[tuple[str, str], ...]:
    session, cable_a = socket.session, socket.cable_a
    offered = max(socket.offered_a)
    used = words.amps(None if socket.measured_a is None else max(socket.measured_a))
    current = f"{words.number_short(offered)} / {used}" if session or offered else "–"
    if session is None:
        return (
            (words("Register"), words.energy(socket.register_wh)),
            (words("Cable"), words.amps_short(cable_a) if cable_a else words("none")),
            (words("Offered / used"), current),
        )
    began = session.started_at
    return (
        (words("Energy"), words.energy(session.energy_wh)),
        (words("Duration"), words.duration((now - began).total_seconds() if began else None)),
        (words("Who"), _identity(session.identity, words)),
        (words("Offered / used"), current),
    )


IDENTITIES: dict[IdentityKind, str] = {
    IdentityKind.FREE: N_("free"),
    IdentityKind.LOCAL: N_("this page"),
    IdentityKind.REMOTE: N_("backend"),
}
ANONYMOUS = {IdentityKind.FREE, IdentityKind.LOCAL}
"""Kinds without a personal token."""


def _identity(identity: MaskedIdentity, words: Words) -> str:
    kind, masked = identity.kind, identity.masked
    if kind in IDENTITIES and (not masked or kind in ANONYMOUS):
        return words(IDENTITIES[kind])
    return masked.replace("...", "…") or "–"


def _phases(socket: SocketStatus, words: Words) -> tuple[tuple[str, str, float], ...]:
    scale = max(DEFAULT_LIMIT_A, *socket.offered_a)
    if socket.measured_a is None:
        return tuple((f"L{number}", "–", 0.0) for number in range(1, socket.phases + 1))
    return tuple(
        (f"L{number}", words.amps(amps), round(min(1.0, max(0.0, amps / scale)) * 100, 1))
        for number, amps in enumerate(socket.measured_a[: socket.phases], 1)
    )


def _steps(rows: Sequence[LimitStatus], words: Words) -> tuple[LimitStep, ...]:
    if not rows:
        return ()
    lowest = [min(row.amps) for row in rows]
    scale = max([*lowest, 1.0])
    effective = [index for index, row in enumerate(rows) if row.effective]
    marked = effective[-1] if effective else lowest.index(min(lowest))
    return tuple(
        LimitStep(
            words(phrase(SOURCES, row.source)),
            _amps_text(row.amps, words),
            round(lowest[index] / scale * 100, 1),
            _limit_reason(row, words),
            index == marked,
        )
        for index, row in enumerate(rows)
    )


def _limit_reason(row: LimitStatus, words: Words) -> str:
    """A share of load management names the line that is full, and its phase."""
    if row.link is not None or row.limited_by is not None:
        reason = Reason(row.cause, row.link, source=row.limited_by)
        return reason_text(reason, number=words.number_short).render(words)
    return words(phrase(REASONS, row.cause)).format(detail=row.detail)


def _amps_text(amps: Sequence[float], words: Words) -> str:
    if len(set(amps)) == 1:
        return words.amps_short(amps[0])
    return "/".join(words.number(value) for value in amps) + "\u202fA"


def flow(
    status: StationStatus, words: Words, rotations: Mapping[int, Rotation] = MappingProxyType({})
) -> PowerFlow:
    """Current per phase, by socket. The sum is compared with a limit only if all sockets share one;
    a socket's own limit is on its card.

    `rotations` by connector: the shared line has the phases of the grid, a meter those of its
    socket.
    """
    limits = shared_limit(status)
    turned = any(rotation is not Rotation.RST for rotation in rotations.values())
    loads = {
        socket.id: grid_currents(socket.measured_a or ZERO, rotations.get(socket.id, Rotation.RST))
        for socket in status.sockets
    }
    highest = max((sum(amps[phase] for amps in loads.values()) for phase in range(3)), default=0.0)
    free_scale = max(highest, sum(map(_own_limit, status.sockets)), 1.0)
    bars = tuple(
        _bar(
            f"{'N' if turned else 'L'}{phase + 1}",
            {number: amps[phase] for number, amps in loads.items()},
            limits[phase] if limits else None,
            free_scale,
            words,
        )
        for phase in range(3)
    )
    total_w = status.power_w
    return PowerFlow(
        headline=words("Charging now: {power}").format(power=words.power(total_w))
        if total_w >= 1
        else words("No car is charging"),
        charging=total_w >= 1,
        bars=bars,
        legend=tuple(
            (f"socket-{socket.id}", words("Socket {n}").format(n=socket.id))
            for socket in status.sockets
        ),
        limit=words("Limit per phase: {limit}").format(limit=_amps_text(limits, words))
        if limits
        else words("Load management shares the current")
        if status.load_management_role != DlmRole.DISABLED
        else words("Each socket has its own limit"),
        limited=limits is not None,
    )


def shared_limit(status: StationStatus) -> PerPhase | None:
    """The lowest limit shared by all sockets, per phase of the grid; None without one.

    A socket's row with the source of the line is its share. For a station with one socket, the
    limits of that socket apply to the whole.
    """
    rows = [row.amps for row in status.limits]
    if len(status.sockets) == 1:
        rows += [row.amps for row in status.sockets[0].limits if row.scope is LimitScope.CONNECTOR]
    return PerPhase(*(min(row[phase] for row in rows) for phase in range(3))) if rows else None


def _own_limit(socket: SocketStatus) -> float:
    rows = [min(row.amps) for row in socket.limits if row.scope is LimitScope.CONNECTOR]
    return min(rows, default=DEFAULT_LIMIT_A)


def _bar(
    name: str, amps: Mapping[int, float], limit_a: float | None, free_scale: float, words: Words
) -> Bar:
    total = sum(amps.values())
    if limit_a is None:
        scale = BAR_WIDTH / free_scale
        text = label = words.amps(total)
    else:
        scale = min(BAR_WIDTH * LIMIT_AT / max(limit_a, 1.0), BAR_WIDTH / max(total, 1.0))
        text = f"{words.number(total, 1)} / {words.amps_short(limit_a)}"
        label = words("{total} of {limit}").format(
            total=words.amps(total), limit=words.amps_short(limit_a)
        )
    segments, x = [], 0.0
    for number, current_a in amps.items():
        width = round(max(0.0, current_a) * scale, 1)
        if width > 0:
            segments.append(Segment(f"socket-{number}", round(x, 1), width))
        x += width
    return Bar(
        name,
        tuple(segments),
        None if limit_a is None else round(limit_a * scale, 1),
        text.replace(" ", NO_BREAK),
        f"{name}: {label}",
        limit_a is not None and total > limit_a + OVER_A,
    )


def problems(status: StationStatus, names: Mapping[int, str], words: Words) -> list[Problem]:
    """Faults of station and sockets, most severe first."""
    now, found = status.time, []
    for socket in status.sockets:
        name = names.get(socket.id) or words("Socket {n}").format(n=socket.id)
        severe = socket.state is ConnectorStatus.FAULTED
        for active in socket.faults:
            fault_text = words(phrase(FAULTS, active.fault))
            text = words("{name}: {text}").format(name=name, text=fault_text)
            found.append(_problem(text, active, now, words, severe=severe))
    for active in status.faults:
        text = words(phrase(FAULTS, active.fault))
        found.append(_problem(text, active, now, words, severe=False))
    return sorted(found, key=lambda problem: not problem.severe)


def _problem(
    text: str, active: FaultStatus, now: datetime, words: Words, *, severe: bool
) -> Problem:
    duration = words.duration((now - active.since).total_seconds())
    return Problem(text, words("for {time}").format(time=duration), severe, active.fault)


BACKEND_CHIPS: dict[str, tuple[str, str, str]] = {
    "connected": ("cloud", N_("Backend"), "ok"),
    "connecting": ("cloud", N_("Backend: connecting"), "warn"),
    "waiting": ("cloud-off", N_("Backend: no contact"), "fault"),
    "off": ("cloud-off", N_("No backend"), "quiet"),
}


def chips(status: StationStatus | None, words: Words) -> list[Chip]:
    """Backend, load management, and the clock if it is not trusted."""
    if status is None:
        return []
    backend = status.backend
    link = backend.link
    if link == "connected" and backend.boot != "accepted":
        link = "connecting"
    icon, text, tone = BACKEND_CHIPS.get(link, BACKEND_CHIPS["waiting"])
    label = words(text)
    if backend.queue and link != "off":
        label = f"{label} · {words.plural('{n} waiting', '{n} waiting', backend.queue)}"
    found = [Chip(icon, label, tone, "/backend")]
    if status.load_management_role != "disabled":
        master = "master" in status.load_management_role
        found.append(Chip("share-2", words("Master") if master else words("Slave"), "ok", "/load"))
    if status.clock_trust is ClockTrust.NONE:
        found.append(Chip("clock-alert", words("Time not set"), "warn"))
    return found


def title(status: StationStatus | None, station: str, words: Words) -> str:
    """The title of the page, with the state for a tab in the background."""
    if status is None:
        return station
    total_w = status.power_w
    if any(socket.state is ConnectorStatus.FAULTED for socket in status.sockets):
        return f"⚠ {station}"
    return f"{f'⚡ {words.power(total_w)}' if total_w >= 1 else words('Dashboard')} – {station}"


def announcement(status: StationStatus, names: Mapping[int, str], words: Words) -> str:
    """All states in one sentence, for the live region of screen readers."""
    item = words("{name}: {text}")
    cards = sockets(status, names, words)
    return ". ".join(item.format(name=card.name, text=_calm(card, words)) for card in cards)


def _calm(card: Socket, words: Words) -> str:
    """The sentence without the power, which changes constantly."""
    return words(card.look.sentence) if card.state is ConnectorStatus.CHARGING else card.sentence
