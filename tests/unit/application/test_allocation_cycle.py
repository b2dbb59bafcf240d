"""One cycle for all changes of a loop turn; a stale answer of a worker (decision 0181)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from borne.application.allocation_cycle import RETRY_S, AllocationCycle, CycleSteps
from tests.support.virtual_time import virtual_time


class Counted:
    """Snapshots are numbers; a plan is its snapshot. `work` waits for the worker."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0
        self.applied: list[tuple[int, bool]] = []
        self.work: list[asyncio.Future[None]] = []
        steps = CycleSteps(self._snapshot, lambda snapshot: snapshot, self._apply, lambda: size)
        self.cycle: AllocationCycle[int, int] = AllocationCycle(steps, 10, self._run_in_worker)

    def _snapshot(self) -> int:
        self.taken += 1
        return self.taken

    def _apply(self, plan: int, fresh: bool) -> None:
        self.applied.append((plan, fresh))

    async def _run_in_worker(self, work: Callable[[], int]) -> int:
        gate = asyncio.get_running_loop().create_future()
        self.work.append(gate)
        await gate
        return work()


@virtual_time
async def test_requests_of_one_loop_turn_run_one_cycle() -> None:
    small = Counted(10)
    for restricts in (True, False, True):
        small.cycle.request(restricts=restricts)
    assert small.taken == 0
    await asyncio.sleep(0)
    assert small.applied == [(1, True)]
    await asyncio.sleep(1)
    assert small.taken == 1
    small.cycle.request()
    small.cycle.run()
    await asyncio.sleep(0)
    assert small.applied == [(1, True), (2, True)]
    assert small.work == []


@virtual_time
async def test_a_large_cycle_runs_in_a_worker_and_the_next_one_waits() -> None:
    large = Counted(11)
    assert large.cycle.in_worker
    large.cycle.request()
    await asyncio.sleep(1)
    large.cycle.request(restricts=False)
    large.cycle.run()
    await asyncio.sleep(1)
    assert (len(large.work), large.applied) == (1, [])
    large.work[0].set_result(None)
    await asyncio.sleep(1)
    assert large.applied == [(1, True)]
    large.work[1].set_result(None)
    await asyncio.sleep(1)
    assert large.applied == [(1, True), (2, True)]


@virtual_time
async def test_a_restriction_during_a_cycle_makes_its_answer_stale_and_starts_another() -> None:
    large = Counted(11)
    large.cycle.request()
    await asyncio.sleep(1)
    large.cycle.request()
    large.work[0].set_result(None)
    await asyncio.sleep(1)
    assert large.applied == [(1, False)]
    large.work[1].set_result(None)
    await asyncio.sleep(1)
    assert large.applied == [(1, False), (2, True)]


@virtual_time
async def test_after_the_stop_nothing_is_applied() -> None:
    for size in (10, 11):
        counted = Counted(size)
        counted.cycle.request()
        counted.cycle.abort()
        counted.cycle.request()
        counted.cycle.run()
        await asyncio.sleep(1)
        assert counted.applied == []
    large = Counted(11)
    large.cycle.request()
    await asyncio.sleep(1)
    large.cycle.abort()
    await asyncio.sleep(1)
    assert large.work[0].cancelled()
    assert large.applied == []


def test_a_failed_worker_is_retried_later(caplog: pytest.LogCaptureFixture) -> None:
    @virtual_time
    async def scenario() -> None:
        large = Counted(11)
        large.cycle.request()
        await asyncio.sleep(1)
        large.work[0].set_exception(RuntimeError("no more threads"))
        await asyncio.sleep(RETRY_S - 1)
        assert large.applied == []
        await asyncio.sleep(2)
        large.work[1].set_result(None)
        await asyncio.sleep(1)
        assert large.applied == [(2, True)]

    with caplog.at_level(logging.ERROR):
        scenario()
    assert "the worker of the distribution failed" in caplog.text
