"""Tasks of one owner: kept alive, ended together."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

from borne.foundation import supervisor as supervisors
from borne.foundation.supervisor import OnDemandTask, Supervisor


async def test_work_that_is_aborted_before_its_first_step_leaves_no_warning() -> None:
    began: list[str] = []

    async def work() -> None:
        began.append("work")

    supervisor = Supervisor("test")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        supervisor.start("work", work())
        await asyncio.gather(*supervisor.abort(), return_exceptions=True)
        gc.collect()
    assert began == []
    assert [str(warning.message) for warning in caught] == []


async def test_tasks_end_in_the_order_of_their_start() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    supervisor = Supervisor("test")
    for number in range(20):
        supervisor.start(str(number), work(number))
    await asyncio.sleep(0)
    await supervisor.stop()
    assert ended == list(range(20))


async def test_failed_work_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "FIRST_PAUSE_S", 0.0)
    tries: list[int] = []
    done = asyncio.Event()

    async def work() -> None:
        tries.append(len(tries))
        if len(tries) < 2:
            raise ValueError("once")
        done.set()

    supervisor = Supervisor("test")
    supervisor.keep("work", work)
    await asyncio.wait_for(done.wait(), 10)
    assert tries == [0, 1]
    await supervisor.stop()


async def test_work_on_demand_runs_once_for_all_requests_that_came_while_it_ran() -> None:
    begun: list[int] = []
    go_on = asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        await go_on.wait()

    supervisor = Supervisor("test")
    task = OnDemandTask(supervisor, "work", work)
    task.request()
    await asyncio.sleep(0)
    task.request()
    task.request()
    assert begun == [0]
    go_on.set()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    assert begun == [0, 1]
    task.request()
    await asyncio.sleep(0)
    assert begun == [0, 1, 2]
    await supervisor.stop()


async def test_failed_work_on_demand_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "FIRST_PAUSE_S", 0.0)
    tries: list[int] = []
    done = asyncio.Event()

    async def work() -> None:
        tries.append(len(tries))
        if len(tries) < 2:
            raise ValueError("once")
        done.set()

    supervisor = Supervisor("test")
    OnDemandTask(supervisor, "work", work).request()
    await asyncio.wait_for(done.wait(), 10)
    assert tries == [0, 1]
    await supervisor.stop()
