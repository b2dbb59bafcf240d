"""Turns everybody's limits into one offer per connector, and remembers why.

Rows come from settings, board and cable, and from those who put their own (backend, energy
manager). Whenever one changes the offers are computed anew, in two steps: the rows of a connector
make its entitlement; rows of the station, which the connectors share, become a share for each. A
connector without any row gets nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from borne.application.charging.connector import Connector
from borne.application.settings.station_settings import phases_connected
from borne.domain.settings.snapshot import Settings
from borne.domain.station import limits
from borne.domain.station.limits import LimitBook, LimitRow, Source, Waterfall
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.units import PerPhase

HISTORY = 500
FOREIGN = frozenset({limits.OCPP_TX, limits.OCPP_STATION, limits.ENERGY_MANAGER})
"""Limits that others set."""
STATION = 0
"""As a connector: the rows that all connectors share, in amps per grid phase."""


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One line of the limit history."""

    at: datetime
    connector: int
    before_a: float
    after_a: float
    cause: str


class Sharing(Protocol):
    """Distributes what the connectors share; the load master is one."""

    def share(
        self,
        entitled: Mapping[int, Waterfall],
        station: Sequence[LimitRow],
        now: datetime,
    ) -> Mapping[int, Sequence[LimitRow]]:
        """Rows for every connector, in its frame, out of the rows of the station (grid frame)."""


class LimitService:
    """Limit books of all connectors and of the station, and the offers that follow."""

    def __init__(
        self,
        runners: Mapping[int, Connector],
        settings: Callable[[], Settings],
        clock: Clock,
        sharing: Sharing,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self.history: deque[OfferChange] = deque(maxlen=HISTORY)
        self.changes = 0
        """Offers changed since the start."""
        self._runners = runners
        self._settings = settings
        self._clock = clock
        self._sharing = sharing
        self._books: dict[int, LimitBook] = {number: LimitBook() for number in (STATION, *runners)}
        self._shares: dict[int, LimitBook] = {}
        self._falls: dict[int, Waterfall] = {}
        self._cables: dict[int, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Make the first offers and follow the plugs."""
        for runner in self._runners.values():
            runner.changed.subscribe(self._follow_cable)
        self.refresh()

    def abort(self) -> None:
        """Power cut."""
        if self._timer is not None:
            self._timer.cancel()

    def waterfall(self, connector: int) -> Waterfall:
        """Why the offer is what it is."""
        return self._falls.get(connector, Waterfall((), 0.0, frozenset()))

    @property
    def shared(self) -> tuple[LimitRow, ...]:
        """What all connectors together may draw, per phase of the grid: the rows of the station."""
        return tuple(self._books[STATION].rows.values())

    def offered_a(self, connector: int) -> float:
        """The offer in A per phase; 0 is a pause."""
        return self.waterfall(connector).offered_a

    def own_limit_a(self, connector: int) -> float | None:
        """What the station itself allows, in A per phase: without backend, energy manager, and
        what is shared at the moment. Of connector 0: what the supply line carries."""
        rows = self._books[connector].rows.values()
        supply = self._books[STATION].rows.get(limits.SUPPLY_LINE.name)
        own = [row for row in rows if row.source not in FOREIGN]
        found = [*own, *([supply] if supply is not None else [])]
        return self._fall(connector or min(self._runners), found).offered_a if found else None

    def put(self, connector: int, row: LimitRow) -> None:
        """Set somebody's row of a connector, or of the station (connector 0)."""
        self._books[connector] = self._books[connector].put(row)
        self.refresh()

    def withdraw(self, connector: int, source: Source) -> None:
        """Its owner takes a row back."""
        self._books[connector] = self._books[connector].withdraw(source)
        self.refresh()

    def refresh(self) -> None:
        """Compute every offer anew."""
        now = self._clock.now()
        now_s = asyncio.get_running_loop().time()
        self._books[STATION] = self._station_book(now, now_s)
        for connector in self._runners:
            self._books[connector] = self._connector_book(connector, now, now_s)
        entitled = {
            connector: self._fall(connector, self._books[connector].rows.values())
            for connector in self._runners
        }
        station = tuple(self._books[STATION].rows.values())
        shares = self._sharing.share(entitled, station, now)
        falls = {
            connector: self._with_share(connector, shares.get(connector, ()))
            for connector in self._runners
        }
        # Whoever falls falls first.
        for connector in sorted(falls, key=lambda n: falls[n].offered_a - self.offered_a(n)):
            self._offer(connector, falls[connector], now)
        self._arm_expiry()

    def _station_book(self, now: datetime, now_s: float) -> LimitBook:
        book = self._books[STATION].expire(now_s, now)
        settings = self._settings()
        if not settings.single_supply_line:
            return book.withdraw(limits.SUPPLY_LINE)
        capacity_a = min(
            settings.integer("SupplyLineCurrentCapacity"),
            settings.integer("StationCurrentCapacity"),
        )
        amps = PerPhase.same(float(capacity_a))
        return book.put(LimitRow(limits.SUPPLY_LINE, amps, "setting", now))

    def _connector_book(self, connector: int, now: datetime, now_s: float) -> LimitBook:
        old = self._books[connector]
        book = old.expire(now_s, now)
        for source in (limits.CABLE, limits.INSTALLATION):
            book = book.withdraw(source)
        for row in self._own_rows(connector, now):
            book = book.put(old.dated(row))
        return book

    def _with_share(self, connector: int, rows: Sequence[LimitRow]) -> Waterfall:
        shares, old = LimitBook(), self._shares.get(connector, LimitBook())
        for row in rows:
            shares = shares.put(old.dated(row))
        self._shares[connector] = shares
        own = self._books[connector].rows.values()
        return self._fall(connector, (*own, *shares.rows.values()))

    def _fall(self, connector: int, rows: Iterable[LimitRow]) -> Waterfall:
        return limits.waterfall(rows, phases_connected(self._settings(), connector))

    def _own_rows(self, connector: int, now: datetime) -> list[LimitRow]:
        settings = self._settings()
        board = self._runners[connector].capabilities

        def row(source: Source, amps: float, reason: str) -> LimitRow:
            return LimitRow(source, PerPhase.same(float(amps)), reason, now)

        rows = [
            row(limits.BOARD, board.max_current_a, "hardware"),
            row(limits.MAXIMUM, settings.integer("MaximumCurrent", connector), "setting"),
            row(limits.OPERATOR, settings.integer("OperatorCurrentLimit", connector), "setting"),
        ]
        if not settings.single_supply_line:
            installed_a = settings.integer("InstallationCurrentLimit", connector)
            rows.append(row(limits.INSTALLATION, installed_a, "setting"))
        cable_a = self._cables.get(connector)
        if cable_a is not None:
            rows.append(row(limits.CABLE, cable_a, "plug"))
        return rows

    def _offer(self, connector: int, fall: Waterfall, now: datetime) -> None:
        before = self._falls.get(connector)
        if before == fall:
            return
        self._falls[connector] = fall
        before_a = before.offered_a if before else 0.0
        if fall.offered_a != before_a:
            self.changes += 1
            cause = ", ".join(sorted(fall.effective))
            self.history.append(OfferChange(now, connector, before_a, fall.offered_a, cause))
        self._runners[connector].offer(fall.offered_a)
        self.changed.emit(connector)

    def _follow_cable(self, runner: Connector) -> None:
        cable_a = runner.status.cable_a
        if cable_a == self._cables.get(runner.id):
            return
        if cable_a is None:
            self._cables.pop(runner.id, None)
        else:
            self._cables[runner.id] = cable_a
        self.refresh()

    def _arm_expiry(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [due for book in self._books.values() if (due := book.next_expiry_s()) is not None]
        if times:
            self._timer = asyncio.get_running_loop().call_at(min(times), self.refresh)
