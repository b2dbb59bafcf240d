"""Rows of limits: the source, the value, its expiry and the reason.

There is a row for each source and owner, so two energy managers do not overwrite each other. A row
that expires is replaced by the fallback of its source; only its owner withdraws it. Without an
obligation, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isnan

from borne.domain.limits.cause import LimitCause
from borne.domain.limits.sources import LimitKind, Source
from borne.domain.load_management.topology import SupplyLink
from borne.foundation.units import PerPhase

RowKey = tuple[Source, str]
_ORDER = {cause: number for number, cause in enumerate(LimitCause)}


@dataclass(frozen=True, slots=True)
class LimitRow:
    """Amps per phase: of the socket in a connector's row, of the grid in a row of the station.
    `until_s` is monotonic; `since` is for people. NaN allows nothing."""

    source: Source
    amps: PerPhase
    cause: LimitCause
    """Origin of the value."""
    since: datetime
    until_s: float | None = None
    owner: str = ""
    """The one who set it, where a source has several."""
    detail: str = ""
    """Detail of the cause, such as the number of a profile."""
    link: SupplyLink | None = None
    """The line of the group that is full: a share of load management has it."""
    limited_by: LimitCause | None = None
    """The row behind the share: what limits the line, or the socket."""

    def __post_init__(self) -> None:
        if any(map(isnan, self.amps)):
            known = PerPhase(*(0.0 if isnan(amps) else amps for amps in self.amps))
            object.__setattr__(self, "amps", known)

    @property
    def key(self) -> RowKey:
        """Key of the row in a book."""
        return self.source, self.owner

    @property
    def reason(self) -> str:
        """The cause with its detail, as in the status API."""
        return f"{self.cause.value} {self.detail}".rstrip()

    @property
    def shown(self) -> tuple[object, ...]:
        """The value and why it has it: what `since` belongs to."""
        return self.amps, self.reason, self.link, self.limited_by

    def expired(self, now_s: float) -> bool:
        """True when the expiry time is reached."""
        return self.until_s is not None and now_s >= self.until_s

    def as_fallback(self, since: datetime) -> LimitRow:
        """Return the row that applies after the expiry."""
        amps = PerPhase.same(self.source.fallback_a)
        return LimitRow(self.source, amps, LimitCause.FALLBACK, since, owner=self.owner)


@dataclass(frozen=True, slots=True)
class LimitBook:
    """All rows of one connector (or of the station)."""

    rows: Mapping[RowKey, LimitRow] = field(default_factory=dict)

    def __iter__(self) -> Iterator[LimitRow]:
        return iter(self.rows.values())

    def get(self, source: Source, owner: str = "") -> LimitRow | None:
        """Return the row of a source and owner."""
        return self.rows.get((source, owner))

    def put(self, row: LimitRow) -> LimitBook:
        """Set the row of its source and owner; an unchanged value keeps its `since`."""
        return LimitBook({**self.rows, row.key: self.dated(row)})

    def dated(self, row: LimitRow) -> LimitRow:
        """Return the row, with the `since` of the present one if value and reason are the same."""
        old = self.rows.get(row.key)
        if old is not None and old.shown == row.shown:
            return replace(row, since=old.since)
        return row

    def withdraw(self, source: Source, owner: str = "") -> LimitBook:
        """Remove the row of a source; for its owner only."""
        gone = (source, owner)
        return LimitBook({key: row for key, row in self.rows.items() if key != gone})

    def expire(self, now_s: float, since: datetime) -> LimitBook:
        """Replace expired rows by their fallback; the same book when there are none."""
        if not any(row.expired(now_s) for row in self):
            return self
        return LimitBook(
            {
                key: row.as_fallback(since) if row.expired(now_s) else row
                for key, row in self.rows.items()
            }
        )

    def next_expiry_s(self) -> float | None:
        """Return when the next row expires."""
        return min((row.until_s for row in self if row.until_s is not None), default=None)


def holding(rows: Iterable[LimitRow]) -> tuple[LimitRow, ...]:
    """Return the rows that count as limits, in the order shown: every obligation, and the
    recommendations of the highest priority among the live ones (among all, when none is live).
    Without any obligation, recommendations do not count."""
    shown = sorted(rows, key=lambda row: _ORDER[row.source.cause])
    obligations = [row for row in shown if row.source.kind is LimitKind.OBLIGATION]
    if not obligations:
        return ()
    wishes = [row for row in shown if row.source.kind is LimitKind.RECOMMENDATION]
    live = [row for row in wishes if row.cause is not LimitCause.FALLBACK] or wishes
    highest = max((row.source.priority for row in live), default=0)
    return (*obligations, *(row for row in live if row.source.priority == highest))


def minimum_a(rows: Iterable[LimitRow]) -> float:
    """Return the lowest useful current: the highest of all demands; 0 without any."""
    return max((max(r.amps) for r in rows if r.source.kind is LimitKind.DEMAND), default=0.0)


def signalled_a(amps: PerPhase, phases: int = 3) -> float:
    """Return the limit for all phases of the car: the lowest of the connected ones (manual 7.6)."""
    return max(0.0, min(amps[:phases]))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a connector may offer, with the reason."""

    amps: float = 0.0
    """Per phase; 0 is a pause."""
    rows: tuple[LimitRow, ...] = ()
    """All that were compared, in the order of their causes."""
    effective: tuple[LimitRow, ...] = ()
    """Those that allow no more than `amps`."""

    @property
    def binding(self) -> LimitRow | None:
        """The row that binds the offer; among equal rows the last one shown. None: there is no row,
        and so no offer."""
        return self.effective[-1] if self.effective else None


def offer_of(rows: Iterable[LimitRow], phases: int = 3) -> Offer:
    """Return the lowest of all rows on the connected phases."""
    held = holding(rows)
    if not held:
        return Offer()
    lowest_a = min(signalled_a(row.amps, phases) for row in held)
    effective = tuple(row for row in held if signalled_a(row.amps, phases) <= lowest_a)
    return Offer(lowest_a, held, effective)
