"""View models of load management: header, table, sources, checks, decisions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from borne.adapters.web.i18n import Words
from borne.adapters.web.load_json import group_naming, worst
from borne.adapters.web.pages.load_columns import COLOURS, NOTHING_A, keys_of
from borne.adapters.web.pages.meter_view import age_text
from borne.adapters.web.states import SOURCES, phrase
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.load_status import (
    DisconnectedSum,
    LoadDecision,
    LoadStatus,
    ParticipantRow,
    SiteLimitRow,
    Trust,
)
from borne.domain.load_management.messages import SocketUse
from borne.domain.load_management.reason_text import reason_text
from borne.domain.load_management.topology import Rotation, SocketPhase
from borne.foundation.messages import N_, Message
from borne.foundation.units import ZERO, PerPhase

Naming = Callable[[str], str | Message]

_FRESH_S = 10
"""A younger contact is shown as one: the page is not redrawn for every report."""

_USES: Mapping[SocketUse, tuple[str, str, str]] = {
    SocketUse.FREE: ("circle-check", "available", N_("free")),
    SocketUse.PLUGGED: ("plug", "checking", N_("plugged in")),
    SocketUse.WAITING: ("hourglass", "charging", N_("waits for current")),
    SocketUse.OFFERED: ("circle-pause", "charging", N_("offered, not used")),
    SocketUse.CHARGING: ("zap", "charging", N_("charging")),
    SocketUse.FAULTED: ("triangle-alert", "fault", N_("out of order")),
}
_LOST = ("unplug", "fault", N_("no contact"))


@dataclass(frozen=True, slots=True)
class Row:
    """A socket in the table."""

    id: str
    key: str
    colour: int
    station: str
    station_id: str
    connector: int
    address: str
    icon: str
    tone: str
    state: str
    since: str
    phases: tuple[str, ...]
    """`L1→N2` for each that the car uses."""
    rotation: str
    granted: str
    measured: str
    reason: str
    limits: str
    """Requested current, minimum and disconnected limit."""
    last_contact: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Total:
    """A row below the sockets."""

    name: str
    granted: str
    measured: str


@dataclass(frozen=True, slots=True)
class LimitSource:
    """A source of the limit."""

    name: str
    amps: str
    share: float
    reason: str
    note: str
    """On which phases it is the lowest, its age and its fallback."""
    lowest: bool


@dataclass(frozen=True, slots=True)
class Check:
    """The disconnected limits against one line, as a sentence and in short."""

    text: str
    brief: str
    fits: bool


@dataclass(frozen=True, slots=True)
class KnownStation:
    """A station that the master knows."""

    id: str
    name: str
    connected: bool
    last_contact: str
    reserved: str
    """Per phase of the grid; empty while it is connected."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the ticker."""

    at: str
    text: str


def headline(status: LoadStatus, words: Words) -> str:
    """The sentence at the top."""
    stations = {row.station for row in status.participants} | set(status.missing)
    away = {row.station for row in status.participants if row.lost} | set(status.missing)
    parts = [words("Master of group {id}").format(id=status.network_id)]
    if stations:
        text = words("{n} of {total} stations connected")
        parts.append(text.format(n=len(stations - away), total=len(stations)))
    if status.limit_a is not None:
        used = used_a(status)
        text = words("sharing {limit} per phase, {used} in use")
        limit = (
            words.amps_short(status.limit_a[0])
            if len(set(status.limit_a)) == 1
            else words.currents(status.limit_a)
        )
        parts.append(text.format(limit=limit, used=words.currents(used.rounded())))
    return " · ".join(parts)


def used_a(status: LoadStatus) -> PerPhase:
    """What is granted or reserved, per phase of the grid."""
    total = ZERO
    for row in status.participants:
        total = total.plus(row.grid_a)
    return total


def rows_of(status: LoadStatus, now: datetime, words: Words) -> list[Row]:
    """The sockets, in the order of the columns."""
    naming, keys = group_naming(status, words), keys_of(status.participants)
    return [
        _row(row, number % COLOURS + 1, keys[row.id], naming, now, words)
        for number, row in enumerate(status.participants)
    ]


def _row(
    row: ParticipantRow, colour: int, key: str, naming: Naming, now: datetime, words: Words
) -> Row:
    icon, tone, state = _LOST if row.lost else _USES[row.use]
    reason = reason_text(row.reason, naming, words.number_short).render(words)
    unmeasured = row.trust is not Trust.REPORTED or row.measured_a is None
    return Row(
        id=row.id,
        key=key,
        colour=colour,
        station=row.station_name or row.station,
        station_id=row.station,
        connector=row.connector,
        address=row.address,
        icon=icon,
        tone=tone,
        state=words(state),
        since=_since(row.since, now, words),
        phases=_phases(row, words),
        rotation=words("unknown rotation") if row.rotation is Rotation.UNKNOWN else row.rotation,
        granted=per_phase(row.grid_a, words),
        measured="–" if unmeasured else per_phase(row.measured_grid_a, words),
        reason=_until(reason, row.until, now, words),
        limits=_limits(row, words),
        last_contact=_contact(row, words),
        lost=row.lost,
    )


def per_phase(amps: PerPhase, words: Words) -> str:
    """`16 / 0 / 12.5`: without the unit, which the head of the table has."""
    return " / ".join(map(words.number_short, amps))


def _since(since: datetime | None, now: datetime, words: Words) -> str:
    if since is None:
        return ""
    return words("for {time}").format(time=words.duration((now - since).total_seconds()))


def _until(reason: str, until: datetime | None, now: datetime, words: Words) -> str:
    if until is None or until <= now:
        return reason
    left = words.duration((until - now).total_seconds() + 59)
    return f"{reason} · {words('at most {time}').format(time=left)}"


def _limits(row: ParticipantRow, words: Words) -> str:
    wanted = (row.requested_a, row.minimum_a, row.disconnected_a)
    numbers = ("–" if amps is None else words.number_short(amps) for amps in wanted)
    return " / ".join(numbers)


def _phases(row: ParticipantRow, words: Words) -> tuple[str, ...]:
    """The phases of the socket that count, and where they are in the grid."""
    if row.rotation is Rotation.UNKNOWN:
        return (words("counts on all"),)
    connected = [phase for phase in SocketPhase if phase <= row.phase_count]
    used = sorted(row.phases) if row.phases else connected
    ways = tuple(f"{each.name}→{row.rotation.grid_phase(each).name}" for each in used)
    if row.phases is None and row.requested_a is not None:
        return (words("not known yet:"), *ways)
    return ways


def _contact(row: ParticipantRow, words: Words) -> str:
    if row.received_s is None:
        return words("never")
    if row.received_s < _FRESH_S and not row.lost:
        return words("less than {n} s ago").format(n=_FRESH_S)
    return words("{age} ago").format(age=age_text(row.received_s, words))


def totals(status: LoadStatus, words: Words) -> list[Total]:
    """External load, sum, limit and what is free."""
    used, measured = used_a(status), ZERO
    for row in status.participants:
        measured = measured.plus(row.measured_grid_a)
    found = []
    if status.external_a is not None:
        external = per_phase(status.external_a, words)
        found.append(Total(words("External load"), "–", external))
    found.append(Total(words("Sum"), per_phase(used, words), per_phase(measured, words)))
    if status.limit_a is not None:
        free = PerPhase(*(max(0.0, amps) for amps in status.limit_a.minus(used)))
        found.append(Total(words("Limit"), per_phase(status.limit_a, words), "–"))
        found.append(Total(words("Free"), per_phase(free, words), "–"))
    return found


def sources(status: LoadStatus, words: Words) -> list[LimitSource]:
    """All sources of the limit; the lowest are marked."""
    lowest = [min(row.amps) for row in status.limits]
    scale = max([*(amps for amps in lowest if amps < NOTHING_A), 1.0])
    return [
        LimitSource(
            words(phrase(SOURCES, row.source)),
            words.currents(row.amps) if len(set(row.amps)) > 1 else words.amps_short(row.amps[0]),
            round(min(100.0, max(0.0, amps) / scale * 100), 1),
            row.reason.render(words),
            _source_note(row, words),
            row.binds,
        )
        for row, amps in zip(status.limits, lowest, strict=True)
    ]


def _source_note(row: SiteLimitRow, words: Words) -> str:
    parts = []
    if row.binds and not all(row.effective):
        on = ", ".join(f"N{number}" for number, is_on in enumerate(row.effective, 1) if is_on)
        parts.append(words("lowest on {phases}").format(phases=on))
    elif row.binds:
        parts.append(words("lowest"))
    if row.age_s is not None:
        parts.append(
            words("less than {n} s ago").format(n=_FRESH_S)
            if row.age_s < _FRESH_S
            else words("{age} ago").format(age=age_text(row.age_s, words))
        )
    if row.fallback_a is not None:
        amps = words.currents(row.fallback_a)
        parts.append(words("without contact {amps}").format(amps=amps))
    return " · ".join(parts)


def checks(status: LoadStatus, words: Words) -> list[Check]:
    """The lines whose limit the disconnected limits exceed, worst first; if there are none, the
    tightest one."""
    naming = group_naming(status, words)
    exceeded = [each for each in status.disconnected if not each.fits]
    if exceeded:
        exceeded.sort(key=lambda each: each.limit_a - each.amps)
        return [_check(each, naming, words) for each in exceeded]
    tightest = worst(status.disconnected)
    return [] if tightest is None else [_check(tightest, naming, words)]


def _check(each: DisconnectedSum, naming: Naming, words: Words) -> Check:
    line = words("the main distribution, with the assumed load of the building")
    if not each.main:
        name = naming(each.group)
        line = name.render(words) if isinstance(name, Message) else name
    if each.fits:
        text = words(
            "Without their master, the stations together draw at most {amps} on {phase}: "
            "{line} carries {limit}."
        )
        over = ""
    else:
        text = words(
            "Without their master, the stations together may draw {amps} on {phase}: {over} more "
            "than {line} carries ({limit})."
        )
        over = words.amps_short(each.amps - each.limit_a)
    brief = words("{over} too much on {phase} of {line}: {amps} instead of {limit}")
    values = {
        "amps": words.amps_short(each.amps),
        "phase": each.phase.name,
        "line": line,
        "limit": words.amps_short(max(0.0, each.limit_a)),
        "over": over,
    }
    return Check(text.format(**values), brief.format(**values), each.fits)


def stations(status: LoadStatus, words: Words) -> list[KnownStation]:
    """The known stations, those without contact first."""
    sockets: dict[str, list[ParticipantRow]] = {name: [] for name in status.missing}
    for row in status.participants:
        sockets.setdefault(row.station, []).append(row)
    missing = set(status.missing)
    return [_station(name, rows, name in missing, words) for name, rows in sockets.items()]


def _station(
    name: str, rows: Sequence[ParticipantRow], missing: bool, words: Words
) -> KnownStation:
    reserved = ZERO
    for row in rows:
        reserved = reserved.plus(row.grid_a)
    return KnownStation(
        id=name,
        name=rows[0].station_name if rows and rows[0].station_name else name,
        connected=not missing,
        last_contact=_contact(rows[0], words) if rows else words("never"),
        reserved=per_phase(reserved, words) if missing else "",
    )


def decisions(
    history: Sequence[LoadDecision], status: LoadStatus, zone: tzinfo, words: Words
) -> list[Decision]:
    """The last decisions, newest first."""
    naming, names = group_naming(status, words), socket_names(status)
    return [
        Decision(
            f"{each.at.astimezone(zone):%H:%M:%S}",
            words("Cycle {cycle}: {socket} from {before} to {after}: {reason}").format(
                cycle=each.cycle,
                socket=names.get(each.participant, each.participant),
                before=words.amps_short(each.before_a),
                after=words.amps_short(each.after_a),
                reason=reason_text(each.reason, naming, words.number_short).render(words),
            ),
        )
        for each in reversed(history)
    ]


def socket_names(status: LoadStatus) -> dict[str, str]:
    """Key and name of each socket."""
    keys = keys_of(status.participants)
    return {
        row.id: f"{keys[row.id]} {row.station_name or row.station}" for row in status.participants
    }


def imbalance_holds(status: LoadStatus) -> bool:
    """True if a current is held down to load the phases equally."""
    return any(row.reason.cause is LimitCause.IMBALANCE for row in status.participants)
