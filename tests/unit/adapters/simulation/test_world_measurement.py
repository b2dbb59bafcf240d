"""What energy meters at the places of the simulated world measure, and what they count."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest

from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_file import WorldFile
from borne.adapters.simulation.world_measurement import sources, world_measurement
from borne.foundation.units import PerPhase
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time

HOUR_S = 3600.0


@virtual_time
async def test_at_the_grid_building_roof_and_sockets_are_together() -> None:
    bench = await Bench().charging(16)
    await bench.simulator.set_site({"building_a": [10, 2, 0], "pv_w": 6900})
    site = world_measurement(bench.world, "site")
    assert site.current_a == pytest.approx((16, 8, 6))
    assert site.power_w == pytest.approx((3680, 1840, 1380))
    assert site.power_total_w == pytest.approx(6900)
    assert site.voltage_v == PerPhase.same(230)
    building = world_measurement(bench.world, "building")
    assert building.current_a == pytest.approx((0, -8, -10))
    assert building.power_w == pytest.approx((0, -1840, -2300))
    socket = world_measurement(bench.world, "socket-1")
    assert socket.current_a == PerPhase.same(16)
    assert (socket.serial_number, socket.export_wh) == (bench.socket.meter_serial, 0)
    assert world_measurement(bench.world, "socket-2").power_total_w == 0


@virtual_time
async def test_a_socket_is_measured_on_its_own_phases() -> None:
    bench = await Bench().charging(16, phases=1)
    bench.socket.wiring = (1, 2, 0)
    bench.socket.settle()
    assert world_measurement(bench.world, "socket-1").current_a == (16, 0, 0)
    assert world_measurement(bench.world, "site").current_a == (0, 16, 0)


@virtual_time
async def test_registers_count_each_direction_for_itself() -> None:
    world = World(2, random.Random(3))
    simulator = Simulator(world)
    before = {name: world_measurement(world, name) for name in ("site", "building")}
    await simulator.set_site({"building_a": 10, "pv_w": 0})
    await asyncio.sleep(HOUR_S)
    await simulator.set_site({"pv_w": 16_900})
    await asyncio.sleep(HOUR_S / 2)
    for name, first in before.items():
        now = world_measurement(world, name)
        assert first.import_wh is not None
        assert first.export_wh is not None
        assert now.import_wh == first.import_wh + 6900
        assert now.export_wh == first.export_wh + 5000


@virtual_time
async def test_the_building_does_not_count_what_the_sockets_draw() -> None:
    bench = await Bench().charging(16)
    before = world_measurement(bench.world, "building")
    site_wh = world_measurement(bench.world, "site").import_wh
    await asyncio.sleep(HOUR_S)
    assert world_measurement(bench.world, "building").import_wh == before.import_wh
    assert world_measurement(bench.world, "site").import_wh == (site_wh or 0) + 11_040


@virtual_time
async def test_the_frequency_stays_near_50_hz_and_is_unknown_without_voltage() -> None:
    world = World(1)
    measured = []
    for _ in range(50):
        await asyncio.sleep(1)
        measured.append(world_measurement(world, "site").frequency_hz or 0)
    assert 49.98 <= min(measured) < max(measured) <= 50.02
    await Simulator(world).set_site({"voltage_v": 0})
    assert world_measurement(world, "site").frequency_hz is None


@virtual_time
async def test_there_is_no_other_place() -> None:
    world = World(1)
    assert sources(world) == ("site", "building", "socket-1")
    for wrong in ("socket-2", "socket-", "roof", "socket-1 "):
        with pytest.raises(KeyError):
            world_measurement(world, wrong)


@virtual_time
async def test_registers_survive_a_restart_and_are_never_behind_a_value(tmp_path: Path) -> None:
    world = World(2, random.Random(3))
    WorldFile(tmp_path / "world.json", world).open()
    await Simulator(world).set_site({"building_a": [3, 3, 3], "pv_w": 9000})
    await asyncio.sleep(1234)
    shown = {name: world_measurement(world, name) for name in sources(world)}
    again = World(2, random.Random(9))
    assert WorldFile(tmp_path / "world.json", again).open() == ()
    for name, before in shown.items():
        after = world_measurement(again, name)
        assert (after.import_wh, after.export_wh) == (before.import_wh, before.export_wh)


@virtual_time
async def test_a_file_without_the_newer_registers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world = World(2, random.Random(3))
    WorldFile(path, world).open()
    content = json.loads(path.read_bytes())
    for name in ("site-export", "building", "building-export"):
        del content["counters"][name]
    del content["street"]["meters"]
    path.write_text(json.dumps(content))
    again = World(2, random.Random(9))
    assert WorldFile(path, again).open() == ()
    site = world_measurement(again, "site")
    assert site.import_wh == world_measurement(world, "site").import_wh
    assert site.export_wh is not None
    assert again.meters == {}


@virtual_time
async def test_the_digital_input_of_the_meters_at_the_grid() -> None:
    bench = Bench()
    await bench.simulator.set_site({"meter_input": True})
    assert world_measurement(bench.world, "site").digital_input is True
    assert world_measurement(bench.world, "building").digital_input is True
    assert world_measurement(bench.world, "socket-1").digital_input is None
    assert bench.simulator.view()["site"]["meter_input"] is True
