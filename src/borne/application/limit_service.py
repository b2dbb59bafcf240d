"""Turns everybody's limits into one offer per connector, and remembers why.

Rows come from settings, board and cable, and from those who put their own (backend, energy
manager). Whenever one changes the offers are computed anew; a connector without any row gets
nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from borne.application.connector_runner import ConnectorRunner
from borne.application.station_settings import phases_connected
from borne.domain.settings.snapshot import Settings
from borne.domain.station import limits
from borne.domain.station.board import PlugKind
from borne.domain.station.connector_events import Offered
from borne.domain.station.limits import LimitBook, LimitRow, Source, Waterfall
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.units import PerPhase

HISTORY = 500


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One line of the limit history."""

    at: datetime
    connector: int
    before_a: float
    after_a: float
    cause: str


class LimitService:
    """Limit books of all connectors, and the offers that follow."""

    def __init__(
        self,
        runners: Mapping[int, ConnectorRunner],
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self.history: deque[OfferChange] = deque(maxlen=HISTORY)
        self.changes = 0
        """Offers changed since the start."""
        self._runners = runners
        self._settings = settings
        self._clock = clock
        self._books: dict[int, LimitBook] = {number: LimitBook() for number in runners}
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

    def offered_a(self, connector: int) -> float:
        """The offer in A per phase; 0 is a pause."""
        return self.waterfall(connector).offered_a

    def put(self, connector: int, row: LimitRow) -> None:
        """Set somebody's row."""
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
        for connector in self._runners:
            book = self._books[connector].expire(now_s, now)
            for row in self._own_rows(connector, now):
                book = book.put(row)
            if connector not in self._cables:
                book = book.withdraw(limits.CABLE)
            self._books[connector] = book
            self._offer(connector, book, now)
        self._arm_expiry()

    def _own_rows(self, connector: int, now: datetime) -> list[LimitRow]:
        settings = self._settings()
        board = self._runners[connector].board.capabilities

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

    def _offer(self, connector: int, book: LimitBook, now: datetime) -> None:
        phases = phases_connected(self._settings(), connector)
        fall = limits.waterfall(book.rows.values(), phases)
        before = self._falls.get(connector)
        if before == fall:
            return
        self._falls[connector] = fall
        before_a = before.offered_a if before else 0.0
        if fall.offered_a != before_a:
            self.changes += 1
            cause = ", ".join(sorted(fall.effective))
            self.history.append(OfferChange(now, connector, before_a, fall.offered_a, cause))
        self._runners[connector].post(Offered(fall.offered_a))
        self.changed.emit(connector)

    def _follow_cable(self, runner: ConnectorRunner) -> None:
        plug = runner.state.plug
        cable_a = plug.cable_a if plug.kind is PlugKind.VALID else None
        if cable_a == self._cables.get(runner.connector):
            return
        if cable_a is None:
            self._cables.pop(runner.connector, None)
        else:
            self._cables[runner.connector] = cable_a
        self.refresh()

    def _arm_expiry(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [due for book in self._books.values() if (due := book.next_expiry_s()) is not None]
        if times:
            self._timer = asyncio.get_running_loop().call_at(min(times), self.refresh)
