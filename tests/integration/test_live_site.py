"""A site file as whole stations: `borne site FILE` without `--until`."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from borne.adapters.site.as_stations import NotAsStations, check, remarks, settings_of, vehicle_of
from borne.adapters.site.site_file import read_site, site_of
from borne.adapters.site.site_model import SiteModel
from borne.app import HostOptions
from borne.domain.load_management.load_status import LoadStatus
from borne.domain.meters.measurement import Measurement
from borne.foundation.units import ZERO, PerPhase
from borne.site_live import LiveSite, store_settings
from tests.support.in_process import borne
from tests.support.process import command, get, unmeasured_environment
from tests.support.rotation import ROOT as CHECKOUT
from tests.support.running_station import RunningStation
from tests.support.virtual_time import virtual_time

EXAMPLES = CHECKOUT / "examples" / "sites"
SHIPPED = sorted(path.stem for path in EXAMPLES.glob("*.toml") if path.stem != "hundred-sockets")
TWO = """
[site]
evse_sub_distribution_a = 40
disconnected_a = 7
sample_s = 5

[[station]]
id = "gate"

[[station]]
id = "yard"
rotation = "STR"

[network]
delay_s = 0.2
loss = 0.02
reorder = 0.1

[[car]]
id = "first"
model = "fast"
arrives = 10
leaves = "20m"
energy_kwh = 40
station = "gate"
socket = 1

[[car]]
id = "second"
model = "fast"
arrives = 20
leaves = "20m"
energy_kwh = 40
station = "yard"
socket = 1
"""
METERED = TWO.replace(
    "sample_s = 5", 'sample_s = 5\nmain_distribution_a = 50\nmeter_location = "{}"'
)
BUILDING = '\n[building]\nbase_a = 20\nsteps = [{ at = "00:05", a = 30 }]\n'


class Watched:
    """A running site that is watched each second."""

    def __init__(self, live: LiveSite, messages: list[str]) -> None:
        self.live = live
        self.messages = messages

    def drawn_a(self) -> PerPhase:
        total = ZERO
        for name in self.live.hosts:
            total = total.plus(self.live.world(name).sockets_current_a)
        return total

    def offered_a(self, name: str) -> float:
        return float(RunningStation(self.live.hosts[name]).connector(1)["offered_a"][0])

    def load(self, name: str) -> LoadStatus:
        view = RunningStation(self.live.hosts[name]).services.load
        assert view is not None
        return view.status()

    async def until(self, at_s: float) -> float:
        """Let time pass; the highest current of a phase."""
        highest_a = 0.0
        while self.live.now_s < at_s:
            await asyncio.sleep(1.0)
            highest_a = max(highest_a, *self.drawn_a())
        return highest_a


def _alone(options: HostOptions) -> HostOptions:
    return replace(options, live=False, control_socket=False)


@asynccontextmanager
async def running(site: SiteModel, data: Path) -> AsyncIterator[Watched]:
    folders = {one.id: data / one.id for one in site.stations}
    for one in site.stations:
        store_settings(folders[one.id], settings_of(site, one), one.sockets)
    messages: list[str] = []
    live = LiveSite(site, folders, {}, messages.append, _alone)
    await live.start()
    live.begin()
    try:
        yield Watched(live, messages)
    finally:
        await live.stop()


@virtual_time
async def test_two_stations_share_the_limit_and_a_slave_that_is_cut_off_falls_back(
    tmp_path: Path,
) -> None:
    cut = '\n[[event]]\nat = "5m"\ndo = "cut-link"\nstation = "yard"\n'
    back = '\n[[event]]\nat = "10m"\ndo = "restore-link"\nstation = "yard"\n'
    async with running(site_of(TWO + cut + back), tmp_path) as site:
        assert await site.until(299.0) <= 40.0
        assert (site.offered_a("gate"), site.offered_a("yard")) == (20.0, 20.0)
        assert min(site.drawn_a()) == pytest.approx(40.0, abs=0.1)
        assert await site.until(599.0) <= 40.0
        assert (site.offered_a("gate"), site.offered_a("yard")) == (32.0, 7.0)
        assert await site.until(780.0) <= 40.0
        assert (site.offered_a("gate"), site.offered_a("yard")) == (20.0, 20.0)
        await site.until(1205.0)
        assert site.drawn_a() == ZERO
        assert site.messages == [
            "00:00 first arrives at gate, socket 1",
            "00:00 second arrives at yard, socket 1",
            "00:05 cut-link yard",
            "00:10 restore-link yard",
            "00:20 first leaves gate, socket 1",
            "00:20 second leaves yard, socket 1",
        ]


@virtual_time
async def test_a_station_is_killed_and_starts_again(tmp_path: Path) -> None:
    events = '\n[[event]]\nat = "5m"\ndo = "kill"\nstation = "gate"\n'
    events += '\n[[event]]\nat = "6m"\ndo = "start"\nstation = "gate"\n'
    async with running(site_of(TWO + events), tmp_path) as site:
        await site.until(310.0)
        assert site.live.hosts["gate"].services() is None
        assert await site.until(600.0) <= 40.0
        assert (site.offered_a("gate"), site.offered_a("yard")) == (20.0, 20.0)


@pytest.mark.parametrize("location", ["including", "excluding"])
def test_the_meter_sees_what_it_should(tmp_path: Path, location: str) -> None:
    silent = '\n[[event]]\nat = "12m"\ndo = "meter-silent"\n'

    @virtual_time
    async def run() -> None:
        site_file = site_of(METERED.format(location) + BUILDING + silent)
        async with running(site_file, tmp_path) as site:
            await site.until(299.0)
            assert site.load("gate").external_a == PerPhase.same(20.0)
            measured = await _measured(site)
            seen_a = 50.0 if location == "including" else 20.0
            assert measured == pytest.approx([seen_a] * 3, abs=0.2)
            await site.until(700.0)
            assert site.load("gate").external_a == PerPhase.same(30.0)
            assert min(site.drawn_a()) == pytest.approx(20.0, abs=0.2)
            await site.until(800.0)
            assert site.drawn_a() == ZERO

    run()


@pytest.mark.parametrize("location", ["including", "excluding"])
def test_the_meter_is_as_late_as_the_file_says(tmp_path: Path, location: str) -> None:
    late = "\n[meter]\nskew_s = 30\nperiod_s = 10\n"

    @virtual_time
    async def run() -> None:
        async with running(site_of(METERED.format(location) + BUILDING + late), tmp_path) as site:
            await site.until(9.0)
            assert site.load("gate").external_a == PerPhase.same(20.0)
            await site.until(329.0)
            assert site.live.world("gate").building_current_a == PerPhase.same(30.0)
            assert site.load("gate").external_a == PerPhase.same(20.0)
            assert min(site.drawn_a()) == pytest.approx(30.0, abs=0.2)
            await site.until(420.0)
            assert site.load("gate").external_a == PerPhase.same(30.0)
            assert min(site.drawn_a()) == pytest.approx(20.0, abs=0.2)

    run()


@virtual_time
async def test_the_meter_goes_on_while_the_master_has_no_power(tmp_path: Path) -> None:
    late = "\n[meter]\nskew_s = 30\n"
    events = '\n[[event]]\nat = "290s"\ndo = "kill"\nstation = "gate"\n'
    events += '\n[[event]]\nat = "310s"\ndo = "start"\nstation = "gate"\n'
    file = METERED.format("excluding") + BUILDING + late + events
    async with running(site_of(file), tmp_path) as site:
        await site.until(328.0)
        assert site.load("gate").external_a == PerPhase.same(20.0)
        await site.until(345.0)
        assert site.load("gate").external_a == PerPhase.same(30.0)


async def _measured(site: Watched) -> list[float | None]:
    from borne.adapters.simulation.hardware import external_meter

    options = site.live.hosts["gate"].options
    meter = external_meter(site.live.world("gate"), options.equipment.external_meter_at)
    measured = await meter.read()
    assert isinstance(measured, Measurement)
    return list(measured.current_a)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_site_that_ships_is_a_set_of_settings(tmp_path: Path, name: str) -> None:
    site = read_site(EXAMPLES / f"{name}.toml")
    check(site)
    master = next(one for one in site.stations if one.id == site.master)
    for one in (master, site.stations[-1]):
        store_settings(tmp_path / one.id, settings_of(site, one), one.sockets)


def test_a_car_lacks_the_energy_that_it_wants() -> None:
    [first, _] = site_of(TWO).cars
    vehicle = vehicle_of(first)
    assert vehicle["battery_kwh"] == 52
    assert vehicle["soc"] == pytest.approx(12 / 52)


def test_what_whole_stations_cannot_do_is_refused() -> None:
    with pytest.raises(NotAsStations, match="one phase or three"):
        check(site_of(TWO.replace('id = "gate"', 'id = "gate"\nphases = 2')))
    with pytest.raises(NotAsStations, match="at most 40"):
        check(read_site(EXAMPLES / "hundred-sockets.toml"))
    odd = site_of(TWO.replace("sample_s = 5", "sample_s = 6"))
    assert list(remarks(odd)) == ["sample_s = 6 is no choice of a station: 5 s."]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--out", "x"), "--out needs --until"),
        (("--until", "1h", "--data", "x"), "--data is for a site without --until"),
        (("--port", "65535"), "ports up to 65536"),
    ],
)
def test_wrong_options(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(TWO)
    ran = borne("site", file, *arguments)
    assert ran.code == 2
    assert reason in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to a process")
def test_a_process_with_a_page_for_each_station(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(TWO)
    environment = unmeasured_environment() | {"TMPDIR": str(tmp_path)}
    arguments = command("site", str(file), "--port", "0", "--speed", "10")
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[0].startswith("gate (master) on http://127.0.0.1:")
        assert lines[1].startswith("yard (slave) on http://127.0.0.1:")
        for line in lines:
            page = line.split(" on ")[1].split(". ")[0]
            assert get(f"{page}/readyz")[0] == 200
            assert f"{page}/login/" in line
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
    assert process.returncode == 0, rest + errors
    assert errors == ""
    assert list(tmp_path.glob("borne-site-*")) == []
