"""Runs the slave of a station: reports its sockets to the master, and turns grants into rows of
limits (manual 7.4, 7.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Protocol

from borne.application.charging.connector import Connector
from borne.application.charging.socket_observation import may_be_live, wants_current
from borne.application.load_management.demands_service import Demands, SocketDemand
from borne.application.load_management.group_settings import GroupSettings
from borne.application.load_management.slave import Slave, SlaveCurrent
from borne.application.ports.group_link import SlaveLink
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow, Offer
from borne.domain.limits.sources import Source
from borne.domain.load_management.load_status import SlaveStatus
from borne.domain.load_management.messages import (
    MEASURED_STEP_A,
    MasterGrant,
    SocketReport,
    SocketUse,
)
from borne.domain.station.connector_snapshot import ConnectorSnapshot
from borne.domain.station.faults import blocking
from borne.domain.station.reading import MeterReading
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

DRAWING_A = 1.0
"""A car that draws this much is charging."""


class SlaveLimits(Protocol):
    """The part of the limits of the station that a slave needs."""

    @property
    def changed(self) -> Signal[int]:
        """Emits a connector when its offer or its rows have changed."""

    @property
    def shared_a(self) -> PerPhase | None:
        """What all connectors together may draw, per grid phase."""

    def put(self, connector: int, row: LimitRow) -> None:
        """Set a row."""

    def withdraw(self, connector: int, source: Source, owner: str = "") -> None:
        """Remove a row."""

    def entitlement(self, connector: int) -> Offer:
        """What the connector's own limits allow."""

    def offered_a(self, connector: int) -> float:
        """The offer in force."""


class SlaveMeters(Protocol):
    """The part of the billing meters that a slave needs."""

    @property
    def changed(self) -> Signal[int]:
        """Emits a connector when it was read."""

    def present_reading(self, connector: int) -> MeterReading | None:
        """The last reading; None while the meter is silent."""


class SlaveService:
    """The slave of one station."""

    def __init__(
        self,
        station: str,
        name: str,
        connectors: Mapping[int, Connector],
        meters: SlaveMeters,
        limits: SlaveLimits,
        link: SlaveLink,
        clock: Clock,
        settings: Callable[[], GroupSettings],
    ) -> None:
        self.changed: Signal[None] = Signal()
        self.demands = Demands(connectors)
        self._connectors = connectors
        self._meters = meters
        self._limits = limits
        self._link = link
        self._clock = clock
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._timers = Timers(self._loop)
        self._shown: dict[int, SlaveCurrent] = {}
        self._sent: tuple[SocketReport, ...] | None = None
        self._sent_limit: PerPhase | None = None
        self._handle: asyncio.Handle | None = None
        self._unsubscribe: list[Unsubscribe] = []
        own = settings()
        self.slave = Slave(
            station,
            name,
            boot_number(clock.boot_id),
            self._disconnected(own),
            self._loop.time(),
            group=own.group,
        )

    def start(self) -> None:
        """Offer nothing, and report to the master. Called before the limits start, so that no
        socket offers current before the first grant."""
        self._apply()
        self.demands.start()
        self._unsubscribe = [
            self._link.subscribe(self._on_grant),
            self._limits.changed.notify(self.request),
            self._meters.changed.notify(self.request),
            *(one.changed.notify(self.request) for one in self._connectors.values()),
            self.demands.changed.notify(self.request),
        ]
        self.request()

    def abort(self) -> None:
        self._timers.stop()
        if self._handle is not None:
            self._handle.cancel()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def on_settings_changed(self) -> None:
        """Obey changed settings at once."""
        own = self._settings()
        self.slave.configure(self._disconnected(own))
        self.slave.group = own.group
        self._apply()
        self._report()

    def status(self) -> SlaveStatus:
        """What is shown of it."""
        return self.slave.status(self._loop.time(), self._link.master)

    def _disconnected(self, settings: GroupSettings) -> dict[int, float]:
        return dict.fromkeys(self._connectors, settings.disconnected_a)

    # Grants ------------------------------------------------------------------------------------

    def _on_grant(self, grant: MasterGrant) -> None:
        if not self.slave.on_grant(grant, self._loop.time()):
            return
        self._apply()
        if self.slave.unconfirmed:
            # The limits compute their offers before the report that confirms the grant.
            self.request()
        else:
            self._plan_due()

    def _apply(self) -> None:
        """Set the rows of limits to what each socket may offer now, decreases first."""
        currents = self.slave.currents(self._loop.time())
        news = {
            connector: own
            for connector, own in currents.items()
            if self._shown.get(connector) != own
        }
        for connector in sorted(news, key=lambda number: news[number].amps):
            self._limits.put(connector, self._row(news[connector]))
        self._shown = dict(currents)
        if news:
            self.changed.emit(None)

    def _row(self, current: SlaveCurrent) -> LimitRow:
        detail = ""
        if current.cause is LimitCause.FALLBACK:
            silent_s = self.slave.status(self._loop.time()).received_s
            detail = "" if silent_s is None else f"{silent_s:.0f} s"
        return LimitRow(
            sources.LOAD_MANAGEMENT,
            PerPhase.same(current.amps),
            current.cause,
            self._clock.now(),
            detail=detail,
            link=current.link,
            limited_by=current.limited_by,
        )

    # Reports -----------------------------------------------------------------------------------

    def request(self) -> None:
        """Report at the end of this loop turn if something has changed."""
        if self._handle is None and self._unsubscribe:
            self._handle = self._loop.call_soon(self._on_change)

    def _on_change(self) -> None:
        self._handle = None
        sockets = self._sockets()
        before, self_limit = self._sent, self._limits.shared_a
        news = before is None or self_limit != self._sent_limit or self.slave.unconfirmed
        if news or any(_differs(old, new) for old, new in zip(before or (), sockets, strict=True)):
            self._report(sockets)
        else:
            self._plan_due()

    def _report(self, sockets: tuple[SocketReport, ...] | None = None) -> None:
        self._sent = self._sockets() if sockets is None else sockets
        self._sent_limit = self._limits.shared_a
        self._link.send(self.slave.report(self._sent, self._sent_limit, self._loop.time()))
        self._apply()
        self._plan_due()

    def _plan_due(self) -> None:
        self._timers.plan_at("due", self.slave.due_s(self._loop.time()), self._on_due)

    def _on_due(self) -> None:
        self._apply()
        self._report()

    def _sockets(self) -> tuple[SocketReport, ...]:
        settings = self._settings()
        return tuple(
            self._socket(number, connector.status, settings)
            for number, connector in self._connectors.items()
        )

    def _socket(
        self, number: int, status: ConnectorSnapshot, settings: GroupSettings
    ) -> SocketReport:
        own, offered_a = self._limits.entitlement(number), self._limits.offered_a(number)
        reading, demand = self._meters.present_reading(number), self.demands.of(number)
        report = SocketReport(
            connector=number,
            wants=wants_current(status),
            asking=status.asking,
            closed=status.contactor_closed,
            live=may_be_live(status),
            measured_a=None if reading is None else reading.current_a,
            offered_a=offered_a,
            upper_a=own.amps,
            upper_cause=own.binding.source.cause if own.binding else None,
            rotation=settings.rotations[number],
            phase_count=settings.phase_counts[number],
            priority=settings.priorities[number],
        )
        if demand is not None:
            register_wh = None if reading is None else reading.register_wh
            report = self._with_demand(report, demand, register_wh)
        return replace(report, use=_use(status, report))

    def _with_demand(
        self, report: SocketReport, demand: SocketDemand, register_wh: int | None
    ) -> SocketReport:
        departs_in_s = None
        if demand.departs_at is not None:
            departs_in_s = (demand.departs_at - self._clock.now()).total_seconds()
        return replace(
            report,
            energy_wh=demand.left_wh(register_wh),
            departs_in_s=departs_in_s,
            priority=report.priority if demand.priority is None else demand.priority,
        )


def _use(status: ConnectorSnapshot, report: SocketReport) -> SocketUse:
    if blocking(status.faults):
        return SocketUse.FAULTED
    if not status.connected:
        return SocketUse.FREE
    if not report.wants:
        return SocketUse.PLUGGED
    if report.offered_a <= 0:
        return SocketUse.WAITING
    drawn_a = max(report.measured_a) if report.measured_a is not None else None
    draws = report.closed and report.asking if drawn_a is None else drawn_a >= DRAWING_A
    return SocketUse.CHARGING if draws else SocketUse.OFFERED


def _differs(old: SocketReport, new: SocketReport) -> bool:
    """True if the master must know before the next regular report."""
    if old.measured_a is not None and new.measured_a is not None:
        steps = (abs(a - b) for a, b in zip(old.measured_a, new.measured_a, strict=True))
        if any(step >= MEASURED_STEP_A for step in steps):
            return True
        new = replace(new, measured_a=old.measured_a)
    if old.energy_wh is not None and new.energy_wh is not None:
        new = replace(new, energy_wh=old.energy_wh)
    if old.departs_in_s is not None and new.departs_in_s is not None:
        new = replace(new, departs_in_s=old.departs_in_s)
    return new != old


def boot_number(boot_id: str) -> int:
    """Return a number that differs after every start of a station."""
    return int.from_bytes(blake2b(boot_id.encode(), digest_size=6).digest(), "big")
