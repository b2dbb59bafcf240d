"""The services of a running station for web, API and command line.

Routes and pages depend on these only. Every command gets the principal that requests it, and
raises `Refused` if its role or the state of the station does not allow it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from borne.application.authorization.master_card import MasterCard
from borne.application.authorization.teach_in import TeachIn
from borne.application.authorization.token_lists import BackendTokens
from borne.application.authorization.whitelist import Whitelist
from borne.application.backend.queue_view import QueueReader, no_queue
from borne.application.charging.sessions_view import SessionsService
from borne.application.charging.station_control import StationControl
from borne.application.commands import ConnectorId, Effect, Length, Range, Removed, command
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.meters.meter_search import FindMeters
from borne.application.meters.meter_trial import MeterTrial
from borne.application.meters.site_meter_service import SiteMeterService
from borne.application.people.accounts import Accounts
from borne.application.ports.backend import BackendPort, StepResult
from borne.application.ports.simulator import SimulatorPort
from borne.application.settings.settings_service import SettingsService
from borne.application.state.notices import Notices
from borne.domain.principals import Principal, Role
from borne.domain.settings.snapshot import Settings
from borne.domain.station.station_status import StationStatus
from borne.foundation.clock import Clock
from borne.foundation.events import Signal

if TYPE_CHECKING:
    # Loaded with load management only.
    from borne.domain.load_management.load_status import LoadDecision, LoadSample, LoadStatus


class StatusView(Protocol):
    """The live status."""

    @property
    def revision(self) -> int:
        """Incremented with every visible change."""

    def snapshot(self) -> StationStatus:
        """The current status."""

    async def wait(self, after: int, timeout_s: float) -> StationStatus:
        """The status once its revision exceeds `after`, or at the timeout."""

    def changes(self) -> AsyncIterator[StationStatus]:
        """The current status, then the status after each change (bursts are merged)."""


StationId = Annotated[str, Length(1, 64)]


class LoadView(Protocol):
    """Load management as this station sees it: the group of a master, its own part as a slave."""

    @property
    def changed(self) -> Signal[None]:
        """Emits when the status has changed."""

    def status(self) -> LoadStatus:
        """The present status."""

    def history(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[LoadDecision]:
        """Decisions from `start` until before `end`, oldest first."""

    def samples(self) -> Sequence[LoadSample]:
        """The curves of the last ten minutes, oldest first."""

    @command("load/silent-stations/clear", Role.OPERATOR, "Clear the slave list")
    async def clear_silent(self, count: Annotated[int, Range(0, 10_000)]) -> Removed:
        """Forget the stations of the group that do not answer: no current is reserved for them any
        more. `count` is their number, so that none is forgotten by mistake. For stations that are
        switched off or removed only."""
        ...

    @command(
        "load/stations/{station}", Role.OPERATOR, "Forget a station of the group", Effect.REMOVE
    )
    async def forget(self, station: StationId) -> Removed:
        """Forget a station that does not answer: no current is reserved for it any more. For one
        that is switched off or removed only. One that is connected is refused: it would come back
        with its next report."""
        ...

    @command("load/stations/{station}/identify", Role.OPERATOR, "Let a station blink")
    async def identify(self, station: StationId) -> None:
        """The lights of the station blink white for half a minute."""
        ...

    @command("connectors/{connector}/demand", Role.OPERATOR, "What a driver needs", Effect.SET)
    async def set_demand(
        self,
        connector: ConnectorId,
        energy_wh: Annotated[float, Range(0, 1_000_000)] | None = None,
        departure: Annotated[str, Length(1, 40)] | None = None,
        priority: Annotated[int, Range(-9, 9)] | None = None,
    ) -> None:
        """Energy still needed, and when the driver leaves (ISO 8601): they count when there is not
        enough for all. The priority replaces that of the settings. All ends with the session."""
        ...

    @command(
        "connectors/{connector}/demand",
        Role.OPERATOR,
        "Withdraw what a driver needs",
        Effect.REMOVE,
    )
    async def withdraw_demand(self, connector: ConnectorId) -> None:
        """Energy, departure and priority count no longer."""
        ...


When = Literal["now", "idle"]
"""`idle`: as soon as no session runs."""


@dataclass(frozen=True, slots=True)
class RestartAnswer:
    """The restart is on its way."""

    when: When
    status: Literal["accepted"] = "accepted"


class Restarter(Protocol):
    """Restarts the station's software."""

    @command("system/restart", Role.OPERATOR, "Restart", Effect.ACT_LATER)
    async def restart(self, principal: Principal, when: When = "now") -> RestartAnswer:
        """Restart the software now, or as soon as no session runs."""
        ...


class Power(Protocol):
    """The power supply of a simulated station, controlled by the host."""

    async def cut(self) -> None:
        """Cut the power: the station is aborted."""

    async def restore(self) -> None:
        """Restore the power: the station starts from its committed data."""


ConnectionTrial = Callable[[Settings], Awaitable[Sequence[StepResult]]]
"""Tests the connection to the backend with settings that are not saved yet."""


CollectLogs = Callable[[], Awaitable[Mapping[str, str]]]
"""File names and contents of the diagnostics, without secrets."""


async def no_logs() -> Mapping[str, str]:
    """Default without diagnostics."""
    return {}


@dataclass(frozen=True, slots=True)
class StationServices:
    """The services of a running station that are available to interfaces."""

    clock: Clock
    status: StatusView
    control: StationControl
    sessions: SessionsService
    whitelist: Whitelist
    restarter: Restarter
    settings: SettingsService
    accounts: Accounts
    backend: BackendPort | None
    simulator: SimulatorPort | None
    teach_in: TeachIn | None = None
    """None only where there is no whitelist."""
    master_card: MasterCard | None = None
    try_connection: ConnectionTrial | None = None
    try_meter: MeterTrial | None = None
    find_meters: FindMeters | None = None
    site_meter: SiteMeterService | None = None
    """The second meter; its status is "absent" if none is set."""
    load: LoadView | None = None
    """Load management; None while it is off."""
    meter_ages_s: Callable[[], Mapping[str, float]] = dict
    """Ages of the last readings, by the number of the socket, or "second"."""
    queue: QueueReader = no_queue
    """What waits for the backend, and what was given up."""
    ocpp_whitelist: BackendTokens | None = None
    charging_profiles: ChargingProfiles | None = None
    collect_logs: CollectLogs = no_logs
    notices: Notices | None = None
    """None only where nothing is stored."""
