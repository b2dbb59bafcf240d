"""Connects all adapters with the application; the only module that knows every adapter.

A `Host` is the program around a station. It owns what survives a power failure (plant, logins, HTTP
listener) and builds a new station at each power-up.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from borne import __version__
from borne.adapters.certificates.store import FileCertificates
from borne.adapters.control.socket import ControlServer
from borne.adapters.maintenance.build import build_maintenance
from borne.adapters.ocpp.backend import OcppBackend
from borne.adapters.ocpp.backend_settings import BACKEND_KEYS, backend_config
from borne.adapters.ocpp.charge_point.interfaces import Interfaces, interfaces_up
from borne.adapters.ocpp.charge_point.link import JsonLink
from borne.adapters.ocpp.probe import probe
from borne.adapters.simulation.hardware import Equipment
from borne.adapters.simulation.plant import SimulatedPlant, SimulationOptions
from borne.adapters.simulation.world import World
from borne.adapters.storage import open_storage
from borne.adapters.storage.decision_files import DecisionFiles
from borne.adapters.web.contract import Readiness
from borne.application.backend.backend_answers import BackendAnswers
from borne.application.charging.metering_service import MeteringService
from borne.application.composition.parts import StationParts
from borne.application.maintenance.decision_journal import DecisionJournal
from borne.application.maintenance.local_commands import (
    CommandFailed,
    CommandRefused,
    LocalCommands,
)
from borne.application.maintenance.metrics import (
    MetricSources,
    loop_metrics,
    queue_metrics,
    render,
    station_metrics,
)
from borne.application.people.accounts import Accounts, Logins
from borne.application.ports.backend import StepResult
from borne.application.ports.backend_link import Backend
from borne.application.ports.group_link import MasterLink, SlaveLink
from borne.application.ports.maintenance import Installer
from borne.application.ports.plant import MainsSwitch, Plant
from borne.application.ports.simulator import SimulatorPort
from borne.application.ports.storage import Storage, StorageDamaged, StorageFailed, WhitelistEntry
from borne.application.refusals import Refused, require
from borne.application.services import RestartAnswer, StationServices, When
from borne.application.settings.settings_service import SettingsService
from borne.application.settings.station_settings import has_backend
from borne.application.station import Station
from borne.data_folder import open_accounts, open_settings, random_token
from borne.domain.principals import SYSTEM, Principal, Role
from borne.domain.settings.snapshot import Settings
from borne.domain.station.session import StopReason
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.events import Signal
from borne.foundation.json_value import JsonObject
from borne.foundation.loop_lag import LoopLag
from borne.foundation.messages import N_, Message
from borne.foundation.supervisor import Supervisor
from borne.installed_meters import InstalledMeters
from borne.protocols.frame_json import frame_json
from borne.protocols.status_json import status_json

LIVE_POLL_S = 1.0
DECISIONS_S = 60.0
MAX_METER_TEXT = 25
"""Characters of type and serial number of the meter in a BootNotification (OCPP 1.6, 6.3)."""
TRUSTED_YEAR = 2025
"""A system clock before this year has never been set."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Options of a host."""

    data: Path
    connectors: int = 2
    live: bool = True
    """Read the meters every second during a session, for the live display."""
    rng: random.Random = field(default_factory=random.SystemRandom)
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    token: Callable[[int], str] | None = None
    control_socket: bool = True
    installer: Installer | None = None
    first_cards: Sequence[WhitelistEntry] = ()
    """Whitelist entries for a simulated station at its first start."""
    equipment: Equipment = field(default_factory=Equipment)
    page: str | None = None
    """URL of the web interface on this machine."""
    wrap_storage: Callable[[Storage], Storage] = lambda storage: storage
    """For tests that count commits or let them fail."""
    world_file: Path | None = None
    """File for the simulated world; without it the world ends with the process."""
    fresh_world: bool = False
    """Start with a new world, even if one is stored."""
    open_storage: Callable[[Path, Clock, Callable[[], str]], Awaitable[Storage]] = open_storage
    """Lets many stations in one process share threads and open files."""
    make_plant: Callable[[HostOptions], Plant] | None = None
    """Creates the plant; None for a simulated one."""
    slave_link: SlaveLink | None = None
    """The way to the master of the group."""
    master_link: MasterLink | None = None
    """The way to the slaves, if this station is the master of a group."""

    @property
    def in_group(self) -> bool:
        """True if the station is joined with others."""
        return self.slave_link is not None or self.master_link is not None


def simulated_plant(options: HostOptions) -> Plant:
    """The simulated plant, used until hardware files exist."""
    simulation = SimulationOptions(
        options.data, options.equipment, options.world_file, options.fresh_world
    )
    return SimulatedPlant(World(options.connectors, options.rng), simulation)


class Host:
    """A station with its plant; switches power and restarts."""

    def __init__(self, options: HostOptions) -> None:
        loop = asyncio.get_running_loop()
        self.options = options
        self.plant = (options.make_plant or simulated_plant)(options)
        self.station: Station | None = None
        self.station_changed: Signal[Station | None] = Signal()
        self.clock = self._new_clock()
        self.notices: tuple[str, ...] = ()
        """Notices for users about the data of the running station."""
        self._settings: SettingsService | None = None
        self._logins = Logins(loop.time, options.token or random_token)
        self._switching = asyncio.Lock()
        self._restarting: asyncio.Task[None] | None = None
        self._control: ControlServer | None = None
        self._meters = InstalledMeters(options.data)
        self.lag = LoopLag()
        self.decisions = DecisionJournal(random_token(8))
        self._decision_files = DecisionFiles(options.data)
        self._tasks = Supervisor("host")
        self.plant.link_restored.notify(self._retry_backend)
        self._plant_notices: Sequence[str] = ()

    # WebHost ---------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        return __version__

    @property
    def power(self) -> Host | None:
        """The power switch; None if the power cannot be cut by software."""
        return self if self.plant.mains is not None else None

    @property
    def simulator(self) -> SimulatorPort | None:
        """The simulator of a simulated plant."""
        return self.plant.simulator

    @property
    def own_names(self) -> tuple[str, ...]:
        """The host name from `--host`, if it is a name."""
        name = urlsplit(self.options.page or "").hostname
        return (name,) if name else ()

    @property
    def remote_simulator(self) -> bool:
        """False: only this machine may operate the simulator."""
        return False

    def services(self) -> StationServices | None:
        """The services of the running station; None while power is cut."""
        return self.station.services() if self.station is not None else None

    def health(self) -> Readiness:
        """Whether the station is ready to work."""
        station = self.station
        if station is None:
            return Readiness(False, ("The station has no power.",), works=False)
        reasons, armed = [], station.armed
        if not self.settings.charging_allowed:
            reasons.append("The settings were damaged; confirm the limits.")
        if not armed:
            reasons.append("A charge controller board has not reported yet.")
        return Readiness(not reasons, tuple(reasons), works=armed)

    async def metrics(self) -> str:
        """The text of `/metrics`."""
        metrics = loop_metrics(self.lag.last_s, self.lag.worst_s)
        station = self.station
        if station is not None:
            view = await station.services().queue(1)
            metrics += station_metrics(_facts(station))
            metrics += queue_metrics(view.waiting, view.oldest_at, self.clock.now())
        return render(metrics)

    @property
    def settings(self) -> SettingsService:
        """The settings of the running (or last) station."""
        if self._settings is None:
            raise RuntimeError("the station was never started")
        return self._settings

    # Power -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Power up the station and serve the command line."""
        self._plant_notices = self.plant.open()
        await self._power_up()
        await self._add_first_cards()
        for notice in self._plant_notices:
            _log.warning("%s", notice)
        if self.options.live:
            self._tasks.keep("loop lag", self.lag.watch)
            self._tasks.keep("decisions", self._write_decisions_regularly)
        if self.options.control_socket:
            self._control = ControlServer(
                self.options.data, self._command, (CommandRefused,), (CommandFailed,)
            )
            await self._control.start()

    async def _add_first_cards(self) -> None:
        if self.station is None:
            return
        for entry in self.options.first_cards:
            try:
                await self.station.cards.lists.whitelist.add(
                    entry.token, SYSTEM, connector=entry.connector, name=entry.name
                )
            except (Refused, StorageFailed) as error:
                _log.warning("the demonstration card could not be added: %s", error)

    async def stop(self) -> None:
        """Stop the program; running sessions resume at the next start."""
        if self._control is not None:
            await self._control.stop()
        async with self._switching:
            await self._power_down(None)
        await self._tasks.stop()
        await self._write_decisions()
        await self.plant.close()

    async def cut(self) -> None:
        """Cut the power: the station is aborted."""
        mains = self._mains()
        async with self._switching:
            station, self.station = self.station, None
            if self._restarting is not None:
                self._restarting.cancel()
            if station is not None:
                station.abort()
            self._meters.abort()
            mains.cut()
            self.station_changed.emit(None)

    async def restore(self) -> None:
        async with self._switching:
            if self.station is not None:
                return
            self._mains().restore()
            await self._power_up()

    async def restart(self, principal: Principal, when: When = "now") -> RestartAnswer:
        """Restart the software, see `Restarter`."""
        require(principal, Role.OPERATOR)
        if self._restarting is not None and not self._restarting.done():
            raise Refused("restarting", N_("A restart is already on its way."))
        reason = StopReason.REBOOT if when == "now" else None
        work = self._restart(reason, wait=when == "idle")
        self._restarting = self._tasks.start("restart", work)
        return RestartAnswer(when)

    async def reset(self, reason: StopReason) -> None:
        """Restart for a backend's Reset."""
        self._restarting = self._tasks.start("restart", self._restart(reason, wait=False))

    async def _restart(self, reason: StopReason | None, *, wait: bool) -> None:
        station = self.station
        while wait and station is not None and self.station is station and not station.idle:
            await station.status.wait(station.status.revision, 3600.0)
        async with self._switching:
            if self.station is not station:
                return
            await self._power_down(reason)
            await self._power_up()

    async def _power_down(self, reason: StopReason | None) -> None:
        station, self.station = self.station, None
        if station is not None:
            await self.settings.close()
            await station.stop(reason)
        await self._meters.close()
        self.station_changed.emit(None)

    async def _power_up(self) -> None:
        self.clock = self._new_clock()
        data = self.options.data
        self.plant.power_on()
        self._settings = open_settings(
            data, self.options.connectors, group_link=self.options.in_group
        )
        self._settings.mark_started()
        try:
            station = await self._start_station()
        except StorageDamaged as error:
            # The database has requested a check of the whole file, which puts damaged data aside.
            _log.error("damage was found during the start: %s", error)
            station = await self._start_station()
        self.station = station
        self.station_changed.emit(station)

    async def _start_station(self) -> Station:
        data = self.options.data
        opened = await self.options.open_storage(data, self.clock, self.options.new_id)
        self._note_reports((*opened.remarks, *opened.notices))
        storage = self.options.wrap_storage(opened)
        try:
            accounts = await open_accounts(self.settings, storage, self.clock, self._logins)
        except BaseException:
            storage.abort()
            raise
        station = Station(self._parts(storage, accounts))
        if self.options.live:
            self.decisions.follow(station.connectors)
        try:
            await station.start(partial(self._make_backend, storage))
        except BaseException:
            station.abort()
            self._meters.abort()
            raise
        return station

    def _note_reports(self, storage_notices: Sequence[Message]) -> None:
        reports = [str(report) for report in self.settings.reports]
        for report in reports:
            _log.warning("%s", report)
        self.notices = (*self._plant_notices, *reports, *map(str, storage_notices))

    def _parts(self, storage: Storage, accounts: Accounts) -> StationParts:
        settings = self.settings.settings
        return StationParts(
            hardware=self._meters.fit(self.plant.power_up(settings), settings),
            storage=storage,
            settings=self.settings,
            accounts=accounts,
            clock=self.clock,
            restarter=self,
            reset=self.reset,
            new_id=self.options.new_id,
            maintenance=build_maintenance(self.options.data, __version__, self.options.installer),
            certificates=FileCertificates(self.options.data),
            status_json=status_json,
            frame_json=frame_json,
            simulator=self.plant.simulator,
            try_connection=self._try_connection,
            poll_meter=self._meters.poll,
            find_meters=self._meters.find,
            slave_link=self.options.slave_link,
            master_link=self.options.master_link,
            live_poll_s=LIVE_POLL_S if self.options.live else None,
        )

    def _make_backend(self, storage: Storage, station: Station) -> Backend | None:
        settings = self.settings.settings
        if not has_backend(settings) or not settings.text("WebSocketsBackendURL"):
            return None
        answers = BackendAnswers(
            station.authorization,
            station.backend_side.refused,
            station.charging.journal,
            station.timestamp_resolver,
            self.settings,
            storage.security,
            self.clock,
            station.supervisor,
        )
        security, services = station.security, station.backend_side.services
        backend = OcppBackend(
            backend_config(settings, list(station.connectors), security.certificates.material),
            services,
            storage,
            partial(_boot_content, settings, services.firmware.version, station.metering),
            answers,
            self.clock,
            self.options.rng,
            make_link=partial(
                JsonLink,
                route=self.plant.dial,
                interfaces=self._interfaces(),
            ),
        )
        running = self.settings.running
        running.on_change(BACKEND_KEYS, lambda: backend.on_settings_changed(running()))
        return backend

    async def _try_connection(self, settings: Settings) -> Sequence[StepResult]:
        config = backend_config(settings, list(self.plant.connectors)).connection
        return await probe(config, self.clock, self.plant.dial, self._interfaces())

    def _interfaces(self) -> Interfaces | None:
        """None in a simulated run, which must not depend on the machine's interfaces."""
        return interfaces_up if self.options.live else None

    async def _write_decisions_regularly(self) -> None:
        """Write the journal of decisions for `borne replay`, once a minute."""
        while True:
            await asyncio.sleep(DECISIONS_S)
            await self._write_decisions()

    async def _write_decisions(self) -> None:
        lines = self.decisions.drain()
        if not lines:
            return
        try:
            full = await asyncio.to_thread(self._decision_files.append, lines)
        except OSError as error:
            _log.warning("decisions of the last minute could not be written: %s", error.strerror)
            full = True
        if full:
            self.decisions.restart()

    def _mains(self) -> MainsSwitch:
        mains = self.plant.mains
        if mains is None:
            raise Refused("no_switch", N_("The power of this station cannot be cut from here."))
        return mains

    def _retry_backend(self) -> None:
        backend = self.station.link.backend if self.station is not None else None
        if isinstance(backend, OcppBackend):
            backend.client.retry_now()

    def _new_clock(self) -> Clock:
        wall = self.options.wall()
        known = self.plant.keeps_time and wall.year >= TRUSTED_YEAR
        loop = asyncio.get_running_loop()
        if not known:
            return Clock(loop.time)
        return Clock(loop.time, wall, ClockTrust.RTC)

    async def _command(self, command: str, arguments: JsonObject) -> JsonObject:
        services = self.services()
        if services is None:
            raise CommandFailed("The station has no power.")
        accounts = services.accounts

        async def ready() -> Accounts:
            return accounts

        commands = LocalCommands(services.settings, ready, self.options.page)
        return await commands.run(command, arguments)


def _facts(station: Station) -> MetricSources:
    return MetricSources(
        station.link.backend,
        {number: each.contactor_cycles for number, each in station.connectors.items()},
        station.limits,
        station.metering.readings,
        station.faults.active,
        station.meters.ages_s(),
    )


def _boot_content(settings: Settings, version: str, metering: MeteringService) -> dict[str, str]:
    model, serial_number = metering.main_meter()
    meter = {"meter_type": model.removeprefix("Modbus "), "meter_serial_number": serial_number}
    return {
        "charge_point_vendor": settings.text("ChargePointVendor"),
        "charge_point_model": settings.text("ChargePointModel"),
        "charge_point_serial_number": settings.text("ChargePointSerialNumber"),
        "charge_box_serial_number": settings.text("ChargePointSerialNumber"),
        "firmware_version": version,
        **{name: text[:MAX_METER_TEXT] for name, text in meter.items() if text},
    }
