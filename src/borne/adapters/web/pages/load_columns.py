"""The columns N1, N2, N3 of load management, and the curves of the last ten minutes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from borne.adapters.web.i18n import Words
from borne.domain.load_management.load_status import LoadSample, LoadStatus, ParticipantRow
from borne.domain.load_management.topology import GRID_PHASES, GridPhase, Rotation, SocketPhase
from borne.foundation.units import ZERO, PerPhase

HEIGHT_PX = 280
"""Of the drawing, as in the style sheet."""
LABEL_PX = 20
"""A lower block has no label; the table has its values."""
NOTHING_A = 9999.0
"""A limit or fallback of this size stands for "unlimited" or "all"."""
ROOM = 1.06
"""The drawing is a little higher than the highest limit."""
COLOURS = 6
SHOWN_A = 0.05
OVER_A = 0.5
BUCKET_S = 10
PERIOD_S = 600
TABLE_STEP = 6
"""The table below the curves has one row a minute."""


@dataclass(frozen=True, slots=True)
class Block:
    """The current of one socket in a column; percents of the height, from the top."""

    participant: str
    colour: int
    lost: bool
    y: float
    height: float
    measured_y: float
    measured_height: float
    label: str
    text_y: float


@dataclass(frozen=True, slots=True)
class Band:
    """A part that is not available to cars."""

    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One phase of the grid."""

    name: str
    blocks: tuple[Block, ...]
    building: Band | None
    headroom: Band | None
    limit_y: float
    above: float
    """Height above the limit."""
    text: str
    label: str
    over: bool


def keys_of(participants: Sequence[ParticipantRow]) -> dict[str, str]:
    """A short name of every socket: `2`, or `2.1` if its station has several."""
    stations = list(dict.fromkeys(row.station for row in participants))
    several = {
        name for name in stations if sum(1 for row in participants if row.station == name) > 1
    }
    return {
        row.id: f"{stations.index(row.station) + 1}"
        + (f".{row.connector}" if row.station in several else "")
        for row in participants
    }


def car_phase(row: ParticipantRow, phase: GridPhase) -> str:
    """The phase of the socket behind a phase of the grid: `L2`; empty if it is not known."""
    if row.rotation is Rotation.UNKNOWN:
        return ""
    fed = {row.rotation.grid_phase(each): each for each in SocketPhase}
    return fed[phase].name


def columns(status: LoadStatus, headroom_a: PerPhase, words: Words) -> tuple[Column, ...]:
    """What each phase carries: the building and the headroom at the bottom, then the sockets."""
    limit = status.limit_a or ZERO
    external = status.external_a
    below = PerPhase(
        *(
            max(0.0, building) + kept if external else 0.0
            for building, kept in zip(external or ZERO, headroom_a, strict=True)
        )
    )
    tops = [
        below[index] + max(limit[index], sum(row.grid_a[index] for row in status.participants))
        for index in range(3)
    ]
    scale = 100 / (max(*tops, 1.0) * ROOM)
    keys = keys_of(status.participants)
    return tuple(
        _column(phase, status, external, below[phase - 1], limit[phase - 1], scale, keys, words)
        for phase in GRID_PHASES
    )


def _column(
    phase: GridPhase,
    status: LoadStatus,
    external: PerPhase | None,
    below_a: float,
    limit_a: float,
    scale: float,
    keys: Mapping[str, str],
    words: Words,
) -> Column:
    index, level = phase - 1, below_a
    blocks, texts = [], []
    for number, row in enumerate(status.participants):
        amps = row.grid_a[index]
        if amps < SHOWN_A:
            continue
        blocks.append(_block(row, phase, number, level, scale, keys[row.id]))
        texts.append(f"{keys[row.id]} {words.amps(amps)}")
        level += amps
    used_a = level - below_a
    building_a = max(0.0, external[index]) if external else 0.0
    text = f"{words.number_short(used_a)} / {words.amps_short(limit_a)}"
    label = words("{phase}: {used} of {limit}").format(
        phase=phase.name, used=words.amps(used_a), limit=words.amps_short(limit_a)
    )
    if external:
        building = words("building {amps}").format(amps=words.amps(external[index]))
        texts.insert(0, building)
    top_y = _y(below_a + limit_a, scale)
    return Column(
        phase.name,
        tuple(blocks),
        Band(_y(building_a, scale), round(building_a * scale, 2)) if building_a else None,
        Band(_y(below_a, scale), round((below_a - building_a) * scale, 2))
        if below_a - building_a > SHOWN_A
        else None,
        top_y,
        top_y,
        text,
        ", ".join([label, *texts]),
        used_a > limit_a + OVER_A,
    )


def _block(
    row: ParticipantRow, phase: GridPhase, number: int, level: float, scale: float, key: str
) -> Block:
    amps = row.grid_a[phase - 1]
    drawn = min(amps, max(0.0, row.measured_grid_a[phase - 1])) if not row.lost else 0.0
    height = round(amps * scale, 2)
    tall = height * HEIGHT_PX / 100 >= LABEL_PX
    car = car_phase(row, phase)
    label = f"{key} · {car}" if car else key
    y = _y(level + amps, scale)
    return Block(
        row.id,
        number % COLOURS + 1,
        row.lost,
        y,
        height,
        _y(level + drawn, scale),
        round(drawn * scale, 2),
        label if tall else "",
        round(y + height / 2, 2),
    )


def _y(amps: float, scale: float) -> float:
    return round(100 - amps * scale, 2)


# The last ten minutes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """One phase in the last ten minutes: areas in a drawing of 600 by 100, and their maximum."""

    name: str
    granted: str
    measured: str
    building: str
    limit: str
    """Points of a line, for `polyline`."""
    top: str
    label: str


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A minute in the table, texts per phase `16 / 0 / 0 A`."""

    time: str
    limit: str
    granted: str
    measured: str
    building: str


def thinned(samples: Sequence[LoadSample], now: datetime) -> list[LoadSample]:
    """The last sample of each ten seconds, oldest first; the running ten seconds are not over."""
    found: dict[int, LoadSample] = {}
    current = int(now.timestamp()) // BUCKET_S
    for sample in samples:
        bucket = int(sample.at.timestamp()) // BUCKET_S
        if current - PERIOD_S // BUCKET_S <= bucket < current:
            found[bucket] = sample
    return list(found.values())


def curves(samples: Sequence[LoadSample], now: datetime, words: Words) -> tuple[Curve, ...]:
    """One drawing per phase: building below, then what is measured and what is allocated."""
    if not samples:
        return ()
    bucket = timedelta(seconds=int(now.timestamp()) % BUCKET_S, microseconds=now.microsecond)
    begin = now - bucket - timedelta(seconds=PERIOD_S)
    xs = [round((each.at - begin).total_seconds(), 1) for each in samples]
    # The last values hold until now.
    samples, xs = [*samples, samples[-1]], [*xs, float(PERIOD_S)]
    high = max(
        max(_below(each, index) + max(each.limit_a[index], each.granted_a[index]), 1.0)
        for each in samples
        for index in range(3)
    )
    return tuple(_curve(samples, xs, index, high * ROOM, words) for index in range(3))


def _below(sample: LoadSample, index: int) -> float:
    """The load of the building; none while it is only assumed that nothing is left."""
    amps = sample.external_a[index] if sample.external_a else 0.0
    return max(0.0, amps) if amps < NOTHING_A else 0.0


def _curve(
    samples: Sequence[LoadSample], xs: Sequence[float], index: int, high: float, words: Words
) -> Curve:
    def ys(values: Sequence[float]) -> list[float]:
        return [round(100 - value / high * 100, 1) for value in values]

    building = [_below(each, index) for each in samples]
    granted = [low + each.granted_a[index] for low, each in zip(building, samples, strict=True)]
    measured = [
        low + max(0.0, each.measured_a[index]) for low, each in zip(building, samples, strict=True)
    ]
    limit = [low + each.limit_a[index] for low, each in zip(building, samples, strict=True)]
    last, name = samples[-1], GRID_PHASES[index].name
    label = words("{phase}: {used} of {limit}").format(
        phase=name,
        used=words.amps(last.granted_a[index]),
        limit=words.amps_short(last.limit_a[index]),
    )
    has_building = any(value > SHOWN_A for value in building)
    return Curve(
        name,
        _area(xs, ys(granted), ys(building)),
        _area(xs, ys(measured), ys(building)),
        _area(xs, ys(building), [100.0] * len(xs)) if has_building else "",
        _points(_stepped(xs, ys(limit))),
        words.amps_short(high / ROOM),
        label,
    )


def _stepped(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    """A value holds until the next sample."""
    points = [(xs[0], ys[0])]
    for x, before, after in zip(xs[1:], ys, ys[1:], strict=False):
        points += [(x, before), (x, after)] if before != after else [(x, after)]
    return points


def _area(xs: Sequence[float], upper: Sequence[float], lower: Sequence[float]) -> str:
    return _points([*_stepped(xs, upper), *reversed(_stepped(xs, lower))])


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def curve_rows(samples: Sequence[LoadSample], zone: tzinfo, words: Words) -> list[CurveRow]:
    """The table twin of the curves, newest first."""
    return [
        CurveRow(
            f"{each.at.astimezone(zone):%H:%M:%S}",
            words.currents(each.limit_a),
            words.currents(each.granted_a),
            words.currents(each.measured_a),
            words.currents(each.external_a),
        )
        for each in samples[::-TABLE_STEP]
    ]
