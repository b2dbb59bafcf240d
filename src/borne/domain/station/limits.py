"""Limits: who allows how much, and why (house rule: a limit never just vanishes).

Every source is declared once. A row that expires is replaced by the fallback of its source; only
its owner withdraws a row. The first stage, a connector's entitlement, is the lowest of its rows;
rows of the station are shared between the connectors by the load management, whose answer is one
more row for each connector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from borne.foundation.units import PerPhase


class LimitScope(StrEnum):
    """What a row restricts."""

    CONNECTOR = "connector"
    STATION = "station"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who may set limits. `fallback_a` replaces an expired row; None means that rows of
    this source may not expire."""

    name: str
    scope: LimitScope
    fallback_a: float | None = None


BOARD = Source("board", LimitScope.CONNECTOR)
MAXIMUM = Source("maximum", LimitScope.CONNECTOR)
CABLE = Source("cable", LimitScope.CONNECTOR)
INSTALLATION = Source("installation", LimitScope.CONNECTOR)
OPERATOR = Source("operator", LimitScope.CONNECTOR)
TEMPERATURE = Source("temperature", LimitScope.CONNECTOR)
METER = Source("meter", LimitScope.CONNECTOR)
EXTERNAL_INPUT = Source("external_input", LimitScope.CONNECTOR)
UNBALANCED_LOAD = Source("unbalanced_load", LimitScope.CONNECTOR)
OCPP_TX = Source("ocpp_tx", LimitScope.CONNECTOR)
ENERGY_MANAGER = Source("energy_manager", LimitScope.CONNECTOR, fallback_a=6.0)
SUPPLY_LINE = Source("supply_line", LimitScope.STATION)
OCPP_STATION = Source("ocpp_station", LimitScope.STATION)
LOAD_MANAGEMENT = Source("load_management", LimitScope.GROUP, fallback_a=0.0)

SOURCES = {
    source.name: source
    for source in (
        BOARD,
        MAXIMUM,
        CABLE,
        INSTALLATION,
        OPERATOR,
        TEMPERATURE,
        METER,
        EXTERNAL_INPUT,
        UNBALANCED_LOAD,
        OCPP_TX,
        ENERGY_MANAGER,
        SUPPLY_LINE,
        OCPP_STATION,
        LOAD_MANAGEMENT,
    )
}


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit in A per phase. Connector rows are in the socket's frame, others in the grid's.

    `until_s` is monotonic; `since` is for people.
    """

    source: Source
    amps: PerPhase
    reason: str
    since: datetime
    until_s: float | None = None

    def expired(self, now_s: float) -> bool:
        """Whether its time is over."""
        return self.until_s is not None and now_s >= self.until_s

    def as_fallback(self, since: datetime) -> LimitRow:
        """What holds after its time."""
        fallback_a = self.source.fallback_a or 0.0
        return LimitRow(self.source, PerPhase.same(fallback_a), "fallback", since)


@dataclass(frozen=True, slots=True)
class LimitBook:
    """All rows of one connector (or of the station), by source."""

    rows: Mapping[str, LimitRow] = field(default_factory=dict)

    def put(self, row: LimitRow) -> LimitBook:
        """Set the row of its source; an unchanged value keeps its `since`."""
        return LimitBook({**self.rows, row.source.name: self.dated(row)})

    def dated(self, row: LimitRow) -> LimitRow:
        """The row with the date of the present one of its source, when nothing changes."""
        old = self.rows.get(row.source.name)
        if old is not None and (old.amps, old.reason) == (row.amps, row.reason):
            return replace(row, since=old.since)
        return row

    def withdraw(self, source: Source) -> LimitBook:
        """Take back the row of a source: its owner's right only."""
        return LimitBook({name: row for name, row in self.rows.items() if name != source.name})

    def expire(self, now_s: float, since: datetime) -> LimitBook:
        """Replace what is over by its fallback."""
        return LimitBook(
            {
                name: row.as_fallback(since) if row.expired(now_s) else row
                for name, row in self.rows.items()
            }
        )

    def next_expiry_s(self) -> float | None:
        """When `expire` has something to do."""
        times = [row.until_s for row in self.rows.values() if row.until_s is not None]
        return min(times) if times else None


def entitlement(rows: Iterable[LimitRow]) -> PerPhase | None:
    """The lowest value of each phase; None without any row (nothing may be offered then)."""
    result: PerPhase | None = None
    for row in rows:
        result = row.amps if result is None else result.lowest(row.amps)
    return result


def signalled_a(amps: PerPhase, phases: int = 3) -> float:
    """One number for all phases of the car: the lowest of those connected (manual 7.6)."""
    return max(0.0, min(amps[:phases]))


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Answer to "why 13 A?": every row, and which of them holds."""

    rows: tuple[LimitRow, ...]
    offered_a: float
    effective: frozenset[str]


def waterfall(rows: Iterable[LimitRow], phases: int = 3) -> Waterfall:
    """All rows in the order of the sources' declaration, the lowest marked."""
    order = list(SOURCES)
    ordered = tuple(sorted(rows, key=lambda row: order.index(row.source.name)))
    if not ordered:
        return Waterfall((), 0.0, frozenset())
    lowest_a = min(signalled_a(row.amps, phases) for row in ordered)
    effective = frozenset(
        row.source.name for row in ordered if signalled_a(row.amps, phases) <= lowest_a
    )
    return Waterfall(ordered, lowest_a, effective)
