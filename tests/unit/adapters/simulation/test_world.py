"""The world outlives stations."""

import asyncio
import random

import pytest

from borne.adapters.simulation.hardware import Equipment, simulated_hardware
from borne.adapters.simulation.vehicle import Vehicle
from borne.adapters.simulation.world import World
from borne.application.ports.hardware import CardRead
from borne.domain.station.board import BoardReport, LockPosition, PilotNominal, PilotReport
from borne.domain.station.reading import MeterReading
from tests.support.bench import Bench
from tests.support.virtual_time import run_virtual, virtual_time


@virtual_time
async def test_power_cut_mid_charge_keeps_register_and_vehicle() -> None:
    bench = await Bench().charging(16)
    await asyncio.sleep(1800)
    before = await bench.meter.read()
    soc = bench.soc
    bench.world.cut_power()
    await asyncio.sleep(600)
    assert bench.socket.current_a.total == 0
    bench.world.restore_power()
    bench.forget()
    await bench.start()
    after = await bench.meter.read()
    flowed_wh = after.register_wh - before.register_wh
    assert flowed_wh in (0, 1)  # what flows until the contactor has dropped
    assert bench.soc == pytest.approx(soc, abs=1e-5)
    assert bench.when_pilot(bench.reports_of(PilotReport)[0].state) == 0.0  # type: ignore[union-attr]  # reports_of() filters by type


@virtual_time
async def test_welded_contactor_goes_on_counting_without_power() -> None:
    bench = await Bench().charging(16, ignores_stop=True)
    await bench.cause("contactor-welded")
    before_wh = bench.socket.register_wh
    bench.world.cut_power()
    await asyncio.sleep(3600)
    assert bench.socket.register_wh - before_wh == 11040


@pytest.mark.parametrize(
    ("opens", "position"), [(True, LockPosition.UNLOCKED), (False, LockPosition.LOCKED)]
)
@virtual_time
async def test_lock_without_power(opens: bool, position: LockPosition) -> None:
    bench = await Bench().charging(16)
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    bench.socket.opens_lock_without_power = opens
    bench.world.cut_power()
    assert bench.socket.lock.position is position


@pytest.mark.parametrize("end", ["power cut", "next station"])
@virtual_time
async def test_hardware_of_an_earlier_power_up_does_nothing(end: str) -> None:
    bench = Bench()
    hardware = simulated_hardware(bench.world)
    await bench.start()
    cards: list[CardRead] = []
    levels: list[tuple[int, bool]] = []
    links: list[bool] = []
    for reader in hardware.readers:
        reader.subscribe(cards.append)
        reader.subscribe_link(links.append)
    assert hardware.inputs is not None
    hardware.inputs.subscribe(lambda number, active: levels.append((number, active)))
    if end == "power cut":
        bench.world.cut_power()
        bench.world.restore_power()
    else:
        simulated_hardware(bench.world)
    bench.forget()
    await bench.simulator.present_card(uid="04567DAA5F3580")
    await bench.simulator.set_input(1, active=True)
    await bench.cause("rfid-reader")
    await bench.cause("phase-loss")
    await asyncio.sleep(1)
    assert (cards, levels, links, bench.readings, bench.reports) == ([], [], [], [], [])


@virtual_time
async def test_unplugged_by_force_while_charging() -> None:
    bench = await Bench().charging(16)
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    await bench.simulator.unplug(1, force=True)
    assert bench.socket.current_a.total == 0
    assert bench.socket.lock.position is LockPosition.UNLOCKED
    await bench.plug(vehicle="city")


@virtual_time
async def test_hardware_of_a_world_with_three_sockets() -> None:
    world = World(3)
    hardware = simulated_hardware(world, Equipment(metered=False))
    assert [evse.connector for evse in hardware.evses] == [1, 2, 3]
    assert [evse.meter for evse in hardware.evses] == [None] * 3
    assert len(hardware.readers) == 4


@virtual_time
async def test_indicator_keeps_the_pattern_for_the_page() -> None:
    bench = await Bench().start()
    indicator = simulated_hardware(bench.world).indicator
    indicator.show(1, "charging")
    indicator.show(9, "charging")
    assert bench.view()["led"] == "charging"
    bench.world.cut_power()
    indicator.show(1, "charging")
    assert bench.view()["led"] == "off"


def run_with(seed: int) -> list[tuple[float, BoardReport]]:
    """A short life of a socket."""

    async def live() -> list[tuple[float, BoardReport]]:
        bench = await Bench(seed).charging(16)
        bench.board.set_lock(True)
        await asyncio.sleep(1)
        bench.board.set_pilot(PilotNominal(9))
        await bench.cause("residual-current", dc_ma=22)
        await asyncio.sleep(30)
        return bench.reports

    return run_virtual(live())


def test_the_same_seed_gives_the_same_reports() -> None:
    assert run_with(7) == run_with(7)
    assert run_with(7) != run_with(8)


@virtual_time
async def test_an_idle_world_has_no_timers() -> None:
    """The simulation plans events, no ticks."""
    world = World(2, random.Random(1))
    world.sockets[1].plug(Vehicle())
    await asyncio.sleep(10)
    waiting = getattr(world.loop, "_scheduled")  # noqa: B009 - asyncio does not tell its timers
    assert waiting == []


@virtual_time
async def test_readers_report_their_cards_while_they_work() -> None:
    bench = await Bench().start()
    shared, first, second = simulated_hardware(bench.world).readers
    seen: list[tuple[str, str]] = []
    links: list[bool] = []
    for name, reader in (("shared", shared), ("first", first), ("second", second)):
        reader.subscribe(lambda card, name=name: seen.append((name, card.uid)))  # type: ignore[misc]  # the default binds the name
    shared.subscribe_link(links.append)
    await bench.simulator.present_card(uid="04567daa5f3580")
    await bench.simulator.present_card(uid="DEADBEEF", connector=2)
    await bench.cause("rfid-reader")
    await bench.simulator.present_card(uid="DEADBEEF")
    await bench.cause("rfid-reader", active=False)
    assert seen == [("shared", "04567DAA5F3580"), ("second", "DEADBEEF")]
    assert links == [False, True]


@virtual_time
async def test_a_broken_reader_reports_it_at_once() -> None:
    bench = Bench()
    await bench.cause("rfid-reader")
    links: list[bool] = []
    simulated_hardware(bench.world).readers[0].subscribe_link(links.append)
    await asyncio.sleep(0)
    assert links == [False]


@virtual_time
async def test_a_reading_is_current_between_events() -> None:
    bench = await Bench().charging(16)
    first: MeterReading = await bench.meter.read()
    await asyncio.sleep(3.6)
    assert (await bench.meter.read()).register_wh - first.register_wh == pytest.approx(11, abs=1)
