"""From the status (shape of GET /api/v1/status) to what the dashboard draws. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from borne.adapters.web.i18n import NO_BREAK, Words
from borne.adapters.web.states import FAULTS, REASONS, SOURCES, Look, look, said
from borne.domain.load_management.topology import Rotation, grid_currents
from borne.domain.settings.messages import N_
from borne.domain.station.limits import LimitScope
from borne.foundation.clock import parse_utc
from borne.foundation.units import PerPhase

Status = Mapping[str, Any]
BAR_WIDTH = 1000.0
"""Of the drawing; the red zone beyond the limit takes the last eighth."""
LIMIT_AT = 0.875
DEFAULT_LIMIT_A = 32.0
OVER_A = 0.5
"""Meters and cars are not exact: more than this above a limit is shown as an overload."""
PLUGGED = {"preparing", "charging", "suspended_ev", "suspended_evse", "finishing"}
RUNNING = {"charging", "suspended_ev", "suspended_evse", "authorized"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One phase: what flows, against the limit."""

    phase: str
    segments: tuple[Segment, ...]
    limit_x: float | None
    """None: nothing limits the sum."""
    text: str
    label: str
    over: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """The card of the power flow."""

    headline: str
    charging: bool
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str], ...]
    limit: str
    """What holds for the sum, in words."""
    limited: bool


@dataclass(frozen=True, slots=True)
class Step:
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
    state: str
    led: str
    look: Look
    sentence: str
    big: str
    display: Sequence[Sequence[str]]
    """A screen for each language that takes turns; empty when none is fitted."""
    facts: tuple[tuple[str, str], ...]
    phases: tuple[tuple[str, str, float], ...]
    why: str
    steps: tuple[Step, ...]
    faults: tuple[str, ...]
    running: bool
    startable: bool
    locked: bool
    out_of_service: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of the strip at the top."""

    text: str
    since: str
    severe: bool
    slug: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A word in the header."""

    icon: str
    text: str
    tone: str
    url: str = ""


def sockets(
    status: Status, names: Mapping[int, str], words: Words, *, display: bool = False
) -> list[Socket]:
    """The cards, by connector; `display`: the station has one."""
    now = parse_utc(status["time"])
    return [
        _socket(item, names.get(item["id"], ""), now, words, display=display)
        for item in status["connectors"]
    ]


def _socket(
    item: Mapping[str, Any], name: str, now: datetime, words: Words, *, display: bool
) -> Socket:
    state = str(item["state"])
    plugged = bool(item.get("cable_a")) or state in PLUGGED
    seen = look(
        state,
        str(item.get("led", "")),
        plugged=plugged,
        asks_for_card=item.get("asks_for_card") is not False,
    )
    faults = tuple(words(said(FAULTS, fault["id"])) for fault in item.get("faults", ()))
    power_w = float(item.get("power_w") or 0)
    steps = _steps(item.get("limits", ()), words)
    lowest = next((step.amps for step in steps if step.lowest), "")
    return Socket(
        id=item["id"],
        name=name or words("Socket {n}").format(n=item["id"]),
        state=state,
        led=str(item.get("led", "")),
        look=seen,
        sentence=_sentence(seen, item, faults, words),
        big=words.power(power_w) if power_w > 0 or state == "charging" else "–",
        display=item.get("display", ()) if display else (),
        facts=_facts(item, now, words),
        phases=_phases(item, words),
        why=words("Why {amps}?").format(amps=lowest) if lowest else words("Limits"),
        steps=steps,
        faults=faults,
        running=state in RUNNING,
        startable=state in {"available", "preparing"},
        locked=bool(item.get("locked")),
        out_of_service=state == "unavailable",
    )


def _sentence(seen: Look, item: Mapping[str, Any], faults: Sequence[str], words: Words) -> str:
    state = item["state"]
    power_w = float(item.get("power_w") or 0)
    if state == "charging" and power_w >= 1:
        return words("Charging at {power}").format(power=words.power(power_w))
    if state == "faulted" and faults:
        return words("Out of order: {fault}").format(fault=faults[0])
    return words(seen.sentence)


def _facts(item: Mapping[str, Any], now: datetime, words: Words) -> tuple[tuple[str, str], ...]:
    session = item.get("session")
    offered = max(item.get("offered_a") or [0.0])
    used = max(item.get("measured_a") or [0.0])
    current = f"{words.number_short(offered)} / {words.amps(used)}" if session or offered else "–"
    if session is None:
        cable = item.get("cable_a")
        return (
            (words("Register"), words.energy(item.get("register_wh"))),
            (words("Cable"), words.amps_short(cable) if cable else words("none")),
            (words("Offered / used"), current),
        )
    identity = session.get("identity") or {}
    return (
        (words("Energy"), words.energy(session.get("energy_wh", 0))),
        (words("Duration"), words.duration(_since(session.get("started_at"), now))),
        (words("Who"), _identity(identity, words)),
        (words("Offered / used"), current),
    )


IDENTITIES: dict[str, str] = {
    "FREE": N_("free"),
    "LOCAL": N_("this page"),
    "REMOTE": N_("backend"),
}


def _identity(identity: Mapping[str, Any], words: Words) -> str:
    kind, masked = str(identity.get("kind", "")), str(identity.get("masked") or "")
    if kind in IDENTITIES and (not masked or kind in {"FREE", "LOCAL"}):
        return words(IDENTITIES[kind])
    return masked.replace("...", "…") or "–"


def _since(text: str | None, now: datetime) -> float | None:
    if not text or text.startswith("moment:"):
        return None
    return (now - parse_utc(text)).total_seconds()


def _phases(item: Mapping[str, Any], words: Words) -> tuple[tuple[str, str, float], ...]:
    measured = item.get("measured_a") or [0.0, 0.0, 0.0]
    scale = max([DEFAULT_LIMIT_A, *(item.get("offered_a") or [])])
    return tuple(
        (f"L{number}", words.amps(amps), round(min(1.0, max(0.0, amps / scale)) * 100, 1))
        for number, amps in enumerate(measured[: item.get("phases", len(measured))], 1)
    )


def _steps(rows: Sequence[Mapping[str, Any]], words: Words) -> tuple[Step, ...]:
    if not rows:
        return ()
    lowest = [min(row["amps"]) for row in rows]
    scale = max([*lowest, 1.0])
    effective = [index for index, row in enumerate(rows) if row.get("effective")]
    marked = effective[-1] if effective else lowest.index(min(lowest))
    return tuple(
        Step(
            words(said(SOURCES, row["source"])),
            _amps_text(row["amps"], words),
            round(lowest[index] / scale * 100, 1),
            words(said(REASONS, row["reason"])) if row.get("reason") else "",
            index == marked,
        )
        for index, row in enumerate(rows)
    )


def _amps_text(amps: Sequence[float], words: Words) -> str:
    if len(set(amps)) == 1:
        return words.amps_short(amps[0])
    return "/".join(words.number(value) for value in amps) + "\u202fA"


def flow(
    status: Status, words: Words, rotations: Mapping[int, Rotation] = MappingProxyType({})
) -> Flow:
    """What flows on each phase, from which socket. The sum is held against a limit only where all
    sockets share one; a socket's own limit stands on its card.

    `rotations` by connector: the shared line has the phases of the grid, a meter those of its
    socket.
    """
    items = status["connectors"]
    limits = shared_limit(status)
    turned = any(rotation is not Rotation.RST for rotation in rotations.values())
    loads = {
        item["id"]: _on_grid(item.get("measured_a"), rotations.get(item["id"], Rotation.RST))
        for item in items
    }
    highest = max((sum(amps[phase] for amps in loads.values()) for phase in range(3)), default=0.0)
    free_scale = max(highest, sum(map(_own_limit, items)), 1.0)
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
    total_w = sum(float(item.get("power_w") or 0) for item in items)
    return Flow(
        headline=words("Charging now: {power}").format(power=words.power(total_w))
        if total_w >= 1
        else words("Nobody is charging"),
        charging=total_w >= 1,
        bars=bars,
        legend=tuple(
            (f"socket-{item['id']}", words("Socket {n}").format(n=item["id"])) for item in items
        ),
        limit=words("Limit per phase: {limit}").format(limit=_amps_text(limits, words))
        if limits
        else words("Each socket has its own limit"),
        limited=limits is not None,
    )


def _on_grid(measured_a: Sequence[float] | None, rotation: Rotation) -> PerPhase:
    return grid_currents(PerPhase(*(measured_a or (0.0, 0.0, 0.0))), rotation)


def shared_limit(status: Status) -> PerPhase | None:
    """The lowest limit of what all sockets draw together, per phase of the grid; None without.

    A socket's row in the name of the line is its share. Of a station with one socket, that
    socket's own limits are those of the whole.
    """
    rows = [row["amps"] for row in status.get("limits", ())]
    if len(status["connectors"]) == 1:
        own = status["connectors"][0].get("limits", ())
        rows += [row["amps"] for row in own if row["scope"] == LimitScope.CONNECTOR]
    return PerPhase(*(min(row[phase] for row in rows) for phase in range(3))) if rows else None


def _own_limit(item: Mapping[str, Any]) -> float:
    rows = [
        min(row["amps"]) for row in item.get("limits", ()) if row["scope"] == LimitScope.CONNECTOR
    ]
    return min(rows) if rows else DEFAULT_LIMIT_A


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


def problems(status: Status, names: Mapping[int, str], words: Words) -> list[Problem]:
    """Faults of station and sockets, most severe first."""
    now = parse_utc(status["time"])
    found: list[Problem] = []
    for item in status["connectors"]:
        name = names.get(item["id"]) or words("Socket {n}").format(n=item["id"])
        for fault in item.get("faults", ()):
            fault_text = words(said(FAULTS, fault["id"]))
            text = words("{name}: {text}").format(name=name, text=fault_text)
            found.append(_problem(text, fault, now, words, severe=item["state"] == "faulted"))
    for fault in status.get("faults", ()):
        text = words(said(FAULTS, fault["id"]))
        found.append(_problem(text, fault, now, words, severe=False))
    return sorted(found, key=lambda problem: not problem.severe)


def _problem(
    text: str, fault: Mapping[str, Any], now: datetime, words: Words, *, severe: bool
) -> Problem:
    seconds = _since(fault.get("since"), now)
    since = "" if seconds is None else words("for {time}").format(time=words.duration(seconds))
    return Problem(text, since, severe, str(fault["id"]))


BACKEND_CHIPS: dict[str, tuple[str, str, str]] = {
    "connected": ("cloud", N_("Backend"), "ok"),
    "connecting": ("cloud", N_("Backend: connecting"), "warn"),
    "waiting": ("cloud-off", N_("Backend: no contact"), "fault"),
    "off": ("cloud-off", N_("No backend"), "quiet"),
}


def chips(status: Status | None, words: Words) -> list[Chip]:
    """Backend, load management, and the clock when nobody vouches for it."""
    if status is None:
        return []
    backend = status.get("backend") or {}
    link = str(backend.get("link", "off"))
    if link == "connected" and backend.get("boot") not in {"accepted", None}:
        link = "connecting"
    icon, text, tone = BACKEND_CHIPS.get(link, BACKEND_CHIPS["waiting"])
    queue = int(backend.get("queue") or 0)
    label = words(text)
    if queue and link != "off":
        label = f"{label} · {words.plural('{n} waiting', '{n} waiting', queue)}"
    found = [Chip(icon, label, tone, "/backend")]
    role = str((status.get("load_management") or {}).get("role", "disabled"))
    if role != "disabled":
        found.append(_group_chip(status["load_management"], role, words))
    if status.get("clock_trust") == "none":
        found.append(Chip("clock-alert", words("Time not set"), "warn"))
    return found


def _group_chip(group: Mapping[str, Any], role: str, words: Words) -> Chip:
    if "master" in role:
        members = group.get("members") or group.get("slaves") or ()
        number = members if isinstance(members, int) else len(members)
        return Chip("share-2", words("Master · {n}").format(n=number), "ok")
    lost = group.get("link") in {"lost", "waiting"}
    text = words("Slave: master lost") if lost else words("Slave")
    return Chip("share-2", text, "fault" if lost else "ok")


def title(status: Status | None, station: str, words: Words) -> str:
    """The title of the page: it tells the state when the tab is in the background."""
    if status is None:
        return station
    total_w = sum(float(item.get("power_w") or 0) for item in status["connectors"])
    if any(item["state"] == "faulted" for item in status["connectors"]):
        return f"⚠ {station}"
    return f"{f'⚡ {words.power(total_w)}' if total_w >= 1 else words('Dashboard')} – {station}"


def announcement(status: Status, names: Mapping[int, str], words: Words) -> str:
    """States in one sentence, for the live region of screen readers."""
    said_of = words("{name}: {text}")
    cards = sockets(status, names, words)
    return ". ".join(said_of.format(name=card.name, text=_calm(card, words)) for card in cards)


def _calm(card: Socket, words: Words) -> str:
    """The sentence without the power, which changes all the time."""
    return words(card.look.sentence) if card.state == "charging" else card.sentence
