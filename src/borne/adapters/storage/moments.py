"""Moments in columns and in payloads, and their dating: a moment of a boot without a date gets
one as soon as the date at another moment of that boot is known, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from borne.adapters.storage.connection import Connection
from borne.foundation.clock import EPOCH, Moment, format_utc

_MICROSECOND = timedelta(microseconds=1)
_UNDATED_TEXT = re.compile(r'"moment:([^":]+):(-?[0-9]+\.[0-9]+)"')


@dataclass(frozen=True, slots=True)
class Dating:
    """The date at one moment of a boot."""

    wall_us: int
    monotonic_s: float

    def at(self, monotonic_s: float) -> int:
        """UTC microseconds of another moment of that boot; to the millisecond that `to_text`
        keeps, so that a payload and its session agree."""
        return self.wall_us - round((self.monotonic_s - round(monotonic_s, 3)) * 1_000_000)


Datings = Mapping[str, Dating]


def to_us(wall: datetime) -> int:
    """UTC microseconds since 1970."""
    return (wall - EPOCH) // _MICROSECOND


def from_us(wall_us: int) -> datetime:
    """The inverse of `to_us`."""
    return EPOCH + wall_us * _MICROSECOND


def columns(moment: Moment, datings: Datings) -> tuple[str, float, int | None]:
    """Boot, monotonic seconds, UTC microseconds; dated if that is possible."""
    boot, monotonic_s = moment.boot_id, float(moment.monotonic_s)
    if moment.wall is not None:
        return boot, monotonic_s, to_us(moment.wall)
    dating = datings.get(boot)
    return boot, monotonic_s, dating.at(monotonic_s) if dating else None


def moment(boot: str, monotonic_s: float, wall_us: int | None) -> Moment:
    """The inverse of `columns`."""
    return Moment(boot, monotonic_s, None if wall_us is None else from_us(wall_us))


def date_text(payload: str, datings: Datings) -> str:
    """A JSON text in which every undated moment of a known boot has its date; all else is
    byte-identical."""

    def dated(match: re.Match[str]) -> str:
        dating = datings.get(match[1])
        return f'"{format_utc(from_us(dating.at(float(match[2]))))}"' if dating else match[0]

    return _UNDATED_TEXT.sub(dated, payload)


def undated_in(payload: str) -> list[tuple[str, float]]:
    """Boot and monotonic seconds of each undated moment."""
    return [(found[0], float(found[1])) for found in _UNDATED_TEXT.findall(payload)]


def read_datings(connection: Connection) -> dict[str, Dating]:
    """All boots whose date became known late."""
    rows = connection.execute("SELECT boot, wall_us, monotonic_s FROM dating").fetchall()
    return {boot: Dating(wall_us, monotonic_s) for boot, wall_us, monotonic_s in rows}
