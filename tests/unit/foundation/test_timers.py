"""Named timers: one a name, planned anew, cancelled."""

from __future__ import annotations

import asyncio
from functools import partial

from borne.foundation.timers import Timers
from tests.support.virtual_time import virtual_time


@virtual_time
async def test_a_timer_fires_once_and_is_removed() -> None:
    rung: list[str] = []
    timers = Timers()
    timers.plan("tea", 60.0, partial(rung.append, "tea"))
    await asyncio.sleep(59.9)
    assert ("tea" in timers, rung) == (True, [])
    await asyncio.sleep(100.0)
    assert ("tea" in timers, rung) == (False, ["tea"])


@virtual_time
async def test_the_last_plan_of_a_name_holds() -> None:
    rung: list[str] = []
    timers, now_s = Timers(), asyncio.get_running_loop().time()
    timers.plan("tea", 60.0, partial(rung.append, "early"))
    timers.plan_at("tea", now_s + 90.0, partial(rung.append, "late"))
    timers.plan("egg", 5.0, partial(rung.append, "egg"))
    timers.plan_at("egg", None, partial(rung.append, "never"))
    await asyncio.sleep(100.0)
    assert rung == ["late"]


@virtual_time
async def test_a_firing_timer_may_plan_itself_again() -> None:
    rung: list[float] = []
    timers, loop = Timers(), asyncio.get_running_loop()

    def again() -> None:
        rung.append(loop.time())
        if len(rung) < 3:
            timers.plan("tea", 1.0, again)

    timers.plan("tea", 1.0, again)
    await asyncio.sleep(10.0)
    assert len(rung) == 3


@virtual_time
async def test_a_timer_says_when_it_is_due() -> None:
    timers, now_s = Timers(), asyncio.get_running_loop().time()
    assert timers.due_s("tea") is None
    timers.plan("tea", 60.0, timers.stop)
    assert timers.due_s("tea") == now_s + 60.0
    timers.cancel("tea")
    assert timers.due_s("tea") is None


@virtual_time
async def test_after_the_stop_nothing_fires_and_nothing_is_planned() -> None:
    rung: list[str] = []
    timers = Timers()
    timers.plan("tea", 1.0, partial(rung.append, "tea"))
    timers.plan("egg", 2.0, partial(rung.append, "egg"))
    timers.stop()
    timers.plan("cake", 3.0, partial(rung.append, "cake"))
    await asyncio.sleep(10.0)
    assert (rung, "tea" in timers, "cake" in timers) == ([], False, False)


@virtual_time
async def test_a_timer_that_stops_the_others_is_the_last() -> None:
    rung: list[str] = []
    timers = Timers()
    timers.plan("tea", 1.0, timers.stop)
    timers.plan("egg", 1.0, partial(rung.append, "egg"))
    await asyncio.sleep(10.0)
    assert rung == []
