"""What vehicles draw, and when they stop."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from borne.adapters.simulation.vehicle import LIBRARY, UnknownVehicle, Vehicle, named
from borne.domain.station.board import PilotInterrupt, PilotNominal, PilotOff
from borne.foundation.units import PerPhase
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time


@pytest.mark.parametrize(
    ("vehicle", "offer_a", "drawn_a"),
    [
        ({}, 13, (13, 13, 13)),
        ({}, 32, (16, 16, 16)),
        ({"phases": 1}, 16, (16, 0, 0)),
        ({"phases": 2}, 10, (10, 10, 0)),
        ({"max_a": 32}, 32, (32, 32, 32)),
        ({"max_a": 32, "min_a": 13}, 12, (0, 0, 0)),
        ({"max_a": 32, "min_a": 13}, 13, (13, 13, 13)),
        ({"asymmetry": (1.0, 0.5, 0.25)}, 16, (16, 8, 4)),
        ({"rogue_a": 25}, 6, (25, 25, 25)),
        ({"soc": 1.0}, 16, (0, 0, 0)),
        ({"wants_charge": False}, 16, (0, 0, 0)),
        ({"ventilation": True}, 16, (16, 16, 16)),
        ({"simplified_pilot": True, "phases": 1, "max_a": 10}, 16, (10, 0, 0)),
        ({"diode": False}, 16, (0, 0, 0)),
        ({"wake_up": True}, 16, (0, 0, 0)),
    ],
)
@virtual_time
async def test_current_drawn(
    vehicle: dict[str, Any], offer_a: float, drawn_a: tuple[float, float, float]
) -> None:
    bench = await Bench().charging(offer_a, **vehicle)
    assert bench.socket.current_a == PerPhase(*drawn_a)


@virtual_time
async def test_without_contactor_nothing_flows() -> None:
    bench = await Bench().start()
    await bench.plug()
    bench.board.set_pilot(PilotNominal(16))
    await asyncio.sleep(10)
    assert bench.view()["vehicle"]["state"] == "C"
    assert bench.socket.current_a.total == 0


@virtual_time
async def test_battery_fills_with_what_flows() -> None:
    bench = await Bench().charging(16, battery_kwh=110.4, soc=0.1)
    await asyncio.sleep(3600 - 6 + 1.05)
    assert bench.soc == pytest.approx(0.2, abs=1e-4)


@virtual_time
async def test_current_tapers_above_its_state_of_charge() -> None:
    bench = await Bench().charging(16, battery_kwh=10, soc=0.9, taper=0.9)
    assert bench.socket.current_a == PerPhase(16, 16, 16)
    await asyncio.sleep(300)
    assert bench.soc > 0.95
    assert bench.socket.current_a.l1 == pytest.approx(16 * (1 - int(bench.soc * 100) / 100) / 0.1)


@virtual_time
async def test_full_vehicle_opens_s2() -> None:
    bench = await Bench().charging(16, battery_kwh=1, soc=0.5)
    await asyncio.sleep(3600)
    assert bench.view()["vehicle"]["soc"] == 1.0
    assert bench.view()["vehicle"]["state"] == "B"
    assert bench.socket.current_a.total == 0
    assert not bench.socket.contactor.closed


@virtual_time
async def test_energy_in_the_battery_is_energy_through_the_meter() -> None:
    bench = Bench()
    start_wh = bench.socket.register_wh
    await bench.charging(16, battery_kwh=1, soc=0.5)
    await asyncio.sleep(3600)
    assert bench.socket.register_wh - start_wh == 500


@virtual_time
async def test_paused_vehicle_goes_on_when_offered_again() -> None:
    bench = await Bench().charging(16)
    bench.board.set_pilot(PilotOff())
    await asyncio.sleep(10)
    assert bench.view()["vehicle"]["state"] == "B"
    bench.board.set_pilot(PilotNominal(10))
    await asyncio.sleep(3)
    assert bench.socket.current_a == PerPhase(10, 10, 10)


@virtual_time
async def test_sleepy_vehicle_falls_asleep_again_in_a_pause() -> None:
    bench = await Bench().charging(16, wake_up=True)
    bench.board.set_pilot(PilotInterrupt(4))
    await asyncio.sleep(10)
    assert bench.socket.current_a == PerPhase(16, 16, 16)
    bench.board.set_pilot(PilotOff())
    await asyncio.sleep(10)
    bench.board.set_pilot(PilotNominal(16))
    await asyncio.sleep(60)
    assert bench.view()["vehicle"]["asleep"]
    assert bench.socket.current_a.total == 0


@virtual_time
async def test_a_short_interruption_wakes_no_vehicle() -> None:
    bench = await Bench().charging(16, wake_up=True)
    bench.board.set_pilot(PilotInterrupt(0.5))
    await asyncio.sleep(30)
    assert bench.socket.current_a.total == 0


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"wants_charge": False}, "B"),
        ({"soc": 1.0}, "B"),
        ({"ventilation": True}, "D"),
        ({"max_a": 8}, "C"),
    ],
)
@virtual_time
async def test_changes_by_the_driver_take_effect_at_once(
    change: dict[str, Any], state: str
) -> None:
    bench = await Bench().charging(16)
    await bench.simulator.change_vehicle(1, change)
    assert bench.view()["vehicle"]["state"] == state
    assert bench.socket.current_a.l1 == {"B": 0, "D": 16, "C": 8}[state]


@virtual_time
async def test_lost_phase_is_not_drawn_from() -> None:
    bench = await Bench().charging(16)
    await bench.cause("phase-loss", phase=2)
    assert bench.socket.current_a == PerPhase(16, 0, 16)


@virtual_time
async def test_phase_rotation_shows_at_the_grid() -> None:
    bench = Bench()
    bench.socket.wiring = (1, 2, 0)
    await bench.charging(16, phases=1)
    assert bench.socket.current_a == PerPhase(16, 0, 0)
    assert bench.world.grid_current_a == PerPhase(0, 16, 0)


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_library_is_found_by_key_and_by_title(name: str) -> None:
    assert named(name) is LIBRARY[name]
    assert named(LIBRARY[name].name.upper()) is LIBRARY[name]


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownVehicle, match="family"):
        named("spaceship")


@pytest.mark.parametrize(
    "wrong",
    [
        {"phases": 4},
        {"max_a": -1},
        {"min_a": 20, "max_a": 16},
        {"soc": 1.1},
        {"reaction_s": 5.1},
        {"cable_a": 40},
        {"evccid": "xyz"},
        {"battery_kwh": 0},
        {"battery_kwh": float("inf")},
        {"wheels": 4},
    ],
)
def test_impossible_vehicles_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Vehicle.model_validate(wrong)
