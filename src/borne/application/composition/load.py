"""Load management of the station: as master, slave or both, or not at all (manual 7.4).

Only a station that has a role imports the code for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from borne.application.commands import Removed
from borne.application.composition.charging import Charging
from borne.application.composition.meters import Meters
from borne.application.composition.parts import StationParts
from borne.application.refusals import Refused
from borne.domain.limits import sources
from borne.domain.settings.choices import DlmRole
from borne.domain.settings.snapshot import Settings
from borne.foundation.events import Signal
from borne.foundation.messages import N_
from borne.foundation.supervisor import Supervisor

if TYPE_CHECKING:
    from borne.application.load_management.group_service import GroupService
    from borne.application.load_management.site_limits import SiteLimits
    from borne.domain.load_management.load_status import LoadDecision, LoadSample, LoadStatus


class LoadManagement:
    """The service of the role that was set at the start."""

    def __init__(
        self, parts: StationParts, supervisor: Supervisor, charging: Charging, meters: Meters
    ) -> None:
        self.changed: Signal[None] = Signal()
        self.group: GroupService | None = None
        self._parts = parts
        self._supervisor = supervisor
        self._charging = charging
        self._meters = meters

    async def start(self) -> None:
        """Begin before the first offers are made; nothing is loaded without a role."""
        settings = self._parts.settings.running
        if settings().choice("DLMRole", DlmRole) is DlmRole.DISABLED:
            return
        from borne.application.load_management.group_service import GroupParts, GroupService

        parts, charging = self._parts, self._charging
        site = self._site_limits()
        self.group = GroupService(
            GroupParts(
                station=_station_id(settings()),
                name=settings().text("StationName"),
                connectors=charging.connectors,
                meters=charging.metering,
                limits=charging.limits,
                site=site,
                state=parts.storage.state,
                settings=settings,
                clock=parts.clock,
                supervisor=self._supervisor,
                slave_link=parts.slave_link,
                master_link=parts.master_link,
                identify=charging.indication.identify,
            )
        )
        self.group.changed.notify(lambda: self.changed.emit(None))
        await self.group.start()
        charging.limits.changed.notify(lambda: self._pass_backend_limit(site))

    def _pass_backend_limit(self, site: SiteLimits) -> None:
        """The backend's limit of this station may be meant for the whole group. It limits the own
        sockets in any case, which draw no more than the group."""
        rows = self._charging.limits.shared
        amps = [min(row.amps) for row in rows if row.source is sources.OCPP_STATION]
        site.put_backend(min(amps, default=None))

    def _site_limits(self) -> SiteLimits:
        from borne.application.load_management.site_limits import SiteLimits

        parts = self._parts
        return SiteLimits(
            parts.settings.running, parts.hardware.inputs, self._meters.site, parts.clock
        )

    async def stop(self) -> None:
        if self.group is not None:
            await self.group.stop()

    def abort(self) -> None:
        if self.group is not None:
            self.group.abort()

    # What is shown -------------------------------------------------------------------------------

    def status(self) -> LoadStatus:
        """The present status."""
        from borne.domain.load_management.load_status import LoadStatus

        if self.group is None:
            return LoadStatus(role=DlmRole.DISABLED)
        return self.group.status()

    def history(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LoadDecision]:
        """Decisions from `start` until before `end`, oldest first."""
        return () if self.group is None else self.group.history(start, end)

    def samples(self) -> Sequence[LoadSample]:
        """The curves of the last ten minutes, oldest first."""
        return () if self.group is None else self.group.samples()

    # Commands ------------------------------------------------------------------------------------

    async def clear_silent(self, count: int) -> Removed:
        """Forget the stations that do not answer."""
        return await self._running().clear_silent(count)

    async def forget(self, station: str) -> Removed:
        """Forget a station that does not answer."""
        return await self._running().forget(station)

    async def identify(self, station: str) -> None:
        """Let a station blink."""
        await self._running().identify(station)

    async def set_demand(
        self,
        connector: int,
        energy_wh: float | None = None,
        departure: str | None = None,
        priority: int | None = None,
    ) -> None:
        """Enter what a driver needs."""
        await self._running().set_demand(connector, energy_wh, departure, priority)

    async def withdraw_demand(self, connector: int) -> None:
        """Forget what a driver needs."""
        await self._running().withdraw_demand(connector)

    def _running(self) -> GroupService:
        if self.group is None:
            raise Refused("no_load_management", N_("Load management is off."))
        return self.group


def _station_id(settings: Settings) -> str:
    """The name of the station among those of its group."""
    return settings.text("ChargePointSerialNumber") or settings.text("ChargePointID") or "station"
