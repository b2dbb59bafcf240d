"""Faster time: N times the wall's as long as the process keeps up, and never ahead of its work."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from borne.foundation import scaled_loop
from borne.foundation.scaled_loop import CATCH_UP_S, ScaledEventLoop

SPEED = 60.0


class Wall:
    """Time that passes when somebody works or waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(scaled_loop, "_monotonic", lambda: self.now_s)
        monkeypatch.setattr("selectors.DefaultSelector.select", self._wait)

    def _wait(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "waits for ever"
        self.now_s += timeout
        return []

    def work(self, seconds: float) -> None:
        self.now_s += seconds

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        loop = ScaledEventLoop(SPEED)
        try:
            loop.run_until_complete(main)
        finally:
            loop.close()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


def test_time_runs_n_times_as_fast(wall: Wall) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        began_s, wall_s = loop.time(), wall.now_s
        for _ in range(1000):
            await asyncio.sleep(0.6)
            wall.work(0.002)
        assert loop.time() - began_s == pytest.approx(600)
        assert wall.now_s - wall_s == pytest.approx(10, abs=0.01)

    wall.run(main())


@pytest.mark.parametrize("stall_s", [0.05, 0.5, 2.9])
def test_a_stall_lasts_no_longer_than_at_speed_1(wall: Wall, stall_s: float) -> None:
    fed: list[float] = []

    async def feed() -> None:
        while True:
            fed.append(asyncio.get_running_loop().time())
            await asyncio.sleep(1)

    async def main() -> None:
        feeding = asyncio.create_task(feed())
        for _ in range(10):
            await asyncio.sleep(7.3)
            wall.work(stall_s)
        feeding.cancel()

    wall.run(main())
    gaps = [after - before for before, after in itertools.pairwise(fed)]
    assert max(gaps) <= 1 + stall_s + CATCH_UP_S


def test_time_passes_while_a_task_is_always_ready(wall: Wall) -> None:
    """A task that is always ready does not hold the timers up."""

    async def main() -> None:
        until_s = asyncio.get_running_loop().time() + 0.3
        while asyncio.get_running_loop().time() < until_s:
            wall.work(0.001)
            await asyncio.sleep(0)

    wall.run(main())


def test_time_is_constant_within_a_callback(wall: Wall) -> None:
    async def main() -> None:
        began_s = asyncio.get_running_loop().time()
        wall.work(1)
        assert asyncio.get_running_loop().time() == began_s

    wall.run(main())


def test_scaled_time_takes_its_share_of_real_time() -> None:
    async def main() -> None:
        await asyncio.sleep(3)

    began_s = time.monotonic()
    loop = ScaledEventLoop(1000.0)
    loop.run_until_complete(main())
    loop.close()
    assert time.monotonic() - began_s >= 0.002
