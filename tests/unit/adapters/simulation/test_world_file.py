"""The simulated world in its file: what comes back at the next start, what is never lost of a
register, and what cannot keep a station from starting."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from borne.adapters.simulation import stored_world
from borne.adapters.simulation.faults import CATALOGUE
from borne.adapters.simulation.outlet import Defects
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.vehicle import LIBRARY, Vehicle
from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_file import WorldFile
from borne.domain.station.reading import MeterReading
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time


def kept(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def write(path: Path, content: bytes | str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def state(path: Path) -> tuple[int, int, int]:
    """When and where it was written, and its size."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def opened(path: Path, seed: int = 99) -> World:
    """The world of the next process; without the file it would have other registers and numbers."""
    copy = Path(shutil.copy(path, path.with_name("copy.json")))
    world = World(2, random.Random(seed))
    assert WorldFile(copy, world).open() == ()
    return world


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "world.json"


async def charging(path: Path) -> Bench:
    bench = Bench()
    WorldFile(path, bench.world).open()
    return await bench.charging(16)


# What comes back ------------------------------------------------------------------------------


@virtual_time
async def test_registers_cars_and_charge_are_restored(path: Path) -> None:
    bench = await charging(path)
    await asyncio.sleep(3600)
    shown = bench.simulator.view()["sockets"]
    again = Simulator(opened(path)).view()["sockets"]
    for before, after in zip(shown, again, strict=True):
        same = ("register_wh", "energy_wh", "meter_serial", "contactor_cycles", "locked")
        assert [dict(after)[key] for key in same] == [dict(before)[key] for key in same]
    charged, charging_on = shown[0]["vehicle"], again[0]["vehicle"]
    assert charged is not None
    assert charging_on is not None
    assert charging_on["soc"] == charged["soc"] > 0.4
    assert again[1]["vehicle"] is None
    assert again[0]["current_a"] == [0, 0, 0]
    assert not again[0]["contactor_closed"]


@pytest.mark.parametrize("name", list(LIBRARY))
@virtual_time
async def test_every_car_is_restored(path: Path, name: str) -> None:
    world = World(2)
    WorldFile(path, world).open()
    await Simulator(world).plug(2, {"vehicle": name})
    vehicle = opened(path).sockets[2].vehicle
    assert vehicle is not None
    assert vehicle.model == LIBRARY[name]
    assert vehicle.asleep is LIBRARY[name].wake_up


@virtual_time
async def test_a_sleeping_car_that_was_woken_is_awake(path: Path) -> None:
    bench = Bench()
    WorldFile(path, bench.world).open()
    await bench.plug(wake_up=True)
    assert bench.socket.vehicle is not None
    bench.socket.vehicle.asleep = False
    bench.socket.settle()
    again = opened(path).sockets[1].vehicle
    assert again is not None
    assert not again.asleep


@pytest.mark.parametrize("cause", [name for name in CATALOGUE if name != "brown-out"])
@virtual_time
async def test_every_cause_is_restored_with_its_value(path: Path, cause: str) -> None:
    bench = await charging(path)
    await bench.cause(cause)
    again = opened(path)
    assert Simulator(again).faults() == bench.simulator.faults()
    assert again.sockets[1].defects == bench.socket.defects
    await bench.cause(cause, active=False)
    assert not any(row["active"] for row in Simulator(opened(path)).faults())


def test_every_defect_is_stored() -> None:
    """A new kind of defect must be stored too."""
    known = {"pilot_shorted", "pilot_open"} | {field.name for field in fields(Defects)} - {"wire"}
    assert set(stored_world.StoredDefects.model_fields) == known


@virtual_time
async def test_values_and_other_faults_are_restored(path: Path) -> None:
    bench = await charging(path)
    await bench.cause_with("car-pulses", {"high_a": 29, "low_s": 2})
    await bench.cause_with("meter-factor", 3)
    await bench.cause_with("phase-loss", 2)
    await bench.cause("other:ResetFailure")
    again = opened(path).sockets[1].defects
    assert again == bench.socket.defects
    assert again.lost_phases == {1}
    assert again.other == {"ResetFailure"}


@pytest.mark.parametrize(("serial", "shown_wh"), [("OTHER", 777), ("SIM1", 42)])
@virtual_time
async def test_a_meter_fitted_before_the_world_is_read_counts_as_exchanged(
    path: Path, serial: str, shown_wh: int
) -> None:
    world = World(2)
    world.sockets[1].meter_serial = "SIM1"
    world.sockets[1].register.show(42, world.loop.time())
    WorldFile(path, world).open()
    await Simulator(world).plug(1, {})
    again = World(2)
    again.sockets[1].meter_serial = serial
    again.sockets[1].register.show(777, again.loop.time())
    WorldFile(path, again).open()
    socket = again.sockets[1]
    assert (socket.meter_serial, socket.register_wh) == (serial, shown_wh)
    assert socket.vehicle is not None


@virtual_time
async def test_links_site_inputs_reader_and_temperature_are_restored(path: Path) -> None:
    bench = Bench()
    WorldFile(path, bench.world).open()
    await bench.simulator.set_link("backend", up=False, mode="blackhole")
    await bench.simulator.set_site({"building_a": [5, 0, -1], "voltage_v": 225, "pv_w": 300})
    await bench.simulator.set_input(2, active=True)
    await bench.simulator.set_temperature(51, 2)
    await bench.cause("rfid-reader")
    await bench.cause("clock-lost")
    again = opened(path)
    assert stored_world.street(again) == stored_world.street(bench.world)
    view = Simulator(again).view()
    assert view["links"]["backend"] == {"up": False, "mode": "blackhole"}
    assert view["site"]["grid_a"] == bench.simulator.view()["site"]["grid_a"]
    assert (view["inputs"]["2"], view["reader_alive"], again.clock_battery) == (True, False, False)
    assert again.sockets[2].temperature_c == 51


@virtual_time
async def test_starting_the_program_switches_the_mains_on(path: Path) -> None:
    bench = await charging(path)
    bench.world.cut_power()
    assert opened(path).power_on


@virtual_time
async def test_with_another_number_of_sockets_what_fits_is_restored(path: Path) -> None:
    bench = await charging(path)
    world = World(1, random.Random(7))
    assert WorldFile(path, world).open() == ()
    assert world.sockets[1].meter_serial == bench.socket.meter_serial
    wider = World(3, random.Random(7))
    assert WorldFile(path, wider).open() == ()
    assert wider.sockets[3].vehicle is None


# What is never lost of a register ----------------------------------------------------------------


@virtual_time
async def test_after_a_kill_no_register_is_below_what_was_read(path: Path) -> None:
    """The file is read at every moment, as after a kill."""
    bench = await charging(path)
    rng = random.Random(4)
    for number in range(60):
        bench.forget()
        await asyncio.sleep(rng.uniform(0.01, 90))
        match number % 4:
            case 0:
                read_wh = [(await bench.meter.read()).register_wh]
            case 1:
                read_wh = [bench.view()["register_wh"]]
            case 2:
                bench.offer(rng.choice([6.0, 10.0, 16.0]))
                await asyncio.sleep(3)
                read_wh = [r.register_wh for r in bench.readings if isinstance(r, MeterReading)]
            case _:
                read_wh = [(await bench.meter.read()).register_wh]
                await bench.cause_with("meter-factor", rng.choice([1, 2, 3.3]))
        back_wh = opened(path).sockets[1].register_wh
        assert max(read_wh, default=0) <= back_wh <= bench.socket.register_wh


@virtual_time
async def test_a_register_that_stepped_back_is_restored_so(path: Path) -> None:
    bench = await charging(path)
    await bench.cause_with("meter-step", -700)
    assert opened(path).sockets[1].register_wh == bench.socket.register_wh


@virtual_time
async def test_readings_within_one_wh_are_not_written_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await charging(path)
    written: list[int] = []
    monkeypatch.setattr("os.pwrite", lambda *_: written.append(1))
    for _ in range(1000):
        await bench.meter.read()
        bench.view()
        await asyncio.sleep(0.001)
    # 11,040 W are three Wh in a second.
    assert len(written) <= 2 * 4


@virtual_time
async def test_while_idle_nothing_is_written(path: Path) -> None:
    bench = Bench()
    file = WorldFile(path, bench.world)
    file.open()
    await bench.start()
    await bench.plug(wants_charge=False)
    await asyncio.sleep(5)
    before = state(path)
    for _ in range(100):
        await bench.meter.read()
        bench.view()
        bench.socket.led = "idle"
        bench.world.touch()
        await asyncio.sleep(60)
    assert state(path) == before


@virtual_time
async def test_the_file_does_not_grow_while_energy_flows(path: Path) -> None:
    bench = await charging(path)
    size = state(path)[2]
    for _ in range(12):
        await asyncio.sleep(3600)
        await bench.meter.read()
        assert state(path)[2] == size
        kept(path)


# What cannot keep a station from starting -------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x00" * 4096, "damaged"),
        (b'{"format": "borne-world", "version": 1', "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[]", "not a simulated world"),
        (b'{"format": "borne-settings", "version": 1}', "not a simulated world"),
        (b'{"format": "borne-world", "version": 2}', "newer version"),
        (b'{"format": "borne-world", "version": "1"}', "damaged"),
        (b'{"format": "borne-world", "version": 0}', "damaged"),
        (b'{"format": "borne-world", "version": 1}', "damaged"),
        (b'{"format": "borne-world", "version": 1, "counters": {}, "street": {}}', "damaged"),
        (b" " * 5_000_000, "too long"),
    ],
)
@virtual_time
async def test_an_unusable_file_is_put_aside_and_reported(
    path: Path, content: bytes, reason: str
) -> None:
    write(path, content)
    world = World(2, random.Random(5))
    serial = world.sockets[1].meter_serial
    (notice,) = WorldFile(path, world).open()
    assert reason in notice
    assert "world.json.unread" in notice
    assert path.with_name("world.json.unread").read_bytes() == content
    assert opened(path).sockets[1].meter_serial == serial


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("counters", "1", "counted_ws"), -1),
        (("counters", "1", "counted_ws"), None),
        (("counters", "1", "soc"), 2),
        (("street", "sockets", "1", "meter_serial"), 7),
        (("street", "sockets", "1", "vehicle"), {"wheels": 4}),
        (("street", "sockets", "1", "defects", "lost_phases"), [4]),
        (("street", "sockets", "1", "temperature_c"), "hot"),
        (("street", "links", "backend", "mode"), "slow"),
        (("street", "site", "voltage_v"), [1, 2]),
        (("street", "inputs"), [True]),
    ],
)
@virtual_time
async def test_an_impossible_value_makes_a_new_world(
    path: Path, where: tuple[str, ...], value: object
) -> None:
    await charging(path)
    content = kept(path)
    at = content
    for key in where[:-1]:
        at = at[key]
    at[where[-1]] = value
    write(path, json.dumps(content))
    (notice,) = WorldFile(path, World(2)).open()
    assert "damaged" in notice


@virtual_time
async def test_every_truncated_file_is_handled(path: Path) -> None:
    await charging(path)
    content = json.dumps(kept(path))
    for length in range(0, len(content) - 2, 97):
        write(path, content[:length])
        assert WorldFile(path, World(2)).open()


@virtual_time
async def test_a_fresh_world_is_new(path: Path) -> None:
    bench = await charging(path)
    world = World(2, random.Random(5))
    assert WorldFile(path, world).open(fresh=True) == ()
    assert world.sockets[1].vehicle is None
    assert world.sockets[1].meter_serial != bench.socket.meter_serial
    assert opened(path).sockets[1].meter_serial == world.sockets[1].meter_serial


@virtual_time
async def test_a_world_that_cannot_be_stored_goes_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(2)
    (notice,) = WorldFile(path / "in no folder", world).open()
    assert "cannot be stored" in notice
    world.sockets[1].plug(Vehicle())
    world.energy_read.emit(None)
    assert not caplog.records


@virtual_time
async def test_a_file_edited_by_hand_is_read(path: Path) -> None:
    await charging(path)
    content = kept(path)
    content["street"]["sockets"]["1"]["meter_serial"] = "OTHER"
    content["counters"]["1"] |= {"shown_from_wh": 42, "counted_ws": 0.0}
    content["remark"] = "a newer program of the same form may write more"
    write(path, json.dumps(content))
    socket = opened(path).sockets[1]
    assert (socket.meter_serial, socket.register_wh) == ("OTHER", 42)
