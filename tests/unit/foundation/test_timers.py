"""Named timers: one a name, planned anew, cancelled."""

from __future__ import annotations

import asyncio
from functools import partial

from borne.foundation.timers import Timers
from tests.support.virtual_time import virtual_time


@virtual_time
async def test_a_timer_fires_once_and_is_removed() -> None:
    fired: list[str] = []
    timers = Timers()
    timers.plan("tea", 60.0, partial(fired.append, "tea"))
    await asyncio.sleep(59.9)
    assert ("tea" in timers, fired) == (True, [])
    await asyncio.sleep(100.0)
    assert ("tea" in timers, fired) == (False, ["tea"])


@virtual_time
async def test_the_last_plan_of_a_name_holds() -> None:
    fired: list[str] = []
    timers, now_s = Timers(), asyncio.get_running_loop().time()
    timers.plan("tea", 60.0, partial(fired.append, "early"))
    timers.plan_at("tea", now_s + 90.0, partial(fired.append, "late"))
    timers.plan("egg", 5.0, partial(fired.append, "egg"))
    timers.plan_at("egg", None, partial(fired.append, "never"))
    await asyncio.sleep(100.0)
    assert fired == ["late"]


@virtual_time
async def test_a_firing_timer_may_plan_itself_again() -> None:
    fired: list[float] = []
    timers, loop = Timers(), asyncio.get_running_loop()

    def again() -> None:
        fired.append(loop.time())
        if len(fired) < 3:
            timers.plan("tea", 1.0, again)

    timers.plan("tea", 1.0, again)
    await asyncio.sleep(10.0)
    assert len(fired) == 3


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
    fired: list[str] = []
    timers = Timers()
    timers.plan("tea", 1.0, partial(fired.append, "tea"))
    timers.plan("egg", 2.0, partial(fired.append, "egg"))
    timers.stop()
    timers.plan("cake", 3.0, partial(fired.append, "cake"))
    await asyncio.sleep(10.0)
    assert (fired, "tea" in timers, "cake" in timers) == ([], False, False)


@virtual_time
async def test_a_timer_that_stops_the_others_is_the_last() -> None:
    fired: list[str] = []
    timers = Timers()
    timers.plan("tea", 1.0, timers.stop)
    timers.plan("egg", 1.0, partial(fired.append, "egg"))
    await asyncio.sleep(10.0)
    assert fired == []
