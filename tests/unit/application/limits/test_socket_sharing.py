"""Two sockets that share: who falls, who waits, what is looked at (manual 7.2, 7.3)."""

from __future__ import annotations

import asyncio

from borne.domain.limits import sources
from borne.domain.load_management.socket_memory import SETTLE_S
from borne.domain.settings.choices import PhaseRotation, PhasesConnected
from borne.domain.station.connector_events import FaultRaised, StopAsked
from borne.domain.station.connector_state import Stop
from borne.domain.station.faults import Fault
from borne.domain.station.session import StopReason
from tests.support.virtual_time import virtual_time
from tests.unit.application.limits.limit_doubles import Sockets, turn


async def line(**settings: object) -> Sockets:
    return await Sockets().start(SingleSupplyLine=True, **settings)  # type: ignore[arg-type]  # values of settings


@virtual_time
async def test_without_demand_nothing_is_shared() -> None:
    sockets = await line()
    assert sockets.amps() == [0.0, 0.0]
    assert sockets.reason(1, sources.SUPPLY_LINE) == "no_demand"


@virtual_time
async def test_decreases_come_first_and_increases_wait_for_the_other_car() -> None:
    sockets = await line()
    await sockets.charge(1)
    assert sockets.amps() == [32.0, 0.0]
    sockets.service.history.clear()
    await sockets.charge(2)
    assert sockets.offers == [(1, 16.0), (2, 16.0)]
    fallen, risen = (change.at for change in sockets.service.history)
    assert (risen - fallen).total_seconds() >= SETTLE_S


@virtual_time
async def test_a_waiting_increase_shows_its_cause() -> None:
    sockets = await line()
    await sockets.charge(1, 2)
    sockets.put(sources.OCPP_TX, 6.0)
    await turn()
    assert sockets.amps() == [6.0, 16.0]
    assert sockets.reason(2, sources.SUPPLY_LINE) == "waits_for_others"
    await asyncio.sleep(SETTLE_S - 0.1)
    assert sockets.amps() == [6.0, 16.0]
    await asyncio.sleep(0.2)
    assert sockets.amps() == [6.0, 26.0]


@virtual_time
async def test_the_share_has_the_source_of_the_lowest_row() -> None:
    sockets = await line()
    await sockets.charge(1, 2)
    sockets.put(sources.OCPP_STATION, 32.0, 32.0, 20.0)
    await turn()
    assert sockets.amps() == [10.0, 10.0]
    binding = sockets.offer().binding
    assert binding is not None
    assert (binding.source, binding.reason) == (sources.OCPP_STATION, "fair_share")
    assert sockets.reason(1, sources.SUPPLY_LINE) == "setting"


@virtual_time
async def test_single_phase_cars_on_different_phases_do_not_share() -> None:
    one = {"PhasesConnected": PhasesConnected.SINGLE, "PhasesConnected_2": PhasesConnected.SINGLE}
    sockets = await line(**one)
    await sockets.charge(1, 2)
    assert sockets.amps() == [16.0, 16.0]
    apart = await line(**one, ConnectorPhaseRotation_2=PhaseRotation.STR)
    await apart.charge(1, 2)
    assert apart.amps() == [32.0, 32.0]


@virtual_time
async def test_grid_phase_limits_are_rotated_to_the_socket() -> None:
    one = {"PhasesConnected": PhasesConnected.SINGLE, "PhasesConnected_2": PhasesConnected.SINGLE}
    sockets = await line(**one, ConnectorPhaseRotation_2=PhaseRotation.STR)
    await sockets.charge(1, 2)
    sockets.put(sources.OCPP_STATION, 20.0, 13.0, 7.0)
    await turn()
    assert sockets.amps() == [20.0, 13.0]


@virtual_time
async def test_a_socket_below_the_minimum_waits_for_its_turn() -> None:
    sockets = await line(SupplyLineCurrentCapacity=12)
    await sockets.charge(1, 2)
    assert sockets.amps() == [12.0, 0.0]
    assert sockets.reason(2, sources.SUPPLY_LINE) == "waiting_for_minimum"
    await asyncio.sleep(3600.0)
    assert sorted(sockets.amps()) == [0.0, 12.0]


@virtual_time
async def test_a_stopped_or_faulty_socket_leaves_everything_to_the_other() -> None:
    for event in (StopAsked(Stop(StopReason.LOCAL)), FaultRaised(Fault.OTHER)):
        sockets = await line()
        await sockets.charge(1, 2)
        sockets.benches[1].runner.post(event)
        await asyncio.sleep(30.0)
        assert sockets.amps() == [0.0, 32.0]


@virtual_time
async def test_a_car_that_takes_more_than_its_offer_lowers_the_other() -> None:
    sockets = await line()
    await sockets.charge(1, 2)
    sockets.meters.show(1, 20.0)
    await turn()
    assert sockets.amps() == [16.0, 12.0]
    assert sockets.reason(1, sources.SUPPLY_LINE) == "takes_more"


@virtual_time
async def test_the_meter_is_read_until_the_phases_of_a_car_are_known() -> None:
    sockets = await line(ConnectorPhaseRotation_2=PhaseRotation.STR)
    await sockets.charge(1, 2)
    assert sockets.meters.asked == []
    sockets.meters.show(1, 16.0, 0.0, 0.0)
    sockets.meters.show(2, 16.0, 0.0, 0.0)
    await asyncio.sleep(60.0)
    assert set(sockets.meters.asked) == {1, 2}
    assert sockets.amps() == [32.0, 32.0]
    sockets.meters.asked.clear()
    await asyncio.sleep(60.0)
    assert sockets.meters.asked == []


@virtual_time
async def test_unchanged_values_request_no_distribution() -> None:
    sockets = await line()
    await sockets.charge(1, 2)
    asked: list[bool] = []
    sockets.sharing.changed.subscribe(asked.append)
    sockets.meters.show(1, 16.0)
    assert asked == [False]
    await turn()
    sockets.meters.show(1, 16.0)
    sockets.benches[1].runner.changed.emit(sockets.benches[1].runner)
    sockets.meters.silent.emit((2, True))
    assert asked == [False]
    sockets.meters.silent.emit((1, True))
    assert asked == [False, True]


@virtual_time
async def test_without_a_shared_limit_no_distribution_is_requested() -> None:
    sockets = await Sockets().start()
    asked: list[bool] = []
    sockets.sharing.changed.subscribe(asked.append)
    await sockets.charge(1, 2)
    sockets.meters.show(1, 16.0)
    await asyncio.sleep(60.0)
    assert asked == []
    assert sockets.amps() == [32.0, 32.0]
