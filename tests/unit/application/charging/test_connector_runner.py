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
from borne.domain.station.connector import Step, step
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
from tests.unit.application.station_doubles import CARD, Desk

STOP = StopAsked(Stop(StopReason.LOCAL, "A1"))


async def _charging() -> Desk:
    desk = await Desk().start()
    desk.board.plug()
    await asyncio.sleep(1)
    desk.runner.post(Authorized(CARD))
    await asyncio.sleep(1)
    assert desk.runner.state.contactor_closed
    return desk


@virtual_time
async def test_a_session_from_plug_to_end() -> None:
    desk = await _charging()
    assert desk.board.told == [PilotNominal(16.0), True]
    desk.runner.post(STOP)
    await asyncio.sleep(10)
    assert desk.board.told[2:] == [PilotOff(), False]
    assert desk.keeper.finished == [("s1", STOP.stop)]
    assert desk.runner.state.session is None
    assert desk.runner.contactor_cycles == 1


@virtual_time
async def test_unplugging_is_answered_within_the_report() -> None:
    """No await lies between the report and the command to open."""
    desk = await _charging()
    desk.board.report(PilotReport(PilotState.A, pwm=True))
    assert desk.board.told[-2:] == [False, PilotOff()]


@virtual_time
async def test_no_energy_before_the_start_is_committed() -> None:
    desk = await Desk().start()
    desk.keeper.gate.clear()
    desk.board.plug(PilotState.C)
    await asyncio.sleep(1)
    desk.runner.post(Authorized(CARD))
    await asyncio.sleep(600)
    assert desk.board.told == []
    desk.keeper.gate.set()
    await asyncio.sleep(1)
    assert True in desk.board.told


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (StorageFull("no room"), [True]),
        (StorageFailed("broken"), [True]),
        (MeterSilent("never answered"), []),
        (RuntimeError("else"), []),
    ],
)
@virtual_time
async def test_a_start_that_cannot_be_committed(error: Exception, full: list[bool]) -> None:
    desk = await Desk().start()
    told: list[bool] = []
    desk.runner.storage_failed.subscribe(told.append)
    desk.keeper.begin_error = error
    desk.board.plug()
    await asyncio.sleep(1)
    desk.runner.post(Authorized(CARD))
    await asyncio.sleep(1)
    assert desk.runner.state.session is None
    assert True not in desk.board.told
    assert told == full


@pytest.mark.parametrize("error", [StorageFull("no room"), RuntimeError("else")])
@virtual_time
async def test_an_end_is_tried_until_it_is_committed(error: Exception) -> None:
    desk = await _charging()
    told: list[bool] = []
    desk.runner.storage_failed.subscribe(told.append)
    desk.keeper.finish_error = error
    desk.runner.post(STOP)
    await asyncio.sleep(60)
    session = desk.runner.state.session
    assert session is not None
    assert session.phase is Phase.CLOSING
    desk.keeper.finish_error = None
    await asyncio.sleep(6)
    assert desk.keeper.finished == [("s1", STOP.stop)]
    assert told[-1] is False
    assert desk.runner.state.session is None


@virtual_time
async def test_deadlines_come_by_themselves() -> None:
    desk = await Desk(connection_timeout_s=45.0).start()
    expired: list[object] = []
    desk.runner.expired.subscribe(expired.append)
    desk.runner.post(Authorized(CARD))
    await asyncio.sleep(44.9)
    assert expired == []
    await asyncio.sleep(0.2)
    assert expired == [CARD]


@virtual_time
async def test_arrivals_and_departures_are_told_after_the_step() -> None:
    desk = await Desk().start()
    heard: list[tuple[str, bool]] = []
    desk.runner.arrived.subscribe(lambda r: heard.append(("arrived", r.status.connected)))
    desk.runner.left.subscribe(lambda r: heard.append(("left", r.status.connected)))
    desk.board.plug()
    assert heard == []
    await asyncio.sleep(0.1)
    desk.board.unplug()
    await asyncio.sleep(0.1)
    assert heard == [("arrived", True), ("left", False)]


@virtual_time
async def test_an_event_from_a_listener_waits_for_the_one_before_it() -> None:
    desk = await Desk().start()
    offers: list[float] = []

    def follow(_: Connector) -> None:
        offers.append(desk.runner.state.offer_a)
        if desk.runner.state.offer_a < 20:
            desk.runner.post(Offered(desk.runner.state.offer_a + 1))

    desk.runner.changed.subscribe(follow)
    desk.runner.post(Offered(18.0))
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
async def test_what_others_judge_is_not_for_the_machine(report: object) -> None:
    desk = await Desk().start()
    taken: list[object] = []
    desk.runner.decided.subscribe(lambda decided: taken.append(decided.event))
    desk.board.report(report)  # type: ignore[arg-type]  # a row of the table
    assert taken == []


class TestKeepAlive:
    @pytest.mark.parametrize("watchdog_s", [3.0, 30.0])
    def test_three_times_in_the_board_s_patience(self, watchdog_s: float) -> None:
        @virtual_time
        async def story() -> None:
            desk = await Desk(capabilities=BoardCapabilities(watchdog_s=watchdog_s)).start()
            desk.board.plug()
            await asyncio.sleep(1)
            desk.runner.post(Authorized(CARD))
            await asyncio.sleep(1)
            desk.board.alive.clear()
            await asyncio.sleep(watchdog_s * 10)
            pauses = [b - a for a, b in zip(desk.board.alive, desk.board.alive[1:], strict=False)]
            assert max(pauses) == pytest.approx(watchdog_s / 3)

        story()

    @virtual_time
    async def test_nobody_needs_it_when_nothing_is_allowed(self) -> None:
        desk = await _charging()
        desk.runner.post(STOP)
        await asyncio.sleep(60)
        desk.board.alive.clear()
        await asyncio.sleep(600)
        assert desk.board.alive == []


class TestEnd:
    @virtual_time
    async def test_a_power_cut_says_nothing_to_anybody(self) -> None:
        desk = await _charging()
        desk.board.told.clear()
        desk.board.alive.clear()
        desk.runner.abort()
        desk.board.unplug()
        desk.runner.post(STOP)
        await asyncio.sleep(60)
        assert desk.board.told == []
        assert desk.board.alive == []
        assert desk.keeper.finished == []

    @virtual_time
    async def test_a_polite_stop_leaves_the_board_safe(self) -> None:
        desk = await _charging()
        await desk.runner.stop()
        assert desk.board.stopped

    @pytest.mark.parametrize("commits", [True, False])
    def test_waiting_for_the_end_of_a_session(self, commits: bool) -> None:
        @virtual_time
        async def story() -> None:
            desk = await _charging()
            if not commits:
                desk.keeper.finish_error = StorageFull("no room")
            desk.runner.post(STOP)
            assert await wait_until_idle(desk.runner, 15.0) is commits

        story()


class TestAMistakeInTheMachine:
    """It must neither keep a socket alive nor the processor busy."""

    @virtual_time
    async def test_opens_and_goes_on(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        desk = await _charging()
        calls = 0

        def wrong(
            state: ConnectorState, event: Event, now_s: float, config: ConnectorConfig
        ) -> Step:
            nonlocal calls
            calls += 1
            if isinstance(event, Tick | Offered):
                raise ZeroDivisionError
            return step(state, event, now_s, config)

        monkeypatch.setattr(connector_runner, "step", wrong)
        desk.board.told.clear()
        with caplog.at_level(logging.CRITICAL):
            desk.runner.post(Offered(0.0))
            assert desk.board.told[:2] == [False, PilotOff()]
            desk.runner.post(FaultRaised(Fault.RCD_TRIPPED))
            calls = 0
            await asyncio.sleep(60)
        assert calls < 100
        monkeypatch.undo()
        desk.board.report(PilotReport(PilotState.B, pwm=False, diode=DiodeCheck.UNKNOWN))
        await asyncio.sleep(10)
        assert desk.keeper.finished == [("s1", Stop(StopReason.OTHER))]


@virtual_time
async def test_a_changed_setting_is_obeyed_without_another_event() -> None:
    desk = await _charging()
    desk.board.report(PilotReport(PilotState.D, pwm=True, diode=DiodeCheck.GOOD))
    await asyncio.sleep(10)
    assert Fault.VENTILATION in desk.runner.state.faults
    desk.config = replace(desk.config, ventilation=True)
    desk.runner.on_config_changed()
    assert Fault.VENTILATION not in desk.runner.state.faults


@virtual_time
async def test_a_setting_that_the_machine_does_not_obey_is_no_event() -> None:
    desk = await Desk().start()
    decided: list[Event] = []
    desk.runner.decided.subscribe(lambda decision: decided.append(decision.event))
    desk.runner.on_config_changed()
    assert decided == []
