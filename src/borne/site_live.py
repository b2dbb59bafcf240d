"""`borne site FILE` without `--until`: a master and its slaves as whole stations in one process, on
one simulated street, each with its web page."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

from borne.adapters.simulation.group_network import GroupNetwork, NetworkQuality
from borne.adapters.simulation.hardware import Equipment
from borne.adapters.simulation.late_values import MeterDelay
from borne.adapters.simulation.meter_setup import BUILDING, SITE
from borne.adapters.simulation.plant import SimulatedPlant
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.adapters.site.as_stations import (
    NotAsStations,
    car_name,
    check,
    remarks,
    settings_of,
    vehicle_of,
)
from borne.adapters.site.building import DAY_S
from borne.adapters.site.site_model import CarVisit, Do, NetworkModel, SiteEvent, SiteModel
from borne.adapters.site.traffic import visits_of
from borne.adapters.storage.lock import FolderInUse, FolderLock
from borne.app import Host, HostOptions
from borne.application.maintenance.local_commands import refusal_sentence
from borne.application.ports.simulator import SimulatorError
from borne.application.settings.settings_service import SettingsRejected
from borne.data_folder import CannotUse, friendly_errors, open_settings
from borne.domain.load_management.topology import Rotation
from borne.domain.principals import SYSTEM
from borne.domain.settings.values import Form
from borne.foundation import logging as logs
from borne.foundation.listener import Bound, CannotListen, HttpServer, bind
from borne.foundation.supervisor import Supervisor
from borne.foundation.units import ZERO, PerPhase
from borne.serve import (
    SHUTDOWN_TIMEOUT_S,
    check_speed,
    login_line,
    page_address,
    run_at,
    start_web,
)

TRAFFIC_S = 31 * DAY_S
"""Cars are drawn for so long."""
LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
EXTERNAL_METER = "external-meter"
Step: TypeAlias = tuple[float, int, Callable[[], Awaitable[str]]]
"""When (seconds from the start), the order at the same moment, and what happens."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Options of a site of whole stations."""

    data: Path | None = None
    """Folder with a data folder for each station; None: a temporary one."""
    port: int = 8080
    speed: float = 1.0


def run_live(site: SiteModel, options: LiveOptions) -> None:
    """Run until interrupted; raises CannotUse."""
    check_speed(options.speed)
    last = options.port + len(site.stations) - 1
    if options.port and last > LAST_PORT:
        raise CannotUse(f"The pages would need the ports up to {last}.", 2)
    try:
        check(site)
        with _folders(site, options.data) as folders, contextlib.ExitStack() as opened:
            ports: dict[str, Bound] = {}
            for place, name in enumerate(folders):
                port = options.port + place if options.port else 0
                ports[name] = bind(LOOPBACK, port, f"the web interface of {name}")
                opened.callback(ports[name].socket.close)
            logs.set_up("warning")
            run_at(options.speed, lambda: _run(site, folders, ports, options.speed))
    except NotAsStations as error:
        raise CannotUse(str(error), 2) from None
    except (CannotListen, FolderInUse) as error:
        raise CannotUse(str(error)) from None


@contextlib.contextmanager
def _folders(site: SiteModel, data: Path | None) -> Iterator[Mapping[str, Path]]:
    """The data folder of each station, with the settings of the file in it; the master first."""
    with contextlib.ExitStack() as opened:
        if data is None:
            data = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="borne-site-")))
        folders = {
            one.id: data / f"{place:02}-{re.sub(r'[^A-Za-z0-9-]+', '-', one.id)[:40]}"
            for place, one in enumerate(site.stations, start=1)
        }
        for one in site.stations:
            with friendly_errors(folders[one.id]):
                folders[one.id].mkdir(parents=True, exist_ok=True)
                opened.enter_context(FolderLock(folders[one.id]))
                store_settings(folders[one.id], settings_of(site, one), one.sockets)
        master = {site.master: folders.pop(site.master)}
        yield master | folders


def store_settings(data: Path, changes: Mapping[str, str], sockets: int) -> None:
    """Store the settings of a station before its start; raises CannotUse."""
    try:
        settings = open_settings(data, sockets, group_link=True)
        settings.change_now(dict(changes), SYSTEM, "site file", form=Form.TEXT)
    except SettingsRejected as rejected:
        reason = refusal_sentence(rejected)
        raise CannotUse(f"Station {changes['StationName']}: {reason}", 2) from None


class LiveSite:
    """The stations of a site and their street, on the running loop.

    The folders hold the settings of the file already.
    """

    def __init__(
        self,
        site: SiteModel,
        folders: Mapping[str, Path],
        pages: Mapping[str, str],
        report: Callable[[str], None],
        adapt: Callable[[HostOptions], HostOptions] = lambda options: options,
    ) -> None:
        self._site, self._report = site, report
        loop = asyncio.get_running_loop()
        self._time, self._begun_s, self._begun = loop.time, loop.time(), datetime.now(UTC)
        self._alive_s: float | None = None
        rng = random.Random(site.network.seed)  # noqa: S311 -- a simulation
        self._network = GroupNetwork(rng, _quality(site.network))
        self._serials = {name: _serial(folder) for name, folder in folders.items()}
        self._cut: set[str] = set()
        self._parked: set[str] = set()
        self._override_a: PerPhase | None = None
        self._tasks = Supervisor("site")
        self.hosts = {
            name: Host(adapt(self._options(name, folder, pages.get(name))))
            for name, folder in folders.items()
        }
        self._wire()

    @property
    def now_s(self) -> float:
        """Time of the file: seconds since the street came to life."""
        return 0.0 if self._alive_s is None else self._time() - self._alive_s

    def world(self, name: str) -> World:
        """The sockets and cars of a station."""
        plant = self.hosts[name].plant
        assert isinstance(plant, SimulatedPlant)
        return plant.world

    async def start(self) -> None:
        """Power the stations up."""
        await self._set_building()
        for host in self.hosts.values():
            await host.start()

    def begin(self) -> None:
        """Let cars come and events happen from now on."""
        self._alive_s = self._time()
        self._tasks.start("street", self._street())
        self._tasks.start("building", self._follow_building())

    async def stop(self) -> None:
        """Stop the street, then the stations."""
        await self._tasks.stop()
        await asyncio.gather(*(host.stop() for host in self.hosts.values()))

    def abort(self) -> None:
        """End what did not stop in time."""
        self._tasks.abort()
        for host in self.hosts.values():
            if host.station is not None:
                host.station.abort()

    # Stations --------------------------------------------------------------------------------

    def _options(self, name: str, folder: Path, page: str | None) -> HostOptions:
        sockets = next(one.sockets for one in self._site.stations if one.id == name)
        master = name == self._site.master
        meter, meter_at = self._site.meter, SITE if self._site.settings.including else BUILDING
        delay = MeterDelay(meter.skew_s, meter.period_s) if master else None
        return HostOptions(
            folder,
            connectors=sockets,
            page=page,
            wall=self._wall,
            equipment=Equipment(external_meter_at=meter_at, external_meter_delay=delay),
            master_link=self._network.master_link() if master else None,
            slave_link=None if master else self._network.slave_link(self._serials[name]),
        )

    def _wall(self) -> datetime:
        """The date as the time of the loop advances it, which also passes without power."""
        return self._begun + timedelta(seconds=self._time() - self._begun_s)

    def _wire(self) -> None:
        for station in self._site.stations:
            world = self.world(station.id)
            for socket, rotation in zip(world.sockets.values(), station.wiring, strict=True):
                socket.wiring = _wiring(rotation)
            if self._site.settings.including and station.id != self._site.master:
                world.changed.notify(self._count_neighbours)

    def _count_neighbours(self) -> None:
        """A meter that includes the stations measures the slaves, too."""
        drawn_a = ZERO
        for name in self.hosts.keys() - {self._site.master}:
            drawn_a = drawn_a.plus(self.world(name).sockets_current_a)
        self.world(self._site.master).set_neighbours(drawn_a)

    # Street ----------------------------------------------------------------------------------

    async def _street(self) -> None:
        for at_s, _, act in sorted(self._steps(), key=lambda step: step[:2]):
            await asyncio.sleep(max(0.0, at_s - self.now_s))
            try:
                text = await act()
            except SimulatorError as error:
                text = f"not possible: {error.message}"
            if text:
                minutes = int(at_s // 60)
                self._report(f"{minutes // 60:02}:{minutes % 60:02} {text}")

    def _steps(self) -> Iterator[Step]:
        for car in visits_of(self._site, TRAFFIC_S):
            yield car.leaves_s, 0, partial(self._leave, car)
            yield car.arrives_s, 1, partial(self._arrive, car)
        for event in self._site.events:
            yield event.at_s, 2, partial(self._happen, event)

    async def _arrive(self, car: CarVisit) -> str:
        await self._simulator(car.station).plug(car.socket, vehicle_of(car))
        self._parked.add(car.id)
        return f"{car.id} arrives at {car.station}, socket {car.socket}"

    async def _leave(self, car: CarVisit) -> str:
        vehicle = self.world(car.station).sockets[car.socket].vehicle
        if car.id not in self._parked or vehicle is None or vehicle.model.name != car_name(car):
            return ""  # someone has unplugged it on the page
        self._parked.discard(car.id)
        await self._simulator(car.station).unplug(car.socket, force=True)
        return f"{car.id} leaves {car.station}, socket {car.socket}"

    def _simulator(self, name: str) -> Simulator:
        return Simulator(self.world(name))

    async def _happen(self, event: SiteEvent) -> str:
        name = event.station or ""
        match event.do:
            case Do.KILL:
                await self.hosts[name].cut()
            case Do.START:
                await self.hosts[name].restore()
            case Do.CUT_LINK | Do.RESTORE_LINK:
                self._set_link(name, up=event.do is Do.RESTORE_LINK)
            case Do.METER_SILENT | Do.METER_BACK:
                up = event.do is Do.METER_BACK
                await self._simulator(self._site.master).set_link(EXTERNAL_METER, up=up)
            case Do.BUILDING:
                self._override_a = event.building_a
                await self._set_building()
        return f"{event.do} {name}".strip()

    def _set_link(self, name: str, *, up: bool) -> None:
        """The link of the master is that of all slaves."""
        (self._cut.discard if up else self._cut.add)(name)
        for slave in self.hosts.keys() - {self._site.master}:
            off = self._cut & {slave, self._site.master}
            (self._network.cut if off else self._network.restore)(self._serials[slave])

    async def _follow_building(self) -> None:
        building, at_s = self._site.building, 0.0
        while (after_s := building.next_change_s(at_s)) is not None:
            at_s = after_s
            await asyncio.sleep(max(0.0, at_s - self.now_s))
            await self._set_building(at_s)

    async def _set_building(self, at_s: float | None = None) -> None:
        now_s = self.now_s if at_s is None else at_s
        amps = self._override_a
        load_a = self._site.building.load_a(now_s) if amps is None else amps
        await self._simulator(self._site.master).set_site({"building_a": tuple(load_a)})


def _serial(folder: Path) -> str:
    return open_settings(folder, group_link=True).settings.text("ChargePointSerialNumber")


def _wiring(rotation: Rotation) -> tuple[int, int, int]:
    first, second, third = ("RST".index(letter) for letter in rotation.value)
    return first, second, third


def _quality(network: NetworkModel) -> NetworkQuality:
    """Delays between half of the longest and all of it; twice that where messages overtake."""
    half_s = network.delay_s / 2
    return NetworkQuality(delay_s=half_s, jitter_s=network.longest_s - half_s, loss=network.loss)


async def _run(
    site: SiteModel, folders: Mapping[str, Path], ports: Mapping[str, Bound], speed: float
) -> None:
    with friendly_errors(folders[site.master].parent):
        await _Process(site, folders, ports, speed).run()


class _Process:
    """One run of the program, on the running loop."""

    def __init__(
        self,
        site: SiteModel,
        folders: Mapping[str, Path],
        ports: Mapping[str, Bound],
        speed: float,
    ) -> None:
        self._site, self._ports, self._speed = site, ports, speed
        self._pages = {name: page_address(bound) for name, bound in ports.items()}
        self._live = LiveSite(site, folders, self._pages, _report)
        self._servers: list[HttpServer] = []
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Run stations and pages until a signal arrives."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._on_signal)
        for remark in remarks(self._site):
            _report(remark)
        try:
            await self._live.start()
            await self._serve()
            self._live.begin()
            await self._ended.wait()
        finally:
            await self._shutdown()

    def _on_signal(self) -> None:
        if self._ended.is_set():
            raise SystemExit(1)
        self._ended.set()

    async def _serve(self) -> None:
        for name, host in self._live.hosts.items():
            if self._ended.is_set():
                return
            self._servers.append(await start_web(host, self._ports[name]))
            services, page = host.services(), self._pages[name]
            login = await login_line(services, page) if services is not None else "No power."
            role = "master" if name == self._site.master else "slave"
            _report(f"{name} ({role}) on {page}. {login}")

    async def _shutdown(self) -> None:
        try:
            async with asyncio.timeout(SHUTDOWN_TIMEOUT_S * len(self._ports) * self._speed):
                stops = [server.stop() for server in self._servers]
                await asyncio.gather(self._live.stop(), *stops)
        except TimeoutError:
            self._live.abort()
            for server in self._servers:
                server.abort()


def _report(line: str) -> None:
    # Standard output may already be closed.
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
