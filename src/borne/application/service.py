"""A part of the station with a life of its own."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Service(Protocol):
    """What the station starts and ends. A service subscribes itself to what it follows."""

    def start(self) -> Awaitable[None] | None:
        """Begin; what stands before it in the list has begun. Waits when something is read."""

    async def stop(self) -> None:
        """A polite end."""

    def abort(self) -> None:
        """Power cut: nothing is said to anybody."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A `Service` of functions, for what has no need of all three."""

    start: Callable[[], Awaitable[None] | None] = _nothing
    abort: Callable[[], None] = _nothing
    end: Callable[[], Awaitable[None]] | None = None
    """A polite end, where that is more than `abort`."""

    async def stop(self) -> None:
        if self.end is not None:
            await self.end()
        self.abort()


class ServiceList:
    """Services that are started in their order and ended in the reverse."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(services)

    async def start(self) -> None:
        for service in self._services:
            begun = service.start()
            if inspect.isawaitable(begun):
                await begun

    async def stop(self) -> None:
        for service in reversed(self._services):
            await service.stop()

    def abort(self) -> None:
        for service in reversed(self._services):
            service.abort()
