"""A whole station with meters that lie, fall silent or are exchanged, power cuts, restarts and a
clock that is set: what is billed, reported and protected.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from borne.application.charging.fault_service import METER_BLIND_A
from borne.application.charging.metering_service import BLIND_S, SILENCE_S
from borne.application.ports.simulator import SimulatorError
from borne.domain.principals import SYSTEM
from borne.domain.station.session import SessionFlag
from borne.foundation.clock import ClockTrust
from tests.support.billing import CAR, RunningStation, billed_wh, check_messages, running_station
from tests.support.examples import data_in_memory
from tests.support.virtual_time import run_virtual

EXAMPLES = min(settings().max_examples // 10, 100)
"""Each is a station: ten, and a hundred in the campaign."""
MAX_W = 24_288.0
STEPS = [-(10**6), -5, 3, 40, 5_000, 10**6]
SILENT = ["meter-ocpp", "meter-garbage", "meter-nan"]
LIES = ["meter-frozen", "meter-factor"]

acts = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.5, 60)),
    st.tuples(st.just("step"), st.sampled_from(STEPS)),
    st.tuples(st.just("exchange"), st.sampled_from([0, 1_000_000, 10**8])),
    st.tuples(st.sampled_from(LIES), st.booleans()),
    st.tuples(st.sampled_from(SILENT), st.booleans()),
    st.tuples(st.just("off"), st.floats(0.5, 120)),
    st.tuples(st.just("exchange while off"), st.integers(0, 10**7)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("clock"), st.sampled_from([-400.0, -0.1, 0.1, 400.0])),
    st.tuples(st.just("replug"), st.none()),
)


async def perform(at: RunningStation, act: str, value: Any) -> None:
    match act:
        case "wait":
            await asyncio.sleep(value)
        case "step":
            await at.cause("meter-step", active=False)
            await at.cause("meter-step", value)
        case "exchange":
            await at.cause("meter-exchanged", active=False)
            await at.cause("meter-exchanged", value)
        case "meter-nan":
            await at.cause(act, "register", active=value)
        case "off":
            await at.off_for(value)
        case "exchange while off":
            await at.host.cut()
            await at.cause("meter-exchanged", active=False)
            await at.cause("meter-exchanged", value)
            await at.host.restore()
        case "restart":
            await at.host.restart(SYSTEM, "now")
            await asyncio.sleep(30)
        case "clock":
            step = timedelta(days=value)
            at.host.clock.observe(at.host.clock.now() + step, ClockTrust.BACKEND)
            at.wall_error += step
        case "replug":
            with suppress(SimulatorError):
                await at.simulator.unplug(1, force=True)
            await asyncio.sleep(10)
            await at.simulator.plug(1, CAR)
        case _:
            await at.cause(act, active=value)


async def watch(at: RunningStation, wrong: list[str]) -> None:
    """No car draws unmeasured for longer than the time limit, and the status can always be read."""
    blind_s, closings = 0.0, 0
    while True:
        await asyncio.sleep(0.5)
        if at.host.station is None:
            blind_s = 0.0
            continue
        status = at.connector()
        defects = at.socket.defects
        silent = defects.meter_silent or defects.meter_garbage or defects.meter_nan is not None
        flows = at.socket.contactor.closed
        if at.socket.contactor.cycles != closings:
            # It was open since the last look, as for a moment of a restart.
            blind_s, closings = 0.0, at.socket.contactor.cycles
        blind_s = blind_s + 0.5 if silent and flows else 0.0
        if blind_s > BLIND_S + 4 and max(status["offered_a"]) > METER_BLIND_A:
            wrong.append(f"{status['offered_a']} A offered, blind for {blind_s} s")
        if blind_s > SILENCE_S + 4 + 6:
            wrong.append(f"the contactor is closed, blind for {blind_s} s")


async def live(data: Path, steps: list[tuple[str, Any]]) -> None:
    async with running_station(data) as at:
        wrong: list[str] = []
        watching = asyncio.create_task(watch(at, wrong))
        await at.simulator.plug(1, CAR)
        await asyncio.sleep(20)
        gaps_s = 0.0
        for act, value in steps:
            await perform(at, act, value)
            if act == "off":
                gaps_s += value
            await asyncio.sleep(5)
        await at.cause("meter-ocpp", active=False)
        with suppress(SimulatorError):
            await at.simulator.unplug(1, force=True)
        await asyncio.sleep(30)
        watching.cancel()
        assert wrong == []
        records, total = await at.station._parts.storage.journal.page(limit=500)
        assert total == len(records)
        billed = 0
        for record in records:
            assert record.end is not None
            assert record.start.at.wall is not None
            assert record.end.at.wall is not None
            assert record.end.at.wall >= record.start.at.wall
            assert record.billable is (SessionFlag.METER_FAULT not in record.flags)
            assert billed_wh(record) >= 0
            billed += billed_wh(record)
        acts = {act for act, _ in steps}
        true_wh = at.socket.energy_wh
        honest = not acts & {"step", "exchange", "exchange while off", *LIES}
        event(f"honest: {honest}")
        # Beyond what flowed: tolerances once a session, and steps that fit into a gap.
        gaps_wh = (gaps_s + 90 * len(steps)) * MAX_W / 3600 if not honest else 0.0
        assert billed <= true_wh * 1.1 + 21 * len(records) + gaps_wh
        if honest:
            assert all(record.billable for record in records)
            if not acts & {*SILENT, "clock"}:
                assert abs(billed - true_wh) <= len(records)
        check_messages(await at.messages())


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(acts, min_size=1, max_size=8))
@example([("meter-ocpp", True), ("step", -1000000), ("restart", None)])
def test_billing_and_protection_hold_in_any_order_of_events(steps: list[tuple[str, Any]]) -> None:
    with data_in_memory() as folder:
        run_virtual(live(folder, steps))
