"""Rows in, offers out: the public methods of the limit service (decisions 0009, 0180)."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

import pytest

from borne.application.limits.limit_service import STATION
from borne.application.limits.limit_settings import LIMIT_KEYS
from borne.domain.limits import sources
from borne.domain.limits.cause import LimitCause
from borne.domain.limits.rows import LimitRow
from borne.domain.limits.sources import SOURCES, LimitKind, LimitScope, Source
from borne.domain.load_management import group as load_group
from borne.domain.settings.choices import PhaseRotation, PhasesConnected
from borne.domain.settings.entry import Value
from borne.domain.station.board import NO_PLUG, BoardCapabilities, Plug, PlugKind, PlugReport
from borne.foundation.units import PerPhase
from tests.support.virtual_time import virtual_time
from tests.unit.application.limits.limit_doubles import Sockets, turn, where

OBLIGATIONS = [source for source in SOURCES if source.kind is LimitKind.OBLIGATION]
OF_STATION = [source for source in OBLIGATIONS if source.scope is LimitScope.STATION]
OF_CONNECTOR = [source for source in OBLIGATIONS if source.scope is not LimitScope.STATION]


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times of all distributions."""
    found: list[float] = []
    plan = load_group.plan

    def count(state: load_group.GroupState, snapshot: load_group.GroupSnapshot) -> object:
        found.append(snapshot.now_s)
        return plan(state, snapshot)

    monkeypatch.setattr(load_group, "plan", count)
    return found


# What every source does -------------------------------------------------------------------------


@pytest.mark.parametrize("source", OF_CONNECTOR, ids=lambda source: source.name)
def test_a_row_of_a_connector_limits_that_connector_only(source: Source) -> None:
    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets().start()
        sockets.put(source, 10.0)
        assert sockets.amps() == [10.0, 32.0]
        binding = sockets.offer().binding
        assert binding is not None
        assert (binding.source, binding.reason) == (source, "profile")
        assert binding.since == sockets.clock.now()

    scenario()


@pytest.mark.parametrize("source", OF_STATION, ids=lambda source: source.name)
def test_a_row_of_the_station_is_shared_by_all_that_charge(source: Source) -> None:
    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets().start()
        await sockets.charge(1, 2)
        sockets.put(source, 20.0)
        await turn()
        assert sockets.amps() == [10.0, 10.0]
        assert sockets.reason(1, source) == "fair_share"
        assert [row.source for row in sockets.service.shared] == [source]

    scenario()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_row_in_the_wrong_scope_is_refused(source: Source) -> None:
    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets().start()
        wrong = 1 if where(source) == STATION else STATION
        row = LimitRow(source, PerPhase.same(10.0), LimitCause.SETTING, sockets.clock.now())
        with pytest.raises(ValueError, match=source.name):
            sockets.service.put(wrong, row)
        assert sockets.amps() == [32.0, 32.0]

    scenario()


@pytest.mark.parametrize("source", OBLIGATIONS, ids=lambda source: source.name)
def test_a_row_that_expires_is_replaced_by_the_fallback_until_its_owner_withdraws_it(
    source: Source,
) -> None:
    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets(1).start()
        await sockets.charge(1)
        sockets.put(source, 13.0, for_s=60.0, owner="x")
        await asyncio.sleep(59.9)
        assert sockets.amps() == [13.0]
        await asyncio.sleep(0.2)
        assert sockets.amps() == [source.fallback_a]
        sockets.withdraw(source)
        await asyncio.sleep(3600.0)
        assert sockets.amps() == [source.fallback_a]
        sockets.withdraw(source, owner="x")
        await asyncio.sleep(30.0)
        assert sockets.amps() == [32.0]

    scenario()


@virtual_time
async def test_a_fallback_shows_its_cause_and_the_row_before_shows_its_end() -> None:
    sockets = await Sockets().start()
    sockets.put(sources.ENERGY_MANAGER, 13.0, for_s=60.0)
    binding = sockets.offer().binding
    assert binding is not None
    assert binding.until_s == asyncio.get_running_loop().time() + 60.0
    await asyncio.sleep(60.1)
    binding = sockets.offer().binding
    assert binding is not None
    assert (binding.reason, binding.until_s) == ("fallback", None)


@virtual_time
async def test_two_owners_of_a_source_keep_a_row_each() -> None:
    sockets = await Sockets().start()
    sockets.put(sources.ENERGY_MANAGER, 16.0, owner="modbus")
    sockets.put(sources.ENERGY_MANAGER, 10.0, owner="semp")
    sockets.put(sources.ENERGY_MANAGER, 20.0, owner="modbus")
    await turn()
    assert sockets.amps() == [10.0, 32.0]
    sockets.withdraw(sources.ENERGY_MANAGER, owner="semp")
    await turn()
    assert sockets.amps() == [20.0, 32.0]


@virtual_time
async def test_a_recommendation_never_raises_above_an_obligation() -> None:
    surplus = Source(LimitCause.EXTERNAL_LOAD, LimitScope.CONNECTOR, LimitKind.RECOMMENDATION)
    sockets = await Sockets().start(OperatorCurrentLimit=16)
    sockets.put(surplus, 32.0)
    await turn()
    assert sockets.amps() == [16.0, 32.0]
    sockets.put(surplus, 8.0)
    assert sockets.amps() == [8.0, 32.0]


@virtual_time
async def test_a_demand_sets_the_minimum_of_the_distribution() -> None:
    need = Source(LimitCause.MINIMUM, LimitScope.CONNECTOR, LimitKind.DEMAND)
    sockets = await Sockets().start()
    await sockets.charge(1, 2)
    sockets.put(need, 13.0, connector=2)
    await turn()
    assert sockets.amps() == [32.0, 32.0]
    sockets.put(sources.OCPP_STATION, 19.0)
    await turn()
    assert sockets.amps() == [19.0, 0.0]
    assert sockets.reason(2, sources.OCPP_STATION) == "waiting_for_minimum"
    sockets.withdraw(need, connector=2)
    await asyncio.sleep(30.0)
    assert sockets.amps() == [9.5, 9.5]


# When -------------------------------------------------------------------------------------------


@virtual_time
async def test_a_row_below_the_offer_lowers_it_at_once_and_one_above_waits_for_the_cycle() -> None:
    sockets = await Sockets().start()
    sockets.put(sources.OCPP_TX, 10.0)
    assert sockets.amps() == [10.0, 32.0]
    sockets.put(sources.OCPP_TX, 16.0)
    assert sockets.amps() == [10.0, 32.0]
    await turn()
    assert sockets.amps() == [16.0, 32.0]


@virtual_time
async def test_all_changes_of_a_loop_turn_are_one_distribution(plans: list[float]) -> None:
    sockets = await Sockets().start(SingleSupplyLine=True)
    await sockets.charge(1, 2)
    plans.clear()
    sockets.put(sources.OCPP_TX, 10.0)
    sockets.put(sources.OCPP_TX, 8.0, connector=2)
    sockets.put(sources.OCPP_STATION, 20.0)
    sockets.set(OperatorCurrentLimit=9)
    sockets.withdraw(sources.OCPP_STATION)
    await turn()
    assert sockets.amps() == [9.0, 8.0]
    assert len(plans) == 1


@virtual_time
async def test_settings_that_are_no_limits_and_rows_that_repeat_change_nothing(
    plans: list[float],
) -> None:
    sockets = await Sockets().start()
    sockets.put(sources.OCPP_TX, 10.0)
    await turn()
    plans.clear()
    sockets.service.history.clear()
    sockets.set(ConnectorName="Left", ChargePointID="other")
    await asyncio.sleep(10.0)
    assert plans == []
    sockets.put(sources.OCPP_TX, 10.0)
    await turn()
    assert sockets.offers == []


@virtual_time
async def test_many_connectors_are_distributed_in_a_worker() -> None:
    sockets = await Sockets(3, inline_up_to=2).start()
    await sockets.charge(1, 2, 3)
    sockets.put(sources.OCPP_STATION, 30.0)
    assert sockets.amps() == [10.0, 10.0, 10.0]
    assert sockets.reason(1, sources.OCPP_STATION) == "group_limit"
    await asyncio.sleep(10.0)
    assert sockets.amps() == [10.0, 10.0, 10.0]
    assert sockets.reason(1, sources.OCPP_STATION) == "fair_share"


@virtual_time
async def test_rows_put_before_the_start_hold_from_the_first_offer() -> None:
    sockets = Sockets()
    sockets.put(sources.OCPP_TX, 10.0)
    assert sockets.offers == []
    await sockets.start()
    assert sockets.offers == [(1, 10.0), (2, 32.0)]


@virtual_time
async def test_after_the_stop_nothing_is_offered() -> None:
    sockets = await Sockets().start()
    sockets.put(sources.OCPP_TX, 10.0, for_s=5.0)
    sockets.put(sources.OCPP_TX, 16.0, connector=2)
    sockets.service.abort()
    sockets.service.history.clear()
    sockets.put(sources.TEMPERATURE, 6.0)
    sockets.set(OperatorCurrentLimit=6)
    await asyncio.sleep(60.0)
    assert sockets.offers == []


@virtual_time
async def test_the_history_keeps_every_change_with_its_cause() -> None:
    sockets = await Sockets(1).start()
    sockets.put(sources.OCPP_TX, 10.0)
    sockets.put(sources.TEMPERATURE, 10.0)
    sockets.withdraw(sources.OCPP_TX)
    sockets.withdraw(sources.TEMPERATURE)
    await turn()
    changes = [(each.before_a, each.after_a, each.cause) for each in sockets.service.history]
    assert changes == [
        (0.0, 32.0, "board, installation, maximum, operator"),
        (32.0, 10.0, "ocpp_tx"),
        (10.0, 32.0, "board, installation, maximum, operator"),
    ]
    assert sockets.service.changes == len(changes)


def test_when_the_distribution_fails_all_pause_until_it_works_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ArithmeticError("a mistake")

    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets().start()
        with monkeypatch.context() as broken:
            broken.setattr(load_group, "plan", fail)
            sockets.put(sources.OCPP_TX, 20.0)
            await turn()
            assert sockets.amps() == [0.0, 0.0]
            binding = sockets.offer(2).binding
            assert binding is not None
            assert binding.reason == "paused"
        await asyncio.sleep(90.0)
        assert sockets.amps() == [20.0, 32.0]

    with caplog.at_level(logging.ERROR):
        scenario()
    assert "the distribution failed" in caplog.text


# Settings, cable, board -------------------------------------------------------------------------

LINE: dict[str, Value] = {"SingleSupplyLine": True}
SECOND_ON_ONE_PHASE: dict[str, Value] = {"PhasesConnected_2": PhasesConnected.SINGLE}
ON_ONE_PHASE = LINE | SECOND_ON_ONE_PHASE | {"PhasesConnected": PhasesConnected.SINGLE}
ROTATED: dict[str, Value] = {"ConnectorPhaseRotation": PhaseRotation.STR}
OBEYED: dict[str, tuple[dict[str, Value], dict[str, Value], list[float]]] = {
    "MaximumCurrent": ({}, {"MaximumCurrent": 20}, [20.0, 32.0]),
    "InstallationCurrentLimit": ({}, {"InstallationCurrentLimit_2": 13}, [32.0, 13.0]),
    "OperatorCurrentLimit": ({}, {"OperatorCurrentLimit_2": 10}, [32.0, 10.0]),
    "SingleSupplyLine": ({}, LINE, [16.0, 16.0]),
    "SupplyLineCurrentCapacity": (LINE, {"SupplyLineCurrentCapacity": 20}, [10.0, 10.0]),
    "StationCurrentCapacity": (LINE, {"StationCurrentCapacity": 18}, [9.0, 9.0]),
    "DLMMinimumCurrentLimit": (
        LINE | {"SupplyLineCurrentCapacity": 16},
        {"DLMMinimumCurrentLimit": 10},
        [0.0, 16.0],
    ),
    "PhasesConnected": (
        LINE | ROTATED | {"PhasesConnected": PhasesConnected.SINGLE},
        SECOND_ON_ONE_PHASE,
        [32.0, 32.0],
    ),
    "ConnectorPhaseRotation": (ON_ONE_PHASE, ROTATED, [32.0, 32.0]),
    "DLMITNetwork": (ON_ONE_PHASE | ROTATED, {"DLMITNetwork": True}, [16.0, 16.0]),
}


@pytest.mark.parametrize("key", sorted(LIMIT_KEYS))
def test_a_setting_is_obeyed_while_cars_charge(key: str) -> None:
    before, change, after = OBEYED[key]

    @virtual_time
    async def scenario() -> None:
        sockets = await Sockets().start(**before)
        await sockets.charge(1, 2)
        assert sockets.amps() != after
        sockets.set(**change)
        await asyncio.sleep(30.0)
        assert sockets.amps() == after

    scenario()


@virtual_time
async def test_the_cable_limits_while_it_is_plugged_in() -> None:
    sockets = await Sockets(1).start()
    board = sockets.benches[1].board
    board.report(PlugReport(Plug(PlugKind.VALID, 20)))
    assert sockets.amps() == [20.0]
    assert sockets.reason(1, sources.CABLE) == "plug"
    board.report(PlugReport(NO_PLUG))
    await turn()
    assert sockets.amps() == [32.0]


@virtual_time
async def test_the_capabilities_after_the_start_of_the_board_hold() -> None:
    sockets = await Sockets(1).start()
    board = sockets.benches[1].board
    board.capabilities = BoardCapabilities(max_current_a=16)
    board.report(PlugReport(Plug(PlugKind.VALID, 32)))
    assert sockets.amps() == [16.0]
    assert sockets.reason(1, sources.BOARD) == "hardware"


@virtual_time
async def test_the_own_limit_excludes_the_limit_of_the_station() -> None:
    sockets = await Sockets().start(SingleSupplyLine=True, SupplyLineCurrentCapacity=24)
    for source in (sources.OCPP_TX, sources.ENERGY_MANAGER, sources.OCPP_STATION):
        sockets.put(source, 6.0)
    sockets.put(sources.TEMPERATURE, 20.0)
    await turn()
    assert [sockets.service.own_limit_a(number) for number in (1, 2)] == [20.0, 24.0]
    assert sockets.service.own_limit_a(STATION) == 24.0
    assert (await Sockets().start()).service.own_limit_a(STATION) is None
