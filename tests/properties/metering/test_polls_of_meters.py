"""Any order of good and missed polls: a meter that polls by itself is silent from the third miss in
a row until the second good poll in a row, as the billing meter and as the second one."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.application.ports.hardware import MeterSilent
from borne.domain.meters.site_status import SiteMeterState
from tests.support.virtual_time import run_virtual
from tests.unit.application.charging.test_metering_service import Bench as BillingBench
from tests.unit.application.meters.test_site_meter_service import Bench as SiteBench

POLLS = st.lists(st.booleans(), max_size=25)
MISSES, GOOD = 3, 2


def silences(polls: list[bool]) -> list[bool]:
    """Whether the meter is silent after each poll."""
    silent, misses, good, found = False, 0, 0, []
    for answered in polls:
        misses, good = (0, good + 1) if answered else (misses + 1, 0)
        if misses >= MISSES:
            silent = True
        elif good >= GOOD:
            silent = False
        found.append(silent)
    return found


@given(polls=POLLS)
@settings(max_examples=40)
def test_the_second_meter(polls: list[bool]) -> None:
    async def scenario() -> None:
        bench = await SiteBench().start()
        await bench.poll(10, times=2)
        for answered, silent in zip(polls, silences(polls), strict=True):
            status = await (bench.poll(10) if answered else bench.miss())
            assert (status.state is SiteMeterState.SILENT) is silent
            assert (status.current_a is None) is silent
            assert (bench.silences[-1:] == [True]) is silent

    run_virtual(scenario())


@given(polls=POLLS)
@settings(max_examples=40)
def test_the_billing_meter(polls: list[bool]) -> None:
    async def scenario() -> None:
        bench = BillingBench(polls_itself=True)
        await bench.service.start()
        for answered, silent in zip(polls, silences(polls), strict=True):
            await asyncio.sleep(1)
            bench.meter.news.emit(bench.meter.reading() if answered else MeterSilent("none"))
            found = [value for name, value in bench.signals if name == "silent"]
            assert (found[-1:] == [True]) is silent

    run_virtual(scenario())
