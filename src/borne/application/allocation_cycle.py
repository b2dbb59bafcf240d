"""When offers are computed: once for all changes of a loop turn, on an immutable snapshot.

A small snapshot is planned on the event loop; a large one in a worker, so that the loop is not
blocked. If something changed meanwhile, the worker's plan is stale: it may lower offers, not raise
them, and another cycle follows. Decreases that follow from rows are made at once, without a cycle.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from borne.foundation.timers import Timers

S = TypeVar("S")
P = TypeVar("P")
INLINE_UP_TO = 32
"""Maximum number of participants planned on the loop; more may take longer than 20 ms on a slow
board."""
RETRY_S = 60.0
"""Delay after a failed worker."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CycleSteps(Generic[S, P]):
    """The steps of a cycle. `plan` is pure and never raises."""

    snapshot: Callable[[], S]
    plan: Callable[[S], P]
    apply: Callable[[P, bool], None]
    """False: the plan is stale and may only lower offers."""
    size: Callable[[], int]


class AllocationCycle(Generic[S, P]):
    """Collects requests and runs at most one cycle at a time."""

    def __init__(
        self,
        steps: CycleSteps[S, P],
        inline_up_to: int = INLINE_UP_TO,
        run_in_worker: Callable[[Callable[[], P]], Awaitable[P]] = asyncio.to_thread,
    ) -> None:
        self._steps = steps
        self._inline_up_to = inline_up_to
        self._run_in_worker = run_in_worker
        self._revision = 0
        self._wanted = False
        self._handle: asyncio.Handle | None = None
        self._worker: asyncio.Task[None] | None = None
        self._timers = Timers()
        self._ended = False

    @property
    def in_worker(self) -> bool:
        """True if a cycle is too large for the loop."""
        return self._steps.size() > self._inline_up_to

    def request(self, *, restricts: bool = True) -> None:
        """Run a cycle at the end of this loop turn. `restricts`: a plan from an older snapshot
        could be too high."""
        self._revision += restricts
        if self._ended:
            return
        if self._worker is not None:
            self._wanted = True
        elif self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self.run)

    def run(self) -> None:
        """Run a cycle now."""
        self._cancel_handle()
        if self._ended or self._worker is not None:
            return
        snapshot, revision = self._steps.snapshot(), self._revision
        if self.in_worker:
            work = self._plan_in_worker(snapshot, revision)
            self._worker = asyncio.get_running_loop().create_task(work)
        else:
            self._steps.apply(self._steps.plan(snapshot), True)

    def abort(self) -> None:
        self._ended = True
        self._timers.stop()
        self._cancel_handle()
        if self._worker is not None:
            self._worker.cancel()

    def _cancel_handle(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    async def _plan_in_worker(self, snapshot: S, revision: int) -> None:
        try:
            plan = await self._run_in_worker(lambda: self._steps.plan(snapshot))
        except Exception:
            _log.exception(
                "the worker of the distribution failed; offers only decrease until the next cycle"
            )
            self._timers.plan("retry", RETRY_S, self.request)
        else:
            fresh = revision == self._revision
            self._wanted |= not fresh
            self._steps.apply(plan, fresh)
        finally:
            self._worker = None
        if self._wanted:
            self._wanted = False
            self.request(restricts=False)
