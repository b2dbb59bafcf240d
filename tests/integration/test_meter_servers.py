"""Simulated energy meters as real devices: read by another Modbus client over real sockets and
pseudo-terminals, through power cuts, faults and restarts of the program."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from borne.adapters.simulation import modbus_meter
from borne.adapters.simulation.meter_setup import MAX_METERS
from borne.adapters.simulation.meter_types import SIMULATED
from borne.adapters.simulation.plant import SimulatedPlant, SimulationOptions
from borne.adapters.simulation.simulator import Simulator
from borne.adapters.simulation.world import World
from borne.adapters.simulation.world_file import WorldFile
from borne.adapters.simulation.world_measurement import world_measurement
from borne.app import Host, HostOptions
from borne.application.ports.simulator import ServedMeterView, SimulatorError
from borne.protocols.meter_profiles import Refresh, load_profile
from tests.support.timeouts import TEST_TIMEOUT_S

SDM = "eastron_sdm630"
NO_ANSWER_S = 0.05
OWN_ADDRESS = "127.0.0.77"
"""No other test takes a port of it while a meter is off."""


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = Simulator(World(2, random.Random(4)))
    await made.set_site({"building_a": [10, 2, 0], "pv_w": 6900, "voltage_v": [230, 231, 229]})
    yield made
    await made.meters.close()


def meter(simulator: Simulator, name: str = "grid") -> ServedMeterView:
    return next(each for each in simulator.view()["meters"] if each["id"] == name)


async def client_of(
    view: ServedMeterView, timeout_s: float = TEST_TIMEOUT_S
) -> AsyncModbusTcpClient:
    framer = FramerType.RTU if view["framing"] == "rtu" else FramerType.SOCKET
    client = AsyncModbusTcpClient(
        view["host"], port=view["port"], framer=framer, timeout=timeout_s, retries=0
    )
    assert await client.connect()
    return client


async def no_answer(view: ServedMeterView, unit: int = 1) -> None:
    """Ask with little patience, as there will be no answer."""
    client = await client_of(view, NO_ANSWER_S)
    with pytest.raises(ModbusIOException):
        await client.read_input_registers(0, count=2, device_id=unit)
    client.close()


async def floats(client: AsyncModbusTcpClient | AsyncModbusSerialClient, at: int) -> list[float]:
    """Three values of an SDM630, which has them in input registers."""
    answer = await client.read_input_registers(at, count=6, device_id=1)
    assert not answer.isError(), answer
    return list(struct.unpack(">fff", struct.pack(">6H", *answer.registers)))


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_another_client_reads_the_world(simulator: Simulator, framing: str) -> None:
    await simulator.set_meter("grid", {"type": SDM, "framing": framing})
    client = await client_of(meter(simulator))
    site = world_measurement(simulator.world, "site")
    assert await floats(client, 0) == pytest.approx(site.voltage_v)
    assert await floats(client, 12) == pytest.approx(site.power_w, abs=0.01)
    assert min(await floats(client, 12)) < 0
    await simulator.set_site({"building_a": [20, 20, 20]})
    assert await floats(client, 12) == pytest.approx(
        world_measurement(simulator.world, "site").power_w, abs=0.01
    )
    shown = meter(simulator)
    assert (shown["requests"], shown["last_client"]) == (4, "127.0.0.1")
    assert shown["address"] == f"127.0.0.1:{shown['port']}"
    client.close()


async def test_a_serial_line_is_a_pseudo_terminal(simulator: Simulator) -> None:
    await simulator.set_meter("line", {"type": "abb_b23", "source": "building", "serial": True})
    view = meter(simulator, "line")
    client = AsyncModbusSerialClient(view["address"], timeout=TEST_TIMEOUT_S, retries=0)
    assert await client.connect()
    answer = await client.read_holding_registers(0x5B00, count=6, device_id=1)
    volts = struct.unpack(">III", struct.pack(">6H", *answer.registers))
    assert volts == (2300, 2310, 2290)
    client.close()


@pytest.mark.parametrize(
    "slug", [s for s in SIMULATED if s not in {"sunspec_meter", "sma_speedwire"}]
)
async def test_every_type_answers_every_register_of_its_map(
    simulator: Simulator, slug: str
) -> None:
    profile = load_profile(slug)
    await simulator.set_meter("grid", {"type": SIMULATED[slug]})
    view = meter(simulator)
    assert view["unit"] == profile.unit
    client = await client_of(view)
    words = {}
    for block in profile.blocks(Refresh.ALL):
        read = client.read_input_registers if block.function == 4 else client.read_holding_registers
        answer = await read(block.address, count=block.count, device_id=profile.unit)
        assert not answer.isError(), (block, answer)
        for place, word in enumerate(answer.registers):
            words[block.function, block.address + place] = word
    found = profile.measurement(words, 0.0)
    site = world_measurement(simulator.world, "site")
    assert found.import_wh is None or found.import_wh == pytest.approx(site.import_wh, abs=1000)
    if profile.capabilities.has_phase_power and profile.capabilities.has_power:
        assert found.power_w == pytest.approx(site.power_w, abs=20)
    client.close()


async def exception_code(client: AsyncModbusTcpClient, function: int, at: int, count: int) -> int:
    read = client.read_input_registers if function == 4 else client.read_holding_registers
    answer = await read(at, count=count, device_id=1)
    assert answer.isError()
    return int(answer.exception_code)


async def test_it_is_as_strict_as_the_real_one(simulator: Simulator) -> None:
    profile = load_profile("tq_em300")
    await simulator.set_meter("grid", {"type": "tq_em300"})
    client = await client_of(meter(simulator))
    assert await exception_code(client, 4, 0, 2) == 1
    assert await exception_code(client, 3, 28, 2) == 2, "a hole"
    assert await exception_code(client, 3, 9000, 2) == 2
    if profile.max_words < 125:
        assert await exception_code(client, 3, 0, profile.max_words + 1) == 3
    written = await client.write_register(0, 1, device_id=1)
    assert written.exception_code == 1
    client.close()


async def test_it_answers_for_its_unit_alone(simulator: Simulator) -> None:
    await simulator.set_meter("grid", {"type": SDM, "unit": 17})
    client = await client_of(meter(simulator))
    for unit in (17, 0, 255):
        assert not (await client.read_input_registers(0, count=2, device_id=unit)).isError()
    client.close()
    await no_answer(meter(simulator), 18)


async def test_a_power_cut_of_the_station_and_cut_links_leave_it_on(simulator: Simulator) -> None:
    await simulator.set_meter("grid", {"type": SDM})
    client = await client_of(meter(simulator))
    for link in ("meter", "external-meter"):
        await simulator.set_link(link, up=False, mode="blackhole")
    simulator.world.cut_power()
    assert (await floats(client, 0))[0] == 230
    client.close()


@pytest.mark.parametrize("fault", ["silent", "wrong-unit", "garbage"])
@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_a_fault_without_an_answer(simulator: Simulator, fault: str, framing: str) -> None:
    await simulator.set_meter("grid", {"type": SDM, "framing": framing})
    view = meter(simulator)
    client = await client_of(view)
    await simulator.set_meter("grid", {"fault": fault})
    await no_answer(view)
    await simulator.set_meter("grid", {"fault": None})
    assert (await floats(client, 0))[0] == 230, "on the connection of before"
    client.close()


async def test_a_meter_that_refuses_or_stands_still(simulator: Simulator) -> None:
    await simulator.set_meter("grid", {"type": SDM})
    client = await client_of(meter(simulator))
    await simulator.set_meter("grid", {"fault": "exception"})
    assert await exception_code(client, 4, 0, 2) == 4
    before = world_measurement(simulator.world, "site").power_w
    await simulator.set_meter("grid", {"fault": "frozen"})
    await simulator.set_site({"building_a": 50})
    assert await floats(client, 12) == pytest.approx(before, abs=0.01)
    assert meter(simulator)["values"] is not None
    await simulator.set_meter("grid", {"fault": None})
    assert await floats(client, 12) != pytest.approx(before, abs=0.01)
    client.close()


async def test_a_slow_meter_answers_at_last(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modbus_meter, "SLOW_S", 0.02)
    await simulator.set_meter("grid", {"type": SDM, "fault": "slow"})
    client = await client_of(meter(simulator))
    began_s = simulator.world.loop.time()
    assert (await floats(client, 0))[0] == 230
    assert simulator.world.loop.time() - began_s >= 0.02
    client.close()


async def test_a_port_in_use_is_refused_and_the_meter_before_goes_on(simulator: Simulator) -> None:
    await simulator.set_meter("grid", {"type": SDM})
    port = meter(simulator)["port"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"{taken}.*another program uses it"):
            await simulator.set_meter("grid", {"port": taken})
        with pytest.raises(SimulatorError, match="another program"):
            await simulator.set_meter("second", {"type": SDM, "port": taken})
    assert [each["port"] for each in simulator.view()["meters"]] == [port]
    client = await client_of(meter(simulator))
    assert (await floats(client, 0))[0] == 230
    client.close()


async def test_it_is_changed_and_removed(simulator: Simulator) -> None:
    added = await simulator.add_meter({"type": SDM})
    assert added.meter == "meter-1"
    assert (await simulator.add_meter({"type": SDM})).meter == "meter-2"
    await simulator.set_meter("meter-1", {"type": "abb_b23", "source": "socket-2"})
    view = meter(simulator, "meter-1")
    assert (view["type"], view["source"], view["state"]) == ("abb_b23", "socket-2", "serving")
    client = await client_of(view)
    await simulator.remove_meter("meter-1")
    async with asyncio.timeout(TEST_TIMEOUT_S):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", view["port"])
    client.close()
    with pytest.raises(SimulatorError, match="no meter"):
        await simulator.remove_meter("meter-1")
    assert [each["id"] for each in simulator.view()["meters"]] == ["meter-2"]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({}, "invalid", "type"),
        ({"type": "Modbus Easton SDM630 (RTU)"}, "invalid", "Eastron SDM630"),
        ({"type": "user_defined"}, "invalid", "user_defined"),
        ({"type": SDM, "source": "socket-3"}, "invalid", "site, building, socket-1, socket-2"),
        ({"type": SDM, "port": 70_000}, "invalid", "port"),
        ({"type": SDM, "unit": 248}, "invalid", "unit"),
        ({"type": SDM, "host": "example.org"}, "invalid", "host"),
        ({"type": SDM, "host": "192.0.2.77"}, "conflict", "does not have that address"),
        ({"type": SDM, "fault": "fire"}, "invalid", "fault"),
        ({"type": SDM, "colour": "red"}, "invalid", "colour"),
    ],
)
async def test_what_cannot_be_is_refused(
    simulator: Simulator, change: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(SimulatorError, match=text) as refused:
        await simulator.set_meter("grid", change)
    assert refused.value.code == code
    assert simulator.view()["meters"] == []


@pytest.mark.parametrize(
    ("host", "shown", "reached_at"),
    [
        ("0.0.0.0", "0.0.0.0:", "127.0.0.1"),
        ("::1", "[::1]:", "::1"),
        ("localhost", "127.0.0.1:", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2:", "127.0.0.2"),
    ],
)
async def test_it_listens_where_it_is_asked_to(
    simulator: Simulator, host: str, shown: str, reached_at: str
) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    await simulator.set_meter("grid", {"type": SDM, "host": host})
    view = meter(simulator)
    assert view["address"] == f"{shown}{view['port']}"
    client = AsyncModbusTcpClient(reached_at, port=view["port"], timeout=TEST_TIMEOUT_S, retries=0)
    assert await client.connect()
    assert (await floats(client, 0))[0] == 230
    client.close()


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def test_a_speedwire_meter_sends_to_its_group(simulator: Simulator) -> None:
    await simulator.set_meter("sma", {"type": "SMA Speedwire (multicast)", "source": "building"})
    view = meter(simulator, "sma")
    assert (view["state"], view["address"]) == ("serving", "239.12.255.254:9522")
    assert view["values"] is not None
    with pytest.raises(SimulatorError, match="interface"):
        await simulator.set_meter("sma", {"host": "192.0.2.7"})
    assert meter(simulator, "sma")["host"] == "127.0.0.1"


async def test_names_and_number_are_bounded(simulator: Simulator) -> None:
    for name in ("", "a b", "../x", "-", "x" * 41):
        with pytest.raises(SimulatorError, match="name"):
            await simulator.set_meter(name, {"type": SDM})
    for _ in range(MAX_METERS):
        await simulator.add_meter({"type": SDM})
    with pytest.raises(SimulatorError, match="no more"):
        await simulator.add_meter({"type": SDM})


# Restarts -----------------------------------------------------------------------------------------


async def plant_on(folder: Path) -> SimulatedPlant:
    options = SimulationOptions(folder, file=folder / "world.json")
    plant = SimulatedPlant(World(2, random.Random(8)), options)
    plant.open()
    return plant


async def until_started(plant: SimulatedPlant) -> list[ServedMeterView]:
    await plant.simulator.meters.restored()
    return list(plant.simulator.view()["meters"])


def _without(keys: set[str], view: ServedMeterView) -> dict[str, object]:
    return {key: value for key, value in view.items() if key not in keys}


async def test_meters_come_back_on_their_ports(tmp_path: Path) -> None:
    plant = await plant_on(tmp_path)
    setup = {"type": SDM, "source": "building", "unit": 5, "host": OWN_ADDRESS}
    await plant.simulator.add_meter(setup)
    await plant.simulator.add_meter({"type": "abb_b23", "serial": True, "fault": "silent"})
    before = plant.simulator.view()["meters"]
    await plant.close()
    plant = await plant_on(tmp_path)
    after = await until_started(plant)
    changed = {"address", "last_client", "requests", "values"}
    assert [_without(changed, m) for m in after] == [_without(changed, m) for m in before]
    await plant.close()


async def test_a_port_taken_meanwhile_is_shown_and_does_not_stop_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plant = await plant_on(tmp_path)
    await plant.simulator.add_meter({"type": SDM, "host": OWN_ADDRESS})
    await plant.simulator.add_meter({"type": SDM, "host": OWN_ADDRESS})
    port = plant.simulator.view()["meters"][0]["port"]
    await plant.close()
    with socket.create_server((OWN_ADDRESS, port)):
        plant = await plant_on(tmp_path)
        first, second = await until_started(plant)
        assert (first["state"], first["address"], first["values"]) == ("failed", "", None)
        assert "another program uses it" in first["note"]
        assert second["state"] == "serving"
        assert str(port) in caplog.text
    await plant.simulator.set_meter(first["id"], {"port": port})
    assert plant.simulator.view()["meters"][0]["state"] == "serving"
    await plant.close()


async def test_a_type_of_a_newer_version_and_a_missing_socket_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    world = World(3)
    file = WorldFile(path, world)
    file.open()
    simulator = Simulator(world)
    await simulator.add_meter({"type": SDM, "source": "socket-3"})
    await simulator.add_meter({"type": SDM})
    await simulator.meters.close()
    file.close()
    head, found, tail = path.read_text().rpartition(f'"{SDM}"')
    assert found
    path.write_text(f'{head}"tomorrow"{tail}')
    plant = await plant_on(tmp_path)
    first, second = await until_started(plant)
    assert "nothing to measure at socket-3" in first["note"]
    assert "no meter type tomorrow" in second["note"]
    await plant.close()


async def test_a_host_leaves_its_meters_on_without_power(tmp_path: Path) -> None:
    options = HostOptions(
        tmp_path, live=False, control_socket=False, world_file=tmp_path / "world.json"
    )
    host = Host(options)
    await host.start()
    assert host.simulator is not None
    await host.simulator.set_meter("grid", {"type": SDM})
    view = host.simulator.view()["meters"][0]
    client = await client_of(view)
    await host.cut()
    assert (await floats(client, 0))[0] == 230
    await host.restore()
    assert (await floats(client, 0))[0] == 230
    client.close()
    await host.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", view["port"])
    assert '"grid"' in (tmp_path / "world.json").read_text()
