"""The watchdog of the link to the backend (manual 4, TCP Watchdog), on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from borne.application.backend.tcp_watchdog import TcpWatchdog
from borne.foundation.supervisor import Supervisor
from tests.support.virtual_time import run_virtual

TIMEOUT_S = 10800.0


class Bench:
    """A watchdog and its inputs."""

    def __init__(self) -> None:
        self.timeout_s = TIMEOUT_S
        self.idle = True
        self.began_s = asyncio.get_running_loop().time()
        self.restarted_s: list[float] = []
        self.supervisor = Supervisor("test")
        self.watchdog = TcpWatchdog(
            lambda: self.timeout_s, lambda: self.idle, self._restart, self.supervisor
        )

    async def _restart(self) -> None:
        self.restarted_s.append(asyncio.get_running_loop().time() - self.began_s)


def on_a_bench(scenario: Callable[[Bench], Any]) -> list[float]:
    """When it restarted."""

    async def main() -> list[float]:
        bench = Bench()
        bench.watchdog.reconsider()
        await scenario(bench)
        bench.watchdog.abort()
        await bench.supervisor.stop()
        return bench.restarted_s

    return run_virtual(main())


async def never_connected(bench: Bench) -> None:
    await asyncio.sleep(3 * TIMEOUT_S)


async def connected_in_time(bench: Bench) -> None:
    await asyncio.sleep(TIMEOUT_S - 1)
    bench.watchdog.on_link_changed(True)
    await asyncio.sleep(5 * TIMEOUT_S)


async def lost_for_long(bench: Bench) -> None:
    bench.watchdog.on_link_changed(True)
    await asyncio.sleep(1000)
    bench.watchdog.on_link_changed(False)
    await asyncio.sleep(500)
    # Trying and failing is no connection.
    bench.watchdog.on_link_changed(False)
    await asyncio.sleep(3 * TIMEOUT_S)


async def switched_off(bench: Bench) -> None:
    bench.timeout_s = 0
    bench.watchdog.reconsider()
    await asyncio.sleep(9 * TIMEOUT_S)


async def made_shorter(bench: Bench) -> None:
    await asyncio.sleep(100)
    bench.timeout_s = 60
    bench.watchdog.reconsider()
    await asyncio.sleep(1)


async def a_session_runs(bench: Bench) -> None:
    bench.idle = False
    await asyncio.sleep(2 * TIMEOUT_S)
    bench.watchdog.reconsider()
    await asyncio.sleep(100)
    bench.idle = True
    bench.watchdog.reconsider()
    await asyncio.sleep(1)


async def the_backend_is_back_before_the_session_ends(bench: Bench) -> None:
    bench.idle = False
    await asyncio.sleep(2 * TIMEOUT_S)
    bench.watchdog.on_link_changed(True)
    bench.idle = True
    bench.watchdog.reconsider()
    await asyncio.sleep(5 * TIMEOUT_S)


@pytest.mark.parametrize(
    ("scenario", "restarts_s"),
    [
        (never_connected, [TIMEOUT_S]),
        (connected_in_time, []),
        (lost_for_long, [1000 + TIMEOUT_S]),
        (switched_off, []),
        (made_shorter, [100]),
        (a_session_runs, [2 * TIMEOUT_S + 100]),
        (the_backend_is_back_before_the_session_ends, []),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_watchdog_restarts_after_its_timeout(
    scenario: Callable[[Bench], Any], restarts_s: list[float]
) -> None:
    assert on_a_bench(scenario) == pytest.approx(restarts_s)
