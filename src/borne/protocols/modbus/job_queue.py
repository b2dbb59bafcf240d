"""Requests that wait for their port: by priority, in order of arrival within one."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from borne.protocols.modbus.failures import ModbusFailure, QueueFull
from borne.protocols.modbus.pdu import Request

MAX_WAITING: Final = 256


class Priority(IntEnum):
    """Which request is sent first."""

    STOP = 0
    COMMAND = 1
    READ = 2
    SCAN = 3


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often to try a request."""

    timeout_s: float = 1.0
    """For the answer, without the time that a serial line takes to carry it; and for a
    connection."""
    attempts: int = 2
    pause_s: float = 0.0
    """Pause that the device needs after its previous answer."""
    may_be_ignored: bool = False
    """A unit without this register may give no answer: then it does not count as silent."""
    asks_silent: bool = False
    """Ask a unit that did not answer before without a pause, though others share the line: to find
    out whether there is one."""


@dataclass(eq=False, slots=True)
class Job:
    """A request of a caller, until it is answered."""

    unit: int
    request: Request
    priority: Priority
    retry: RetryPolicy
    queued_s: float
    result: asyncio.Future[tuple[int, ...]]
    order: tuple[int, int] = (0, 0)
    attempts: int = 0
    """Made so far."""
    asked_s: float = 0.0
    """When the last attempt began."""
    sent_again: bool = False
    """The connection was found closed, and the request was sent on a new one."""

    def fail(self, failure: ModbusFailure) -> None:
        if not self.result.done():
            self.result.set_exception(failure)

    def finish(self, values: tuple[int, ...]) -> None:
        if not self.result.done():
            self.result.set_result(values)


@dataclass(slots=True)
class JobQueue:
    """A bounded queue. When it is full, a request of higher priority replaces the last one."""

    max_waiting: int = MAX_WAITING
    _jobs: list[Job] = field(default_factory=list)
    _count: int = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs))

    def add(self, job: Job) -> None:
        """Raises QueueFull."""
        if len(self._jobs) >= self.max_waiting:
            if self._jobs[-1].priority <= job.priority:
                raise QueueFull(_full(len(self._jobs)))
            self._jobs.pop().fail(QueueFull(_full(self.max_waiting)))
        self._count += 1
        job.order = (job.priority, self._count)
        self.put_back(job)

    def put_back(self, job: Job) -> None:
        """A job that was taken waits again, at its old place."""
        bisect.insort(self._jobs, job, key=_order)

    def remove(self, job: Job) -> None:
        if job in self._jobs:
            self._jobs.remove(job)

    def expire(self, now_s: float, expiry_s: Callable[[Job], float]) -> list[Job]:
        """Remove and return the jobs whose time is over."""
        expired = [job for job in self._jobs if expiry_s(job) <= now_s]
        for job in expired:
            self._jobs.remove(job)
        return expired


def _order(job: Job) -> tuple[int, int]:
    return job.order


def _full(waiting: int) -> str:
    return f"{waiting} requests wait for this port already."
