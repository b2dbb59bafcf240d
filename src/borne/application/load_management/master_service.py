"""Runs the master of a group: reports and limits come in, grants go out (manual 7.4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from borne.application.allocation_cycle import INLINE_UP_TO, AllocationCycle, CycleSteps
from borne.application.load_management.group_settings import GroupSettings
from borne.application.load_management.known_slaves import (
    KnownSlave,
    load_known_slaves,
    store_known_slaves,
)
from borne.application.load_management.learnt_skew import (
    LearntSkew,
    load_learnt_skew,
    store_learnt_skew,
)
from borne.application.load_management.load_history import LoadHistory
from borne.application.load_management.master import Master, Urgency
from borne.application.load_management.slave_service import boot_number
from borne.application.ports.group_link import MasterLink
from borne.application.ports.storage import StateStore
from borne.application.state.storage_failure import log_storage_failure
from borne.domain.load_management import group
from borne.domain.load_management.group import GroupPlan, GroupSnapshot, GroupState
from borne.domain.load_management.load_status import ParticipantRow, SiteLimitRow
from borne.domain.load_management.messages import SlaveReport
from borne.domain.load_management.site_rows import binding_sources
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.supervisor import Supervisor
from borne.foundation.timers import Timers
from borne.foundation.units import PerPhase

STORE_AFTER_S = 10.0
"""Changes of the list of slaves are collected for this long before they are stored."""
STORE_AGAIN_S = 60.0
"""What could not be stored is tried again after this time, and when the station stops."""

CycleInput = tuple[GroupState, GroupSnapshot]
RunInWorker = Callable[[Callable[[], GroupPlan]], Awaitable[GroupPlan]]
_log = logging.getLogger(__name__)


class RootLimit(Protocol):
    """The limit of the whole group, in amps per grid phase (`SiteLimits`)."""

    changed: Signal[bool]
    """True: it fell; False: it rose, or only a text changed."""

    @property
    def rows(self) -> tuple[SiteLimitRow, ...]:
        """Its sources."""

    @property
    def limit_a(self) -> PerPhase:
        """The lowest of them."""

    @property
    def external_a(self) -> PerPhase | None:
        """The load beside the stations."""

    @property
    def shown_s(self) -> float | None:
        """Until when the external meter certainly shows what the stations drew; None: no meter
        includes them."""

    @property
    def learnt(self) -> LearntSkew | None:
        """How late the external meter is, as soon as it is known."""

    def remember(self, learnt: LearntSkew | None) -> None:
        """Take over what was learnt before a restart."""

    def start(self) -> None:
        """Find the first limit, and subscribe to its sources."""

    def abort(self) -> None:
        """Stop."""

    def note_drawn(self, evse_a: PerPhase, max_a: PerPhase | None = None) -> None:
        """Record what the stations certainly draw together."""


@dataclass(frozen=True, slots=True)
class MasterParts:
    """What a master is built from."""

    link: MasterLink
    site: RootLimit
    state: StateStore
    clock: Clock
    supervisor: Supervisor
    settings: Callable[[], GroupSettings]
    inline_up_to: int = INLINE_UP_TO
    run_in_worker: RunInWorker = asyncio.to_thread


class MasterService:
    """The master of one group."""

    def __init__(self, parts: MasterParts) -> None:
        self.changed: Signal[None] = Signal()
        self.history = LoadHistory()
        self.last_cycle: datetime | None = None
        self.rows: tuple[ParticipantRow, ...] = ()
        """Of the last cycle."""
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._timers = Timers(self._loop)
        self._handle: asyncio.Handle | None = None
        self._unsubscribe: list[Unsubscribe] = []
        self._stored_changes = 0
        self._stored_skew: LearntSkew | None = None
        self._problems: tuple[str, ...] = ()
        self.master = self._new_master(())
        self._cycle: AllocationCycle[CycleInput, GroupPlan] = AllocationCycle(
            CycleSteps(self._snapshot, _plan, self._apply, lambda: len(self.rows)),
            parts.inline_up_to,
            parts.run_in_worker,
        )

    def _new_master(self, known: tuple[KnownSlave, ...]) -> Master:
        term, config = boot_number(self._parts.clock.boot_id), self._parts.settings().master
        return Master(term, config, known, self._loop.time())

    async def start(self) -> None:
        """Read the list of slaves, and begin."""
        state = self._parts.state
        self.master = self._new_master(await load_known_slaves(state))
        self._stored_skew = await load_learnt_skew(state)
        self._parts.site.remember(self._stored_skew)
        self._unsubscribe = [
            self._parts.link.subscribe(self._on_report),
            self._parts.site.changed.subscribe(self._on_limit_changed),
        ]
        self._parts.site.start()
        self._cycle.request()

    def abort(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        self._parts.site.abort()
        self._timers.stop()
        self._cycle.abort()
        if self._handle is not None:
            self._handle.cancel()

    async def stop(self) -> None:
        """Store what is not stored yet."""
        self._timers.cancel("store")
        await self._store()

    def on_settings_changed(self) -> None:
        """Obey changed settings at once."""
        self.master.configure(self._parts.settings().master, self._loop.time())
        self._cycle.request()

    def forget(self, stations: tuple[str, ...]) -> int:
        """Forget slaves; return how many."""
        number = self.master.forget(stations)
        self._plan_store()
        self._cycle.request()
        return number

    # Events ------------------------------------------------------------------------------------

    def _on_report(self, report: SlaveReport) -> None:
        before = self.master.revision
        urgency = self.master.on_report(report, self._loop.time())
        if urgency is Urgency.NOW:
            self._cycle.request(restricts=self.master.revision != before)
        self._plan_send()

    def _on_limit_changed(self, fell: bool) -> None:
        """A fall is obeyed at once, a rise with the sample rate."""
        if fell:
            self.master.lower(self._parts.site.limit_a, self._loop.time())
            self._send()
            self._cycle.request()
        self.changed.emit(None)

    # Cycles ------------------------------------------------------------------------------------

    def _snapshot(self) -> CycleInput:
        now_s, site = self._loop.time(), self._parts.site
        site.note_drawn(*self.master.group.drawn_a(now_s))
        self.master.group.unproven.shown(site.shown_s)
        sources = binding_sources(site.rows)
        return self.master.state, self.master.snapshot(site.limit_a, now_s, sources)

    def _apply(self, plan: GroupPlan, fresh: bool) -> None:
        now_s, now = self._loop.time(), self._parts.clock.now()
        self.master.apply(plan, now_s, fresh=fresh)
        self.rows = self.master.group.participants(now_s, now)
        self.last_cycle = now
        self.history.note_cycle(self.rows, now)
        self._note_sample(now)
        self._log_problems(now_s)
        self._send()
        self.changed.emit(None)

    def _log_problems(self, now_s: float) -> None:
        """Log what is wrong with stations, each problem once while it lasts."""
        found = tuple(map(str, self.master.group.problems(now_s)))
        for problem in found:
            if problem not in self._problems:
                _log.warning("load management: %s", problem)
        self._problems = found

    def _note_sample(self, now: datetime) -> None:
        site = self._parts.site
        self.history.note_sample(site.limit_a, site.external_a, self.rows, now)

    def _plan_send(self) -> None:
        """Send at the end of this loop turn, after the cycle that was requested in it."""
        if self._handle is None:
            self._handle = self._loop.call_soon(self._on_send)

    def _on_send(self) -> None:
        self._handle = None
        self._plan_store()
        self._send()

    def _send(self) -> None:
        now_s = self._loop.time()
        for grant in self.master.outgoing(now_s):
            self._parts.link.send(grant)
        self._parts.site.note_drawn(*self.master.group.drawn_a(now_s))
        self._timers.plan_at("due", self.master.due_s(now_s), self._on_due)

    def _on_due(self) -> None:
        self._cycle.request(restricts=False)

    # Storage -----------------------------------------------------------------------------------

    def _plan_store(self) -> None:
        if "store" not in self._timers and (self._has_new_slaves or self._has_new_skew):
            self._timers.plan("store", STORE_AFTER_S, self._on_store)

    @property
    def _has_new_slaves(self) -> bool:
        return self.master.known_changes != self._stored_changes

    @property
    def _has_new_skew(self) -> bool:
        learnt = self._parts.site.learnt
        return learnt is not None and learnt != self._stored_skew

    def _on_store(self) -> None:
        self._timers.plan("store", STORE_AGAIN_S, self._on_store)  # in case it fails
        self._parts.supervisor.start("list of slaves", self._store_planned())

    async def _store_planned(self) -> None:
        await self._store()
        if not self._has_new_slaves and not self._has_new_skew:
            self._timers.cancel("store")

    async def _store(self) -> None:
        """Store what changed."""
        state, learnt = self._parts.state, self._parts.site.learnt
        if self._has_new_slaves:
            changes = self.master.known_changes
            with log_storage_failure(_log, "the list of slaves could not be stored"):
                await store_known_slaves(state, self.master.group.known())
                self._stored_changes = changes
        if learnt is not None and learnt != self._stored_skew:
            with log_storage_failure(_log, "how late the meter is could not be stored"):
                await store_learnt_skew(state, learnt)
                self._stored_skew = learnt


def _plan(given: CycleInput) -> GroupPlan:
    state, snapshot = given
    try:
        return group.plan(state, snapshot)
    except Exception:
        # Pause all: a socket must not keep a current that no longer fits.
        _log.exception("the distribution failed; all sockets of the group are paused")
        return group.paused(state, snapshot)
