"""The runner: events at once and to the end, the journal's answers, keep-alives, power cuts."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from borne.application.charging import connector_runner
from borne.application.charging.connector import Connector, wait_until_idle
from borne.application.ports.hardware import MeterSilent
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.domain.station.board import (
    BoardCapabilities,
    Contact,
    ContactReport,
    DiodeCheck,
    OtherFaultReport,
    PilotNominal,
    PilotOff,
    PilotReport,
    PilotState,
    ResidualCurrentReport,
    SupplyReport,
    TemperatureReport,
)
from borne.domain.station.connector import Transition, step
from borne.domain.station.connector_events import (
    Authorized,
    Event,
    FaultRaised,
    Offered,
    StopAsked,
    Tick,
)
from borne.domain.station.connector_state import ConnectorConfig, ConnectorState, Phase, Stop
from borne.domain.station.faults import Fault
from borne.domain.station.session import StopReason
from tests.support.virtual_time import virtual_time
from tests.unit.application.station_doubles import CARD, RunnerBench

STOP = StopAsked(Stop(StopReason.LOCAL, "A1"))


async def _charging() -> RunnerBench:
    bench = await RunnerBench().start()
    bench.board.plug()
    await asyncio.sleep(1)
    bench.runner.post(Authorized(CARD))
    await asyncio.sleep(1)
    assert bench.runner.state.contactor_closed
    return bench


@virtual_time
async def test_a_session_from_plug_to_end() -> None:
    bench = await _charging()
    assert bench.board.commands == [PilotNominal(16.0), True]
    bench.runner.post(STOP)
    await asyncio.sleep(10)
    assert bench.board.commands[2:] == [PilotOff(), False]
    assert bench.keeper.finished == [("s1", STOP.stop)]
    assert bench.runner.state.session is None
    assert bench.runner.contactor_cycles == 1


@virtual_time
async def test_unplugging_opens_the_contactor_within_the_report() -> None:
    """No await lies between the report and the command to open."""
    bench = await _charging()
    bench.board.report(PilotReport(PilotState.A, pwm=True))
    assert bench.board.commands[-2:] == [False, PilotOff()]


@virtual_time
async def test_no_energy_before_the_start_is_committed() -> None:
    bench = await RunnerBench().start()
    bench.keeper.gate.clear()
    bench.board.plug(PilotState.C)
    await asyncio.sleep(1)
    bench.runner.post(Authorized(CARD))
    await asyncio.sleep(600)
    assert bench.board.commands == []
    bench.keeper.gate.set()
    await asyncio.sleep(1)
    assert True in bench.board.commands


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (StorageFull("no space"), [True]),
        (StorageFailed("broken"), [True]),
        (MeterSilent("never answered"), []),
        (RuntimeError("else"), []),
    ],
)
@virtual_time
async def test_a_start_that_cannot_be_committed_gives_no_energy(
    error: Exception, full: list[bool]
) -> None:
    bench = await RunnerBench().start()
    changes: list[bool] = []
    bench.runner.storage_failed.subscribe(changes.append)
    bench.keeper.begin_error = error
    bench.board.plug()
    await asyncio.sleep(1)
    bench.runner.post(Authorized(CARD))
    await asyncio.sleep(1)
    assert bench.runner.state.session is None
    assert True not in bench.board.commands
    assert changes == full


@pytest.mark.parametrize("error", [StorageFull("no space"), RuntimeError("else")])
@virtual_time
async def test_an_end_is_retried_until_it_is_committed(error: Exception) -> None:
    bench = await _charging()
    changes: list[bool] = []
    bench.runner.storage_failed.subscribe(changes.append)
    bench.keeper.finish_error = error
    bench.runner.post(STOP)
    await asyncio.sleep(60)
    session = bench.runner.state.session
    assert session is not None
    assert session.phase is Phase.CLOSING
    bench.keeper.finish_error = None
    await asyncio.sleep(6)
    assert bench.keeper.finished == [("s1", STOP.stop)]
    assert changes[-1] is False
    assert bench.runner.state.session is None


@virtual_time
async def test_deadlines_are_kept_without_events() -> None:
    bench = await RunnerBench(connection_timeout_s=45.0).start()
    expired: list[object] = []
    bench.runner.expired.subscribe(expired.append)
    bench.runner.post(Authorized(CARD))
    await asyncio.sleep(44.9)
    assert expired == []
    await asyncio.sleep(0.2)
    assert expired == [CARD]


@virtual_time
async def test_arrivals_and_departures_are_signalled_after_the_step() -> None:
    bench = await RunnerBench().start()
    changes: list[tuple[str, bool]] = []
    bench.runner.arrived.subscribe(lambda r: changes.append(("arrived", r.status.connected)))
    bench.runner.left.subscribe(lambda r: changes.append(("left", r.status.connected)))
    bench.board.plug()
    assert changes == []
    await asyncio.sleep(0.1)
    bench.board.unplug()
    await asyncio.sleep(0.1)
    assert changes == [("arrived", True), ("left", False)]


@virtual_time
async def test_an_event_from_a_listener_waits_for_the_one_before_it() -> None:
    bench = await RunnerBench().start()
    offers: list[float] = []

    def follow(_: Connector) -> None:
        offers.append(bench.runner.state.offer_a)
        if bench.runner.state.offer_a < 20:
            bench.runner.post(Offered(bench.runner.state.offer_a + 1))

    bench.runner.changed.subscribe(follow)
    bench.runner.post(Offered(18.0))
    assert offers == [18.0, 19.0, 20.0]


@pytest.mark.parametrize(
    "report",
    [
        ResidualCurrentReport(tripped=True),
        TemperatureReport(90.0),
        ContactReport(Contact.RCD, tripped=True),
        OtherFaultReport("WeakSignal", active=True),
        SupplyReport(present=False),
    ],
)
@virtual_time
async def test_reports_for_other_services_do_not_reach_the_machine(report: object) -> None:
    bench = await RunnerBench().start()
    taken: list[object] = []
    bench.runner.decided.subscribe(lambda decided: taken.append(decided.event))
    bench.board.report(report)  # type: ignore[arg-type]  # a row of the table
    assert taken == []


class TestKeepAlive:
    @pytest.mark.parametrize("watchdog_s", [3.0, 30.0])
    def test_keep_alives_are_sent_three_times_per_watchdog_period(self, watchdog_s: float) -> None:
        @virtual_time
        async def scenario() -> None:
            bench = await RunnerBench(capabilities=BoardCapabilities(watchdog_s=watchdog_s)).start()
            bench.board.plug()
            await asyncio.sleep(1)
            bench.runner.post(Authorized(CARD))
            await asyncio.sleep(1)
            bench.board.alive.clear()
            await asyncio.sleep(watchdog_s * 10)
            pauses = [b - a for a, b in zip(bench.board.alive, bench.board.alive[1:], strict=False)]
            assert max(pauses) == pytest.approx(watchdog_s / 3)

        scenario()

    @virtual_time
    async def test_no_keep_alive_while_nothing_is_allowed(self) -> None:
        bench = await _charging()
        bench.runner.post(STOP)
        await asyncio.sleep(60)
        bench.board.alive.clear()
        await asyncio.sleep(600)
        assert bench.board.alive == []


class TestEnd:
    @virtual_time
    async def test_a_power_cut_commands_nothing(self) -> None:
        bench = await _charging()
        bench.board.commands.clear()
        bench.board.alive.clear()
        bench.runner.abort()
        bench.board.unplug()
        bench.runner.post(STOP)
        await asyncio.sleep(60)
        assert bench.board.commands == []
        assert bench.board.alive == []
        assert bench.keeper.finished == []

    @virtual_time
    async def test_a_stop_leaves_the_board_safe(self) -> None:
        bench = await _charging()
        await bench.runner.stop()
        assert bench.board.stopped

    @pytest.mark.parametrize("commits", [True, False])
    def test_waiting_for_the_end_of_a_session(self, commits: bool) -> None:
        @virtual_time
        async def scenario() -> None:
            bench = await _charging()
            if not commits:
                bench.keeper.finish_error = StorageFull("no space")
            bench.runner.post(STOP)
            assert await wait_until_idle(bench.runner, 15.0) is commits

        scenario()


class TestAMistakeInTheMachine:
    """It must neither send keep-alives nor keep the processor busy."""

    @virtual_time
    async def test_an_error_opens_the_contactor_and_the_runner_goes_on(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = await _charging()
        calls = 0

        def wrong(
            state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
        ) -> Transition:
            nonlocal calls
            calls += 1
            if isinstance(event, Tick | Offered):
                raise ZeroDivisionError
            return step(state, event, now_s, config)

        monkeypatch.setattr(connector_runner, "step", wrong)
        bench.board.commands.clear()
        with caplog.at_level(logging.CRITICAL):
            bench.runner.post(Offered(0.0))
            assert bench.board.commands[:2] == [False, PilotOff()]
            bench.runner.post(FaultRaised(Fault.RCD_TRIPPED))
            calls = 0
            await asyncio.sleep(60)
        assert calls < 100
        monkeypatch.undo()
        bench.board.report(PilotReport(PilotState.B, pwm=False, diode=DiodeCheck.UNKNOWN))
        await asyncio.sleep(10)
        assert bench.keeper.finished == [("s1", Stop(StopReason.OTHER))]


@virtual_time
async def test_a_changed_setting_takes_effect_without_another_event() -> None:
    bench = await _charging()
    bench.board.report(PilotReport(PilotState.D, pwm=True, diode=DiodeCheck.GOOD))
    await asyncio.sleep(10)
    assert Fault.VENTILATION in bench.runner.state.faults
    bench.config = replace(bench.config, ventilation=True)
    bench.runner.on_config_changed()
    assert Fault.VENTILATION not in bench.runner.state.faults


@virtual_time
async def test_other_settings_post_no_event() -> None:
    bench = await RunnerBench().start()
    decided: list[Event] = []
    bench.runner.decided.subscribe(lambda decision: decided.append(decision.event))
    bench.runner.on_config_changed()
    assert decided == []
