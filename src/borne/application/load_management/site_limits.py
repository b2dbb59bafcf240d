"""Watches the sources of the limit of the whole group (manual 7.4): settings, scheduler, inputs,
second meter, energy managers and backend."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Protocol

from borne.application.load_management.learnt_skew import LearntSkew
from borne.application.ports.hardware import InputPort
from borne.application.settings.running import RunningSettings
from borne.domain.load_management import site_rows
from borne.domain.load_management.external_load import ExternalLoad
from borne.domain.load_management.load_status import SiteLimitRow
from borne.domain.load_management.meter_skew import MeterSkew
from borne.domain.load_management.scheduler import next_look, windows_of
from borne.domain.load_management.site_rows import SITE_KEYS, LocalTime, ManagerLimit, SiteFacts
from borne.domain.meters.site_status import SiteMeterStatus
from borne.domain.settings.choices import MeterLocation
from borne.foundation.calendar import zone_named
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.timers import Timers
from borne.foundation.units import ZERO, PerPhase

TICK_S = 1.0
"""While the second meter counts: an average falls, and an unchanged reading is one, too."""
SHORTEST_S = 0.05
INPUTS = (1, 2)
_log = logging.getLogger(__name__)


class SiteMeter(Protocol):
    """The part of the second meter that this needs."""

    @property
    def changed(self) -> Signal[SiteMeterStatus]: ...

    @property
    def status(self) -> SiteMeterStatus: ...


class SiteLimits:
    """Rows of the sources, and the limit of the root, of a master."""

    def __init__(
        self,
        settings: RunningSettings,
        inputs: InputPort | None,
        meter: SiteMeter | None,
        clock: Clock,
    ) -> None:
        self.changed: Signal[bool] = Signal()
        """True: a limit fell; False: it rose, or only a text changed."""
        self._settings = settings
        self._inputs = inputs
        self._meter = meter
        self._clock = clock
        self._timers = Timers()
        self._unsubscribe: list[Unsubscribe] = []
        self._load = ExternalLoad()
        self._remembered: LearntSkew | None = None
        self._meter_name = ""
        """Of the meter that the load is read from."""
        self._read_at_s: float | None = None
        """When the last reading that counts was taken."""
        self._managers: dict[str, ManagerLimit] = {}
        self._backend_a: PerPhase | None = None
        self._since: Mapping[object, datetime] = {}
        self._rows: tuple[SiteLimitRow, ...] = ()
        self._limit_a = ZERO
        self._started = False

    def start(self) -> None:
        """Find the first rows, and subscribe to their sources."""
        self._started = True
        self._unsubscribe += [
            self._settings.on_change(SITE_KEYS, self._on_settings),
            self._clock.stepped.notify(self._update),
        ]
        if self._inputs is not None:
            self._unsubscribe.append(self._inputs.subscribe(lambda *_: self._update()))
        if self._meter is not None:
            self._unsubscribe.append(self._meter.changed.notify(self._on_meter))
        self._on_settings()

    def abort(self) -> None:
        self._started = False
        self._timers.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    # What is known ------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[SiteLimitRow, ...]:
        """All sources that limit the group now."""
        return self._rows

    @property
    def limit_a(self) -> PerPhase:
        """The lowest of all sources, in amps per grid phase."""
        return self._limit_a

    @property
    def external_a(self) -> PerPhase | None:
        """The load beside the stations that counts: while the meter is silent, the assumed one.
        None if no external meter is used."""
        settings = self._settings()
        if not site_rows.uses_meter(settings):
            return None
        load_a = self._load_a()
        return site_rows.assumed_load(settings) if load_a is None else load_a

    @property
    def shown_s(self) -> float | None:
        """Until when the last reading certainly shows what the stations drew; None: no meter
        includes them."""
        including = site_rows.location_of(self._settings()) is MeterLocation.INCLUDING
        uses_meter = self._meter is not None and site_rows.uses_meter(self._settings())
        return self._load.shown_s if uses_meter and including else None

    @property
    def learnt(self) -> LearntSkew | None:
        """How late the meter is, as soon as it is known."""
        skew = self._load.skew
        return LearntSkew(self._meter_name, *skew.plausible) if skew.known else None

    # From outside -------------------------------------------------------------------------------

    def note_drawn(self, evse_a: PerPhase, max_a: PerPhase | None = None) -> None:
        """Record the sum of the stations' currents, in amps per grid phase: what is certain, and
        the most that it may be."""
        self._load = self._load.drawn(self._clock.monotonic(), evse_a, max_a)

    def remember(self, learnt: LearntSkew | None) -> None:
        """Take over what was learnt before a restart; it counts for the same meter."""
        self._remembered = learnt

    def put_backend(self, amps: float | None) -> None:
        """Set the backend's limit of the station in amps per phase; None withdraws it. It counts
        for the group if `DLMBackendLimitIsGroup` says so."""
        self._backend_a = None if amps is None else PerPhase.same(_number(amps))
        self._update()

    def put_manager(
        self,
        owner: str,
        amps: PerPhase,
        *,
        lasts_s: float | None = None,
        fallback_a: PerPhase = ZERO,
    ) -> None:
        """Set the limit of an energy manager. After `lasts_s` its fallback counts until the owner
        renews or withdraws it."""
        until_s = None if lasts_s is None else self._clock.monotonic() + lasts_s
        limit_a = PerPhase(*map(_number, amps))
        self._managers[owner] = ManagerLimit(limit_a, PerPhase(*map(_number, fallback_a)), until_s)
        self._update()

    def withdraw_manager(self, owner: str) -> None:
        """Remove the limit of an energy manager; for its owner only."""
        if self._managers.pop(owner, None) is not None:
            self._update()

    # Sources ------------------------------------------------------------------------------------

    def _on_settings(self) -> None:
        settings = self._settings()
        self._load = replace(self._load, main_a=site_rows.main_less_headroom(settings))
        self._on_meter()

    def _on_meter(self) -> None:
        self._read_meter()
        self._update()

    def _read_meter(self) -> None:
        """Take the present reading, if it is new or the meter tells changes only."""
        if self._meter is None or not site_rows.uses_meter(self._settings()):
            return
        status, now_s = self._meter.status, self._clock.monotonic()
        if status.current_a is None or status.measurement is None:
            self._load = self._load.measured(now_s, None)
            self._read_at_s = None
            return
        believed = status.accepted_serial_number or status.serial_number
        self._recognize(f"{status.model} {believed}".strip())
        at_s = now_s if status.changes_only else min(status.measurement.at_s, now_s)
        if status.changes_only or self._read_at_s is None or at_s > self._read_at_s:
            self._read_at_s = at_s
            shown_a = status.shown_a or status.current_a
            self._load = self._load.measured(at_s, shown_a, status.answered_a)

    def _recognize(self, meter_name: str) -> None:
        """Begin with what is known of this meter."""
        if meter_name == self._meter_name:
            return
        known, self._remembered = self._remembered, self.learnt or self._remembered
        same = known is not None and known.meter == meter_name
        skew = known.skew if known is not None and same else MeterSkew()
        self._meter_name, self._load = meter_name, replace(self._load, skew=skew)

    def _load_a(self) -> PerPhase | None:
        settings = self._settings()
        averaging_s = float(settings.integer("DLMExternalLoadAveraging"))
        location = site_rows.location_of(settings)
        return self._load.load_a(self._clock.monotonic(), location, averaging_s)

    def _level(self, number: int) -> bool | None:
        if self._inputs is None:
            return None
        try:
            return self._inputs.active(number)
        except Exception:
            _log.exception("input %d could not be read", number)
            return None

    def _facts(self) -> SiteFacts:
        trusted = self._clock.trust is not ClockTrust.NONE
        zone = zone_named(self._settings().text("TimeZone"))
        uses_meter = self._meter is not None and site_rows.uses_meter(self._settings())
        return SiteFacts(
            time=LocalTime(self._clock.now(), zone, trusted),
            now_s=self._clock.monotonic(),
            inputs={number: self._level(number) for number in INPUTS},
            meter=self._meter.status if self._meter is not None and uses_meter else None,
            load_a=self._load_a() if uses_meter else None,
            denied=self._load.skew.denied,
            followed=self._load.skew.known,
            managers=self._managers,
            backend_a=self._backend_a,
        )

    # Rows ---------------------------------------------------------------------------------------

    def _update(self) -> None:
        if not self._started:
            return
        facts = self._facts()
        new = self._dated(site_rows.site_rows(self._settings(), facts), facts.time.now)
        old, old_a = self._rows, self._limit_a
        self._rows, self._limit_a = new, site_rows.lowest(new)
        self._plan_next(facts)
        if _without_age(new) != _without_age(old):
            self.changed.emit(self._limit_a.lowest(old_a) != old_a)

    def _dated(self, rows: tuple[SiteLimitRow, ...], now: datetime) -> tuple[SiteLimitRow, ...]:
        keys = [_key(row) for row in rows]
        self._since = {key: self._since.get(key, now) for key in keys}
        return tuple(
            replace(row, since=self._since[key]) for row, key in zip(rows, keys, strict=True)
        )

    def _plan_next(self, facts: SiteFacts) -> None:
        """A timer for each source that changes with time alone."""
        uses_meter = self._meter is not None and site_rows.uses_meter(self._settings())
        if not uses_meter:
            self._timers.cancel("tick")
        elif "tick" not in self._timers:
            self._timers.plan("tick", TICK_S, self._on_meter)
        edge = next_look(windows_of(self._settings()), facts.time.now, facts.time.zone)
        if edge is None or not facts.time.trusted:
            self._timers.cancel("edge")
        else:
            delay_s = max(SHORTEST_S, (edge - facts.time.now).total_seconds())
            self._timers.plan("edge", delay_s, self._update)
        ends = [
            limit.until_s
            for limit in self._managers.values()
            if limit.until_s is not None and not limit.expired(facts.now_s)
        ]
        self._timers.plan_at("expiry", min(ends, default=None), self._update)


def _key(row: SiteLimitRow) -> object:
    """Identity of a row: its numbers may change, its source and sentence do not."""
    values = row.reason.values
    named = tuple(values.get(name) for name in ("owner", "number", "start", "end"))
    return row.source, row.reason.template, named


def _without_age(rows: tuple[SiteLimitRow, ...]) -> tuple[SiteLimitRow, ...]:
    return tuple(replace(row, age_s=None) for row in rows)


def _number(amps: float) -> float:
    """What is no number allows nothing."""
    return amps if isfinite(amps) and amps > 0 else 0.0
