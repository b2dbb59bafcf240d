"""Keeps the rows of limits, and computes one offer for each connector.

Rows come from settings, board and cable, and from backend, energy manager and faults. Data flows in
one direction: rows, snapshot, plan, offers. An offer above a lowered row is lowered at once;
everything else waits for the next cycle, which handles all changes of a loop turn together. A
connector without an obligation gets nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from borne.application.allocation_cycle import INLINE_UP_TO, AllocationCycle, CycleSteps
from borne.application.charging.connector import Connector
from borne.application.limits.limit_settings import LIMIT_KEYS, LimitSettings
from borne.application.limits.socket_sharing import SocketSharing
from borne.application.settings.running import RunningSettings
from borne.domain.limits import plan as planning
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.plan import LimitPlan, LimitSnapshot, SocketSnapshot
from borne.domain.limits.rows import LimitBook, LimitRow, Offer, holding, offer_of
from borne.domain.limits.sources import LimitScope, Source
from borne.foundation.clock import Clock
from borne.foundation.events import Signal
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

HISTORY = 500
FOREIGN = frozenset({sources.OCPP_TX, sources.OCPP_STATION, sources.ENERGY_MANAGER})
"""Limits that are set by machines outside the station."""
STATION = 0
"""Number of the book with the rows that all connectors share, in amps per grid phase."""
_log = logging.getLogger(__name__)

RunInWorker = Callable[[Callable[[], LimitPlan]], Awaitable[LimitPlan]]


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One line of the limit history."""

    at: datetime
    connector: int
    before_a: float
    after_a: float
    cause: str


class LimitService:
    """Limit books of all connectors and of the station, and the resulting offers."""

    def __init__(
        self,
        connectors: Mapping[int, Connector],
        settings: RunningSettings,
        clock: Clock,
        sharing: SocketSharing,
        *,
        inline_up_to: int = INLINE_UP_TO,
        run_in_worker: RunInWorker = asyncio.to_thread,
    ) -> None:
        self.changed: Signal[int] = Signal()
        self.history: list[OfferChange] = []
        self.changes = 0
        """Number of offer changes since the start."""
        self._connectors = connectors
        self._running = settings
        self._settings = LimitSettings.of(settings(), connectors)
        self._clock = clock
        self._sharing = sharing
        self._books: dict[int, LimitBook] = {n: LimitBook() for n in (STATION, *connectors)}
        self._offers: dict[int, Offer] = {}
        self._hardware: dict[int, tuple[int, int | None]] = {}
        """Maximum currents of board and cable of a connector."""
        self._started = False
        self._timers = Timers()
        self._cycle = AllocationCycle(
            CycleSteps(self._snapshot, self._plan, self._apply, lambda: len(connectors)),
            inline_up_to,
            run_in_worker,
        )

    def start(self) -> None:
        """Compute the first offers, and subscribe to their inputs."""
        for number, connector in self._connectors.items():
            connector.changed.subscribe(self._on_connector_changed)
            self._note_hardware(number, connector)
        self._sharing.changed.subscribe(self._on_sharing_changed)
        self._sharing.start()
        self._running.on_change(LIMIT_KEYS, self._on_settings_changed)
        self._settings = LimitSettings.of(self._running(), self._connectors)
        self._note_settings()
        self._started = True
        self._cycle.run()
        self._arm_expiry()

    def abort(self) -> None:
        self._started = False
        self._sharing.abort()
        self._cycle.abort()
        self._timers.stop()

    # What is offered ---------------------------------------------------------------------------

    def offer(self, connector: int) -> Offer:
        """Return what a connector may offer, and why."""
        return self._offers.get(connector, Offer())

    def offered_a(self, connector: int) -> float:
        """Return the offer in A per phase; 0 is a pause."""
        return self.offer(connector).amps

    @property
    def shared(self) -> tuple[LimitRow, ...]:
        """Return the rows of the station: what all connectors together may draw, per grid phase."""
        return holding(self._books[STATION])

    @property
    def shared_a(self) -> PerPhase | None:
        """Return the lowest limit of the station, in amps per grid phase; None if its connectors
        share none."""
        limit = planning.shared_limit(self._books[STATION])
        return None if limit is None else limit.amps

    def entitlement(self, connector: int) -> Offer:
        """Return what the own rows of a connector allow: without load management, and without what
        all connectors share."""
        return offer_of(self._own_rows(connector), self._settings.sockets[connector].phases)

    def own_limit_a(self, connector: int) -> float | None:
        """Return what the station itself allows, in A per phase: without backend, energy manager,
        and the present shares. For connector 0: the limit of the supply line."""
        supply = self._books[STATION].get(sources.SUPPLY_LINE)
        own = [row for row in self._own_rows(connector) if row.source not in FOREIGN]
        own += [supply] if supply is not None and connector != STATION else []
        number = connector or min(self._connectors)
        offer = offer_of(own, self._settings.sockets[number].phases)
        return offer.amps if offer.rows else None

    def _own_rows(self, connector: int) -> list[LimitRow]:
        """Return the rows of a connector without its share of a group."""
        return [row for row in self._books[connector] if row.source.scope is not LimitScope.GROUP]

    # Rows --------------------------------------------------------------------------------------

    def put(self, connector: int, row: LimitRow) -> None:
        """Set a row of a connector, or of the station (connector 0). Raises ValueError when the
        source may not have rows there."""
        if (row.source.scope is LimitScope.STATION) is not (connector == STATION):
            raise ValueError(f"{row.source.name} sets no rows of connector {connector}")
        self._note(connector, row)
        self._on_rows_changed(connector)

    def withdraw(self, connector: int, source: Source, owner: str = "") -> None:
        """Remove the owner's row."""
        self._books[connector] = self._books[connector].withdraw(source, owner)
        self._on_rows_changed(connector)

    def _note(self, connector: int, row: LimitRow) -> None:
        self._books[connector] = self._books[connector].put(row)

    def _on_settings_changed(self) -> None:
        self._settings = LimitSettings.of(self._running(), self._connectors)
        self._note_settings()
        self._on_rows_changed()

    def _note_settings(self) -> None:
        now = self._clock.now()
        self._replace(STATION, (sources.MINIMUM, sources.SUPPLY_LINE), self._settings.rows(now))
        own = (sources.MAXIMUM, sources.OPERATOR, sources.INSTALLATION)
        for connector, settings in self._settings.sockets.items():
            self._replace(connector, own, settings.rows(now))

    def _replace(self, connector: int, own: Iterable[Source], rows: Iterable[LimitRow]) -> None:
        """Set the rows of these sources to exactly `rows`."""
        old = book = self._books[connector]
        for source in own:
            book = book.withdraw(source)
        for row in rows:
            book = book.put(old.dated(row))
        self._books[connector] = book

    def _row(self, source: Source, amps: float, cause: LimitCause) -> LimitRow:
        return LimitRow(source, PerPhase.same(amps), cause, self._clock.now())

    def _on_connector_changed(self, connector: Connector) -> None:
        """A board may report its capabilities only after its start; a cable is known when it is
        plugged in."""
        if self._note_hardware(connector.id, connector):
            self._on_rows_changed(connector.id)

    def _note_hardware(self, number: int, connector: Connector) -> bool:
        """Record board and cable; True if they have changed."""
        found = (connector.capabilities.max_current_a, connector.status.cable_a)
        if found == self._hardware.get(number):
            return False
        self._hardware[number] = found
        board_a, cable_a = found
        rows = [self._row(sources.BOARD, float(board_a), LimitCause.HARDWARE)]
        if cable_a is not None:
            rows.append(self._row(sources.CABLE, float(cable_a), LimitCause.PLUG))
        self._replace(number, (sources.BOARD, sources.CABLE), rows)
        return True

    def _on_sharing_changed(self, restricts: bool) -> None:
        self._cycle.request(restricts=restricts)

    def _on_rows_changed(self, connector: int = STATION) -> None:
        """Handle changed rows of one connector, or (0) of all."""
        if not self._started:
            return
        if connector == STATION:
            self._lower_all()
        else:
            self._lower(connector)
        self._cycle.request()
        self._arm_expiry()

    # Expiry ------------------------------------------------------------------------------------

    def _expire(self) -> bool:
        """Replace expired rows; True when there were any."""
        now_s, now = asyncio.get_running_loop().time(), self._clock.now()
        new = {number: book.expire(now_s, now) for number, book in self._books.items()}
        over = any(new[number] is not book for number, book in self._books.items())
        self._books = new
        return over

    def _arm_expiry(self) -> None:
        times = [due for book in self._books.values() if (due := book.next_expiry_s()) is not None]
        self._timers.plan_at("expiry", min(times, default=None), self._on_expiry)

    def _on_expiry(self) -> None:
        self._expire()
        self._on_rows_changed()

    # From rows to offers -----------------------------------------------------------------------

    def _snapshot(self) -> LimitSnapshot:
        if self._expire():
            self._arm_expiry()
        return LimitSnapshot(
            now=self._clock.now(),
            now_s=asyncio.get_running_loop().time(),
            sockets=tuple(
                SocketSnapshot(
                    number,
                    self._sharing.look(number, settings),
                    tuple(self._books[number]),
                    self.offer(number),
                )
                for number, settings in self._settings.sockets.items()
            ),
            station=tuple(self._books[STATION]),
            group=self._sharing.state,
            it_network=self._settings.it_network,
        )

    def _plan(self, snapshot: LimitSnapshot) -> LimitPlan:
        try:
            return planning.plan(snapshot)
        except Exception:
            # On an internal error, pause all sockets to protect the line.
            _log.exception("the distribution failed; all sockets are paused")
            return planning.paused(snapshot)

    def _lower_all(self) -> None:
        """Lower offers that are too high now, without waiting for a worker."""
        if self._cycle.in_worker:
            for number, offer in planning.lowered(self._snapshot()).items():
                self._set_lowered(number, offer)
        else:
            for number in self._connectors:
                self._lower(number)

    def _lower(self, connector: int) -> None:
        rows, phases = self._books[connector], self._settings.sockets[connector].phases
        offer = planning.lowered_offer(self.offer(connector), rows, phases)
        self._set_lowered(connector, offer)

    def _set_lowered(self, connector: int, offer: Offer) -> None:
        if offer.amps < self.offered_a(connector):
            self._sharing.note_offer(connector, offer.amps)
            self._offer(connector, offer)

    def _apply(self, plan: LimitPlan, fresh: bool) -> None:
        """Apply decreases before increases; a stale plan only lowers."""
        if self._expire():
            fresh = False
            self._on_rows_changed()
        if not fresh:
            for number, offer in plan.offers.items():
                self._set_lowered(number, offer)
            return
        self._sharing.commit(plan)
        falls = {
            number: offer.amps - self.offered_a(number) for number, offer in plan.offers.items()
        }
        for number in sorted(falls, key=falls.__getitem__):
            self._offer(number, plan.offers[number])

    def _offer(self, connector: int, offer: Offer) -> None:
        before = self._offers.get(connector)
        if before == offer:
            return
        self._offers[connector] = offer
        before_a = before.amps if before else 0.0
        if offer.amps != before_a:
            self.changes += 1
            cause = ", ".join(sorted({row.source.name for row in offer.effective}))
            change = OfferChange(self._clock.now(), connector, before_a, offer.amps, cause)
            self.history.append(change)
            del self.history[:-HISTORY]
        self._connectors[connector].offer(offer.amps)
        self.changed.emit(connector)
