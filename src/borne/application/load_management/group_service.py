"""Load management of one station, decided by its role (manual 7.4): a master of a group, a slave,
or both in one station."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from borne.application.charging.connector import Connector
from borne.application.commands import Removed
from borne.application.load_management.demands_service import Demands
from borne.application.load_management.group_settings import GROUP_KEYS, GroupSettings
from borne.application.load_management.local_link import LocalLink
from borne.application.load_management.master_service import (
    MasterParts,
    MasterService,
    RootLimit,
)
from borne.application.load_management.slave_service import (
    SlaveLimits,
    SlaveMeters,
    SlaveService,
)
from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.application.ports.storage import StateStore
from borne.application.refusals import Refused
from borne.application.settings.running import RunningSettings
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.load_management.disconnected_sums import disconnected_sums
from borne.domain.load_management.load_status import (
    DisconnectedSum,
    LoadDecision,
    LoadSample,
    LoadStatus,
)
from borne.domain.settings.choices import DlmRole
from borne.foundation.clock import Clock
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.messages import N_, Message
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import ZERO, PerPhase

_CONNECTED = N_(
    "{station} is connected and would come back with its next report: take it out of the group "
    "first."
)
_UNKNOWN = N_("There is no station {station} in the group.")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupParts:
    """What load management of a station is built from."""

    station: str
    """Id of the station within its group; it must not change."""
    name: str
    connectors: Mapping[int, Connector]
    meters: SlaveMeters
    limits: SlaveLimits
    site: RootLimit | None
    """Of a master."""
    state: StateStore
    settings: RunningSettings
    clock: Clock
    supervisor: Supervisor
    slave_link: SlaveLink | None = None
    """To a master in another station."""
    master_link: MasterLink | None = None
    """To slaves in other stations."""
    identify: Callable[[], None] = lambda: None
    """Let this station blink."""


class GroupService:
    """Load management of a station. `start` comes before the first offers."""

    def __init__(self, parts: GroupParts) -> None:
        self.changed: Signal[None] = Signal()
        self._parts = parts
        self._settings = GroupSettings.of(parts.settings())
        self._revision = 0
        self._unsubscribe: list[Unsubscribe] = []
        self._local: LocalLink | None = None
        self.master: MasterService | None = None
        self.slave: SlaveService | None = None
        role = self._settings.role
        slave_link = parts.slave_link
        if role.is_master:
            self._local = LocalLink(parts.station, parts.master_link)
            slave_link = self._local.slave_end if role is DlmRole.MASTER else None
            self.master = self._new_master(self._local.master_end)
        elif role is not DlmRole.DISABLED and slave_link is None:
            slave_link = NoLink()
        if slave_link is not None and role is not DlmRole.DISABLED:
            self.slave = self._new_slave(slave_link)

    def _new_master(self, link: MasterLink) -> MasterService:
        parts = self._parts
        assert parts.site is not None
        return MasterService(
            MasterParts(
                link, parts.site, parts.state, parts.clock, parts.supervisor, self._settings_now
            )
        )

    def _new_slave(self, link: SlaveLink) -> SlaveService:
        parts = self._parts
        return SlaveService(
            parts.station,
            parts.name,
            parts.connectors,
            parts.meters,
            parts.limits,
            link,
            parts.clock,
            self._settings_now,
        )

    def _settings_now(self) -> GroupSettings:
        return self._settings

    async def start(self) -> None:
        """Begin as the role says."""
        parts = self._parts
        self._settings = GroupSettings.of(parts.settings())
        self._unsubscribe.append(parts.settings.on_change(GROUP_KEYS, self._on_settings_changed))
        if self.master is not None:
            self.master.changed.notify(self._touch)
            await self.master.start()
            if self.slave is None:
                self._pause_own_sockets()
        if self.slave is not None:
            self.slave.changed.notify(self._touch)
            self.slave.start()

    async def stop(self) -> None:
        """End in an orderly way; slaves fall back by themselves."""
        if self.master is not None:
            await self.master.stop()
        self.abort()

    def abort(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        if self.slave is not None:
            self.slave.abort()
        if self.master is not None:
            self.master.abort()
        if self._local is not None:
            self._local.abort()

    def _pause_own_sockets(self) -> None:
        """A stand-alone master does not control its own sockets, so they must not draw."""
        for connector in self._parts.connectors:
            row = LimitRow(
                sources.LOAD_MANAGEMENT, ZERO, LimitCause.SETTING, self._parts.clock.now()
            )
            self._parts.limits.put(connector, row)

    def _on_settings_changed(self) -> None:
        self._settings = GroupSettings.of(self._parts.settings())
        if self.slave is not None:
            self.slave.on_settings_changed()
        if self.master is not None:
            self.master.on_settings_changed()
        self._touch()

    def _touch(self) -> None:
        self._revision += 1
        self.changed.emit(None)

    # Status ------------------------------------------------------------------------------------

    def status(self) -> LoadStatus:
        """Return everything that is shown."""
        own, master = self._settings, self.master
        slave = None if self.slave is None else self.slave.status()
        if master is None or self._parts.site is None:
            return LoadStatus(
                role=own.role, network_id=own.network_id, revision=self._revision, slave=slave
            )
        site, now_s = self._parts.site, self._parts.clock.monotonic()
        rows = master.master.group.participants(now_s, self._parts.clock.now())
        return LoadStatus(
            role=own.role,
            network_id=own.network_id,
            revision=self._revision,
            limits=site.rows,
            limit_a=site.limit_a,
            external_a=site.external_a,
            groups=master.master.group.groups(site.limit_a, rows),
            participants=rows,
            missing=master.master.group.missing(now_s),
            problems=master.master.group.problems(now_s),
            disconnected=self._disconnected(),
            slave=slave,
            last_cycle=master.last_cycle,
        )

    def _disconnected(self) -> tuple[DisconnectedSum, ...]:
        """Against the fuse of the sub-distribution, not what is left of it now."""
        if self.master is None:
            return ()
        return disconnected_sums(
            self.master.master.group.topology(),
            self._fuse_a(),
            self.master.master.group.disconnected(),
            main_left_a=self._settings.main_left_a,
            it_network=self._settings.master.it_network,
        )

    def _fuse_a(self) -> PerPhase:
        site = self._parts.site
        if site is None:
            return ZERO
        fuse = (row.amps for row in site.rows if row.source is LimitCause.SUB_DISTRIBUTION)
        return next(fuse, site.limit_a)

    def history(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LoadDecision]:
        """Return decisions from `start` until before `end`, oldest first."""
        return () if self.master is None else self.master.history.decisions(start, end)

    def samples(self) -> Sequence[LoadSample]:
        """Return the curves of the last ten minutes, oldest first."""
        if self.master is None:
            return ()
        return self.master.history.samples(self._parts.clock.now())

    # Commands ----------------------------------------------------------------------------------

    async def clear_silent(self, count: int) -> Removed:
        """Forget the stations that do not answer; `count` is their number."""
        master, missing = self._master_and_missing()
        if count != len(missing):
            text = N_("{n} stations do not answer, not {count}.")
            raise Refused("wrong_count", Message(text, {"n": len(missing), "count": count}))
        removed = master.forget(missing)
        _log.warning("forgotten: the silent stations %s", ", ".join(missing))
        return Removed(removed)

    async def forget(self, station: str) -> Removed:
        """Forget one station that does not answer."""
        master, missing = self._master_and_missing()
        if station in missing:
            removed = master.forget((station,))
            _log.warning("forgotten: the silent station %s", station)
            return Removed(removed)
        if station in master.master.group.stations:
            raise Refused("station_connected", Message(_CONNECTED, {"station": station}))
        raise Refused("unknown_station", Message(_UNKNOWN, {"station": station}))

    def _master_and_missing(self) -> tuple[MasterService, tuple[str, ...]]:
        if self.master is None:
            raise Refused("no_master", N_("This station is not the master of a group."))
        return self.master, self.master.master.group.missing(self._parts.clock.monotonic())

    async def identify(self, station: str) -> None:
        """Let a station blink."""
        if station != self._parts.station:
            raise Refused("unknown_station", N_("This station cannot be reached."))
        self._parts.identify()

    async def set_demand(
        self,
        connector: int,
        energy_wh: float | None = None,
        departure: str | None = None,
        priority: int | None = None,
    ) -> None:
        """Set what a driver needs."""
        reading = self._parts.meters.present_reading(connector)
        self._demands().set(
            connector,
            energy_wh=energy_wh,
            departure=departure,
            priority=priority,
            register_wh=None if reading is None else reading.register_wh,
        )

    async def withdraw_demand(self, connector: int) -> None:
        """Withdraw it."""
        self._demands().withdraw(connector)

    def _demands(self) -> Demands:
        if self.slave is None:
            raise Refused("no_slave", N_("The sockets of this station belong to no group."))
        return self.slave.demands


class NoLink:
    """The link of a slave that has none: it never receives a grant."""

    master = ""

    def send(self, _: object) -> None:
        """Lose the report."""

    def subscribe(self, _: Callable[..., None]) -> Unsubscribe:
        """There is nothing to pass on."""
        return lambda: None
