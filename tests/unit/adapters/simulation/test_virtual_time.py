"""The loop that other tests stand on."""

import asyncio
import time

import pytest

from tests.support.virtual_time import Deadlock, run_virtual, virtual_time


@virtual_time
async def test_a_day_passes_at_once() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.sleep(86_400)
    assert loop.time() - began_s == 86_400


@virtual_time
async def test_events_come_in_the_order_of_their_times() -> None:
    loop = asyncio.get_running_loop()
    order: list[str] = []
    loop.call_later(2, order.append, "late")
    loop.call_later(1, order.append, "early")
    loop.call_later(1, order.append, "early, planned later")
    await asyncio.sleep(3)
    assert order == ["early", "early, planned later", "late"]


@virtual_time
async def test_executor_jobs_take_no_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    assert await asyncio.to_thread(sum, [1, 2]) == 3
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, divmod, 1, 0)
    assert loop.time() == began_s


@virtual_time
async def test_the_wall_clock_is_not_touched() -> None:
    before = time.monotonic()
    await asyncio.sleep(3600)
    assert time.monotonic() - before < 600


def test_waiting_for_nothing_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run_virtual(wait())
