"""The lifecycle of the station's services."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Service(Protocol):
    """A service that the station starts and stops. It subscribes itself to its sources."""

    def start(self) -> Awaitable[None] | None:
        """Start; all services before it in the list have started. Async if it loads data."""

    async def stop(self) -> None:
        """Stop in an orderly way."""

    def abort(self) -> None:
        """Stop at once, as in a power failure; nothing is sent."""


def _nothing() -> None:
    """Default for a missing function."""


@dataclass(frozen=True, slots=True)
class Part:
    """A `Service` made of functions, for services that lack some of the three."""

    start: Callable[[], Awaitable[None] | None] = _nothing
    abort: Callable[[], None] = _nothing
    end: Callable[[], Awaitable[None]] | None = None
    """An orderly stop, if it differs from `abort`."""

    async def stop(self) -> None:
        if self.end is not None:
            await self.end()
        self.abort()


class ServiceList:
    """Starts services in order and stops them in reverse order."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(services)

    async def start(self) -> None:
        for service in self._services:
            begun = service.start()
            if inspect.isawaitable(begun):
                await begun
        self._services = tuple(each for each in self._services if not _only_starts(each))

    async def stop(self) -> None:
        for service in reversed(self._services):
            await service.stop()

    def abort(self) -> None:
        for service in reversed(self._services):
            service.abort()


def _only_starts(service: Service) -> bool:
    return isinstance(service, Part) and service.abort is _nothing and service.end is None
