"""The simulator port: what it answers, refuses and shows."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from borne.adapters.simulation.faults import CATALOGUE
from borne.application.ports.hardware import CardRead
from borne.application.ports.simulator import SimulatorError
from borne.domain.station.faults import Fault
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(SimulatorError) as caught:
        await call
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("vehicle", "expected"),
    [
        ({}, {"phases": 3, "max_a": 16, "cable_a": 32, "wants_charge": True, "reaction_s": 1}),
        ({"vehicle": "city"}, {"name": "City car", "phases": 1}),
        ({"vehicle": "Fast AC car"}, {"max_a": 32}),
        ({"vehicle": "city", "soc": 0.8}, {"name": "City car", "soc": 0.8}),
        ({"phases": 2, "cable_a": 20}, {"phases": 2, "cable_a": 20}),
    ],
)
@virtual_time
async def test_plug_and_unplug(vehicle: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    bench = Bench()
    await bench.simulator.plug(1, vehicle)
    shown = bench.view()["vehicle"]
    assert {key: shown[key] for key in expected} == expected


@virtual_time
async def test_what_is_physically_impossible_is_a_conflict() -> None:
    bench = await Bench().start()
    simulator = bench.simulator
    assert (await refusal(simulator.unplug(1, force=False)))[0] == "conflict"
    assert (await refusal(simulator.change_vehicle(1, {})))[0] == "conflict"
    await bench.plug()
    assert await refusal(simulator.plug(1, {})) == ("conflict", "Family car is plugged into 1")
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    assert await refusal(simulator.unplug(1, force=False)) == (
        "conflict",
        "the plug in 1 is locked",
    )
    await simulator.unplug(1, force=True)
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    assert (await refusal(simulator.plug(1, {})))[0] == "conflict"
    bench.world.cut_power()
    assert (await refusal(simulator.present_card(uid="DEADBEEF")))[0] == "conflict"


@virtual_time
async def test_what_does_not_exist_is_not_found() -> None:
    simulator = Bench().simulator
    for call in (
        simulator.plug(3, {}),
        simulator.unplug(3, force=True),
        simulator.change_vehicle(3, {}),
        simulator.present_card(uid="DEADBEEF", connector=3),
        simulator.set_fault("residual-current", active=True, connector=3),
        simulator.set_fault("earthquake", active=True, connector=None),
        simulator.set_link("moon", up=False, mode=None),
        simulator.set_input(4, active=True),
        simulator.set_temperature(20, 3),
    ):
        assert (await refusal(call))[0] == "not_found"


@virtual_time
async def test_what_makes_no_sense_is_invalid_in_words() -> None:
    bench = Bench()
    simulator = bench.simulator
    await bench.plug()
    refused = {
        "there is no vehicle 'tank'": simulator.plug(2, {"vehicle": "tank"}),
        "wheels": simulator.plug(2, {"wheels": 4}),
        "soc": simulator.change_vehicle(1, {"soc": 2}),
        "min_a is above max_a": simulator.change_vehicle(1, {"max_a": 1}),
        "uid or an id_token": simulator.present_card(),
        "uid": simulator.present_card(uid="XYZ"),
        "hold_s": simulator.present_card(uid="DEADBEEF", hold_s=-1),
        "OCPP error code": simulator.set_fault("other:Sunburn", active=True, connector=1),
        "dc_ma": simulator.set_fault(
            "residual-current", active=True, connector=1, extent={"dc_ma": -5}
        ),
        "is not a mode": simulator.set_link("backend", up=False, mode="slowly"),
        "building_a": simulator.set_site({"building_a": [1, 2]}),
        "pv_w": simulator.set_site({"pv_w": float("nan")}),
        "999": simulator.set_temperature(999, None),
    }
    for words, call in refused.items():
        code, message = await refusal(call)
        assert code == "invalid"
        assert words in message
    assert bench.simulator.view()["sockets"][1]["vehicle"] is None


@pytest.mark.parametrize(
    ("card", "read"),
    [
        ({"uid": "04567daa5f3580"}, CardRead("04567DAA5F3580")),
        (
            {"uid": "DEADBEEF", "connector": 1, "hold_s": 6, "secure": True},
            CardRead("DEADBEEF", 1, secure=True, held_s=6.0),
        ),
        ({"id_token": "literal"}, CardRead("", id_token="literal")),
    ],
)
@virtual_time
async def test_present_a_card(card: Mapping[str, Any], read: CardRead) -> None:
    bench = Bench()
    seen: list[CardRead] = []
    bench.world.cards.subscribe(seen.append)
    await bench.simulator.present_card(**card)
    assert seen == [read]


@pytest.mark.parametrize("cause", [name for name in CATALOGUE if name != "brown-out"])
@virtual_time
async def test_every_cause_is_shown_while_it_is_set(cause: str) -> None:
    bench = await Bench().charging()

    def shown() -> tuple[bool, Sequence[int]]:
        row = next(row for row in bench.simulator.faults() if row["id"] == cause)
        return row["active"], row["connectors"]

    assert shown() == (False, [])
    await bench.cause(cause)
    active, connectors = shown()
    assert active
    assert 1 in connectors
    await bench.cause(cause, active=False)
    assert shown() == (False, [])


@virtual_time
async def test_a_cause_without_connector_is_set_everywhere() -> None:
    bench = Bench()
    await bench.simulator.set_fault("diode-check", active=True, connector=None)
    row = next(row for row in bench.simulator.faults() if row["id"] == "diode-check")
    assert row["connectors"] == [1, 2]


def test_every_fault_with_a_physical_cause_can_be_provoked() -> None:
    """Damaged data does not belong to the simulated world; ventilation is a car's wish."""
    provoked = {cause.provokes for cause in CATALOGUE.values()}
    assert set(Fault) - provoked == {
        Fault.SETTINGS_DAMAGED,
        Fault.STORAGE_DAMAGED,
        Fault.OTHER,
        Fault.VENTILATION,
    }


@virtual_time
async def test_other_faults_are_listed_with_their_codes() -> None:
    bench = await Bench().start()
    await bench.cause("other")
    await bench.cause("other:ResetFailure")
    row = bench.simulator.faults()[-1]
    assert row["error_codes"] == ["OtherError", "ResetFailure"]
    assert row["connectors"] == [1]
    await bench.cause("other", active=False)
    assert bench.simulator.faults()[-1]["error_codes"] == ["ResetFailure"]


@virtual_time
async def test_links_inputs_and_site_are_shown() -> None:
    bench = Bench()
    await bench.simulator.set_link("backend", up=False, mode="blackhole")
    await bench.simulator.set_input(2, active=True)
    await bench.simulator.set_site({"voltage_v": 225, "building_a": [10, 0, 0]})
    view = bench.simulator.view()
    assert view["links"]["backend"] == {"up": False, "mode": "blackhole"}
    assert view["inputs"] == {"1": False, "2": True, "3": False}
    assert view["site"]["grid_a"] == [10, 0, 0]
    assert view["sockets"][0]["voltage_v"] == [225, 225, 225]


@virtual_time
async def test_the_world_signals_its_changes() -> None:
    bench = await Bench().start()
    changes: list[object] = []
    bench.world.changed.subscribe(changes.append)
    for call in (
        bench.simulator.plug(2, {}),
        bench.simulator.change_vehicle(2, {"soc": 0.5}),
        bench.simulator.set_fault("spd", active=True, connector=None),
        bench.simulator.set_link("usb", up=False, mode=None),
        bench.simulator.set_site({"pv_w": 100}),
        bench.simulator.set_input(1, active=True),
        bench.simulator.set_temperature(30, None),
        bench.simulator.unplug(2, force=False),
    ):
        changes.clear()
        await call
        assert changes


@virtual_time
async def test_page_data_is_json() -> None:
    bench = await Bench().charging()
    assert json.loads(json.dumps(bench.simulator.view()))["power"] == "on"
    library = json.loads(json.dumps(bench.simulator.vehicles()))
    assert {"city", "family", "sleepy"} <= set(library["vehicles"])
    assert {"phases", "soc", "taper", "evccid"} <= set(library["schema"]["properties"])
