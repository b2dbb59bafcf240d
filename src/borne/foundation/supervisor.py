"""Runs long-lived tasks and ends them together.

A failed task is logged and restarted after a growing, capped pause. `stop` cancels the tasks and
waits for them; `abort` simulates a power failure: it cancels without waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
_log = logging.getLogger(__name__)


class Supervisor:
    """Owns the tasks of one station."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: dict[asyncio.Task[None], Coroutine[Any, Any, None] | None] = {}
        """In order of their start, so that a simulated run is reproducible; with the coroutine that
        was passed in, if one was."""
        self._ended = False

    def keep(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work()` and restart it whenever it fails; not after it has returned."""
        if not self._ended:
            self._begin(name, self._guard(name, work))

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run a coroutine once; a failure is logged. Returns None after `stop` or `abort`."""
        if self._ended:
            work.close()
            return None
        return self._begin(name, self._once(name, work), work)

    async def stop(self) -> None:
        """Cancel every task and wait until all have ended."""
        tasks = self.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    def abort(self) -> list[asyncio.Task[None]]:
        """Cancel every task without waiting; returns the tasks."""
        self._ended = True
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        return tasks

    def _begin(
        self,
        name: str,
        guarded: Coroutine[Any, Any, None],
        work: Coroutine[Any, Any, None] | None = None,
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(guarded, name=f"{self._name}/{name}")
        self._tasks[task] = work
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        work = self._tasks.pop(task)
        if work is not None:
            work.close()  # a task cancelled before its first step has not awaited it

    async def _once(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("%s: %s failed", self._name, name)

    async def _guard(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        pause_s = FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await work()
                return
            except asyncio.CancelledError:
                raise
            except Exception:
                _log.exception("%s: %s failed, restarting in %g s", self._name, name, pause_s)
            if loop.time() - began > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


class OnDemandTask:
    """Runs `work()` after each `request`, once for all that came meanwhile. Between two runs there
    is no task: one that waits takes 2 kB."""

    __slots__ = ("_name", "_requested", "_running", "_supervisor", "_work")

    def __init__(
        self, supervisor: Supervisor, name: str, work: Callable[[], Awaitable[None]]
    ) -> None:
        self._supervisor = supervisor
        self._name = name
        self._work = work
        self._requested = False
        self._running = False

    def request(self) -> None:
        """Run the work soon: again, if it is running now."""
        self._requested = True
        if not self._running:
            self._running = True
            self._supervisor.keep(self._name, self._run)

    async def _run(self) -> None:
        while self._requested:
            self._requested = False
            try:
                await self._work()
            except BaseException:
                self._requested = True
                raise
        self._running = False
