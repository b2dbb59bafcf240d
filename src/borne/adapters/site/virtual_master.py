"""The master on virtual time: the real `Master`, driven by reports, readings and its own timers."""

from __future__ import annotations

from collections.abc import Callable

from borne.adapters.site.event_heap import EventHeap, Timer
from borne.adapters.site.site_model import SiteModel
from borne.application.load_management.group_record import MasterConfig
from borne.application.load_management.known_slaves import KnownSlave
from borne.application.load_management.master import Master, Urgency
from borne.domain.load_management.external_load import ExternalLoad
from borne.domain.load_management.fail_safe import FailSafeTiming
from borne.domain.load_management.group import GroupPlan, plan
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.messages import MasterGrant, SlaveReport
from borne.domain.load_management.site import ExternalMeter, Site, root_limit
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase


class VirtualMaster:
    """Master and limits of the site. `send` carries a grant, `planned` gets each plan."""

    def __init__(
        self,
        site: SiteModel,
        heap: EventHeap,
        send: Callable[[MasterGrant], None],
        planned: Callable[[GroupPlan], None],
    ) -> None:
        self._site, self._heap, self._send, self._planned = site, heap, send, planned
        self.engine: Master | None = None
        self.cycles = 0
        self._term = 0
        self._known: tuple[KnownSlave, ...] = ()
        self._load = ExternalLoad(_main_a(site))
        self._limit_a = ZERO
        self._drawn_a: tuple[PerPhase, PerPhase] | None = None
        self._cycle = Timer(heap, self._run_cycle)
        self._answers = Timer(heap, self._send_grants)
        self._dues = Timer(heap, self._check_dues)
        self._sampled_s = 0.0

    @property
    def alive(self) -> bool:
        """True while its station has power."""
        return self.engine is not None

    def start(self) -> None:
        """Start with the stations that were known before."""
        if self.engine is not None:
            return
        self._term += 1
        settings, now_s = self._site.settings, self._heap.now_s
        imbalance = None
        if settings.imbalance_a > 0:
            imbalance = Imbalance(settings.imbalance_a, ZERO)
        config = MasterConfig(
            groups=self._site.groups,
            it_network=settings.it_network,
            imbalance=imbalance,
            allow_wakeup=settings.allow_wakeup,
            slot_s=settings.time_slot_s,
            sample_s=settings.sample_s,
            timing=FailSafeTiming(),
            minimum_a=settings.minimum_a,
        )
        self.engine = Master(self._term, config, self._known, now_s)
        self._load = ExternalLoad(_main_a(self._site), skew=self._load.skew.after_restart())
        self._drawn_a = None
        self._limit_a = self._new_limit_a()
        self._cycle.set(now_s)

    def kill(self) -> None:
        """Power is lost; the list of known stations, and how late the meter is, are on the
        disk."""
        if self.engine is not None:
            self._known = tuple(self.engine.group.known())
        self.engine = None
        self._cycle.set(None)
        self._answers.set(None)
        self._dues.set(None)

    def on_report(self, report: SlaveReport) -> None:
        """A report arrived."""
        if self.engine is None:
            return
        now_s = self._heap.now_s
        urgency = self.engine.on_report(report, now_s)
        self._note_drawn()
        if urgency is Urgency.NOW:
            self._cycle.set(now_s)
        else:
            if urgency is Urgency.SAMPLE:
                self._cycle_by(self._sampled_s + self._site.settings.sample_s)
                self._dues.set(self.engine.quiet_until_s(now_s))
            self._answers.set(now_s)

    def on_reading(self, at_s: float, current_a: PerPhase | None) -> None:
        """The external meter was read; None: it is silent."""
        if self.engine is None:
            return
        self._load = self._load.measured(at_s, current_a)
        if self._site.settings.including:
            self.engine.group.unproven.shown(self._load.shown_s)
        if at_s >= self._heap.now_s:
            self._update_limit()

    def _note_drawn(self) -> None:
        if self.engine is None or not self._site.settings.including:
            return
        drawn_a = self.engine.group.drawn_a(self._heap.now_s)
        if drawn_a != self._drawn_a:
            self._drawn_a = drawn_a
            self._load = self._load.drawn(self._heap.now_s, *drawn_a)
            self._update_limit()

    def _update_limit(self) -> None:
        limit_a = self._new_limit_a()
        if limit_a == self._limit_a or self.engine is None:
            return
        now_s = self._heap.now_s
        fell = limit_a.lowest(self._limit_a) != self._limit_a
        self._limit_a = limit_a
        if fell:
            self.engine.lower(limit_a, now_s)
            self._cycle.set(now_s)
        else:
            self._cycle_by(self._sampled_s + self._site.settings.sample_s)

    def _new_limit_a(self) -> PerPhase:
        settings = self._site.settings
        meter = None
        if settings.main_a is not None:
            location = MeterLocation.INCLUDING if settings.including else MeterLocation.EXCLUDING
            load_a = self._load.load_a(self._heap.now_s, location, settings.averaging_s)
            meter = ExternalMeter(
                settings.main_a,
                load_a,
                headroom_a=settings.headroom_a,
                fallback_a=settings.fallback_a,
            )
        site = Site(
            sub_distribution_a=settings.sub_distribution_a,
            operator_sub_distribution_a=settings.operator_a,
            external_meter=meter,
        )
        return root_limit(site).amps

    def _cycle_by(self, at_s: float) -> None:
        """Run a cycle at this moment at the latest."""
        at_s = max(at_s, self._heap.now_s)
        if self._cycle.due_s is None or at_s < self._cycle.due_s:
            self._cycle.set(at_s)

    def _run_cycle(self) -> None:
        if self.engine is None:
            return
        now_s = self._heap.now_s
        self.cycles += 1
        self._sampled_s = now_s
        self._note_drawn()
        self._limit_a = self._new_limit_a()
        snapshot = self.engine.snapshot(self._limit_a, now_s)
        planned = plan(self.engine.state, snapshot)
        self.engine.apply(planned, now_s, fresh=True)
        self._planned(planned)
        self._send_grants()
        self._dues.set(self.engine.quiet_until_s(now_s))

    def _check_dues(self) -> None:
        """Run a cycle if one is due. The sample rate alone is no reason: without a change a cycle
        would change nothing."""
        if self.engine is None:
            return
        now_s = self._heap.now_s
        due_s = self.engine.quiet_until_s(now_s)
        if due_s > now_s:
            self._dues.set(due_s)
        else:
            self._cycle.set(now_s)

    def _send_grants(self) -> None:
        if self.engine is None:
            return
        now_s = self._heap.now_s
        self._answers.set(None)
        for grant in self.engine.outgoing(now_s):
            self._send(grant)


def _main_a(site: SiteModel) -> PerPhase | None:
    main_a = site.settings.main_a
    return None if main_a is None else main_a.minus(site.settings.headroom_a)
