"""Power may go at any commit of a session: the backend can still write exactly the right bill.

The points are counted by a run without a crash; then each one is hit by an in-process power cut,
and some, chosen by the commit, by SIGKILL of a real process; all of them in the campaign.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from borne.app import Host, HostOptions
from tests.integration.crash.commit_points import watch
from tests.integration.crash.scenario import SETTINGS, begin, check_money, end
from tests.support.central_system import CentralSystem, Ledger, central_system
from tests.support.process import unmeasured_environment
from tests.support.rotation import rotating
from tests.support.running_station import RunningStation, store_settings
from tests.support.simulated_world import world_of

POINTS = 16
"""At least so many commit points lie on a session's way; the dry runs check it."""
KILLED_AT = 4
"""So many of them in a run: a process takes seconds to start."""


def _money(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    return [(seen.action, seen.payload) for seen in ledger.seen]


class _Cutter:
    """A station in this process whose power goes at one commit point."""

    def __init__(self, data: Path, point: int | None) -> None:
        self.names: list[str] = []
        self.started = False
        """What is committed while a station starts is no point of a session."""
        self.cut_done = asyncio.Event()
        self._point = point
        self.host = Host(
            HostOptions(
                data,
                rng=random.Random(1),
                live=False,
                control_socket=False,
                wrap_storage=lambda storage: watch(storage, self._at),
            )
        )

    async def _at(self, name: str) -> None:
        if not self.started:
            return
        self.names.append(name)
        if len(self.names) == self._point:
            asyncio.get_running_loop().create_task(self._cut())
            await asyncio.Event().wait()

    async def _cut(self) -> None:
        await self.host.cut()
        self.cut_done.set()


async def _play_with_cut(data: Path, central: CentralSystem, point: int | None) -> list[str]:
    store_settings(data, {**SETTINGS, "WebSocketsBackendURL": central.url})
    cutter = _Cutter(data, point)
    await cutter.host.start()
    cutter.started = True
    try:
        await _interrupted_story(cutter)
        register_wh = world_of(cutter.host).sockets[1].register_wh
    finally:
        await cutter.host.stop()
    check_money(_money(central.ledger), register_wh)
    return cutter.names


async def _interrupted_story(cutter: _Cutter) -> None:
    rig = RunningStation(cutter.host)
    scenario = asyncio.create_task(_scenario(rig))
    cut = asyncio.create_task(cutter.cut_done.wait())
    await asyncio.wait({scenario, cut}, return_when=asyncio.FIRST_COMPLETED)
    if not cut.done():
        cut.cancel()
        await scenario
        return
    scenario.cancel()
    await asyncio.gather(scenario, return_exceptions=True)
    await cutter.host.restore()
    if world_of(cutter.host).sockets[1].vehicle is not None:
        await begin(rig)
    await end(rig)


async def _scenario(rig: RunningStation) -> None:
    await begin(rig)
    await end(rig)


async def test_the_commit_points_of_a_session(tmp_path: Path) -> None:
    async with central_system() as central:
        names = await _play_with_cut(tmp_path, central, None)
    assert {name.split(" ")[0] for name in names} >= {
        "journal.open",
        "journal.sample",
        "journal.close",
        "outbox.answered",
        "tokens.put",
    }
    assert len(names) >= POINTS


async def test_power_cut_at_every_point(tmp_path: Path) -> None:
    async def one(point: int) -> None:
        async with central_system() as central:
            await _play_with_cut(tmp_path / str(point), central, point)

    await _each_point(one)


async def _each_point(one: Callable[[int], Awaitable[None]]) -> None:
    async def named(point: int) -> None:
        try:
            await one(point)
        except Exception as error:
            error.add_note(f"at commit point {point}")
            raise

    async with asyncio.TaskGroup() as group:
        for point in range(1, POINTS + 1):
            group.create_task(named(point))


async def _run_child(data: Path, url: str, point: int | None) -> tuple[int, str]:
    arguments = [sys.executable, "-m", "tests.integration.crash.child", str(data), url]
    if point is not None:
        arguments.append(str(point))
    # A killed process leaves no coverage behind; measuring would only make it slow.
    child = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, env=unmeasured_environment()
    )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), 90)
    except TimeoutError:
        child.kill()
        raise
    return child.returncode or 0, output.decode()


@pytest.mark.parametrize("point", rotating(range(1, POINTS + 1), KILLED_AT, "point"))
async def test_sigkill_at_a_point(tmp_path: Path, point: int) -> None:
    async with central_system() as central:
        code, _ = await _run_child(tmp_path, central.url, point)
        assert code == -signal.SIGKILL
        code, output = await _run_child(tmp_path, central.url, None)
        assert code == 0
        check_money(_money(central.ledger), json.loads(output)["register_wh"])
